//! The few shapes in which this folder calls Lua. All functions here must be called with a valid state, and those that
//! say so may leave by a jump to the nearest protected call.

pub use mlua_sys::*;

pub type State = *mut lua_State;
pub type Function = unsafe extern "C-unwind" fn(State) -> c_int;
pub use std::ffi::{CStr, c_int, c_void};

/// Pushes a string. May jump: out of memory.
///
/// # Safety
/// `lua` is a state with a free stack slot.
pub unsafe fn push_bytes(lua: State, bytes: &[u8]) {
    // SAFETY: the pointer and the length are of one slice, which Lua copies.
    unsafe { lua_pushlstring(lua, bytes.as_ptr().cast(), bytes.len()) };
}

/// The bytes of a string on the stack, for as long as it is there; `None` for any other type, numbers included.
///
/// # Safety
/// `lua` is a state, `at` an acceptable index; the slice is not used after the string has left the stack.
pub unsafe fn string_at<'a>(lua: State, at: c_int) -> Option<&'a [u8]> {
    // SAFETY: of a string, lua_tolstring gives its own bytes, which do not move while it is on the stack.
    unsafe {
        if lua_type(lua, at) != LUA_TSTRING {
            return None;
        }
        let mut len = 0;
        let start = lua_tolstring(lua, at, &raw mut len);
        Some(std::slice::from_raw_parts(start.cast(), len))
    }
}

/// Raises a string as an error, as it is. Never returns, and drops nothing of the caller's.
///
/// # Safety
/// `lua` is a state within a protected call.
pub unsafe fn raise(lua: State, text: &[u8]) -> ! {
    // SAFETY: by the caller's promise.
    unsafe {
        push_bytes(lua, text);
        lua_error(lua)
    }
}

/// The same with the place of the calling Lua code before it.
///
/// # Safety
/// As for [`raise`].
pub unsafe fn raise_here(lua: State, text: &[u8]) -> ! {
    // SAFETY: by the caller's promise.
    unsafe {
        luaL_where(lua, 1);
        push_bytes(lua, text);
        lua_concat(lua, 2);
        lua_error(lua)
    }
}

/// Sets a field of the table on the top to a function.
///
/// # Safety
/// `lua` is a state within a protected call, with a table on its top.
pub unsafe fn set_function(lua: State, name: &CStr, function: Function) {
    // SAFETY: by the caller's promise.
    unsafe {
        lua_pushcclosure(lua, function, 0);
        lua_setfield(lua, -2, name.as_ptr());
    }
}

/// Sets a field of the table on the top to a number.
///
/// # Safety
/// As for [`set_function`].
pub unsafe fn set_number(lua: State, name: &CStr, value: f64) {
    // SAFETY: by the caller's promise.
    unsafe {
        lua_pushnumber(lua, value);
        lua_setfield(lua, -2, name.as_ptr());
    }
}

/// Sets a field of the table on the top to a string.
///
/// # Safety
/// As for [`set_function`].
pub unsafe fn set_string(lua: State, name: &CStr, value: &[u8]) {
    // SAFETY: by the caller's promise.
    unsafe {
        push_bytes(lua, value);
        lua_setfield(lua, -2, name.as_ptr());
    }
}
