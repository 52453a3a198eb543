//! Listpacks and intsets.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;

use super::super::{Hash, Intset, Item, Limits, Listpack, Set};

/// Texts of every encoding, and numbers at the edges of each width.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let edges = [
        0,
        127,
        128,
        -1,
        4095,
        4096,
        -4096,
        -4097,
        32_767,
        32_768,
        -32_769,
        8_388_607,
        8_388_608,
        -8_388_609,
        2_147_483_647,
        2_147_483_648,
        -2_147_483_649,
        i64::MAX,
        i64::MIN,
    ];
    prop_oneof![
        prop::sample::select(edges.to_vec()).prop_map(|number: i64| number.to_string().into_bytes()),
        prop::sample::select(&["01", "-0", "+1", "9223372036854775808", ""][..])
            .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..8),
        (60_usize..70, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
        (4090_usize..4100, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
        Just(vec![b'x'; 17_000]),
    ]
}

fn texts(list: &Listpack) -> Vec<Vec<u8>> {
    list.iter()
        .map(|(_, item)| item.text(&mut itoa::Buffer::new()).to_vec())
        .collect()
}

/// Reads from the end to the beginning.
fn texts_backwards(list: &Listpack) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut at = list.last();
    while let Some(here) = at {
        found.push(list.get(here).text(&mut itoa::Buffer::new()).to_vec());
        at = list.previous(here);
    }
    found.reverse();
    found
}

#[derive(Clone, Debug)]
enum Act {
    Push(Vec<u8>),
    Insert(prop::sample::Index, Vec<u8>),
    Replace(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => text().prop_map(Act::Push),
        1 => (any::<prop::sample::Index>(), text()).prop_map(|(at, text)| Act::Insert(at, text)),
        1 => (any::<prop::sample::Index>(), text()).prop_map(|(at, text)| Act::Replace(at, text)),
        1 => (any::<prop::sample::Index>(), 1_usize..4).prop_map(|(at, count)| Act::Remove(at, count)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_listpack_is_a_vector_of_texts(acts in prop::collection::vec(act(), 0..40)) {
        let (mut list, mut model) = (Listpack::default(), Vec::<Vec<u8>>::new());
        for act in acts {
            match act {
                Act::Push(text) => {
                    list.push(&text);
                    model.push(text);
                }
                Act::Insert(at, text) if !model.is_empty() => {
                    let at = at.index(model.len());
                    list.insert(list.seek(at).unwrap(), &text);
                    model.insert(at, text);
                }
                Act::Replace(at, text) if !model.is_empty() => {
                    let at = at.index(model.len());
                    list.replace(list.seek(at).unwrap(), &text);
                    model[at] = text;
                }
                Act::Remove(at, count) if !model.is_empty() => {
                    let at = at.index(model.len());
                    let count = count.min(model.len() - at);
                    list.remove(list.seek(at).unwrap(), count);
                    model.drain(at..at + count);
                }
                _ => {}
            }
            prop_assert_eq!(list.len(), model.len());
            prop_assert_eq!(list.is_empty(), model.is_empty());
            prop_assert!(list.seek(model.len()).is_none());
        }
        prop_assert_eq!(&texts(&list), &model);
        prop_assert_eq!(texts_backwards(&list), model);
        prop_assert_eq!(Listpack::from_bytes(list.as_bytes().to_vec()), Some(list));
    }

    #[test]
    fn no_bytes_are_taken_for_a_listpack_that_cannot_be_read(
        texts in prop::collection::vec(text(), 0..10),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut list = Listpack::default();
        texts.iter().for_each(|text| list.push(text));
        let mut bytes = list.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(list) = Listpack::from_bytes(bytes.clone()) {
            prop_assert_eq!(self::texts(&list), texts_backwards(&list));
            let _ = Hash::from_listpack(list, &Limits::default());
        }
        for end in 0..bytes.len().min(40) {
            prop_assert!(Listpack::from_bytes(bytes[..end].to_vec()).is_none());
        }
    }

    #[test]
    fn an_intset_is_a_sorted_set(
        acts in prop::collection::vec((any::<bool>(), prop_oneof![
            -3_i64..3, -40_000_i64..40_000, any::<i32>().prop_map(i64::from), any::<i64>(),
        ]), 0..80),
    ) {
        let (mut set, mut model) = (Intset::default(), BTreeSet::new());
        for (insert, number) in acts {
            if insert {
                prop_assert_eq!(set.insert(number), model.insert(number));
            } else {
                prop_assert_eq!(set.remove(number), model.remove(&number));
            }
            prop_assert_eq!(set.contains(number), model.contains(&number));
            prop_assert_eq!(set.len(), model.len());
        }
        prop_assert!(set.iter().eq(model.iter().copied()));
        let copy = Intset::from_bytes(set.as_bytes().to_vec()).unwrap();
        prop_assert!(copy.iter().eq(model));
    }

    #[test]
    fn any_bytes_are_an_intset_or_refused(bytes in prop::collection::vec(0_u8..9, 0..40)) {
        if let Some(set) = Intset::from_bytes(bytes) {
            let numbers: Vec<i64> = set.iter().collect();
            prop_assert!(numbers.is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn a_hash_is_a_map_in_both_forms(
        acts in prop::collection::vec((0_u8..3, 0_u8..20, text()), 0..60),
        max_entries in 0_usize..10,
    ) {
        let limits = Limits { hash_max_entries: max_entries, hash_max_value: 64, ..Limits::default() };
        let (mut hash, mut model) = (Hash::default(), HashMap::new());
        for (what, field, value) in acts {
            let field = format!("{}", i16::from(field) - 5).into_bytes();
            if what > 0 {
                let is_new = model.insert(field.clone(), value.clone()).is_none();
                prop_assert_eq!(hash.set(&field, &value, &limits), is_new);
            } else {
                prop_assert_eq!(hash.remove(&field), model.remove(&field).is_some());
            }
            prop_assert_eq!(hash.len(), model.len());
            prop_assert_eq!(hash.contains(&field), model.contains_key(&field));
            prop_assert!(hash.len() <= max_entries || hash.encoding() == "hashtable");
        }
        let mut found = HashMap::new();
        hash.for_each(&mut |field, value| {
            found.insert(field.to_vec(), value.to_vec());
        });
        prop_assert_eq!(&found, &model);
        let mut other = Hash::table();
        found.iter().for_each(|(field, value)| {
            other.set(field, value, &limits);
        });
        prop_assert_eq!(hash, other);
    }
}

/// Read from redis-server 7.0.15: the payload of `HSET h f 1 g hello n -5000`.
#[test]
fn a_listpack_has_stocks_bytes() {
    let mut list = Listpack::default();
    for text in ["f", "1", "g", "hello", "n", "-5000"] {
        list.push(text.as_bytes());
    }
    let bytes = b"\x1d\0\0\0\x06\0\x81f\x02\x01\x01\x81g\x02\x85hello\x06\x81n\x02\xf1\x78\xec\x03\xff";
    assert_eq!(
        list.as_bytes().escape_ascii().to_string(),
        bytes.escape_ascii().to_string()
    );
}

#[test]
fn a_set_leaves_the_intset_when_it_must() {
    let limits = Limits {
        set_max_intset_entries: 3,
        ..Limits::default()
    };
    let mut set = Set::default();
    for number in ["3", "1", "2"] {
        assert!(set.insert(number.as_bytes(), &limits));
    }
    assert_eq!(set.encoding(), "intset");
    let members: Vec<Item<'_>> = set.iter().collect();
    assert_eq!(members, [Item::Int(1), Item::Int(2), Item::Int(3)]);
    assert!(!set.insert(b"1", &limits) && set.insert(b"4", &limits));
    assert_eq!((set.encoding(), set.len()), ("hashtable", 4));
    assert!(set.contains(b"2") && !set.contains(b"02"));

    let mut set = Set::default();
    assert!(set.insert(b"1", &limits) && set.insert(b"01", &limits));
    assert_eq!((set.encoding(), set.len()), ("hashtable", 2));
    assert!(set.remove(b"1") && !set.remove(b"1") && set.contains(b"01"));
}
