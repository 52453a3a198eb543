//! The rules of the cluster, without I/O and without a clock: inputs with the time go in, effects come out. The node
//! drives one [`Member`] with real links ([`super::bus`]), the simulator in tests/ drives many with simulated ones.
//!
//! | file | rule |
//! |---|---|
//! | `member` | [`Member`]: a step, and what follows from any step |
//! | `links`, `peer` | links come and go; what is kept of a peer |
//! | `nodes` | the nodes, and the owner table with all that must agree with it |
//! | `heartbeat`, `receive` | what is said of ourselves, to whom and when; who says what to us |
//! | `handshake` | how a node becomes known by its own name |
//! | `gossip` | what to believe of third nodes |
//! | `failure` | suspects, reports, verdicts, and how they end |
//! | `claims` | who owns which slot |
//! | `election`, `vote` | a replica takes its failed primary's place |
//! | `manual` | and when nothing has failed |
//! | `migration` | replicas go where none is left |
//! | `state` | whether the cluster serves |
//! | `publish` | messages of clients go to other nodes |
//! | `commands` | what administrators want |
//!
//! # Where it differs from redis-server 7.0
//!
//! Nothing differs on the wire, and a stock node is served, believed and voted for as by its kin. Quicker:
//!
//! - a peer is pinged ten times in a node timeout instead of twice, if there are not too many;
//! - a peer that had a link and now refuses two dials in 150 ms is suspected at once (`slotmark-refused-means-failed`);
//! - a suspect is told to everybody at once; a verdict follows from the report that completes the majority, or from our
//!   own suspicion if that does;
//! - a candidate tells the verdict ahead of its request on the same link, and the one with most of the stream asks at
//!   once; replicas of several failed primaries ask one after the other;
//! - a failed attempt is repeated two node timeouts and half a second after the last one of any replica of the primary:
//!   from then on voters vote again; for the same replica they do at once, and for one whose primary consents;
//! - a candidate tells ahead what it is, so that no vote is denied for want of news;
//! - a failed primary without any replica that is back is taken back at once.
//!
//! More careful:
//!
//! - reports of primaries without slots do not count towards a majority that is one of primaries with slots;
//! - a shard between two owners counts towards the size of which a majority is asked for;
//! - a primary that was stopped for longer than the node timeout serves nobody before it has heard from all, or for 2 s;
//! - a node behind whose address another answers is suspected and replaced like any that does not answer;
//! - a graceful failover is given up when the primary's stream breaks, or the primary has gone on writing;
//! - a slot that is on its way to us follows a failover of the node that it comes from;
//! - a replica leaves a primary that has become a replica, though no slot has changed hands;
//! - a link with a question that has waited for a whole node timeout is made anew, though the peer speaks on its own.

mod claims;
mod commands;
mod counters;
mod effects;
mod election;
mod failure;
mod gossip;
mod handshake;
mod heartbeat;
mod input;
mod links;
mod manual;
mod member;
mod migration;
mod nodes;
mod peer;
mod publish;
mod receive;
mod state;
#[cfg(test)]
mod tests;
mod turn;
mod vote;

pub use commands::{FailoverKind, SetSlot};
pub use counters::Counters;
pub use effects::{Dial, Effects, RoleChange, Save};
pub use input::{CloseReason, Facts, Input, LinkId, PrimaryLink};
pub use links::LinkInfo;
pub use member::Member;
pub use nodes::MAX_NODES;
