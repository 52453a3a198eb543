//! What a reply was, what follows it, and what clients hold meanwhile.
//!
//! An operation whose entry has `then` is followed by another on its key, a while after its reply. In a closed loop that
//! one keeps the place of the first in its client's window; in an open loop it is one more operation of the schedule, due
//! when the while is over. Where the entry `holds` its key, both times are kept for the audit.

use std::time::Duration;

use slotcore::resp::{ReplyKind, Scanned};
use workloads::Workload;
use workloads::reply::MISS;

use super::super::connection::Sent;
use super::super::timers::Task;
use super::super::writes::NO_TICKET;
use super::Worker;

/// What is remembered of a reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct ReplyClass {
    /// The counter that it is for, from 1; 0 where nothing is counted.
    counter: u8,
    pub is_nil: bool,
    /// The key was not there.
    pub is_miss: bool,
}

impl ReplyClass {
    #[inline]
    pub(super) fn of(workload: &Workload, sent: &Sent, scanned: &Scanned<'_>) -> Self {
        let is_nil = scanned.kind == ReplyKind::Nil;
        // A preload's commands lie behind those of the mix and count nothing.
        let counters = workload.commands().get(sent.op.command());
        match counters.filter(|command| !command.counters().is_empty()) {
            None => Self {
                counter: 0,
                is_nil,
                is_miss: is_nil,
            },
            Some(command) => {
                let counter = command.counter_of(scanned.kind, scanned.line, scanned.body);
                let name = command.counters().get(counter);
                Self {
                    counter: counter as u8 + 1,
                    is_nil,
                    is_miss: name.is_some_and(|(name, _)| name == MISS),
                }
            }
        }
    }

    /// The number of the counter, if there is one.
    #[inline]
    pub fn counter(self) -> Option<usize> {
        usize::from(self.counter).checked_sub(1)
    }
}

impl Worker<'_> {
    /// Sees to it that what follows a successful operation will be sent. True if something will: then the place in the
    /// client's window is taken by that.
    #[inline]
    pub(super) fn follow(&mut self, client: u32, sent: &Sent, reply: ReplyClass, now_ns: u64) -> bool {
        if !self.has_sequels || reply.is_nil {
            return false;
        }
        self.follow_slowly(client, sent, now_ns)
    }

    fn follow_slowly(&mut self, client: u32, sent: &Sent, now_ns: u64) -> bool {
        let Some(command) = self.job.workload.commands().get(sent.op.command()) else {
            return false;
        };
        let Some((op, after)) = self.job.workload.sequel(&sent.op) else {
            return false;
        };
        let due_ns = now_ns + after.as_nanos() as u64;
        let ticket = command.holds().map_or(NO_TICKET, |most| {
            self.holds.taken(super::Taken {
                key: sent.op.key(),
                sent_ns: sent.start_ns,
                answered_ns: now_ns,
                most,
                measured: sent.measured,
            })
        });
        let next = Sent {
            op,
            start_ns: 0,
            due_ns: if self.job.open_loop { due_ns } else { 0 },
            ticket,
            part: 0,
            hops: 0,
            ..*sent
        };
        if self.job.open_loop && sent.measured {
            self.agenda.scheduled += 1;
        }
        if after == Duration::ZERO {
            self.timers.add(now_ns, Task::Resend(client, next));
        } else {
            self.timers.add(due_ns, Task::Resend(client, next));
        }
        true
    }

    /// Whether it follows another operation, so that its ticket is that of a hold.
    #[inline]
    pub(super) fn is_sequel(&self, sent: &Sent) -> bool {
        self.has_sequels && self.job.sequels.contains(&sent.op.command())
    }
}
