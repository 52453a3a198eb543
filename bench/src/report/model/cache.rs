//! How a cache has answered.

use serde::{Deserialize, Serialize};

/// Reads that are followed by a write of the same key if they miss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CacheRun {
    /// Successful reads.
    pub reads: u64,
    /// Those of them that found their key.
    pub hits: u64,
    /// Hits of reads, 0 to 1.
    pub hit_rate: f64,
    /// Keys that the target says it has evicted, warm-up included; none if it cannot be asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evicted_keys: Option<u64>,
}

impl CacheRun {
    /// So many reads, of which so many have hit.
    pub fn new(reads: u64, hits: u64, evicted_keys: Option<u64>) -> Self {
        Self {
            reads,
            hits,
            hit_rate: hits as f64 / reads.max(1) as f64,
            evicted_keys,
        }
    }

    /// All of them together; none of nothing.
    pub fn sum(parts: impl Iterator<Item = Self>) -> Option<Self> {
        parts.reduce(|sum, part| {
            let evicted = sum.evicted_keys.zip(part.evicted_keys);
            Self::new(
                sum.reads + part.reads,
                sum.hits + part.hits,
                evicted.map(|(one, other)| one + other),
            )
        })
    }

    /// What was seen of one target by several generators at the same time: all have seen the same evictions.
    pub fn beside(parts: impl Iterator<Item = Self>) -> Option<Self> {
        parts.reduce(|sum, part| {
            Self::new(
                sum.reads + part.reads,
                sum.hits + part.hits,
                sum.evicted_keys.max(part.evicted_keys),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_add_up_and_generators_see_the_same_evictions() {
        let parts = [CacheRun::new(100, 50, Some(7)), CacheRun::new(300, 270, Some(5))];
        assert_eq!(
            CacheRun::sum(parts.into_iter()),
            Some(CacheRun::new(400, 320, Some(12)))
        );
        assert_eq!(
            CacheRun::beside(parts.into_iter()),
            Some(CacheRun::new(400, 320, Some(7)))
        );
        assert_eq!(
            CacheRun::sum(parts.into_iter()).map(|all| all.hit_rate),
            Some(0.8)
        );
        assert_eq!(CacheRun::sum(std::iter::empty()), None);
        let unseen = CacheRun::new(1, 1, None);
        assert_eq!(
            CacheRun::sum([parts[0], unseen].into_iter()).and_then(|all| all.evicted_keys),
            None
        );
    }
}
