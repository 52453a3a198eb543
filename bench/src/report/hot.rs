//! Slots that stand out.

use slotcore::slot::SLOT_COUNT;

use super::model::EngineRun;

/// How many times the mean of the other slots a slot must have to be called hot.
const HOT_FACTOR: f64 = 3.0;
/// How many standard deviations of counting above that mean, so that in a short run chance is not called hot.
const HOT_DEVIATIONS: f64 = 6.0;

/// A slot with far more operations than the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HotSlot {
    pub slot: u16,
    pub ops: u64,
    /// Of all operations, 0 to 1.
    pub share: f64,
    /// Its operations over the mean of all slots that are not hot.
    pub times_the_mean: f64,
}

/// The hot slots, hottest first, `most` at most. A slot is compared with the mean of those that are not hotter than it.
pub fn hottest_slots(run: &EngineRun, most: usize) -> Vec<HotSlot> {
    let mut by_ops = run.slots.clone();
    by_ops.sort_by_key(|s| std::cmp::Reverse(s.ops));
    let total: u64 = by_ops.iter().map(|s| s.ops).sum();
    let mut rest = total;
    let mut hot = Vec::new();
    for (i, s) in by_ops.iter().take(most).enumerate() {
        rest -= s.ops;
        let mean = rest as f64 / (SLOT_COUNT - 1 - i) as f64;
        let ops = s.ops as f64;
        if mean <= 0.0 || ops <= HOT_FACTOR * mean || ops <= mean + HOT_DEVIATIONS * mean.sqrt() {
            break;
        }
        hot.push(HotSlot {
            slot: s.slot,
            ops: s.ops,
            share: ops / total as f64,
            times_the_mean: ops / mean,
        });
    }
    hot
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::SlotOps;
    use crate::report::sample;

    #[test]
    fn the_hot_slot_is_found_with_its_share() {
        let hot = hottest_slots(&sample::clean().engines[0], 5);
        assert_eq!(hot.iter().map(|h| h.slot).collect::<Vec<_>>(), [12182]);
        assert!((hot[0].share - 0.3).abs() < 0.01);
    }

    #[test]
    fn chance_is_not_hot() {
        let mut run = sample::clean().engines.remove(0);
        run.slots.retain(|s| s.slot != 12182);
        assert_eq!(hottest_slots(&run, 5), []);
        // Four of one slot and none or one of the others: many times the mean, yet nothing.
        run.slots = (0..8000)
            .map(|slot| SlotOps {
                slot,
                ops: 1 + u64::from(slot == 7) * 3,
            })
            .collect();
        assert_eq!(hottest_slots(&run, 5), []);
        run.slots.clear();
        assert_eq!(hottest_slots(&run, 5), []);
    }
}
