//! Which nodes there are, and what each is to the others.

use std::net::IpAddr;

use slotcore::resp::parse_i64;
use slotcore::topology::SlotRange;

use super::change::{change, holds_keys};
use super::{bad_subcommand, cluster};
use crate::cluster::protocol::FailoverKind;
use crate::cluster::{AdminError, random_id};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::node::random_hex_40;

/// MEET ip port [bus-port]
pub(super) fn meet(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    if call.args.len() > 5 {
        return Err(bad_subcommand(call));
    }
    let port = port_arg(call, 3, "base")?;
    let bus_port = match call.args.len() {
        5 => port_arg(call, 4, "bus")?,
        _ => port + 10_000,
    };
    let quoted = |at| String::from_utf8_lossy(call.args.at(at)).into_owned();
    let bad_address = AdminError::BadAddress(format!("{}:{}", quoted(2), quoted(3)));
    let ip = std::str::from_utf8(call.args.at(2))
        .ok()
        .and_then(|text| text.parse::<IpAddr>().ok());
    let ports = u16::try_from(port).ok().zip(u16::try_from(bus_port).ok());
    let (Some(ip), Some((port, bus_port))) = (ip, ports) else {
        return Err(bad_address.into());
    };
    change(call, |member, now, facts, out| {
        member
            .meet(now, facts, ip, port, bus_port, out)
            .map_err(|error| match error {
                AdminError::BadAddress(_) => bad_address,
                other => other,
            })
    })?;
    call.out.ok();
    Ok(())
}

/// Any number, as stock: whether it is a port is asked of the address as a whole.
fn port_arg(call: &Call<'_>, at: usize, kind: &str) -> Result<i64, ErrorReply> {
    let text = call.args.at(at);
    parse_i64(text)
        .filter(|port| (i64::MIN / 2..i64::MAX / 2).contains(port))
        .ok_or_else(|| {
            let prefix = match kind {
                "base" => "ERR Invalid TCP base port specified: ",
                _ => "ERR Invalid TCP bus port specified: ",
            };
            ErrorReply::from_bytes([prefix.as_bytes(), text].concat())
        })
}

pub(super) fn forget(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let id = call.args.at(2);
    change(call, |member, now, facts, out| member.forget(now, facts, id, out))?;
    call.out.ok();
    Ok(())
}

pub(super) fn replicate(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    let id = call.args.at(2);
    let holds_keys = holds_keys(call);
    change(call, |member, now, facts, out| {
        member.replicate(now, facts, id, holds_keys, out)
    })?;
    call.out.ok();
    Ok(())
}

/// FAILOVER [FORCE | TAKEOVER]; what it has begun goes on after its reply.
pub(super) fn failover(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    cluster(call)?;
    let kind = match call.args.len() {
        2 => FailoverKind::Graceful,
        3 if call.arg_is(2, "force") => FailoverKind::Force,
        3 if call.arg_is(2, "takeover") => FailoverKind::Takeover,
        3 => return Err(ErrorReply::SYNTAX),
        _ => return Err(bad_subcommand(call)),
    };
    change(call, |member, now, facts, out| {
        member.failover(now, facts, kind, out)
    })?;
    call.out.ok();
    Ok(())
}

/// RESET [HARD | SOFT]
pub(super) fn reset(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let was_replica = cluster(call)?.view().me().primary.is_some();
    let hard = match call.args.len() {
        3 if call.arg_is(2, "hard") => true,
        3 if !call.arg_is(2, "soft") => return Err(ErrorReply::SYNTAX),
        2 | 3 => false,
        _ => return Err(bad_subcommand(call)),
    };
    if !was_replica && holds_keys(call) {
        return Err(ErrorReply::fixed(
            "ERR CLUSTER RESET can't be called with master nodes containing keys",
        ));
    }
    let new_id = hard.then(random_id);
    change(call, |member, now, facts, out| {
        member.reset(now, facts, new_id, out);
        Ok(())
    })?;
    if was_replica {
        // A copy of what others hold.
        for slot in SlotRange::ALL.slots() {
            let contents = call.with_slot(slot, |table| table.clear());
            drop(contents);
        }
        // Whoever copied the same primary must not go on here from the same place: what it has is not here any more.
        let log = &call.node.replication.log;
        log.restart(&random_hex_40(), log.end());
    }
    call.out.ok();
    Ok(())
}
