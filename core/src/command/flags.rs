//! What is said about a command in single words: flags, ACL categories, key flags, groups.
//!
//! Rows of the table name them as words of one string ("write denyoom fast"), which is read while compiling: a word
//! that does not exist is a compile error.

use std::fmt;

/// A bit set whose bits have a name on the wire, and a `const` reader of those names.
macro_rules! named_bits {
    (
        $(#[$outer:meta])*
        $name:ident {
            $( $(#[doc = $doc:literal])* $flag:ident = $bit:literal, $word:literal; )+
        }
    ) => {
        bitflags::bitflags! {
            $(#[$outer])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            pub struct $name: u32 {
                $( $(#[doc = $doc])* const $flag = 1 << $bit; )+
            }
        }

        impl $name {
            const WORDS: &'static [(&'static str, $name)] = &[ $( ($word, $name::$flag), )+ ];

            /// The flags that `words`, separated by single spaces, name.
            ///
            /// # Panics
            /// On a word that names no flag. In the table this happens while compiling.
            pub const fn from_words(words: &str) -> $name {
                let mut flags = $name::empty();
                let mut rest = words.as_bytes();
                while !rest.is_empty() {
                    let (word, after) = split_word(rest);
                    rest = after;
                    let mut i = 0;
                    while i < Self::WORDS.len() && !bytes_equal(word, Self::WORDS[i].0.as_bytes()) {
                        i += 1;
                    }
                    assert!(i < Self::WORDS.len(), "no such word");
                    flags = flags.union(Self::WORDS[i].1);
                }
                flags
            }

            /// The flag with this name, without regard to case.
            pub fn from_word(word: &[u8]) -> Option<$name> {
                Self::WORDS.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word)).map(|(_, flag)| *flag)
            }

            /// The names of the flags that are set, in the order of their bits.
            pub fn words(self) -> impl Iterator<Item = &'static str> {
                Self::WORDS.iter().filter(move |(_, flag)| self.contains(*flag)).map(|(word, _)| *word)
            }
        }
    };
}

named_bits! {
    /// What a command may do and when it may run; the names are those of `COMMAND INFO`.
    CommandFlags {
        /// May change the data set.
        WRITE = 0, "write";
        /// Reads keys and changes none.
        READONLY = 1, "readonly";
        /// Refused while memory is above its limit.
        DENYOOM = 2, "denyoom";
        /// Comes from a module.
        MODULE = 3, "module";
        /// For administrators.
        ADMIN = 4, "admin";
        /// Part of publish/subscribe.
        PUBSUB = 5, "pubsub";
        /// Not for scripts.
        NOSCRIPT = 6, "noscript";
        /// May block its client.
        BLOCKING = 7, "blocking";
        /// Allowed while the data set is being loaded.
        LOADING = 8, "loading";
        /// Allowed on a replica that lost its primary.
        STALE = 9, "stale";
        /// Not shown to `MONITOR`.
        SKIP_MONITOR = 10, "skip_monitor";
        /// Not kept in the slow log.
        SKIP_SLOWLOG = 11, "skip_slowlog";
        /// Accepted for a slot that is being imported, without `ASKING`.
        ASKING = 12, "asking";
        /// Constant or logarithmic time.
        FAST = 13, "fast";
        /// Allowed before authentication.
        NO_AUTH = 14, "no_auth";
        /// May replicate though it is no write, such as `PUBLISH`.
        MAY_REPLICATE = 15, "may_replicate";
        /// Not inside a transaction.
        NO_MULTI = 16, "no_multi";
        /// The legacy first/last/step triple does not give all keys.
        MOVABLEKEYS = 17, "movablekeys";
        /// Allowed while a script has run for too long.
        ALLOW_BUSY = 18, "allow_busy";
        /// Refused while a replica loads without blocking.
        NO_ASYNC_LOADING = 19, "no_async_loading";
        /// Has key specifications and may still be called without a key.
        NO_MANDATORY_KEYS = 20, "no_mandatory_keys";
        /// Refused unless the configuration allows it.
        PROTECTED = 21, "protected";
    }
}

named_bits! {
    /// ACL categories, without the `@` of their names.
    AclCategories {
        KEYSPACE = 0, "keyspace";
        READ = 1, "read";
        WRITE = 2, "write";
        SET = 3, "set";
        SORTEDSET = 4, "sortedset";
        LIST = 5, "list";
        HASH = 6, "hash";
        STRING = 7, "string";
        BITMAP = 8, "bitmap";
        HYPERLOGLOG = 9, "hyperloglog";
        GEO = 10, "geo";
        STREAM = 11, "stream";
        PUBSUB = 12, "pubsub";
        ADMIN = 13, "admin";
        FAST = 14, "fast";
        SLOW = 15, "slow";
        BLOCKING = 16, "blocking";
        DANGEROUS = 17, "dangerous";
        CONNECTION = 18, "connection";
        TRANSACTION = 19, "transaction";
        SCRIPTING = 20, "scripting";
    }
}

named_bits! {
    /// What a command does to the keys of one key specification.
    KeyFlags {
        /// Reads the value of the key, and does not change it.
        RO = 0, "RO";
        /// Changes a value that it also depends on.
        RW = 1, "RW";
        /// Overwrites the value.
        OW = 2, "OW";
        /// Removes the key.
        RM = 3, "RM";
        /// Gives back or copies data of the value.
        ACCESS = 4, "access";
        /// Changes data that is there.
        UPDATE = 5, "update";
        /// Adds data without changing what is there.
        INSERT = 6, "insert";
        /// Deletes some of the data.
        DELETE = 7, "delete";
        /// Routed like a key, but is none: a shard channel.
        NOT_KEY = 8, "not_key";
        /// The specification may miss keys.
        INCOMPLETE = 9, "incomplete";
        /// Other arguments decide what is done to the key.
        VARIABLE_FLAGS = 10, "variable_flags";
    }
}

/// The family that documentation lists a command under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    Bitmap,
    Cluster,
    Connection,
    Generic,
    Geo,
    Hash,
    Hyperloglog,
    List,
    Pubsub,
    Scripting,
    Server,
    Set,
    SortedSet,
    Stream,
    String,
    Transactions,
}

impl Group {
    /// The name of the group in `COMMAND DOCS`.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Bitmap => "bitmap",
            Group::Cluster => "cluster",
            Group::Connection => "connection",
            Group::Generic => "generic",
            Group::Geo => "geo",
            Group::Hash => "hash",
            Group::Hyperloglog => "hyperloglog",
            Group::List => "list",
            Group::Pubsub => "pubsub",
            Group::Scripting => "scripting",
            Group::Server => "server",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Stream => "stream",
            Group::String => "string",
            Group::Transactions => "transactions",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The bytes before the first space, and those after it.
const fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    let mut end = 0;
    while end < text.len() && text[end] != b' ' {
        end += 1;
    }
    let (word, rest) = text.split_at(end);
    match rest.split_first() {
        Some((_, after)) => (word, after),
        None => (word, rest),
    }
}

/// `a == b`, which the language does not offer in `const` yet.
const fn bytes_equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip() {
        let flags = CommandFlags::from_words("fast write denyoom");
        assert_eq!(
            flags,
            CommandFlags::WRITE | CommandFlags::DENYOOM | CommandFlags::FAST
        );
        assert_eq!(flags.words().collect::<Vec<_>>(), ["write", "denyoom", "fast"]);
        assert_eq!(CommandFlags::from_words(""), CommandFlags::empty());
        assert_eq!(
            AclCategories::from_word(b"SortedSet"),
            Some(AclCategories::SORTEDSET)
        );
        assert_eq!(AclCategories::from_word(b"sorted"), None);
    }

    #[test]
    #[should_panic(expected = "no such word")]
    fn an_unknown_word_panics() {
        CommandFlags::from_words("write quick");
    }
}
