//! Collections in a keyspace: type checks, books, snapshots, and who frees them.

use std::time::{Duration, Instant};

use super::super::{Collection, Hash, Limits, Set, lazy_free};
use crate::keyspace::{Expire, Key, Keyspace, Records, ValueRef, WrongType};

const NOW: u64 = 1_800_000_000_000;

fn add(keyspace: &Keyspace, key: &str, members: std::ops::Range<u32>) {
    let key = Key::new(key.as_bytes());
    let mut table = keyspace.lock(key.slot);
    let added = table.find(&key, NOW).edit(|set: &mut Set| {
        members.for_each(|number| {
            set.insert(format!("m{number}").as_bytes(), &Limits::default());
        });
        ((), true)
    });
    assert_eq!(added, Ok(()));
}

#[test]
fn a_key_holds_one_type_and_goes_when_it_is_empty() {
    let keyspace = Keyspace::new();
    add(&keyspace, "k", 0..3);
    let key = Key::new(b"k");
    let mut table = keyspace.lock(key.slot);
    let wrong = table.find(&key, NOW).edit(|_: &mut Hash| ((), true));
    assert_eq!(wrong, Err(WrongType));
    assert_eq!(table.find(&key, NOW).collection::<Hash>().err(), Some(WrongType));
    let entry = table.get(&key, NOW).expect("it is there");
    assert_eq!(
        (entry.type_name(), entry.encoding(), entry.string()),
        ("set", "hashtable", None)
    );
    assert!(entry.footprint() > 100);

    table.find(&key, NOW).set_expiry(Some(NOW + 5));
    let len = table
        .find(&key, NOW)
        .collection::<Set>()
        .map(|set| set.map(Set::len));
    assert_eq!(len, Ok(Some(3)), "an expiry moves the pointer and nothing else");
    let removed = table.find(&key, NOW).edit(|set: &mut Set| {
        (0..3).for_each(|number| {
            set.remove(format!("m{number}").as_bytes());
        });
        (set.len(), true)
    });
    assert_eq!(removed, Ok(0));
    assert_eq!((table.len(), table.expiring()), (0, 0));
    let nothing = table.find(&key, NOW).edit(|_: &mut Hash| ((), false));
    assert_eq!((nothing, table.len()), (Ok(()), 0));
    drop(table);
    assert!(keyspace.footprint() - keyspace.base_footprint() < 200);
}

#[test]
fn a_snapshot_sees_collections_as_they_were() {
    let keyspace = Keyspace::new();
    ["a", "b", "c", "d"]
        .iter()
        .for_each(|key| add(&keyspace, key, 0..2000));
    let (mut cut, ()) = keyspace.cut(|| ()).expect("no other");
    // One grows, one goes, one is overwritten, one stays.
    add(&keyspace, "a", 2000..3000);
    for key in [Key::new(b"b"), Key::new(b"c")] {
        let mut table = keyspace.lock(key.slot);
        if key.bytes == b"b" {
            let entry = table.remove(&key, NOW).expect("it is there");
            table.discard(entry);
        } else {
            table.set_string(&key, b"a string", Expire::Clear, NOW);
        }
    }
    let mut seen = Vec::new();
    let mut records = Records::default();
    while cut.next(&mut records) {
        for record in records.iter() {
            let ValueRef::Collection(Collection::Set(set)) = record.value else {
                panic!("{record:?}")
            };
            assert_eq!(set.len(), 2000);
            assert!((0..2000).all(|number| set.contains(format!("m{number}").as_bytes())));
            seen.push(record.key.to_vec());
        }
    }
    seen.sort();
    assert_eq!(seen, [b"a", b"b", b"c", b"d"]);
    let key = Key::new(b"a");
    let mut table = keyspace.lock(key.slot);
    let len = table
        .find(&key, NOW)
        .collection::<Set>()
        .map(|set| set.map(Set::len));
    assert_eq!(len, Ok(Some(3000)));
}

#[test]
fn whatever_removes_a_large_collection_leaves_it_to_the_thread() {
    let keyspace = Keyspace::new();
    let before = lazy_free::freed();
    let key = Key::new(b"k");
    let ways: [fn(&Keyspace, &Key<'_>); 4] = [
        |keyspace, key| {
            let mut table = keyspace.lock(key.slot);
            let entry = table.remove(key, NOW).expect("it is there");
            table.discard(entry);
        },
        |keyspace, key| keyspace.lock(key.slot).set_string(key, b"v", Expire::Clear, NOW),
        |keyspace, key| {
            keyspace.lock(key.slot).set_expiry(key, Some(NOW - 1), NOW);
            assert!(keyspace.lock(key.slot).get(key, NOW).is_none());
        },
        |keyspace, _| keyspace.clear(),
    ];
    for way in ways {
        keyspace.clear();
        add(&keyspace, "k", 0..65);
        way(&keyspace, &key);
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    while lazy_free::freed() < before + 4 {
        assert!(Instant::now() < deadline, "the thread frees what it is given");
        std::thread::yield_now();
    }
}
