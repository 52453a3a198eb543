//! What the allocator tells of itself, and what it can be asked to do.

use std::ffi::{CStr, c_char, c_void};

/// A function that takes pieces of text, and what it was given to take them to.
type Output = unsafe extern "C" fn(text: *const c_char, to: *mut c_void);

// Of mimalloc.h: the `mimalloc` crate links the library, and declares no more than what an allocator needs.
unsafe extern "C" {
    fn mi_process_info(
        elapsed_ms: *mut usize,
        user_ms: *mut usize,
        system_ms: *mut usize,
        resident: *mut usize,
        peak_resident: *mut usize,
        committed: *mut usize,
        peak_committed: *mut usize,
        page_faults: *mut usize,
    );
    fn mi_collect(force: bool);
    fn mi_stats_print_out(output: Option<Output>, to: *mut c_void);
}

/// Bytes that the allocator has from the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FromSystem {
    /// Taken and not given back.
    pub committed: u64,
    /// Of those and all else of the process, what is in memory.
    pub resident: u64,
}

/// What the allocator has from the system.
pub fn from_system() -> FromSystem {
    let mut numbers = [0_usize; 8];
    let [
        elapsed,
        user,
        system,
        resident,
        peak,
        committed,
        peak_committed,
        faults,
    ] = &mut numbers;
    // SAFETY: each pointer is to a number of ours that outlives the call.
    unsafe {
        mi_process_info(
            elapsed,
            user,
            system,
            resident,
            peak,
            committed,
            peak_committed,
            faults,
        );
    }
    FromSystem {
        committed: numbers[5] as u64,
        resident: numbers[3] as u64,
    }
}

/// Gives back what this thread holds free.
pub fn purge() {
    // SAFETY: it may be called at any time, from any thread.
    unsafe { mi_collect(true) };
}

/// The allocator's own report.
pub fn report() -> String {
    unsafe extern "C" fn append(text: *const c_char, to: *mut c_void) {
        if text.is_null() || to.is_null() {
            return;
        }
        // SAFETY: the allocator hands over a text that ends with a zero, and the pointer that it was given below.
        let (text, to) = unsafe { (CStr::from_ptr(text), &mut *to.cast::<String>()) };
        to.push_str(&text.to_string_lossy());
    }
    let mut report = String::new();
    // SAFETY: the string outlives the call, and nobody else uses it meanwhile.
    unsafe { mi_stats_print_out(Some(append), (&raw mut report).cast()) };
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allocator_tells_of_itself() {
        let block = vec![1_u8; 64 << 20];
        let told = from_system();
        assert!(told.resident >= 64 << 20, "{told:?}");
        drop(std::hint::black_box(block));
        purge();
        assert!(report().contains("heap"), "{}", report());
    }
}
