//! Replies that are not simply the end of an operation: redirects, errors, parts, handshakes.
//!
//! An operation that is redirected or retried stays one operation, timed from its first byte, and keeps its place in
//! the window. One that fails is counted by class, and is in no histogram.

use slotcore::redirect::{self, ErrorClass, Redirect};

use super::super::connection::{ALONE, Kind, Sent, WHOLE};
use super::super::plan::HostPort;
use super::super::routes::NodeNo;
use super::super::timers::Task;
use super::super::writes::NO_TICKET;
use super::Worker;
use super::sequel::ReplyClass;
use super::stage::Stage;

/// After so many redirects and retries the operation has failed.
const MAX_HOPS: u8 = 32;
/// Before a TRYAGAIN is tried again: slots move key by key, and one more key is there soon.
const RETRY_NS: u64 = 2_000_000;

/// The connection broke, or could not be made.
pub(super) const CONNECTION: &str = "CONNECTION";
/// No reply came before the end of the run, and the time after it that is given to late ones.
/// No answer within the time limit of an operation.
pub(super) const TIMEOUT: &str = "TIMEOUT";
pub(super) const UNANSWERED: &str = "UNANSWERED";
/// Sent around in circles.
const REDIRECTS: &str = "REDIRECTS";

/// A reply that needs a closer look.
#[derive(Debug)]
pub(super) struct Trouble {
    pub sent: Sent,
    pub client: u32,
    pub node: NodeNo,
    pub connection: usize,
    pub error: Option<Vec<u8>>,
    pub reply: ReplyClass,
    pub now_ns: u64,
}

impl Worker<'_> {
    pub(super) fn settle_troubles(&mut self) {
        let mut troubles = std::mem::take(&mut self.troubles);
        for trouble in troubles.drain(..) {
            match trouble.sent.kind {
                Kind::Op => self.settle(trouble),
                Kind::Handshake => self.on_handshake(&trouble),
                // What ASKING says does not matter: the reply to the command behind it tells all.
                Kind::Asking | Kind::Wait => {}
            }
        }
        self.troubles = troubles;
    }

    fn on_handshake(&mut self, trouble: &Trouble) {
        let Some(error) = &trouble.error else {
            let connection = &mut self.connections[trouble.connection];
            connection.handshake_due = connection.handshake_due.saturating_sub(1);
            self.pump(trouble.connection);
            return;
        };
        let text = format!("the server says: {}", String::from_utf8_lossy(error));
        // A server that starts or fails over gets there; one that does not want us will not want us later.
        let passing = is_topology_trouble(redirect::classify(error));
        if self.stage == Stage::Connecting && !passing {
            self.fatal = Some(format!("{}: {text}", self.routes.nodes()[trouble.node].at));
        }
        self.on_broken(trouble.connection, &text);
    }

    fn settle(&mut self, trouble: Trouble) {
        let Trouble {
            sent,
            client,
            node,
            now_ns,
            error,
            reply,
            ..
        } = trouble;
        let Some(error) = error else {
            if sent.group != ALONE && sent.part == 0 {
                self.groups.replied(sent.group, reply);
            }
            self.part_done(client, node, sent, now_ns, None);
            return;
        };
        let redirect = redirect::parse(&error);
        if (redirect.is_some() || redirect::classify(&error) == ErrorClass::TryAgain) && sent.hops >= MAX_HOPS
        {
            self.job.scout.request(None);
            self.part_done(client, node, sent, now_ns, Some(REDIRECTS));
            return;
        }
        let again = Sent {
            hops: sent.hops + 1,
            ..sent
        };
        match (redirect, redirect::classify(&error)) {
            (Some(redirect @ Redirect::Moved { slot, port, .. }), _) => {
                self.tally.moved += u64::from(sent.measured);
                let host = redirect.dial_host(&self.routes.nodes()[node].at.host).to_owned();
                let target = self.routes.learn(slot, &host, port);
                self.job.scout.request(Some(HostPort::new(host, port)));
                self.send_to(client, target, again);
            }
            (Some(redirect @ Redirect::Ask { port, .. }), _) => {
                self.tally.ask += u64::from(sent.measured);
                let host = redirect.dial_host(&self.routes.nodes()[node].at.host).to_owned();
                let target = self.routes.node_at(&host, port);
                self.ask(client, target, again);
            }
            (None, ErrorClass::TryAgain) => {
                self.tally.retries += u64::from(sent.measured);
                self.timers.add(now_ns + RETRY_NS, Task::Resend(client, again));
            }
            (None, ErrorClass::NoScript) if self.may_send_whole(&sent) => {
                self.tally.unknown_scripts += u64::from(sent.measured);
                self.send_to(client, node, Sent { part: WHOLE, ..again });
            }
            (None, class) => {
                if is_topology_trouble(class) {
                    self.job.scout.request(None);
                }
                self.part_done(client, node, sent, now_ns, Some(class.name()));
            }
        }
    }

    /// Whether a script that the server does not know is sent in full next.
    fn may_send_whole(&self, sent: &Sent) -> bool {
        let has_script = |command: &workloads::Command| command.script().is_some();
        let command = self.job.workload.commands().get(sent.op.command());
        sent.group == ALONE && sent.part != WHOLE && command.is_some_and(has_script)
    }

    /// A command has ended, well or with an error of this class; with it its operation, unless that has more parts.
    pub(super) fn part_done(
        &mut self,
        client: u32,
        node: NodeNo,
        sent: Sent,
        now_ns: u64,
        error: Option<&'static str>,
    ) {
        self.recorder.advance(now_ns);
        if sent.measured && error.is_none() {
            self.recorder.count_slot(sent.slot);
        }
        let (start_ns, error, reply) = if sent.group == ALONE {
            (sent.start_ns, error, ReplyClass::default())
        } else {
            match self.groups.part_done(sent.group, sent.start_ns, error) {
                Some(ended) => (ended.start_ns, ended.error, ended.reply),
                None => return,
            }
        };
        if error.is_none() && sent.ticket != NO_TICKET {
            self.acknowledge(&sent, now_ns);
        }
        self.clients[client as usize].outstanding -= 1;
        self.under_way -= 1;
        self.note_room(client);
        if !sent.measured {
            return;
        }
        match error {
            None => {
                self.succeed(&sent, node, start_ns, now_ns);
                self.count_reply(&sent, reply);
            }
            Some(class) => {
                if let Some(shards) = &mut self.shards {
                    shards.failed(sent.slot, self.job.workload.is_write(&sent.op), now_ns);
                }
                self.recorder.count_error(class);
                self.tally.errors += 1;
            }
        }
    }
}

/// Errors that a newer slot map may put right.
fn is_topology_trouble(class: ErrorClass) -> bool {
    matches!(
        class,
        ErrorClass::ClusterDown
            | ErrorClass::ReadOnly
            | ErrorClass::Loading
            | ErrorClass::MasterDown
            | ErrorClass::Moved
    )
}
