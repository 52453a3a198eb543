//! What the algebra of sorted sets reads: sorted sets, and sets, whose members count as 1.

use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{Collection, Entry, Held, Key, Set, SortedSet};

/// A key's value.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    Sorted(&'a SortedSet),
    Set(&'a Set),
    Absent,
}

impl<'a> Source<'a> {
    fn of(entry: Option<Entry<'a>>) -> Result<Self, ErrorReply> {
        let Some(entry) = entry else {
            return Ok(Self::Absent);
        };
        match entry.collection() {
            Some(Collection::SortedSet(set)) => Ok(Self::Sorted(set)),
            Some(Collection::Set(set)) => Ok(Self::Set(set)),
            _ => Err(ErrorReply::WRONG_TYPE),
        }
    }

    pub fn len(self) -> usize {
        match self {
            Self::Sorted(set) => set.len(),
            Self::Set(set) => set.len(),
            Self::Absent => 0,
        }
    }

    pub fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Sorted(set) => set.score(member),
            Self::Set(set) => set.contains(member).then_some(1.0),
            Self::Absent => None,
        }
    }

    pub fn for_each(self, visit: &mut dyn FnMut(&[u8], f64)) {
        match self {
            Self::Sorted(set) => set.for_each(visit),
            Self::Set(set) => set
                .iter()
                .for_each(|member| visit(member.text(&mut itoa::Buffer::new()), 1.0)),
            Self::Absent => {}
        }
    }
}

/// Removes those of the keys that have expired, marks the others as accessed, and counts the lookups.
///
/// # Errors
/// One holds something else.
pub fn touch(call: &mut Call<'_>, keys: &[Key<'_>]) -> Result<(), ErrorReply> {
    let stats = call.node.stats.worker(call.worker);
    for key in keys {
        call.notify_miss(key);
        let found = call.held.table(key.slot).get(key, call.now);
        stats.looked_up(found.is_some());
        Source::of(found)?;
    }
    Ok(())
}

/// The values of keys that were touched.
pub fn sources<'h>(held: &'h Held<'_>, keys: &[Key<'_>], now: u64) -> Vec<Source<'h>> {
    keys.iter()
        .map(|key| Source::of(held.look(key, now)).unwrap_or(Source::Absent))
        .collect()
}
