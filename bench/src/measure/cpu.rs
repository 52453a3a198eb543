//! Processor time of the calling thread.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// User and system time that the calling thread has used so far.
pub fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn counts_work_and_not_waiting() {
        let before = thread_cpu();
        let start = Instant::now();
        while thread_cpu() - before < Duration::from_millis(5) {
            assert!(start.elapsed() < Duration::from_secs(20), "work is not counted");
        }
        let before = thread_cpu();
        std::thread::park_timeout(Duration::from_millis(50));
        assert!(
            thread_cpu() - before < Duration::from_millis(40),
            "waiting is counted"
        );
    }
}
