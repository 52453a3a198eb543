//! What a load generator asks of a store: which commands, on which keys, with which values, in which order.
//!
//! A workload is a TOML file that opens with the question it answers. It is read into a [`Spec`], flags of the command
//! line are applied to it as [`Overrides`], and [`Spec::compile`] turns it with a seed into a [`Workload`]. From there
//! on everything is a function of the seed: client 7 draws the same operations on every machine, at any number of
//! threads, whatever the store answers.
//!
//! ```text
//!  file ──read──▶ Spec ──overrides──▶ Spec ──compile(seed)──▶ Workload ──client_stream(c)──▶ OpStream ──▶ Op, Op, Op
//!                                                                 └────── encode(op) ──▶ bytes on the wire
//! ```
//!
//! An [`Op`] is a few words and `Copy`; its bytes are computed from it whenever they are needed, so an operation that is
//! redirected or retried need not be kept as bytes.
//!
//! | module | holds |
//! |---|---|
//! | [`spec`] | the TOML format, its errors, the flags that override it |
//! | [`builtin`] | the workloads that come with the program |
//! | [`dist`] | uniform and Zipf draws |
//! | [`keys`] | the text and the slot of key number n; the shortest hash tag of each slot |
//! | [`values`] | incompressible bytes at the price of a copy |
//! | [`sizes`] | lengths that follow published distributions |
//! | [`command`] | the commands that a mix may hold, and their frames |
//! | `template` | commands spelled out word by word |
//! | [`reply`] | what a reply is counted as |
//! | [`stream`] | the operations of one client |
//! | [`arrival`] | when they are due, in an open loop |
//! | [`workload`] | all of it, compiled |
#![forbid(unsafe_code)]

pub mod arrival;
pub mod builtin;
pub mod command;
pub mod dist;
pub mod keys;
pub mod reply;
pub mod sizes;
pub mod spec;
pub mod stream;
mod template;
pub mod traffic;
pub mod values;
pub mod workload;

pub use builtin::{BUILTINS, Builtin, load};
pub use command::Command;
pub use spec::{Overrides, Spec, SpecError};
pub use stream::{Op, OpStream};
pub use workload::{Parts, Workload};
