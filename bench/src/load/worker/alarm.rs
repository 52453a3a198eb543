//! Waking up to the microsecond: a wait for sockets ends on whole milliseconds, which is too coarse for a schedule.

use std::io;
use std::time::Duration;

use mio::{Registry, Token};

/// No connection has this number.
const TOKEN: Token = Token(usize::MAX);

/// Ends a wait for sockets at a moment that is set before each wait.
#[derive(Debug)]
pub(super) struct Alarm {
    #[cfg(target_os = "linux")]
    timer: std::os::fd::OwnedFd,
}

#[cfg(target_os = "linux")]
impl Alarm {
    pub fn new(registry: &Registry) -> io::Result<Self> {
        use std::os::fd::AsRawFd;

        use mio::unix::SourceFd;
        use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};

        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), TOKEN, mio::Interest::READABLE)?;
        Ok(Self { timer })
    }

    /// Rings once, so long from now, in place of what it was set to before. Returns how long to wait for it at most.
    pub fn ring_in(&mut self, wait: Duration) -> Duration {
        use rustix::time::{Itimerspec, TimerfdTimerFlags, Timespec, timerfd_settime};

        let value = Timespec {
            tv_sec: wait.as_secs() as i64,
            // Zero would turn it off.
            tv_nsec: i64::from(wait.subsec_nanos()).max(1),
        };
        let once = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: value,
        };
        // Setting it also takes back that it has rung. Without it the wait is as coarse as any other.
        let _ = timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once);
        wait
    }
}

#[cfg(not(target_os = "linux"))]
impl Alarm {
    pub fn new(_registry: &Registry) -> io::Result<Self> {
        let _ = TOKEN;
        Ok(Self {})
    }

    pub fn ring_in(&mut self, wait: Duration) -> Duration {
        wait
    }
}
