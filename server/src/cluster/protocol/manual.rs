//! Manual failover: a replica takes its primary's place because an administrator says so.
//!
//! ```text
//!   replica ── MFSTART ──▶ primary   holds its clients' writes back; from the next step on its offset stands still
//!           ◀── PING, paused, offset ──
//!   applies the stream up to that offset, then asks for votes that need no failure
//!           ── AUTH_REQUEST, force ──▶ all
//! ```

use std::sync::Arc;

use slotcore::slot_map::NodeIndex;
use slotcore::topology::NodeId;

use super::heartbeat::CRON_MS;
use super::input::PrimaryLink;
use super::member::Member;
use super::turn::Turn;
use crate::cluster::message::{Body, Header, Heartbeat, Message, SharedMessage};

/// A manual failover succeeds within this time (ms), or not at all.
const LIMIT_MS: u64 = 5000;
/// The primary gives up so much (ms) later than the replica must have: a claim that was won at the last moment finds it
/// paused still.
const GRACE_MS: u64 = 500;
/// The primary holds writes back for so long (ms): longer than the replica may try, so that a late winner loses none.
const PAUSE_MS: u64 = 2 * LIMIT_MS;

/// A manual failover under way.
#[derive(Clone, Debug)]
pub(super) enum Manual {
    /// On the primary.
    Giving {
        to: NodeId,
        until_ms: u64,
        /// The pause was in force before this step began, so that the offset is final.
        paused: bool,
        /// When the replica is told the offset (again), ms.
        tell_ms: u64,
    },
    /// On the replica.
    Taking {
        until_ms: u64,
        /// The offset at which the primary stands still.
        target: Option<u64>,
        /// We may ask for votes.
        ready: bool,
    },
}

impl Member {
    /// An administrator has asked for it; `forced`: without the primary.
    pub(super) fn begin_taking(&mut self, turn: &mut Turn<'_>, primary: NodeIndex, forced: bool) {
        self.end_manual(turn);
        self.manual = Some(Manual::Taking {
            until_ms: turn.now + LIMIT_MS,
            target: None,
            ready: forced,
        });
        if !forced {
            // Ahead on the same link, since a primary that has not heard yet that we copy it does not listen.
            let pong = self.heartbeat(turn, Heartbeat::Pong, Some(primary));
            self.send_to(turn, primary, SharedMessage::new(pong));
            let message = Message {
                header: self.header(turn),
                body: Body::ManualStart,
            };
            self.send_to(turn, primary, SharedMessage::new(message));
        }
    }

    /// A replica of ours is to take our place.
    pub(super) fn asked_to_pause(&mut self, turn: &mut Turn<'_>, replica: NodeIndex) {
        if self.node(replica).primary != Some(self.data.myself) {
            return;
        }
        self.end_manual(turn);
        let to = self.node(replica).id;
        turn.warn(format!("Manual failover requested by replica {to}."));
        turn.out.pause_writes_until = Some(turn.now + PAUSE_MS);
        self.manual = Some(Manual::Giving {
            to,
            until_ms: turn.now + LIMIT_MS + GRACE_MS,
            paused: false,
            tell_ms: turn.now,
        });
    }

    /// Whether our messages may say that our offset is final.
    pub(super) fn has_paused(&self) -> bool {
        matches!(self.manual, Some(Manual::Giving { paused: true, .. }))
    }

    /// The replica that is to take our place.
    pub(super) fn manual_replica(&self) -> Option<NodeIndex> {
        match &self.manual {
            Some(Manual::Giving { to, paused: true, .. }) => self.lookup(to),
            _ => None,
        }
    }

    /// Whether we may ask for votes without a failure.
    pub(super) fn manual_ready(&self) -> bool {
        matches!(self.manual, Some(Manual::Taking { ready: true, .. }))
    }

    /// Our primary says where it stands still; or that it has gone on since, so that we would lose what it wrote.
    pub(super) fn heard_pause(&mut self, turn: &mut Turn<'_>, sender: NodeIndex, header: &Header) {
        let Some(Manual::Taking { target, .. }) = &mut self.manual else {
            return;
        };
        if self.data.me().primary != Some(sender) {
            return;
        }
        match *target {
            None if header.paused => {
                *target = Some(header.offset);
                turn.warn(format!(
                    "Received replication offset for paused master manual failover: {}",
                    header.offset
                ));
            }
            // An older message that was overtaken has a smaller offset.
            Some(target) if !header.paused && header.offset > target => {
                turn.warn("Manual failover given up: the master has gone on writing.".into());
                self.end_manual(turn);
            }
            _ => {}
        }
    }

    /// At the beginning of a step, and not of a command: the host has carried out the effects of the step before, so the
    /// pause is in force and the offset among the facts is final.
    pub(super) fn announce_manual(&mut self, turn: &mut Turn<'_>) {
        let Some(Manual::Giving {
            to, paused, tell_ms, ..
        }) = &mut self.manual
        else {
            return;
        };
        let first = !std::mem::replace(paused, true);
        if !first && *tell_ms > turn.now {
            return;
        }
        *tell_ms = turn.now + CRON_MS;
        let to = *to;
        if let Some(index) = self.lookup(&to)
            && let Some(link) = self.reach(index)
        {
            let ping = self.heartbeat(turn, Heartbeat::Ping, Some(index));
            if self.peer(index).up() == Some(link) {
                self.ping(turn, index, Heartbeat::Ping);
            } else {
                self.send(turn, link, Arc::new(ping));
            }
        }
    }

    /// A stream that broke after the primary had told where it stands: it may have started again, and serve already.
    /// If it has failed for good, its replicas know what to do.
    fn check_stream(&mut self, turn: &mut Turn<'_>) {
        let broken = !matches!(turn.facts.primary_link, PrimaryLink::Up { .. });
        if let Some(Manual::Taking { target: Some(_), .. }) = self.manual
            && broken
        {
            turn.warn("Manual failover given up: the master's stream has ended.".into());
            self.end_manual(turn);
        }
    }

    /// Goes on with a manual failover, or gives it up.
    pub(super) fn run_manual(&mut self, turn: &mut Turn<'_>) {
        self.check_stream(turn);
        let over = match &mut self.manual {
            None => return,
            Some(Manual::Giving { until_ms, .. }) => *until_ms < turn.now,
            Some(Manual::Taking {
                until_ms,
                target,
                ready,
            }) => {
                if !*ready && *target == Some(turn.facts.offset) {
                    *ready = true;
                    turn.warn("All master replication stream processed, manual failover can start.".into());
                }
                *until_ms < turn.now
            }
        };
        if over {
            turn.warn("Manual failover timed out.".into());
            self.end_manual(turn);
        }
    }

    /// When the manual failover wants to be looked at again.
    pub(super) fn manual_wake(&self, now: u64) -> Option<u64> {
        match self.manual.as_ref()? {
            Manual::Giving { paused: false, .. } => Some(now),
            Manual::Giving {
                until_ms, tell_ms, ..
            } => Some((*until_ms + 1).min(*tell_ms)),
            Manual::Taking {
                target: Some(_),
                ready: false,
                ..
            } => Some(now + 1),
            Manual::Taking { until_ms, .. } => Some(*until_ms + 1),
        }
    }

    /// Whatever manual failover there was is over, well or not.
    pub(super) fn end_manual(&mut self, turn: &mut Turn<'_>) {
        if let Some(Manual::Giving { .. }) = self.manual.take() {
            turn.out.pause_writes_until = Some(0);
        }
    }
}
