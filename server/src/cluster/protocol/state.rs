//! Whether the cluster serves, as far as this node can tell.

use slotcore::SLOT_COUNT;
use slotcore::topology::NodeFlags;

use super::member::Member;
use super::nodes::{DOWN, indices};
use super::turn::Turn;

/// A primary that has just started waits so long (ms) before it serves, unless it has heard from everybody.
const START_MS: u64 = 2000;
/// A step that comes so late (ms) counts as a sleep, whatever the node timeout.
const SLEEP_MS: u64 = 200;

impl Member {
    /// Takes the state over that follows from what is known now.
    pub(super) fn update_state(&mut self, turn: &mut Turn<'_>) {
        if self.am_primary() && !self.data.state_ok && self.has_just_started(turn.now) {
            return;
        }
        let majority = self.is_in_majority();
        // Where nobody owns anything yet there is no larger side.
        if !majority && self.size() > 0 {
            self.minority_ms = Some(turn.now);
        }
        let ok = majority && (!self.data.settings.require_full_coverage || self.is_covered());
        if ok == self.data.state_ok {
            return;
        }
        // Whoever comes back from the smaller side may have been replaced: it waits until it must have heard.
        let delay = self.data.settings.node_timeout_ms.clamp(500, 5000);
        let rejoins = self
            .minority_ms
            .is_some_and(|at| turn.now.saturating_sub(at) < delay);
        if ok && self.am_primary() && rejoins {
            return;
        }
        self.data.state_ok = ok;
        turn.warn(format!(
            "Cluster state changed: {}",
            if ok { "ok" } else { "fail" }
        ));
        turn.out.publish = true;
    }

    fn is_covered(&self) -> bool {
        let healthy: usize = indices(self.peers.len())
            .filter(|index| !self.flags(*index).contains(NodeFlags::FAIL))
            .map(|index| self.peer(index).slot_count)
            .sum();
        healthy == SLOT_COUNT
    }

    fn is_in_majority(&self) -> bool {
        let reachable = indices(self.peers.len())
            .filter(|index| self.is_voter(*index) && !self.flags(*index).intersects(DOWN))
            .count();
        reachable >= self.quorum()
    }

    /// A primary may have been replaced while it was away. Every node that it knows would tell it so: when all have
    /// spoken, or when stock's two seconds are over, it believes what it knows. One that it knows as failed may have come
    /// back meanwhile, and be the very one that has replaced it.
    fn has_just_started(&self, now: u64) -> bool {
        let mut known = self.known();
        let unheard =
            known.any(|index| !self.peer(index).heard && !self.flags(index).contains(NodeFlags::NOADDR));
        unheard && now.saturating_sub(self.started_ms) < START_MS
    }

    /// The process was stopped, or the machine: what did not come in meanwhile is nobody's failure but ours, and what
    /// the others have decided meanwhile we are still to hear.
    pub(super) fn notice_sleep(&mut self, turn: &mut Turn<'_>) {
        let timeout = self.data.settings.node_timeout_ms;
        let slept = turn.now.saturating_sub(self.last_step_ms);
        if slept <= (timeout / 2).max(SLEEP_MS) {
            return;
        }
        for index in self.others() {
            if self.ping_ms(index) != 0 {
                self.set_ping_ms(index, turn.now);
            }
            let peer = self.peer_mut(index);
            peer.data_ms = turn.now;
            if slept > timeout {
                peer.heard = false;
            }
        }
        if slept <= timeout {
            return;
        }
        turn.warn(format!("Nothing was done here for {slept} ms"));
        self.started_ms = turn.now;
        if self.am_primary() && self.data.state_ok && self.known().next().is_some() {
            self.data.state_ok = false;
            turn.warn("Cluster state changed: fail".into());
            turn.out.publish = true;
        }
    }
}
