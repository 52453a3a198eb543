//! Functions of Lua's standard library that know of facades, in the place of those that go past metatables.

use super::ffi::{self, CStr, Function, State, c_int, set_function};
use super::run::running;
use super::sandbox::{self, describe_error, field_of, push_real};
use super::{api, interpreter};

const READ_ONLY: &[u8] = b"Attempt to modify a readonly table";

/// Puts functions that know of facades in the place of those that do not, into the globals on the top.
///
/// # Safety
/// Within a protected call.
pub unsafe fn replace_basics(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        for (name, function) in [
            (c"getmetatable", get_metatable as Function),
            (c"setmetatable", set_metatable),
            (c"rawget", raw_get),
            (c"rawset", raw_set),
            (c"next", next),
            (c"pcall", protected_call),
            (c"loadstring", load_string),
            (c"load", load),
            (c"__redis__err__handler", describe_error),
        ] {
            set_function(lua, name, function);
        }
        ffi::lua_getfield(lua, -1, c"next".as_ptr());
        ffi::lua_pushcclosure(lua, pairs, 1);
        ffi::lua_setfield(lua, -2, c"pairs".as_ptr());
    }
}

unsafe extern "C-unwind" fn get_metatable(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        ffi::luaL_checkany(lua, 1);
        let is_text = ffi::lua_type(lua, 1) == ffi::LUA_TSTRING;
        if is_text || push_real(lua, 1) {
            sandbox::push_shown_metatable(lua, is_text);
            return 1;
        }
        if ffi::lua_getmetatable(lua, 1) == 0 {
            ffi::lua_pushnil(lua);
            return 1;
        }
        ffi::luaL_getmetafield_(lua, 1, c"__metatable".as_ptr());
        1
    }
}

unsafe extern "C-unwind" fn set_metatable(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        let kind = ffi::lua_type(lua, 2);
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        if kind != ffi::LUA_TNIL && kind != ffi::LUA_TTABLE {
            ffi::luaL_argerror(lua, 2, c"nil or table expected".as_ptr());
        }
        if push_real(lua, 1) {
            ffi::raise(lua, READ_ONLY);
        }
        if ffi::luaL_getmetafield_(lua, 1, c"__metatable".as_ptr()) != 0 {
            ffi::raise_here(lua, b"cannot change a protected metatable");
        }
        ffi::lua_settop(lua, 2);
        ffi::lua_setmetatable(lua, 1);
        1
    }
}

unsafe extern "C-unwind" fn raw_get(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        ffi::luaL_checkany(lua, 2);
        ffi::lua_settop(lua, 2);
        if push_real(lua, 1) {
            ffi::lua_replace(lua, 1);
        }
        ffi::lua_rawget(lua, 1);
        1
    }
}

unsafe extern "C-unwind" fn raw_set(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        ffi::luaL_checkany(lua, 2);
        ffi::luaL_checkany(lua, 3);
        ffi::lua_settop(lua, 3);
        if push_real(lua, 1) {
            ffi::raise(lua, READ_ONLY);
        }
        ffi::lua_rawset(lua, 1);
        1
    }
}

unsafe extern "C-unwind" fn next(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        ffi::lua_settop(lua, 2);
        if push_real(lua, 1) {
            ffi::lua_replace(lua, 1);
        }
        if ffi::lua_next(lua, 1) != 0 {
            return 2;
        }
        ffi::lua_pushnil(lua);
        1
    }
}

unsafe extern "C-unwind" fn pairs(lua: State) -> c_int {
    // SAFETY: called by Lua; the upvalue is `next`.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TTABLE);
        ffi::lua_pushvalue(lua, ffi::lua_upvalueindex(1));
        ffi::lua_pushvalue(lua, 1);
        ffi::lua_pushnil(lua);
        3
    }
}

/// pcall: an error table of a command becomes its text, as scripts from before 7.0 expect.
unsafe extern "C-unwind" fn protected_call(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        ffi::luaL_checkany(lua, 1);
        let status = ffi::lua_pcall(lua, ffi::lua_gettop(lua) - 1, ffi::LUA_MULTRET, 0);
        ffi::lua_pushboolean(lua, c_int::from(status == ffi::LUA_OK));
        ffi::lua_insert(lua, 1);
        if let Some(run) = running().as_ref() {
            interpreter::stop_if_aborted(lua, run);
        }
        if status != ffi::LUA_OK && ffi::lua_type(lua, -1) == ffi::LUA_TTABLE {
            let table = ffi::lua_gettop(lua);
            field_of(lua, table, c"err");
            if ffi::lua_type(lua, -1) == ffi::LUA_TSTRING {
                ffi::lua_replace(lua, table);
            } else {
                ffi::lua_settop(lua, table);
            }
        }
        ffi::lua_gettop(lua)
    }
}

unsafe extern "C-unwind" fn load_string(lua: State) -> c_int {
    // SAFETY: called by Lua; strings stay on the stack, and end in a zero byte.
    unsafe {
        let mut len = 0;
        let code = ffi::luaL_checklstring(lua, 1, &raw mut len);
        let name = ffi::luaL_optlstring(lua, 2, code, std::ptr::null_mut());
        let code = std::slice::from_raw_parts(code.cast(), len);
        push_loaded(lua, code, CStr::from_ptr(name))
    }
}

/// load: joins the pieces that the function gives, and compiles them.
unsafe extern "C-unwind" fn load(lua: State) -> c_int {
    // SAFETY: called by Lua; pieces are joined on the stack.
    unsafe {
        ffi::luaL_checktype(lua, 1, ffi::LUA_TFUNCTION);
        let name = ffi::luaL_optlstring(lua, 2, c"=(load)".as_ptr(), std::ptr::null_mut());
        ffi::lua_settop(lua, 2);
        ffi::push_bytes(lua, b"");
        loop {
            ffi::lua_pushvalue(lua, 1);
            ffi::lua_call(lua, 0, 1);
            match ffi::lua_type(lua, -1) {
                ffi::LUA_TNIL => break,
                ffi::LUA_TSTRING | ffi::LUA_TNUMBER => {}
                _ => {
                    ffi::lua_pushnil(lua);
                    ffi::push_bytes(lua, b"reader function must return a string");
                    return 2;
                }
            }
            if ffi::string_at(lua, -1) == Some(b"") {
                break;
            }
            ffi::lua_concat(lua, 2);
        }
        ffi::lua_settop(lua, 3);
        let code = ffi::string_at(lua, 3).unwrap_or_default();
        push_loaded(lua, code, CStr::from_ptr(name))
    }
}

/// # Safety
/// Within a protected call.
unsafe fn push_loaded(lua: State, code: &[u8], name: &CStr) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe {
        if interpreter::load(lua, code, name.to_bytes_with_nul()) {
            return 1;
        }
        ffi::lua_pushnil(lua);
        ffi::lua_insert(lua, -2);
        2
    }
}

/// A function of the table library, before which the table is looked at.
macro_rules! guarded {
    ($name:ident, $original:ident) => {
        unsafe extern "C-unwind" fn $name(lua: State) -> c_int {
            // SAFETY: called by Lua; the original is a function without upvalues, set before the first script.
            unsafe {
                if push_real(lua, 1) {
                    ffi::raise(lua, READ_ONLY);
                }
                match $original.get() {
                    Some(original) => original(lua),
                    None => 0,
                }
            }
        }
        static $original: std::sync::OnceLock<ffi::lua_CFunction> = std::sync::OnceLock::new();
    };
}

guarded!(table_insert, TABLE_INSERT);
guarded!(table_remove, TABLE_REMOVE);
guarded!(table_sort, TABLE_SORT);

/// # Safety
/// Within a protected call, with the globals on the top.
pub unsafe fn replace_table_functions(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::lua_getfield(lua, -1, c"table".as_ptr());
        for (name, function, original) in [
            (c"insert", table_insert as Function, &TABLE_INSERT),
            (c"remove", table_remove, &TABLE_REMOVE),
            (c"sort", table_sort, &TABLE_SORT),
        ] {
            ffi::lua_getfield(lua, -1, name.as_ptr());
            if let Some(found) = ffi::lua_tocfunction(lua, -1) {
                original.get_or_init(|| found);
            }
            ffi::lua_settop(lua, -2);
            set_function(lua, name, function);
        }
        ffi::lua_settop(lua, -2);
    }
}

/// # Safety
/// Within a protected call, with the globals on the top.
pub unsafe fn replace_random(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::lua_getfield(lua, -1, c"math".as_ptr());
        set_function(lua, c"random", api::random);
        set_function(lua, c"randomseed", api::random_seed);
        ffi::lua_settop(lua, -2);
    }
}
