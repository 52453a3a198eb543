//! The loads that engines are put under: every kind of load at every depth of pipeline, over every set of data.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Serialize, Serializer};
use workloads::spec::Size;
use workloads::{Overrides, Spec, SpecError};

use crate::report::peers::{Data, TAGGED_KEYS};

/// One kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    Get,
    Set,
    /// So many reads in a hundred operations, the others are writes.
    ReadsOf100(u32),
    /// Ten keys of one slot at a time.
    Mget,
}

impl Mix {
    /// MGET needs keys that share a slot, and so data of its own.
    pub fn is_tagged(self) -> bool {
        self == Self::Mget
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get => write!(f, "GET"),
            Self::Set => write!(f, "SET"),
            Self::ReadsOf100(reads) => write!(f, "{reads}:{}", 100 - reads),
            Self::Mget => write!(f, "MGET of {TAGGED_KEYS}"),
        }
    }
}

impl Serialize for Mix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no load: choose get, set, mget, or reads to writes as in 80:20");
        match text.to_ascii_lowercase().as_str() {
            "get" => Ok(Self::Get),
            "set" => Ok(Self::Set),
            "mget" => Ok(Self::Mget),
            other => {
                let (reads, writes) = other.split_once(':').ok_or_else(wrong)?;
                let parse = |part: &str| part.parse::<u32>().map_err(|_| wrong());
                match (parse(reads)?, parse(writes)?) {
                    (reads @ 1..=99, writes) if reads + writes == 100 => Ok(Self::ReadsOf100(reads)),
                    _ => Err(format!("'{text}': reads and writes make 100 together")),
                }
            }
        }
    }
}

/// All loads of a run.
#[derive(Clone, Debug)]
pub struct Grid {
    pub keys: Vec<u64>,
    pub value_bytes: Vec<u32>,
    pub mixes: Vec<Mix>,
    pub pipelines: Vec<u32>,
}

impl Grid {
    /// The sets of data that the loads need, each with its loads.
    pub fn data(&self) -> Vec<(Data, Vec<Mix>)> {
        let mut all = Vec::new();
        for tagged in [false, true] {
            let is_of = |mix: &&Mix| mix.is_tagged() == tagged;
            let mixes: Vec<Mix> = self.mixes.iter().filter(is_of).copied().collect();
            if mixes.is_empty() {
                continue;
            }
            for &keys in &self.keys {
                for &value_bytes in &self.value_bytes {
                    let data = Data {
                        keys,
                        value_bytes,
                        tagged,
                    };
                    all.push((data, mixes.clone()));
                }
            }
        }
        all
    }
}

/// How long a load lasts, and from how many clients it comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    pub clients: u32,
    pub rounds: u32,
    pub round: Duration,
    pub warmup: Duration,
}

/// The workload of one load: a built-in one with the grid's figures in it.
pub fn spec(data: Data, mix: Mix, effort: Effort) -> Result<Spec, SpecError> {
    let (name, ratio) = match mix {
        Mix::Mget => ("hashtag-mget", None),
        Mix::Get => ("uniform", Some((0, 1))),
        Mix::Set => ("uniform", Some((1, 0))),
        Mix::ReadsOf100(reads) => ("uniform", Some((100 - reads, reads))),
    };
    let mut spec = workloads::load(name)?;
    spec.apply(&Overrides {
        clients: Some(effort.clients),
        keys: Some(data.keys),
        value_size: Some(Size::Fixed(data.value_bytes)),
        ratio,
        duration: Some(effort.round),
        warmup: Some(effort.warmup),
        ..Overrides::default()
    })?;
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_have_names() {
        for (text, mix) in [
            ("get", Mix::Get),
            ("SET", Mix::Set),
            ("80:20", Mix::ReadsOf100(80)),
            ("mget", Mix::Mget),
        ] {
            assert_eq!(text.parse(), Ok(mix));
        }
        for wrong in ["", "del", "80", "80:21", "100:0", "0:100", "a:b", "99999999999:1"] {
            assert!(wrong.parse::<Mix>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_load_is_a_workload() {
        let grid = Grid {
            keys: vec![1_000, 100_000],
            value_bytes: vec![64],
            mixes: vec![Mix::Get, Mix::Mget, Mix::Set, Mix::ReadsOf100(80)],
            pipelines: vec![1],
        };
        let effort = Effort {
            clients: 3,
            rounds: 1,
            round: Duration::from_secs(1),
            warmup: Duration::ZERO,
        };
        let all = grid.data();
        assert_eq!(all.len(), 4);
        for (data, mixes) in all {
            for mix in mixes {
                let spec = spec(data, mix, effort).unwrap();
                assert_eq!((spec.keyspace.keys, spec.run.clients), (data.keys, 3));
                let commands: Vec<&str> = spec
                    .mix
                    .iter()
                    .filter(|entry| entry.weight > 0)
                    .map(|entry| entry.command.as_str())
                    .collect();
                match mix {
                    Mix::Get => assert_eq!(commands, ["GET"]),
                    Mix::Set => assert_eq!(commands, ["SET"]),
                    Mix::Mget => assert_eq!(commands, ["MGET"]),
                    Mix::ReadsOf100(_) => assert_eq!(commands, ["GET", "SET"]),
                }
            }
        }
    }
}
