//! ROLE, WAIT, REPLICAOF and SLAVEOF.

use crate::command::call::{Binding, Call, Locks};
use crate::command::client::parse_timeout_ms;
use crate::command::reply_error::ErrorReply;
use crate::replication::{LinkPhase, Role};
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

fn wait(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.int_arg(1)?;
    parse_timeout_ms(call.args.at(2))?;
    call.out.integer(0);
    Ok(())
}

fn replicaof(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let node = call.node;
    if node.cluster.is_some() {
        return Err(ErrorReply::fixed("ERR REPLICAOF not allowed in cluster mode."));
    }
    if call.arg_is(1, "no") && call.arg_is(2, "one") {
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
    node.replication.follow(node, &host, port);
    call.out.ok();
    Ok(())
}
