//! What one connection has asked for with CLIENT TRACKING.

use std::sync::Arc;

/// Which reads are remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// All of them.
    #[default]
    All,
    /// OPTIN: those behind CLIENT CACHING YES.
    OptIn,
    /// OPTOUT: all but those behind CLIENT CACHING NO.
    OptOut,
}

/// The options that are in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mode {
    /// The connection that is told in place of this one.
    pub redirect: Option<u64>,
    /// Told of all keys with certain prefixes, instead of those that it has read.
    pub bcast: bool,
    /// Not told of what it changes itself.
    pub noloop: bool,
    /// Which reads are remembered.
    pub choice: Choice,
    /// The prefixes of BCAST, in order.
    pub prefixes: Vec<Arc<[u8]>>,
}
