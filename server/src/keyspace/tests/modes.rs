//! What replication asks of the keyspace: modes of expiry, marks of change, whole contents replaced.

use std::sync::{Arc, Mutex};

use super::super::{Content, Mode};
use super::*;

/// A keyspace in this mode, and the keys that its sink was told.
fn recording(mode: Mode) -> (Keyspace, Arc<Mutex<Vec<Vec<u8>>>>) {
    let keyspace = Keyspace::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = told.clone();
    keyspace.on_gone(Box::new(move |key, _| sink.lock().unwrap().push(key.to_vec())));
    keyspace.set_mode(mode);
    assert_eq!(keyspace.mode(), mode);
    (keyspace, told)
}

fn set_expiring(keyspace: &Keyspace, name: &[u8]) {
    let key = Key::new(name);
    keyspace
        .lock(key.slot)
        .set_string(&key, b"v", Expire::At(NOW + 10), NOW);
}

#[test]
fn only_changes_count_as_changes() {
    type Act = fn(&mut SlotTable, &Key<'_>);
    let acts: [(&str, bool, Act); 14] = [
        ("get", false, |table, key| assert!(table.get(key, NOW).is_some())),
        ("peek", false, |table, key| {
            assert!(table.peek(key, NOW).is_some())
        }),
        ("set", true, |table, key| {
            table.set_string(key, b"v", Expire::Clear, NOW)
        }),
        ("set anew", true, |table, _| {
            table.set_string(&Key::new(b"{k}other"), b"v", Expire::Clear, NOW)
        }),
        ("remove", true, |table, key| drop(table.remove(key, NOW))),
        ("remove what is not there", false, |table, _| {
            assert!(table.remove(&Key::new(b"{k}other"), NOW).is_none())
        }),
        ("expire", true, |table, key| {
            assert!(table.set_expiry(key, Some(NOW + 99), NOW))
        }),
        ("persist", true, |table, key| {
            assert!(table.set_expiry(key, None, NOW))
        }),
        ("persist what does not expire", false, |table, key| {
            table.set_expiry(key, None, NOW);
            table.take_changed();
            assert!(table.set_expiry(key, None, NOW));
        }),
        ("expire what is not there", false, |table, _| {
            assert!(!table.set_expiry(&Key::new(b"{k}other"), Some(NOW), NOW))
        }),
        ("grow by nothing", true, |table, key| {
            assert_eq!(table.find(key, NOW).grow_string(0), b"v")
        }),
        ("meet an expired key", false, |table, key| {
            assert!(table.get(key, NOW + 50).is_none())
        }),
        ("clear", true, |table, _| drop(table.clear())),
        ("clear what is empty", false, |table, _| {
            drop(table.clear());
            table.take_changed();
            drop(table.clear());
        }),
    ];
    for (name, changes, act) in acts {
        let keyspace = Keyspace::new();
        let key = Key::new(b"k");
        set_expiring(&keyspace, b"k");
        let mut held = Held::one(&keyspace, key.slot);
        assert!(held.take_changed(), "{name}: the set before");
        act(held.table(key.slot), &key);
        assert_eq!(held.take_changed(), changes, "{name}");
        assert!(!held.take_changed(), "{name}: taken");
    }
}

#[test]
fn the_sink_is_told_of_expired_keys_in_time() {
    let (keyspace, told) = recording(Mode::Recording);
    let taken = || std::mem::take(&mut *told.lock().unwrap());
    for name in [&b"{t}a"[..], b"{t}b", b"{t}c"] {
        set_expiring(&keyspace, name);
    }
    let key = Key::new(b"{t}a");
    let mut held = Held::one(&keyspace, key.slot);
    assert!(held.table(key.slot).get(&key, NOW + 11).is_none());
    held.flush_expired(&keyspace);
    assert_eq!(taken(), [b"{t}a"]);
    assert!(held.table(key.slot).get(&Key::new(b"{t}b"), NOW + 11).is_none());
    drop(held);
    assert_eq!(taken(), [b"{t}b"], "at the latest when the lock is released");
    keyspace.expire_cycle(NOW + 5000, LONG, &mut 0);
    assert_eq!(taken(), [b"{t}c"]);

    set_expiring(&keyspace, b"alone");
    keyspace.set_mode(Mode::Alone);
    assert!(get(&keyspace, b"alone").is_some());
    keyspace.expire_cycle(NOW + 5000, LONG, &mut 0);
    assert_eq!((keyspace.key_count(), taken()), (0, vec![]));
}

#[test]
fn a_follower_hides_expired_keys_and_keeps_them() {
    let (keyspace, told) = recording(Mode::Following);
    let later = NOW + 5000;
    set_expiring(&keyspace, b"k");
    let key = Key::new(b"k");
    assert!(keyspace.lock(key.slot).get(&key, later).is_none());
    assert_eq!(keyspace.expire_cycle(later, LONG, &mut 0).removed, 0);
    assert_eq!(keyspace.key_count(), 1);
    {
        let mut held = Held::one(&keyspace, key.slot);
        held.reveal_expired();
        assert!(held.table(key.slot).get(&key, later).is_some());
    }
    assert!(keyspace.lock(key.slot).get(&key, later).is_none(), "hidden again");

    // Writing over a hidden key leaves one key, not two.
    keyspace
        .lock(key.slot)
        .set_string(&key, b"new", Expire::Clear, later);
    assert_eq!(
        (keyspace.key_count(), get(&keyspace, b"k").unwrap()),
        (1, b"new".to_vec())
    );

    // The primary's DEL removes a hidden key, and a promoted node expires what it hid.
    set_expiring(&keyspace, b"k");
    let mut held = Held::one(&keyspace, key.slot);
    held.reveal_expired();
    assert!(held.table(key.slot).remove(&key, later).is_some());
    drop(held);
    set_expiring(&keyspace, b"k");
    keyspace.set_mode(Mode::Recording);
    keyspace.expire_cycle(later, LONG, &mut 0);
    assert_eq!(*told.lock().unwrap(), [b"k"]);
    assert_eq!(keyspace.key_count(), 0);
}

#[test]
fn a_slot_is_dropped_key_by_key_for_the_stream() {
    let (keyspace, told) = recording(Mode::Recording);
    for name in [&b"{t}a"[..], b"{t}b", b"elsewhere"] {
        set(&keyspace, name, b"v");
    }
    let slot = Key::new(b"{t}").slot;
    Held::one(&keyspace, slot).take_changed();
    assert_eq!(keyspace.drop_slot(slot), 2);
    assert_eq!(keyspace.drop_slot(slot), 0);
    told.lock().unwrap().sort();
    assert_eq!(*told.lock().unwrap(), [b"{t}a", b"{t}b"]);
    assert!(!Held::one(&keyspace, slot).take_changed(), "told already");
    assert_eq!(keyspace.key_count(), 1);
}

#[test]
fn contents_are_replaced_whole() {
    let keyspace = Keyspace::new();
    let staged = Keyspace::new();
    for number in 0..500 {
        set(&keyspace, format!("old{number}").as_bytes(), b"old");
        let name = format!("new{number}").into_bytes();
        let key = Key::new(&name);
        let expiry = (number % 2 == 0).then_some(NOW + 10);
        let mut table = staged.lock(key.slot);
        assert!(table.load(&key, Content::Bytes(b"new"), expiry, Some(100), None, NOW));
        assert!(
            !table.load(&key, Content::Bytes(b"other"), None, None, None, NOW),
            "there already"
        );
        assert_eq!(table.peek(&key, NOW).unwrap().idle_s(NOW), 100);
    }
    let (gone, come, neither) = (Key::new(b"old1"), Key::new(b"new1"), Key::new(b"none"));
    let touched = [gone, come, neither].map(|key| {
        let flag = Arc::new(AtomicBool::new(false));
        keyspace.lock(key.slot).watch(&key, flag.clone());
        flag
    });
    let footprint = staged.footprint();
    keyspace.replace_contents(staged);
    assert_eq!(
        touched.map(|flag| flag.load(Ordering::Acquire)),
        [true, true, false]
    );
    assert_eq!((keyspace.key_count(), keyspace.expiring_count()), (500, 250));
    assert_eq!(keyspace.footprint(), footprint);
    assert!(
        (0..500).all(|number| get(&keyspace, format!("new{number}").as_bytes()) == Some(b"new".to_vec()))
    );
    assert!(get(&keyspace, b"old1").is_none());
    assert_eq!(keyspace.expire_cycle(NOW + 5000, LONG, &mut 0).removed, 250);

    keyspace.clear();
    assert_eq!(
        (keyspace.key_count(), keyspace.footprint()),
        (0, keyspace.base_footprint())
    );
}
