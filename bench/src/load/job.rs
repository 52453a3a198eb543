//! What all generator threads of a round share: read-only, but for what is atomic in it.

use std::sync::Arc;
use std::time::Duration;

use slotcore::resp::encode_command;
use workloads::Workload;

use super::discover::auth_args;
use super::plan::{Target, Watch};
use super::scout::Scout;
use crate::measure::{Clock, ShardMap};

/// A round, as its threads see it.
#[derive(Debug)]
pub(super) struct Job<'a> {
    pub workload: Arc<Workload>,
    pub watch: &'a Watch,
    pub scout: Scout,
    pub clock: Clock,
    /// Commands of the histograms: those of the mix, and for a preload its SET.
    pub commands: usize,
    pub window: u32,
    pub warmup: Duration,
    /// `None` to run until the sources are exhausted.
    pub duration: Option<Duration>,
    pub interval: Duration,
    /// Operations are sent when they are due, not when there is room for them.
    pub open_loop: bool,
    /// The shards of a round in which they are traced.
    pub shards: Option<ShardMap>,
    /// Reads go to replicas.
    pub read_from_replicas: bool,
    /// Number of the round in an audit, which is kept then.
    pub audit: Option<u32>,
    /// Replicas that must have a write before it counts as acknowledged, and the WAIT that asks for them.
    pub wait: Option<(u64, Vec<u8>)>,
    /// For an answer.
    pub timeout: Duration,
    /// What the load sends is received beside it.
    pub has_receivers: bool,
    /// Numbers of the commands that follow others.
    pub sequels: Vec<usize>,
    /// What is sent first on every connection, and how many replies that has.
    pub handshake: Vec<u8>,
    pub handshake_replies: u32,
}

impl Job<'_> {
    /// Whether the answer to WAIT is enough.
    pub fn has_enough(&self, answer: &[u8]) -> bool {
        let replicas = std::str::from_utf8(answer)
            .ok()
            .and_then(|text| text.parse().ok());
        let wanted = self.wait.as_ref().map_or(0, |(replicas, _)| *replicas);
        replicas.is_some_and(|replicas: u64| replicas >= wanted)
    }
}

/// The bytes of the handshake, and how many commands they are.
pub(super) fn handshake(target: &Target, read_only: bool) -> (Vec<u8>, u32) {
    let mut bytes = Vec::new();
    let mut commands = 0;
    if target.resp3 {
        let mut args: Vec<&[u8]> = vec![b"HELLO", b"3"];
        if let Some(auth) = &target.auth {
            args.extend([
                b"AUTH",
                auth.user.as_deref().unwrap_or("default").as_bytes(),
                auth.password.as_bytes(),
            ]);
        }
        encode_command(&mut bytes, &args);
        commands += 1;
    } else if let Some(auth) = &target.auth {
        encode_command(&mut bytes, &auth_args(auth));
        commands += 1;
    } else {
        // A listener's queue accepts connections that the server then has no room for: only an answer proves one.
        encode_command(&mut bytes, &[b"PING"]);
        commands += 1;
    }
    if read_only {
        encode_command(&mut bytes, &[b"READONLY"]);
        commands += 1;
    }
    (bytes, commands)
}
