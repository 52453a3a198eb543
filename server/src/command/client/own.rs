//! What concerns the calling connection alone.

use crate::admin::clients::ClientFlags;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::session::ReplyMode;

pub(super) fn id(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.out.integer(call.session.client.id() as i64);
    Ok(())
}

pub(super) fn getname(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let name = call.session.client.name();
    if name.is_empty() {
        call.out.nil()
    } else {
        call.out.bulk(&name)
    }
    Ok(())
}

pub(super) fn setname(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let name = call.args.at(2);
    check_name(name)?;
    set_name(call, name);
    call.out.ok();
    Ok(())
}

/// Whether CLIENT LIST could print this name.
pub fn check_name(name: &[u8]) -> Result<(), ErrorReply> {
    if is_printable(name) {
        Ok(())
    } else {
        Err(ErrorReply::fixed(
            "ERR Client names cannot contain spaces, newlines or special characters.",
        ))
    }
}

fn is_printable(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_graphic)
}

/// Names the connection; an empty name takes it away.
pub fn set_name(call: &mut Call<'_>, name: &[u8]) {
    call.session.client.set_name(name);
}

/// Of 7.2, but client libraries send it to any server and some are noisy when it fails.
pub(super) fn setinfo(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (option, value) = (call.args.at(2), call.args.at(3));
    let name = if call.arg_is(2, "lib-name") {
        "lib-name"
    } else if call.arg_is(2, "lib-ver") {
        "lib-ver"
    } else {
        let option = String::from_utf8_lossy(option);
        return Err(ErrorReply::new(format!("ERR Unrecognized option '{option}'")));
    };
    if !is_printable(value) {
        return Err(ErrorReply::new(format!(
            "ERR {name} cannot contain spaces, newlines or special characters."
        )));
    }
    call.session.client.set_library(name == "lib-name", value);
    call.out.ok();
    Ok(())
}

pub(super) fn reply(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.arg_is(2, "on") {
        call.session.reply_mode = ReplyMode::On;
        call.out.ok();
    } else if call.arg_is(2, "off") {
        call.session.reply_mode = ReplyMode::Off;
    } else if call.arg_is(2, "skip") {
        if call.session.reply_mode != ReplyMode::Off {
            call.session.reply_mode = ReplyMode::SkipNext;
        }
    } else {
        return Err(ErrorReply::SYNTAX);
    }
    Ok(())
}

pub(super) fn no_evict(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let on = call.arg_is(2, "on");
    if !on && !call.arg_is(2, "off") {
        return Err(ErrorReply::SYNTAX);
    }
    call.session.client.set_flag(ClientFlags::NO_EVICT, on);
    call.out.ok();
    Ok(())
}
