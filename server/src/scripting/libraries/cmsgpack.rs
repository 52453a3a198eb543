//! The table `cmsgpack`: MessagePack from Lua values and back.

use crate::scripting::ffi::{self, State, c_int, set_function, set_string};
use crate::scripting::run::running;

/// Tables below this depth are written as nil.
const MAX_NESTING: u32 = 16;

const MISSING: &[u8] = b"Missing bytes in input.";
const BAD: &[u8] = b"Bad data format in input.";

/// Fills the table on the top.
///
/// # Safety
/// Within a protected call.
pub unsafe fn fill(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        for (name, function) in [
            (c"pack", pack as ffi::Function),
            (c"unpack", unpack),
            (c"unpack_one", unpack_one),
            (c"unpack_limit", unpack_limit),
        ] {
            set_function(lua, name, function);
        }
        set_string(lua, c"_NAME", b"cmsgpack");
        set_string(lua, c"_VERSION", b"lua-cmsgpack 0.4.0");
        set_string(lua, c"_COPYRIGHT", b"Copyright (C) 2012, Salvatore Sanfilippo");
        set_string(lua, c"_DESCRIPTION", b"MessagePack C implementation for Lua");
    }
}

unsafe extern "C-unwind" fn pack(lua: State) -> c_int {
    // SAFETY: called by Lua; the buffer is the run's.
    unsafe {
        let count = ffi::lua_gettop(lua);
        if count == 0 {
            ffi::luaL_argerror(lua, 0, c"MessagePack pack needs input.".as_ptr());
        }
        let Some(run) = running().as_mut() else {
            ffi::raise_here(lua, b"cmsgpack can only be used inside a script invocation");
        };
        run.text.clear();
        for at in 1..=count {
            ffi::luaL_checkstack(lua, 12, c"in function mp_pack".as_ptr());
            ffi::lua_pushvalue(lua, at);
            pack_top(lua, &mut run.text, 0);
        }
        ffi::push_bytes(lua, &run.text);
    }
    1
}

/// Appends the value on the top, and takes it away.
///
/// # Safety
/// Called by Lua; may jump.
unsafe fn pack_top(lua: State, out: &mut Vec<u8>, level: u32) {
    // SAFETY: by the caller's promise.
    unsafe {
        match ffi::lua_type(lua, -1) {
            ffi::LUA_TSTRING => {
                let text = ffi::string_at(lua, -1).unwrap_or_default();
                push_text(out, text);
            }
            ffi::LUA_TBOOLEAN => out.push(0xc2 + ffi::lua_toboolean(lua, -1) as u8),
            ffi::LUA_TNUMBER => push_number(out, ffi::lua_tonumber(lua, -1)),
            ffi::LUA_TTABLE if level < MAX_NESTING => pack_table(lua, out, level),
            _ => out.push(0xc0),
        }
        ffi::lua_settop(lua, -2);
    }
}

fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    match text.len() {
        len @ 0..32 => out.push(0xa0 | len as u8),
        len @ 32..0x100 => out.extend_from_slice(&[0xd9, len as u8]),
        len => push_len(out, 0xda, len),
    }
    out.extend_from_slice(text);
}

/// A length of 16 bits behind this byte, or of 32 behind the next.
fn push_len(out: &mut Vec<u8>, mark: u8, len: usize) {
    if let Ok(len) = u16::try_from(len) {
        out.push(mark);
        out.extend_from_slice(&len.to_be_bytes());
    } else {
        out.push(mark + 1);
        out.extend_from_slice(&(len as u32).to_be_bytes());
    }
}

fn push_number(out: &mut Vec<u8>, number: f64) {
    let bound = 2f64.powi(63);
    if number.trunc() != number || !(-bound..bound).contains(&number) {
        let short = number as f32;
        if f64::from(short) == number {
            out.push(0xca);
            out.extend_from_slice(&short.to_be_bytes());
        } else {
            out.push(0xcb);
            out.extend_from_slice(&number.to_be_bytes());
        }
        return;
    }
    let number = number as i64;
    let bytes = number.to_be_bytes();
    match number {
        -32..128 => out.push(bytes[7]),
        128..0x100 => out.extend_from_slice(&[0xcc, bytes[7]]),
        0x100..0x1_0000 => push_marked(out, 0xcd, &bytes[6..]),
        0x1_0000..0x1_0000_0000 => push_marked(out, 0xce, &bytes[4..]),
        0x1_0000_0000.. => push_marked(out, 0xcf, &bytes),
        -128..-32 => out.extend_from_slice(&[0xd0, bytes[7]]),
        -0x8000..-128 => push_marked(out, 0xd1, &bytes[6..]),
        -0x8000_0000..-0x8000 => push_marked(out, 0xd2, &bytes[4..]),
        _ => push_marked(out, 0xd3, &bytes),
    }
}

fn push_marked(out: &mut Vec<u8>, mark: u8, bytes: &[u8]) {
    out.push(mark);
    out.extend_from_slice(bytes);
}

/// # Safety
/// Called by Lua; may jump.
unsafe fn pack_table(lua: State, out: &mut Vec<u8>, level: u32) {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::luaL_checkstack(lua, 12, c"in function table_is_an_array".as_ptr());
        let (mut max, mut count, mut is_array) = (0.0f64, 0usize, true);
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, -2) != 0 {
            let key = ffi::lua_tonumber(lua, -2);
            is_array &= ffi::lua_type(lua, -2) == ffi::LUA_TNUMBER && key > 0.0 && key.trunc() == key;
            max = max.max(key);
            count += 1;
            ffi::lua_settop(lua, -2);
        }
        if is_array && max == count as f64 {
            if count < 16 {
                out.push(0x90 | count as u8);
            } else {
                push_len(out, 0xdc, count);
            }
            for i in 1..=count {
                ffi::lua_rawgeti(lua, -1, i as ffi::lua_Integer);
                pack_top(lua, out, level + 1);
            }
            return;
        }
        if count < 16 {
            out.push(0x80 | count as u8);
        } else {
            push_len(out, 0xde, count);
        }
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, -2) != 0 {
            ffi::lua_pushvalue(lua, -2);
            pack_top(lua, out, level + 1);
            pack_top(lua, out, level + 1);
        }
    }
}

unsafe extern "C-unwind" fn unpack(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe { unpack_some(lua, 0, 0) }
}

unsafe extern "C-unwind" fn unpack_one(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        let offset = ffi::luaL_optinteger(lua, 2, 0) as i32;
        ffi::lua_settop(lua, 1);
        unpack_some(lua, 1, offset)
    }
}

unsafe extern "C-unwind" fn unpack_limit(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        let limit = ffi::luaL_checkinteger(lua, 2) as i32;
        let offset = ffi::luaL_optinteger(lua, 3, 0) as i32;
        ffi::lua_settop(lua, 1);
        unpack_some(lua, limit, offset)
    }
}

/// # Safety
/// Called by Lua; may jump.
unsafe fn unpack_some(lua: State, limit: i32, offset: i32) -> c_int {
    // SAFETY: by the caller's promise; the text stays on the stack as the first argument.
    unsafe {
        let mut len = 0;
        let start = ffi::luaL_checklstring(lua, 1, &raw mut len);
        let text = std::slice::from_raw_parts(start.cast::<u8>(), len);
        let from = match usize::try_from(offset) {
            Ok(from) if limit >= 0 => from,
            _ => {
                ffi::luaL_error(
                    lua,
                    c"Invalid request to unpack with offset of %d and limit of %d.".as_ptr(),
                    offset,
                    len as c_int,
                );
                return 0;
            }
        };
        if from > len {
            ffi::luaL_error(
                lua,
                c"Start offset %d greater than input length %d.".as_ptr(),
                offset,
                len as c_int,
            );
            return 0;
        }
        let takes_all = limit == 0 && offset == 0;
        let limit = if takes_all { i32::MAX } else { limit };
        let mut rest = &text[from..];
        let mut count = 0;
        while count < limit && !rest.is_empty() {
            ffi::luaL_checkstack(lua, 12, c"too many return values".as_ptr());
            unpack_value(lua, &mut rest);
            count += 1;
        }
        if !takes_all {
            let next = if rest.is_empty() {
                -1.0
            } else {
                (len - rest.len()) as f64
            };
            ffi::lua_pushnumber(lua, next);
            ffi::lua_insert(lua, 2);
            count += 1;
        }
        count
    }
}

/// Takes so many bytes from the front.
///
/// # Safety
/// Called by Lua; may jump.
unsafe fn take<'a>(lua: State, rest: &mut &'a [u8], len: usize) -> &'a [u8] {
    match rest.split_at_checked(len) {
        Some((front, back)) => {
            *rest = back;
            front
        }
        // SAFETY: by the caller's promise.
        None => unsafe { ffi::raise_here(lua, MISSING) },
    }
}

/// A big-endian number of so many bytes.
///
/// # Safety
/// Called by Lua; may jump.
unsafe fn take_number(lua: State, rest: &mut &[u8], len: usize) -> u64 {
    // SAFETY: by the caller's promise.
    let bytes = unsafe { take(lua, rest, len) };
    bytes
        .iter()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// Pushes the value at the front.
///
/// # Safety
/// Called by Lua; may jump.
unsafe fn unpack_value(lua: State, rest: &mut &[u8]) {
    // SAFETY: by the caller's promise.
    unsafe {
        let mark = take(lua, rest, 1)[0];
        match mark {
            0x00..=0x7f => ffi::lua_pushnumber(lua, f64::from(mark)),
            0xe0.. => ffi::lua_pushnumber(lua, f64::from(mark as i8)),
            0x80..=0x8f => unpack_map(lua, rest, u64::from(mark & 15)),
            0x90..=0x9f => unpack_array(lua, rest, u64::from(mark & 15)),
            0xa0..=0xbf => ffi::push_bytes(lua, take(lua, rest, usize::from(mark & 31))),
            0xc0 => ffi::lua_pushnil(lua),
            0xc2 | 0xc3 => ffi::lua_pushboolean(lua, c_int::from(mark == 0xc3)),
            0xca => {
                let bits = take_number(lua, rest, 4) as u32;
                ffi::lua_pushnumber(lua, f64::from(f32::from_bits(bits)));
            }
            0xcb => {
                let bits = take_number(lua, rest, 8);
                ffi::lua_pushnumber(lua, f64::from_bits(bits));
            }
            // Eight bytes are signed whatever the mark says.
            0xcc..=0xcf => {
                let number = take_number(lua, rest, 1 << (mark - 0xcc));
                ffi::lua_pushnumber(lua, number as i64 as f64);
            }
            0xd0..=0xd3 => {
                let len = 1 << (mark - 0xd0);
                let unused = 64 - 8 * len as u32;
                let number = (take_number(lua, rest, len) << unused) as i64 >> unused;
                ffi::lua_pushnumber(lua, number as f64);
            }
            0xd9..=0xdb => {
                let len = take_number(lua, rest, 1 << (mark - 0xd9)) as usize;
                ffi::push_bytes(lua, take(lua, rest, len));
            }
            0xdc | 0xdd => {
                let len = take_number(lua, rest, 2 << (mark - 0xdc));
                unpack_array(lua, rest, len);
            }
            0xde | 0xdf => {
                let len = take_number(lua, rest, 2 << (mark - 0xde));
                unpack_map(lua, rest, len);
            }
            _ => ffi::raise_here(lua, BAD),
        }
    }
}

/// # Safety
/// Called by Lua; may jump.
unsafe fn unpack_array(lua: State, rest: &mut &[u8], len: u64) {
    // SAFETY: by the caller's promise. An element takes a byte at least, so a false length ends at the end of the text.
    unsafe {
        ffi::luaL_checkstack(lua, 12, c"in function mp_decode_to_lua_array".as_ptr());
        ffi::lua_createtable(lua, 0, 0);
        for i in 1..=len {
            unpack_value(lua, rest);
            ffi::lua_rawseti(lua, -2, i as ffi::lua_Integer);
        }
    }
}

/// # Safety
/// Called by Lua; may jump.
unsafe fn unpack_map(lua: State, rest: &mut &[u8], len: u64) {
    // SAFETY: by the caller's promise; as for arrays.
    unsafe {
        ffi::luaL_checkstack(lua, 12, c"in function mp_decode_to_lua_hash".as_ptr());
        ffi::lua_createtable(lua, 0, 0);
        for _ in 0..len {
            unpack_value(lua, rest);
            unpack_value(lua, rest);
            ffi::lua_rawset(lua, -3);
        }
    }
}
