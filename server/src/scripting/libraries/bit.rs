//! The table `bit`: operations on 32-bit integers.

use crate::scripting::ffi::{self, State, c_int, set_function};

/// Fills the table on the top.
///
/// # Safety
/// Within a protected call.
pub unsafe fn fill(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        for (name, function) in [
            (c"tobit", tobit as ffi::Function),
            (c"bnot", bnot),
            (c"band", band),
            (c"bor", bor),
            (c"bxor", bxor),
            (c"lshift", lshift),
            (c"rshift", rshift),
            (c"arshift", arshift),
            (c"rol", rol),
            (c"ror", ror),
            (c"bswap", bswap),
            (c"tohex", tohex),
        ] {
            set_function(lua, name, function);
        }
    }
}

/// Argument `at` as 32 bits: rounded to the nearest integer, which wraps around.
///
/// # Safety
/// Called by Lua; may jump.
unsafe fn bits(lua: State, at: c_int) -> u32 {
    /// Added to a number it leaves the nearest integer in the low bits of the sum.
    const MAGIC: f64 = 6_755_399_441_055_744.0;
    // SAFETY: by the caller's promise.
    let number = unsafe { ffi::luaL_checknumber(lua, at) };
    (number + MAGIC).to_bits() as u32
}

/// # Safety
/// Called by Lua.
unsafe fn give(lua: State, bits: u32) -> c_int {
    // SAFETY: by the caller's promise.
    unsafe { ffi::lua_pushnumber(lua, f64::from(bits as i32)) };
    1
}

macro_rules! functions {
    ($($name:ident = |$lua:ident| $value:expr;)*) => {$(
        unsafe extern "C-unwind" fn $name($lua: State) -> c_int {
            // SAFETY: called by Lua.
            unsafe { give($lua, $value) }
        }
    )*};
}

functions! {
    tobit = |lua| bits(lua, 1);
    bnot = |lua| !bits(lua, 1);
    band = |lua| fold(lua, |a, b| a & b);
    bor = |lua| fold(lua, |a, b| a | b);
    bxor = |lua| fold(lua, |a, b| a ^ b);
    lshift = |lua| bits(lua, 1).wrapping_shl(bits(lua, 2));
    rshift = |lua| bits(lua, 1).wrapping_shr(bits(lua, 2));
    arshift = |lua| (bits(lua, 1) as i32).wrapping_shr(bits(lua, 2)) as u32;
    rol = |lua| bits(lua, 1).rotate_left(bits(lua, 2) & 31);
    ror = |lua| bits(lua, 1).rotate_right(bits(lua, 2) & 31);
    bswap = |lua| bits(lua, 1).swap_bytes();
}

/// # Safety
/// Called by Lua.
unsafe fn fold(lua: State, with: fn(u32, u32) -> u32) -> u32 {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut sum = bits(lua, 1);
        for at in 2..=ffi::lua_gettop(lua) {
            sum = with(sum, bits(lua, at));
        }
        sum
    }
}

unsafe extern "C-unwind" fn tohex(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        let value = bits(lua, 1);
        let wanted = if ffi::lua_type(lua, 2) == ffi::LUA_TNONE {
            8
        } else {
            bits(lua, 2) as i32
        };
        let digits: &[u8; 16] = if wanted < 0 {
            b"0123456789ABCDEF"
        } else {
            b"0123456789abcdef"
        };
        let count = (wanted.unsigned_abs() as usize).min(8);
        let mut text = [0; 8];
        for (i, digit) in text[..count].iter_mut().enumerate() {
            *digit = digits[(value >> (4 * (count - 1 - i)) & 15) as usize];
        }
        ffi::push_bytes(lua, &text[..count]);
    }
    1
}
