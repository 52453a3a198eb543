//! The directives that concern a node as a primary of replicas.

use super::settings::Reader;

/// What `repl-*` and `min-replicas-*` say of a primary.
#[derive(Clone, Debug, PartialEq)]
pub struct PrimarySettings {
    /// Send full copies straight from memory, rather than through a file.
    pub diskless: bool,
    /// Seconds that a full copy may wait for other replicas that are on their way.
    pub diskless_delay_s: u64,
    /// A full copy waits no longer once so many replicas want it; 0: no such number.
    pub diskless_max_replicas: usize,
    /// Seconds of silence after which a replica is given up.
    pub timeout_s: u64,
    /// Seconds between the pings in the stream.
    pub ping_period_s: u64,
    /// Bytes of the stream that are kept for replicas that come back.
    pub backlog_size: u64,
    /// Seconds without a replica after which the backlog is given up; 0: never.
    pub backlog_ttl_s: u64,
    /// Writes are refused while fewer replicas than this are good; 0: never.
    pub min_replicas: usize,
    /// Seconds of silence after which a replica is good no more; 0: it always is.
    pub min_replicas_max_lag_s: u64,
    /// Let the kernel gather small packets on links to replicas.
    pub disable_tcp_nodelay: bool,
}

impl PrimarySettings {
    pub(super) fn read(v: &Reader<'_>) -> Self {
        Self {
            diskless: v.bool("repl-diskless-sync"),
            diskless_delay_s: v.int("repl-diskless-sync-delay"),
            diskless_max_replicas: v.int("repl-diskless-sync-max-replicas"),
            timeout_s: v.int("repl-timeout"),
            ping_period_s: v.int("repl-ping-replica-period"),
            backlog_size: v.int("repl-backlog-size"),
            backlog_ttl_s: v.int("repl-backlog-ttl"),
            min_replicas: v.int("min-replicas-to-write"),
            min_replicas_max_lag_s: v.int("min-replicas-max-lag"),
            disable_tcp_nodelay: v.bool("repl-disable-tcp-nodelay"),
        }
    }

    /// How many good replicas a write needs; 0: none.
    #[inline]
    pub fn wanted_replicas(&self) -> usize {
        if self.min_replicas_max_lag_s == 0 {
            0
        } else {
            self.min_replicas
        }
    }
}
