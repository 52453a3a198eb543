//! What happens to an engine while it has a load, and which load that is.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Serialize, Serializer};
use workloads::spec::{Arrival, MAX_KEYS, OpenLoop, Preload, Process, Shape, Size, Spread};
use workloads::{Overrides, Spec, SpecError};

use crate::report::units;

/// Something that hurts, or nothing of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// GETs, and nothing else: what the machine does by itself.
    ControlGet,
    /// The same of SETs of keys that are there.
    ControlSet,
    /// Nothing but new keys, from none on.
    Growth,
    /// Many keys whose time is over at one moment.
    Expiry,
    /// All keys go at once.
    Flush,
    FlushAsync,
    /// A hash of many fields goes.
    HashDel,
    HashUnlink,
    HashExpire,
}

/// How much of everything there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Keys that growth ends with, and that are flushed.
    pub keys: u64,
    /// Keys that expire.
    pub expiring: u64,
    /// Fields of the hash.
    pub fields: u64,
}

/// Keys that are asked for where the event is about others.
pub const BYSTANDERS: u64 = 100_000;
/// Bytes of a value.
pub const VALUE_BYTES: u32 = 64;
/// The hash that goes.
pub const HASH: &str = "tails:hash";

impl Event {
    pub const ALL: [Self; 9] = [
        Self::ControlGet,
        Self::ControlSet,
        Self::Growth,
        Self::Expiry,
        Self::Flush,
        Self::FlushAsync,
        Self::HashDel,
        Self::HashUnlink,
        Self::HashExpire,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::ControlGet => "control-get",
            Self::ControlSet => "control-set",
            Self::Growth => "growth",
            Self::Expiry => "expiry",
            Self::Flush => "flush",
            Self::FlushAsync => "flush-async",
            Self::HashDel => "hash-del",
            Self::HashUnlink => "hash-unlink",
            Self::HashExpire => "hash-expire",
        }
    }

    /// In words, for who reads the report.
    pub fn title(self, sizes: Sizes) -> String {
        let keys = units::count(sizes.keys);
        let fields = units::count(sizes.fields);
        match self {
            Self::ControlGet => "GETs and no event: what the machine does by itself".to_owned(),
            Self::ControlSet => "SETs of keys that are there, and no event".to_owned(),
            Self::Growth => format!("SETs of new keys, from none to {keys}; the rounds follow each other"),
            Self::Expiry => format!(
                "GETs, while {} other keys expire at one moment",
                units::count(sizes.expiring)
            ),
            Self::Flush => format!("GETs of {keys} keys, which FLUSHALL removes"),
            Self::FlushAsync => format!("GETs of {keys} keys, which FLUSHALL ASYNC removes"),
            Self::HashDel => format!("GETs, while a hash of {fields} fields is removed by DEL"),
            Self::HashUnlink => format!("GETs, while a hash of {fields} fields is removed by UNLINK"),
            Self::HashExpire => format!("GETs, while a hash of {fields} fields expires"),
        }
    }

    pub fn has_hash(self) -> bool {
        matches!(self, Self::HashDel | Self::HashUnlink | Self::HashExpire)
    }

    /// The command that makes it happen, if one does.
    pub fn command(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Flush => Some(&["FLUSHALL"]),
            Self::FlushAsync => Some(&["FLUSHALL", "ASYNC"]),
            Self::HashDel => Some(&["DEL", HASH]),
            Self::HashUnlink => Some(&["UNLINK", HASH]),
            Self::HashExpire => Some(&["PEXPIRE", HASH, "1"]),
            Self::ControlGet | Self::ControlSet | Self::Growth | Self::Expiry => None,
        }
    }

    /// Keys that the load is about.
    fn loaded_keys(self, sizes: Sizes) -> u64 {
        match self {
            Self::Growth => MAX_KEYS,
            Self::Flush | Self::FlushAsync => sizes.keys,
            _ => BYSTANDERS,
        }
    }

    /// The most keys that an engine holds on the way.
    pub fn held_keys(self, sizes: Sizes) -> u64 {
        match self {
            Self::Growth | Self::Flush | Self::FlushAsync => sizes.keys,
            Self::Expiry => sizes.expiring + BYSTANDERS,
            _ => BYSTANDERS,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl FromStr for Event {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = text.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|event| event.name() == wanted)
            .ok_or_else(|| {
                let names: Vec<&str> = Self::ALL.iter().map(|event| event.name()).collect();
                format!("'{text}' is no event: choose {}", names.join(", "))
            })
    }
}

/// The load of one round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    pub clients: u32,
    /// Operations a second, at even distances; none is as many as the engine takes.
    pub rate: Option<f64>,
    pub length: Duration,
    pub warmup: Duration,
}

/// The load under which the event comes, and what is stored for it before.
pub fn spec(event: Event, sizes: Sizes, load: Load) -> Result<Spec, SpecError> {
    let mut spec = workloads::load("uniform")?;
    let writes = matches!(event, Event::ControlSet | Event::Growth);
    if event == Event::Growth {
        // Keys drawn from so many that hardly one comes twice.
        spec.keyspace.spread = Spread::Hash;
        spec.keyspace.stored = false;
    }
    spec.apply(&Overrides {
        clients: Some(load.clients),
        keys: Some(event.loaded_keys(sizes)),
        value_size: Some(Size::Fixed(VALUE_BYTES)),
        ratio: Some(if writes { (1, 0) } else { (0, 1) }),
        duration: Some(load.length),
        warmup: Some(load.warmup),
        ..Overrides::default()
    })?;
    if let Some(rate) = load.rate {
        spec.arrival = Arrival::Open(OpenLoop {
            process: Process::Constant,
            rate,
            shape: Shape::Steady,
        });
    }
    Ok(spec)
}

/// What is stored to expire at `at_ms` (unix time), by a preload.
pub fn expiring(sizes: Sizes, at_ms: u64) -> Result<Spec, SpecError> {
    let mut spec = workloads::load("uniform")?;
    spec.apply(&Overrides {
        keys: Some(sizes.expiring),
        value_size: Some(Size::Fixed(VALUE_BYTES)),
        ..Overrides::default()
    })?;
    let words = ["SET", "expiring:$key", "$value", "PXAT", &at_ms.to_string()];
    spec.preload = vec![Preload {
        send: words.map(str::to_owned).into(),
        times: 1,
    }];
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes {
        keys: 4_000,
        expiring: 3_000,
        fields: 2_000,
    };

    #[test]
    fn events_have_names() {
        for event in Event::ALL {
            assert_eq!(event.to_string().parse(), Ok(event));
        }
        assert_eq!("FLUSH".parse(), Ok(Event::Flush));
        let error = "fire".parse::<Event>().unwrap_err();
        assert!(
            error.contains("control-get") && error.contains("hash-expire"),
            "{error}"
        );
    }

    #[test]
    fn every_event_has_a_load() {
        let load = Load {
            clients: 4,
            rate: Some(1_000.0),
            length: Duration::from_secs(1),
            warmup: Duration::ZERO,
        };
        for event in Event::ALL {
            let workload = spec(event, SIZES, load).unwrap().compile(1).unwrap();
            let stream = |client| workload.client_stream(client).next_op();
            let name = workload.commands()[stream(0).command()].name();
            let writes = matches!(event, Event::Growth | Event::ControlSet);
            assert_eq!(name, if writes { "SET" } else { "GET" }, "{event}");
            let stored = if event == Event::Growth {
                0
            } else {
                event.loaded_keys(SIZES)
            };
            assert_eq!(workload.preload_len(), stored, "{event}");
        }
    }

    #[test]
    fn keys_that_expire_are_other_keys() {
        let workload = expiring(SIZES, 1_900_000_000_123).unwrap().compile(1).unwrap();
        assert_eq!(workload.preload_len(), SIZES.expiring);
        assert_eq!(workload.preload_commands().len(), 1);
        assert_eq!(workload.preload_commands()[0].name(), "SET");
    }
}
