//! A set of slots as the texts write it: ascending ranges.

use std::fmt;

use crate::slot::{SLOT_COUNT, Slot};

/// Consecutive slots, both ends included; `start <= end < 16384`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlotRange {
    start: Slot,
    end: Slot,
}

impl SlotRange {
    /// `None` when the ends are the wrong way round or no slots.
    pub fn new(start: Slot, end: Slot) -> Option<Self> {
        (start <= end && usize::from(end) < SLOT_COUNT).then_some(Self { start, end })
    }

    /// All 16384 slots.
    pub const ALL: Self = Self {
        start: 0,
        end: (SLOT_COUNT - 1) as Slot,
    };

    /// The first slot.
    pub fn start(self) -> Slot {
        self.start
    }

    /// The last slot, included.
    pub fn end(self) -> Slot {
        self.end
    }

    /// The slots, ascending.
    pub fn slots(self) -> std::ops::RangeInclusive<Slot> {
        self.start..=self.end
    }
}

/// As CLUSTER NODES writes it: `5` or `5-9`.
impl fmt::Display for SlotRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start == self.end {
            write!(f, "{}", self.start)
        } else {
            write!(f, "{}-{}", self.start, self.end)
        }
    }
}

/// A set of slots. The ranges are ascending and do not touch, so equal sets compare equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotRanges(Vec<SlotRange>);

impl SlotRanges {
    /// No slots.
    pub fn new() -> Self {
        Self::default()
    }

    /// All 16384 slots.
    pub fn all() -> Self {
        Self(vec![SlotRange::ALL])
    }

    /// Adds a range; `false` when some of it was there already (the rest has been added).
    pub fn insert(&mut self, range: SlotRange) -> bool {
        // First range that touches or follows the new one; texts are ascending, so this is mostly the end.
        let from = self
            .0
            .partition_point(|have| u32::from(have.end) + 1 < u32::from(range.start));
        let to =
            from + self.0[from..].partition_point(|have| u32::from(have.start) <= u32::from(range.end) + 1);
        let touched = &self.0[from..to];
        let fresh = touched
            .iter()
            .all(|have| have.end < range.start || have.start > range.end);
        let start = touched
            .first()
            .map_or(range.start, |have| have.start.min(range.start));
        let end = touched.last().map_or(range.end, |have| have.end.max(range.end));
        self.0.splice(from..to, [SlotRange { start, end }]);
        fresh
    }

    /// The ranges, ascending, no two of them adjacent.
    pub fn ranges(&self) -> &[SlotRange] {
        &self.0
    }

    /// The slots, ascending.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.0.iter().flat_map(|range| range.slots())
    }

    /// Whether the slot is in the set.
    pub fn contains(&self, slot: Slot) -> bool {
        let at = self.0.partition_point(|range| range.end < slot);
        self.0.get(at).is_some_and(|range| range.start <= slot)
    }

    /// How many slots are in the set.
    pub fn len(&self) -> usize {
        self.0
            .iter()
            .map(|range| usize::from(range.end - range.start) + 1)
            .sum()
    }

    /// Whether the set has no slot.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Slot> for SlotRanges {
    /// Slots out of range are a bug of the caller and are left out.
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> Self {
        let mut ranges = Self::new();
        for range in slots.into_iter().filter_map(|slot| SlotRange::new(slot, slot)) {
            match ranges.0.last_mut() {
                Some(last) if range.start.checked_sub(1) == Some(last.end) => last.end = range.end,
                _ => {
                    ranges.insert(range);
                }
            }
        }
        ranges
    }
}

impl FromIterator<SlotRange> for SlotRanges {
    fn from_iter<I: IntoIterator<Item = SlotRange>>(ranges: I) -> Self {
        let mut set = Self::new();
        for range in ranges {
            set.insert(range);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn range(start: Slot, end: Slot) -> SlotRange {
        SlotRange::new(start, end).unwrap()
    }

    #[test]
    fn neighbours_become_one_range() {
        let mut set = SlotRanges::new();
        assert!(set.insert(range(5, 6)));
        assert!(set.insert(range(9, 9)));
        assert!(set.insert(range(7, 8)));
        assert_eq!(set.ranges(), [range(5, 9)]);
        assert!(!set.insert(range(9, 10)));
        assert_eq!(set.ranges(), [range(5, 10)]);
    }

    #[test]
    fn the_last_slot_is_16383() {
        assert_eq!(SlotRange::new(16383, 16384), None);
        assert_eq!(SlotRange::new(7, 6), None);
        assert_eq!(SlotRanges::all().len(), SLOT_COUNT);
        assert_eq!((0..SLOT_COUNT as Slot).collect::<SlotRanges>(), SlotRanges::all());
    }

    proptest! {
        #[test]
        fn is_a_set(pairs in prop::collection::vec((0..300u16, 0..12u16), 0..40)) {
            let (mut set, mut model) = (SlotRanges::new(), BTreeSet::new());
            for (start, more) in pairs {
                let slots = start..=start + more;
                let fresh = slots.clone().all(|slot| !model.contains(&slot));
                model.extend(slots);
                prop_assert_eq!(set.insert(range(start, start + more)), fresh);
            }
            prop_assert!(set.slots().eq(model.iter().copied()));
            prop_assert_eq!(set.len(), model.len());
            for slot in 0..320 {
                prop_assert_eq!(set.contains(slot), model.contains(&slot));
            }
            for pair in set.ranges().windows(2) {
                prop_assert!(pair[0].end() + 1 < pair[1].start());
            }
            prop_assert_eq!(&model.iter().copied().collect::<SlotRanges>(), &set);
        }
    }
}
