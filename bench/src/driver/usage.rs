//! What the servers use: CPU time and resident memory, read before and after a round. For nodes we launched the
//! kernel is asked, to the nanosecond; for others the nodes themselves (INFO).

use std::collections::BTreeMap;
use std::time::Duration;

use super::admin::{Admin, AdminError, field};
use crate::load::{Auth, HostPort};
use crate::report::model::ServerUse;

/// Whom to ask.
#[derive(Clone, Debug)]
pub enum UsageProbe {
    /// Processes on this machine, by the address they serve.
    Processes(Vec<(String, u32)>),
    /// Nodes that are asked over the network.
    Nodes {
        addrs: Vec<HostPort>,
        auth: Option<Auth>,
    },
}

/// Running totals of one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub cpu: Duration,
    pub rss_bytes: u64,
}

const ASK_TIMEOUT: Duration = Duration::from_secs(2);

impl UsageProbe {
    /// The totals now, by address; a node that cannot be read is missing.
    pub fn read(&self) -> BTreeMap<String, Usage> {
        match self {
            Self::Processes(list) => list
                .iter()
                .filter_map(|(addr, pid)| Some((addr.clone(), process_usage(*pid)?)))
                .collect(),
            Self::Nodes { addrs, auth } => addrs
                .iter()
                .filter_map(|addr| Some((addr.to_string(), node_usage(addr, auth.as_ref()).ok()?)))
                .collect(),
        }
    }
}

/// What was used between two readings, for nodes that are in both.
pub fn between(before: &BTreeMap<String, Usage>, after: &BTreeMap<String, Usage>) -> Vec<ServerUse> {
    let used = |(addr, end): (&String, &Usage)| {
        let start = before.get(addr)?;
        let cpu = end.cpu.checked_sub(start.cpu)?;
        Some(ServerUse {
            addr: addr.clone(),
            cpu,
            rss_bytes: end.rss_bytes,
        })
    };
    after.iter().filter_map(used).collect()
}

/// CPU time of all threads and resident memory of a process; none when it is gone or there is no /proc.
pub fn process_usage(pid: u32) -> Option<Usage> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let rss_kib: u64 = field(&status, "VmRSS")?
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .ok()?;
    let mut cpu_ns = 0u64;
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        // A thread that ends while we look takes its time with it; the nodes keep theirs.
        let Ok(text) = std::fs::read_to_string(task.ok()?.path().join("schedstat")) else {
            continue;
        };
        cpu_ns += text.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Usage {
        cpu: Duration::from_nanos(cpu_ns),
        rss_bytes: rss_kib * 1024,
    })
}

fn node_usage(addr: &HostPort, auth: Option<&Auth>) -> Result<Usage, AdminError> {
    let mut admin = Admin::connect(addr, auth, ASK_TIMEOUT)?;
    let cpu = admin.text(&["INFO", "cpu"])?;
    let memory = admin.text(&["INFO", "memory"])?;
    let seconds = |name| {
        field(&cpu, name)
            .and_then(|v| v.parse::<f64>().ok())
            .filter(|v| *v >= 0.0)
            .unwrap_or(0.0)
    };
    let total = seconds("used_cpu_sys") + seconds("used_cpu_user");
    let rss_bytes = field(&memory, "used_memory_rss")
        .and_then(|v| v.parse().ok())
        .unwrap_or(0);
    Ok(Usage {
        cpu: Duration::try_from_secs_f64(total).unwrap_or_default(),
        rss_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn our_own_process_uses_time_and_memory() {
        let before = process_usage(std::process::id()).unwrap();
        assert!(before.rss_bytes > 100_000, "{before:?}");
        let mut spent = Duration::ZERO;
        let mut sum = 0u64;
        while spent < Duration::from_millis(3) {
            sum = (0..200_000u64).fold(sum, |a, b| std::hint::black_box(a ^ b));
            spent = process_usage(std::process::id()).unwrap().cpu - before.cpu;
        }
        assert!(process_usage(0x7fff_fff0).is_none());
    }

    #[test]
    fn only_nodes_in_both_readings_count() {
        let usage = |ms, rss_bytes| Usage {
            cpu: Duration::from_millis(ms),
            rss_bytes,
        };
        let before = BTreeMap::from([
            ("a".to_owned(), usage(10, 1)),
            ("restarted".to_owned(), usage(90, 1)),
        ]);
        let after = BTreeMap::from([
            ("a".to_owned(), usage(25, 7)),
            ("new".to_owned(), usage(5, 1)),
            ("restarted".to_owned(), usage(3, 1)),
        ]);
        let used = between(&before, &after);
        assert_eq!(used.len(), 1);
        assert_eq!(
            (used[0].addr.as_str(), used[0].cpu, used[0].rss_bytes),
            ("a", Duration::from_millis(15), 7)
        );
    }
}
