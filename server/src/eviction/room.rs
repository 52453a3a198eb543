//! Making room: evicting until no more is in use than is allowed, for a bounded time.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use std::sync::atomic::Ordering::Relaxed;

use super::picker::Picker;
use super::policy::Policy;
use crate::config::Config;
use crate::keyspace::lazy_free;
use crate::memory;
use crate::node::{Node, unix_ms};

/// Keys evicted between two looks at the clock, as in stock.
const KEYS_PER_LOOK: u32 = 16;

thread_local! {
    static PICKER: RefCell<Picker> = RefCell::default();
}

/// Whether there is room for a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is.
    Now,
    /// There will be: keys are giving way, and the write need not wait for them.
    Soon,
    /// There is none, and no key may give way.
    No,
}

/// Is there room for a write, or will there be? With memory to spare it is one look at the count.
#[inline]
pub fn has_room(node: &'static Node, config: &Config) -> bool {
    if config.maxmemory == 0 || memory::used() <= config.maxmemory {
        node.eviction.exceeded.end();
        return true;
    }
    make_room(node, config) != Room::No
}

/// Bytes in use above `maxmemory`, without what does not count against it: what is being freed, and what of the stream
/// of effects is kept for replicas that are behind.
fn excess(node: &Node, config: &Config) -> u64 {
    let used = memory::used();
    if config.maxmemory == 0 || used <= config.maxmemory {
        return 0;
    }
    let not_counted = not_counted(node, config) + lazy_free::pending_bytes() as u64;
    used.saturating_sub(not_counted).saturating_sub(config.maxmemory)
}

/// Bytes of the stream beyond the backlog: to evict because a replica is slow would make the stream longer still.
pub fn not_counted(node: &Node, config: &Config) -> u64 {
    let log = &node.replication.log;
    if log.is_active() {
        log.backlog().len.saturating_sub(config.primary.backlog_size)
    } else {
        0
    }
}

/// Evicts until there is room, or the time for it is over: then a thread of its own goes on. No slot's lock may be held.
#[cold]
pub fn make_room(node: &'static Node, config: &Config) -> Room {
    if is_deferred(node, config) {
        return Room::Now;
    }
    let room = if excess(node, config) == 0 {
        Room::Now
    } else {
        evict(node, config)
    };
    match room {
        Room::Now => node.eviction.exceeded.end(),
        Room::Soon => {
            node.eviction.exceeded.begin();
            node.eviction.wake(node);
        }
        Room::No => node.eviction.exceeded.begin(),
    }
    room
}

/// A replica holds what its primary holds, and in a pause nothing changes.
fn is_deferred(node: &Node, config: &Config) -> bool {
    let replication = &node.replication;
    replication.is_replica() && config.replica.ignore_maxmemory
        || replication.gate.is_paused()
        || node.pause.until(unix_ms()).is_some()
}

fn evict(node: &'static Node, config: &Config) -> Room {
    let settings = &config.eviction;
    let Policy::Evict { only_volatile, order } = settings.policy else {
        return Room::No;
    };
    let (started, now) = (Instant::now(), unix_ms());
    let budget = budget(settings.tenacity);
    let room = PICKER.with_borrow_mut(|picker| {
        let mut keys = 0;
        loop {
            let evicted = picker.evict(&node.keyspace, only_volatile, order, settings.samples, now);
            if evicted.is_none() {
                return if excess(node, config) == 0 {
                    Room::Now
                } else {
                    Room::No
                };
            }
            node.eviction.evicted.fetch_add(1, Relaxed);
            keys += 1;
            if excess(node, config) == 0 {
                return Room::Now;
            }
            if keys % KEYS_PER_LOOK == 0 && budget.is_some_and(|budget| started.elapsed() > budget) {
                return Room::Soon;
            }
        }
    });
    node.latency
        .event("eviction-cycle", started.elapsed().as_millis() as u64, now);
    room
}

/// How long one command may be held up; None: for as long as it takes. As in stock: up to half a millisecond in even
/// steps, and from tenacity 10 on 15 % more with each.
fn budget(tenacity: u32) -> Option<Duration> {
    let micros = match tenacity {
        0..=10 => 50.0 * f64::from(tenacity),
        11..=99 => 500.0 * 1.15_f64.powi(tenacity as i32 - 10),
        _ => return None,
    };
    Some(Duration::from_micros(micros as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_grows_with_tenacity() {
        let millis = |tenacity| budget(tenacity).map(|budget| budget.as_secs_f64() * 1000.0);
        assert_eq!(millis(0), Some(0.0));
        assert_eq!(millis(10), Some(0.5));
        assert!(millis(99).is_some_and(|ms| (120_000.0..130_000.0).contains(&ms)));
        assert_eq!(millis(100), None);
    }
}
