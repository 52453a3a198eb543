//! CLIENT KILL and CLIENT UNBLOCK.

use crate::admin::clients::{KillFilter, Unblock};
use crate::command::call::Call;
use crate::command::client::list::kind_arg;
use crate::command::reply_error::ErrorReply;
use slotcore::resp::parse_i64;

pub(super) fn kill(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    // The old form names one address, may end the caller itself, and says OK.
    if call.args.len() == 3 {
        let filter = KillFilter {
            addr: Some(call.args.at(2).to_vec()),
            ..KillFilter::default()
        };
        return match end(call, &filter) {
            0 => Err(ErrorReply::fixed("ERR No such client")),
            _ => {
                call.out.ok();
                Ok(())
            }
        };
    }
    let filter = parse_filter(call)?;
    let ended = end(call, &filter);
    call.out.integer(ended as i64);
    Ok(())
}

fn parse_filter(call: &Call<'_>) -> Result<KillFilter, ErrorReply> {
    let own_id = call.session.client.id();
    let mut filter = KillFilter {
        except: Some(own_id),
        ..KillFilter::default()
    };
    let mut at = 2;
    while at < call.args.len() {
        if at + 1 == call.args.len() {
            return Err(ErrorReply::SYNTAX);
        }
        let value = call.args.at(at + 1);
        if call.arg_is(at, "id") {
            let id = parse_i64(value)
                .and_then(|id| u64::try_from(id).ok())
                .filter(|id| *id > 0);
            filter.id = Some(id.ok_or(ErrorReply::fixed("ERR client-id should be greater than 0"))?);
        } else if call.arg_is(at, "type") {
            filter.kind = Some(kind_arg(call, at + 1)?);
        } else if call.arg_is(at, "addr") {
            filter.addr = Some(value.to_vec());
        } else if call.arg_is(at, "laddr") {
            filter.laddr = Some(value.to_vec());
        } else if call.arg_is(at, "user") {
            let account = call.node.acl.find(value);
            filter.account = Some(
                account
                    .ok_or_else(|| ErrorReply::from_bytes([b"ERR No such user '", value, b"'"].concat()))?,
            );
        } else if call.arg_is(at, "skipme") && call.arg_is(at + 1, "yes") {
            filter.except = Some(own_id);
        } else if call.arg_is(at, "skipme") && call.arg_is(at + 1, "no") {
            filter.except = None;
        } else {
            return Err(ErrorReply::SYNTAX);
        }
        at += 2;
    }
    Ok(filter)
}

/// Ends the connections; the caller's own only after its reply.
fn end(call: &mut Call<'_>, filter: &KillFilter) -> usize {
    let own_id = call.session.client.id();
    let ended = call.node.clients.kill(&KillFilter {
        except: filter.except.or(Some(own_id)),
        ..filter.clone()
    });
    let own = filter.except != Some(own_id) && filter.matches(&call.session.client);
    call.session.closing |= own;
    ended.len() + usize::from(own)
}

/// Ends the wait of a connection in a blocking command: as if its time were over, or with an error.
pub(super) fn unblock(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let id = call.int_arg(2)?;
    let why = match call.args.len() {
        3 => Unblock::Timeout,
        4 if call.arg_is(3, "timeout") => Unblock::Timeout,
        4 if call.arg_is(3, "error") => Unblock::Error,
        4 => {
            return Err(ErrorReply::fixed(
                "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR",
            ));
        }
        _ => return Err(ErrorReply::wrong_arity(call.spec.full_name)),
    };
    let client = u64::try_from(id).ok().and_then(|id| call.node.clients.get(id));
    let has_waited = client.is_some_and(|client| client.unblock(why));
    call.out.integer(i64::from(has_waited));
    Ok(())
}
