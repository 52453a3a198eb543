//! How busy others kept the machine while it measured.

use super::environment::{self, MachineTime};
use super::subject::Subject;
use super::usage::UsageProbe;
use crate::report::model::Noise;

/// Readings at the beginning; [`NoiseMeter::finish`] takes those at the end.
#[derive(Debug)]
pub struct NoiseMeter {
    load_average: Option<f64>,
    machine: Option<MachineTime>,
    own_ticks: Option<u64>,
    servers_ns: u128,
}

impl NoiseMeter {
    pub fn start(subjects: &[Subject]) -> Self {
        Self {
            load_average: environment::load_average(),
            machine: environment::machine_time(),
            own_ticks: environment::own_ticks(),
            servers_ns: servers_ns(subjects),
        }
    }

    /// The noise since the start. Whether others were busy can be told only if all servers are known
    /// (`servers_known`): those on this machine that we did not launch would be taken for strangers.
    pub fn finish(self, subjects: &[Subject], servers_known: bool) -> Noise {
        let mut noise = Noise {
            load_average_before: self.load_average,
            ..Noise::default()
        };
        let (Some(before), Some(after)) = (self.machine, environment::machine_time()) else {
            return noise;
        };
        let total = after.total.saturating_sub(before.total);
        if total == 0 {
            return noise;
        }
        let share = |ticks: u64| ticks as f64 / total as f64;
        noise.steal_share = Some(share(after.steal.saturating_sub(before.steal)));
        if let (true, Some(own_before), Some(own_after)) =
            (servers_known, self.own_ticks, environment::own_ticks())
        {
            let tick_ns = 1_000_000_000 / u128::from(rustix::param::clock_ticks_per_second().max(1));
            let servers = u64::try_from(servers_ns(subjects).saturating_sub(self.servers_ns) / tick_ns);
            let ours = own_after.saturating_sub(own_before) + servers.unwrap_or(0);
            noise.other_cpu_share = Some(share(after.busy.saturating_sub(before.busy).saturating_sub(ours)));
        }
        noise
    }
}

/// CPU time of all servers on this machine so far.
fn servers_ns(subjects: &[Subject]) -> u128 {
    let local = subjects
        .iter()
        .filter(|s| matches!(s.probe, UsageProbe::Processes(_)));
    local
        .flat_map(|s| s.probe.read().into_values())
        .map(|usage| usage.cpu.as_nanos())
        .sum()
}
