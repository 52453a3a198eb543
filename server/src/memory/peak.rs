//! What was in use when the node had started, and at most since then.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::used;

/// Marks of the use of memory.
#[derive(Debug, Default)]
pub struct Peak {
    startup: AtomicU64,
    peak: AtomicU64,
}

impl Peak {
    /// The node is ready, and nobody has asked it for anything.
    pub fn started(&self) {
        self.startup.store(used(), Relaxed);
    }

    /// Looks how much is in use: called often, and whenever somebody wants to know.
    pub fn sample(&self) -> u64 {
        let used = used();
        self.peak.fetch_max(used, Relaxed);
        used
    }

    /// Bytes in use when the node had started.
    pub fn startup(&self) -> u64 {
        self.startup.load(Relaxed)
    }

    /// The most that was found in use.
    pub fn peak(&self) -> u64 {
        self.peak.load(Relaxed)
    }
}
