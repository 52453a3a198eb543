//! Lua scripts and functions: EVAL, FCALL and their kin.
//!
//! ```text
//! EVALSHA ─► cache: text and flags by hash, of the node ─► interpreter: one Lua state a worker, compiled functions
//!            shebang: what the script promises              sandbox, builtins: what of Lua there is, and nothing may be changed
//!                                                           api: redis.call and the rest of `redis`
//!                                                           libraries: cjson, cmsgpack, struct, bit
//! FCALL   ─► functions: libraries of the node by name   register: what loading one does
//!        ─► run: locks, limits, KEYS and ARGV, the effects of one unit, the reply
//!             command: one redis.call, from Lua values to the handler and back (convert)
//! ```
//!
//! Lua is C code that leaves a failing call by a jump. Therefore no Rust value that owns something lives in a function
//! that calls into Lua: buffers belong to the [`run::Run`], and functions of the API get at it through a pointer that is
//! set for as long as a script runs. Unsafe code of this folder is all of this kind.

mod api;
mod builtins;
pub mod cache;
mod command;
mod convert;
mod ffi;
pub mod functions;
mod interpreter;
mod libraries;
pub mod monitor;
mod random;
mod register;
pub mod run;
mod sandbox;
mod sha1;
pub mod shebang;

pub use cache::{Script, ScriptCache};
pub use functions::Functions;
pub use monitor::Monitor;
pub use shebang::ScriptFlags;

/// What the node knows of scripts.
#[derive(Default)]
pub struct Scripts {
    pub cache: ScriptCache,
    pub functions: Functions,
    pub monitor: Monitor,
}
