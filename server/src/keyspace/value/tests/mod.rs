//! The forms of collections against the standard library's.

mod compact;
mod segments;
mod sharing;
