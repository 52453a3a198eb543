//! The cluster bus: bytes to messages and back, links, and the thread that drives the member.

pub mod codec;
