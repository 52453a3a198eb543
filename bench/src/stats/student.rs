//! Quantiles of Student's t for any level and any number of degrees of freedom, also a broken one.

/// Steps of halving: the result is good to a billionth.
const HALVINGS: u32 = 50;
const LARGEST_T: f64 = 1e6;

/// The value that a t variable with `degrees` of freedom stays below with `probability` (0.5 to 1, exclusive).
pub fn quantile(probability: f64, degrees: f64) -> f64 {
    let (mut low, mut high) = (0.0, LARGEST_T);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if upper_tail(middle, degrees) > 1.0 - probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Probability of a value above `t`, for `t` of 0 or more.
fn upper_tail(t: f64, degrees: f64) -> f64 {
    0.5 * incomplete_beta(degrees / (degrees + t * t), 0.5 * degrees, 0.5)
}

/// Regularised incomplete beta function (DLMF 8.17.22, evaluated from the end that converges).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front / a * fraction(x, a, b)
    } else {
        1.0 - front / b * fraction(1.0 - x, b, a)
    }
}

/// The continued fraction of DLMF 8.17.22, from its tail to its head.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TERMS: u32 = 200;
    let mut value = 1.0;
    for n in (1..=TERMS).rev() {
        let m = f64::from(n / 2);
        let d = if n % 2 == 0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        value = 1.0 + d / value;
    }
    1.0 / value
}

/// Logarithm of the gamma function by Stirling's series, moved to where it is accurate.
fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y / 1680.0))) / x;
    shift + (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of any printed table.
    #[test]
    fn it_agrees_with_the_tables() {
        for (probability, degrees, expected) in [
            (0.975, 1.0, 12.706),
            (0.975, 2.0, 4.303),
            (0.975, 5.0, 2.571),
            (0.975, 10.0, 2.228),
            (0.975, 30.0, 2.042),
            (0.975, 1e6, 1.960),
            (0.95, 4.0, 2.132),
            (0.995, 5.0, 4.032),
            (0.999, 8.0, 4.501),
            (0.9995, 3.0, 12.924),
        ] {
            let got = quantile(probability, degrees);
            assert!(
                (got / expected - 1.0).abs() < 5e-4,
                "{probability} {degrees}: {got}"
            );
        }
        assert!(quantile(0.975, 2.5) < quantile(0.975, 2.0) && quantile(0.975, 2.5) > quantile(0.975, 3.0));
    }
}
