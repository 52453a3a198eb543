//! The audit: after a round every key that was written is read, and each write is told apart: kept, lost although it
//! was acknowledged, applied although it was not.
//!
//! | file | holds |
//! |---|---|
//! | `judge` | the verdict on each key, from the record of the writes and what was found |
//! | `read` | reading the keys from whichever nodes own them now |

mod judge;
mod read;

use std::collections::BTreeSet;
use std::time::Duration;

use workloads::keys::KeyId;
use workloads::spec::Spec;
use workloads::{Workload, command};

pub use judge::Found;

use super::shards;
use crate::load::{HostPort, STAMP_LEN, Target, WriteLog};
use crate::report::model::{AuditRun, LostKey};

/// After a round with faults, for the cluster to serve all its slots again.
const SETTLES_WITHIN: Duration = Duration::from_secs(30);

/// Why a workload cannot be audited, if so.
pub fn objection(spec: &Spec) -> Option<String> {
    for entry in &spec.mix {
        let is_plain = entry.command == "SET" && entry.args.is_empty() && entry.send.is_empty();
        if command::is_write(entry) && !is_plain && entry.weight > 0 {
            let words = entry.send.first().unwrap_or(&entry.args).join(" ");
            let name = if entry.send.is_empty() { &entry.command } else { "" };
            return Some(format!(
                "--audit follows writes by plain SET (without arguments); the mix has {}",
                format!("{name} {words}").trim()
            ));
        }
    }
    if spec.receivers.is_some() {
        return Some("--audit reads keys; what is sent to [receivers] is audited without it".to_owned());
    }
    let shortest = spec.values.size.min();
    (shortest < STAMP_LEN as u32).then(|| {
        format!("--audit writes {STAMP_LEN} bytes of its own into every value; values.size is {shortest}")
    })
}

/// Reads every key that the round has written, and judges.
pub fn audit(
    round: u32,
    workload: &Workload,
    target: &Target,
    also: &[HostPort],
    logs: &[WriteLog],
) -> (AuditRun, Vec<LostKey>) {
    shards::settled(target, also, SETTLES_WITHIN);
    let keys: BTreeSet<KeyId> = logs
        .iter()
        .flat_map(|log| &log.writes)
        .filter(|write| write.sent_ns > 0)
        .map(|write| write.key)
        .collect();
    let found = read::values(workload, target, also, keys.into_iter().collect());
    judge::judge(round, workload.key_format(), logs, &found)
}
