//! ROLE, WAIT, REPLICAOF and SLAVEOF.

use crate::admin::clients::Unblock;
use crate::command::call::{Binding, Call, Locks};
use crate::command::client::parse_timeout_ms;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::Held;
use crate::node::unix_ms;
use crate::replication::{LinkPhase, Role};
use crate::session::{Blocked, BlockedFor};
use slotcore::resp::parse_i64;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("role", role, Locks::None),
    ("wait", wait, Locks::None),
    ("replicaof", replicaof, Locks::None),
    ("slaveof", replicaof, Locks::None),
];

fn role(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let replication = &call.node.replication;
    let out = &mut call.out;
    match replication.role() {
        Role::Primary => {
            let mut replicas = replication.replicas.all();
            replicas.retain(|replica| replica.is_online());
            out.array(3);
            out.bulk(b"master");
            out.integer(replication.offset() as i64);
            out.array(replicas.len());
            for replica in replicas {
                out.array(3);
                out.bulk(replica.ip.as_bytes());
                out.bulk_display(replica.port);
                out.bulk_display(replica.acked());
            }
        }
        Role::Replica { host, port } => {
            let phase = replication.link.phase();
            out.array(5);
            out.bulk(b"slave");
            out.bulk(host.as_bytes());
            out.integer(i64::from(port));
            out.bulk(phase.name().as_bytes());
            out.integer(if phase == LinkPhase::Connected {
                replication.offset() as i64
            } else {
                -1
            });
        }
    }
    Ok(())
}

/// Waits until enough replicas have acknowledged what this connection has written.
fn wait(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let replication = &call.node.replication;
    if replication.is_replica() {
        return Err(ErrorReply::fixed(
            "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is \
             configured to be writable (which is not the default) writes to replicas are just local and are not \
             propagated.",
        ));
    }
    let wanted = call.int_arg(1)?;
    let timeout_ms = parse_timeout_ms(call.args.at(2))?;
    let offset = call.session.write_offset;
    let acked = replication.replicas.acked(offset);
    if acked as i64 >= wanted || call.session.in_exec {
        call.out.integer(acked as i64);
        return Ok(());
    }
    let count = usize::try_from(wanted).unwrap_or(usize::MAX);
    let client = call.session.client.clone();
    client.begin_wait(None, timeout_ms > 0);
    replication.replicas.wait_for(client.clone(), offset, count);
    replication.ask_for_acks();
    // Whoever makes the node a replica says so first and then releases those who wait: one of both sees the other.
    if replication.is_replica() {
        client.unblock(Unblock::RoleChanged);
    }
    call.session.blocked = Some(Blocked {
        until_ms: (timeout_ms > 0).then(|| unix_ms().saturating_add(timeout_ms)),
        reason: BlockedFor::Replicas { count, offset },
    });
    Ok(())
}

const IN_TRANSACTION: ErrorReply = ErrorReply::fixed(
    "ERR REPLICAOF waits for all writes to end, so it cannot run in a transaction that touches keys itself",
);

/// A change of role needs every slot's lock, and must not wait for itself.
fn holds_slots(call: &Call<'_>) -> bool {
    !matches!(call.held, Held::None)
}

fn replicaof(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let node = call.node;
    if node.cluster.is_some() {
        return Err(ErrorReply::fixed("ERR REPLICAOF not allowed in cluster mode."));
    }
    if call.arg_is(1, "no") && call.arg_is(2, "one") {
        if holds_slots(call) {
            return Err(IN_TRANSACTION);
        }
        node.replication.promote(node);
        call.out.ok();
        return Ok(());
    }
    let port = parse_i64(call.args.at(2))
        .and_then(|port| u16::try_from(port).ok())
        .ok_or(ErrorReply::fixed("ERR Invalid master port"))?;
    let host = String::from_utf8_lossy(call.args.at(1)).into_owned();
    let now = node.replication.following();
    if now.is_some_and(|now| now.host.eq_ignore_ascii_case(&host) && now.port == port) {
        call.out.simple("OK Already connected to specified master");
        return Ok(());
    }
    if holds_slots(call) {
        return Err(IN_TRANSACTION);
    }
    node.replication.follow(node, &host, port);
    call.out.ok();
    Ok(())
}
