//! A cut holds exactly what the keyspace held at its moment, whatever happens while it is read.

use super::super::{Cut, Records};
use super::*;

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

#[derive(Clone, Debug)]
enum Act {
    /// Sets a range of keys, some of them with an expiry.
    Set {
        keys: std::ops::Range<u16>,
        len: usize,
    },
    Remove {
        keys: std::ops::Range<u16>,
    },
    Expire {
        keys: std::ops::Range<u16>,
        at: Option<u64>,
    },
    Grow {
        keys: std::ops::Range<u16>,
        len: usize,
    },
    Rename {
        from: u16,
        to: u16,
    },
    /// Meets a key at a time when it has expired.
    Meet {
        key: u16,
    },
    ClearSlot {
        of: u16,
    },
    DropSlot {
        of: u16,
    },
    Clear,
    Replace {
        keys: std::ops::Range<u16>,
    },
    /// Reads the cut on.
    Next {
        pieces: usize,
    },
}

const KEYS: u16 = 4000;

fn act() -> impl Strategy<Value = Act> {
    let range = || (0..KEYS, 0..2000_u16).prop_map(|(from, len)| from..(from + len).min(KEYS));
    let few = || (0..KEYS, 0..40_u16).prop_map(|(from, len)| from..(from + len).min(KEYS));
    let len = || prop_oneof![8 => 0_usize..50, 1 => 4000_usize..6000];
    prop_oneof![
        3 => (range(), 0_usize..50).prop_map(|(keys, len)| Act::Set { keys, len }),
        4 => (few(), len()).prop_map(|(keys, len)| Act::Set { keys, len }),
        3 => range().prop_map(|keys| Act::Remove { keys }),
        3 => few().prop_map(|keys| Act::Remove { keys }),
        2 => (few(), any::<bool>()).prop_map(|(keys, expires)| Act::Expire { keys, at: expires.then_some(NOW + 50) }),
        2 => (few(), len()).prop_map(|(keys, len)| Act::Grow { keys, len }),
        2 => (0..KEYS, 0..KEYS).prop_map(|(from, to)| Act::Rename { from, to }),
        2 => (0..KEYS).prop_map(|key| Act::Meet { key }),
        1 => (0..KEYS).prop_map(|of| Act::ClearSlot { of }),
        1 => (0..KEYS).prop_map(|of| Act::DropSlot { of }),
        1 => prop_oneof![3 => Just(Act::Next { pieces: 3 }), 1 => Just(Act::Clear)],
        1 => few().prop_map(|keys| Act::Replace { keys }),
        8 => prop_oneof![
            3 => (1_usize..4).prop_map(|pieces| Act::Next { pieces }),
            2 => (100_usize..9000).prop_map(|pieces| Act::Next { pieces }),
        ],
    ]
}

/// Three quarters of the keys are in one slot, whose table is read in several pieces.
fn name(key: u16) -> Vec<u8> {
    if key.is_multiple_of(4) {
        format!("k{key}").into_bytes()
    } else {
        format!("{{t}}{key}").into_bytes()
    }
}

fn run(keyspace: &Keyspace, model: &mut Model, round: u8, act: &Act) {
    let expiry = |key: u16| key.is_multiple_of(3).then_some(NOW + 10);
    let names = |keys: &std::ops::Range<u16>| keys.clone().map(name).collect::<Vec<_>>();
    match act {
        Act::Set { keys, len } => {
            for key in keys.clone() {
                let (name, value) = (name(key), vec![round; *len]);
                let expire = expiry(key).map_or(Expire::Clear, Expire::At);
                let at = Key::new(&name);
                keyspace.lock(at.slot).set_string(&at, &value, expire, NOW);
                model.insert(name, (value, expiry(key)));
            }
        }
        Act::Remove { keys } => {
            for name in names(keys) {
                let at = Key::new(&name);
                keyspace.lock(at.slot).remove(&at, NOW);
                model.remove(&name);
            }
        }
        Act::Expire { keys, at } => {
            for name in names(keys) {
                let key = Key::new(&name);
                keyspace.lock(key.slot).set_expiry(&key, *at, NOW);
                if let Some(held) = model.get_mut(&name) {
                    held.1 = *at;
                }
            }
        }
        Act::Grow { keys, len } => {
            for name in names(keys) {
                let key = Key::new(&name);
                keyspace
                    .lock(key.slot)
                    .find(&key, NOW)
                    .grow_string(*len)
                    .fill(round);
                let held = model.entry(name).or_default();
                let len = held.0.len().max(*len);
                held.0 = vec![round; len];
            }
        }
        Act::Rename { from, to } => {
            let (from, to) = (name(*from), name(*to));
            let (at, target) = (Key::new(&from), Key::new(&to));
            let moved = keyspace.lock(at.slot).remove(&at, NOW);
            if let Some(entry) = moved {
                keyspace.lock(target.slot).insert_moved(&target, entry, NOW);
                let held = model.remove(&from).unwrap();
                model.insert(to, held);
            }
        }
        Act::Meet { key } => {
            let name = name(*key);
            let key = Key::new(&name);
            let later = NOW + 1000;
            keyspace.lock(key.slot).peek(&key, later);
            if model.get(&name).is_some_and(|held| held.1.is_some()) {
                model.remove(&name);
            }
        }
        Act::ClearSlot { of } | Act::DropSlot { of } => {
            let slot = Key::new(&name(*of)).slot;
            if matches!(act, Act::DropSlot { .. }) {
                keyspace.drop_slot(slot);
            } else {
                drop(keyspace.lock(slot).clear());
            }
            model.retain(|name, _| Key::new(name).slot != slot);
        }
        Act::Clear => {
            keyspace.clear();
            model.clear();
        }
        Act::Replace { keys } => {
            let other = Keyspace::new();
            model.clear();
            // Its marks are whatever a cut of its own has left.
            if round.is_multiple_of(2) {
                run(
                    &other,
                    model,
                    0,
                    &Act::Set {
                        keys: keys.clone(),
                        len: 1,
                    },
                );
                drop(other.cut(|| ()));
            }
            run(
                &other,
                model,
                round,
                &Act::Set {
                    keys: keys.clone(),
                    len: 9,
                },
            );
            keyspace.replace_contents(other);
        }
        Act::Next { .. } => {}
    }
}

/// Reads the cut on by some pieces; false at its end.
fn read(cut: &mut Cut<'_>, pieces: usize, into: &mut Model) -> bool {
    let mut records = Records::default();
    for _ in 0..pieces {
        if !cut.next(&mut records) {
            return false;
        }
        for record in records.iter() {
            let super::super::ValueRef::Str(value) = record.value else {
                panic!("there are strings only")
            };
            let twice = into.insert(record.key.to_vec(), (value.to_vec(), record.expiry));
            assert!(twice.is_none(), "{} comes twice", record.key.escape_ascii());
        }
    }
    true
}

fn contents(keyspace: &Keyspace) -> Model {
    let mut found = Model::new();
    for slot in 0..SLOT_COUNT as Slot {
        found.extend(keyspace.lock(slot).entries().map(|entry| {
            (
                entry.key().to_vec(),
                (entry.string().unwrap().to_vec(), entry.expiry()),
            )
        }));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_cut_is_the_state_of_its_moment(
        before in prop::collection::vec(act(), 0..20),
        during in prop::collection::vec(act(), 0..40),
        abandoned in any::<bool>(),
        again in prop::collection::vec(act(), 0..20),
    ) {
        let keyspace = Keyspace::new();
        let mut model = Model::new();
        for (round, act) in before.iter().enumerate() {
            run(&keyspace, &mut model, round as u8, act);
        }
        for (acts, abandoned) in [(&during, abandoned), (&again, false)] {
            let (mut cut, at_cut) = keyspace.cut(|| model.clone()).expect("no other cut is open");
            prop_assert!(keyspace.cut(|| ()).is_none());
            prop_assert_eq!(cut.keys(), at_cut.len());
            prop_assert_eq!(cut.expiring(), at_cut.values().filter(|held| held.1.is_some()).count());
            let mut seen = Model::new();
            for (round, act) in acts.iter().enumerate() {
                if let Act::Next { pieces } = act {
                    read(&mut cut, *pieces, &mut seen);
                }
                run(&keyspace, &mut model, 100 + round as u8, act);
            }
            if !abandoned {
                while read(&mut cut, 100, &mut seen) {}
                prop_assert!(seen == at_cut, "{} keys of {}", seen.len(), at_cut.len());
            }
            drop(cut);
            prop_assert!(contents(&keyspace) == model);
        }
    }
}

#[test]
fn no_piece_of_a_huge_slot_holds_its_lock_for_long() {
    let keyspace = Keyspace::new();
    let count = 1_000_000;
    for number in 0..count {
        set(
            &keyspace,
            format!("{{t}}{number}").as_bytes(),
            b"0123456789abcdef",
        );
    }
    let (mut cut, ()) = keyspace.cut(|| ()).unwrap();
    let (mut records, mut pieces, mut seen, mut most) = (Records::default(), 0, 0, 0);
    while cut.next(&mut records) {
        let here = records.iter().count();
        (pieces, seen, most) = (pieces + usize::from(here > 0), seen + here, most.max(here));
    }
    assert_eq!(seen, count);
    assert!(
        pieces > 1000 && most < 1000,
        "{pieces} pieces, the largest of {most} keys"
    );
}

#[test]
fn what_is_kept_is_gone_after_the_cut() {
    let keyspace = Keyspace::new();
    for number in 0..20_000 {
        set(&keyspace, format!("k{number}").as_bytes(), b"before");
    }
    let (mut cut, ()) = keyspace.cut(|| ()).unwrap();
    for number in 0..20_000 {
        set(&keyspace, format!("k{number}").as_bytes(), b"after!");
    }
    let (mut records, mut bytes, mut kept) = (Records::default(), 0, 0);
    while cut.next(&mut records) {
        bytes += records.bytes();
        kept += records
            .iter()
            .filter(|record| record.value == super::super::ValueRef::Str(b"before"))
            .count();
    }
    assert_eq!(kept, 20_000);
    assert!(bytes < 20_000 * 64, "{bytes}");
    drop(cut);
    for slot in 0..SLOT_COUNT as Slot {
        let mut table = keyspace.lock(slot);
        assert!(!table.is_armed() && table.take_kept().is_empty());
    }
}
