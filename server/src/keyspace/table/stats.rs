//! What a slot has done since the node started.

use super::SlotTable;

/// What a slot has done since the node started, as CLUSTER SLOT-STATS tells it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct SlotStats {
    pub keys: u64,
    pub ops: u64,
    pub cpu_ns: u64,
    /// Bytes of requests.
    pub net_in: u64,
    /// Bytes of replies.
    pub net_out: u64,
}

impl SlotTable {
    /// Books executed commands.
    #[inline]
    pub fn account(&mut self, ops: u32, cpu_ns: u64, net_in: u64, net_out: u64) {
        let (low, carry) = self.ops_low.overflowing_add(ops);
        self.ops_low = low;
        if carry {
            self.ops_high = self.ops_high.wrapping_add(1);
        }
        self.cpu_ns += cpu_ns;
        self.net_in += net_in;
        self.net_out += net_out;
    }

    pub fn stats(&self) -> SlotStats {
        SlotStats {
            keys: self.len() as u64,
            ops: u64::from(self.ops_high) << 32 | u64::from(self.ops_low),
            cpu_ns: self.cpu_ns,
            net_in: self.net_in,
            net_out: self.net_out,
        }
    }

    /// Zeroes everything that [`SlotTable::stats`] counts, except the keys.
    pub fn reset_stats(&mut self) {
        (
            self.ops_high,
            self.ops_low,
            self.cpu_ns,
            self.net_in,
            self.net_out,
        ) = (0, 0, 0, 0, 0);
    }
}
