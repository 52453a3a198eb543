//! What runs beside the load of a round: a storm of connections, a neighbour with expensive commands, or the receivers of
//! what the load sends. The generator threads know nothing of it; it follows the same slot map as they do.
//!
//! ```text
//!   measured time   ├────── calm ──────┤├────── storm or neighbour ──────┤
//!   workers         operations all the time, traced by group of slots
//!   this thread     waits               connects, asks, closes           counts
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `storm` | connections that come and go |
//! | `visitor` | one of them |
//! | `neighbor` | a client that asks for a large key |
//! | `large_key` | that key: its name, how it is stored |
//! | `receivers`, `receiver` | consumers and subscribers of what the load sends, and one of them |
//! | `delivery` | what became of what was sent |

mod delivery;
mod large_key;
mod neighbor;
mod receiver;
mod receivers;
mod storm;
mod visitor;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use slotcore::Slot;
use slotcore::resp::{ReplyKind, Scanned};

use super::job::Job;
use super::plan::{Phase, RaiseOnDrop, Target};
use crate::report::outcome::BesideOutcome;

pub use delivery::DeliveryOutcome;
pub(super) use delivery::judge as judge_delivery;
pub(super) use large_key::store as store_large_key;
pub(super) use receivers::run as with_receivers;

/// How often the beginning of the measured time is looked for, and in the calm part its end.
const POLL: Duration = Duration::from_millis(1);
const CALM_POLL: Duration = Duration::from_millis(20);

/// The slot that is a group of its own: a neighbour's.
pub(super) fn own_slot(job: &Job<'_>) -> Option<Slot> {
    job.workload
        .spec()
        .neighbor
        .as_ref()
        .map(|neighbor| neighbor.slot)
}

/// Sockets that are needed besides those of the clients.
pub(super) fn sockets(job: &Job<'_>) -> u64 {
    let spec = job.workload.spec();
    let storm = spec
        .storm
        .as_ref()
        .map_or(0.0, |storm| storm.rate * (storm.hold.as_secs_f64() + 1.0));
    storm.ceil() as u64
        + spec
            .neighbor
            .as_ref()
            .map_or(0, |neighbor| u64::from(neighbor.clients))
}

/// Does `work`, the load of a round, with what the workload wants beside it.
pub(super) fn run<T>(job: &Job<'_>, target: &Target, work: impl FnOnce() -> T) -> (T, Option<BesideOutcome>) {
    let spec = job.workload.spec();
    let (Some(share), Some(length)) = (spec.calm_share(), job.duration) else {
        return (work(), None);
    };
    let from = length.mul_f64(share);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let moment = Moment { job, over: &over };
        let beside = scope.spawn(move || {
            let mut outcome = BesideOutcome {
                from,
                ..BesideOutcome::default()
            };
            if moment.wait_for(from) {
                if let Some(storm) = &spec.storm {
                    outcome.storm = Some(storm::run(moment, target, storm));
                }
                if let Some(neighbor) = &spec.neighbor {
                    outcome.neighbor = Some(neighbor::run(moment, neighbor));
                }
            }
            outcome
        });
        let result = {
            // Also when `work` panics: the scope waits for the other thread.
            let _over = RaiseOnDrop(&over);
            work()
        };
        (result, beside.join().ok())
    })
}

/// The text of a reply that is an error.
fn error_of<'a>(scanned: &Scanned<'a>) -> Option<&'a [u8]> {
    (scanned.kind == ReplyKind::Error).then_some(scanned.line)
}

/// Where in its round the load is.
#[derive(Clone, Copy)]
struct Moment<'a> {
    job: &'a Job<'a>,
    over: &'a AtomicBool,
}

impl Moment<'_> {
    /// Waits until so much of the measured time is over. False if the round has ended before.
    fn wait_for(&self, from: Duration) -> bool {
        while !self.over.load(Ordering::Acquire) {
            let watch = self.job.watch;
            let pause = match (watch.phase(), watch.measured_since()) {
                (Phase::Draining | Phase::Done, _) => return false,
                (Phase::Measuring, Some(since)) => {
                    let left = from.saturating_sub(since.elapsed());
                    if left.is_zero() {
                        return true;
                    }
                    left.min(CALM_POLL)
                }
                _ => POLL,
            };
            std::thread::sleep(pause);
        }
        false
    }

    /// Whether nothing new is to be begun.
    fn is_past(&self) -> bool {
        self.over.load(Ordering::Acquire) || self.job.watch.phase() != Phase::Measuring
    }
}
