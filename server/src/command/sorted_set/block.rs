//! BZPOPMIN, BZPOPMAX, BZMPOP: as their kin that do not wait, from one key at a time.

use super::pop::{End, parse_keys, take_from, take_one_from};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::waiting::{Plan, Serve, serve_or_wait, timeout_arg};

fn plan(call: &Call<'_>, serve: Serve, until_ms: Option<u64>) -> Plan {
    Plan {
        serve,
        keys: call.keys.len(),
        type_name: "zset",
        when_gone: false,
        until_ms,
        nothing: |out| out.nil_array(),
    }
}

pub fn bzpopmin(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let until_ms = timeout_arg(call, call.args.len() - 1)?;
    serve_or_wait(call, plan(call, serve_min, until_ms))
}

pub fn bzpopmax(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let until_ms = timeout_arg(call, call.args.len() - 1)?;
    serve_or_wait(call, plan(call, serve_max, until_ms))
}

fn serve_min(call: &mut Call<'_>, i: usize) -> Result<bool, ErrorReply> {
    take_one_from(call, i, End::Min)
}

fn serve_max(call: &mut Call<'_>, i: usize) -> Result<bool, ErrorReply> {
    take_one_from(call, i, End::Max)
}

pub fn bzmpop(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    parse_keys(call, 2)?;
    let until_ms = timeout_arg(call, 1)?;
    serve_or_wait(call, plan(call, serve_mpop, until_ms))
}

fn serve_mpop(call: &mut Call<'_>, i: usize) -> Result<bool, ErrorReply> {
    let (end, count) = parse_keys(call, 2)?;
    take_from(call, i, end, count)
}
