//! What random tests take from the environment: where chance starts, and for how long it is followed.

use std::time::Duration;

/// `SLOTMARK_SEED`, which replays what a failure printed, or a new one each time.
pub fn seed() -> u64 {
    variable("SLOTMARK_SEED").unwrap_or_else(rand::random)
}

/// `SLOTMARK_SECONDS`, or 5 s.
pub fn time() -> Duration {
    Duration::from_secs(variable("SLOTMARK_SECONDS").unwrap_or(5))
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")),
    )
}
