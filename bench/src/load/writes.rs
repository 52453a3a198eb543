//! A record of every write, kept in audited rounds: which key, when it was sent, when it was acknowledged.
//!
//! A write carries its number in the first bytes of its value, so that a value found later tells which write it is.

use workloads::keys::KeyId;

/// The bytes of a value that tell its write.
pub const STAMP_LEN: usize = 16;
const MAGIC: &[u8; 4] = b"SMW1";

/// Which write of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WriteId {
    /// The round and thread.
    pub log: u32,
    /// Its place in that log.
    pub place: u32,
}

/// No write of an audited round.
pub(super) const NO_TICKET: u32 = u32::MAX;

impl WriteId {
    /// What the value begins with.
    pub fn stamp(self) -> [u8; STAMP_LEN] {
        let mut stamp = [0; STAMP_LEN];
        stamp[..4].copy_from_slice(MAGIC);
        stamp[4..8].copy_from_slice(&self.log.to_be_bytes());
        stamp[8..12].copy_from_slice(&self.place.to_be_bytes());
        // A check, so that a value of another kind is not taken for one of these by chance.
        let check = (self.log ^ 0x5a5a_5a5a).wrapping_mul(0x9e37_79b1) ^ self.place.wrapping_mul(0x85eb_ca6b);
        stamp[12..].copy_from_slice(&check.to_be_bytes());
        stamp
    }

    /// The write that a value is of; none when it is of another kind.
    pub fn of(value: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_be_bytes(value.get(at..at + 4)?.try_into().ok()?));
        let id = Self {
            log: word(4)?,
            place: word(8)?,
        };
        value.starts_with(&id.stamp()).then_some(id)
    }
}

/// One write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Write {
    pub key: KeyId,
    /// When it was first handed to a connection, on the clock of the round; zero if it never was.
    pub sent_ns: u64,
    /// When it was acknowledged; `u64::MAX` if it never was.
    pub acknowledged_ns: u64,
    /// Of the measured time, not the warm-up.
    pub measured: bool,
}

impl Write {
    pub fn is_acknowledged(&self) -> bool {
        self.acknowledged_ns != u64::MAX
    }
}

/// All writes of one thread in one round, in the order in which they were taken up.
#[derive(Debug, Clone, Default)]
pub struct WriteLog {
    /// Of the thread and round, as in [`WriteId::log`].
    pub number: u32,
    pub writes: Vec<Write>,
}

impl WriteLog {
    pub(super) fn new(number: u32) -> Self {
        Self {
            number,
            writes: Vec::new(),
        }
    }

    /// Takes a write up; the ticket is its place.
    pub(super) fn open(&mut self, key: KeyId, measured: bool) -> u32 {
        let ticket = self.writes.len() as u32;
        self.writes.push(Write {
            key,
            sent_ns: 0,
            acknowledged_ns: u64::MAX,
            measured,
        });
        ticket
    }

    /// It is handed to a connection; the first time counts.
    pub(super) fn sent(&mut self, ticket: u32, now_ns: u64) -> [u8; STAMP_LEN] {
        let write = &mut self.writes[ticket as usize];
        if write.sent_ns == 0 {
            write.sent_ns = now_ns;
        }
        WriteId {
            log: self.number,
            place: ticket,
        }
        .stamp()
    }

    pub(super) fn acknowledged(&mut self, ticket: u32, now_ns: u64) {
        if let Some(write) = self.writes.get_mut(ticket as usize) {
            write.acknowledged_ns = now_ns;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_tells_its_write_and_no_other_value_does() {
        for (log, place) in [(0, 0), (7, 123_456), (u32::MAX, u32::MAX)] {
            let id = WriteId { log, place };
            let mut value = id.stamp().to_vec();
            value.extend_from_slice(b"and more");
            assert_eq!(WriteId::of(&value), Some(id));
            for at in 0..STAMP_LEN {
                let mut bent = value.clone();
                bent[at] ^= 1;
                assert_ne!(WriteId::of(&bent), Some(id));
            }
            assert_eq!(WriteId::of(&value[..15]), None);
        }
        assert_eq!(WriteId::of(&[0; 64]), None);
    }
}
