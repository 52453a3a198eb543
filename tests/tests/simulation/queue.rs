//! What is going to happen, and when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::net::Item;

/// Something that happens at a moment.
#[derive(Debug)]
pub enum Event {
    /// A member's deadline may have come.
    Wake { node: usize },
    /// A dial's first packet reaches the other host, or would have.
    Syn { conn: usize },
    /// The dialler learns that its dial has failed.
    DialFailed { conn: usize, refused: bool },
    /// Something arrives at this end of a connection.
    Arrive { conn: usize, to: usize, item: Item },
    /// What got stuck on its way to this end arrives now.
    Flush { conn: usize, to: usize },
    /// A fault ends.
    Undo(u64),
    /// The next fault begins.
    Strike,
    /// The next step of an administrator's work.
    Admin(super::admin::Task),
}

struct Entry {
    at: u64,
    order: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// Events by time; those of one moment in the order in which they were put in.
#[derive(Default)]
pub struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    order: u64,
}

impl Queue {
    pub fn put(&mut self, at: u64, event: Event) {
        self.order += 1;
        let order = self.order;
        self.heap.push(Reverse(Entry { at, order, event }));
    }

    /// The next event that is due by this time.
    pub fn take(&mut self, until: u64) -> Option<(u64, Event)> {
        if self.heap.peek()?.0.at > until {
            return None;
        }
        let Reverse(entry) = self.heap.pop()?;
        Some((entry.at, entry.event))
    }
}
