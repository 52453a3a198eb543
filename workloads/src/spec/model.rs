//! The model of a workload file. It serialises into a result as the workload that was run, overrides included.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};
use slotcore::Slot;

use super::beside::{Neighbor, Storm};
use super::fault::Fault;
use super::receivers::Receivers;
use crate::reply::Condition;
use crate::sizes::{KeySizes, ParetoSizes};

/// Most keys of a workload; the preload and the digits of a key bound it.
pub const MAX_KEYS: u64 = 10_000_000_000;
/// Longest key in bytes.
pub const MAX_KEY_SIZE: u32 = 1024;
/// Most keys of one command.
pub const MAX_KEYS_PER_COMMAND: u32 = 256;
/// Largest value in bytes.
pub const MAX_VALUE_SIZE: u32 = 512 * 1024 * 1024;
/// Most entries of a mix.
pub const MAX_MIX: usize = 64;
/// Most clients of a run.
pub const MAX_CLIENTS: u32 = 100_000;
/// Most operations a client may have outstanding.
pub const MAX_PIPELINE: u32 = 65_536;

/// A workload as written, read and overridden.
#[derive(Debug, Clone, Serialize)]
pub struct Spec {
    /// The name of the built-in, or the stem of the file.
    pub name: String,
    /// What the workload is to answer.
    pub question: String,
    /// What its author expects to see.
    pub expectation: String,
    /// How to read the result.
    pub reading: String,
    pub keyspace: Keyspace,
    /// What the preload sends for each key, in place of SET.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preload: Vec<Preload>,
    pub mix: Vec<MixEntry>,
    pub traffic: Traffic,
    pub values: Values,
    pub arrival: Arrival,
    pub run: Run,
    /// What a cluster that is launched for it looks like.
    pub cluster: ClusterShape,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fault: Vec<Fault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storm: Option<Storm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbor: Option<Neighbor>,
    /// Connections beside the load that receive what it sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receivers: Option<Receivers>,
    pub check: Check,
    #[serde(skip)]
    pub(crate) origin: Origin,
}

/// Which keys there are.
#[derive(Debug, Clone, Serialize)]
pub struct Keyspace {
    /// How many keys are preloaded and then asked for.
    pub keys: u64,
    /// Length of every key in bytes.
    pub key_size: u32,
    /// When set, lengths differ from key to key, and `key_size` is the shortest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_sizes: Option<KeySizes>,
    /// When set, so many keys share one hash tag, and with it one slot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_per_tag: Option<u32>,
    pub spread: Spread,
    /// Whether the preload stores every key with SET, where no `[[preload]]` says otherwise.
    pub stored: bool,
}

impl Keyspace {
    /// The longest key in bytes.
    pub fn max_key_size(&self) -> u32 {
        self.key_sizes.map_or(self.key_size, |sizes| sizes.max)
    }
}

/// How keys spread over the slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Spread {
    /// As their hashes fall: of a million keys a slot has 61, give or take 8.
    Hash,
    /// As many in every slot as in any other: each key (or hash tag) ends in characters that make it so.
    Even,
}

/// One kind of operation and how often it comes.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MixEntry {
    /// Name in upper case; of `send`, the first word of its first command.
    pub command: String,
    /// What results call it, if not by its command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Share of the operations, relative to the sum of all weights.
    pub weight: u64,
    /// Keys of one operation.
    pub keys: u32,
    /// Keys are drawn from all slots, and the client sends one command a slot.
    pub split: bool,
    /// A read that misses is followed by the mix's SET of the same key, as by an application with a cache.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fill: bool,
    /// Arguments that follow keys and values, e.g. `["EX", "60"]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The commands of one operation, word by word, with placeholders; when there are any, keys and args mean nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub send: Vec<Vec<String>>,
    /// The Lua script whose SHA1 stands for `$script`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// What replies are counted as.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub count: BTreeMap<String, Condition>,
    /// The name of the entry that follows on the same key when the reply was not nil.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
    /// From the reply to what follows.
    #[serde(
        rename = "after_s",
        skip_serializing_if = "Duration::is_zero",
        serialize_with = "seconds"
    )]
    pub after: Duration,
    /// Until what follows is sent, the client holds the key as its own; for this long at most.
    #[serde(
        rename = "holds_s",
        skip_serializing_if = "Option::is_none",
        serialize_with = "some_seconds"
    )]
    pub holds: Option<Duration>,
}

impl MixEntry {
    /// What results call it.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.command)
    }
}

/// One kind of command of the preload.
#[derive(Debug, Clone, Serialize)]
pub struct Preload {
    /// The command, word by word, with placeholders.
    pub send: Vec<String>,
    /// How often it is sent for each key.
    pub times: u32,
}

/// How the operations spread over keys and slots.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "distribution", rename_all = "lowercase")]
pub enum Traffic {
    /// Every key (with `keys_per_tag`: every tag) is equally likely.
    Uniform,
    /// Key number r is asked for in proportion to (r + 1)^-theta.
    Zipf { theta: f64 },
    /// `share` of the operations go to `keys` keys in `slot`; the rest spread evenly over keys of all other slots.
    Hotslot { share: f64, slot: Slot, keys: u64 },
}

/// What is stored.
#[derive(Debug, Clone, Serialize)]
pub struct Values {
    pub size: Size,
    pub kind: ValueKind,
}

/// Length of a value in bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Size {
    Fixed(u32),
    /// Evenly between both bounds, both included.
    Range {
        min: u32,
        max: u32,
    },
    /// A few short lengths by a table, the others by a generalized Pareto distribution.
    Pareto(ParetoSizes),
}

impl Size {
    /// The longest value that may come.
    pub fn max(&self) -> u32 {
        match self {
            Size::Fixed(size) => *size,
            Size::Range { max, .. } => *max,
            Size::Pareto(sizes) => sizes.max,
        }
    }

    /// The shortest value that may come.
    pub fn min(&self) -> u32 {
        match self {
            Size::Fixed(size) => *size,
            Size::Range { min, .. } => *min,
            Size::Pareto(sizes) => sizes.min(),
        }
    }
}

/// What a value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueKind {
    /// Bytes that do not compress.
    Random,
}

/// Highest rate of an open loop, in operations a second.
pub const MAX_RATE: f64 = 100_000_000.0;

/// When the next operation is sent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum Arrival {
    /// As soon as the client has room for it in its window.
    Closed,
    /// When a schedule says so, whatever the store does.
    #[serde(untagged)]
    Open(OpenLoop),
}

/// A schedule that nothing moves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OpenLoop {
    #[serde(rename = "mode")]
    pub process: Process,
    /// Operations a second of all clients together, at the start.
    pub rate: f64,
    #[serde(flatten)]
    pub shape: Shape,
}

/// How arrivals follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Process {
    /// At even distances.
    Constant,
    /// Independently of each other, as the requests of many users do.
    Poisson,
}

/// How the rate changes over the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "shape", rename_all = "lowercase")]
pub enum Shape {
    Steady,
    /// Evenly, until it is `to` at the end.
    Ramp {
        to: f64,
    },
    /// In so many equally long steps, of which the last has the rate `to`.
    Step {
        to: f64,
        steps: u32,
    },
    /// Every so often, `to` for `length`.
    Burst {
        to: f64,
        #[serde(rename = "every_s", serialize_with = "seconds")]
        every: Duration,
        #[serde(rename = "length_s", serialize_with = "seconds")]
        length: Duration,
    },
}

/// How hard and how long.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    #[serde(rename = "duration_s", serialize_with = "seconds")]
    pub duration: Duration,
    /// When set, the run ends after so many operations instead of after `duration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    #[serde(rename = "warmup_s", serialize_with = "seconds")]
    pub warmup: Duration,
    /// Who is asked for what is only read.
    pub read_from: ReadFrom,
    /// An operation that is not answered within this is given up, with its connection.
    #[serde(rename = "timeout_s", serialize_with = "seconds")]
    pub timeout: Duration,
    pub clients: u32,
    /// Operations a client has outstanding (in an open loop: each of its connections has); more than one entry is a sweep, one run each.
    pub pipeline: Vec<u32>,
}

/// Who is asked for what is only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadFrom {
    Primary,
    /// The slot's replicas in turn, over READONLY connections.
    Replica,
}

/// The cluster to launch, where the workload needs a certain one; flags come first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ClusterShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    #[serde(
        rename = "node_timeout_s",
        skip_serializing_if = "Option::is_none",
        serialize_with = "some_seconds"
    )]
    pub node_timeout: Option<Duration>,
    /// Directives for every node, as in redis.conf.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub config: Vec<String>,
}

/// What must hold for the run to count as passed.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// More failed operations than this fail the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_errors: Option<u64>,
    /// The hot slot's share of the operations, counted, may be off by so many percentage points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hot_share_points: Option<f64>,
}

pub(super) fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

pub(super) fn some_seconds<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => seconds(duration, serializer),
        None => serializer.serialize_none(),
    }
}

/// Where each value came from, so that a rule that is broken only after an override can still name its place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    pub file: String,
    pub lines: BTreeMap<String, usize>,
    pub flags: BTreeMap<String, &'static str>,
}
