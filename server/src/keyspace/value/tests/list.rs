//! Lists against a deque.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::super::{Limits, List, Listpack, NodeLimit, Side};

fn limits(size: i32) -> Limits {
    Limits {
        list_node: NodeLimit::new(size),
        ..Limits::default()
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0..6_i64).prop_map(|number| number.to_string().into_bytes()),
        2 => prop::collection::vec(any::<u8>(), 0..8),
        1 => (0..3000_usize).prop_map(|len| vec![b'x'; len]),
        1 => Just(vec![b'y'; 9000]),
    ]
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Left), Just(Side::Right)]
}

#[derive(Clone, Debug)]
enum Step {
    Push(Side, Vec<u8>),
    Pop(Side),
    Set(usize, Vec<u8>),
    Insert(usize, Vec<u8>),
    RemoveRange(usize, usize),
    RemoveEqual(Vec<u8>, usize, Side),
    Share,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (side(), text()).prop_map(|(side, text)| Step::Push(side, text)),
        2 => side().prop_map(Step::Pop),
        3 => (0..60_usize, text()).prop_map(|(index, text)| Step::Set(index, text)),
        6 => (0..60_usize, text()).prop_map(|(index, text)| Step::Insert(index, text)),
        1 => (0..60_usize, 0..20_usize).prop_map(|(index, count)| Step::RemoveRange(index, count)),
        1 => (text(), 1..5_usize, side()).prop_map(|(text, most, side)| Step::RemoveEqual(text, most, side)),
        1 => Just(Step::Share),
    ]
}

fn remove_equal(model: &mut VecDeque<Vec<u8>>, text: &[u8], most: usize, side: Side) -> usize {
    let mut places: Vec<usize> = (0..model.len()).filter(|&at| model[at] == text).collect();
    if side == Side::Right {
        places.reverse();
    }
    places.truncate(most);
    places.sort_unstable();
    places.iter().rev().for_each(|&at| {
        model.remove(at);
    });
    places.len()
}

fn run(
    model: &mut VecDeque<Vec<u8>>,
    list: &mut List,
    shares: &mut Vec<(List, VecDeque<Vec<u8>>)>,
    step: Step,
    limits: &Limits,
) {
    match step {
        Step::Push(side, text) => {
            list.push(side, &text, limits);
            match side {
                Side::Left => model.push_front(text),
                Side::Right => model.push_back(text),
            }
        }
        Step::Pop(side) => {
            let expected = match side {
                Side::Left => model.pop_front(),
                Side::Right => model.pop_back(),
            };
            assert_eq!(list.pop(side), expected);
        }
        Step::Set(index, text) if index < model.len() => {
            list.set(index, &text, limits);
            model[index] = text;
        }
        Step::Insert(index, text) if index <= model.len() => {
            list.insert(index, &text, limits);
            model.insert(index, text);
        }
        Step::RemoveRange(index, count) => {
            list.remove_range(index, count);
            let from = index.min(model.len());
            model.drain(from..model.len().min(index + count).max(from));
        }
        Step::RemoveEqual(text, most, side) => {
            assert_eq!(
                list.remove_equal(&text, most, side),
                remove_equal(model, &text, most, side)
            );
        }
        Step::Share => shares.push((list.clone(), model.clone())),
        Step::Set(..) | Step::Insert(..) => {}
    }
}

fn texts<'a>(items: impl Iterator<Item = super::super::Item<'a>>) -> Vec<Vec<u8>> {
    items
        .map(|item| item.text(&mut itoa::Buffer::new()).to_vec())
        .collect()
}

fn check(list: &List, model: &VecDeque<Vec<u8>>, limits: &Limits) {
    assert_eq!(list.len(), model.len());
    assert_eq!(*model, texts(list.iter()));
    if let Some(last) = model.len().checked_sub(1) {
        let backwards: Vec<_> = model.iter().rev().cloned().collect();
        assert_eq!(texts(list.from(last, Side::Right)), backwards);
    }
    for (index, text) in model.iter().enumerate() {
        assert!(
            list.get(index)
                .is_some_and(|item| item.text(&mut itoa::Buffer::new()) == text)
        );
    }
    assert!(list.get(model.len()).is_none());
    let packs: usize = list.packs().map(Listpack::footprint).sum();
    let held = list.footprint();
    assert!(
        held >= packs && held <= packs + 1000 + 200 * list.packs().len(),
        "{held} {packs}"
    );
    for pack in list.packs() {
        assert!(Listpack::from_bytes(pack.as_bytes().to_vec()).is_some() && !pack.is_empty());
        let len = pack.len();
        assert!(
            len == 1 || limits.list_node.allows(pack.as_bytes().len() - 8, len),
            "{len}"
        );
    }
    // As an RDB holds it.
    let mut again = List::default();
    list.packs()
        .for_each(|pack| again.push_pack(pack.clone(), limits));
    assert_eq!(&again, list);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_list_is_a_deque(size in prop_oneof![Just(-2), Just(-1), 0..5_i32], steps in prop::collection::vec(step(), 1..120)) {
        let limits = limits(size);
        let (mut list, mut model, mut shares) = (List::default(), VecDeque::new(), Vec::new());
        for step in steps {
            run(&mut model, &mut list, &mut shares, step, &limits);
        }
        check(&list, &model, &limits);
        for (share, model) in &shares {
            prop_assert_eq!(model, &texts(share.iter()));
        }
    }
}

#[test]
fn a_long_list_is_many_small_listpacks() {
    let limits = limits(-2);
    let mut list = List::default();
    for number in 0..100_000 {
        list.push(Side::Right, number.to_string().as_bytes(), &limits);
    }
    let packs = list.packs().len();
    assert!((40..100).contains(&packs), "{packs}");
    let share = list.clone();
    list.set(50_000, b"changed", &limits);
    list.pop(Side::Left);
    assert_eq!(share.get(50_000).map(|item| item.text_len()), Some(5));
    let shared = list
        .packs()
        .zip(share.packs())
        .filter(|(ours, theirs)| std::ptr::eq(*ours, *theirs))
        .count();
    assert_eq!(shared, packs - 2, "only what was written to was copied");
    list.remove_range(10, 99_000);
    assert_eq!((list.len(), list.packs().len()), (999, 2));
}

#[test]
fn a_foreign_listpack_of_any_size_is_taken() {
    let mut pack = Listpack::default();
    for number in 0..70_000 {
        pack.push(format!("{}", number % 100).as_bytes());
    }
    let mut list = List::default();
    list.push_pack(pack, &limits(-2));
    assert_eq!(list.len(), 70_000);
    assert!(list.packs().len() > 15);
}
