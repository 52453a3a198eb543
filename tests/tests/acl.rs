//! Access control beside stock's: rules and what becomes of them, what users may run, the log of what they may not,
//! files of users, MONITOR, replication as a user, and a real client that logs in.

#[path = "acl/canonical.rs"]
mod canonical;
#[path = "acl/files.rs"]
mod files;
#[path = "acl/monitor.rs"]
mod monitor;
#[path = "acl/random.rs"]
mod random;
#[path = "acl/replication.rs"]
mod replication;
#[path = "acl/script.rs"]
mod script;
#[path = "acl/sides.rs"]
mod sides;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");
