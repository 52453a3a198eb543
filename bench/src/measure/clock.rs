//! Nanoseconds from the processor's counter, at a few nanoseconds a reading.

use std::time::Instant;

/// A clock that all threads of a run share by copying it: its readings compare across threads.
#[derive(Debug, Clone)]
pub struct Clock {
    counter: quanta::Clock,
    counter_start: u64,
    system_start: Instant,
}

impl Clock {
    /// Starts a clock. The first one of a process calibrates the counter, which takes some milliseconds.
    pub fn start() -> Self {
        let counter = quanta::Clock::new();
        let raw = counter.raw();
        let system_start = Instant::now();
        Self {
            counter_start: raw,
            counter,
            system_start,
        }
    }

    /// Nanoseconds since the start.
    #[inline]
    pub fn now_ns(&self) -> u64 {
        self.counter
            .delta_as_nanos(self.counter_start, self.counter.raw())
    }

    /// How much faster (above 0) or slower this clock went than the system's since the start, in parts per million.
    /// Both are read one after the other, so over a second or more what is left is the error of the calibration.
    pub fn drift_ppm(&self) -> f64 {
        let ours = self.now_ns() as f64;
        let system = self.system_start.elapsed().as_nanos() as f64;
        if system == 0.0 {
            0.0
        } else {
            (ours / system - 1.0) * 1e6
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn agrees_with_the_system_clock() {
        let clock = Clock::start();
        while clock.system_start.elapsed() < Duration::from_millis(200) {
            std::hint::spin_loop();
        }
        // A thousandth would be a microsecond on a millisecond: less than anyone reads from a histogram.
        assert!(clock.drift_ppm().abs() < 1000.0, "{} ppm", clock.drift_ppm());
    }

    #[test]
    fn never_goes_back() {
        let clock = Clock::start();
        let copy = clock.clone();
        let mut last = 0;
        for _ in 0..10_000 {
            let now = clock.now_ns();
            assert!(now >= last);
            last = copy.now_ns();
            assert!(last >= now);
        }
    }
}
