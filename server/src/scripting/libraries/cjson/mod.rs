//! The table `cjson`: JSON from Lua values and back, with the settings that lua-cjson 2.1 has.

mod decode;
mod encode;

use std::cell::RefCell;

use crate::scripting::ffi::{self, CStr, State, c_int, set_function, set_string};

/// What becomes of numbers that JSON does not have, when they are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Invalid {
    Refuse,
    AsTheyAre,
    Null,
}

/// The settings, which stay as scripts leave them.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub sparse_convert: bool,
    pub sparse_ratio: i32,
    pub sparse_safe: i32,
    pub encode_depth: i32,
    pub decode_depth: i32,
    pub encode_invalid: Invalid,
    pub decode_invalid: bool,
    pub precision: i32,
    pub keep_buffer: bool,
}

const DEFAULTS: Settings = Settings {
    sparse_convert: false,
    sparse_ratio: 2,
    sparse_safe: 10,
    encode_depth: 1000,
    decode_depth: 1000,
    encode_invalid: Invalid::Refuse,
    decode_invalid: true,
    precision: 14,
    keep_buffer: true,
};

/// How deep values may be nested whatever the settings say: the decoder and the encoder call themselves.
pub(super) const MAX_DEPTH: i32 = 2000;

thread_local! {
    static SETTINGS: RefCell<Settings> = const { RefCell::new(DEFAULTS) };
}

/// The settings of this thread's scripts.
pub(super) fn settings() -> Settings {
    SETTINGS.with_borrow(|settings| *settings)
}

fn change(with: impl FnOnce(&mut Settings)) -> Settings {
    SETTINGS.with_borrow_mut(|settings| {
        with(settings);
        *settings
    })
}

/// Fills the table on the top. Settings are those of a fresh state.
///
/// # Safety
/// Within a protected call.
pub unsafe fn fill(lua: State) {
    change(|settings| *settings = DEFAULTS);
    // SAFETY: by the caller's promise.
    unsafe { fill_table(lua) };
}

/// # Safety
/// Within a protected call.
unsafe fn fill_table(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        for (name, function) in [
            (c"encode", encode::encode as ffi::Function),
            (c"decode", decode::decode),
            (c"encode_sparse_array", encode_sparse_array),
            (c"encode_max_depth", encode_max_depth),
            (c"decode_max_depth", decode_max_depth),
            (c"encode_number_precision", encode_number_precision),
            (c"encode_keep_buffer", encode_keep_buffer),
            (c"encode_invalid_numbers", encode_invalid_numbers),
            (c"decode_invalid_numbers", decode_invalid_numbers),
            (c"new", new),
        ] {
            set_function(lua, name, function);
        }
        ffi::lua_pushlightuserdata(lua, std::ptr::null_mut());
        ffi::lua_setfield(lua, -2, c"null".as_ptr());
        set_string(lua, c"_NAME", b"cjson");
        set_string(lua, c"_VERSION", b"2.1.0");
    }
}

/// Another such table; the settings are shared.
unsafe extern "C-unwind" fn new(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        ffi::lua_createtable(lua, 0, 16);
        fill_table(lua);
    }
    1
}

/// Fills up missing arguments, and refuses more than so many.
///
/// # Safety
/// Called by Lua; may jump.
unsafe fn take_args(lua: State, count: c_int) {
    // SAFETY: by the caller's promise.
    unsafe {
        if ffi::lua_gettop(lua) > count {
            ffi::luaL_argerror(lua, count + 1, c"found too many arguments".as_ptr());
        }
        while ffi::lua_gettop(lua) < count {
            ffi::lua_pushnil(lua);
        }
    }
}

/// An argument that may be nil, else an integer within bounds.
///
/// # Safety
/// Called by Lua; may jump.
unsafe fn integer_option(lua: State, at: c_int, low: i32, high: i32, message: &CStr) -> Option<i32> {
    // SAFETY: by the caller's promise.
    unsafe {
        if ffi::lua_type(lua, at) == ffi::LUA_TNIL {
            return None;
        }
        let value = ffi::luaL_checkinteger(lua, at) as i32;
        if !(low..=high).contains(&value) {
            ffi::luaL_argerror(lua, at, message.as_ptr());
        }
        Some(value)
    }
}

/// An argument that may be nil, else a truth value or one of the words `off` and `on`.
///
/// # Safety
/// Called by Lua; may jump.
unsafe fn switch_option(lua: State, at: c_int) -> Option<bool> {
    // SAFETY: by the caller's promise; the list of words ends in a null pointer.
    unsafe {
        match ffi::lua_type(lua, at) {
            ffi::LUA_TNIL => None,
            ffi::LUA_TBOOLEAN => Some(ffi::lua_toboolean(lua, at) != 0),
            _ => {
                let words = [c"off".as_ptr(), c"on".as_ptr(), std::ptr::null()];
                Some(ffi::luaL_checkoption(lua, at, std::ptr::null(), words.as_ptr()) == 1)
            }
        }
    }
}

const ANY_POSITIVE: &CStr = c"expected integer between 1 and 2147483647";

unsafe extern "C-unwind" fn encode_sparse_array(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        take_args(lua, 3);
        let convert = switch_option(lua, 1);
        let ratio = integer_option(lua, 2, 0, i32::MAX, c"expected integer between 0 and 2147483647");
        let safe = integer_option(lua, 3, 0, i32::MAX, c"expected integer between 0 and 2147483647");
        let now = change(|settings| {
            settings.sparse_convert = convert.unwrap_or(settings.sparse_convert);
            settings.sparse_ratio = ratio.unwrap_or(settings.sparse_ratio);
            settings.sparse_safe = safe.unwrap_or(settings.sparse_safe);
        });
        ffi::lua_pushboolean(lua, c_int::from(now.sparse_convert));
        ffi::lua_pushnumber(lua, f64::from(now.sparse_ratio));
        ffi::lua_pushnumber(lua, f64::from(now.sparse_safe));
        3
    }
}

unsafe extern "C-unwind" fn encode_max_depth(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        take_args(lua, 1);
        let depth = integer_option(lua, 1, 1, i32::MAX, ANY_POSITIVE);
        let now = change(|settings| settings.encode_depth = depth.unwrap_or(settings.encode_depth));
        ffi::lua_pushnumber(lua, f64::from(now.encode_depth));
        1
    }
}

unsafe extern "C-unwind" fn decode_max_depth(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        take_args(lua, 1);
        let depth = integer_option(lua, 1, 1, i32::MAX, ANY_POSITIVE);
        let now = change(|settings| settings.decode_depth = depth.unwrap_or(settings.decode_depth));
        ffi::lua_pushnumber(lua, f64::from(now.decode_depth));
        1
    }
}

unsafe extern "C-unwind" fn encode_number_precision(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        take_args(lua, 1);
        let precision = integer_option(lua, 1, 1, 14, c"expected integer between 1 and 14");
        let now = change(|settings| settings.precision = precision.unwrap_or(settings.precision));
        ffi::lua_pushnumber(lua, f64::from(now.precision));
        1
    }
}

/// Whether the buffer is kept changes nothing here but what this function answers.
unsafe extern "C-unwind" fn encode_keep_buffer(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        take_args(lua, 1);
        let keep = switch_option(lua, 1);
        let now = change(|settings| settings.keep_buffer = keep.unwrap_or(settings.keep_buffer));
        ffi::lua_pushboolean(lua, c_int::from(now.keep_buffer));
        1
    }
}

unsafe extern "C-unwind" fn encode_invalid_numbers(lua: State) -> c_int {
    // SAFETY: called by Lua; the list of words ends in a null pointer.
    unsafe {
        take_args(lua, 1);
        let chosen = match ffi::lua_type(lua, 1) {
            ffi::LUA_TNIL => None,
            ffi::LUA_TBOOLEAN => Some(ffi::lua_toboolean(lua, 1)),
            _ => {
                let words = [
                    c"off".as_ptr(),
                    c"on".as_ptr(),
                    c"null".as_ptr(),
                    std::ptr::null(),
                ];
                Some(ffi::luaL_checkoption(lua, 1, std::ptr::null(), words.as_ptr()))
            }
        };
        let now = change(|settings| {
            settings.encode_invalid = match chosen {
                None => settings.encode_invalid,
                Some(0) => Invalid::Refuse,
                Some(1) => Invalid::AsTheyAre,
                Some(_) => Invalid::Null,
            }
        });
        match now.encode_invalid {
            Invalid::Null => ffi::push_bytes(lua, b"null"),
            other => ffi::lua_pushboolean(lua, c_int::from(other == Invalid::AsTheyAre)),
        }
        1
    }
}

unsafe extern "C-unwind" fn decode_invalid_numbers(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        take_args(lua, 1);
        let on = switch_option(lua, 1);
        let now = change(|settings| settings.decode_invalid = on.unwrap_or(settings.decode_invalid));
        ffi::lua_pushboolean(lua, c_int::from(now.decode_invalid));
        1
    }
}
