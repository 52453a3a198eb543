//! RESP2 and RESP3, both directions.
//!
//! ```text
//!   client                                     node
//!   encode  ── request bytes ──────────────▶  request  (arguments are ranges of the read buffer)  ─▶ args
//!   scanner ◀────────────── reply bytes ────  writer
//!   reply   (the same bytes as a tree)
//! ```
//!
//! Parsers take whatever has arrived and say either what it was or that more is needed. They never hold more memory
//! than the bytes that have arrived justify, whatever lengths the peer announces, and feeding them one byte at a time
//! costs linear time. Bounds are in [`crate::limits`].

mod args;
mod double;
mod encode;
mod inline;
mod number;
mod reply;
mod request;
mod scanner;
mod token;
mod writer;

pub use args::{ArgRange, Args};
pub use double::{DoubleText, format_double};
pub use encode::{encode_bulk, encode_command, encode_header};
pub use number::parse_i64;
pub use reply::{Reply, parse_reply};
pub use request::{Progress, ProtocolError, ProtocolErrorKind, RequestLimits, RequestParser};
pub use scanner::{ReplyScanner, Scanned};
pub use token::{ReplyError, ReplyErrorKind, ReplyKind, ReplyLimits};
pub use writer::{Proto, ReplyWriter};
