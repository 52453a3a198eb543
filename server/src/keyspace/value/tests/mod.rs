//! The forms of collections against the standard library's.

mod compact;
mod list;
mod segments;
mod sharing;
