//! LATENCY GRAPH: the spikes of an event as a row of columns, the age of each below it.

use super::Sample;

/// Lines of the picture, and steps of height in each.
const LINES: usize = 4;
const STEPS: &[u8; 3] = b"_o#";
/// Columns side by side.
const COLUMNS: usize = 80;

/// The whole picture. `max_ms` is the longest spike ever, which may be among those that were dropped.
pub fn graph(event: &str, samples: &[Sample], max_ms: u64, now_s: u64) -> String {
    let latencies = || samples.iter().map(|sample| sample.latency_ms);
    let high = latencies().max().unwrap_or(0);
    let low = latencies().min().unwrap_or(0);
    let mut text = format!("{event} - high {high} ms, low {low} ms (all time high {max_ms} ms)\n");
    text.push_str(&"-".repeat(COLUMNS));
    text.push('\n');
    for (index, part) in samples.chunks(COLUMNS).enumerate() {
        if index > 0 {
            text.push('\n');
        }
        columns(part, low, high, now_s, &mut text);
    }
    text
}

fn columns(samples: &[Sample], low: u64, high: u64, now_s: u64, text: &mut String) {
    let span = (high - low).max(1);
    let steps = (LINES * STEPS.len()) as u64;
    let heights: Vec<usize> = samples
        .iter()
        .map(|sample| ((sample.latency_ms - low) * steps / span).min(steps - 1) as usize)
        .collect();
    for line in 0..LINES {
        let below = (LINES - line - 1) * STEPS.len();
        text.extend(heights.iter().map(|height| match height.checked_sub(below) {
            None => ' ',
            Some(step) => STEPS.get(step).map_or('|', |sign| char::from(*sign)),
        }));
        text.push('\n');
    }
    text.push_str(&" ".repeat(samples.len()));
    text.push('\n');
    let ages: Vec<String> = samples
        .iter()
        .map(|sample| age(now_s.saturating_sub(sample.time_s)))
        .collect();
    for letter in 0..ages.iter().map(String::len).max().unwrap_or(0) {
        text.extend(
            ages.iter()
                .map(|age| age.as_bytes().get(letter).map_or(' ', |byte| char::from(*byte))),
        );
        text.push('\n');
    }
}

fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_that_of_redis_server() {
        let sample = |time_s, latency_ms| Sample { time_s, latency_ms };
        let samples = [
            sample(49, 20),
            sample(50, 10),
            sample(52, 300),
            sample(53, 2),
            sample(54, 50),
        ];
        let expected = format!(
            "command - high 300 ms, low 2 ms (all time high 300 ms)\n{}\n  #  \n  |  \n  |  \n__|_o\n     \n65321\nsssss\n",
            "-".repeat(80)
        );
        assert_eq!(graph("command", &samples, 300, 55), expected);
        let long = vec![sample(10, 5); 81];
        assert!(graph("x", &long, 5, 3700).ends_with("\n\n \n \n \n_\n \n1\nh\n"));
    }
}
