//! Sorted sets: a listpack of members and scores in turn, or a table of members beside their order.

mod name;
mod order;
mod packed;
mod ranked;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::limits::Limits;
use super::listpack::Listpack;
use ranked::Ranked;

/// Members with scores, ordered by score and by text where scores are equal. No score is NaN.
#[derive(Clone, Debug)]
pub struct SortedSet {
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Listpack(Listpack),
    Ranked(Box<Ranked>),
}

/// Members by text, all scores being equal.
pub struct TextSpan<'a> {
    /// Does a text lie behind the lower bound?
    pub is_above: &'a dyn Fn(&[u8]) -> bool,
    /// Does a text lie before the upper bound?
    pub is_below: &'a dyn Fn(&[u8]) -> bool,
}

impl Default for SortedSet {
    fn default() -> Self {
        Self {
            form: Form::Listpack(Listpack::default()),
        }
    }
}

impl SortedSet {
    /// A sorted set that will not be a listpack, whatever its members.
    pub fn ranked() -> Self {
        Self {
            form: Form::Ranked(Box::default()),
        }
    }

    /// An empty one, in the form that it will have with so many members, the longest of so many bytes. In a listpack, a
    /// zero has no sign.
    pub fn for_members(members: usize, longest: usize, limits: &Limits) -> Self {
        if members > limits.zset_max_entries || longest > limits.zset_max_value {
            Self::ranked()
        } else {
            Self::default()
        }
    }

    /// A sorted set from a listpack that was checked to be one; `None` if it is not in order, or no score stands behind a
    /// member.
    pub fn from_listpack(list: Listpack, limits: &Limits) -> Option<Self> {
        if !packed::is_sorted_set(&list) {
            return None;
        }
        let mut set = Self {
            form: Form::Listpack(list),
        };
        if set.len() > limits.zset_max_entries {
            set.convert();
        }
        Some(set)
    }

    /// The listpack, if it is one.
    pub fn listpack(&self) -> Option<&Listpack> {
        match &self.form {
            Form::Listpack(list) => Some(list),
            Form::Ranked(_) => None,
        }
    }

    pub fn encoding(&self) -> &'static str {
        match self.form {
            Form::Listpack(_) => "listpack",
            Form::Ranked(_) => "skiplist",
        }
    }

    /// Members.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Listpack(list) => list.len() / 2,
            Form::Ranked(ranked) => ranked.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes allocated.
    pub fn footprint(&self) -> usize {
        match &self.form {
            Form::Listpack(list) => list.footprint(),
            Form::Ranked(ranked) => ranked.footprint(),
        }
    }

    pub fn free_effort(&self) -> usize {
        match &self.form {
            Form::Listpack(_) => 1,
            Form::Ranked(ranked) => ranked.len(),
        }
    }

    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match &self.form {
            Form::Listpack(list) => packed::find(list, member).map(|(_, score)| score),
            Form::Ranked(ranked) => ranked.score(member),
        }
    }

    /// How many members stand before this one.
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        match &self.form {
            Form::Listpack(list) => {
                let (at, _) = packed::find(list, member)?;
                list.pairs().position(|(other, ..)| other == at)
            }
            Form::Ranked(ranked) => ranked.rank(member),
        }
    }

    /// Gives a member a score, which is not NaN; true if the member is new.
    pub fn insert(&mut self, member: &[u8], score: f64, limits: &Limits) -> bool {
        if let Form::Listpack(list) = &mut self.form {
            if let Some((at, _)) = packed::find(list, member) {
                list.remove(at, 2);
                packed::insert(list, member, score);
                return false;
            }
            if list.len() / 2 < limits.zset_max_entries
                && member.len() <= limits.zset_max_value
                && list.has_room_for(member.len())
            {
                packed::insert(list, member, score);
                return true;
            }
            self.convert();
        }
        match &mut self.form {
            Form::Ranked(ranked) => ranked.insert(member, score),
            Form::Listpack(_) => unreachable!("it was converted above"),
        }
    }

    /// Removes a member; false if it is not there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.form {
            Form::Listpack(list) => {
                let found = packed::find(list, member);
                if let Some((at, _)) = found {
                    list.remove(at, 2);
                }
                found.is_some()
            }
            Form::Ranked(ranked) => ranked.remove(member),
        }
    }

    /// Removes the members of these ranks; how many they were.
    pub fn remove_ranks(&mut self, ranks: Range<usize>) -> usize {
        let ranks = ranks.start..ranks.end.min(self.len());
        if ranks.is_empty() {
            return 0;
        }
        match &mut self.form {
            Form::Listpack(list) => {
                if let Some(at) = list.seek(2 * ranks.start) {
                    list.remove(at, 2 * ranks.len());
                }
            }
            Form::Ranked(ranked) => {
                let mut members = Vec::with_capacity(ranks.len());
                ranked.visit(ranks.clone(), false, &mut |member, _| {
                    members.push(member.to_vec())
                });
                for member in members {
                    ranked.remove(&member);
                }
            }
        }
        ranks.len()
    }

    /// How many members, from the first on, `is_before` accepts by their scores.
    pub fn scores_before(&self, is_before: &dyn Fn(f64) -> bool) -> usize {
        match &self.form {
            Form::Listpack(list) => packed::members(list)
                .take_while(|(_, _, score)| is_before(*score))
                .count(),
            Form::Ranked(ranked) => ranked.scores_before(is_before),
        }
    }

    /// Ranks of the members whose texts lie in a span. Where scores differ, a listpack is searched from the end that a
    /// reply begins with, as redis-server does.
    pub fn ranks_of(&self, span: &TextSpan<'_>, reverse: bool) -> Range<usize> {
        let list = match &self.form {
            Form::Listpack(list) => list,
            Form::Ranked(ranked) => {
                let start = ranked.texts_before(&|text| !(span.is_above)(text));
                return start..ranked.texts_before(span.is_below).max(start);
            }
        };
        let texts: Vec<Vec<u8>> = list
            .pairs()
            .map(|(_, member, _)| member.text(&mut itoa::Buffer::new()).to_vec())
            .collect();
        let (above, below) = (
            |text: &Vec<u8>| (span.is_above)(text),
            |text: &Vec<u8>| (span.is_below)(text),
        );
        if !texts.last().is_some_and(above) || !texts.first().is_some_and(below) {
            return 0..0;
        }
        if reverse {
            let end = texts.iter().rposition(below).map_or(0, |last| last + 1);
            let len = texts[..end].iter().rev().take_while(|text| above(text)).count();
            end - len..end
        } else {
            let start = texts.iter().position(above).unwrap_or(texts.len());
            let len = texts[start..].iter().take_while(|text| below(text)).count();
            start..start + len
        }
    }

    /// Visits the members of these ranks with their scores, the last one first if `reverse`.
    pub fn visit(&self, ranks: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&[u8], f64)) {
        let ranks = ranks.start..ranks.end.min(self.len());
        if ranks.is_empty() {
            return;
        }
        match &self.form {
            Form::Listpack(list) => {
                let chosen: Vec<_> = packed::members(list)
                    .skip(ranks.start)
                    .take(ranks.len())
                    .collect();
                let mut say = |place: usize| {
                    let (_, member, score) = chosen[place];
                    visit(member.text(&mut itoa::Buffer::new()), score);
                };
                if reverse {
                    (0..ranks.len()).rev().for_each(&mut say);
                } else {
                    (0..ranks.len()).for_each(&mut say);
                }
            }
            Form::Ranked(ranked) => ranked.visit(ranks, reverse, visit),
        }
    }

    /// Visits all members with their scores, in order.
    pub fn for_each(&self, visit: &mut dyn FnMut(&[u8], f64)) {
        self.visit(0..self.len(), false, visit);
    }

    /// One step of a scan of a table; see [`super::Segments::scan`]. A listpack comes all at once.
    pub fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(&[u8], f64)) -> u64 {
        match &self.form {
            Form::Listpack(_) => {
                self.for_each(visit);
                0
            }
            Form::Ranked(ranked) => ranked.scan(cursor, count, visit),
        }
    }

    /// Is not a listpack from now on.
    pub fn unpack(&mut self) {
        if self.listpack().is_some() {
            self.convert();
        }
    }

    fn convert(&mut self) {
        let mut ranked = Box::new(Ranked::default());
        self.for_each(&mut |member, score| {
            ranked.insert(member, score);
        });
        self.form = Form::Ranked(ranked);
    }
}

impl PartialEq for SortedSet {
    fn eq(&self, other: &Self) -> bool {
        let mut same = self.len() == other.len();
        self.for_each(&mut |member, score| same = same && other.score(member) == Some(score));
        same
    }
}

impl Eq for SortedSet {}
