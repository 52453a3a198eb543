//! cjson.encode.

use super::{Invalid, MAX_DEPTH, Settings, settings};
use crate::scripting::ffi::{self, State, c_int};
use crate::scripting::libraries::number;
use crate::scripting::run::{Run, running};

/// The text that may come of one value.
const MAX_TEXT: usize = 512 << 20;

pub(super) unsafe extern "C-unwind" fn encode(lua: State) -> c_int {
    // SAFETY: called by Lua; the buffer is the run's, or the thread's while there is none.
    unsafe {
        if ffi::lua_gettop(lua) != 1 {
            ffi::luaL_argerror(lua, 1, c"expected 1 argument".as_ptr());
        }
        let Some(run) = running().as_mut() else {
            ffi::raise_here(lua, b"cjson can only be used inside a script invocation");
        };
        run.text.clear();
        append(lua, run, &settings(), 0);
        ffi::push_bytes(lua, &run.text);
    }
    1
}

/// Appends the value on the top, and leaves it there.
///
/// # Safety
/// Called by Lua; may jump.
unsafe fn append(lua: State, run: &mut Run, settings: &Settings, depth: i32) {
    // SAFETY: by the caller's promise.
    unsafe {
        if run.text.len() > MAX_TEXT {
            ffi::raise_here(lua, b"Cannot serialise: the text is larger than 512 MiB");
        }
        match ffi::lua_type(lua, -1) {
            ffi::LUA_TSTRING => push_text(&mut run.text, ffi::string_at(lua, -1).unwrap_or_default()),
            ffi::LUA_TNUMBER => append_number(lua, run, settings),
            ffi::LUA_TBOOLEAN => {
                let text: &[u8] = if ffi::lua_toboolean(lua, -1) != 0 {
                    b"true"
                } else {
                    b"false"
                };
                run.text.extend_from_slice(text);
            }
            ffi::LUA_TTABLE => append_table(lua, run, settings, depth + 1),
            ffi::LUA_TNIL => run.text.extend_from_slice(b"null"),
            ffi::LUA_TLIGHTUSERDATA if ffi::lua_touserdata(lua, -1).is_null() => {
                run.text.extend_from_slice(b"null");
            }
            _ => refuse(lua, c"type not supported"),
        }
    }
}

/// Says that the value on the top cannot be written.
///
/// # Safety
/// Called by Lua; jumps.
unsafe fn refuse(lua: State, reason: &ffi::CStr) -> ! {
    // SAFETY: by the caller's promise.
    unsafe {
        let kind = ffi::lua_typename(lua, ffi::lua_type(lua, -1));
        ffi::luaL_where(lua, 1);
        ffi::push_bytes(lua, b"Cannot serialise ");
        ffi::lua_pushstring(lua, kind);
        ffi::push_bytes(lua, b": ");
        ffi::push_bytes(lua, reason.to_bytes());
        ffi::lua_concat(lua, 5);
        ffi::lua_error(lua)
    }
}

/// # Safety
/// Called by Lua; may jump.
unsafe fn append_number(lua: State, run: &mut Run, settings: &Settings) {
    // SAFETY: by the caller's promise.
    let value = unsafe { ffi::lua_tonumber(lua, -1) };
    if !value.is_finite() {
        match settings.encode_invalid {
            // SAFETY: by the caller's promise.
            Invalid::Refuse => unsafe { refuse(lua, c"must not be NaN or Inf") },
            Invalid::Null => return run.text.extend_from_slice(b"null"),
            Invalid::AsTheyAre if value.is_nan() => return run.text.extend_from_slice(b"nan"),
            Invalid::AsTheyAre => {}
        }
    }
    number::push_general(&mut run.text, value, settings.precision);
}

/// # Safety
/// Called by Lua; may jump.
unsafe fn append_table(lua: State, run: &mut Run, settings: &Settings, depth: i32) {
    // SAFETY: by the caller's promise.
    unsafe {
        if depth > settings.encode_depth.min(MAX_DEPTH) || ffi::lua_checkstack(lua, 12) == 0 {
            ffi::luaL_where(lua, 1);
            ffi::push_bytes(lua, b"Cannot serialise, excessive nesting (");
            ffi::lua_pushnumber(lua, f64::from(depth));
            ffi::push_bytes(lua, b")");
            ffi::lua_concat(lua, 4);
            ffi::lua_error(lua);
        }
        match array_len(lua, settings) {
            Some(len) if len > 0 => {
                run.text.push(b'[');
                for i in 1..=len {
                    if i > 1 {
                        run.text.push(b',');
                    }
                    ffi::lua_rawgeti(lua, -1, i);
                    append(lua, run, settings, depth);
                    ffi::lua_settop(lua, -2);
                }
                run.text.push(b']');
            }
            _ => append_object(lua, run, settings, depth),
        }
    }
}

/// The length of the table on the top, if it is an array: its keys are positive integers, and enough of them are there.
///
/// # Safety
/// Called by Lua; may jump.
unsafe fn array_len(lua: State, settings: &Settings) -> Option<ffi::lua_Integer> {
    let (mut max, mut items) = (0.0f64, 0.0f64);
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, -2) != 0 {
            let key = ffi::lua_tonumber(lua, -2);
            if ffi::lua_type(lua, -2) != ffi::LUA_TNUMBER || key.floor() != key || key < 1.0 {
                ffi::lua_settop(lua, -3);
                return None;
            }
            max = max.max(key);
            items += 1.0;
            ffi::lua_settop(lua, -2);
        }
        let (ratio, safe) = (f64::from(settings.sparse_ratio), f64::from(settings.sparse_safe));
        if ratio > 0.0 && max > items * ratio && max > safe {
            if !settings.sparse_convert {
                refuse(lua, c"excessively sparse array");
            }
            return None;
        }
    }
    Some(max as ffi::lua_Integer)
}

/// # Safety
/// Called by Lua; may jump.
unsafe fn append_object(lua: State, run: &mut Run, settings: &Settings, depth: i32) {
    run.text.push(b'{');
    let mut is_first = true;
    // SAFETY: by the caller's promise; numbers as keys are formatted here, so that lua_next finds them unchanged.
    unsafe {
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, -2) != 0 {
            if !std::mem::take(&mut is_first) {
                run.text.push(b',');
            }
            match ffi::lua_type(lua, -2) {
                ffi::LUA_TNUMBER => {
                    ffi::lua_pushvalue(lua, -2);
                    run.text.push(b'"');
                    append_number(lua, run, settings);
                    run.text.extend_from_slice(b"\":");
                    ffi::lua_settop(lua, -2);
                }
                ffi::LUA_TSTRING => {
                    push_text(&mut run.text, ffi::string_at(lua, -2).unwrap_or_default());
                    run.text.push(b':');
                }
                _ => {
                    ffi::lua_pushvalue(lua, -2);
                    refuse(lua, c"table key must be a number or string");
                }
            }
            append(lua, run, settings, depth);
            ffi::lua_settop(lua, -2);
        }
    }
    run.text.push(b'}');
}

fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    for &byte in text {
        let short = match byte {
            b'"' | b'\\' | b'/' => byte,
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            0..0x20 | 0x7f => {
                out.extend_from_slice(b"\\u00");
                out.push(b"0123456789abcdef"[usize::from(byte >> 4)]);
                out.push(b"0123456789abcdef"[usize::from(byte & 15)]);
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.push(b'"');
}
