//! The keys of the node: 16384 slots, each a small hash table under its own lock.
//!
//! ```text
//! Keyspace (slots.rs)      16384 cells: hints readable without the lock | Mutex<SlotTable>
//!   SlotGuard (guard.rs)   a locked slot; Held = all the slots that one call has locked
//!   SlotTable (table.rs)   one slot: books, statistics, watchers
//!     Place (place.rs)     a key looked up once, to be read, changed or removed
//!     Buckets (buckets.rs) the hash table: cache lines of eight tagged words, each owning an entry
//!       OwnedEntry, Entry (entry/)   key, value and expiry in one allocation
//!         Collection (value/)   what is no string, in allocations of its own
//! ```
//!
//! Beside them: `expiry` removes what is over, `evict` what gives way to others, `scan` is one slot in hash order, `walk` many slots under
//! whatever locks a call holds, `watch` tells transactions of changes, `observe`
//! everybody else, `cut` is the state of one moment for a snapshot,
//! `size_class` is how the allocator rounds, `prefetch` the cache hints. Unsafe code is in `entry`, `buckets` and
//! `prefetch` alone.

mod buckets;
mod cut;
mod entry;
mod evict;
mod expiry;
mod guard;
mod key;
mod observe;
mod place;
mod prefetch;
mod scan;
mod size_class;
mod slots;
mod table;
mod value;
mod walk;
mod watch;

#[cfg(test)]
mod tests;

pub use cut::{Cut, Record, Records};
pub use entry::{AccessRule, Content, Entry, Kind, OwnedEntry, ValueRef, set_access_rule};
pub use evict::{Drawn, SlotWeights};
pub use guard::{Held, SlotGuard};
pub use key::{Key, hash_key};
pub use observe::{Forgotten, KeyEvent, Observer, Stale};
pub use place::{Change, Expire, Place, WrongType, typed};
pub use size_class::round_up as block_size;
pub use slots::{Departure, ExpireReport, Keyspace, Mode};
pub use table::{SlotStats, SlotTable};
pub use value::{
    AppendError, Collection, CollectionType, Consumer, Entries, Group, Hash, HashForm, Intset, Item, Keep,
    Limits, List, Listpack, NewId, NodeLimit, Pack, Pending, Segments, Set, SetForm, Side, SortedSet, Stream,
    StreamEntry, StreamId, StreamTotals, TextSpan, lazy_free,
};
pub use watch::Contents;
