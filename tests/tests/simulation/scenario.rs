//! The runs: what happens to a cluster from its forming to its end.

use std::collections::BTreeSet;

use slotcore::topology::{NodeFlags, NodeId};

use super::chance::Chance;
use super::faults::Undo;
use super::judge::primaries_with_slots;
use super::shape::Shape;
use super::world::World;

/// What a run was, for who wants to compare or to count.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub hash: u64,
    pub steps: u64,
    pub elections: u64,
    pub verdicts: u64,
    pub collisions: u64,
    pub graceful: u64,
    pub faults: u64,
    pub losses: u64,
    pub lost_slots: u64,
}

/// A cluster forms, suffers, and recovers, more than once.
pub fn run(seed: u64, shown: bool) -> Result<Summary, String> {
    let mut world = World::new(seed, shown);
    world.form()?;
    let mut losses = 0;
    for _ in 0..1 + world.chance.below(3) {
        match world.chance.one_in(3) {
            true => losses += u64::from(world.lose_minority()?),
            false => world.suffer()?,
        }
        world.heal();
        world.settle()?;
    }
    Ok(world.summary(losses))
}

/// Nothing fails: jitter, and processes that stop for less than half a node timeout.
pub fn run_calm(seed: u64, timeouts: u64, shown: bool) -> Result<Summary, String> {
    let mut chance = Chance::new(seed);
    let mut shape = Shape::draw(&mut chance);
    shape.jitter_ms = shape.timeout_ms / 20;
    let mut world = World::with_shape(shown, chance, shape);
    world.form()?;
    world.judge.calm = true;
    let end = world.now + timeouts * world.shape.timeout_ms;
    let timeout = world.shape.timeout_ms;
    while world.now < end {
        let at = world.chance.index(world.nodes.len());
        if world.nodes[at].stopped == 0 {
            let lasts = world.chance.between(timeout / 10, timeout / 2 - timeout / 8);
            world.stop(at, lasts);
        }
        let pause = world.chance.between(1, timeout);
        world.run(pause)?;
    }
    world.heal();
    world.settle()?;
    Ok(world.summary(0))
}

impl World {
    fn summary(&self, losses: u64) -> Summary {
        Summary {
            hash: self.trace.hash,
            steps: self.trace.steps,
            elections: self.judge.elections,
            verdicts: self.judge.verdicts,
            collisions: self.judge.collisions,
            graceful: self.judge.graceful,
            faults: self.faults.struck,
            losses,
            lost_slots: self.judge.lost.len() as u64,
        }
    }

    /// Faults of all kinds, as they come.
    fn suffer(&mut self) -> Result<(), String> {
        let lasts = self.chance.between(3, 16) * self.shape.timeout_ms;
        self.strike_for(lasts);
        self.run(lasts)
    }

    /// Fewer than half of the primaries are lost for good, each with a replica left; the others are well, and so is what
    /// is between them. They must have replaced the lost ones within a bounded time. `false`: the shape has none to lose.
    fn lose_minority(&mut self) -> Result<bool, String> {
        // Replicas must have a chance to copy what a fault before has made them copy anew.
        self.run(1000)?;
        let Some(data) = self.nodes[0].data() else {
            return Ok(false);
        };
        let voters = primaries_with_slots(data);
        let may_lose = (voters.len() - 1) / 2;
        let followed: BTreeSet<NodeId> = data
            .nodes
            .iter()
            .filter_map(|node| node.primary.map(|primary| data.node(primary).id))
            .collect();
        let mut candidates: Vec<usize> = (0..self.nodes.len())
            .filter(|at| voters.contains(&self.nodes[*at].id) && followed.contains(&self.nodes[*at].id))
            .collect();
        let wanted = 1 + self.chance.index(may_lose.max(1));
        let mut lost = Vec::new();
        while lost.len() < wanted.min(may_lose) && !candidates.is_empty() {
            let place = self.chance.index(candidates.len());
            lost.push(candidates.swap_remove(place));
        }
        if lost.is_empty() {
            return Ok(false);
        }
        let timeout = self.shape.timeout_ms;
        // Longer than anything below.
        let lasts = 40 * timeout + 60_000;
        for at in &lost {
            self.lose(*at, lasts);
        }
        let bound = 2 * timeout + 3000 + 1500 * lost.len() as u64;
        let begun = self.now;
        while let Err(why) = self.carries_on(&lost) {
            if self.now > begun + bound {
                return Err(format!(
                    "{} ms after the loss of {lost:?}: {why}",
                    self.now - begun
                ));
            }
            self.run(100)?;
        }
        let took = self.now - begun;
        self.note(|_| format!("the others carry on after {took} ms"));
        // Let those that are left be seen for a while, before the lost ones come back.
        let more = self.chance.between(1, 4 * timeout);
        self.run(more)?;
        Ok(true)
    }

    /// One of the ways to be lost.
    fn lose(&mut self, at: usize, lasts: u64) {
        match self.chance.below(4) {
            0 => self.isolate(at, lasts),
            1 => self.stop(at, lasts),
            way => {
                self.kill(at, way == 2);
                self.later(lasts, Undo::Start(at, true));
            }
        }
    }

    /// Whether the nodes that are left serve every slot.
    fn carries_on(&self, lost: &[usize]) -> Result<(), String> {
        for (at, node) in self.nodes.iter().enumerate() {
            let Some(data) = node.data().filter(|_| !lost.contains(&at)) else {
                continue;
            };
            if !data.state_ok {
                let failed = data
                    .nodes
                    .iter()
                    .filter(|node| node.flags.contains(NodeFlags::FAIL));
                return Err(format!(
                    "node {at} is in state fail, with {} nodes down",
                    failed.count()
                ));
            }
            let owners = primaries_with_slots(data);
            if let Some(gone) = lost.iter().find(|gone| owners.contains(&self.nodes[**gone].id)) {
                return Err(format!("node {at} still takes node {gone} for an owner"));
            }
        }
        Ok(())
    }
}
