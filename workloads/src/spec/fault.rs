//! What is done to a cluster while it is under load, and when.

use std::time::Duration;

use serde::Serialize;

use super::model::{seconds, some_seconds};

/// Most faults of a workload.
pub const MAX_FAULTS: usize = 64;

/// How long a node is stopped, cut off or paused when nobody says.
pub(super) const DEFAULT_FAULT: Duration = Duration::from_secs(5);

/// One `[[fault]]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fault {
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Since the start of the measured time of a round.
    #[serde(rename = "at_s", serialize_with = "seconds")]
    pub at: Duration,
    /// Which shard's primary: number 0 owns the lowest slots.
    pub shard: u32,
    /// When set, the same happens to every further shard, so much after the one before.
    #[serde(
        rename = "rolling_s",
        skip_serializing_if = "Option::is_none",
        serialize_with = "some_seconds"
    )]
    pub rolling: Option<Duration>,
}

/// What happens to the node.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum FaultKind {
    /// SIGKILL; a new process with the same files starts after a while, if asked for.
    Kill {
        #[serde(
            rename = "restart_s",
            skip_serializing_if = "Option::is_none",
            serialize_with = "some_seconds"
        )]
        restart: Option<Duration>,
    },
    /// SIGTERM, likewise.
    Term {
        #[serde(
            rename = "restart_s",
            skip_serializing_if = "Option::is_none",
            serialize_with = "some_seconds"
        )]
        restart: Option<Duration>,
    },
    /// SIGSTOP, and SIGCONT after `length`.
    Stop {
        #[serde(rename = "for_s", serialize_with = "seconds")]
        length: Duration,
    },
    /// Cut off from everybody for `length`.
    Partition {
        #[serde(rename = "for_s", serialize_with = "seconds")]
        length: Duration,
    },
    /// CLIENT PAUSE: clients wait, the bus does not.
    Pause {
        #[serde(rename = "for_s", serialize_with = "seconds")]
        length: Duration,
    },
    /// CLUSTER FAILOVER, said to a replica of the shard.
    Failover,
    /// A command line of the user's, run by `sh -c`; SLOTMARK_NODE in its environment is the node's host:port.
    Command { command: String },
}

impl FaultKind {
    /// As the workload file spells it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Kill { .. } => "kill",
            Self::Term { .. } => "term",
            Self::Stop { .. } => "stop",
            Self::Partition { .. } => "partition",
            Self::Pause { .. } => "pause",
            Self::Failover => "failover",
            Self::Command { .. } => "command",
        }
    }

    /// All names, as the command line takes them.
    pub const NAMES: [&str; 7] = [
        "kill",
        "term",
        "stop",
        "partition",
        "pause",
        "failover",
        "command",
    ];

    /// Changes when it ends, if it is of the kind that does.
    pub(super) fn set_end(&mut self, after: Duration) {
        match self {
            Self::Kill { restart } | Self::Term { restart } => *restart = Some(after),
            Self::Stop { length } | Self::Partition { length } | Self::Pause { length } => *length = after,
            Self::Failover | Self::Command { .. } => {}
        }
    }

    /// Whether it takes a process that loadgen has started.
    pub fn needs_a_launched_node(&self) -> bool {
        !matches!(self, Self::Failover | Self::Pause { .. } | Self::Command { .. })
    }

    /// When the node is to be restarted, resumed or healed, after the fault.
    pub fn ends_after(&self) -> Option<Duration> {
        match *self {
            Self::Kill { restart } | Self::Term { restart } => restart,
            Self::Stop { length } | Self::Partition { length } | Self::Pause { length } => Some(length),
            Self::Failover | Self::Command { .. } => None,
        }
    }
}
