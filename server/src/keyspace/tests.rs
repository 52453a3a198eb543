//! The keyspace against a model, and what its design promises.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use slotcore::{SLOT_COUNT, Slot};

use super::{Expire, Held, Key, Keyspace, SlotTable};

mod cut;
mod modes;
mod observe;

const NOW: u64 = 1_800_000_000_000;
const LONG: Duration = Duration::from_secs(3600);

fn set(keyspace: &Keyspace, key: &[u8], value: &[u8]) {
    let key = Key::new(key);
    keyspace
        .lock(key.slot)
        .set_string(&key, value, Expire::Clear, NOW);
}

fn get(keyspace: &Keyspace, key: &[u8]) -> Option<Vec<u8>> {
    let key = Key::new(key);
    keyspace
        .lock(key.slot)
        .get(&key, NOW)?
        .string()
        .map(<[u8]>::to_vec)
}

/// All keys that a whole scan returns, `between` running between its steps.
fn scan_all(keyspace: &Keyspace, count: usize, mut between: impl FnMut()) -> Vec<Vec<u8>> {
    let (mut cursor, mut keys) = (0, Vec::new());
    loop {
        cursor = Held::None.scan(keyspace, cursor, count, NOW, &mut |entry| {
            keys.push(entry.key().to_vec())
        });
        assert!(cursor < 1 << 53);
        if cursor == 0 {
            return keys;
        }
        between();
    }
}

#[derive(Clone, Debug)]
enum Step {
    Set {
        key: u16,
        len: usize,
        expire: Option<u64>,
    },
    SetKeep {
        key: u16,
        len: usize,
    },
    Remove {
        key: u16,
    },
    Expire {
        key: u16,
        at: Option<u64>,
    },
    Grow {
        key: u16,
        len: usize,
    },
    Get {
        key: u16,
    },
    Wait {
        ms: u64,
    },
    Sweep,
    Scan {
        count: usize,
    },
    Clear,
}

fn step(keys: u16) -> impl Strategy<Value = Step> {
    let len = || prop_oneof![8 => 0_usize..40, 2 => 0_usize..600, 1 => 4000_usize..9000];
    let expire = || prop_oneof![3 => Just(None), 1 => (0_u64..500).prop_map(Some)];
    prop_oneof![
        20 => (0..keys, len(), expire()).prop_map(|(key, len, expire)| Step::Set { key, len, expire }),
        4 => (0..keys, len()).prop_map(|(key, len)| Step::SetKeep { key, len }),
        12 => (0..keys).prop_map(|key| Step::Remove { key }),
        4 => (0..keys, expire()).prop_map(|(key, at)| Step::Expire { key, at }),
        4 => (0..keys, len()).prop_map(|(key, len)| Step::Grow { key, len }),
        4 => (0..keys).prop_map(|key| Step::Get { key }),
        1 => (0_u64..200).prop_map(|ms| Step::Wait { ms }),
        1 => Just(Step::Sweep),
        1 => (1_usize..50).prop_map(|count| Step::Scan { count }),
        1 => prop_oneof![30 => Just(Step::Sweep), 1 => Just(Step::Clear)],
    ]
}

/// Runs steps on the keyspace and on a map. With `tag` all keys are in one slot, and its table has a few dozen
/// buckets with overflow among them.
fn follows_the_model(steps: Vec<Step>, tag: bool) {
    let keyspace = Keyspace::new();
    let mut model: BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)> = BTreeMap::new();
    let mut now = NOW;
    let mut sweep_cursor = 0;
    for (round, step) in steps.into_iter().enumerate() {
        let name = |key: u16| {
            if tag {
                format!("{{t}}{key}")
            } else {
                format!("k{key}")
            }
            .into_bytes()
        };
        let fill = |len: usize| vec![round as u8; len];
        model.retain(|_, (_, expiry)| expiry.is_none_or(|expiry| expiry >= now));
        match step {
            Step::Set { key, len, expire } => {
                let (name, value, expiry) = (name(key), fill(len), expire.map(|ms| now + ms));
                let key = Key::new(&name);
                let expire = expiry.map_or(Expire::Clear, Expire::At);
                keyspace.lock(key.slot).set_string(&key, &value, expire, now);
                model.insert(name, (value, expiry));
            }
            Step::SetKeep { key, len } => {
                let (name, value) = (name(key), fill(len));
                let key = Key::new(&name);
                keyspace
                    .lock(key.slot)
                    .set_string(&key, &value, Expire::Keep, now);
                model.entry(name).or_default().0 = value;
            }
            Step::Remove { key } => {
                let name = name(key);
                let key = Key::new(&name);
                let removed = keyspace.lock(key.slot).remove(&key, now);
                let value = removed
                    .as_ref()
                    .map(|entry| entry.view().string().unwrap().to_vec());
                assert_eq!(value, model.remove(&name).map(|(value, _)| value));
            }
            Step::Expire { key, at } => {
                let (name, expiry) = (name(key), at.map(|ms| now + ms));
                let key = Key::new(&name);
                let done = keyspace.lock(key.slot).set_expiry(&key, expiry, now);
                assert_eq!(done, model.get_mut(&name).map(|held| held.1 = expiry).is_some());
            }
            Step::Grow { key, len } => {
                let name = name(key);
                let key = Key::new(&name);
                let mut table = keyspace.lock(key.slot);
                let held = model.entry(name.clone()).or_default();
                if held.0.len() < len {
                    held.0.resize(len, 0);
                }
                assert_eq!(table.find(&key, now).grow_string(len), &held.0[..]);
            }
            Step::Get { key } => {
                let name = name(key);
                let key = Key::new(&name);
                let mut table = keyspace.lock(key.slot);
                let found = table
                    .get(&key, now)
                    .map(|entry| (entry.string().unwrap().to_vec(), entry.expiry()));
                assert_eq!(found.as_ref(), model.get(&name));
            }
            Step::Wait { ms } => now += ms,
            Step::Sweep => {
                keyspace.expire_cycle(now, LONG, &mut sweep_cursor);
            }
            Step::Scan { count } => {
                let (mut cursor, mut keys) = (0, HashSet::new());
                loop {
                    cursor = Held::None.scan(&keyspace, cursor, count, now, &mut |entry| {
                        assert!(
                            keys.insert(entry.key().to_vec()),
                            "nothing was resized, so nothing comes twice"
                        );
                    });
                    if cursor == 0 {
                        break;
                    }
                }
                assert_eq!(keys, model.keys().cloned().collect());
            }
            Step::Clear => {
                for slot in 0..SLOT_COUNT as Slot {
                    keyspace.lock(slot).clear();
                }
                model.clear();
            }
        }
    }
    model.retain(|_, (_, expiry)| expiry.is_none_or(|expiry| expiry >= now));
    let mut found = BTreeMap::new();
    Held::None.for_each(&keyspace, now, &mut |entry| {
        found.insert(
            entry.key().to_vec(),
            (entry.string().unwrap().to_vec(), entry.expiry()),
        );
    });
    assert_eq!(found, model);
    // Once everything that can expire has, the sums are exact.
    now += 10_000_000;
    keyspace.expire_cycle(now, LONG, &mut sweep_cursor);
    assert_eq!(keyspace.expiring_count(), 0);
    let mut bytes = keyspace.base_footprint();
    for slot in 0..SLOT_COUNT as Slot {
        let table = keyspace.lock(slot);
        bytes += table.footprint();
        let entries: usize = table.entries().map(|entry| entry.footprint()).sum();
        assert!(table.footprint() >= entries);
        assert_eq!(table.entries().count(), table.len());
    }
    assert_eq!(keyspace.footprint(), bytes);
    assert_eq!(
        keyspace.key_count(),
        model.values().filter(|held| held.1.is_none()).count()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn many_slots_follow_the_model(steps in prop::collection::vec(step(100), 0..300)) {
        follows_the_model(steps, false);
    }

    #[test]
    fn one_slot_follows_the_model(steps in prop::collection::vec(step(400), 0..2500)) {
        follows_the_model(steps, true);
    }

    #[test]
    fn scan_returns_all_that_stays_while_the_table_changes(
        stay in 1_usize..600,
        count in 1_usize..30,
        changes in prop::collection::vec((any::<bool>(), 0_usize..4000), 0..60),
    ) {
        let keyspace = Keyspace::new();
        let name = |kind: &str, number: usize| format!("{{t}}{kind}{number}").into_bytes();
        for number in 0..stay {
            set(&keyspace, &name("stay", number), b"");
        }
        let mut changes = changes.into_iter();
        let seen: HashSet<_> = scan_all(&keyspace, count, || {
            let Some((grow, amount)) = changes.next() else { return };
            for number in 0..amount {
                let name = name("go", number);
                if grow {
                    set(&keyspace, &name, b"");
                } else {
                    let key = Key::new(&name);
                    keyspace.lock(key.slot).remove(&key, NOW);
                }
            }
        })
        .into_iter()
        .collect();
        for number in 0..stay {
            prop_assert!(seen.contains(&name("stay", number)));
        }
    }
}

#[test]
fn scan_survives_the_change_of_regime_of_a_huge_slot() {
    let keyspace = Keyspace::new();
    let name = |number: usize| format!("{{t}}{number}").into_bytes();
    let (small, large) = (6_000, 20_000);
    (0..small).for_each(|number| set(&keyspace, &name(number), b"v"));
    let (mut steps, mut seen) = (0, HashSet::new());
    let mut cursor = 0;
    loop {
        cursor = Held::None.scan(&keyspace, cursor, 10, NOW, &mut |entry| {
            seen.insert(entry.key().to_vec());
        });
        if cursor == 0 {
            break;
        }
        steps += 1;
        if steps == 100 {
            (small..large).for_each(|number| set(&keyspace, &name(number), b"v"));
        }
        if steps == 300 {
            for number in small..large {
                let name = name(number);
                let key = Key::new(&name);
                assert!(keyspace.lock(key.slot).remove(&key, NOW).is_some());
            }
        }
    }
    assert!((0..small).all(|number| seen.contains(&name(number))));
    assert!((0..small).all(|number| get(&keyspace, &name(number)).is_some()));
    assert_eq!(keyspace.key_count(), small);
}

#[test]
fn overflow_chains_are_mended_when_entries_go() {
    // Hashes are forced here: all entries of a group share their home, so chains are long and wrap around.
    let keyspace = Keyspace::new();
    let mut table = keyspace.lock(0);
    let names: Vec<String> = (0..700).map(|number| format!("key{number}")).collect();
    let homes = [0_u64, u64::MAX, 1 << 63, (1 << 63) + (1 << 50)];
    let key = |index: usize| Key {
        bytes: names[index].as_bytes(),
        hash: homes[index % homes.len()],
        slot: 0,
    };
    for (index, name) in names.iter().enumerate() {
        table.set_string(&key(index), name.as_bytes(), Expire::Clear, NOW);
    }
    let mut alive: Vec<usize> = (0..names.len()).collect();
    let mut chance = 12345_u64;
    while !alive.is_empty() {
        chance = chance
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let index = alive.swap_remove((chance >> 33) as usize % alive.len());
        assert!(table.remove(&key(index), NOW).is_some());
        assert!(table.peek(&key(index), NOW).is_none());
        if alive.len().is_multiple_of(50) {
            assert!(alive.iter().all(|&index| table.peek(&key(index), NOW).is_some()));
        }
    }
    assert_eq!(table.footprint(), 64);
}

#[test]
fn overhead_of_small_strings_stays_in_budget() {
    for (ttl, budget) in [(false, 24.0), (true, 32.0)] {
        for keys in [100_000_u64, 300_000, 1_000_000] {
            let keyspace = Keyspace::new();
            for number in 0..keys {
                let name = format!("key:{number:012}");
                let key = Key::new(name.as_bytes());
                let expire = if ttl {
                    Expire::At(NOW + number)
                } else {
                    Expire::Clear
                };
                keyspace.lock(key.slot).set_string(&key, &[b'v'; 16], expire, NOW);
            }
            let held = keyspace.footprint() - keyspace.base_footprint();
            let overhead = held as f64 / keys as f64 - 32.0;
            assert!(
                overhead <= budget,
                "{keys} keys, ttl {ttl}: {overhead:.1} bytes over key and value"
            );
        }
    }
}

#[test]
fn expired_keys_are_gone_for_everyone() {
    let keyspace = Keyspace::new();
    let key = Key::new(b"k");
    keyspace
        .lock(key.slot)
        .set_string(&key, b"v", Expire::At(NOW + 10), NOW);
    assert!(
        keyspace.lock(key.slot).peek(&key, NOW + 10).is_some(),
        "the last millisecond still counts"
    );
    assert!(keyspace.lock(key.slot).peek(&key, NOW + 11).is_none());
    assert_eq!(
        (
            keyspace.key_count(),
            keyspace.expiring_count(),
            keyspace.expired_count()
        ),
        (0, 0, 1)
    );
}

#[test]
fn active_expiry_removes_what_is_due_and_only_that() {
    let keyspace = Keyspace::new();
    for number in 0..20_000_u64 {
        // A third in one slot, which takes several pieces.
        let name = if number % 3 == 0 {
            format!("{{t}}{number}")
        } else {
            format!("{number}")
        };
        let key = Key::new(name.as_bytes());
        let expire = if number % 2 == 0 {
            Expire::At(NOW + number)
        } else {
            Expire::Clear
        };
        keyspace.lock(key.slot).set_string(&key, b"v", expire, NOW);
    }
    let mut cursor = 0;
    assert_eq!(keyspace.expire_cycle(NOW, LONG, &mut cursor).removed, 0);
    // A second of grace lets passes be worthwhile.
    let removed = keyspace.expire_cycle(NOW + 11_000, LONG, &mut cursor).removed;
    assert!((4_900..=5_600).contains(&removed), "{removed}");
    let removed = removed + keyspace.expire_cycle(NOW + 50_000, LONG, &mut cursor).removed;
    assert_eq!(removed, 10_000);
    assert_eq!((keyspace.key_count(), keyspace.expiring_count()), (10_000, 0));
}

#[test]
fn a_spent_budget_stops_active_expiry_and_the_next_call_goes_on() {
    let keyspace = Keyspace::new();
    for number in 0..5_000_u64 {
        let name = number.to_string();
        let key = Key::new(name.as_bytes());
        keyspace
            .lock(key.slot)
            .set_string(&key, b"v", Expire::At(NOW), NOW);
    }
    let (mut cursor, mut calls) = (0, 0);
    while keyspace.key_count() > 0 {
        keyspace.expire_cycle(NOW + 5_000, Duration::ZERO, &mut cursor);
        calls += 1;
        assert!(calls < 30_000, "every call does at least one slot");
    }
    assert!(calls > 10);
}

#[test]
fn watchers_learn_of_every_kind_of_change() {
    type Change = fn(&Keyspace, &Key<'_>);
    let changes: [(&str, Change); 6] = [
        ("set", |keyspace, key| {
            keyspace.lock(key.slot).set_string(key, b"w", Expire::Clear, NOW)
        }),
        ("remove", |keyspace, key| {
            drop(keyspace.lock(key.slot).remove(key, NOW))
        }),
        ("expiry", |keyspace, key| {
            assert!(keyspace.lock(key.slot).set_expiry(key, Some(NOW + 1), NOW))
        }),
        ("grow", |keyspace, key| {
            assert_eq!(keyspace.lock(key.slot).find(key, NOW).grow_string(9).len(), 9)
        }),
        ("expired", |keyspace, key| {
            assert!(keyspace.lock(key.slot).peek(key, NOW + 1001).is_none())
        }),
        ("clear", |keyspace, key| drop(keyspace.lock(key.slot).clear())),
    ];
    for (name, change) in changes {
        let keyspace = Keyspace::new();
        let (key, other) = (Key::new(b"{t}key"), Key::new(b"{t}other"));
        keyspace
            .lock(key.slot)
            .set_string(&key, b"v", Expire::At(NOW + 1000), NOW);
        let (touched, untouched) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        keyspace.lock(key.slot).watch(&key, touched.clone());
        keyspace.lock(key.slot).watch(&other, untouched.clone());
        change(&keyspace, &key);
        assert!(touched.load(Ordering::Acquire), "{name}");
        assert!(!untouched.load(Ordering::Acquire), "{name}");

        touched.store(false, Ordering::Release);
        keyspace.lock(key.slot).unwatch(&touched);
        keyspace.lock(key.slot).set_string(&key, b"x", Expire::Clear, NOW);
        assert!(!touched.load(Ordering::Acquire), "{name}: after unwatch");
    }
}

#[test]
fn random_entries_reach_every_key() {
    let keyspace = Keyspace::new();
    let names: HashSet<Vec<u8>> = (0..40).map(|number| format!("k{number}").into_bytes()).collect();
    names.iter().for_each(|name| set(&keyspace, name, b""));
    for locked in [false, true] {
        let mut held = if locked {
            Held::acquire_all(&keyspace)
        } else {
            Held::None
        };
        let (mut seen, mut chance) = (HashSet::new(), 1_u64);
        for _ in 0..3_000 {
            chance = chance
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let mut chosen = None;
            held.random(&keyspace, chance, &mut |entry| {
                chosen = Some(entry.key().to_vec())
            });
            seen.insert(chosen.expect("there are keys"));
        }
        assert_eq!(seen, names);
    }
    let empty = Keyspace::new();
    Held::None.random(&empty, 0, &mut |_| panic!("there is nothing"));
    Held::acquire_all(&empty).random(&empty, u64::MAX, &mut |_| panic!("there is nothing"));
}

#[test]
fn walks_under_held_locks_see_what_was_just_written() {
    let keyspace = Keyspace::new();
    let key = Key::new(b"k");
    let mut held = Held::acquire_all(&keyspace);
    held.table(key.slot).set_string(&key, b"v", Expire::Clear, NOW);
    assert_eq!(held.key_count(&keyspace), 1);
    let mut keys = Vec::new();
    held.for_each(&keyspace, NOW, &mut |entry| keys.push(entry.key().to_vec()));
    assert_eq!(keys, [b"k"]);
    assert_eq!(
        held.scan(&keyspace, 0, 10, NOW, &mut |entry| keys
            .push(entry.key().to_vec())),
        0
    );
    assert_eq!(keys.len(), 2);
    held.random(&keyspace, 7, &mut |entry| keys.push(entry.key().to_vec()));
    assert_eq!(keys.len(), 3);
    held.for_each_table(&keyspace, &mut |table| drop(table.clear()));
    assert_eq!(held.key_count(&keyspace), 0);
    drop(held);
    assert_eq!(keyspace.key_count(), 0);
}

#[test]
fn statistics_and_locks_of_many_slots() {
    let keyspace = Keyspace::new();
    let mut held = Held::acquire(&keyspace, &[3, 9, 16383]);
    held.table(9).account(u32::MAX, 10, 20, 30);
    held.table(9).account(2, 1, 2, 3);
    let stats = held.table(9).stats();
    assert_eq!(
        (stats.ops, stats.cpu_ns, stats.net_in, stats.net_out),
        ((1 << 32) + 1, 11, 22, 33)
    );
    assert!(keyspace.try_lock(3).is_none());
    drop(held);
    assert!(keyspace.try_lock(3).is_some());
}

#[test]
fn threads_agree_on_the_sums() {
    let keyspace = Keyspace::new();
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let keyspace = &keyspace;
            scope.spawn(move || {
                for number in 0..20_000_u64 {
                    let name = format!("{}", number % 3_000);
                    let key = Key::new(name.as_bytes());
                    keyspace.prefetch_slot(key.slot);
                    keyspace.prefetch_bucket(key.slot, key.hash);
                    keyspace.prefetch_entry(key.slot, key.hash);
                    let mut table = keyspace.lock(key.slot);
                    if (number / 3_000 + thread) % 2 == 0 {
                        table.set_string(&key, name.as_bytes(), Expire::Clear, NOW);
                    } else if let Some(entry) = table.remove(&key, NOW) {
                        assert_eq!(entry.view().string(), Some(name.as_bytes()));
                    }
                }
            });
        }
    });
    let (mut keys, mut bytes) = (0, keyspace.base_footprint());
    for slot in 0..SLOT_COUNT as Slot {
        let table = keyspace.lock(slot);
        keys += table.len();
        bytes += table.footprint();
        assert_eq!(keyspace.slot_len(slot), table.len());
    }
    assert_eq!((keyspace.key_count(), keyspace.footprint()), (keys, bytes));
}
