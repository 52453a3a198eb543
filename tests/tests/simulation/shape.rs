//! What a seed decides before anything happens: how many nodes, and how they are set up.

use slotmark_server::cluster::ClusterSettings;

use super::chance::Chance;

#[derive(Clone, Debug)]
pub struct Shape {
    pub primaries: usize,
    /// Of each primary.
    pub replicas: usize,
    /// Nodes without slots and without a primary.
    pub spares: usize,
    pub timeout_ms: u64,
    pub delay_ms: u64,
    pub jitter_ms: u64,
    pub dial_timeout_ms: u64,
    pub skew_ms: u64,
    pub settings: ClusterSettings,
}

impl Shape {
    pub fn draw(chance: &mut Chance) -> Self {
        let primaries = *[3, 3, 3, 3, 4, 5, 2, 1]
            .get(chance.index(8))
            .expect("there are 8");
        let replicas = match primaries {
            1 => 2 + chance.index(2),
            2 => 1 + chance.index(3),
            3 => 1 + chance.index(2),
            _ => 1,
        };
        let left = 10_usize.saturating_sub(primaries * (1 + replicas));
        let spares = if left > 0 && chance.one_in(3) { 1 } else { 0 };
        // Long ones cost most and differ least.
        let timeout_ms = match chance.below(40) {
            0 => 15_000,
            1..=3 => 5000,
            4..=10 => 2000,
            11..=29 => 1000,
            _ => 500,
        };
        let settings = ClusterSettings {
            port: 7000,
            bus_port: 17000,
            node_timeout_ms: timeout_ms,
            refused_means_failed: !chance.one_in(3),
            allow_replica_migration: !chance.one_in(4),
            replica_validity_factor: if chance.one_in(4) { 0 } else { 10 },
            ..ClusterSettings::default()
        };
        Self {
            primaries,
            replicas,
            spares,
            timeout_ms,
            delay_ms: chance.below(3),
            jitter_ms: chance.below(10),
            dial_timeout_ms: chance.between(500, 3000),
            skew_ms: if chance.one_in(2) {
                0
            } else {
                chance.between(1, 300)
            },
            settings,
        }
    }

    pub fn nodes(&self) -> usize {
        self.primaries * (1 + self.replicas) + self.spares
    }
}
