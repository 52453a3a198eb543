//! Scripts and functions beside stock redis-server 7.0.15: replies and errors in both protocols, effects, and what happens
//! while a script runs for too long.

#[path = "scripting/busy.rs"]
mod busy;
#[path = "scripting/locks.rs"]
mod locks;
#[path = "scripting/replies.rs"]
mod replies;
#[path = "scripting/transfer.rs"]
mod transfer;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");
