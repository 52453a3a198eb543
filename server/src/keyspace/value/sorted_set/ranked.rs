//! A large sorted set: a table of members with their scores, and their order.

use std::cmp::Ordering;
use std::ops::Range;

use super::super::super::key::hash_key;
use super::super::segments::Segments;
use super::name::{Name, SHORT_MAX};
use super::order::{Element, Order};

/// Both always hold the same members.
#[derive(Clone, Debug, Default)]
pub struct Ranked {
    /// Scores, little endian, by member.
    scores: Segments,
    order: Order,
}

impl Ranked {
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Bytes allocated.
    pub fn footprint(&self) -> usize {
        size_of::<Self>() + self.scores.footprint() + self.order.footprint()
    }

    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).map(score_of)
    }

    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        let score = self.score(member)?;
        Some(self.place(score, member))
    }

    /// Gives a member a score; true if it is new.
    pub fn insert(&mut self, member: &[u8], score: f64) -> bool {
        let before = self.score(member);
        let name = match before {
            Some(before) => self.order.remove(self.place(before, member)).name,
            None => self.name(member),
        };
        let rank = self.place(score, member);
        self.order.insert(rank, Element { score, name });
        self.scores.insert(member, &score.to_le_bytes());
        before.is_none()
    }

    /// Removes a member; false if it is not there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        let Some(rank) = self.rank(member) else {
            return false;
        };
        self.order.remove(rank);
        self.scores.remove(member)
    }

    /// How many members, from the first on, `is_before` accepts by their scores.
    pub fn scores_before(&self, is_before: &dyn Fn(f64) -> bool) -> usize {
        self.order.partition(|element| is_before(element.score))
    }

    /// The same by their texts, all scores being equal.
    pub fn texts_before(&self, is_before: &dyn Fn(&[u8]) -> bool) -> usize {
        self.order.partition(|element| is_before(self.text(element)))
    }

    /// Visits the members of these ranks with their scores, the last one first if `reverse`.
    pub fn visit<'a>(&'a self, ranks: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&'a [u8], f64)) {
        self.order.visit(ranks, reverse, &mut |element| {
            visit(self.text(element), element.score);
        });
    }

    /// One step of a scan; see [`Segments::scan`].
    pub fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(&[u8], f64)) -> u64 {
        self.scores
            .scan(cursor, count, &mut |member, score| visit(member, score_of(score)))
    }

    /// The rank of a member with this score, be it there or not.
    fn place(&self, score: f64, member: &[u8]) -> usize {
        self.order
            .partition(|element| match element.score.partial_cmp(&score) {
                Some(Ordering::Equal) | None => {
                    element.name.compare(member, |hash| self.resolve(hash)).is_lt()
                }
                Some(order) => order.is_lt(),
            })
    }

    fn text<'a>(&'a self, element: &'a Element) -> &'a [u8] {
        element.name.text(|hash| self.resolve(hash))
    }

    fn resolve(&self, hash: u64) -> &[u8] {
        self.scores
            .name_of(hash, SHORT_MAX + 1)
            .expect("the order has the members of the table")
    }

    /// What the order calls a member that is not in the table yet. Names by hash are unique: of two long members with the
    /// same hash both are kept whole.
    fn name(&mut self, member: &[u8]) -> Name {
        if member.len() > SHORT_MAX
            && let Some(other) = self.scores.name_of(hash_key(member), SHORT_MAX + 1)
        {
            let other = other.to_vec();
            self.spell_out(&other);
            return Name::whole(member);
        }
        Name::new(member)
    }

    fn spell_out(&mut self, member: &[u8]) {
        if let Some(rank) = self.rank(member) {
            let score = self.order.remove(rank).score;
            let name = Name::whole(member);
            self.order.insert(rank, Element { score, name });
        }
    }
}

fn score_of(bytes: &[u8]) -> f64 {
    bytes.try_into().map_or(0.0, f64::from_le_bytes)
}
