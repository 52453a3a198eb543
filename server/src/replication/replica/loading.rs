//! Whether a data set is being loaded, which is what clients are told of it, and how far it is.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use crate::node::unix_ms;

/// What a load means to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadingState {
    /// Nothing is being loaded.
    No,
    /// The data are not there: most commands are refused.
    Refusing,
    /// Next to the old data of the same history, which go on being served.
    Serving,
}

/// How far a load is. Bytes are those of the RDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadingFacts {
    /// What it means to clients.
    pub state: LoadingState,
    /// Unix time in milliseconds at which it began.
    pub started_ms: u64,
    /// Bytes that it will take, 0 if nobody knows.
    pub total_bytes: u64,
    /// Bytes taken so far.
    pub loaded_bytes: u64,
}

/// The load that is going on, if one is.
#[derive(Debug, Default)]
pub struct Loading {
    state: AtomicU8,
    started_ms: AtomicU64,
    total_bytes: AtomicU64,
    loaded_bytes: AtomicU64,
}

/// Ends the load that clients see when it is dropped, however that comes.
pub struct LoadingGuard<'a>(&'a Loading);

impl Loading {
    /// A load begins, of so many bytes (0: nobody knows). There is one at a time.
    pub fn begin(&self, state: LoadingState, total_bytes: u64) -> LoadingGuard<'_> {
        self.started_ms.store(unix_ms(), Relaxed);
        self.total_bytes.store(total_bytes, Relaxed);
        self.loaded_bytes.store(0, Relaxed);
        self.state.store(state as u8, Relaxed);
        LoadingGuard(self)
    }

    /// What it means to clients now.
    #[inline]
    pub fn state(&self) -> LoadingState {
        match self.state.load(Relaxed) {
            0 => LoadingState::No,
            1 => LoadingState::Refusing,
            _ => LoadingState::Serving,
        }
    }

    /// So many bytes more were taken.
    pub fn advance(&self, bytes: u64) {
        self.loaded_bytes.fetch_add(bytes, Relaxed);
    }

    /// For INFO.
    pub fn facts(&self) -> LoadingFacts {
        LoadingFacts {
            state: self.state(),
            started_ms: self.started_ms.load(Relaxed),
            total_bytes: self.total_bytes.load(Relaxed),
            loaded_bytes: self.loaded_bytes.load(Relaxed),
        }
    }
}

impl Drop for LoadingGuard<'_> {
    fn drop(&mut self) {
        self.0.state.store(LoadingState::No as u8, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_seen_until_its_guard_goes() {
        let loading = Loading::default();
        assert_eq!(loading.state(), LoadingState::No);
        let guard = loading.begin(LoadingState::Refusing, 100);
        loading.advance(40);
        assert_eq!(loading.state(), LoadingState::Refusing);
        assert_eq!(
            (loading.facts().total_bytes, loading.facts().loaded_bytes),
            (100, 40)
        );
        drop(guard);
        assert_eq!(loading.state(), LoadingState::No);
        let _guard = loading.begin(LoadingState::Serving, 0);
        assert_eq!(
            (loading.state(), loading.facts().loaded_bytes),
            (LoadingState::Serving, 0)
        );
    }
}
