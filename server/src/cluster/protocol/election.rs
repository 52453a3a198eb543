//! The candidate's side of an election: when a replica asks to take its primary's place, and what it does with the votes.

use rand_xoshiro::rand_core::Rng;
use slotcore::slot_map::NodeIndex;
use slotcore::topology::{NodeFlags, NodeId};

use super::effects::Save;
use super::input::PrimaryLink;
use super::member::Member;
use super::nodes::DOWN;
use super::turn::Turn;
use crate::cluster::message::{Body, Header, Heartbeat, Message};

/// Siblings tell their offsets within this time (ms), or are passed over. They do at once, unless they are hung: whoever
/// is passed over may have had writes that we lack.
const GATHER_MS: u64 = 500;
/// Replicas of different primaries that failed together ask one after the other, this far (ms) apart: a voter has one
/// vote in an epoch.
const STAGGER_MS: u64 = 250;

/// An attempt to be elected.
#[derive(Clone, Debug)]
pub(super) struct Election {
    /// When it was decided on (ms).
    begun_ms: u64,
    /// When the voters are asked (ms); `None` while our siblings are still asked for their offsets.
    ask_ms: Option<u64>,
    rank: usize,
    /// The epoch that was asked for, once that has happened.
    epoch: Option<u64>,
    /// How many votes were a majority when we asked.
    quorum: usize,
    votes: Vec<NodeId>,
    manual: bool,
}

impl Member {
    /// An unsuccessful attempt ends after this time (ms).
    fn election_timeout_ms(&self) -> u64 {
        (self.data.settings.node_timeout_ms * 2).max(2000)
    }

    /// When the election wants to be looked at again.
    pub(super) fn election_wake(&self, now: u64) -> Option<u64> {
        let election = self.election.as_ref()?;
        let at = match (election.ask_ms, election.epoch) {
            (None, _) => election.begun_ms + GATHER_MS,
            (Some(at), None) => at,
            (Some(_), Some(_)) => return None,
        };
        Some(at.max(now))
    }

    /// Goes on with the election, or begins one, or gives it up.
    pub(super) fn run_election(&mut self, turn: &mut Turn<'_>) {
        let manual = self.manual_ready();
        let Some(primary) = self.may_stand(turn, manual) else {
            self.election = None;
            return;
        };
        let over = self.election_timeout_ms();
        let stale = |election: &Election| {
            let asked = election.ask_ms.unwrap_or(election.begun_ms);
            // Voters that have voted for a replica of this primary vote for another one after two node timeouts: counted
            // from the last that asked, so that candidates do not split the votes again and again.
            let since = turn.now.saturating_sub(asked.max(self.rival_asked_ms));
            since > over + 500 || election.manual != manual
        };
        if self.election.as_ref().is_none_or(stale) {
            self.begin_election(turn, primary, manual);
        }
        self.schedule(turn, primary);
        self.ask(turn, primary, over);
        self.count(turn, primary);
    }

    /// A replica has asked for votes.
    pub(super) fn heard_rival(&mut self, turn: &Turn<'_>, candidate: NodeIndex) {
        if self.node(candidate).primary.is_some() && self.node(candidate).primary == self.data.me().primary {
            self.rival_asked_ms = turn.now;
        }
    }

    /// Our primary, if we may take its place now.
    fn may_stand(&self, turn: &Turn<'_>, manual: bool) -> Option<NodeIndex> {
        let primary = self.data.me().primary?;
        let settings = &self.data.settings;
        let failed = self.flags(primary).contains(NodeFlags::FAIL);
        let wanted = manual || (failed && !settings.replica_no_failover);
        if !wanted || self.peer(primary).slot_count == 0 {
            return None;
        }
        (manual || self.data_is_fresh(turn)).then_some(primary)
    }

    /// A replica that lost its primary long before the others did has old data.
    fn data_is_fresh(&self, turn: &Turn<'_>) -> bool {
        let settings = &self.data.settings;
        if settings.replica_validity_factor == 0 {
            return true;
        }
        let since = match turn.facts.primary_link {
            PrimaryLink::Up { last_io_ms } => last_io_ms,
            PrimaryLink::Down { since_ms } => since_ms,
            // Without any data of its primary it has nothing to offer.
            PrimaryLink::Never | PrimaryLink::None => return false,
        };
        let age = turn.now.saturating_sub(since);
        let age = age.saturating_sub(settings.node_timeout_ms);
        age <= settings.repl_ping_period_ms + settings.node_timeout_ms * settings.replica_validity_factor
    }

    fn begin_election(&mut self, turn: &mut Turn<'_>, primary: NodeIndex, manual: bool) {
        self.election = Some(Election {
            begun_ms: turn.now,
            ask_ms: manual.then_some(turn.now),
            rank: 0,
            epoch: None,
            quorum: 0,
            votes: Vec::new(),
            manual,
        });
        if manual {
            return;
        }
        let siblings: Vec<NodeIndex> = self.rivals(primary).collect();
        for sibling in siblings {
            // The ping tells our offset, its pong theirs.
            self.ping(turn, sibling, Heartbeat::Ping);
        }
    }

    /// Replicas of our primary that might take its place as well.
    fn rivals(&self, primary: NodeIndex) -> impl Iterator<Item = NodeIndex> + '_ {
        let unfit = DOWN | NodeFlags::NOFAILOVER;
        self.replicas_of(primary)
            .filter(move |index| *index != self.data.myself && !self.flags(*index).intersects(unfit))
    }

    /// How many siblings have more of the stream than we.
    fn rank(&self, turn: &Turn<'_>, primary: NodeIndex) -> usize {
        self.rivals(primary)
            .filter(|rival| self.offset(*rival) > turn.facts.offset)
            .count()
    }

    /// Whether nobody has a better claim: more of the stream, or as much and a smaller name.
    fn is_best(&self, turn: &Turn<'_>, primary: NodeIndex) -> bool {
        let mine = (turn.facts.offset, std::cmp::Reverse(self.data.me().id));
        self.rivals(primary)
            .all(|rival| mine > (self.offset(rival), std::cmp::Reverse(self.node(rival).id)))
    }

    /// Decides when to ask, as soon as the siblings' offsets are known; and later, if one of them turns out to be ahead.
    fn schedule(&mut self, turn: &mut Turn<'_>, primary: NodeIndex) {
        let Some(mut election) = self.election.take() else {
            return;
        };
        if election.epoch.is_none() && !election.manual {
            let rank = self.rank(turn, primary);
            match election.ask_ms {
                None => {
                    let told = self
                        .rivals(primary)
                        .all(|rival| self.peer(rival).offset_ms >= election.begun_ms);
                    if told || turn.now >= election.begun_ms + GATHER_MS {
                        let delay = self.delay_ms(turn, primary, rank);
                        election.ask_ms = Some(turn.now + delay);
                        election.rank = rank;
                        turn.notice(format!(
                            "Start of election delayed for {delay} milliseconds (rank #{rank}, offset {}).",
                            turn.facts.offset
                        ));
                    }
                }
                Some(at) if rank > election.rank => {
                    let added = (rank - election.rank) as u64 * 1000;
                    election.ask_ms = Some(at + added);
                    election.rank = rank;
                    turn.notice(format!(
                        "Replica rank updated to #{rank}, added {added} milliseconds of delay."
                    ));
                }
                Some(_) => {}
            }
        }
        self.election = Some(election);
    }

    /// Stock waits for half a second and more, so that all voters hear of the failure, and its random part keeps rivals
    /// apart. We tell the voters ourselves, on the link by which we ask; so the best replica need not wait, unless some
    /// other primary seems to be down as well: its verdict may be a matter of milliseconds then, and its replica asks.
    fn delay_ms(&mut self, turn: &Turn<'_>, primary: NodeIndex, rank: usize) -> u64 {
        let ahead = self
            .known()
            .filter(|other| *other != primary && self.is_voter(*other))
            .filter(|other| self.flags(*other).intersects(DOWN) || self.is_silent(*other, turn.now))
            .filter(|other| self.node(*other).id < self.node(primary).id)
            .filter(|other| self.working_replicas(*other) > 0)
            .count() as u64;
        let own = match self.is_best(turn, primary) {
            true => 0,
            false => 500 + self.rng.next_u64() % 500 + rank as u64 * 1000,
        };
        own + ahead * STAGGER_MS
    }

    /// Half of the time is over in which it must answer.
    fn is_silent(&self, index: NodeIndex, now: u64) -> bool {
        let asked = self.ping_ms(index);
        let quiet_since = asked.max(self.peer(index).data_ms);
        asked != 0 && now.saturating_sub(quiet_since) > self.data.settings.node_timeout_ms / 2
    }

    /// Asks all for their votes, when it is time.
    fn ask(&mut self, turn: &mut Turn<'_>, primary: NodeIndex, over: u64) {
        let quorum = self.quorum();
        let Some(election) = &mut self.election else {
            return;
        };
        let due = election
            .ask_ms
            .is_some_and(|at| at <= turn.now && turn.now - at <= over);
        if !due || election.epoch.is_some() {
            return;
        }
        let manual = election.manual;
        self.data.current_epoch = self.data.current_epoch.saturating_add(1);
        election.epoch = Some(self.data.current_epoch);
        election.quorum = quorum;
        turn.changed(Save::Synced);
        turn.notice(format!(
            "Starting a failover election for epoch {}.",
            self.data.current_epoch
        ));
        // Ahead on the same links: a voter that takes us for a primary still, or for another's replica, denies its vote.
        self.announce_myself(turn);
        let header = self.header(turn);
        if self.flags(primary).contains(NodeFlags::FAIL) {
            // Whoever has not heard of it yet would deny its vote.
            let message = Message {
                header: header.clone(),
                body: Body::Fail(self.node(primary).id),
            };
            self.broadcast(turn, message);
        }
        let message = Message {
            header: Header {
                force_ack: manual,
                ..header
            },
            body: Body::AuthRequest,
        };
        self.broadcast(turn, message);
    }

    /// A vote for us. It counts if it comes from a primary with slots that is as far as the election.
    pub(super) fn got_vote(&mut self, _turn: &mut Turn<'_>, voter: NodeIndex, header: &Header) {
        let (valid, id) = (self.is_voter(voter), self.node(voter).id);
        if let Some(election) = &mut self.election
            && let Some(epoch) = election.epoch
            && valid
            && header.current_epoch >= epoch
            && !election.votes.contains(&id)
        {
            election.votes.push(id);
        }
    }

    fn count(&mut self, turn: &mut Turn<'_>, primary: NodeIndex) {
        let quorum = self.quorum();
        let won = self
            .election
            .as_ref()
            .filter(|election| election.votes.len() >= quorum.max(election.quorum))
            .and_then(|election| election.epoch);
        if let Some(epoch) = won {
            turn.warn("Failover election won: I'm the new master.".into());
            if self.data.me().epoch < epoch {
                self.data.myself_mut().epoch = epoch;
                turn.warn(format!("configEpoch set to {epoch} after successful failover"));
            }
            self.take_over(turn, primary);
        }
    }

    /// Takes our primary's place: its slots are ours, under our epoch, and everybody is told.
    pub(super) fn take_over(&mut self, turn: &mut Turn<'_>, primary: NodeIndex) {
        let myself = self.data.myself;
        self.set_as_primary(turn, myself);
        let slots = self.peer(primary).slots.clone();
        for slot in slots.slots() {
            self.set_owner(slot, Some(myself));
        }
        self.election = None;
        self.end_manual(turn);
        turn.changed(Save::Synced);
        self.announce_myself(turn);
    }
}
