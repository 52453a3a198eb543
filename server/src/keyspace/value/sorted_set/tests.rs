//! The ordered structure against a sorted vector: ranks, ranges, removal, sharing, books.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::super::Limits;
use super::name::Name;
use super::order::{Element, Order};
use super::ranked::Ranked;
use super::{SortedSet, TextSpan};

/// What it is compared with: members in order.
#[derive(Clone, Default, PartialEq, Debug)]
struct Model(Vec<(f64, Vec<u8>)>);

impl Model {
    fn insert(&mut self, member: &[u8], score: f64) -> bool {
        let is_new = !self.remove(member);
        let at = self
            .0
            .partition_point(|(own, text)| (*own, &text[..]) < (score, member));
        self.0.insert(at, (score, member.to_vec()));
        is_new
    }

    fn remove(&mut self, member: &[u8]) -> bool {
        let found = self.0.iter().position(|(_, text)| text == member);
        found.map(|at| self.0.remove(at)).is_some()
    }
}

fn all(ranked: &Ranked) -> Model {
    let mut found = Model::default();
    ranked.visit(0..ranked.len(), false, &mut |member, score| {
        found.0.push((score, member.to_vec()));
    });
    found
}

/// Short and long members, of which many begin alike, and few scores, so that many are equal.
fn draw(rng: &mut Xoshiro256PlusPlus, members: u32) -> (Vec<u8>, f64) {
    let number = rng.random_range(0..members);
    let member = match number % 4 {
        0 => format!("{number}"),
        1 => format!("m{number:013}"),
        2 => format!("a member that is long {number}"),
        _ => format!("{number} and so on and so on"),
    };
    let scores = [
        0.0,
        -0.0,
        1.0,
        -1.5,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e300,
        5e-324,
    ];
    let score = match rng.random_range(0..3) {
        0 => f64::from(rng.random_range(-20..20)),
        _ => scores[rng.random_range(0..scores.len())],
    };
    (member.into_bytes(), score)
}

fn change(ranked: &mut Ranked, model: &mut Model, rng: &mut Xoshiro256PlusPlus, members: u32, inserts: u32) {
    let (member, score) = draw(rng, members);
    if rng.random_range(0..10) < inserts {
        assert_eq!(ranked.insert(&member, score), model.insert(&member, score));
    } else {
        assert_eq!(ranked.remove(&member), model.remove(&member));
    }
    assert_eq!(ranked.len(), model.0.len());
}

#[test]
fn it_is_ordered_while_it_grows_and_shrinks() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let (mut ranked, mut model) = (Ranked::default(), Model::default());
    for round in 0..6 {
        let inserts = if round % 2 == 0 { 9 } else { 1 };
        for _ in 0..6000 {
            change(&mut ranked, &mut model, &mut rng, 5000, inserts);
        }
        assert_eq!(all(&ranked), model);
        for (rank, (score, member)) in model.0.iter().enumerate() {
            assert_eq!(ranked.rank(member), Some(rank));
            assert_eq!(
                ranked.score(member).map(f64::to_bits),
                Some(score.to_bits()),
                "{}",
                member.escape_ascii()
            );
        }
        for limit in [f64::NEG_INFINITY, -1.5, 0.0, 3.0, f64::INFINITY] {
            let below = model.0.iter().filter(|(score, _)| *score < limit).count();
            assert_eq!(ranked.scores_before(&|score| score < limit), below);
        }
    }
    let members: Vec<_> = model.0.into_iter().map(|(_, member)| member).collect();
    assert!(members.iter().all(|member| ranked.remove(member)));
    assert!(
        ranked.len() == 0 && ranked.footprint() < 1500,
        "{}",
        ranked.footprint()
    );
}

/// Insertions at either end leave full nodes, and the bytes that are counted are those of what is there.
#[test]
fn the_books_are_right() {
    const LEN: usize = 20_000;
    let element = |number: usize| Element {
        score: number as f64,
        name: Name::new(format!("m{number}").as_bytes()),
    };
    for (at_front, most) in [(false, 26), (true, 26)] {
        let mut order = Order::default();
        for number in 0..LEN {
            order.insert(if at_front { 0 } else { number }, element(number));
        }
        let bytes = order.footprint();
        assert!(bytes / LEN <= most, "{} bytes an element", bytes / LEN);
        while order.len() > 0 {
            order.remove(order.len() / 2);
        }
        assert!(order.footprint() < 1000, "{}", order.footprint());
    }
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut order = Order::default();
    for number in 0..LEN {
        order.insert(rng.random_range(0..=number), element(number));
    }
    let bytes = order.footprint() / LEN;
    assert!((24..40).contains(&bytes), "{bytes} bytes an element");
}

/// Of two long members with one hash both are kept whole. As if this were so, since nobody can find such members.
#[test]
fn members_that_are_kept_whole_are_ordered_as_others() {
    let mut names: Vec<(Vec<u8>, Name)> = Vec::new();
    for text in ["", "a", "a member that is whole", "a member that is wholf", "zz"] {
        names.push((text.into(), Name::whole(text.as_bytes())));
    }
    for (text, name) in &names {
        for (other, _) in &names {
            assert_eq!(name.compare(other, |_| unreachable!()), text.cmp(other));
        }
        assert_eq!(name.text(|_| unreachable!()), text);
    }
}

#[test]
fn every_form_of_a_member_compares_as_its_text() {
    let texts: Vec<Vec<u8>> = [
        "",
        "a",
        "prefix",
        "prefix ",
        "prefix that is long",
        "prefix that is longer",
        "q",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    for text in &texts {
        for other in &texts {
            let name = Name::new(text);
            assert_eq!(name.compare(other, |_| text), text.cmp(other));
        }
    }
}

#[test]
fn texts_are_found_in_either_form() {
    for limits in [
        Limits::default(),
        Limits {
            zset_max_entries: 0,
            ..Limits::default()
        },
    ] {
        let mut set = SortedSet::default();
        for member in ["b", "d", "f", "h"] {
            set.insert(member.as_bytes(), 0.0, &limits);
        }
        for (min, max, expected) in [
            ("a", "z", 0..4),
            ("b", "f", 0..3),
            ("c", "e", 1..2),
            ("e", "e", 2..2),
        ] {
            let span = TextSpan {
                is_above: &|text| text >= min.as_bytes(),
                is_below: &|text| text <= max.as_bytes(),
            };
            for reverse in [false, true] {
                let found = set.ranks_of(&span, reverse);
                assert_eq!(found.len(), expected.len());
                assert!(found.is_empty() || found == expected, "{found:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_copy_stays_as_it_was(seed in any::<u64>(), members in 1_u32..3000) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let (mut ranked, mut model) = (Ranked::default(), Model::default());
        for _ in 0..members {
            change(&mut ranked, &mut model, &mut rng, members, 9);
        }
        let (copy, before) = (ranked.clone(), model.clone());
        for _ in 0..members {
            change(&mut ranked, &mut model, &mut rng, members, 4);
        }
        prop_assert_eq!(all(&copy), before);
        prop_assert_eq!(all(&ranked), model);
    }

    #[test]
    fn any_part_is_visited_either_way(from in 0_usize..900, len in 0_usize..900) {
        let mut ranked = Ranked::default();
        (0..700).for_each(|number| { ranked.insert(format!("m{number:04}").as_bytes(), 0.0); });
        let expected: Vec<usize> = (from.min(700)..(from + len).min(700)).collect();
        let visited = |reverse| {
            let mut found = Vec::new();
            ranked.visit(from.min(700)..(from + len).min(700), reverse, &mut |member, _| {
                found.push(String::from_utf8_lossy(&member[1..]).parse::<usize>().expect("a number"));
            });
            found
        };
        prop_assert_eq!(visited(false), expected.clone());
        prop_assert_eq!(visited(true), expected.into_iter().rev().collect::<Vec<_>>());
    }
}
