//! WHOAMI, DRYRUN, GENPASS, LOG.

use slotcore::command::{arity_ok, lookup_request};
use slotcore::resp::parse_i64;

use super::wrong_count;
use crate::acl;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::node::unix_ms;

/// Bits of a password that nobody asked more or less of, and those that one can ask for.
const PASSWORD_BITS: usize = 256;
const MAX_PASSWORD_BITS: usize = 4096;

/// Entries of the log shown when nobody says how many.
const DEFAULT_COUNT: usize = 10;

pub(super) fn whoami(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.out.bulk(call.session.account.name());
    Ok(())
}

/// Whether a user could run a command, which is not run.
pub(super) fn dryrun(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let quoted = |before: &str, name: &[u8], after: &str| {
        ErrorReply::from_bytes([before.as_bytes(), name, after.as_bytes()].concat())
    };
    let name = call.args.at(2);
    let account = call
        .node
        .acl
        .find(name)
        .ok_or_else(|| quoted("ERR User '", name, "' not found"))?;
    let inner = call.args.from(3);
    let spec = lookup_request(&inner).map_err(|_| quoted("ERR Command '", inner.at(0), "' not found"))?;
    if !arity_ok(spec, inner.len()) {
        return Err(ErrorReply::wrong_arity(spec.full_name));
    }
    match acl::check(&account.user(), spec, &inner) {
        Ok(()) => call.out.ok(),
        Err(denied) => call.out.bulk(&denied.explain(spec, &inner)),
    }
    Ok(())
}

pub(super) fn genpass(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let bits = match call.args.len() {
        2 => PASSWORD_BITS,
        3 => {
            let bits = usize::try_from(call.int_arg(2)?).ok();
            bits.filter(|bits| (1..=MAX_PASSWORD_BITS).contains(bits))
                .ok_or(ErrorReply::fixed(
                    "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up \
                     to 4096",
                ))?
        }
        _ => return Err(wrong_count(call)),
    };
    let digits = bits.div_ceil(4);
    // The thread's generator is one for secrets.
    let mut password: String = (0..digits.div_ceil(8))
        .map(|_| format!("{:08x}", rand::random::<u32>()))
        .collect();
    password.truncate(digits);
    call.out.bulk(password.as_bytes());
    Ok(())
}

pub(super) fn log(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let count = match call.args.len() {
        2 => DEFAULT_COUNT,
        3 if call.arg_is(2, "reset") => {
            call.node.acl.log.reset();
            call.out.ok();
            return Ok(());
        }
        3 => {
            let count = parse_i64(call.args.at(2)).ok_or(ErrorReply::NOT_INTEGER)?;
            usize::try_from(count.max(0)).unwrap_or(usize::MAX)
        }
        _ => return Err(wrong_count(call)),
    };
    let entries = call.node.acl.log.newest(count);
    let now = unix_ms();
    let out = &mut call.out;
    out.array(entries.len());
    for entry in entries {
        out.map(7);
        out.bulk(b"count");
        out.integer(entry.count as i64);
        out.bulk(b"reason");
        out.bulk(entry.reason.as_bytes());
        out.bulk(b"context");
        out.bulk(entry.context.name().as_bytes());
        out.bulk(b"object");
        out.bulk(&entry.object);
        out.bulk(b"username");
        out.bulk(&entry.username);
        out.bulk(b"age-seconds");
        out.double(now.saturating_sub(entry.time_ms) as f64 / 1000.0);
        out.bulk(b"client-info");
        out.bulk(entry.client_info.as_bytes());
    }
    Ok(())
}
