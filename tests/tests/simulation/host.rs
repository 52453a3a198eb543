//! What a host does for its member: steps it when something happened, and carries out what it wants, in order.

use slotcore::topology::NodeFlags;
use slotmark_server::cluster::message::{Body, Message};
use slotmark_server::cluster::protocol::{Effects, Facts, Input, LinkId, Member, Save};

use super::judge::{Cause, Standing};
use super::node::CrashPoint;
use super::queue::Event;
use super::world::World;

/// So many ticks at one moment are no progress: a real host would burn a core.
const SPINS: u32 = 20;

impl World {
    /// Something happens to a node; if its process is stopped, that waits.
    pub fn input(&mut self, at: usize, input: Input) {
        let node = &mut self.nodes[at];
        if node.member.is_none() {
            return;
        }
        if node.stopped > 0 {
            node.inbox.push_back(input);
            return;
        }
        if self.trace.verbose && !matches!(input, Input::Tick | Input::Received { .. }) {
            self.note(|_| format!("    {at} <= {input:?}"));
        }
        let cause = match &input {
            Input::Received { message, .. } => {
                let cause = Cause::of(message);
                self.heard(at, message);
                cause
            }
            _ => Cause::Other,
        };
        self.act(at, cause, |member, now, facts, out| {
            member.step(now, facts, input, out)
        });
    }

    /// A node does something: takes an input in, or a command.
    pub fn act<T>(
        &mut self,
        at: usize,
        cause: Cause,
        run: impl FnOnce(&mut Member, u64, Facts, &mut Effects) -> T,
    ) -> Option<T> {
        let now = self.clock(at);
        let facts = self.facts(at);
        let mut out = Effects::default();
        let member = self.nodes[at].member.as_mut()?;
        let before = Standing::of(member.data());
        let outcome = run(member, now, facts, &mut out);
        let after = Standing::of(member.data());
        self.trace.steps += 1;
        self.trace.add(self.now << 8 | at as u64);
        self.judge_step(at, cause, before, after, &out);
        self.carry_out(at, out);
        self.set_wake(at);
        Some(outcome)
    }

    fn carry_out(&mut self, at: usize, out: Effects) {
        for (_, text) in out.log {
            self.trace.add_text(&text);
            self.note(|_| format!("  [{at}] {text}"));
        }
        let crash = match out.save {
            Save::Synced => self.nodes[at].crash.take(),
            _ => None,
        };
        if crash == Some(CrashPoint::BeforeSave) {
            return self.crash(at);
        }
        // A lazy save is written at some time, or never if the process dies first.
        let written = out.save == Save::Synced || (out.save == Save::Lazy && self.chance.one_in(4));
        let node = &mut self.nodes[at];
        if written {
            node.disk = node.data().cloned();
        }
        if crash == Some(CrashPoint::AfterSave) {
            return self.crash(at);
        }
        if let Some(role) = out.role {
            node.side.change(role, self.now);
        }
        if let Some(until) = out.pause_writes_until {
            node.side.paused_until = until;
        }
        for link in out.close {
            if let Some((conn, side)) = self.nodes[at].links.get(&link).copied() {
                self.close(conn, side);
            }
        }
        for dial in out.dial {
            if self.trace.verbose {
                self.note(|_| format!("    {at} {dial:?}"));
            }
            self.dial(at, dial.link, &dial.ip);
        }
        for (link, message) in out.send {
            self.post(at, link, message);
        }
    }

    fn post(&mut self, at: usize, link: LinkId, message: std::sync::Arc<Message>) {
        let Some((conn, side)) = self.nodes[at].links.get(&link).copied() else {
            return;
        };
        let to = self.net.conns[conn].ends[1 - side].node;
        self.trace.add(message.header.current_epoch << 8 | to as u64);
        if self.trace.verbose {
            let text = describe(&message);
            self.note(|_| format!("    {at} -> {to} {text}"));
        }
        self.judge_message(at, to, &message);
        self.put_in(conn, 1 - side, super::net::Item::Message(message));
    }

    /// The process dies in the middle of a step, and starts again soon.
    fn crash(&mut self, at: usize) {
        self.kill(at, false);
        let after = self.chance.between(5, self.shape.timeout_ms);
        self.later(after, super::faults::Undo::Start(at, true));
    }

    /// Has the node woken when its member wants it.
    pub fn set_wake(&mut self, at: usize) {
        let node = &self.nodes[at];
        let Some(member) = &node.member else { return };
        let deadline = member
            .deadline()
            .saturating_add_signed(-node.skew_ms)
            .max(self.now);
        if node.wake_at.is_none_or(|wake| wake > deadline || wake < self.now) {
            self.nodes[at].wake_at = Some(deadline);
            self.queue.put(deadline, Event::Wake { node: at });
        }
    }

    pub fn wake(&mut self, at: usize) {
        let clock = self.clock(at);
        let now = self.now;
        let node = &mut self.nodes[at];
        if node.wake_at != Some(now) {
            return;
        }
        node.wake_at = None;
        let Some(member) = &node.member else { return };
        if node.stopped > 0 {
            return;
        }
        if member.deadline() > clock {
            return self.set_wake(at);
        }
        node.spins += 1;
        let spins = node.spins;
        self.input(at, Input::Tick);
        let clock = self.clock(at);
        let node = &mut self.nodes[at];
        if node
            .member
            .as_ref()
            .is_none_or(|member| member.deadline() > clock)
        {
            node.spins = 0;
        } else if spins > SPINS {
            self.fail(format!(
                "node {at} wants to be woken again and again at one moment"
            ));
        }
    }

    /// A stopped process goes on: what came in meanwhile is there, and so is its deadline.
    pub fn resume(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        node.stopped -= 1;
        if node.stopped > 0 || node.member.is_none() {
            return;
        }
        node.side.skip_to(self.now);
        if self.chance.one_in(2) {
            self.input(at, Input::Tick);
        }
        while self.nodes[at].stopped == 0
            && let Some(input) = self.nodes[at].inbox.pop_front()
        {
            self.input(at, input);
        }
        self.nodes[at].wake_at = None;
        self.set_wake(at);
    }
}

fn describe(message: &Message) -> String {
    let header = &message.header;
    let (what, more) = match &message.body {
        Body::Heartbeat { kind, gossip, .. } => {
            let down = NodeFlags::PFAIL | NodeFlags::FAIL;
            let down: Vec<String> = gossip
                .iter()
                .filter(|entry| entry.flags.intersects(down))
                .map(|entry| entry.node.to_string()[..6].to_owned())
                .collect();
            (format!("{kind:?}"), format!("down: {down:?}"))
        }
        Body::Fail(id) => ("Fail".into(), id.to_string()[..6].to_owned()),
        Body::Update {
            config_epoch,
            node,
            slots,
        } => (
            "Update".into(),
            format!("{} e{config_epoch} {slots:?}", &node.to_string()[..6]),
        ),
        other => (format!("{other:?}"), String::new()),
    };
    format!(
        "{what} of {} {:?} epochs {}/{} {:?} offset {} {more}",
        &header.sender.to_string()[..6],
        header.flags,
        header.current_epoch,
        header.config_epoch,
        header.slots,
        header.offset
    )
}
