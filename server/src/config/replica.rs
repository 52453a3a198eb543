//! The directives that concern a node as a replica.

use super::settings::Reader;

/// How a replica takes in its primary's data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisklessLoad {
    /// Through a file, which is checked before the old data go.
    Disabled,
    /// From the socket if there are no keys here, else through a file.
    OnEmptyDb,
    /// From the socket, next to the old data, which it then replaces.
    SwapDb,
}

/// What `replica-*`, `master*` and `repl-*` say of a replica.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaSettings {
    /// The user to be at the primary; None: the default user.
    pub masteruser: Option<Vec<u8>>,
    /// The password for it; None: no AUTH is sent.
    pub masterauth: Option<Vec<u8>>,
    /// Answer clients from the data there are while the link to the primary is down.
    pub serve_stale_data: bool,
    /// Refuse clients' writes.
    pub read_only: bool,
    /// Whether tools that ask the primary should see this replica.
    pub announced: bool,
    /// The address to tell the primary; None: the one it sees.
    pub announce_ip: Option<String>,
    /// The port to tell the primary; 0: the client port.
    pub announce_port: u16,
    /// For tools that choose a successor: the smallest goes first, 0 never.
    pub priority: u32,
    /// Let the primary alone decide what is too much memory.
    pub ignore_maxmemory: bool,
    /// End the process when a command of the primary fails here.
    pub panic_on_error: bool,
    /// The way in for a full synchronisation.
    pub diskless_load: DisklessLoad,
}

impl ReplicaSettings {
    pub(super) fn read(v: &Reader<'_>) -> Self {
        Self {
            masteruser: v.text("masteruser"),
            masterauth: v.text("masterauth"),
            serve_stale_data: v.bool("replica-serve-stale-data"),
            read_only: v.bool("replica-read-only"),
            announced: v.bool("replica-announced"),
            announce_ip: v.string("replica-announce-ip"),
            announce_port: v.int("replica-announce-port"),
            priority: v.int("replica-priority"),
            ignore_maxmemory: v.bool("replica-ignore-maxmemory"),
            panic_on_error: v.word("propagation-error-behavior") != "ignore",
            diskless_load: match v.word("repl-diskless-load") {
                "on-empty-db" => DisklessLoad::OnEmptyDb,
                "swapdb" => DisklessLoad::SwapDb,
                _ => DisklessLoad::Disabled,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn defaults_are_those_of_redis_server() {
        let replica = Config::default().replica;
        assert!(
            replica.serve_stale_data && replica.read_only && replica.announced && replica.ignore_maxmemory
        );
        assert_eq!(replica.priority, 100);
        assert_eq!(replica.diskless_load, DisklessLoad::Disabled);
        assert!(replica.masterauth.is_none() && !replica.panic_on_error);
    }
}
