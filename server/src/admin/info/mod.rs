//! INFO: which sections are asked for, and their text in redis-server's order and names.
//!
//! Every value is true. A field of redis-server that this node does not measure is left out; a 0 means none.

mod replication;
mod sections;
mod text;

pub use sections::{Section, Sections};
pub use text::{InfoFacts, KeyspaceFacts, render};
