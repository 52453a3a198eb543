//! The thread that takes apart what is large: collections, and all that a flushed keyspace held. Neither a slot's lock
//! nor a worker waits for it, nor for the core that it runs on: it is less urgent than every other thread.

use std::any::Any;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, LazyLock};
use std::thread;

use super::super::watch::Contents;
use super::Collection;

/// Collections with more to free than this go to the thread.
const EFFORT_MAX: usize = 64;

/// By so many steps it is less urgent than the others: a tenth of a core is its own when all cores are busy, so that it
/// falls behind, but not for ever.
const NICE: i32 = 10;

/// Objects that wait for it.
static PENDING: AtomicUsize = AtomicUsize::new(0);
/// Bytes that they hold.
static PENDING_BYTES: AtomicUsize = AtomicUsize::new(0);
/// Objects that it has freed.
static FREED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static IS_LAZY_FREE: Cell<bool> = const { Cell::new(false) };
}

/// Lets others have the core for which they wait, if this is the thread that frees. It takes a part of a core when all are
/// busy, but never for long at a time.
#[inline]
pub fn give_way() {
    if IS_LAZY_FREE.get() {
        thread::yield_now();
    }
}

/// Something to be freed.
struct Doomed {
    what: Box<dyn Any + Send>,
    /// Collections or keys in it.
    objects: usize,
    bytes: usize,
}

/// `None`: there is no thread to be had.
static QUEUE: LazyLock<Option<Sender<Doomed>>> = LazyLock::new(|| {
    let (queue, waiting) = channel();
    let free = move || {
        // Elsewhere it would be the priority of the whole process. Where it cannot be set the thread only takes more of
        // what others could use.
        if cfg!(target_os = "linux") {
            let _ = rustix::process::setpriority_process(None, NICE);
        }
        IS_LAZY_FREE.set(true);
        for Doomed { what, objects, bytes } in waiting {
            drop(what);
            PENDING_BYTES.fetch_sub(bytes, Relaxed);
            PENDING.fetch_sub(objects, Relaxed);
            FREED.fetch_add(objects as u64, Relaxed);
        }
    };
    let thread = thread::Builder::new().name("lazy-free".into()).spawn(free);
    thread.is_ok().then_some(queue)
});

/// Gives a collection up.
pub(in super::super) fn release(collection: Arc<Collection>) {
    if collection.free_effort() > EFFORT_MAX {
        let bytes = collection.footprint();
        give(collection, 1, bytes);
    }
}

/// Gives up what the slots held that were emptied: so many keys and bytes.
pub fn release_contents(contents: Vec<Contents>, keys: usize, bytes: usize) {
    give(contents, keys, bytes);
}

fn give(what: impl Any + Send, objects: usize, bytes: usize) {
    let Some(queue) = &*QUEUE else { return };
    let what = Box::new(what);
    PENDING.fetch_add(objects, Relaxed);
    PENDING_BYTES.fetch_add(bytes, Relaxed);
    // A thread that is gone takes nothing more; all is freed here then.
    if queue.send(Doomed { what, objects, bytes }).is_err() {
        PENDING.fetch_sub(objects, Relaxed);
        PENDING_BYTES.fetch_sub(bytes, Relaxed);
    }
}

/// Collections, and keys of a flushed keyspace, that wait to be freed.
pub fn pending() -> usize {
    PENDING.load(Relaxed)
}

/// Bytes that they hold.
pub fn pending_bytes() -> usize {
    PENDING_BYTES.load(Relaxed)
}

/// Objects freed by the thread since the start.
pub fn freed() -> u64 {
    FREED.load(Relaxed)
}

/// Forgets how many were freed, as CONFIG RESETSTAT does.
pub fn reset() {
    FREED.store(0, Relaxed);
}
