//! Values as an RDB and a DUMP payload hold them: a file a type. A new type adds its numbers to [`kind`], and a row to
//! [`kind_of`], [`write`] and [`read`].

mod hash;
mod list;
mod older;
mod set;
mod sorted_set;
mod stream;

use std::sync::Arc;

use super::encode::Encoder;
use super::error::RdbError;
use super::source::Source;
use crate::keyspace::{Collection, Content, Limits};

/// Numbers of types, as redis-server 7.0 writes them and as it once did.
pub(in crate::persistence) mod kind {
    pub const STRING: u8 = 0;
    pub const LIST: u8 = 1;
    pub const SET: u8 = 2;
    pub const ZSET: u8 = 3;
    pub const HASH: u8 = 4;
    pub const ZSET_2: u8 = 5;
    pub const HASH_ZIPMAP: u8 = 9;
    pub const LIST_ZIPLIST: u8 = 10;
    pub const SET_INTSET: u8 = 11;
    pub const ZSET_ZIPLIST: u8 = 12;
    pub const HASH_ZIPLIST: u8 = 13;
    pub const LIST_QUICKLIST: u8 = 14;
    pub const HASH_LISTPACK: u8 = 16;
    pub const LIST_QUICKLIST_2: u8 = 18;
    pub const ZSET_LISTPACK: u8 = 17;
    pub const STREAM_LISTPACKS: u8 = 15;
    pub const STREAM_LISTPACKS_2: u8 = 19;
}

/// The number of a collection's type and form.
pub(super) fn kind_of(collection: &Collection) -> u8 {
    match collection {
        Collection::Hash(hash) => hash::kind_of(hash),
        Collection::Set(set) => set::kind_of(set),
        Collection::List(_) => kind::LIST_QUICKLIST_2,
        Collection::SortedSet(set) => sorted_set::kind_of(set),
        Collection::Stream(_) => kind::STREAM_LISTPACKS_2,
    }
}

/// Writes a collection, without its type.
pub(super) fn write(encoder: &mut Encoder, collection: &Collection) {
    match collection {
        Collection::Hash(hash) => hash::write(encoder, hash),
        Collection::Set(set) => set::write(encoder, set),
        Collection::List(list) => list::write(encoder, list),
        Collection::SortedSet(set) => sorted_set::write(encoder, set),
        Collection::Stream(stream) => stream::write(encoder, stream),
    }
}

/// Reads a value of the type `kind` as an entry holds it; `None` if this version of the node has no such type. An empty
/// collection is damage.
///
/// # Errors
/// The value is damaged, or cut off.
pub(in crate::persistence) fn read(
    source: &mut Source<'_>,
    kind: u8,
    limits: &Limits,
) -> Result<Option<Content<'static>>, RdbError> {
    let collection = match kind {
        kind::STRING => {
            let mut text = Vec::new();
            source.string(&mut text)?;
            // It has grown as it arrived, and becomes the value as it is.
            text.shrink_to_fit();
            return Ok(Some(Content::Owned(text)));
        }
        kind::HASH => Collection::Hash(hash::read(source, limits)?),
        kind::HASH_LISTPACK => Collection::Hash(hash::read_listpack(source, limits)?),
        kind::SET => Collection::Set(set::read(source, limits)?),
        kind::SET_INTSET => Collection::Set(set::read_intset(source, limits)?),
        kind::LIST => Collection::List(list::read(source, limits)?),
        kind::LIST_QUICKLIST_2 => Collection::List(list::read_packs(source, limits)?),
        kind::ZSET | kind::ZSET_2 => Collection::SortedSet(sorted_set::read(source, kind, limits)?),
        kind::ZSET_LISTPACK => Collection::SortedSet(sorted_set::read_listpack(source, limits)?),
        kind::HASH_ZIPMAP
        | kind::LIST_ZIPLIST
        | kind::ZSET_ZIPLIST
        | kind::HASH_ZIPLIST
        | kind::LIST_QUICKLIST => older::read(source, kind, limits)?,
        kind::STREAM_LISTPACKS | kind::STREAM_LISTPACKS_2 => Collection::Stream(stream::read(source, kind)?),
        _ => return Ok(None),
    };
    if collection.is_empty() {
        return Err(source.damaged(format!("an empty {}", collection.type_name())));
    }
    Ok(Some(Content::Collection(Arc::new(collection))))
}

/// What a value of a type is that a keyspace does not hold; `None`: there is no such type.
pub(in crate::persistence) fn type_name(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 | 10 | 14 | 18 => "a list",
        2 | 11 => "a set",
        3 | 5 | 12 | 17 => "a sorted set",
        4 | 9 | 13 | 16 => "a hash",
        15 | 19 => "a stream",
        20 => "a set of a time after 7.0",
        22..=25 => "a hash of a time after 7.0",
        21 => "a stream of a time after 7.0",
        6 | 7 => "a value of a module",
        _ => return None,
    })
}
