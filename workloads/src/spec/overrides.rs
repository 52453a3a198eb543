//! What the flags of the command line change in a workload.

use std::time::Duration;

use super::error::SpecError;
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
        }
        if let Some(size) = overrides.value_size {
            set("values.size", "--data-size");
            self.values.size = size;
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
        self.validate()
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
        let is_write = |entry: &MixEntry| command::kind(&entry.command).is_some_and(|kind| kind.write);
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
                    split: false,
                    args: Vec::new(),
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
        self.mix.retain(|entry| entry.weight > 0);
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
