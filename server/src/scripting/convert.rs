//! Between replies and Lua values, both ways.

use slotcore::resp::{Proto, ReplyWriter};

use super::ffi::{self, State, c_int};
use super::run::Run;

/// How deep tables may be nested in a reply.
const MAX_DEPTH: usize = 1000;

/// The largest reply of a script, in bytes.
const MAX_REPLY: usize = 1 << 30;

/// Pushes the reply that starts at `at` as Lua values; gives back where it ends. The reply is one of this node's.
///
/// # Safety
/// Within a protected call, which it may leave by a jump.
pub unsafe fn push_reply(lua: State, reply: &[u8], at: usize) -> usize {
    let rest = &reply[at..];
    let line_len = rest.iter().position(|&b| b == b'\r').unwrap_or(rest.len());
    let line = &rest[1..line_len];
    let behind = at + line_len + 2;
    let number = || {
        std::str::from_utf8(line)
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
    };
    // SAFETY: by the caller's promise; the stack has room, or luaL_checkstack raises an error.
    unsafe {
        ffi::luaL_checkstack(lua, 12, c"reply nested too deeply".as_ptr());
        match rest[0] {
            b'+' => push_field(lua, c"ok", line),
            b'-' => push_field(lua, c"err", line),
            b':' => ffi::lua_pushnumber(lua, number().unwrap_or(0) as f64),
            b'$' | b'=' => {
                let Ok(len) = usize::try_from(number().unwrap_or(-1)) else {
                    ffi::lua_pushboolean(lua, 0);
                    return behind;
                };
                let bytes = &reply[behind..behind + len];
                if rest[0] == b'$' {
                    ffi::push_bytes(lua, bytes);
                } else {
                    push_verbatim(lua, bytes);
                }
                return behind + len + 2;
            }
            b'*' => {
                let Ok(len) = usize::try_from(number().unwrap_or(-1)) else {
                    ffi::lua_pushboolean(lua, 0);
                    return behind;
                };
                return push_array(lua, reply, behind, len);
            }
            b'%' | b'~' => {
                let len = usize::try_from(number().unwrap_or(0)).unwrap_or(0);
                ffi::lua_createtable(lua, 0, 1);
                let behind = push_keyed(lua, reply, behind, len, rest[0] == b'%');
                let name = if rest[0] == b'%' { c"map" } else { c"set" };
                ffi::lua_setfield(lua, -2, name.as_ptr());
                return behind;
            }
            b'_' => ffi::lua_pushnil(lua),
            b'#' => ffi::lua_pushboolean(lua, c_int::from(line == b"t")),
            b',' => {
                let text = std::str::from_utf8(line).unwrap_or("nan");
                ffi::lua_createtable(lua, 0, 1);
                ffi::set_number(lua, c"double", text.parse().unwrap_or(f64::NAN));
            }
            b'(' => push_field(lua, c"big_number", line),
            _ => ffi::lua_pushboolean(lua, 0),
        }
    }
    behind
}

/// A table of one field.
///
/// # Safety
/// As for [`push_reply`].
pub unsafe fn push_field(lua: State, name: &ffi::CStr, value: &[u8]) {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, 0, 1);
        ffi::set_string(lua, name, value);
    }
}

/// # Safety
/// As for [`push_reply`].
unsafe fn push_verbatim(lua: State, bytes: &[u8]) {
    let (format, text) = bytes.split_at_checked(4).unwrap_or((b"txt:", bytes));
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, 0, 1);
        ffi::lua_createtable(lua, 0, 2);
        ffi::set_string(lua, c"format", &format[..3]);
        ffi::set_string(lua, c"string", text);
        ffi::lua_setfield(lua, -2, c"verbatim_string".as_ptr());
    }
}

/// # Safety
/// As for [`push_reply`].
unsafe fn push_array(lua: State, reply: &[u8], mut at: usize, len: usize) -> usize {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, len.min(1 << 20) as c_int, 0);
        for i in 1..=len {
            at = push_reply(lua, reply, at);
            ffi::lua_rawseti(lua, -2, i as ffi::lua_Integer);
        }
    }
    at
}

/// # Safety
/// As for [`push_reply`].
unsafe fn push_keyed(lua: State, reply: &[u8], mut at: usize, len: usize, has_values: bool) -> usize {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, 0, len.min(1 << 20) as c_int);
        for _ in 0..len {
            at = push_reply(lua, reply, at);
            if has_values {
                at = push_reply(lua, reply, at);
            } else {
                ffi::lua_pushboolean(lua, 1);
            }
            ffi::lua_rawset(lua, -3);
        }
    }
    at
}

/// Takes the value from the top of the stack and appends it to the run's result, as a reply to the client.
///
/// # Safety
/// As for [`push_reply`].
pub unsafe fn pop_as_reply(lua: State, run: &mut Run, depth: usize) {
    // SAFETY: by the caller's promise; what is pushed is popped on every path.
    unsafe {
        if depth > MAX_DEPTH || ffi::lua_checkstack(lua, 12) == 0 {
            ffi::raise(lua, b"reached lua stack limit");
        }
        if run.result.len() > MAX_REPLY {
            ffi::raise(lua, b"the reply is larger than 1 GiB");
        }
        let mut out = ReplyWriter::new(&mut run.result, run.client_proto);
        match ffi::lua_type(lua, -1) {
            ffi::LUA_TSTRING => out.bulk(ffi::string_at(lua, -1).unwrap_or_default()),
            ffi::LUA_TBOOLEAN => match (ffi::lua_toboolean(lua, -1) != 0, run.proto) {
                (true, Proto::Resp2) => out.integer(1),
                (false, Proto::Resp2) => out.nil(),
                (value, Proto::Resp3) => out.boolean(value),
            },
            ffi::LUA_TNUMBER => out.integer(truncated(ffi::lua_tonumber(lua, -1))),
            ffi::LUA_TTABLE => return pop_table(lua, run, depth),
            _ => out.nil(),
        }
        ffi::lua_settop(lua, -2);
    }
}

/// What a C cast to a 64-bit integer gives.
fn truncated(number: f64) -> i64 {
    if number >= -(2f64.powi(63)) && number < 2f64.powi(63) {
        number as i64
    } else {
        i64::MIN
    }
}

/// # Safety
/// As for [`push_reply`].
unsafe fn pop_table(lua: State, run: &mut Run, depth: usize) {
    // SAFETY: by the caller's promise; `field` leaves one value behind, which each arm pops, with the table.
    unsafe {
        field(lua, c"err");
        if let Some(text) = ffi::string_at(lua, -1) {
            if depth == 0 {
                run.result_failed = true;
                field_below(lua, c"ignore_error_stats_update");
                run.failure_counted = ffi::lua_type(lua, -1) != ffi::LUA_TNIL;
                ffi::lua_settop(lua, -2);
            }
            ReplyWriter::new(&mut run.result, run.client_proto).error(text);
            ffi::lua_settop(lua, -3);
            return;
        }
        ffi::lua_settop(lua, -2);
        field(lua, c"ok");
        if let Some(text) = ffi::string_at(lua, -1) {
            run.result.push(b'+');
            push_one_line(&mut run.result, text);
            run.result.extend_from_slice(b"\r\n");
            ffi::lua_settop(lua, -3);
            return;
        }
        ffi::lua_settop(lua, -2);
        field(lua, c"double");
        if ffi::lua_type(lua, -1) == ffi::LUA_TNUMBER {
            let value = ffi::lua_tonumber(lua, -1);
            ReplyWriter::new(&mut run.result, run.client_proto).double(value);
            ffi::lua_settop(lua, -3);
            return;
        }
        ffi::lua_settop(lua, -2);
        for (name, has_values) in [(c"map", true), (c"set", false)] {
            field(lua, name);
            if ffi::lua_type(lua, -1) == ffi::LUA_TTABLE {
                pop_keyed(lua, run, depth, has_values);
                ffi::lua_settop(lua, -2);
                return;
            }
            ffi::lua_settop(lua, -2);
        }
        field(lua, c"big_number");
        if let Some(text) = ffi::string_at(lua, -1) {
            match run.client_proto {
                Proto::Resp3 => {
                    run.result.push(b'(');
                    push_one_line(&mut run.result, text);
                    run.result.extend_from_slice(b"\r\n");
                }
                Proto::Resp2 => {
                    ReplyWriter::new(&mut run.result, Proto::Resp2).bulk(text);
                    let end = run.result.len() - 2;
                    let start = end - text.len();
                    one_line(&mut run.result[start..end]);
                }
            }
            ffi::lua_settop(lua, -3);
            return;
        }
        ffi::lua_settop(lua, -2);
        field(lua, c"verbatim_string");
        if ffi::lua_type(lua, -1) == ffi::LUA_TTABLE {
            field(lua, c"string");
            field_below(lua, c"format");
            if let (Some(text), Some(format)) = (ffi::string_at(lua, -2), ffi::string_at(lua, -1)) {
                push_verbatim_reply(run, text, format);
                ffi::lua_settop(lua, -5);
                return;
            }
            ffi::lua_settop(lua, -3);
        }
        ffi::lua_settop(lua, -2);
        pop_array(lua, run, depth);
    }
}

fn push_verbatim_reply(run: &mut Run, text: &[u8], format: &[u8]) {
    match run.client_proto {
        Proto::Resp2 => ReplyWriter::new(&mut run.result, Proto::Resp2).bulk(text),
        Proto::Resp3 => {
            let mut three = [b' '; 3];
            let len = format.len().min(3);
            three[..len].copy_from_slice(&format[..len]);
            run.result.push(b'=');
            run.result
                .extend_from_slice(itoa::Buffer::new().format(text.len() + 4).as_bytes());
            run.result.extend_from_slice(b"\r\n");
            run.result.extend_from_slice(&three);
            run.result.push(b':');
            run.result.extend_from_slice(text);
            run.result.extend_from_slice(b"\r\n");
        }
    }
}

/// Takes the array from the top: elements up to the first nil.
///
/// # Safety
/// As for [`push_reply`].
unsafe fn pop_array(lua: State, run: &mut Run, depth: usize) {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut len = 0;
        loop {
            ffi::lua_rawgeti(lua, -1, len + 1);
            let is_end = ffi::lua_type(lua, -1) == ffi::LUA_TNIL;
            ffi::lua_settop(lua, -2);
            if is_end {
                break;
            }
            len += 1;
        }
        ReplyWriter::new(&mut run.result, run.client_proto).array(len as usize);
        for i in 1..=len {
            ffi::lua_rawgeti(lua, -1, i);
            pop_as_reply(lua, run, depth + 1);
        }
        ffi::lua_settop(lua, -2);
    }
}

/// Takes a map's or set's table from the top.
///
/// # Safety
/// As for [`push_reply`].
unsafe fn pop_keyed(lua: State, run: &mut Run, depth: usize, has_values: bool) {
    // SAFETY: by the caller's promise; keys are copied before they are converted, so lua_next finds them unchanged.
    unsafe {
        let mut len = 0;
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, -2) != 0 {
            ffi::lua_settop(lua, -2);
            len += 1;
        }
        let mut out = ReplyWriter::new(&mut run.result, run.client_proto);
        if has_values {
            out.map(len);
        } else {
            out.set(len);
        }
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, -2) != 0 {
            ffi::lua_pushvalue(lua, -2);
            pop_as_reply(lua, run, depth + 1);
            if has_values {
                pop_as_reply(lua, run, depth + 1);
            } else {
                ffi::lua_settop(lua, -2);
            }
        }
        ffi::lua_settop(lua, -2);
    }
}

/// Pushes a field of the table on the top, past its metatable.
///
/// # Safety
/// As for [`push_reply`].
unsafe fn field(lua: State, name: &ffi::CStr) {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::push_bytes(lua, name.to_bytes());
        ffi::lua_rawget(lua, -2);
    }
}

/// Pushes a field of the table below the top.
///
/// # Safety
/// As for [`push_reply`].
unsafe fn field_below(lua: State, name: &ffi::CStr) {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::push_bytes(lua, name.to_bytes());
        ffi::lua_rawget(lua, -3);
    }
}

fn push_one_line(out: &mut Vec<u8>, text: &[u8]) {
    let from = out.len();
    out.extend_from_slice(text);
    one_line(&mut out[from..]);
}

fn one_line(text: &mut [u8]) {
    for byte in text {
        if matches!(byte, b'\r' | b'\n') {
            *byte = b' ';
        }
    }
}
