//! Commands: one file a family, each with a `HANDLERS` table that binds names of `slotcore::command` to functions.
//!
//! `dispatch` decides whether a command may run, takes its locks and accounts for it; `call` is what it sees;
//! `reply_error` is what a refusal looks like; `help` answers HELP of every container.

pub mod acl;
pub mod bitmap;
pub mod call;
pub mod catalog;
pub mod client;
pub mod cluster;
pub mod config;
pub mod connection;
pub mod debug;
pub mod dispatch;
mod float;
pub mod function;
pub mod geo;
pub mod hash;
pub mod help;
pub mod hyperloglog;
pub mod info;
pub mod kept;
pub mod keys;
pub mod latency;
pub mod list;
pub mod memory;
pub mod module;
pub mod monitor;
pub mod pubsub;
mod random;
pub mod replication;
pub mod reply_error;
pub mod script;
pub mod server;
pub mod set;
pub mod slowlog;
pub mod sort;
pub mod sorted_set;
mod spec_reply;
pub mod stream;
pub mod string;
pub mod sync;
pub mod transaction;

use call::Binding;

/// Every family of this node.
pub const FAMILIES: &[&[Binding]] = &[
    transaction::HANDLERS,
    acl::HANDLERS,
    bitmap::HANDLERS,
    catalog::HANDLERS,
    client::HANDLERS,
    cluster::HANDLERS,
    config::HANDLERS,
    connection::HANDLERS,
    debug::HANDLERS,
    function::HANDLERS,
    geo::HANDLERS,
    hash::HANDLERS,
    hyperloglog::HANDLERS,
    info::HANDLERS,
    keys::dump::HANDLERS,
    keys::existence::HANDLERS,
    keys::expire::HANDLERS,
    keys::flush::HANDLERS,
    keys::object::HANDLERS,
    keys::rename::HANDLERS,
    keys::scan::HANDLERS,
    keys::ttl::HANDLERS,
    latency::HANDLERS,
    monitor::HANDLERS,
    pubsub::HANDLERS,
    list::HANDLERS,
    memory::HANDLERS,
    module::HANDLERS,
    replication::HANDLERS,
    script::HANDLERS,
    server::HANDLERS,
    set::HANDLERS,
    slowlog::HANDLERS,
    sort::HANDLERS,
    sorted_set::HANDLERS,
    stream::HANDLERS,
    string::HANDLERS,
    sync::HANDLERS,
];
