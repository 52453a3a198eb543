//! What happens when memory is full: keys give way to others, or writes are refused.
//!
//! ```text
//!  a write, before it runs ─► room ─► picker ─► one key is removed under the lock of its slot, and the next...
//!                               │       └─ pool: the best candidates of all draws so far      policy: who is better
//!                               └─ out of time ─► background: a thread that goes on
//! ```
//!
//! Whoever evicts holds no lock beforehand, and never two. Each thread has a picker of its own; all of them look at the
//! one count of memory in use between two keys, so that several workers do not each remove what one of them had to.

mod background;
mod exceeded;
mod picker;
mod policy;
mod pool;
mod room;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use background::Background;
use exceeded::Exceeded;

pub use policy::Policy;
pub use room::{Room, has_room, make_room, not_counted};

/// What the node knows of its evictions.
#[derive(Debug, Default)]
pub struct Eviction {
    evicted: AtomicU64,
    exceeded: Exceeded,
    background: Background,
}

impl Eviction {
    /// Keys evicted since the start or the last reset.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Relaxed)
    }

    /// Milliseconds for which more was in use than is allowed: in all, and this time.
    pub fn exceeded_ms(&self) -> (u64, u64) {
        self.exceeded.millis()
    }

    /// CONFIG RESETSTAT.
    pub fn reset(&self) {
        self.evicted.store(0, Relaxed);
        self.exceeded.reset();
    }

    /// Makes room on another thread.
    pub fn wake(&self, node: &'static crate::node::Node) {
        self.background.wake(node);
    }
}
