//! BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH: as their kin that do not wait, from one key at a time.

use super::pop::{Wanted, pop_name, pop_one, take_from};
use super::side_arg;
use super::transfer::transfer;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::Side;
use crate::replication::effect::Effect;
use crate::waiting::{Plan, Serve, serve_or_wait, timeout_arg};

fn plan(call: &Call<'_>, serve: Serve, until_ms: Option<u64>) -> Plan {
    Plan {
        serve,
        keys: call.keys.len(),
        type_name: "list",
        when_gone: false,
        until_ms,
        nothing: |out| out.nil_array(),
    }
}

pub fn blpop(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let until_ms = timeout_arg(call, call.args.len() - 1)?;
    serve_or_wait(call, plan(call, serve_blpop, until_ms))
}

pub fn brpop(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let until_ms = timeout_arg(call, call.args.len() - 1)?;
    serve_or_wait(call, plan(call, serve_brpop, until_ms))
}

fn serve_blpop(call: &mut Call<'_>, i: usize) -> Result<bool, ErrorReply> {
    serve_pop(call, i, Side::Left)
}

fn serve_brpop(call: &mut Call<'_>, i: usize) -> Result<bool, ErrorReply> {
    serve_pop(call, i, Side::Right)
}

/// Replicas are told of LPOP or RPOP.
fn serve_pop(call: &mut Call<'_>, i: usize, side: Side) -> Result<bool, ErrorReply> {
    let Some(element) = pop_one(call, i, side)? else {
        return Ok(false);
    };
    let key = call.keys[i].bytes;
    call.effect_instead(&[pop_name(side), key]);
    call.out.array(2);
    call.out.bulk(key);
    call.out.bulk(&element);
    Ok(true)
}

pub fn blmpop(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let until_ms = timeout_arg(call, 1)?;
    Wanted::parse(call, 2)?;
    serve_or_wait(call, plan(call, serve_mpop, until_ms))
}

fn serve_mpop(call: &mut Call<'_>, i: usize) -> Result<bool, ErrorReply> {
    let wanted = Wanted::parse(call, 2)?;
    take_from(call, i, wanted)
}

pub fn blmove(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    side_arg(call.args.at(3))?;
    side_arg(call.args.at(4))?;
    let until_ms = timeout_arg(call, 5)?;
    block_transfer(call, serve_move, until_ms)?;
    // The directions as the client wrote them if it has not waited, and else as stock writes them.
    if !matches!(call.effect, Effect::Itself) {
        let (source, destination) = (call.keys[0].bytes, call.keys[1].bytes);
        call.effect_instead(&[b"LMOVE", source, destination, call.args.at(3), call.args.at(4)]);
    }
    Ok(())
}

pub fn brpoplpush(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let until_ms = timeout_arg(call, 3)?;
    block_transfer(call, serve_rpoplpush, until_ms)
}

fn block_transfer(call: &mut Call<'_>, serve: Serve, until_ms: Option<u64>) -> Result<(), ErrorReply> {
    let plan = Plan {
        keys: 1,
        nothing: |out| out.nil(),
        ..plan(call, serve, until_ms)
    };
    serve_or_wait(call, plan)
}

/// Replicas are told of LMOVE.
fn serve_move(call: &mut Call<'_>, _: usize) -> Result<bool, ErrorReply> {
    let (from, to) = (side_arg(call.args.at(3))?, side_arg(call.args.at(4))?);
    let has_moved = transfer(call, from, to)?;
    if has_moved {
        let (source, destination) = (call.keys[0].bytes, call.keys[1].bytes);
        call.effect_instead(&[b"LMOVE", source, destination, side_name(from), side_name(to)]);
    }
    Ok(has_moved)
}

fn side_name(side: Side) -> &'static [u8] {
    match side {
        Side::Left => b"left",
        Side::Right => b"right",
    }
}

/// Replicas are told of RPOPLPUSH.
fn serve_rpoplpush(call: &mut Call<'_>, _: usize) -> Result<bool, ErrorReply> {
    let has_moved = transfer(call, Side::Right, Side::Left)?;
    if has_moved {
        call.effect_instead(&[b"RPOPLPUSH", call.keys[0].bytes, call.keys[1].bytes]);
    }
    Ok(has_moved)
}
