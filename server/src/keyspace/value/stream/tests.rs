//! Streams against what they are models of: a map of entries by ID.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::id_map::IdMap;
use super::*;
use crate::keyspace::{Item, Limits, Listpack};

fn id(number: u16) -> StreamId {
    StreamId {
        ms: u64::from(number / 4),
        seq: u64::from(number % 4),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_id_map_is_a_map(steps in prop::collection::vec((0u8..4, 0u16..1500), 0..1500)) {
        let (mut map, mut model) = (IdMap::default(), BTreeMap::new());
        let mut copy = None;
        for (step, (what, number)) in steps.into_iter().enumerate() {
            match what {
                // Mostly at the end, as entries come.
                0 => prop_assert_eq!(map.insert(id(step as u16 + 1000), step), model.insert(id(step as u16 + 1000), step)),
                1 => prop_assert_eq!(map.insert(id(number), step), model.insert(id(number), step)),
                2 => prop_assert_eq!(map.remove(id(number)), model.remove(&id(number))),
                _ => {
                    prop_assert_eq!(map.get(id(number)), model.get(&id(number)));
                    if let Some(value) = map.get_mut(id(number)) {
                        *value += 1;
                        *model.get_mut(&id(number)).expect("both have it") += 1;
                    }
                }
            }
            if step == 300 {
                copy = Some((map.clone(), model.clone()));
            }
        }
        let pairs = |model: &BTreeMap<StreamId, usize>| model.iter().map(|(id, value)| (*id, *value)).collect::<Vec<_>>();
        let listed = |map: &IdMap<usize>| map.iter().map(|(id, value)| (id, *value)).collect::<Vec<_>>();
        prop_assert_eq!(map.len(), model.len());
        prop_assert_eq!(listed(&map), pairs(&model));
        if let Some((map, model)) = copy {
            prop_assert_eq!(listed(&map), pairs(&model));
        }
        for number in (0..2600).step_by(37) {
            let from: Vec<_> = map.from(id(number)).map(|(id, _)| id).take(3).collect();
            let wanted: Vec<_> = model.range(id(number)..).map(|(id, _)| *id).take(3).collect();
            prop_assert_eq!(from, wanted);
            let up_to: Vec<_> = map.up_to(id(number)).map(|(id, _)| id).take(3).collect();
            let wanted: Vec<_> = model.range(..=id(number)).rev().map(|(id, _)| *id).take(3).collect();
            prop_assert_eq!(up_to, wanted);
        }
    }

    #[test]
    fn entries_are_a_map_that_grows_at_its_end(
        steps in prop::collection::vec((0u8..12, 0u16..400, prop::collection::vec(0u8..4, 1..4)), 0..400),
        node_entries in 0u64..8,
        node_bytes in prop_oneof![Just(0_usize), 60_usize..300],
    ) {
        let limits = Limits { stream_node_entries: node_entries, stream_node_bytes: node_bytes, ..Limits::default() };
        let (mut entries, mut model) = (Entries::default(), BTreeMap::new());
        let mut added = 0;
        for (what, number, names) in steps {
            match what {
                0..8 => {
                    let content: Vec<Vec<u8>> = names
                        .iter()
                        .flat_map(|name| [vec![b'a' + name], (number % 50).to_string().into_bytes()])
                        .collect();
                    let wanted = if what < 4 {
                        NewId::Within { ms: entries.last_id.ms + u64::from(number % 2) }
                    } else {
                        NewId::Exact(id(number + added))
                    };
                    let last = entries.last_id;
                    match entries.append(wanted, content.iter().map(Vec::as_slice), &limits) {
                        Ok(id) => {
                            prop_assert!(id > last);
                            added += 1;
                            model.insert(id, content);
                        }
                        Err(error) => {
                            prop_assert_eq!(error, AppendError::NotGreater);
                            let is_old = matches!(wanted, NewId::Exact(id) if id <= last);
                            prop_assert!(is_old, "{:?}", wanted);
                        }
                    }
                }
                8 | 9 => {
                    let known = model.keys().nth(usize::from(number) % model.len().max(1)).copied();
                    let id = known.filter(|_| what == 8).unwrap_or(id(number));
                    prop_assert_eq!(entries.delete(id), model.remove(&id).is_some());
                }
                10 => {
                    let count = usize::from(number % 40);
                    let gone = entries.trim(Keep::Last(count as u64), number % 3 == 0, 0) as usize;
                    prop_assert!(number % 3 == 0 || gone == model.len().saturating_sub(count));
                    prop_assert!(gone == 0 || model.len() - gone >= count);
                    (0..gone).for_each(|_| { model.pop_first(); });
                }
                _ => {
                    let least = model.keys().nth(usize::from(number % 20)).copied().unwrap_or(id(number));
                    entries.trim(Keep::From(least), false, 0);
                    model = model.split_off(&least);
                }
            }
            prop_assert_eq!(entries.len(), model.len() as u64);
            let first = model.keys().next().copied().unwrap_or(StreamId::MIN);
            prop_assert_eq!(entries.first_id(), first);
        }
        let text = |item: Item<'_>| item.text(&mut itoa::Buffer::new()).to_vec();
        let listed: BTreeMap<_, _> = entries
            .range(StreamId::MIN, StreamId::MAX)
            .map(|entry| (entry.id, entry.pairs().flat_map(|(name, value)| [text(name), text(value)]).collect::<Vec<_>>()))
            .collect();
        prop_assert_eq!(&listed, &model);
        for (from, to) in [(0, 100), (7, 60), (100, 101), (90, 300), (50, 20)] {
            let (from, to) = (id(from), id(to));
            let mut wanted: Vec<_> = model.keys().copied().filter(|id| (from..=to).contains(id)).collect();
            let found: Vec<_> = entries.range(from, to).map(|entry| entry.id).collect();
            prop_assert_eq!(&found, &wanted);
            let found: Vec<_> = entries.range_back(from, to).map(|entry| entry.id).collect();
            wanted.reverse();
            prop_assert_eq!(found, wanted);
        }
        // What is written is read again, node by node.
        let mut again = Stream::default();
        for (id, pack) in entries.nodes() {
            let list = Listpack::from_bytes(pack.listpack().as_bytes().to_vec()).expect("a listpack");
            let pack = Pack::from_listpack(list, id).expect("a node");
            prop_assert!(again.adopt(id, pack));
        }
        let totals = StreamTotals {
            len: entries.len(),
            last_id: entries.last_id,
            since_7: Some((entries.max_deleted_id, entries.added)),
        };
        prop_assert!(again.complete(totals));
        let own = Stream { body: Box::new(Body { exists: true, entries, ..Body::default() }) };
        prop_assert_eq!(again.footprint() > 0, own.footprint() > 0);
        prop_assert_eq!(again, own);
    }
}

#[test]
fn radix_nodes_are_those_that_stock_counts() {
    let nodes = |ids: &[u16]| radix::nodes(ids.iter().map(|number| id(*number)));
    assert_eq!(nodes(&[]), 1);
    // A stretch of 16 bytes, and its end.
    assert_eq!(nodes(&[7]), 2);
    // They part at the last byte.
    assert_eq!(nodes(&[4, 5]), 4);
    // They part at the eighth byte, and have eight bytes more each.
    assert_eq!(nodes(&[4, 8]), 6);
}

#[test]
fn pending_entries_belong_to_one_consumer() {
    let mut group = Group::new(StreamId::MIN, 0);
    assert!(group.hear(b"a", 1) && !group.hear(b"a", 2) && group.add_consumer(b"b", 1));
    assert!(!group.assign(id(1), b"nobody", 1, 1));
    assert!(group.assign(id(1), b"a", 1, 1) && group.assign(id(2), b"a", 1, 1));
    assert!(group.assign(id(1), b"b", 5, 2));
    let counts = |group: &Group| {
        let of = |name: &[u8]| group.consumer(name).map(Consumer::pending);
        (group.pending().len(), of(b"a"), of(b"b"))
    };
    assert_eq!(counts(&group), (2, Some(1), Some(1)));
    assert!(group.settle(id(2)) && !group.settle(id(2)));
    assert_eq!(counts(&group), (1, Some(0), Some(1)));
    assert_eq!(group.remove_consumer(b"b"), Some(1));
    assert_eq!(counts(&group), (0, Some(0), None));
}

#[test]
fn a_copy_keeps_what_it_had() {
    let (limits, mut stream) = (Limits::default(), Stream::default());
    assert!(stream.is_absent());
    stream.begin();
    for ms in 1..=1000 {
        let content = [&b"f"[..], b"v"];
        let added = stream
            .entries_mut()
            .append(NewId::Within { ms }, content.into_iter(), &limits);
        assert!(added.is_ok());
    }
    assert!(stream.add_group(b"g", Group::new(StreamId::MIN, 0)));
    let copy = stream.clone();
    assert_eq!(copy, stream);
    stream.with_group(b"g", |entries, group| {
        group.hear(b"c", 1);
        for entry in entries.range(StreamId::MIN, StreamId::MAX) {
            entries.advance(group, entry.id);
            group.assign(entry.id, b"c", 1, 1);
        }
    });
    assert_eq!(stream.entries_mut().trim(Keep::Last(10), false, 0), 990);
    assert_eq!((copy.len(), stream.len()), (1000, 10));
    let pending = |stream: &Stream| stream.group(b"g").map(|group| group.pending().len());
    assert_eq!((pending(&copy), pending(&stream)), (Some(0), Some(1000)));
    assert!(copy.footprint() > stream.footprint() / 100 && stream.remove_group(b"g"));
}
