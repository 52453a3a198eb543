//! The names of a stream: its own, and that of the stream which it continues.

use crate::node::random_hex_40;

/// No previous stream.
const NO_ID: &str = "0000000000000000000000000000000000000000";

/// What a replica must have in common with us to go on where it stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The name of this stream (`master_replid`).
    pub id: String,
    /// The name of the stream that this one continues (`master_replid2`), or forty zeros.
    pub previous_id: String,
    /// The number of the first byte, counted from 1, that the previous stream does not share; -1 without one
    /// (`second_repl_offset`).
    pub second_offset: i64,
}

impl History {
    /// Of a stream that nobody else has.
    pub fn fresh() -> Self {
        Self::of(&random_hex_40())
    }

    /// Of a stream with this name and no predecessor.
    pub fn of(id: &str) -> Self {
        Self {
            id: id.into(),
            previous_id: NO_ID.into(),
            second_offset: -1,
        }
    }

    /// The stream gets another name at this position.
    pub fn rename(&mut self, id: String, position: u64) {
        self.previous_id = std::mem::replace(&mut self.id, id);
        self.second_offset = i64::try_from(position).unwrap_or(i64::MAX - 1) + 1;
    }

    /// Is the stream `id` the same as this one up to `position`?
    pub fn covers(&self, id: &[u8], position: u64) -> bool {
        id == self.id.as_bytes()
            || (self.second_offset >= 0
                && id == self.previous_id.as_bytes()
                && i64::try_from(position).is_ok_and(|position| position < self.second_offset))
    }
}
