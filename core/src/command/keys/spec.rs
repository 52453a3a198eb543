//! Key specifications: where the search for keys begins, and how they are found from there.

use crate::command::flags::KeyFlags;

/// One place of a command's arguments that holds keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// What is done to these keys.
    pub flags: KeyFlags,
    /// Where the search begins.
    pub begin: Begin,
    /// How keys are found from there.
    pub find: Find,
}

/// Where the search for keys begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At this argument; 0 is the command's name.
    Index(i16),
    /// After this keyword, looked for from argument `from` on; from the end backwards if negative.
    Keyword { word: &'static str, from: i16 },
    /// Other arguments or the data decide.
    Unknown,
}

/// How keys are found from where the search begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// Every `step`-th argument up to `last`: relative to the first one, or to the end of the arguments if negative.
    /// With a `limit` of 2 or more, only that part of what is left holds keys: 2 is the first half.
    Range { last: i16, step: i16, limit: i16 },
    /// As many keys as the argument at `count` says, from `first` on; both relative to the beginning.
    Count { count: i16, first: i16, step: i16 },
    /// Other arguments or the data decide.
    Unknown,
}

/// The legacy triple; `first` is 0 without keys, `last` is absolute or negative from the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::command) struct LegacyRange {
    pub first: i16,
    pub last: i16,
    pub step: i16,
}

/// One key, at argument `index`.
pub(in crate::command) const fn key(index: i16, flags: &str) -> KeySpec {
    range(index, 0, 1, flags)
}

/// Keys from argument `first` to `last` (relative to the first, or negative from the end), every `step`-th.
pub(in crate::command) const fn range(first: i16, last: i16, step: i16, flags: &str) -> KeySpec {
    KeySpec {
        flags: KeyFlags::from_words(flags),
        begin: Begin::Index(first),
        find: Find::Range { last, step, limit: 0 },
    }
}

/// Keys counted by the argument at `index`, which they follow.
pub(in crate::command) const fn counted(index: i16, flags: &str) -> KeySpec {
    KeySpec {
        flags: KeyFlags::from_words(flags),
        begin: Begin::Index(index),
        find: Find::Count {
            count: 0,
            first: 1,
            step: 1,
        },
    }
}

/// Keys after `word`, looked for from argument `from` on: up to `last`, in the first `limit`-th of what is left.
pub(in crate::command) const fn after(
    word: &'static str,
    from: i16,
    last: i16,
    limit: i16,
    flags: &str,
) -> KeySpec {
    KeySpec {
        flags: KeyFlags::from_words(flags),
        begin: Begin::Keyword { word, from },
        find: Find::Range { last, step: 1, limit },
    }
}

/// Keys that only the command itself can find.
pub(in crate::command) const fn unknown(flags: &str) -> KeySpec {
    KeySpec {
        flags: KeyFlags::from_words(flags),
        begin: Begin::Unknown,
        find: Find::Unknown,
    }
}

/// The legacy triple that follows from the specifications, and whether there are keys that it misses.
///
/// Ranges that continue each other become one. Clients that know nothing but the triple route by it, so it has to be
/// the one that they expect, also where the keys are movable.
pub(in crate::command) const fn legacy_range(specs: &[KeySpec]) -> (LegacyRange, bool) {
    if let [
        KeySpec {
            begin: Begin::Index(first),
            find: Find::Range { last, step, .. },
            flags,
        },
    ] = specs
    {
        let last = if *last >= 0 { *first + *last } else { *last };
        return (
            LegacyRange {
                first: *first,
                last,
                step: *step,
            },
            flags.contains(KeyFlags::INCOMPLETE),
        );
    }
    let mut triple = LegacyRange {
        first: 0,
        last: 0,
        step: 0,
    };
    let mut movable = false;
    let mut i = 0;
    while i < specs.len() {
        let spec = &specs[i];
        i += 1;
        let (Begin::Index(first), Find::Range { last, step: 1, .. }) = (spec.begin, spec.find) else {
            movable = true;
            continue;
        };
        if triple.first != 0 && triple.last != first - 1 {
            movable = true;
            continue;
        }
        movable |= spec.flags.contains(KeyFlags::INCOMPLETE);
        if triple.first == 0 {
            triple.first = first;
        }
        triple.last = if last >= 0 { first + last } else { last };
        triple.step = 1;
    }
    (triple, movable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_continue_each_other_become_one() {
        let triple = |first, last, step| LegacyRange { first, last, step };
        assert_eq!(
            legacy_range(&[key(1, "RW"), key(2, "OW")]),
            (triple(1, 2, 1), false)
        );
        assert_eq!(
            legacy_range(&[key(2, "OW"), range(3, -1, 1, "RO")]),
            (triple(2, -1, 1), false)
        );
        assert_eq!(legacy_range(&[range(1, -1, 2, "OW")]), (triple(1, -1, 2), false));
        assert_eq!(
            legacy_range(&[key(1, "OW"), counted(2, "RO")]),
            (triple(1, 1, 1), true)
        );
        assert_eq!(legacy_range(&[counted(2, "RO")]), (triple(0, 0, 0), true));
        assert_eq!(legacy_range(&[]), (triple(0, 0, 0), false));
    }
}
