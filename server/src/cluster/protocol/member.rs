//! One node of the cluster, as the rules see it.

use super::effects::Effects;
use super::input::{Facts, Input};
use crate::cluster::data::ClusterData;

/// CLUSTER FAILOVER's three forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailoverKind {
    /// With the primary's consent: it pauses, we catch up, nothing is lost.
    Graceful,
    /// Without the primary, with the others' votes.
    Force,
    /// Without anybody.
    Takeover,
}

/// CLUSTER SETSLOT's four forms.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "as the command spells them; each carries the other node's name as the client wrote it"
)]
pub enum SetSlot {
    Migrating(Vec<u8>),
    Importing(Vec<u8>),
    Node(Vec<u8>),
    Stable,
}

/// One node of the cluster.
#[derive(Debug)]
pub struct Member {
    data: ClusterData,
}

impl Member {
    /// A member with what nodes.conf held, at this time (ms). `seed` drives all of its chances.
    pub fn new(data: ClusterData, _now: u64, _seed: u64) -> Self {
        Self { data }
    }

    /// What it knows.
    pub fn data(&self) -> &ClusterData {
        &self.data
    }

    /// Takes an input in.
    pub fn step(&mut self, _now: u64, _facts: Facts, _input: Input, _out: &mut Effects) {}

    /// When it wants a [`Input::Tick`] at the latest (ms).
    pub fn deadline(&self) -> u64 {
        0
    }
}
