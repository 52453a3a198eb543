//! What replication does now and then, on the housekeeping thread: pings, counting, forgetting.

use std::time::{Duration, Instant};

use super::{GETACK, PING};
use crate::node::Node;
use crate::replication::Replication;

/// What must be remembered from one round to the next.
#[derive(Debug)]
pub struct Cron {
    last_second: Instant,
    seconds: u64,
    /// Since when nobody copies us.
    alone_since: Option<Instant>,
}

impl Default for Cron {
    fn default() -> Self {
        Self {
            last_second: Instant::now(),
            seconds: 0,
            alone_since: None,
        }
    }
}

impl Cron {
    /// One round; to be called some times a second, with the time in unix milliseconds.
    pub fn tick(&mut self, node: &'static Node, now: u64) {
        let replication = &node.replication;
        if replication.gate.is_plain() {
            return;
        }
        if replication.gate.is_paused() && !node.pause.holds_writes(now) {
            replication.resume(node);
        }
        // Keys that expired in the background are in the log, and nobody has woken the feeds for them.
        replication.log.wake();
        if self.last_second.elapsed() < Duration::from_secs(1) {
            return;
        }
        self.last_second = Instant::now();
        self.seconds += 1;
        let config = node.config.load();
        let settings = &config.primary;
        replication
            .replicas
            .count_good(now, settings.min_replicas_max_lag_s);
        if !replication.replicas.is_empty() {
            self.alone_since = None;
            if self.seconds.is_multiple_of(settings.ping_period_s.max(1)) {
                replication.say(PING);
            }
            return;
        }
        let alone = self.alone_since.get_or_insert_with(Instant::now);
        let ttl = Duration::from_secs(settings.backlog_ttl_s);
        if !ttl.is_zero() && alone.elapsed() > ttl {
            replication.stop_recording(node);
        }
    }
}

impl Replication {
    /// Asks all replicas how far they are.
    pub fn ask_for_acks(&self) {
        self.say(GETACK);
    }

    /// Says something in the stream that is no client's write. Not while the offset stands still, and not on a replica,
    /// whose stream is its primary's.
    fn say(&self, command: &[u8]) {
        self.log
            .append_if(command, || !self.gate.is_paused() && !self.gate.is_replica());
        self.log.wake();
    }
}
