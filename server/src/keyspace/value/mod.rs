//! Collections: the values that are no strings.
//!
//! ```text
//! entry (key, expiry) ─► Arc<Collection>
//!                          Hash   Listpack │ Segments           small, one block of bytes │ large, a table
//!                          Set    Intset   │ Segments
//!                          List   Listpack, Listpack, ...      a row of small blocks
//!                    SortedSet    Listpack │ Segments and a tree of ranks
//!                       Stream    nodes of entries (listpacks) by ID, and consumer groups
//! ```
//!
//! A type is a file here: its forms, and what converts one into the other. [`Listpack`] and [`Intset`] are the byte
//! layouts of redis-server, so that an RDB holds them as they are; [`Segments`] is the table of large collections, none
//! of whose steps takes time in proportion to its size.
//!
//! The pointer is shared with a snapshot that has not written the value yet: whoever changes the value then changes a
//! copy ([`Arc::make_mut`]). A copy of a table shares all segments but those that are changed. [`lazy_free`] takes large
//! collections apart on a thread of its own.

mod hash;
mod intset;
pub mod lazy_free;
mod limits;
mod list;
mod listpack;
mod segments;
mod set;
mod sorted_set;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use hash::{Hash, HashForm};
pub use intset::Intset;
pub use limits::{Limits, NodeLimit};
pub use list::{List, Side};
pub use listpack::{Item, Listpack};
pub use segments::Segments;
pub use set::{Set, SetForm};
pub use sorted_set::{SortedSet, TextSpan};
pub use stream::{
    AppendError, Consumer, Entries, Group, Keep, NewId, Pack, Pending, Stream, StreamEntry, StreamId,
    StreamTotals,
};

/// A value that is no string.
#[derive(Clone, Debug)]
pub enum Collection {
    Hash(Hash),
    Set(Set),
    List(List),
    SortedSet(SortedSet),
    Stream(Stream),
}

/// One type of collection.
pub trait CollectionType: Default {
    /// The collection, if it is of this type.
    fn of(collection: &Collection) -> Option<&Self>;
    /// The collection for writing, if it is of this type.
    fn of_mut(collection: &mut Collection) -> Option<&mut Self>;
    /// The collection that holds `self`.
    fn into_collection(self) -> Collection;
    /// Elements.
    fn len(&self) -> usize;
    /// Is it no value? Then its key goes. Most are none when they have no elements.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Implements [`CollectionType`] for a type with a `len` by the variant of its name.
macro_rules! collection_type {
    ($name:ident $(, $is_empty:path)?) => {
        impl CollectionType for $name {
            fn of(collection: &Collection) -> Option<&Self> {
                match collection {
                    Collection::$name(value) => Some(value),
                    _ => None,
                }
            }

            fn of_mut(collection: &mut Collection) -> Option<&mut Self> {
                match collection {
                    Collection::$name(value) => Some(value),
                    _ => None,
                }
            }

            fn into_collection(self) -> Collection {
                Collection::$name(self)
            }

            fn len(&self) -> usize {
                $name::len(self)
            }

            $(fn is_empty(&self) -> bool {
                $is_empty(self)
            })?
        }
    };
}

collection_type!(Hash);
collection_type!(Set);
collection_type!(List);
collection_type!(SortedSet);
collection_type!(Stream, Stream::is_absent);

impl Collection {
    /// The type, as TYPE names it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Hash(_) => "hash",
            Self::Set(_) => "set",
            Self::List(_) => "list",
            Self::SortedSet(_) => "zset",
            Self::Stream(_) => "stream",
        }
    }

    /// The form, as OBJECT ENCODING names it.
    pub fn encoding(&self) -> &'static str {
        match self {
            Self::Hash(hash) => hash.encoding(),
            Self::Set(set) => set.encoding(),
            Self::List(list) => list.encoding(),
            Self::SortedSet(set) => set.encoding(),
            Self::Stream(stream) => stream.encoding(),
        }
    }

    /// Elements.
    pub fn len(&self) -> usize {
        match self {
            Self::Hash(hash) => hash.len(),
            Self::Set(set) => set.len(),
            Self::List(list) => list.len(),
            Self::SortedSet(set) => set.len(),
            Self::Stream(stream) => stream.len(),
        }
    }

    /// Is it no value? A stream without entries is one.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Stream(stream) => stream.is_absent(),
            other => other.len() == 0,
        }
    }

    /// Bytes allocated. Takes the same time whatever the size.
    pub fn footprint(&self) -> usize {
        let own = size_of::<Self>() + 2 * size_of::<usize>();
        own + match self {
            Self::Hash(hash) => hash.footprint(),
            Self::Set(set) => set.footprint(),
            Self::List(list) => list.footprint(),
            Self::SortedSet(set) => set.footprint(),
            Self::Stream(stream) => stream.footprint(),
        }
    }

    /// Allocations that freeing it gives back, about.
    pub fn free_effort(&self) -> usize {
        match self {
            Self::Hash(hash) => hash.free_effort(),
            Self::Set(set) => set.free_effort(),
            Self::List(list) => list.free_effort(),
            Self::SortedSet(set) => set.free_effort(),
            Self::Stream(stream) => stream.free_effort(),
        }
    }
}

/// Equal collections hold the same elements, in whatever form.
impl PartialEq for Collection {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Hash(a), Self::Hash(b)) => a == b,
            (Self::Set(a), Self::Set(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::SortedSet(a), Self::SortedSet(b)) => a == b,
            (Self::Stream(a), Self::Stream(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Collection {}

/// For writing: a copy, if a snapshot still needs the collection as it is.
pub(super) fn make_mut(collection: &mut Arc<Collection>) -> &mut Collection {
    Arc::make_mut(collection)
}
