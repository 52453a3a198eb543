//! Every bound on what a peer may make us hold, in one place.
//!
//! Those that concern requests are stock redis-server's, so that a client meets the same walls here as there. Those
//! that concern replies are ours: stock's own clients trust the server, a load generator that outlives the failures of
//! its targets should not.

/// Longest bulk string in a request, in bytes: the default of `proto-max-bulk-len`.
pub const MAX_BULK_LEN: usize = 512 * 1024 * 1024;

/// Longest inline request, and longest unfinished `*` or `$` line, in bytes.
pub const MAX_INLINE_LEN: usize = 64 * 1024;

/// Most arguments that a request may announce.
pub const MAX_MULTIBULK: usize = i32::MAX as usize;

/// Most arguments that a request may announce before its client has authenticated.
pub const MAX_UNAUTH_MULTIBULK: usize = 10;

/// Longest bulk string in bytes that a request may announce before its client has authenticated.
pub const MAX_UNAUTH_BULK_LEN: usize = 16 * 1024;

/// Largest read buffer that a request may span, in bytes: argument ranges are 32 bits wide.
pub const MAX_REQUEST_BUFFER: usize = u32::MAX as usize;

/// Longest simple string, error, number or length line in a reply, in bytes.
pub const MAX_REPLY_LINE: usize = 64 * 1024;

/// Most elements that one aggregate of a reply may announce (a map of n pairs counts as 2n).
pub const MAX_REPLY_ELEMENTS: usize = i32::MAX as usize;

/// Deepest nesting of aggregates in a reply; an array of integers has depth one.
pub const MAX_REPLY_DEPTH: usize = 32;
