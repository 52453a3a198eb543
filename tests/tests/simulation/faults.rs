//! What goes wrong, drawn from the seed, and how each fault ends.

use std::collections::BTreeMap;

use slotmark_server::cluster::protocol::CloseReason;

use super::node::CrashPoint;
use super::queue::Event;
use super::world::World;

/// How a fault ends.
#[derive(Clone, Debug)]
pub enum Undo {
    /// The process starts again, with its nodes.conf or without.
    Start(usize, bool),
    Resume(usize),
    /// These ways are open again.
    Unblock(Vec<(usize, usize)>),
    Unstall(usize, usize),
    Unslow(usize, usize, u64),
}

#[derive(Default)]
pub struct Faults {
    /// Faults that have not ended, by number.
    pending: BTreeMap<u64, Undo>,
    next: u64,
    /// Until when new faults begin.
    until: u64,
    pub struck: u64,
    /// When all was well again.
    pub healed_at: u64,
}

impl World {
    /// Plans the end of a fault.
    pub fn later(&mut self, after_ms: u64, undo: Undo) {
        self.faults.next += 1;
        let number = self.faults.next;
        self.faults.pending.insert(number, undo);
        self.queue.put(self.now + after_ms, Event::Undo(number));
    }

    pub fn undo_number(&mut self, number: u64) {
        if let Some(undo) = self.faults.pending.remove(&number) {
            self.undo(undo);
        }
    }

    /// Everything is well again.
    pub fn heal(&mut self) {
        self.note(|_| "all faults end".into());
        self.faults.until = self.now;
        self.faults.healed_at = self.now;
        for undo in std::mem::take(&mut self.faults.pending).into_values() {
            self.undo(undo);
        }
        for at in 0..self.nodes.len() {
            self.nodes[at].crash = None;
            self.start(at, true);
        }
    }

    pub fn undo(&mut self, undo: Undo) {
        self.note(|_| format!("ends: {undo:?}"));
        match undo {
            Undo::Start(at, keep_conf) => self.start(at, keep_conf),
            Undo::Resume(at) => self.resume(at),
            Undo::Unblock(ways) => {
                for (from, to) in ways {
                    self.net.blocked[from][to] -= 1;
                }
                self.unstick();
            }
            Undo::Unstall(conn, to) => {
                self.net.conns[conn].stalled[to] -= 1;
                self.unstick();
            }
            Undo::Unslow(from, to, ms) => self.net.slowed[from][to] -= ms,
        }
    }

    /// Faults begin at random from now on.
    pub fn strike_for(&mut self, ms: u64) {
        self.faults.until = self.now + ms;
        self.queue.put(self.now, Event::Strike);
    }

    pub fn strike_and_go_on(&mut self) {
        if self.now >= self.faults.until {
            return;
        }
        self.faults.struck += 1;
        match self.chance.one_in(4) {
            true => self.draw_task(),
            false => self.strike(),
        }
        let pause = self.chance.between(1, 2 * self.shape.timeout_ms);
        self.queue.put(self.now + pause, Event::Strike);
    }

    /// How long a fault lasts: often about as long as the limits that decide, sometimes much longer.
    fn duration(&mut self) -> u64 {
        let timeout = self.shape.timeout_ms;
        match self.chance.below(4) {
            0 => self.chance.between(1, timeout),
            1 | 2 => self.chance.between(timeout / 2, 3 * timeout),
            _ => self.chance.between(timeout, 8 * timeout),
        }
    }

    fn strike(&mut self) {
        let count = self.nodes.len();
        let at = self.chance.index(count);
        let lasts = self.duration();
        match self.chance.below(14) {
            0 | 1 => self.strike_down(at, false, lasts),
            2 => self.strike_down(at, true, lasts),
            3 | 4 => self.stop(at, lasts),
            5 => self.partition(lasts),
            6 => self.isolate(at, lasts),
            7 => {
                let other = self.chance.index(count);
                self.block(vec![(at, other)], lasts);
            }
            8 | 9 => self.cut(),
            10 => self.stall(lasts),
            11 => self.slow(at, lasts),
            12 => self.step_clock(at),
            _ => {
                // Whoever votes or is elected next dies over it.
                let point = self.chance.pick(&[CrashPoint::BeforeSave, CrashPoint::AfterSave]);
                for node in &mut self.nodes {
                    node.crash = point;
                }
                self.note(|_| format!("every node dies at its next synced save: {point:?}"));
            }
        }
    }

    pub fn strike_down(&mut self, at: usize, machine: bool, lasts: u64) {
        // Two primaries at once now and then.
        let mut victims = vec![at];
        if self.chance.one_in(4) {
            victims.push(self.chance.index(self.nodes.len()));
        }
        for victim in victims {
            if self.nodes[victim].member.is_some() {
                self.kill(victim, machine);
                let keep_conf = !self.chance.one_in(12);
                self.later(lasts, Undo::Start(victim, keep_conf));
            }
        }
    }

    pub fn stop(&mut self, at: usize, lasts: u64) {
        self.note(|_| format!("node {at} is stopped for {lasts} ms"));
        self.nodes[at].stopped += 1;
        self.later(lasts, Undo::Resume(at));
    }

    pub fn block(&mut self, ways: Vec<(usize, usize)>, lasts: u64) {
        self.note(|_| format!("for {lasts} ms blocked: {ways:?}"));
        for (from, to) in &ways {
            self.net.blocked[*from][*to] += 1;
        }
        self.later(lasts, Undo::Unblock(ways));
    }

    /// Two sides; some way from one to the other stays open at times.
    fn partition(&mut self, lasts: u64) {
        let sides: Vec<bool> = self.nodes.iter().map(|_| false).collect();
        let sides: Vec<bool> = sides.iter().map(|_| self.chance.one_in(2)).collect();
        let one_way = self.chance.one_in(3);
        let count = self.nodes.len();
        let ways = (0..count)
            .flat_map(|from| (0..count).map(move |to| (from, to)))
            .filter(|(from, to)| sides[*from] != sides[*to] && (!one_way || sides[*from]))
            .collect();
        self.block(ways, lasts);
    }

    pub fn isolate(&mut self, at: usize, lasts: u64) {
        let ways = (0..self.nodes.len())
            .filter(|other| *other != at)
            .flat_map(|other| [(at, other), (other, at)])
            .collect();
        self.block(ways, lasts);
    }

    /// A connection ends for both ends, or for one of them while the other does not notice.
    fn cut(&mut self) {
        let working = self.working();
        let Some(conn) = self.chance.pick(&working) else {
            return;
        };
        let side = self.chance.index(2);
        let both = self.chance.one_in(2);
        self.note(|world| {
            let [a, b] = &world.net.conns[conn].ends;
            format!(
                "the connection from {} to {} is cut for {}",
                a.node,
                b.node,
                if both { "both" } else { "one" }
            )
        });
        self.end_closed(conn, side, CloseReason::Reset);
        if both {
            self.end_closed(conn, 1 - side, CloseReason::Reset);
        }
    }

    fn stall(&mut self, lasts: u64) {
        let working = self.working();
        let Some(conn) = self.chance.pick(&working) else {
            return;
        };
        let to = self.chance.index(2);
        self.note(|world| {
            let ends = &world.net.conns[conn].ends;
            format!(
                "a connection from {} to {} stalls for {lasts} ms",
                ends[1 - to].node,
                ends[to].node
            )
        });
        self.net.conns[conn].stalled[to] += 1;
        self.later(lasts, Undo::Unstall(conn, to));
    }

    fn slow(&mut self, at: usize, lasts: u64) {
        let other = self.chance.index(self.nodes.len());
        let ms = self.chance.below(self.shape.timeout_ms);
        self.note(|_| format!("from {at} to {other} everything takes {ms} ms more for {lasts} ms"));
        self.net.slowed[at][other] += ms;
        self.later(lasts, Undo::Unslow(at, other, ms));
    }

    fn step_clock(&mut self, at: usize) {
        let by = self.chance.below(600) as i64 - 300;
        self.note(|_| format!("the clock of node {at} steps by {by} ms"));
        self.nodes[at].skew_ms += by;
        self.nodes[at].wake_at = None;
        self.set_wake(at);
    }
}
