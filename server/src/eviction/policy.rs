//! Which keys give way, and in what order.

use crate::keyspace::Entry;

/// `maxmemory-policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// None: writes are refused.
    NoEviction,
    /// Keys, all of them or those that expire, by an order.
    Evict {
        /// Only keys that expire.
        only_volatile: bool,
        /// Which of those first.
        order: Order,
    },
}

/// Which key goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The one that was not accessed for the longest time.
    Lru,
    /// The one that is accessed least often.
    Lfu,
    /// Any.
    Random,
    /// The one that expires next.
    Ttl,
}

impl Policy {
    /// The policy of this name.
    pub fn named(name: &str) -> Option<Self> {
        if name == "noeviction" {
            return Some(Self::NoEviction);
        }
        let (keys, order) = name.split_once('-')?;
        let only_volatile = match keys {
            "volatile" => true,
            "allkeys" => false,
            _ => return None,
        };
        let order = match order {
            "lru" => Order::Lru,
            "lfu" => Order::Lfu,
            "random" => Order::Random,
            "ttl" if only_volatile => Order::Ttl,
            _ => return None,
        };
        Some(Self::Evict { only_volatile, order })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoEviction => "noeviction",
            Self::Evict { only_volatile, order } => match (only_volatile, order) {
                (true, Order::Lru) => "volatile-lru",
                (true, Order::Lfu) => "volatile-lfu",
                (true, Order::Random) => "volatile-random",
                (true, Order::Ttl) => "volatile-ttl",
                (false, Order::Lru) => "allkeys-lru",
                (false, Order::Lfu) => "allkeys-lfu",
                (false, Order::Random) => "allkeys-random",
                (false, Order::Ttl) => "allkeys-ttl",
            },
        }
    }

    /// Do keys have to remember how often they are accessed, rather than when they were last?
    pub fn is_lfu(self) -> bool {
        matches!(
            self,
            Self::Evict {
                order: Order::Lfu,
                ..
            }
        )
    }

    /// Do snapshots say when keys were last accessed?
    pub fn is_lru(self) -> bool {
        matches!(
            self,
            Self::Evict {
                order: Order::Lru,
                ..
            }
        )
    }
}

impl Order {
    /// How good it is that a key goes: the higher the better.
    pub fn score(self, entry: Entry<'_>, now: u64) -> u64 {
        match self {
            Self::Lru => entry.idle_s(now),
            Self::Lfu => u64::from(u8::MAX - entry.frequency(now)),
            Self::Ttl => u64::MAX - entry.expiry().unwrap_or(u64::MAX),
            Self::Random => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_has_the_name_that_it_is_found_by() {
        for name in [
            "noeviction",
            "volatile-lru",
            "volatile-lfu",
            "volatile-random",
            "volatile-ttl",
            "allkeys-lru",
            "allkeys-lfu",
            "allkeys-random",
        ] {
            assert_eq!(Policy::named(name).map(Policy::name), Some(name));
        }
        for name in ["allkeys-ttl", "volatile", "lru", ""] {
            assert_eq!(Policy::named(name), None, "{name}");
        }
    }
}
