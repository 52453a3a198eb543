//! The open loop: operations are taken up when they are due, whatever the servers do.
//!
//! An operation that is due goes to its connection at once. If that has as many outstanding as `--pipeline` allows, or
//! is down, the operation waits in front of it with the time at which it was due, and holds up no other connection;
//! when slots change hands, what waits moves on to the new owner. Nothing of the schedule is ever dropped: what is not
//! sent by the end of the round is counted as missed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::super::client::Pace;
use super::super::connection::{ALONE, Sent};
use super::Worker;
use super::stage::Stage;
use super::trouble::UNANSWERED;

/// Operations that wait in one thread, at most: some hundred megabytes of them. Further ones are missed.
const MOST_WAITING: u64 = 4_000_000;

/// When the next operation of each client is due.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    due: BinaryHeap<Reverse<(u64, u32)>>,
    /// Zero of the arrivals, on the clock of the round.
    base_ns: u64,
    /// Operations that wait in front of a connection.
    pub waiting: u64,
    /// Measured operations taken up so far.
    pub scheduled: u64,
    /// Those of them that were never sent.
    pub missed: u64,
}

impl Agenda {
    /// When the next operation is due.
    #[inline]
    pub fn next_ns(&self) -> u64 {
        self.due.peek().map_or(u64::MAX, |&Reverse((due_ns, _))| due_ns)
    }
}

impl Worker<'_> {
    /// Makes the agenda of a part of the round, which begins at `base_ns`.
    pub(super) fn plan_arrivals(&mut self, base_ns: u64) {
        self.agenda.due.clear();
        self.agenda.base_ns = base_ns;
        for client in 0..self.clients.len() as u32 {
            self.plan_next(client);
        }
    }

    fn plan_next(&mut self, client: u32) {
        let measuring = self.stage == Stage::Measuring;
        let arrivals = self.clients[client as usize]
            .pace
            .as_mut()
            .map(|Pace { warmup, measured }| if measuring { measured } else { warmup });
        if let Some(next_ns) = arrivals.and_then(|arrivals| arrivals.next_ns()) {
            let due_ns = self.agenda.base_ns.saturating_add(next_ns);
            self.agenda.due.push(Reverse((due_ns, client)));
        }
    }

    /// Sends every operation that was due at `until_ns` or before.
    pub(super) fn issue_due(&mut self, until_ns: u64) {
        while self.agenda.next_ns() <= until_ns
            && let Some(Reverse((due_ns, client))) = self.agenda.due.pop()
        {
            let entry = &mut self.clients[client as usize];
            let (op, measured) = match self.stage {
                Stage::WarmingUp => (entry.warmup.as_mut().map(|stream| stream.next_op()), false),
                Stage::Measuring => (entry.source.next(), true),
                Stage::Connecting | Stage::Draining => return,
            };
            // A client whose operations are used up has nothing on its agenda any more.
            let Some(op) = op else { continue };
            self.plan_next(client);
            if measured {
                self.agenda.scheduled += 1;
                self.recorder
                    .record_delay(self.job.clock.now_ns().saturating_sub(due_ns));
            }
            if self.agenda.waiting >= MOST_WAITING {
                self.agenda.missed += u64::from(measured);
                continue;
            }
            self.clients[client as usize].outstanding += 1;
            self.under_way += 1;
            self.start(client, op, measured, due_ns);
        }
    }

    /// Sends what waits in front of a connection, as far as its window has room.
    pub(super) fn pump(&mut self, number: usize) {
        loop {
            let connection = &mut self.connections[number];
            if !connection.is_ready() || connection.due.len() >= self.job.window as usize {
                return;
            }
            let Some(sent) = connection.waiting.pop_front() else {
                return;
            };
            self.agenda.waiting -= 1;
            if sent.group != ALONE {
                self.job.workload.split(&sent.op, &mut self.parts);
            }
            self.push(number, sent);
        }
    }

    /// Whether a command has to wait in front of this connection; if so, it does.
    #[inline]
    pub(super) fn must_wait(&mut self, number: usize, sent: Sent) -> bool {
        if !self.job.open_loop {
            return false;
        }
        let connection = &mut self.connections[number];
        let has_room = connection.is_ready()
            && connection.waiting.is_empty()
            && connection.due.len() < self.job.window as usize;
        if !has_room {
            connection.waiting.push_back(sent);
            self.agenda.waiting += 1;
        }
        !has_room
    }

    /// Moves what waits in front of connections to the owners that the slots have now.
    pub(super) fn reroute_waiting(&mut self) {
        if self.agenda.waiting == 0 {
            return;
        }
        for number in 0..self.connections.len() {
            let node = self.connections[number].node;
            let moved = |sent: &Sent| self.routes.owner(sent.slot) != node;
            if !self.connections[number].waiting.iter().any(moved) {
                continue;
            }
            let client = self.connections[number].client;
            let waiting = std::mem::take(&mut self.connections[number].waiting);
            self.agenda.waiting -= waiting.len() as u64;
            for sent in waiting {
                self.send(client, sent);
            }
        }
    }

    /// At the end of a round: what still waits has been missed.
    pub(super) fn give_up_waiting(&mut self, now_ns: u64) {
        for number in 0..self.connections.len() {
            let (client, node) = (self.connections[number].client, self.connections[number].node);
            for sent in std::mem::take(&mut self.connections[number].waiting) {
                if sent.group == ALONE {
                    self.agenda.missed += u64::from(sent.measured);
                    self.clients[client as usize].outstanding -= 1;
                    self.under_way -= 1;
                } else {
                    self.part_done(client, node, sent, now_ns, Some(UNANSWERED));
                }
            }
        }
        self.agenda.waiting = 0;
    }
}
