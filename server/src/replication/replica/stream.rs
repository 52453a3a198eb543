//! The link while it works: commands come, acknowledgements go.

use std::future::poll_fn;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::Duration;

use slotcore::resp::encode_command;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::apply::Applier;
use super::fault::Fault;
use super::wire::Wire;
use crate::admin::clients::{Buffers, ClientShared};
use crate::node::{Node, unix_ms};
use crate::replication::Following;

/// How often the primary hears how far we are.
const ACK_EVERY: Duration = Duration::from_secs(1);

/// Follows the stream until the link ends; says why. May be dropped at any time: then it ends between two commands.
pub async fn follow(
    node: &'static Node,
    target: &Following,
    wire: &mut Wire,
    applier: &mut Applier,
    client: &ClientShared,
) -> Fault {
    // A primary without a disk starts the stream when it has heard of us.
    let mut unsent = Vec::new();
    acknowledge(node, wire, &mut unsent);
    let mut ticks = interval_at(Instant::now() + ACK_EVERY, ACK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let patience = Duration::from_secs(node.config.load().primary.timeout_s);
        wire.set_patience(patience);
        tokio::select! {
            biased;
            () = killed(client) => return Fault::Killed,
            _ = ticks.tick() => acknowledge(node, wire, &mut unsent),
            filled = wire.fill() => {
                if let Err(fault) = filled {
                    return fault;
                }
                let now = unix_ms();
                node.replication.link.last_io_ms.store(now, Relaxed);
                client.touched(now);
                match take_in(node, target, wire, applier) {
                    Ok(true) => acknowledge(node, wire, &mut unsent),
                    Ok(false) => {}
                    Err(fault) => return fault,
                }
                client.set_buffers(Buffers { query: wire.unused().len(), ..Buffers::default() });
            }
        }
    }
}

/// Applies what has come; true if the primary wants an acknowledgement.
fn take_in(
    node: &'static Node,
    target: &Following,
    wire: &mut Wire,
    applier: &mut Applier,
) -> Result<bool, Fault> {
    let applied = {
        let _lock = node.replication.apply_lock.lock();
        if node.replication.generation() != target.generation {
            // Somebody has changed our role; the link is about to be dropped.
            return Ok(false);
        }
        applier.apply(wire.unused())
    };
    wire.consume(applied.used);
    match applied.fault {
        Some(fault) => Err(fault),
        None => Ok(applied.ack_wanted),
    }
}

/// Sends how far we are, behind what is left of an earlier acknowledgement. A socket that takes nothing gets the next
/// one when it does.
fn acknowledge(node: &Node, wire: &Wire, unsent: &mut Vec<u8>) {
    flush(wire, unsent);
    if unsent.is_empty() {
        let offset = node.replication.offset().to_string();
        encode_command(unsent, &[b"REPLCONF", b"ACK", offset.as_bytes()]);
        flush(wire, unsent);
    }
}

fn flush(wire: &Wire, unsent: &mut Vec<u8>) {
    // An error shows at the next read as well.
    let taken = wire.stream().try_write(unsent).unwrap_or(0);
    unsent.drain(..taken);
}

/// Waits for CLIENT KILL.
pub async fn killed(client: &ClientShared) {
    poll_fn(|cx| {
        client.set_waker(cx.waker());
        if client.is_killed() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await
}
