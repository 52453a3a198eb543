//! Where an axis has its marks.

/// About `wanted` round values from `low` to `high`, both covered.
pub fn linear(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let span = if high > low {
        high - low
    } else {
        high.abs().max(1.0)
    };
    let raw = span / wanted.max(1) as f64;
    let unit = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .map(|m| m * unit)
        .into_iter()
        .find(|s| *s >= raw * 0.999)
        .unwrap_or(raw);
    let first = (low / step).floor() as i64;
    let last = (high / step - 1e-9).ceil() as i64;
    (first..=last.max(first + 1)).map(|i| i as f64 * step).collect()
}

/// 1, 2 and 5 of each decade from below `low` to above `high`; only the decades if those are more than `most_decades`.
pub fn logarithmic(low: f64, high: f64, most_decades: f64) -> Vec<f64> {
    let (low, high) = (low.max(1e-6), high.max(low.max(1e-6) * 1.001));
    let decades = (high / low).log10();
    let steps: &[f64] = if decades > most_decades {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let mut all = Vec::new();
    for exponent in low.log10().floor() as i32..=high.log10().ceil() as i32 {
        all.extend(steps.iter().map(|s| s * 10f64.powi(exponent)));
    }
    let first = all.iter().rposition(|t| *t <= low * 1.0001).unwrap_or(0);
    let last = all
        .iter()
        .position(|t| *t >= high * 0.9999)
        .unwrap_or(all.len() - 1);
    all[first..=last.max(first + 1).min(all.len() - 1)].to_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn round_values_are_chosen() {
        assert_eq!(linear(0.0, 412.0, 5), [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]);
        assert_eq!(linear(0.0, 1.0, 4), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(
            logarithmic(310.0, 8_260.0, 3.5),
            [200.0, 500.0, 1e3, 2e3, 5e3, 1e4]
        );
        assert_eq!(logarithmic(1.0, 1e5, 3.5), [1.0, 1e1, 1e2, 1e3, 1e4, 1e5]);
    }

    proptest! {
        #[test]
        fn marks_cover_the_values_and_are_few(low in 1e-3f64..1e6, factor in 1.0f64..1e6) {
            let high = low * factor;
            for ticks in [linear(0.0, high, 5), logarithmic(low, high, 3.5)] {
                prop_assert!((2..=14).contains(&ticks.len()), "{:?}", ticks);
                prop_assert!(ticks.is_sorted());
                prop_assert!(ticks[0] <= low * 1.001 && ticks[ticks.len() - 1] >= high * 0.999, "{:?}", ticks);
            }
        }

        #[test]
        fn odd_values_do_not_hang(low in prop::num::f64::POSITIVE, high in prop::num::f64::POSITIVE) {
            prop_assume!(low < 1e12 && high < 1e12);
            prop_assert!(logarithmic(low, high, 3.5).len() < 40);
            prop_assert!(linear(0.0, high, 5).len() < 20);
        }
    }
}
