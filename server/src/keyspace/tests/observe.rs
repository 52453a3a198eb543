//! What slots keep for others: events that no command names, and keys that clients have copies of.

use std::sync::{Arc, Mutex};

use super::super::{Forgotten, KeyEvent, Observer, Stale};
use super::*;

/// Everything that was told, in its order.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn add(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }
}

impl Observer for Told {
    fn event(&self, event: KeyEvent, key: &[u8]) {
        self.add(format!("{event:?} {}", key.escape_ascii()));
    }

    fn stale(&self, stale: Vec<Stale>) {
        for stale in stale {
            let own = if stale.by_itself { " by itself" } else { "" };
            self.add(format!(
                "stale {} {:?}{own}",
                stale.key.escape_ascii(),
                stale.readers
            ));
        }
    }

    fn flushed(&self, forgotten: Forgotten) {
        self.add(format!("flushed {} {}", forgotten.keys, forgotten.items));
    }
}

fn observed(events: bool, reports: bool) -> (Keyspace, Told) {
    let (keyspace, told) = (Keyspace::new(), Told::default());
    keyspace.observe(Box::new(told.clone()));
    keyspace.set_observed(events, reports);
    (keyspace, told)
}

#[test]
fn events_are_told_when_the_lock_is_released_or_before_the_next_one() {
    let (keyspace, told) = observed(true, false);
    let key = Key::new(b"k");
    let mut held = Held::one(&keyspace, key.slot);
    held.table(key.slot)
        .set_string(&key, b"v", Expire::At(NOW + 10), NOW);
    assert_eq!(told.take(), [] as [String; 0]);
    held.tell_events(&keyspace, key.slot);
    assert_eq!(told.take(), ["New k"]);
    // A key that is found expired, and is then set again.
    held.table(key.slot)
        .set_string(&key, b"w", Expire::Clear, NOW + 11);
    held.table(key.slot).set_string(&key, b"x", Expire::Clear, NOW);
    drop(held);
    assert_eq!(told.take(), ["Expired k", "New k"]);
    keyspace.set_observed(false, false);
    keyspace.lock(key.slot).remove(&key, NOW);
    keyspace
        .lock(key.slot)
        .set_string(&key, b"v", Expire::At(NOW + 10), NOW);
    keyspace.lock(key.slot).peek(&key, NOW + 11);
    assert_eq!(told.take(), [] as [String; 0]);
}

#[test]
fn readers_are_told_of_once() {
    let (keyspace, told) = observed(false, false);
    let key = Key::new(b"k");
    let mut table = keyspace.lock(key.slot);
    assert_eq!(table.track(&key, 7), Forgotten { keys: 1, items: 1 });
    assert_eq!(table.track(&key, 8), Forgotten { keys: 0, items: 1 });
    assert_eq!(table.track(&key, 7), Forgotten::default());
    table.set_string(&key, b"v", Expire::At(NOW + 10), NOW);
    table.set_string(&key, b"w", Expire::At(NOW + 10), NOW);
    drop(table);
    assert_eq!(told.take(), ["stale k [7, 8]"]);
    let mut table = keyspace.lock(key.slot);
    table.track(&key, 9);
    table.set_expiry(&key, Some(NOW + 20), NOW);
    table.track(&key, 9);
    table.peek(&key, NOW + 21);
    drop(table);
    assert_eq!(told.take(), ["stale k [9]", "stale k [9] by itself"]);
}

#[test]
fn a_slot_that_reports_tells_of_every_change() {
    let (keyspace, told) = observed(false, true);
    let key = Key::new(b"k");
    keyspace.lock(key.slot).set_string(&key, b"v", Expire::Clear, NOW);
    keyspace.lock(key.slot).set_string(&key, b"w", Expire::Clear, NOW);
    keyspace.lock(key.slot).get(&key, NOW);
    keyspace.lock(key.slot).set_expiry(&key, Some(NOW + 10), NOW);
    keyspace.lock(key.slot).remove(&key, NOW);
    assert_eq!(told.take(), ["stale k []"; 4]);
    let mut held = Held::one(&keyspace, key.slot);
    held.table(key.slot).set_string(&key, b"v", Expire::Clear, NOW);
    assert_eq!(held.take_stale().len(), 1);
    drop(held);
    assert_eq!(told.take(), [] as [String; 0], "it was taken");
    keyspace.drop_slot(key.slot);
    assert_eq!(told.take(), ["stale k [] by itself"]);
}

#[test]
fn what_is_tracked_goes_with_the_data_or_one_by_one() {
    let (keyspace, told) = observed(false, false);
    let keys = [Key::new(b"{a}1"), Key::new(b"{a}2"), Key::new(b"b")];
    for key in &keys {
        keyspace.lock(key.slot).track(key, 1);
    }
    let stale = keyspace
        .lock(keys[0].slot)
        .evict_tracked()
        .expect("two are there");
    assert!(stale.key.starts_with(b"{a}") && stale.readers == [1]);
    keyspace.clear();
    assert_eq!(told.take(), ["flushed 2 2"]);
    assert_eq!(keyspace.lock(keys[0].slot).evict_tracked(), None);
    keyspace.lock(keys[2].slot).track(&keys[2], 1);
    keyspace.replace_contents(Keyspace::new());
    assert_eq!(told.take(), ["flushed 1 1"]);
    keyspace.lock(keys[2].slot).track(&keys[2], 1);
    keyspace.drop_slot(keys[2].slot);
    assert_eq!(told.take(), ["stale b [1] by itself"]);
}
