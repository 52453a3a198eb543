//! Distributions are what they say: each is held against expected counts or against an implementation of others.
//! The seeds are fixed, so a test that passes once passes always; the bounds are those of one false alarm in a million.
#![allow(clippy::unwrap_used)]

use rand::rand_core::SeedableRng;
use rand_distr::Distribution;
use rand_xoshiro::Xoshiro256PlusPlus;
use slotcore::SLOT_COUNT;
use workloads::dist::{Dist, Zipf};
use workloads::{Parts, Spec, Workload};

use std::sync::Arc;

fn compile(text: &str) -> Arc<Workload> {
    Spec::parse("test", "test.toml", text)
        .unwrap()
        .compile(42)
        .unwrap()
}

/// Whether chi-square with so many degrees of freedom is within five standard deviations of its mean, on both sides:
/// counts that are too even are as wrong as those that are too uneven.
fn assert_plausible(chi2: f64, degrees: f64, what: &str) {
    let deviations = (chi2 - degrees) / (2.0 * degrees).sqrt();
    assert!(
        deviations.abs() < 5.0,
        "{what}: chi-square {chi2:.0} with {degrees} degrees of freedom, {deviations:.1} sigma"
    );
}

fn chi_square(counts: &[u64], expected: impl Fn(usize) -> f64) -> f64 {
    counts
        .iter()
        .enumerate()
        .map(|(i, &count)| (count as f64 - expected(i)).powi(2) / expected(i))
        .sum()
}

fn slot_counts(workload: &Arc<Workload>, clients: u32, ops_each: usize) -> Vec<u64> {
    let mut counts = vec![0u64; SLOT_COUNT];
    for client in 0..clients {
        let mut stream = workload.client_stream(client);
        for _ in 0..ops_each {
            counts[usize::from(stream.next_op().slot())] += 1;
        }
    }
    counts
}

#[test]
fn uniform_keys_are_uniform() {
    let dist = Dist::Uniform { n: 1000 };
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut counts = vec![0u64; 1000];
    (0..1_000_000).for_each(|_| counts[dist.sample(&mut rng) as usize] += 1);
    assert_plausible(chi_square(&counts, |_| 1000.0), 999.0, "uniform");
}

#[test]
fn uniform_traffic_is_uniform_over_slots() {
    // A hundred million keys hash to the slots evenly enough for the sample; a million keys alone would show.
    let workload = compile("keyspace.keys = 100_000_000\n");
    let counts = slot_counts(&workload, 10, 100_000);
    assert_plausible(
        chi_square(&counts, |_| 1e6 / SLOT_COUNT as f64),
        SLOT_COUNT as f64 - 1.0,
        "slots",
    );
}

#[test]
fn a_small_keyspace_fills_the_slots_as_its_keys_do() {
    let workload = compile("keyspace.keys = 200_000\n");
    let keys = workload.keys_by_slot();
    assert_eq!(keys.iter().sum::<u64>(), 200_000);
    let counts = slot_counts(&workload, 10, 100_000);
    let reached: Vec<usize> = (0..SLOT_COUNT).filter(|&slot| keys[slot] > 0).collect();
    let counts: Vec<u64> = reached.iter().map(|&slot| counts[slot]).collect();
    assert_eq!(
        counts.iter().sum::<u64>(),
        1_000_000,
        "no operation outside the slots of the keys"
    );
    let chi2 = chi_square(&counts, |i| keys[reached[i]] as f64 * 5.0);
    assert_plausible(chi2, reached.len() as f64 - 1.0, "slots");
}

#[test]
fn evenly_spread_keys_are_uniform_over_slots_however_few_they_are() {
    for keys in ["163_840", "1_000_000"] {
        let text = format!("keyspace.keys = {keys}\nkeyspace.spread = 'even'\n");
        let counts = slot_counts(&compile(&text), 10, 100_000);
        let chi2 = chi_square(&counts, |_| 1e6 / SLOT_COUNT as f64);
        assert_plausible(chi2, SLOT_COUNT as f64 - 1.0, &format!("slots of {keys} keys"));
    }
}

#[test]
fn hash_tags_are_uniform_over_slots() {
    let workload =
        compile("keyspace.keys = 1_000_000_000\nkeyspace.keys_per_tag = 10\n[[mix]]\ncommand = 'MGET'\n");
    let counts = slot_counts(&workload, 10, 100_000);
    assert_plausible(
        chi_square(&counts, |_| 1e6 / SLOT_COUNT as f64),
        SLOT_COUNT as f64 - 1.0,
        "slots",
    );
}

#[test]
fn the_keys_of_a_split_operation_are_uniform_over_slots() {
    let text = "keyspace.keys = 100_000_000\n[[mix]]\ncommand = 'MGET'\nkeys = 10\nsplit = true\n";
    let workload = compile(text);
    let mut counts = vec![0u64; SLOT_COUNT];
    let mut parts = Parts::default();
    let mut stream = workload.client_stream(0);
    let mut merged = 0;
    for _ in 0..100_000 {
        workload.split(&stream.next_op(), &mut parts);
        merged += 10 - parts.len();
        (0..parts.len()).for_each(|part| counts[usize::from(parts.slot(part))] += 1);
    }
    // 45 pairs of keys, each in one slot once in 16384 times.
    let expected = 100_000.0 * 45.0 / SLOT_COUNT as f64;
    assert!(
        (merged as f64 - expected).abs() < 5.0 * expected.sqrt(),
        "{merged} keys shared a slot, {expected} expected"
    );
    let total: u64 = counts.iter().sum();
    let chi2 = chi_square(&counts, |_| total as f64 / SLOT_COUNT as f64);
    assert_plausible(chi2, SLOT_COUNT as f64 - 1.0, "slots of parts");
}

#[test]
fn the_hot_slot_gets_its_share_and_the_rest_is_even() {
    for share in [0.0, 0.05, 0.25, 1.0] {
        let text = format!(
            "keyspace.keys = 100_000_000\n[traffic]\ndistribution = 'hotslot'\nshare = {share:?}\nslot = 7777\n"
        );
        let mut counts = slot_counts(&compile(&text), 10, 100_000);
        let hot = counts.remove(7777) as f64;
        let sigma = (1e6f64 * share * (1.0 - share)).sqrt();
        assert!(
            (hot - 1e6 * share).abs() <= 5.0 * sigma,
            "{hot} hot operations at share {share}"
        );
        if share < 1.0 {
            let cold = (1e6 - hot) / (SLOT_COUNT - 1) as f64;
            assert_plausible(
                chi_square(&counts, |_| cold),
                SLOT_COUNT as f64 - 2.0,
                "cold slots",
            );
        }
    }
}

/// Exact probabilities of all ranks.
fn zipf_weights(n: u64, theta: f64) -> Vec<f64> {
    let weights: Vec<f64> = (1..=n).map(|rank| (rank as f64).powf(-theta)).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

#[test]
fn zipf_has_the_probabilities_of_its_law() {
    for (n, theta) in [
        (1, 0.99),
        (2, 0.5),
        (50, 0.99),
        (64, 1.0),
        (65, 1.0),
        (500, 1.0),
        (500, 0.99),
        (2000, 0.2),
        (300, 2.0),
    ] {
        let zipf = Zipf::new(n, theta);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(n);
        let draws = 2_000_000.0;
        let mut counts = vec![0u64; n as usize];
        (0..draws as u64).for_each(|_| counts[zipf.sample(&mut rng) as usize] += 1);
        let weights = zipf_weights(n, theta);
        let enough = weights
            .iter()
            .take_while(|&&weight| weight * draws > 20.0)
            .count();
        if enough > 1 {
            let chi2 = chi_square(&counts[..enough], |rank| weights[rank] * draws);
            assert_plausible(chi2, enough as f64 - 0.5, &format!("zipf {theta} over {n}"));
        } else {
            assert_eq!(counts[0] as f64, draws);
        }
    }
}

#[test]
fn zipf_agrees_with_another_implementation() {
    // Two-sample Kolmogorov-Smirnov on ranks; 2.9 is the bound of one false alarm in ten million.
    for (n, theta) in [
        (1_000_000u64, 0.99),
        (1_000_000, 1.0),
        (100_000, 0.7),
        (1_000_000, 1.3),
    ] {
        let draws = 300_000;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        let ours = Zipf::new(n, theta);
        let mut ours: Vec<u64> = (0..draws).map(|_| ours.sample(&mut rng) + 1).collect();
        let oracle = rand_distr::Zipf::new(n as f64, theta).unwrap();
        let mut theirs: Vec<u64> = (0..draws).map(|_| oracle.sample(&mut rng) as u64).collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        let (mut i, mut j, mut widest) = (0, 0, 0usize);
        while i < draws && j < draws {
            let rank = ours[i].min(theirs[j]);
            i += ours[i..].partition_point(|&r| r <= rank);
            j += theirs[j..].partition_point(|&r| r <= rank);
            widest = widest.max(i.abs_diff(j));
        }
        let statistic = widest as f64 / draws as f64 * (draws as f64 / 2.0).sqrt();
        assert!(
            statistic < 2.9,
            "zipf {theta} over {n}: KS statistic {statistic:.2}"
        );
    }
}

#[test]
fn the_mix_has_its_weights() {
    let workload = compile(
        "[[mix]]\ncommand = 'GET'\nweight = 7\n[[mix]]\ncommand = 'SET'\nweight = 2\n[[mix]]\ncommand = 'DEL'\nkeys = 1\n",
    );
    let mut counts = [0u64; 3];
    let mut stream = workload.client_stream(3);
    (0..1_000_000).for_each(|_| counts[stream.next_op().command()] += 1);
    let expected = [0.7e6, 0.2e6, 0.1e6];
    let chi2 = chi_square(&counts, |i| expected[i]);
    assert!(chi2 < 28.0, "chi-square {chi2:.1} with 2 degrees of freedom");
}

/// The largest distance of two cumulative distributions, of which one is known by its draws.
fn kolmogorov_smirnov(counts: &[u64], cumulative: impl Fn(usize) -> f64) -> f64 {
    let total: u64 = counts.iter().sum();
    let mut sum = 0;
    let distances = counts.iter().enumerate().map(|(length, count)| {
        sum += count;
        (sum as f64 / total as f64 - cumulative(length)).abs()
    });
    distances.fold(0.0, f64::max)
}

/// Where the distance of so many draws stays but once in a million.
fn ks_bound(draws: f64) -> f64 {
    2.7 / draws.sqrt()
}

/// Key sizes as the paper has them, written down anew: its generalized extreme value distribution.
fn etc_keys(length: f64) -> f64 {
    let base = 1.0 + 0.078688 * (length - 30.7984) / 8.20449;
    (-base.powf(-1.0 / 0.078688)).exp()
}

/// Value sizes as the paper has them: shares of 0 to 14 bytes, and a generalized Pareto distribution for the others.
const ETC_SMALL: [f64; 15] = [
    0.00536, 0.00047, 0.17820, 0.09239, 0.00018, 0.02740, 0.00065, 0.00606, 0.00023, 0.00837, 0.00837,
    0.08989, 0.00092, 0.00326, 0.01980,
];

fn etc_tail(beyond: f64) -> f64 {
    1.0 - (1.0 + 0.348238 * beyond / 214.476).powf(-1.0 / 0.348238)
}

#[test]
fn sizes_of_etc_values_are_those_published() {
    const DRAWS: usize = 400_000;
    let workload = workloads::load("etc").unwrap().compile(3).unwrap();
    let mut counts = vec![0u64; 1_000_001];
    // Every operation of the preload carries a value.
    let ops = (0..4u64).flat_map(|seed| {
        let workload = workloads::load("etc").unwrap().compile(seed).unwrap();
        (0..workload.preload_len()).filter_map(move |i| workload.preload_op(i))
    });
    let mut drawn = 0;
    for op in ops {
        counts[op.value_len()] += 1;
        drawn += 1;
    }
    assert_eq!((drawn, workload.preload_len()), (DRAWS, 100_000));
    let small: f64 = ETC_SMALL.iter().sum();
    let expected = |length: usize| ETC_SMALL[length] * DRAWS as f64;
    assert_plausible(chi_square(&counts[..15], expected), 14.0, "small values");
    let tail: u64 = counts[15..].iter().sum();
    assert_plausible_share(tail, DRAWS as f64, 1.0 - small);
    // The tail by itself: a length stands for all that is below the next one.
    let distance = kolmogorov_smirnov(&counts[15..100_000], |length| etc_tail(length as f64 + 1.0));
    assert!(distance < ks_bound(tail as f64), "{distance}");
}

fn assert_plausible_share(count: u64, draws: f64, share: f64) {
    let deviations = (count as f64 - draws * share) / (draws * share * (1.0 - share)).sqrt();
    assert!(
        deviations.abs() < 5.0,
        "{count} of {draws}: {deviations:.1} sigma"
    );
}

#[test]
fn sizes_of_etc_keys_are_those_published() {
    let workload = workloads::load("etc").unwrap().compile(3).unwrap();
    let mut counts = vec![0u64; 251];
    for i in 0..workload.preload_len() {
        let op = workload.preload_op(i).unwrap();
        counts[workload.key_format().bytes(op.key()).len()] += 1;
    }
    let drawn: u64 = counts.iter().sum();
    // Shorter than 16 bytes is one in a thousand, which have 16.
    assert!(etc_keys(15.5) < 0.002 && counts[..16].iter().all(|&count| count == 0));
    let distance = kolmogorov_smirnov(&counts, |length| {
        if length < 16 {
            0.0
        } else {
            etc_keys(length as f64 + 0.5)
        }
    });
    assert!(distance < ks_bound(drawn as f64), "{distance}");
    // The test would see a scale that is off by a few percent.
    let off = kolmogorov_smirnov(&counts, |length| {
        if length < 16 {
            0.0
        } else {
            etc_keys(30.7984 + (length as f64 + 0.5 - 30.7984) * 1.05)
        }
    });
    assert!(off > ks_bound(drawn as f64), "{off}");
}

#[test]
fn the_mix_of_etc_has_thirty_reads_for_an_update() {
    let workload = workloads::load("etc").unwrap().compile(3).unwrap();
    let mut counts = [0u64; 3];
    let mut stream = workload.client_stream(0);
    for _ in 0..310_000 {
        counts[stream.next_op().command()] += 1;
    }
    let expected = [300_000.0, 9_000.0, 1_000.0];
    assert_plausible(chi_square(&counts, |i| expected[i]), 2.0, "mix");
}
