//! The best candidates that were drawn so far. Since they outlast an eviction, few draws for each are enough: the sixteen
//! best of many draws are nearly the best of all keys.

use crate::keyspace::Key;

/// Candidates that are kept.
const SIZE: usize = 16;

#[derive(Debug)]
struct Candidate {
    /// The higher, the sooner it goes.
    score: u64,
    key: Vec<u8>,
}

/// Candidates, the best one last.
#[derive(Debug, Default)]
pub(super) struct Pool {
    candidates: Vec<Candidate>,
    /// Memory for the key of the next one.
    spare: Vec<u8>,
}

impl Pool {
    pub fn clear(&mut self) {
        self.candidates.clear();
    }

    /// Would a key with this score be kept?
    pub fn takes(&self, score: u64) -> bool {
        self.candidates.len() < SIZE || self.candidates[0].score < score
    }

    /// Keeps a key, if it is among the best.
    pub fn offer(&mut self, key: &[u8], score: u64) {
        if !self.takes(score) || self.candidates.iter().any(|kept| kept.key == key) {
            return;
        }
        if self.candidates.len() == SIZE {
            self.spare = self.candidates.remove(0).key;
        }
        let mut kept = std::mem::take(&mut self.spare);
        kept.clear();
        kept.extend_from_slice(key);
        let at = self
            .candidates
            .partition_point(|candidate| candidate.score < score);
        self.candidates.insert(at, Candidate { score, key: kept });
    }

    /// Takes the best candidate out, and shows it with its score.
    pub fn take_best<R>(&mut self, show: impl FnOnce(&Key<'_>, u64) -> R) -> Option<R> {
        let Candidate { score, key } = self.candidates.pop()?;
        let result = show(&Key::new(&key), score);
        self.spare = key;
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_all_that_were_offered_are_kept_and_come_first() {
        let mut pool = Pool::default();
        for score in (0..1000u64).map(|i| i * 7919 % 1000) {
            pool.offer(format!("key{score}").as_bytes(), score);
        }
        pool.offer(b"key999", 999);
        let taken: Vec<u64> = std::iter::from_fn(|| {
            pool.take_best(|key, score| {
                assert_eq!(key.bytes, format!("key{score}").as_bytes());
                score
            })
        })
        .collect();
        assert_eq!(taken, (984..1000).rev().collect::<Vec<_>>());
    }
}
