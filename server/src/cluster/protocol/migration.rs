//! Replica migration: a primary that has lost its replicas gets one from the primary that has most.

use slotcore::slot_map::NodeIndex;
use slotcore::topology::NodeFlags;

use super::member::Member;
use super::nodes::DOWN;
use super::turn::Turn;

/// A primary must have been without a working replica for so long (ms): failovers and restarts pass sooner.
const ORPHANED_MS: u64 = 5000;

impl Member {
    /// Notes who is orphaned, and goes there if it is for us to go.
    pub(super) fn migrate(&mut self, turn: &mut Turn<'_>) {
        let primaries: Vec<NodeIndex> = self.known().filter(|index| self.is_primary(*index)).collect();
        let mut target = None;
        let mut most = 0;
        for index in primaries {
            let replicas = self.working_replicas(index);
            most = most.max(replicas);
            let flags = self.flags(index);
            // Only one that has had a replica before misses it now.
            let orphaned = replicas == 0
                && !flags.contains(NodeFlags::FAIL)
                && flags.contains(NodeFlags::MIGRATE_TO)
                && self.peer(index).slot_count > 0;
            let peer = self.peer_mut(index);
            match (orphaned, peer.orphaned_ms) {
                (true, 0) => peer.orphaned_ms = turn.now,
                (true, _) => {}
                (false, _) => peer.orphaned_ms = 0,
            }
            if orphaned && target.is_none() {
                target = Some(index);
            }
        }
        let (Some(target), Some(mine)) = (target, self.data.me().primary) else {
            return;
        };
        let settings = &self.data.settings;
        let spare = self.working_replicas(mine);
        let waited = turn.now.saturating_sub(self.peer(target).orphaned_ms) > ORPHANED_MS;
        let may = settings.allow_replica_migration
            && self.data.state_ok
            && most >= 2
            && spare == most
            && spare > settings.migration_barrier
            && waited;
        if may && self.is_smallest_of(most) {
            turn.warn(format!("Migrating to orphaned master {}", self.node(target).id));
            self.follow(turn, target);
        }
    }

    /// Whether we have the smallest name among the working replicas of those primaries that have most of them.
    fn is_smallest_of(&self, most: usize) -> bool {
        let me = self.data.me().id;
        self.known()
            .filter(|index| self.is_primary(*index) && self.working_replicas(*index) == most)
            .flat_map(|primary| self.replicas_of(primary))
            .filter(|replica| !self.flags(*replica).intersects(DOWN))
            .all(|replica| me <= self.node(replica).id)
    }
}
