//! After a change: who waits for the keys that are ready is served, before anybody else sees them.

use std::sync::Arc;

use slotcore::resp::ReplyWriter;

use super::waiter::Waiter;
use crate::admin::clients::{ClientShared, Unblock};
use crate::command::call::Call;
use crate::command::dispatch;
use crate::keyspace::{Held, Key};
use crate::node::{Node, unix_ms};
use crate::replication::effect::{self, Effect};
use crate::session::Session;
use crate::tracking;

/// Serves the waiters of all keys that are ready in the slots that are held, in the order in which they became ready, also
/// those that become ready by it. What each does is recorded behind what made its key ready: the caller's unit has ended.
/// `session`: the caller's.
#[cold]
pub fn serve_ready(
    node: &'static Node,
    session: &mut Session,
    held: &mut Held<'static>,
    worker: usize,
    now: u64,
) {
    while let Some((slot, bytes)) = held.take_ready() {
        let key = Key::new(&bytes);
        let mut last = 0;
        while let Some(waiter) = held.table(slot).waiter_after(&key, last) {
            last = waiter.ticket();
            let table = held.table(slot);
            if table.peek(&key, now).is_none() && !table.any_waits_when_gone(&key) {
                break;
            }
            if serve(node, session, held, &waiter, &key, worker, now) {
                held.table(slot).stop_waiting(&key, last);
            }
        }
    }
    if node.tracking.is_active() {
        tracking::tell_stale(node, session, held);
    }
}

/// Serves who waits for keys that have expired without a command that writes: to be called now and then. Whoever waits to read
/// for a group hears so that the group is gone.
pub fn serve_left(node: &'static Node) {
    for slot in node.keyspace.take_left_ready() {
        let account = node.acl.default_account().clone();
        let mut session = Session::new(Arc::new(ClientShared::of_node()), account, false);
        let mut held = Held::one(&node.keyspace, slot);
        serve_ready(node, &mut session, &mut held, node.link_worker(), unix_ms());
    }
}

/// Serves one waiter from a key, if it still waits. False if it goes on waiting.
fn serve(
    node: &'static Node,
    session: &mut Session,
    held: &mut Held<'static>,
    waiter: &Waiter,
    ready: &Key<'_>,
    worker: usize,
    now: u64,
) -> bool {
    let (mut positions, mut keys) = (Vec::new(), Vec::new());
    let spec = waiter.request.spec;
    let args = waiter.request.args();
    dispatch::hash_keys(spec, &args, &mut positions, &mut keys);
    let Some(i) = keys.iter().position(|key| key.bytes == ready.bytes) else {
        return true;
    };
    // Others than the ready one may be in another slot, outside of a cluster.
    held.include(&node.keyspace, keys.iter().map(|key| key.slot));
    if session.is_primary_link {
        held.reveal_expired();
    }
    // Now that all locks are held: they may have been released in between.
    let found = held.table(ready.slot).peek(ready, now);
    let is_of_type = found.is_some_and(|entry| entry.type_name() == waiter.plan().type_name);
    if !is_of_type && !waiter.when_gone() {
        return false;
    }
    waiter.client.end_wait(waiter.ticket(), || {
        let mut reply = Vec::new();
        let mut call = Call {
            args,
            keys: &keys,
            spec,
            node,
            session,
            held,
            out: ReplyWriter::new(&mut reply, waiter.proto),
            wire_len: 0,
            worker,
            now,
            effect: Effect::default(),
        };
        let failed = match (waiter.plan().serve)(&mut call, i) {
            Ok(false) => return None,
            Ok(true) => None,
            Err(error) => Some(error),
        };
        if let Some(error) = &failed {
            call.out.out.clear();
            call.out.error(error.as_bytes());
            node.stats.worker(worker).failed(spec.id, error.code());
        }
        if node.replication.gate.records() {
            effect::record(&mut call);
        }
        let sent = call.out.out.len() as u64;
        call.held.table(ready.slot).account(0, 0, 0, sent);
        let write_offset = call.session.write_offset;
        Some(Unblock::Served { reply, write_offset })
    })
}
