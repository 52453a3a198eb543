//! What the flags of the command line change in a workload.

use std::time::Duration;

use super::error::SpecError;
use super::fault::{DEFAULT_FAULT, Fault, FaultKind};
use super::model::{Arrival, MixEntry, OpenLoop, Process, Shape, Size, Spec};
use crate::command;

/// Flags, each of which replaces one value of the file when given.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    pub clients: Option<u32>,
    /// Replaces a sweep as well.
    pub pipeline: Option<Vec<u32>>,
    pub keys: Option<u64>,
    pub key_size: Option<u32>,
    pub value_size: Option<Size>,
    /// Writes to reads, as in `1:10`; see [`Spec::apply`].
    pub ratio: Option<(u32, u32)>,
    pub duration: Option<Duration>,
    pub requests: Option<u64>,
    pub warmup: Option<Duration>,
    pub timeout: Option<Duration>,
    /// Operations a second: makes the loop an open one, or changes the rates of one that is.
    pub rate: Option<f64>,
    pub arrivals: Option<Arrivals>,
    pub fault: FaultFlags,
}

/// What the command line says of faults.
#[derive(Debug, Clone, Default)]
pub struct FaultFlags {
    /// A kind takes the place of the kinds in the file, or makes a fault where there is none.
    pub kind: Option<FaultChoice>,
    pub at: Option<Duration>,
    pub shard: Option<u32>,
    pub rolling: Option<Duration>,
    /// Until the node is resumed, healed or restarted.
    pub length: Option<Duration>,
}

/// Which fault, as the command line has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultChoice {
    /// None at all: the load is only looked at.
    None,
    Kill,
    Term,
    Stop,
    Partition,
    Pause,
    Failover,
    Command(String),
}

/// How operations follow each other, as the command line has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    Closed,
    Open(Process),
}

impl Spec {
    /// Applies the flags and checks the result.
    ///
    /// A ratio keeps the proportions among writes and among reads, and changes only how much of each there is. A mix
    /// without a write gets SET, one without a read gets GET. A duration takes the place of a number of requests in
    /// the file, and the other way round.
    pub fn apply(&mut self, overrides: &Overrides) -> Result<(), SpecError> {
        let mut set = |key: &str, flag: &'static str| {
            self.origin.flags.insert(key.to_owned(), flag);
        };
        if let Some(clients) = overrides.clients {
            set("run.clients", "--clients");
            self.run.clients = clients;
        }
        if let Some(pipeline) = &overrides.pipeline {
            set("run.pipeline", "--pipeline");
            self.run.pipeline = pipeline.clone();
        }
        if let Some(keys) = overrides.keys {
            set("keyspace.keys", "--keyspace");
            self.keyspace.keys = keys;
        }
        if let Some(key_size) = overrides.key_size {
            set("keyspace.key_size", "--key-size");
            self.keyspace.key_size = key_size;
            self.keyspace.key_sizes = None;
        }
        if let Some(size) = &overrides.value_size {
            set("values.size", "--data-size");
            self.values.size = size.clone();
        }
        if let Some(duration) = overrides.duration {
            set("run.duration", "--duration");
            self.run.duration = duration;
            self.run.requests = None;
        }
        if let Some(requests) = overrides.requests {
            set("run.requests", "--requests");
            self.run.requests = Some(requests);
        }
        if let Some(warmup) = overrides.warmup {
            set("run.warmup", "--warmup");
            self.run.warmup = warmup;
        }
        if let Some(timeout) = overrides.timeout {
            set("run.timeout", "--timeout");
            self.run.timeout = timeout;
        }
        if let Some(rate) = overrides.rate {
            set("arrival.rate", "--rate");
            self.arrival = Arrival::Open(self.arrival.at_rate(rate));
        }
        if overrides.arrivals.is_some() {
            set("arrival.mode", "--arrivals");
        }
        if let Some((writes, reads)) = overrides.ratio {
            set("mix", "--ratio");
            self.set_ratio(u64::from(writes), u64::from(reads))?;
        }
        if let Some(arrivals) = overrides.arrivals {
            self.set_arrivals(arrivals)?;
        }
        self.set_faults(&overrides.fault);
        self.validate()
    }

    fn set_faults(&mut self, flags: &FaultFlags) {
        match &flags.kind {
            Some(FaultChoice::None) => self.fault.clear(),
            Some(_) if self.fault.is_empty() => self.fault.push(Fault {
                kind: FaultKind::Failover,
                at: self.run.duration / 3,
                shard: 0,
                rolling: None,
            }),
            _ => {}
        }
        for (number, fault) in self.fault.iter_mut().enumerate() {
            let mut set = |name: &str, flag: &'static str| {
                self.origin.flags.insert(format!("fault[{number}].{name}"), flag);
            };
            // What a file says of length or restart goes on to hold where the new kind has such a thing.
            let length = flags.length.or(fault.kind.ends_after());
            let until = length.unwrap_or(DEFAULT_FAULT);
            let kind = match &flags.kind {
                None | Some(FaultChoice::None) => None,
                Some(FaultChoice::Kill) => Some(FaultKind::Kill { restart: length }),
                Some(FaultChoice::Term) => Some(FaultKind::Term { restart: length }),
                Some(FaultChoice::Stop) => Some(FaultKind::Stop { length: until }),
                Some(FaultChoice::Partition) => Some(FaultKind::Partition { length: until }),
                Some(FaultChoice::Pause) => Some(FaultKind::Pause { length: until }),
                Some(FaultChoice::Failover) => Some(FaultKind::Failover),
                Some(FaultChoice::Command(command)) => Some(FaultKind::Command {
                    command: command.clone(),
                }),
            };
            if let Some(kind) = kind {
                set("kind", "--fault");
                fault.kind = kind;
            } else if flags.length.is_some() {
                fault.kind.set_end(until);
            }
            if flags.length.is_some() {
                set("for", "--fault-for");
            }
            if let Some(at) = flags.at {
                set("at", "--fault-at");
                fault.at = at;
            }
            if let Some(shard) = flags.shard {
                set("shard", "--fault-shard");
                fault.shard = shard;
            }
            if flags.rolling.is_some() {
                set("rolling", "--fault-rolling");
                fault.rolling = flags.rolling;
            }
        }
    }

    fn set_arrivals(&mut self, arrivals: Arrivals) -> Result<(), SpecError> {
        self.arrival = match (arrivals, self.arrival) {
            (Arrivals::Closed, _) => Arrival::Closed,
            (Arrivals::Open(process), Arrival::Open(open)) => Arrival::Open(OpenLoop { process, ..open }),
            (Arrivals::Open(_), Arrival::Closed) => {
                return Err(self.error("arrival.mode", "needs a rate: add --rate OPS"));
            }
        };
        Ok(())
    }

    fn set_ratio(&mut self, writes: u64, reads: u64) -> Result<(), SpecError> {
        if writes == 0 && reads == 0 {
            return Err(self.error("mix", "0:0 asks for nothing"));
        }
        let is_write = command::is_write;
        // What follows another operation comes as often as that one.
        let sequels: Vec<String> = self.mix.iter().filter_map(|entry| entry.then.clone()).collect();
        let is_sequel = |entry: &MixEntry| entry.name.as_ref().is_some_and(|name| sequels.contains(name));
        for (wanted, name, share) in [(true, "SET", writes), (false, "GET", reads)] {
            if share > 0
                && !self
                    .mix
                    .iter()
                    .any(|entry| is_write(entry) == wanted && entry.weight > 0)
            {
                let command = name.to_owned();
                self.mix.push(MixEntry {
                    command,
                    weight: 1,
                    keys: 1,
                    ..MixEntry::default()
                });
            }
        }
        let sum = |wanted: bool| -> u64 {
            self.mix
                .iter()
                .filter(|entry| is_write(entry) == wanted)
                .map(|entry| entry.weight)
                .sum()
        };
        // Both sums are multiplied up to a common total, so that the weights stay whole numbers. A side without an
        // entry has the sum 0 and the share 0, and must not wipe out the other.
        let (write_sum, read_sum) = (sum(true).max(1), sum(false).max(1));
        for entry in &mut self.mix {
            let factor = if is_write(entry) {
                writes * read_sum
            } else {
                reads * write_sum
            };
            entry.weight = entry.weight.saturating_mul(factor);
        }
        self.mix.retain(|entry| entry.weight > 0 || is_sequel(entry));
        Ok(())
    }
}

impl Arrival {
    /// An open loop at this rate. One that has a shape keeps it: the other rate changes in proportion.
    fn at_rate(self, rate: f64) -> OpenLoop {
        let Arrival::Open(mut open) = self else {
            return OpenLoop {
                process: Process::Constant,
                rate,
                shape: Shape::Steady,
            };
        };
        match &mut open.shape {
            Shape::Steady => open.rate = rate,
            Shape::Ramp { to } | Shape::Step { to, .. } | Shape::Burst { to, .. } => {
                if open.rate == 0.0 {
                    *to = rate;
                } else {
                    *to *= rate / open.rate;
                    open.rate = rate;
                }
            }
        }
        open
    }
}
