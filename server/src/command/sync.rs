//! REPLCONF, PSYNC and SYNC: what a replica says before it gets the stream.

use crate::command::call::{Binding, Call, Locks};
use crate::command::reply_error::ErrorReply;
use crate::replication::LinkPhase;
use crate::replication::primary::{Coming, ReplicaTerms, SyncRequest};
use slotcore::resp::parse_i64;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("replconf", replconf, Locks::None),
    ("psync", psync, Locks::None),
    ("sync", sync, Locks::None),
];

/// The longest address that a replica may announce.
const MAX_IP_LEN: usize = 255;

fn replconf(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.args.len().is_multiple_of(2) {
        return Err(ErrorReply::SYNTAX);
    }
    for at in (1..call.args.len()).step_by(2) {
        let value = call.args.at(at + 1);
        if call.arg_is(at, "listening-port") {
            let port = call.int_arg(at + 1)?;
            let coming = Coming::new(&call.node.replication);
            let terms = terms(call);
            terms.port = u16::try_from(port).unwrap_or(0);
            terms.coming.get_or_insert(coming);
        } else if call.arg_is(at, "ip-address") {
            if value.len() > MAX_IP_LEN {
                return Err(ErrorReply::new(format!(
                    "ERR REPLCONF ip-address provided by replica instance is too long: {} bytes",
                    value.len()
                )));
            }
            let ip = String::from_utf8_lossy(value).into_owned();
            terms(call).ip = Some(ip).filter(|ip| !ip.is_empty());
        } else if call.arg_is(at, "capa") {
            let (eof, psync2) = (call.arg_is(at + 1, "eof"), call.arg_is(at + 1, "psync2"));
            let terms = terms(call);
            terms.eof |= eof;
            terms.psync2 |= psync2;
        } else if call.arg_is(at, "ack") || call.arg_is(at, "getack") {
            // Meant for the two ends of a link that is up: here there is none, and no reply is expected.
            return Ok(());
        } else if call.arg_is(at, "rdb-only") {
            let only = call.int_arg(at + 1)?;
            if !(0..=1).contains(&only) {
                return Err(ErrorReply::fixed(
                    "ERR value is out of range, value must between 0 and 1",
                ));
            }
            terms(call).rdb_only = only == 1;
        } else if call.arg_is(at, "rdb-filter-only") {
            return Err(ErrorReply::fixed(
                "ERR REPLCONF rdb-filter-only is not supported by this version of slotmark-server: a copy holds all keys",
            ));
        } else if call.arg_is(at, "version") {
            // Of later versions; tells us nothing that we would act on.
        } else {
            return Err(ErrorReply::from_bytes(
                [b"ERR Unrecognized REPLCONF option: ", call.args.at(at)].concat(),
            ));
        }
    }
    call.out.ok();
    Ok(())
}

fn terms<'c>(call: &'c mut Call<'_>) -> &'c mut ReplicaTerms {
    call.session.replica.get_or_insert_default()
}

fn psync(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let next = parse_i64(call.args.at(2)).ok_or(ErrorReply::NOT_INTEGER)?;
    let id = call.args.at(1).to_vec();
    hand_over(call, SyncRequest::Psync { id, next })
}

fn sync(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    hand_over(call, SyncRequest::Sync)
}

/// The connection leaves its worker as soon as what it was told before is out.
fn hand_over(call: &mut Call<'_>, request: SyncRequest) -> Result<(), ErrorReply> {
    let replication = &call.node.replication;
    if replication.is_replica() && replication.link.phase() != LinkPhase::Connected {
        return Err(ErrorReply::fixed(
            "NOMASTERLINK Can't SYNC while not connected with my master",
        ));
    }
    call.session.handover = Some(request);
    Ok(())
}
