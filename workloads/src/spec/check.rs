//! Rules that no single key can know, checked after reading and again after every override.

use slotcore::SLOT_COUNT;

use super::error::SpecError;
use super::model::{
    Arrival, MAX_CLIENTS, MAX_KEY_SIZE, MAX_KEYS, MAX_KEYS_PER_COMMAND, MAX_PIPELINE, MAX_RATE,
    MAX_VALUE_SIZE, Shape, Size, Spec, Spread, Traffic,
};
use crate::keys::KeyFormat;

impl Spec {
    /// An error at a key of the model, which names the flag that set it, or else its line.
    pub(crate) fn error(&self, key: &str, message: impl Into<String>) -> SpecError {
        let message = message.into();
        match self.origin.flags.get(key) {
            Some(flag) => SpecError {
                file: String::new(),
                line: None,
                key: (*flag).to_owned(),
                message,
            },
            None => SpecError {
                file: self.origin.file.clone(),
                line: self.origin.lines.get(key).copied(),
                key: key.to_owned(),
                message,
            },
        }
    }

    /// Checks every rule between keys.
    pub(crate) fn validate(&self) -> Result<(), SpecError> {
        self.validate_keyspace()?;
        self.validate_traffic()?;
        self.validate_mix()?;
        self.validate_templates()?;
        self.validate_receivers()?;
        self.validate_run()?;
        self.validate_arrival()?;
        self.validate_faults()?;
        self.validate_beside()
    }

    pub(super) fn within<N: PartialOrd + std::fmt::Display>(
        &self,
        key: &str,
        value: N,
        low: N,
        high: N,
    ) -> Result<(), SpecError> {
        if value >= low && value <= high {
            return Ok(());
        }
        Err(self.error(
            key,
            format!("{value} is out of range; {low} to {high} is possible"),
        ))
    }

    fn validate_keyspace(&self) -> Result<(), SpecError> {
        let keyspace = &self.keyspace;
        self.within("keyspace.keys", keyspace.keys, 1, MAX_KEYS)?;
        self.within("keyspace.key_size", keyspace.key_size, 1, MAX_KEY_SIZE)?;
        if let Some(per_tag) = keyspace.keys_per_tag {
            self.within("keyspace.keys_per_tag", per_tag, 1, 1_000_000)?;
            if !keyspace.keys.is_multiple_of(u64::from(per_tag)) {
                let message = format!(
                    "{} keys are no multiple of keys_per_tag, {per_tag}",
                    keyspace.keys
                );
                return Err(self.error("keyspace.keys", message));
            }
        }
        let needed = KeyFormat::smallest_size(keyspace, &self.traffic);
        if keyspace.key_size < needed {
            let message = format!(
                "{} bytes are too few for such keys; {needed} are needed",
                keyspace.key_size
            );
            return Err(self.error("keyspace.key_size", message));
        }
        self.validate_sizes()
    }

    fn validate_sizes(&self) -> Result<(), SpecError> {
        if let Some(sizes) = &self.keyspace.key_sizes {
            let key = "keyspace.key_size";
            self.within(key, sizes.max, sizes.min, MAX_KEY_SIZE)?;
            if sizes.scale <= 0.0 {
                return Err(self.error(key, "scale is above 0"));
            }
            self.within(key, sizes.shape, -5.0, 5.0)?;
            let is_whole = self.keyspace.keys_per_tag.is_none();
            if is_whole && self.keyspace.spread == Spread::Even {
                let message =
                    "keys of several lengths cannot be spread evenly; use spread = \"hash\" or keys_per_tag";
                return Err(self.error("keyspace.spread", message));
            }
        }
        if let Size::Pareto(sizes) = &self.values.size {
            let sum: f64 = sizes.small.iter().sum();
            if sizes.small.iter().any(|&share| share < 0.0) || sum > 1.0 {
                let message =
                    format!("the probabilities in small are 0 or more, and 1 at most together, not {sum}");
                return Err(self.error("values.size", message));
            }
            if (sizes.location as usize) < sizes.small.len() {
                let message = format!(
                    "location is {} and small has {} lengths: the tail begins behind them",
                    sizes.location,
                    sizes.small.len()
                );
                return Err(self.error("values.size", message));
            }
            if sizes.scale <= 0.0 || sizes.max < sizes.location {
                return Err(self.error("values.size", "scale is above 0, and max is location or more"));
            }
            self.within("values.size", sizes.shape, -5.0, 5.0)?;
        }
        self.within("values.size", self.values.size.max(), 0, MAX_VALUE_SIZE)
    }

    fn validate_traffic(&self) -> Result<(), SpecError> {
        match self.traffic {
            Traffic::Uniform => Ok(()),
            Traffic::Zipf { theta } => self.within("traffic.theta", theta, 0.01, 10.0),
            Traffic::Hotslot { share, slot, keys } => {
                self.within("traffic.share", share, 0.0, 1.0)?;
                self.within("traffic.slot", slot, 0, SLOT_COUNT as u16 - 1)?;
                self.within("traffic.hot_keys", keys, 1, 100_000_000)?;
                let units = self.keyspace.keys / u64::from(self.keyspace.keys_per_tag.unwrap_or(1));
                if share < 1.0 && units < 1000 {
                    // The keys of the rest are drawn until one lies outside the hot slot: with few there may be none.
                    let message =
                        format!("{units} keys or tags outside the hot slot are too few; 1000 are needed");
                    return Err(self.error("keyspace.keys", message));
                }
                Ok(())
            }
        }
    }

    fn validate_mix(&self) -> Result<(), SpecError> {
        let total = self
            .mix
            .iter()
            .try_fold(0u64, |sum, entry| sum.checked_add(entry.weight));
        if total.is_none_or(|total| total == 0 || total > 1 << 53) {
            return Err(self.error("mix", "the weights add up to nothing, or to too much"));
        }
        for (at, entry) in self.mix.iter().enumerate() {
            let key = format!("mix[{at}].keys");
            self.within(&key, entry.keys, 1, MAX_KEYS_PER_COMMAND)?;
            if entry.keys == 1 || entry.split {
                continue;
            }
            let keys = u64::from(entry.keys);
            if self
                .keyspace
                .keys_per_tag
                .is_none_or(|per_tag| u64::from(per_tag) < keys)
            {
                let message = format!(
                    "{keys} keys of one {} must lie in one slot: set keyspace.keys_per_tag to {keys} or more, or split = true",
                    entry.command
                );
                return Err(self.error(&key, message));
            }
            if matches!(self.traffic, Traffic::Hotslot { keys: hot, .. } if hot < keys) {
                return Err(self.error(
                    "traffic.hot_keys",
                    format!("fewer than the {keys} keys of one {}", entry.command),
                ));
            }
        }
        self.validate_fill()?;
        if self.check.hot_share_points.is_some() && !matches!(self.traffic, Traffic::Hotslot { .. }) {
            return Err(self.error("check.hot_share_points", "there is no hot slot in this workload"));
        }
        Ok(())
    }

    fn validate_fill(&self) -> Result<(), SpecError> {
        for (at, entry) in self.mix.iter().enumerate().filter(|(_, entry)| entry.fill) {
            let key = format!("mix[{at}].fill");
            if entry.command != "GET" {
                return Err(self.error(&key, "only a GET can miss and be followed by a SET"));
            }
            if !self.mix.iter().any(|other| other.command == "SET") {
                let message = "a miss is followed by the SET of the mix; add one (with weight = 0 nothing else is written)";
                return Err(self.error(&key, message));
            }
            if self.arrival != Arrival::Closed {
                let message = "no schedule says when a miss is followed by a SET: a closed loop is wanted";
                return Err(self.error(&key, message));
            }
        }
        Ok(())
    }

    fn validate_run(&self) -> Result<(), SpecError> {
        let run = &self.run;
        self.within("run.clients", run.clients, 1, MAX_CLIENTS)?;
        if run.pipeline.is_empty() || run.pipeline.len() > 64 {
            return Err(self.error("run.pipeline", "1 to 64 depths are wanted"));
        }
        for &depth in &run.pipeline {
            self.within("run.pipeline", depth, 1, MAX_PIPELINE)?;
        }
        if run.timeout.is_zero() {
            return Err(self.error("run.timeout", "an operation takes some time"));
        }
        if run.requests == Some(0) {
            return Err(self.error("run.requests", "at least one operation is wanted"));
        }
        if run.requests.is_none() && run.duration.is_zero() {
            return Err(self.error("run.duration", "a run takes some time"));
        }
        Ok(())
    }

    fn validate_faults(&self) -> Result<(), SpecError> {
        if let Some(nodes) = self.cluster.nodes {
            self.within("cluster.nodes", nodes, 1, 1000)?;
        }
        if let Some(replicas) = self.cluster.replicas {
            self.within("cluster.replicas", replicas, 0, 100)?;
        }
        for (number, fault) in self.fault.iter().enumerate() {
            let key = |name: &str| format!("fault[{number}].{name}");
            if self.run.requests.is_none() && fault.at >= self.run.duration {
                let message = format!(
                    "the run is over by then: it lasts {} s",
                    self.run.duration.as_secs_f64()
                );
                return Err(self.error(&key("at"), message));
            }
            self.within(&key("shard"), fault.shard, 0, 16_383)?;
            if fault.rolling.is_some_and(|distance| distance.is_zero()) {
                return Err(self.error(&key("rolling"), "longer than nothing is wanted"));
            }
            if fault.kind.ends_after().is_some_and(|length| length.is_zero()) {
                return Err(self.error(&key("for"), "longer than nothing is wanted"));
            }
        }
        Ok(())
    }

    fn validate_arrival(&self) -> Result<(), SpecError> {
        let Arrival::Open(open) = self.arrival else {
            return Ok(());
        };
        self.within("arrival.rate", open.rate, 0.0, MAX_RATE)?;
        let to = match open.shape {
            Shape::Steady => open.rate,
            Shape::Ramp { to } | Shape::Step { to, .. } | Shape::Burst { to, .. } => to,
        };
        self.within("arrival.to", to, 0.0, MAX_RATE)?;
        if open.rate == 0.0 && to == 0.0 {
            return Err(self.error("arrival.rate", "at this rate nothing is ever sent"));
        }
        match open.shape {
            Shape::Ramp { .. } | Shape::Step { .. } if self.run.requests.is_some() => {
                let message = "a ramp or steps need a run that is bounded by time, not by requests";
                Err(self.error("arrival.shape", message))
            }
            Shape::Step { steps, .. } => self.within("arrival.steps", steps, 1, 1000),
            Shape::Burst { every, length, .. } if length.is_zero() || length >= every => Err(self.error(
                "arrival.length",
                "a burst is longer than nothing and shorter than every",
            )),
            _ => Ok(()),
        }
    }
}
