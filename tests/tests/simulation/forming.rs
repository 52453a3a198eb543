//! A cluster is made, as `redis-cli --cluster create` does it.

use slotcore::{SLOT_COUNT, Slot};
use slotmark_server::cluster::Claim;

use super::judge::Cause;
use super::world::World;

impl World {
    /// Forms the cluster that the shape describes: the primaries come first, then the replicas, then the spares.
    pub fn form(&mut self) -> Result<(), String> {
        let primaries = self.shape.primaries;
        for at in 0..self.nodes.len() {
            self.claim_share(at);
            self.act(at, Cause::Command, |member, now, facts, out| {
                member.set_config_epoch(now, facts, at as i64 + 1, out)
            });
        }
        for at in 1..self.nodes.len() {
            self.meet(at, 0);
        }
        self.run(1000)?;
        let patience = self.now + 20_000 + 4 * self.shape.timeout_ms;
        while !self.all_know_all() {
            if self.now > patience {
                return Err("the nodes do not get to know each other".into());
            }
            self.run(200)?;
        }
        for at in primaries..primaries * (1 + self.shape.replicas) {
            if !self.replicate_of(at, (at - primaries) % primaries) {
                return Err(format!("node {at} may not become a replica"));
            }
        }
        self.settle()
    }

    fn claim_share(&mut self, at: usize) {
        let primaries = self.shape.primaries;
        if at >= primaries {
            return;
        }
        let (from, to) = (SLOT_COUNT * at / primaries, SLOT_COUNT * (at + 1) / primaries);
        self.act(at, Cause::Command, |member, now, facts, out| {
            member.claim(now, facts, Claim::Add, from as Slot..to as Slot, out)
        });
    }

    /// Every node knows every other, and every slot's owner.
    fn all_know_all(&self) -> bool {
        self.nodes.iter().all(|node| {
            node.data().is_some_and(|data| {
                self.nodes
                    .iter()
                    .all(|other| data.find(other.id.as_bytes()).is_some())
                    && data.nodes.len() == self.nodes.len()
                    && data.owners.coverage() == SLOT_COUNT
            })
        })
    }
}
