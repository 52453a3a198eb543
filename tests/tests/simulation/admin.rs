//! An administrator who does sensible things at bad moments, and repairs at the end what the protocol leaves to him.

use std::collections::BTreeSet;

use slotcore::topology::NodeId;
use slotcore::{SLOT_COUNT, Slot};
use slotmark_server::cluster::protocol::{FailoverKind, SetSlot};

use super::judge::Cause;
use super::queue::Event;
use super::world::World;

/// A step of an administrator's work that comes later.
#[derive(Clone, Debug)]
pub enum Task {
    /// Tell this node that the slots belong to that one, then the others.
    Assign {
        slots: Vec<Slot>,
        to: usize,
        told: Vec<usize>,
    },
    Meet {
        from: usize,
        to: usize,
    },
}

impl World {
    pub fn draw_task(&mut self) {
        let at = self.chance.index(self.nodes.len());
        if self.nodes[at].stopped > 0 || self.nodes[at].member.is_none() {
            return;
        }
        match self.chance.below(12) {
            0..=4 => {
                let kind = match self.chance.below(4) {
                    0 => FailoverKind::Force,
                    1 => FailoverKind::Takeover,
                    _ => FailoverKind::Graceful,
                };
                self.failover(at, kind);
            }
            5 | 6 => {
                // Two that ask for votes in one epoch: a voter must not give both the same one.
                let other = self.chance.index(self.nodes.len());
                for candidate in [at, other] {
                    if self.nodes[candidate].stopped == 0 {
                        self.failover(candidate, FailoverKind::Force);
                    }
                }
            }
            7 | 8 => self.move_slots(at),
            9 => {
                self.note(|_| format!("admin: BUMPEPOCH on {at}"));
                self.act(at, Cause::Command, |member, now, facts, out| {
                    member.bump_epoch(now, facts, out)
                });
            }
            10 => self.forget_and_meet(at),
            _ => self.change_primary(at),
        }
    }

    pub fn failover(&mut self, at: usize, kind: FailoverKind) {
        let done = self.act(at, Cause::Command, |member, now, facts, out| {
            member.failover(now, facts, kind, out)
        });
        self.note(|_| format!("admin: FAILOVER {kind:?} on {at}: {done:?}"));
        if done == Some(Ok(())) {
            self.nodes[at].graceful = kind == FailoverKind::Graceful;
        }
    }

    /// Some slots, or all, go from one primary to another, as redis-cli does it: the new owner is told first.
    fn move_slots(&mut self, from: usize) {
        let to = self.chance.index(self.nodes.len());
        if to == from
            || !self.nodes[from].is_primary()
            || !self.nodes[to].is_primary()
            || !self.nodes[to].runs()
        {
            return;
        }
        let owned: Vec<Slot> = match &self.nodes[from].claim {
            Some((_, slots)) => slots.slots().collect(),
            None => return,
        };
        let count = match self.chance.one_in(8) {
            true => owned.len(),
            false => 3,
        };
        let slots: Vec<Slot> = owned.into_iter().take(count).collect();
        let (source, target) = (self.nodes[from].id, self.nodes[to].id);
        self.note(|_| format!("admin: {} slots go from {from} to {to}", slots.len()));
        for slot in &slots {
            self.set_slot(to, *slot, SetSlot::Importing(source.as_bytes().to_vec()));
            self.set_slot(from, *slot, SetSlot::Migrating(target.as_bytes().to_vec()));
        }
        let all = slots
            .iter()
            .all(|slot| self.set_slot(to, *slot, SetSlot::Node(target.as_bytes().to_vec())));
        if !all {
            for slot in &slots {
                self.set_slot(to, *slot, SetSlot::Stable);
                self.set_slot(from, *slot, SetSlot::Stable);
            }
        }
        self.judge.moved.extend(&slots);
        let mut told: Vec<usize> = (0..self.nodes.len())
            .filter(|at| *at != to && *at != from)
            .collect();
        told.push(from);
        if all {
            let after = self.chance.below(50);
            self.queue
                .put(self.now + after, Event::Admin(Task::Assign { slots, to, told }));
        }
    }

    fn set_slot(&mut self, at: usize, slot: Slot, set: SetSlot) -> bool {
        if self.nodes[at].stopped > 0 {
            return false;
        }
        let done = self.act(at, Cause::Command, |member, now, facts, out| {
            member.set_slot(now, facts, slot, set, 0, out)
        });
        matches!(done, Some(Ok(())))
    }

    pub fn work(&mut self, task: Task) {
        match task {
            Task::Assign { slots, to, mut told } => {
                let Some(at) = told.pop() else { return };
                let target = self.nodes[to].id;
                for slot in &slots {
                    self.set_slot(at, *slot, SetSlot::Node(target.as_bytes().to_vec()));
                }
                let after = self.chance.below(50);
                self.queue
                    .put(self.now + after, Event::Admin(Task::Assign { slots, to, told }));
            }
            Task::Meet { from, to } => self.meet(from, to),
        }
    }

    pub fn meet(&mut self, from: usize, to: usize) {
        if self.nodes[from].stopped > 0 {
            return;
        }
        let ip = self.nodes[to].address();
        let done = self.act(from, Cause::Command, |member, now, facts, out| {
            member.meet(now, facts, ip, 7000, 17000, out)
        });
        self.note(|_| format!("admin: MEET from {from} to {to}: {done:?}"));
    }

    fn forget_and_meet(&mut self, at: usize) {
        let other = self.chance.index(self.nodes.len());
        let id = self.nodes[other].id;
        if self.forget(at, id) {
            let after = self.chance.below(4 * self.shape.timeout_ms);
            self.queue
                .put(self.now + after, Event::Admin(Task::Meet { from: at, to: other }));
        }
    }

    pub fn forget(&mut self, at: usize, id: NodeId) -> bool {
        let done = self.act(at, Cause::Command, |member, now, facts, out| {
            member.forget(now, facts, id.as_bytes(), out)
        });
        self.note(|_| format!("admin: FORGET {id} on {at}: {done:?}"));
        if done == Some(Ok(())) {
            self.judge.forgot = true;
        }
        done == Some(Ok(()))
    }

    fn change_primary(&mut self, at: usize) {
        let primary = self.chance.index(self.nodes.len());
        if !self.nodes[at].is_primary() {
            self.replicate_of(at, primary);
        }
    }

    pub fn replicate_of(&mut self, at: usize, primary: usize) -> bool {
        let id = self.nodes[primary].id;
        let done = self.act(at, Cause::Command, |member, now, facts, out| {
            member.replicate(now, facts, id.as_bytes(), false, out)
        });
        self.note(|_| format!("admin: REPLICATE {primary} on {at}: {done:?}"));
        done == Some(Ok(()))
    }
}

/// What is left to people: names that no process has any more, nodes that do not know each other, slots that got lost.
impl World {
    /// Repairs what can be repaired now. Everything runs.
    pub fn repair(&mut self) {
        self.close_slots();
        let alive: BTreeSet<NodeId> = self.nodes.iter().map(|node| node.id).collect();
        let mut gone = BTreeSet::new();
        for node in &self.nodes {
            let Some(data) = node.data() else { continue };
            gone.extend(
                data.nodes
                    .iter()
                    .map(|node| node.id)
                    .filter(|id| !alive.contains(id)),
            );
        }
        for id in gone {
            self.replace(id);
            for at in 0..self.nodes.len() {
                if self.nodes[at]
                    .data()
                    .is_some_and(|data| data.find(id.as_bytes()).is_some())
                {
                    self.forget(at, id);
                }
            }
        }
        for from in 0..self.nodes.len() {
            for to in 0..self.nodes.len() {
                let id = self.nodes[to].id;
                let known = self.nodes[from]
                    .data()
                    .is_some_and(|data| data.find(id.as_bytes()).is_some());
                if !known {
                    self.meet(from, to);
                }
            }
        }
        self.adopt_lost_slots();
    }

    /// A slot that was left open keeps its importer from believing who owns it.
    fn close_slots(&mut self) {
        for at in 0..self.nodes.len() {
            let Some(data) = self.nodes[at].data() else {
                continue;
            };
            let open: BTreeSet<Slot> = data
                .importing
                .keys()
                .chain(data.migrating.keys())
                .copied()
                .collect();
            for slot in open {
                self.set_slot(at, slot, SetSlot::Stable);
            }
        }
    }

    /// A name that owned slots or had replicas gets a successor.
    fn replace(&mut self, gone: NodeId) {
        let follows = |world: &Self, at: usize| {
            let data = world.nodes[at].data()?;
            data.me().primary.map(|primary| data.node(primary).id)
        };
        let heirs: Vec<usize> = (0..self.nodes.len())
            .filter(|at| follows(self, *at) == Some(gone))
            .collect();
        if let Some(heir) = heirs.first() {
            self.failover(*heir, FailoverKind::Takeover);
        }
        for at in heirs.iter().skip(1) {
            self.replicate_of(*at, heirs[0]);
        }
    }

    /// Slots that nobody claims are given to some primary.
    fn adopt_lost_slots(&mut self) {
        let mut claimed = vec![false; SLOT_COUNT];
        for at in 0..self.nodes.len() {
            let Some(data) = self.nodes[at].data() else {
                continue;
            };
            if data.me().primary.is_none() {
                for slot in data.owners.slots_of(data.myself).slots() {
                    claimed[usize::from(slot)] = true;
                }
            }
        }
        let lost: Vec<Slot> = (0..SLOT_COUNT as Slot)
            .filter(|slot| !claimed[usize::from(*slot)])
            .collect();
        let Some(heir) = (0..self.nodes.len()).find(|at| self.nodes[*at].is_primary()) else {
            return;
        };
        let id = self.nodes[heir].id;
        if lost.is_empty() {
            return;
        }
        self.note(|_| format!("admin: {} lost slots for {heir}", lost.len()));
        self.act(heir, Cause::Command, |member, now, facts, out| {
            member.bump_epoch(now, facts, out)
        });
        for at in 0..self.nodes.len() {
            if self.nodes[at].is_primary() {
                for slot in &lost {
                    self.set_slot(at, *slot, SetSlot::Node(id.as_bytes().to_vec()));
                }
            }
        }
        if let Some(slot) = lost.iter().find(|slot| !self.judge.moved.contains(slot)) {
            self.fail(format!("slot {slot} got lost though nobody had touched it"));
        }
        self.judge.lost.extend(lost);
    }
}
