//! For how long more memory has been in use than is allowed.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

#[derive(Debug, Default)]
struct Spans {
    past: Duration,
    since: Option<Instant>,
}

/// A stopwatch.
#[derive(Debug, Default)]
pub(super) struct Exceeded {
    runs: AtomicBool,
    spans: Mutex<Spans>,
}

impl Exceeded {
    /// More is in use than is allowed, and it stays so for now.
    #[cold]
    pub fn begin(&self) {
        let mut spans = self.spans.lock();
        spans.since.get_or_insert_with(Instant::now);
        self.runs.store(true, Relaxed);
    }

    /// It is so no more.
    #[inline]
    pub fn end(&self) {
        if self.runs.load(Relaxed) {
            self.stop();
        }
    }

    #[cold]
    fn stop(&self) {
        let mut spans = self.spans.lock();
        if let Some(since) = spans.since.take() {
            spans.past += since.elapsed();
        }
        self.runs.store(false, Relaxed);
    }

    /// Milliseconds in all, and of the span that runs.
    pub fn millis(&self) -> (u64, u64) {
        let spans = self.spans.lock();
        let now = spans.since.map_or(Duration::ZERO, |since| since.elapsed());
        ((spans.past + now).as_millis() as u64, now.as_millis() as u64)
    }

    pub fn reset(&self) {
        *self.spans.lock() = Spans::default();
        self.runs.store(false, Relaxed);
    }
}
