//! The table `struct`: values as C lays them out in memory.

use crate::scripting::ffi::{self, State, c_int, set_function};
use crate::scripting::run::running;

const MAX_INTEGER_SIZE: usize = 32;
const MAX_ALIGN: usize = 8;
const TOO_SHORT: &ffi::CStr = c"data string too short";

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
            (c"size", size),
        ] {
            set_function(lua, name, function);
        }
    }
}

/// Where a format is being read, and what it has set.
struct Format<'a> {
    lua: State,
    rest: &'a [u8],
    big_endian: bool,
    align: usize,
}

impl<'a> Format<'a> {
    /// The format of the first argument.
    ///
    /// # Safety
    /// Called by Lua; may jump. The argument stays on the stack.
    unsafe fn of_argument(lua: State) -> Self {
        // SAFETY: by the caller's promise.
        let format = unsafe {
            let mut len = 0;
            let start = ffi::luaL_checklstring(lua, 1, &raw mut len);
            std::slice::from_raw_parts(start.cast::<u8>(), len)
        };
        // As in C, a zero byte is its end.
        let end = format.iter().position(|&b| b == 0).unwrap_or(format.len());
        Format {
            lua,
            rest: &format[..end],
            big_endian: cfg!(target_endian = "big"),
            align: 1,
        }
    }

    /// The next option, with the size that it asks for.
    ///
    /// # Safety
    /// Called by Lua; may jump.
    unsafe fn next(&mut self) -> Option<(u8, usize)> {
        let (&option, rest) = self.rest.split_first()?;
        self.rest = rest;
        // SAFETY: by the caller's promise.
        let size = unsafe {
            match option {
                b'b' | b'B' | b'x' => 1,
                b'h' | b'H' => 2,
                b'f' => 4,
                b'l' | b'L' | b'T' | b'd' => 8,
                b'c' => self.number(1),
                b'i' | b'I' => {
                    let size = self.number(4);
                    if size > MAX_INTEGER_SIZE {
                        ffi::luaL_error(
                            self.lua,
                            c"integral size %d is larger than limit of %d".as_ptr(),
                            size as c_int,
                            MAX_INTEGER_SIZE as c_int,
                        );
                    }
                    size
                }
                _ => 0,
            }
        };
        Some((option, size))
    }

    /// # Safety
    /// Called by Lua; may jump.
    unsafe fn number(&mut self, default: usize) -> usize {
        if !self.rest.first().is_some_and(u8::is_ascii_digit) {
            return default;
        }
        let mut number: i32 = 0;
        while let Some((digit @ b'0'..=b'9', rest)) = self.rest.split_first() {
            let more = number
                .checked_mul(10)
                .and_then(|number| number.checked_add(i32::from(digit - b'0')));
            number = match more {
                Some(more) => more,
                // SAFETY: by the caller's promise.
                None => unsafe { ffi::raise_here(self.lua, b"integral size overflow") },
            };
            self.rest = rest;
        }
        number as usize
    }

    /// What is no value: an order of bytes, an alignment. Anything else is an error.
    ///
    /// # Safety
    /// Called by Lua; may jump.
    unsafe fn control(&mut self, option: u8) {
        match option {
            b' ' => {}
            b'>' => self.big_endian = true,
            b'<' => self.big_endian = false,
            // SAFETY: by the caller's promise.
            b'!' => unsafe {
                let align = self.number(MAX_ALIGN);
                if !align.is_power_of_two() {
                    ffi::luaL_error(
                        self.lua,
                        c"alignment %d is not a power of 2".as_ptr(),
                        align as c_int,
                    );
                }
                self.align = align;
            },
            // SAFETY: by the caller's promise.
            _ => unsafe {
                let message = ffi::lua_pushfstring(
                    self.lua,
                    c"invalid format option '%c'".as_ptr(),
                    c_int::from(option),
                );
                ffi::luaL_argerror(self.lua, 1, message);
            },
        }
    }

    /// Bytes between `at` and where the option's value begins.
    fn padding(&self, at: usize, option: u8, size: usize) -> usize {
        if size == 0 || option == b'c' {
            return 0;
        }
        let size = size.min(self.align);
        if size <= 1 {
            return 0;
        }
        size.wrapping_sub(at & (size - 1)) & (size - 1)
    }
}

unsafe extern "C-unwind" fn pack(lua: State) -> c_int {
    // SAFETY: called by Lua; the buffer is the run's.
    unsafe {
        let mut format = Format::of_argument(lua);
        let Some(run) = running().as_mut() else {
            ffi::raise_here(lua, b"struct can only be used inside a script invocation");
        };
        let out = &mut run.text;
        out.clear();
        let mut argument = 2;
        while let Some((option, size)) = format.next() {
            let padding = format.padding(out.len(), option, size);
            out.resize(out.len() + padding, 0);
            match option {
                b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                    let number = ffi::luaL_checknumber(lua, argument);
                    argument += 1;
                    push_integer(out, wrapped(number), size, format.big_endian);
                }
                b'x' => out.push(0),
                b'f' | b'd' => {
                    let number = ffi::luaL_checknumber(lua, argument);
                    argument += 1;
                    let from = out.len();
                    if option == b'f' {
                        out.extend_from_slice(&(number as f32).to_le_bytes());
                    } else {
                        out.extend_from_slice(&number.to_le_bytes());
                    }
                    if format.big_endian {
                        out[from..].reverse();
                    }
                }
                b'c' | b's' => {
                    let mut len = 0;
                    let start = ffi::luaL_checklstring(lua, argument, &raw mut len);
                    argument += 1;
                    let wanted = if size == 0 { len } else { size };
                    if len < wanted {
                        ffi::luaL_argerror(lua, argument, c"string too short".as_ptr());
                    }
                    out.extend_from_slice(std::slice::from_raw_parts(start.cast(), wanted));
                    if option == b's' {
                        out.push(0);
                    }
                }
                _ => format.control(option),
            }
        }
        ffi::push_bytes(lua, out);
    }
    1
}

/// A number as 64 bits, as C converts it.
fn wrapped(number: f64) -> u64 {
    if number < 0.0 {
        let bound = -(2f64.powi(63));
        if number < bound {
            1 << 63
        } else {
            number as i64 as u64
        }
    } else if number < 2f64.powi(64) {
        number as u64
    } else {
        0
    }
}

fn push_integer(out: &mut Vec<u8>, value: u64, size: usize, big_endian: bool) {
    let from = out.len();
    for i in 0..size {
        out.push(value.checked_shr(8 * i as u32).unwrap_or(0) as u8);
    }
    if big_endian {
        out[from..].reverse();
    }
}

unsafe extern "C-unwind" fn unpack(lua: State) -> c_int {
    // SAFETY: called by Lua; both strings stay on the stack.
    unsafe {
        let mut format = Format::of_argument(lua);
        let mut len = 0;
        let start = ffi::luaL_checklstring(lua, 2, &raw mut len);
        let data = std::slice::from_raw_parts(start.cast::<u8>(), len);
        let mut at = ffi::luaL_optinteger(lua, 3, 1) as usize;
        if at == 0 {
            ffi::luaL_argerror(lua, 3, c"offset must be 1 or greater".as_ptr());
        }
        at -= 1;
        ffi::lua_settop(lua, 3);
        let mut count = 0;
        while let Some((option, mut size)) = format.next() {
            at = at.wrapping_add(format.padding(at, option, size));
            if size > len || at > len - size {
                ffi::luaL_argerror(lua, 2, TOO_SHORT.as_ptr());
            }
            ffi::luaL_checkstack(lua, 12, c"too many results".as_ptr());
            match option {
                b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                    let number = integer(
                        &data[at..at + size],
                        format.big_endian,
                        option.is_ascii_lowercase(),
                    );
                    ffi::lua_pushnumber(lua, number);
                    count += 1;
                }
                b'x' => {}
                b'f' => {
                    let mut bytes = [0; 4];
                    bytes.copy_from_slice(&data[at..at + 4]);
                    if format.big_endian {
                        bytes.reverse();
                    }
                    ffi::lua_pushnumber(lua, f64::from(f32::from_le_bytes(bytes)));
                    count += 1;
                }
                b'd' => {
                    let mut bytes = [0; 8];
                    bytes.copy_from_slice(&data[at..at + 8]);
                    if format.big_endian {
                        bytes.reverse();
                    }
                    ffi::lua_pushnumber(lua, f64::from_le_bytes(bytes));
                    count += 1;
                }
                b'c' => {
                    if size == 0 {
                        if count == 0 || ffi::lua_isnumber(lua, -1) == 0 {
                            ffi::raise_here(lua, b"format 'c0' needs a previous size");
                        }
                        size = wrapped(ffi::lua_tonumber(lua, -1)) as usize;
                        ffi::lua_settop(lua, -2);
                        count -= 1;
                        if size > len || at > len - size {
                            ffi::luaL_argerror(lua, 2, TOO_SHORT.as_ptr());
                        }
                    }
                    ffi::push_bytes(lua, &data[at..at + size]);
                    count += 1;
                }
                b's' => {
                    let Some(end) = data[at..].iter().position(|&b| b == 0) else {
                        ffi::raise_here(lua, b"unfinished string in data");
                    };
                    ffi::push_bytes(lua, &data[at..at + end]);
                    size = end + 1;
                    count += 1;
                }
                _ => format.control(option),
            }
            at += size;
        }
        ffi::lua_pushnumber(lua, (at as f64) + 1.0);
        count + 1
    }
}

fn integer(bytes: &[u8], big_endian: bool, signed: bool) -> f64 {
    let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    let number = if big_endian {
        bytes.iter().fold(0, add)
    } else {
        bytes.iter().rev().fold(0, add)
    };
    if !signed {
        return number as f64;
    }
    let mask = u64::MAX.wrapping_shl((bytes.len() as u32 * 8).wrapping_sub(1));
    let extended = if number & mask != 0 { number | mask } else { number };
    extended as i64 as f64
}

unsafe extern "C-unwind" fn size(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        let mut format = Format::of_argument(lua);
        let mut total = 0;
        while let Some((option, size)) = format.next() {
            total += format.padding(total, option, size);
            if option == b's' {
                ffi::luaL_argerror(lua, 1, c"option 's' has no fixed size".as_ptr());
            }
            if option == b'c' && size == 0 {
                ffi::luaL_argerror(lua, 1, c"option 'c0' has no fixed size".as_ptr());
            }
            if !option.is_ascii_alphanumeric() {
                format.control(option);
            }
            total += size;
        }
        ffi::lua_pushnumber(lua, total as f64);
    }
    1
}
