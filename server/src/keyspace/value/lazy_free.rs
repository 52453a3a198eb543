//! The thread that takes large collections apart, so that neither a slot's lock nor a worker waits for it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, LazyLock};
use std::thread;

use super::Collection;

/// Collections with more to free than this go to the thread.
const EFFORT_MAX: usize = 64;

/// Collections that wait for it.
static PENDING: AtomicUsize = AtomicUsize::new(0);
/// Bytes that they hold.
static PENDING_BYTES: AtomicUsize = AtomicUsize::new(0);
/// Collections that it has freed.
static FREED: AtomicU64 = AtomicU64::new(0);

/// A collection, and the bytes that it holds.
type Doomed = (Arc<Collection>, usize);

/// `None`: there is no thread to be had.
static QUEUE: LazyLock<Option<Sender<Doomed>>> = LazyLock::new(|| {
    let (queue, waiting) = channel();
    let free = move || {
        for (collection, bytes) in waiting {
            drop(collection);
            PENDING_BYTES.fetch_sub(bytes, Relaxed);
            PENDING.fetch_sub(1, Relaxed);
            FREED.fetch_add(1, Relaxed);
        }
    };
    let thread = thread::Builder::new().name("lazy-free".into()).spawn(free);
    thread.is_ok().then_some(queue)
});

/// Gives a collection up.
pub(in super::super) fn release(collection: Arc<Collection>) {
    if collection.free_effort() <= EFFORT_MAX {
        return;
    }
    let Some(queue) = &*QUEUE else { return };
    let bytes = collection.footprint();
    PENDING.fetch_add(1, Relaxed);
    PENDING_BYTES.fetch_add(bytes, Relaxed);
    // A thread that is gone takes nothing more; the collection is freed here then.
    if queue.send((collection, bytes)).is_err() {
        PENDING.fetch_sub(1, Relaxed);
        PENDING_BYTES.fetch_sub(bytes, Relaxed);
    }
}

/// Collections that wait to be freed.
pub fn pending() -> usize {
    PENDING.load(Relaxed)
}

/// Bytes that they hold.
pub fn pending_bytes() -> usize {
    PENDING_BYTES.load(Relaxed)
}

/// Collections freed by the thread since the start.
pub fn freed() -> u64 {
    FREED.load(Relaxed)
}

/// Forgets how many were freed, as CONFIG RESETSTAT does.
pub fn reset() {
    FREED.store(0, Relaxed);
}
