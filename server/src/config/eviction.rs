//! The directives that say what gives way when memory is full.

use super::settings::Reader;
use crate::eviction::Policy;
use crate::keyspace::AccessRule;

/// What `maxmemory-*` and `lfu-*` say.
#[derive(Clone, Debug, PartialEq)]
pub struct EvictionSettings {
    /// Which keys give way.
    pub policy: Policy,
    /// Keys that are looked at to find one that gives way.
    pub samples: u32,
    /// 0 to 100: how long a command may be held up by eviction.
    pub tenacity: u32,
    /// Tell replicas of an evicted key with UNLINK rather than DEL.
    pub lazily: bool,
    log_factor: u32,
    decay_minutes: u32,
}

impl EvictionSettings {
    pub(super) fn read(v: &Reader<'_>) -> Self {
        Self {
            policy: Policy::named(v.word("maxmemory-policy")).unwrap_or(Policy::NoEviction),
            samples: v.int("maxmemory-samples"),
            tenacity: v.int("maxmemory-eviction-tenacity"),
            lazily: v.bool("lazyfree-lazy-eviction"),
            log_factor: v.int("lfu-log-factor"),
            decay_minutes: v.int("lfu-decay-time"),
        }
    }

    /// How keys have to remember their accesses.
    pub fn access_rule(&self) -> AccessRule {
        if self.policy.is_lfu() {
            AccessRule::Frequency {
                log_factor: self.log_factor,
                decay_minutes: self.decay_minutes,
            }
        } else {
            AccessRule::Recency
        }
    }
}
