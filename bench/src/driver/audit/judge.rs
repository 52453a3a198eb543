//! What became of each write.
//!
//! Writes of several clients to one key may overlap in time, and then either may be the last. So a write counts as lost
//! only when it certainly is: it was acknowledged, and what the key holds was there, or was acknowledged, before this
//! write was even sent.

use std::collections::{BTreeMap, HashMap};

use workloads::keys::{KeyFormat, KeyId};

use crate::load::{Write, WriteId, WriteLog};
use crate::report::model::{AuditRun, LostKey};

/// What a key holds after the round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The value of this write.
    Write(WriteId),
    /// A value that no write of an audited round has: the preload's, or somebody else's.
    Other,
    /// The key is not there.
    Nothing,
}

/// Judges all writes. A key that is not in `found` could not be read.
pub fn judge(
    round: u32,
    format: &KeyFormat,
    logs: &[WriteLog],
    found: &HashMap<KeyId, Found>,
) -> (AuditRun, Vec<LostKey>) {
    let mut run = AuditRun {
        round,
        ..AuditRun::default()
    };
    let mut by_key: BTreeMap<KeyId, Vec<Write>> = BTreeMap::new();
    for write in logs
        .iter()
        .flat_map(|log| &log.writes)
        .filter(|write| write.sent_ns > 0)
    {
        by_key.entry(write.key).or_default().push(*write);
        run.writes += 1;
        run.acknowledged += u64::from(write.is_acknowledged());
    }
    run.keys = by_key.len() as u64;
    let mut lost_keys = Vec::new();
    for (key, writes) in by_key {
        let acknowledged = writes.iter().filter(|write| write.is_acknowledged());
        let Some(&found) = found.get(&key) else {
            run.unread_keys += 1;
            run.unknown += acknowledged.count() as u64;
            continue;
        };
        let held = match found {
            Found::Write(id) => find(logs, id),
            _ => None,
        };
        if held.is_some_and(|held| !held.is_acknowledged()) {
            run.applied_unacknowledged += 1;
        }
        // From when on a write that was sent must have replaced what is there.
        let since_ns = match (found, held) {
            (Found::Nothing, _) => Some(0),
            // Somebody's write that was never acknowledged may have arrived at any time.
            (_, Some(held)) if !held.is_acknowledged() => None,
            (_, Some(held)) => Some(held.acknowledged_ns),
            // The value was there before the round.
            (_, None) => Some(0),
        };
        let lost: Vec<&Write> = acknowledged
            .filter(|write| since_ns.is_some_and(|since_ns| write.sent_ns > since_ns))
            .collect();
        if lost.is_empty() {
            continue;
        }
        run.lost += lost.len() as u64;
        match found {
            Found::Nothing => run.missing_keys += 1,
            _ => run.stale_keys += 1,
        }
        let last_ns = lost.iter().map(|write| write.acknowledged_ns).max().unwrap_or(0);
        lost_keys.push(LostKey {
            round,
            key: String::from_utf8_lossy(&format.bytes(key)).into_owned(),
            slot: format.slot(key),
            found: match found {
                Found::Nothing => "nothing",
                Found::Write(_) => "an older write",
                Found::Other => "an older value",
            }
            .to_owned(),
            lost: lost.len() as u64,
            last_acknowledged_ns: last_ns,
        });
    }
    run.unacknowledged = run.writes - run.acknowledged;
    run.kept = run.acknowledged - run.lost - run.unknown;
    (run, lost_keys)
}

fn find(logs: &[WriteLog], id: WriteId) -> Option<Write> {
    let log = logs.iter().find(|log| log.number == id.log)?;
    log.writes.get(id.place as usize).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use workloads::Spec;

    use super::*;

    const KEY: KeyId = KeyId(3);

    fn write(sent_ns: u64, acknowledged_ns: u64) -> Write {
        Write {
            key: KEY,
            sent_ns,
            acknowledged_ns,
            measured: true,
        }
    }

    const NEVER: u64 = u64::MAX;

    fn verdict(writes: &[Write], found: Option<Found>) -> AuditRun {
        let workload = Spec::parse("t", "t", "").unwrap().compile(1).unwrap();
        let log = WriteLog {
            number: 1,
            writes: writes.to_vec(),
        };
        let found = found.into_iter().map(|found| (KEY, found)).collect();
        let (run, keys) = judge(0, workload.key_format(), &[log], &found);
        assert_eq!(run.lost, keys.iter().map(|key| key.lost).sum::<u64>());
        assert_eq!(run.acknowledged, run.kept + run.lost + run.unknown);
        run
    }

    fn held(place: u32) -> Option<Found> {
        Some(Found::Write(WriteId { log: 1, place }))
    }

    #[test]
    fn the_last_write_is_kept_and_the_ones_before_it_are_overwritten() {
        let run = verdict(&[write(10, 20), write(30, 40)], held(1));
        assert_eq!((run.kept, run.lost, run.stale_keys), (2, 0, 0));
    }

    #[test]
    fn an_older_value_means_a_lost_write() {
        let run = verdict(&[write(10, 20), write(30, 40), write(50, 60)], held(0));
        assert_eq!((run.kept, run.lost, run.stale_keys), (1, 2, 1));
        let run = verdict(&[write(10, 20)], Some(Found::Other));
        assert_eq!((run.lost, run.stale_keys), (1, 1));
        let run = verdict(&[write(10, 20)], Some(Found::Nothing));
        assert_eq!((run.lost, run.missing_keys), (1, 1));
    }

    #[test]
    fn overlapping_writes_may_be_in_either_order() {
        let overlapping = [write(10, 40), write(20, 30)];
        assert_eq!(verdict(&overlapping, held(0)).lost, 0);
        assert_eq!(verdict(&overlapping, held(1)).lost, 0);
    }

    #[test]
    fn what_was_not_acknowledged_cannot_be_lost_but_may_be_there() {
        let run = verdict(&[write(10, 20), write(30, NEVER)], held(0));
        assert_eq!(
            (run.lost, run.unacknowledged, run.applied_unacknowledged),
            (0, 1, 0)
        );
        let run = verdict(&[write(10, 20), write(30, NEVER)], held(1));
        assert_eq!((run.lost, run.applied_unacknowledged), (0, 1));
        // It may have been applied after the later one: nothing is certain.
        let run = verdict(&[write(10, NEVER), write(30, 40)], held(0));
        assert_eq!((run.lost, run.applied_unacknowledged), (0, 1));
    }

    #[test]
    fn what_could_not_be_read_is_unknown() {
        let run = verdict(&[write(10, 20)], None);
        assert_eq!((run.kept, run.lost, run.unknown, run.unread_keys), (0, 0, 1, 1));
    }

    proptest! {
        /// A register that applies each acknowledged write at a moment between sending and acknowledgement loses nothing.
        #[test]
        fn a_faithful_register_is_never_accused(
            raw in prop::collection::vec((1u64..1000, 1u64..300, 0.0..1.0f64, any::<bool>()), 1..40)
        ) {
            let mut applied: Vec<(u64, usize)> = Vec::new();
            let mut writes = Vec::new();
            for (place, (sent, length, at, acknowledged)) in raw.into_iter().enumerate() {
                writes.push(write(sent, if acknowledged { sent + length } else { NEVER }));
                // An unacknowledged one may arrive much later, or never.
                let reach = if acknowledged { length as f64 } else { 3000.0 * at };
                if acknowledged || at > 0.3 {
                    applied.push((sent + (reach * at) as u64, place));
                }
            }
            let found = match applied.iter().max() {
                Some(&(_, place)) => held(place as u32),
                None => Some(Found::Other),
            };
            prop_assert_eq!(verdict(&writes, found).lost, 0);
        }
    }
}
