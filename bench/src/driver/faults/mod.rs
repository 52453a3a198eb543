//! Faults under load: what is done to a node, when, and what the cluster makes of it.
//!
//! ```text
//!  main thread: director ── at its time ──▶ inject (signal, CLIENT PAUSE, cut, command line)
//!                  └── starts ──▶ observer: asks the other nodes every few ms: suspected? failed? promoted?
//!  load threads: know nothing of it; they see what clients see
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `director` | the schedule, and putting things right at the end |
//! | `inject` | doing it, and undoing it |
//! | `observer` | when the cluster noticed, and who took over |

mod director;
mod inject;
mod observer;

use std::time::Duration;

use workloads::spec::{Fault, FaultKind};

pub use director::Director;

/// One fault at one shard.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub kind: FaultKind,
    /// Since the start of the measured time.
    pub at: Duration,
    pub shard: usize,
}

/// The faults of a workload, shard by shard, in order of time. A shard that the cluster does not have is left out:
/// `shards` is how many there are.
pub fn plan(faults: &[Fault], shards: usize) -> Vec<Planned> {
    let mut planned = Vec::new();
    for fault in faults {
        let first = fault.shard as usize;
        let last = if fault.rolling.is_some() {
            shards
        } else {
            first + 1
        };
        for (step, shard) in (first..last.min(shards)).enumerate() {
            planned.push(Planned {
                kind: fault.kind.clone(),
                at: fault.at + fault.rolling.unwrap_or_default() * step as u32,
                shard,
            });
        }
    }
    planned.sort_by_key(|fault| fault.at);
    planned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(at: u64, shard: u32, rolling: Option<u64>) -> Fault {
        Fault {
            kind: FaultKind::Failover,
            at: Duration::from_secs(at),
            shard,
            rolling: rolling.map(Duration::from_secs),
        }
    }

    #[test]
    fn rolling_faults_go_from_shard_to_shard() {
        let planned = plan(&[fault(5, 1, Some(10)), fault(7, 0, None)], 4);
        let times: Vec<(u64, usize)> = planned.iter().map(|p| (p.at.as_secs(), p.shard)).collect();
        assert_eq!(times, [(5, 1), (7, 0), (15, 2), (25, 3)]);
    }

    #[test]
    fn shards_that_are_not_there_are_left_out() {
        assert!(plan(&[fault(1, 3, None)], 3).is_empty());
    }
}
