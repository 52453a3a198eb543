//! Numbers as C prints and reads them.

use std::ffi::{c_char, c_double, c_int};

unsafe extern "C" {
    fn snprintf(to: *mut c_char, len: usize, format: *const c_char, ...) -> c_int;
    fn strtod(from: *const c_char, end: *mut *mut c_char) -> c_double;
}

/// Appends `%.*g`.
pub fn push_general(out: &mut Vec<u8>, value: f64, precision: i32) {
    let mut text = [0u8; 64];
    // SAFETY: the buffer is longer than any such text of at most 17 digits, and the arguments are what the format says.
    let len = unsafe {
        snprintf(
            text.as_mut_ptr().cast(),
            text.len(),
            c"%.*g".as_ptr(),
            precision.clamp(1, 17),
            value,
        )
    };
    out.extend_from_slice(&text[..usize::try_from(len).unwrap_or(0)]);
}

/// The number that `text` begins with, and how many bytes of it that takes: 0 if there is none. `text` ends in a zero
/// byte, which is not part of a number.
pub fn read(text: &[u8]) -> (f64, usize) {
    debug_assert_eq!(text.last(), Some(&0));
    let start: *const c_char = text.as_ptr().cast();
    let mut end = std::ptr::null_mut();
    // SAFETY: the text ends in a zero byte, where the function stops at the latest; `end` points into it.
    unsafe {
        let value = strtod(start, &raw mut end);
        (value, end.cast_const().offset_from(start) as usize)
    }
}
