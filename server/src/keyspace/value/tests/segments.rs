//! The table of large collections.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::super::Segments;

/// Reads all of it in steps of `count`, with `between` after each step. A name may come again if the table changes.
fn scan(table: &mut Segments, count: usize, mut between: impl FnMut(&mut Segments)) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut cursor = 0;
    loop {
        let mut step = 0;
        cursor = table.scan(cursor, count, &mut |name, _| {
            found.push(name.to_vec());
            step += 1;
        });
        assert!(cursor < 1 << 52, "a double holds it");
        assert!(step <= count + 64, "{step} for a count of {count}");
        between(table);
        if cursor == 0 {
            return found;
        }
    }
}

fn name(number: u32) -> Vec<u8> {
    format!("name:{number}").into_bytes()
}

#[test]
fn it_is_a_map_while_it_grows_and_shrinks() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let (mut table, mut model) = (Segments::default(), HashMap::new());
    for round in 0..12 {
        // Growing and shrinking in turns, to different sizes.
        let (steps, inserts) = if round % 2 == 0 {
            (20_000, 9)
        } else {
            (19_000 + 100 * round, 1)
        };
        for _ in 0..steps {
            let number = rng.random_range(0..30_000);
            let key = name(number);
            if rng.random_range(0..10) < inserts {
                let value = vec![b'v'; rng.random_range(0..20)];
                assert_eq!(
                    table.insert(&key, &value),
                    model.insert(key.clone(), value).is_none()
                );
            } else {
                assert_eq!(table.remove(&key), model.remove(&key).is_some());
            }
            assert_eq!(table.len(), model.len());
            assert_eq!(table.get(&key), model.get(&key).map(Vec::as_slice));
        }
        let found: HashMap<Vec<u8>, Vec<u8>> = table
            .iter()
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect();
        assert_eq!(found, model);
        let scanned = scan(&mut table, 10, |_| ());
        assert_eq!(
            scanned.len(),
            model.len(),
            "nothing comes twice while nothing changes"
        );
        assert_eq!(
            scanned.into_iter().collect::<HashSet<_>>(),
            model.keys().cloned().collect()
        );
    }
    let keys: Vec<_> = model.into_keys().collect();
    for key in keys {
        assert!(table.remove(&key));
    }
    assert!(table.is_empty() && table.random().is_none());
    assert!(
        table.footprint() < 1000,
        "{table:?} holds {} bytes",
        table.footprint()
    );
}

/// The bytes that are counted are those of what is there.
#[test]
fn the_books_are_right() {
    let mut table = Segments::default();
    (0..5000).for_each(|number| {
        table.insert(&name(number), &vec![b'v'; number as usize % 6000]);
    });
    (0..5000).step_by(3).for_each(|number| {
        table.insert(&name(number), b"other");
    });
    (0..4000).for_each(|number| {
        table.remove(&name(number));
    });
    let mut again = Segments::default();
    table.iter().for_each(|(name, value)| {
        again.insert(name, value);
    });
    let (counted, expected) = (table.footprint(), again.footprint());
    assert!(counted.abs_diff(expected) < expected / 10, "{counted} {expected}");
    let bytes: usize = again.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(expected > bytes && expected < 2 * bytes, "{expected} for {bytes}");
}

#[test]
fn every_member_is_drawn_as_often_as_any_other() {
    for len in [3, 2000] {
        let mut table = Segments::default();
        (0..len).for_each(|number| {
            table.insert(&name(number), b"");
        });
        let draws = len * 100;
        let mut drawn: HashMap<Vec<u8>, u32> = HashMap::new();
        for _ in 0..draws {
            let (name, _) = table.random().expect("it is not empty");
            *drawn.entry(name.to_vec()).or_default() += 1;
        }
        assert_eq!(drawn.len(), len as usize);
        // 100 each is expected, with a standard deviation of 10.
        assert!(
            drawn.values().all(|&count| (30..=200).contains(&count)),
            "{drawn:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_scan_misses_nothing_that_stays(seed in any::<u64>(), count in 1_usize..200, grow in any::<bool>()) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut table = Segments::default();
        let stays: HashSet<Vec<u8>> = (0..1000).map(name).collect();
        stays.iter().for_each(|name| { table.insert(name, b""); });
        if !grow {
            (1000..9000).for_each(|number| { table.insert(&name(number), b""); });
        }
        let mut next = 1000;
        let found: HashSet<_> = scan(&mut table, count, |table| {
            for _ in 0..rng.random_range(0..count * 3) {
                if next < 20_000 {
                    if grow { table.insert(&name(next), b""); } else { table.remove(&name(next)); }
                    next += 1;
                }
            }
        })
        .into_iter()
        .collect();
        prop_assert!(stays.is_subset(&found));
    }

    #[test]
    fn any_cursor_is_a_place(cursor in any::<u64>(), len in 0_u32..3000) {
        let mut table = Segments::default();
        (0..len).for_each(|number| { table.insert(&name(number), b""); });
        let next = table.scan(cursor, 10, &mut |_, _| ());
        prop_assert!(next == 0 || next > cursor & ((1 << 52) - 1));
    }

    #[test]
    fn a_copy_stays_as_it_was(seed in any::<u64>()) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut table = Segments::default();
        (0..3000).for_each(|number| { table.insert(&name(number), b"old"); });
        let copy = table.clone();
        for _ in 0..4000 {
            let name = name(rng.random_range(0..6000));
            if rng.random_range(0..3) == 0 { table.insert(&name, b"new"); } else { table.remove(&name); }
        }
        let found: HashMap<_, _> = copy.iter().collect();
        prop_assert_eq!(found.len(), 3000);
        prop_assert!(found.values().all(|value| *value == b"old"));
        prop_assert!((0..3000).all(|number| copy.contains(&name(number))));
    }
}
