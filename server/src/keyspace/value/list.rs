//! Lists: listpacks in a row, as redis-server's quicklist has them.
//!
//! ```text
//! front ─► | listpack, its elements: 16 bytes | ... | ... | ◄─ back        list-max-listpack-size: 8 kB each
//! ```
//!
//! Both ends are reached at once, an index by the counts of the listpacks before it, from the nearer end. A copy for a
//! snapshot costs a pointer a listpack; each is copied when it is written to, once.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::size_class;
use super::limits::{Limits, NodeLimit};
use super::listpack::{Item, Listpack};
use slotcore::resp::parse_i64;

/// Bytes of a listpack beside those that it says itself: its allocation by the `Arc`.
const NODE_BYTES: usize = size_of::<Listpack>() + 2 * size_of::<usize>();

/// An end of a list, or a direction: from there to the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The front, `LEFT`.
    Left,
    /// The back, `RIGHT`.
    Right,
}

/// Elements in their order.
#[derive(Clone, Default, Debug)]
pub struct List {
    /// Boxed, so that other collections do not pay for its size.
    row: Box<Row>,
}

#[derive(Clone, Default, Debug)]
struct Row {
    /// None is empty.
    nodes: VecDeque<Node>,
    /// Elements.
    len: usize,
    /// Bytes of the listpacks.
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Node {
    pack: Arc<Listpack>,
    /// Elements in it, so that whoever looks for an index need not read it.
    len: u32,
}

impl Node {
    fn new(pack: Listpack) -> Self {
        Self {
            len: pack.len() as u32,
            pack: Arc::new(pack),
        }
    }

    fn footprint(&self) -> usize {
        size_class::round_up(NODE_BYTES) + self.pack.footprint()
    }

    /// Whether an element of so many bytes may join those that are here.
    fn takes(&self, bytes: usize, limit: NodeLimit) -> bool {
        limit.allows(self.pack.as_bytes().len() + bytes, self.len as usize + 1)
    }
}

impl List {
    /// The longest element, in bytes: what a listpack of one element can say. No request has room for a longer one.
    pub const MAX_ELEMENT: usize = u32::MAX as usize - 32;

    pub fn encoding(&self) -> &'static str {
        "quicklist"
    }

    /// Elements.
    pub fn len(&self) -> usize {
        self.row.len
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes allocated.
    pub fn footprint(&self) -> usize {
        let row = size_class::round_up(self.row.nodes.capacity() * size_of::<Node>());
        size_of::<Row>() + row + self.row.bytes
    }

    pub fn free_effort(&self) -> usize {
        self.row.nodes.len()
    }

    /// The listpacks in their order, for whoever writes them as they are.
    pub fn packs(&self) -> impl ExactSizeIterator<Item = &Listpack> {
        self.row.nodes.iter().map(|node| &*node.pack)
    }

    /// Appends the elements of a listpack: all of it as it is, if it is no larger than any that is made here.
    pub fn push_pack(&mut self, pack: Listpack, limits: &Limits) {
        let len = pack.len();
        if len == 1 || pack.as_bytes().len() <= NodeLimit::BYTES_MAX {
            self.add_node(self.row.nodes.len(), pack);
        } else {
            for (_, item) in pack.iter() {
                self.push(Side::Right, item.text(&mut itoa::Buffer::new()), limits);
            }
        }
    }

    /// Adds an element at an end.
    pub fn push(&mut self, side: Side, text: &[u8], limits: &Limits) {
        let (at, new) = match side {
            Side::Left => (0, 0),
            Side::Right => (self.row.nodes.len().saturating_sub(1), self.row.nodes.len()),
        };
        if self.takes(at, text.len(), limits) {
            self.add_to(at, side, text);
        } else {
            self.add_node_of(new, text);
        }
    }

    /// Removes the element at an end, and returns it.
    pub fn pop(&mut self, side: Side) -> Option<Vec<u8>> {
        let at = match side {
            Side::Left => 0,
            Side::Right => self.row.nodes.len().checked_sub(1)?,
        };
        let pack = &self.row.nodes.get(at)?.pack;
        let place = match side {
            Side::Left => pack.first(),
            Side::Right => pack.last(),
        }?;
        let text = pack.get(place).text(&mut itoa::Buffer::new()).to_vec();
        self.remove_from(at, place, 1);
        self.drop_empty(at);
        Some(text)
    }

    /// Element number `index`.
    pub fn get(&self, index: usize) -> Option<Item<'_>> {
        self.from(index, Side::Left).next()
    }

    /// Elements from number `index` on, from there to the back (from `Left`) or to the front (from `Right`).
    pub fn from(&self, index: usize, side: Side) -> Box<dyn Iterator<Item = Item<'_>> + '_> {
        let Some((at, inner)) = self.locate(index) else {
            return Box::new(std::iter::empty());
        };
        let first = &self.row.nodes[at].pack;
        let start = first.seek(inner);
        match side {
            Side::Left => {
                let rest = self.row.nodes.range(at + 1..).flat_map(|node| node.pack.iter());
                Box::new(first.forward(start).chain(rest).map(|(_, item)| item))
            }
            Side::Right => {
                let rest = self.row.nodes.range(..at).rev();
                let rest = rest.flat_map(|node| node.pack.backward(node.pack.last()));
                Box::new(first.backward(start).chain(rest).map(|(_, item)| item))
            }
        }
    }

    /// All elements.
    pub fn iter(&self) -> Box<dyn Iterator<Item = Item<'_>> + '_> {
        self.from(0, Side::Left)
    }

    /// Puts an element in the place of number `index`.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn set(&mut self, index: usize, text: &[u8], limits: &Limits) {
        let (at, inner) = self.locate(index).expect("the caller has asked for the length");
        let node = &self.row.nodes[at];
        let place = node.pack.seek(inner).expect("the counts are right");
        let old = node.pack.get(place).text_len();
        if node.len == 1 || text.len() <= old || node.takes(text.len() - old, limits.list_node.one_more()) {
            self.change(at, |pack| pack.replace(place, text));
        } else {
            self.remove_range(index, 1);
            self.insert(index, text, limits);
        }
    }

    /// Inserts an element before number `index`, or behind the last.
    pub fn insert(&mut self, index: usize, text: &[u8], limits: &Limits) {
        if index == 0 {
            return self.push(Side::Left, text, limits);
        }
        let Some((mut at, inner)) = self.locate(index) else {
            return self.push(Side::Right, text, limits);
        };
        if self.takes(at, text.len(), limits) {
            let place = self.row.nodes[at].pack.seek(inner).expect("the counts are right");
            self.change(at, |pack| pack.insert(place, text));
            self.count(at, 1);
            return;
        }
        let splits = inner > 0;
        if splits {
            self.split(at, inner);
            at += 1;
        }
        // The place is between two listpacks now.
        if self.takes(at - 1, text.len(), limits) {
            self.add_to(at - 1, Side::Right, text);
        } else if self.takes(at, text.len(), limits) {
            self.add_to(at, Side::Left, text);
        } else {
            self.add_node_of(at, text);
            at += 1;
        }
        if splits {
            self.merge(at, limits);
            self.merge(at.saturating_sub(2), limits);
        }
    }

    /// Removes so many elements from number `index` on, or as many as there are.
    pub fn remove_range(&mut self, index: usize, count: usize) {
        let Some((mut at, mut inner)) = self.locate(index) else {
            return;
        };
        let mut left = count.min(self.len() - index);
        let mut whole = at..at;
        while left > 0 {
            let held = self.row.nodes[at].len as usize;
            let removed = left.min(held - inner);
            if removed == held {
                whole = if whole.is_empty() { at } else { whole.start }..at + 1;
            } else {
                let place = self.row.nodes[at].pack.seek(inner).expect("the counts are right");
                self.remove_from(at, place, removed);
            }
            left -= removed;
            (at, inner) = (at + 1, 0);
        }
        for node in self.row.nodes.drain(whole) {
            self.row.bytes -= node.footprint();
            self.row.len -= node.len as usize;
        }
        self.shrink();
    }

    /// Removes up to `most` elements that are this text, the first ones from a side; returns how many.
    pub fn remove_equal(&mut self, text: &[u8], most: usize, side: Side) -> usize {
        let number = parse_i64(text);
        let nodes = self.row.nodes.len();
        let (mut removed, mut emptied) = (0, false);
        for step in 0..nodes {
            let at = match side {
                Side::Left => step,
                Side::Right => nodes - 1 - step,
            };
            let pack = &self.row.nodes[at].pack;
            let mut next = match side {
                Side::Left => pack.first(),
                Side::Right => pack.last(),
            };
            while let Some(place) = next
                && removed < most
            {
                let pack = &self.row.nodes[at].pack;
                let is_it = pack.get(place).is(text, number);
                // Before an element is removed, since what is in front of it stays where it is.
                let before = pack.previous(place);
                if is_it {
                    self.remove_from(at, place, 1);
                    removed += 1;
                }
                let pack = &self.row.nodes[at].pack;
                next = match (side, is_it) {
                    (Side::Right, _) => before,
                    (Side::Left, true) => pack.is_element(place).then_some(place),
                    (Side::Left, false) => pack.next(place),
                };
            }
            emptied |= self.row.nodes[at].len == 0;
            if removed == most {
                break;
            }
        }
        if emptied {
            let bytes = &mut self.row.bytes;
            self.row.nodes.retain(|node| {
                if node.len == 0 {
                    *bytes -= node.footprint();
                }
                node.len > 0
            });
            self.shrink();
        }
        removed
    }

    /// In which listpack element number `index` is, and which of its elements; `None` if there are not so many.
    fn locate(&self, index: usize) -> Option<(usize, usize)> {
        let nodes = &self.row.nodes;
        if index >= self.len() {
            return None;
        }
        if index <= self.len() / 2 {
            let mut left = index;
            for (at, node) in nodes.iter().enumerate() {
                if left < node.len as usize {
                    return Some((at, left));
                }
                left -= node.len as usize;
            }
        } else {
            let mut first = self.len();
            for (at, node) in nodes.iter().enumerate().rev() {
                first -= node.len as usize;
                if index >= first {
                    return Some((at, index - first));
                }
            }
        }
        None
    }

    fn takes(&self, at: usize, bytes: usize, limits: &Limits) -> bool {
        let node = self.row.nodes.get(at);
        node.is_some_and(|node| node.takes(bytes, limits.list_node))
    }

    /// Changes a listpack, a copy of it if a snapshot needs it as it is.
    fn change<R>(&mut self, at: usize, change: impl FnOnce(&mut Listpack) -> R) -> R {
        let pack = &mut self.row.nodes[at].pack;
        let before = pack.footprint();
        let own = Arc::make_mut(pack);
        let result = change(own);
        self.row.bytes = self.row.bytes - before + own.footprint();
        result
    }

    fn count(&mut self, at: usize, more: u32) {
        self.row.nodes[at].len += more;
        self.row.len += more as usize;
    }

    fn add_to(&mut self, at: usize, side: Side, text: &[u8]) {
        self.change(at, |pack| match (side, pack.first()) {
            (Side::Left, Some(first)) => pack.insert(first, text),
            _ => pack.push(text),
        });
        self.count(at, 1);
    }

    fn add_node_of(&mut self, at: usize, text: &[u8]) {
        let mut pack = Listpack::default();
        pack.push(text);
        self.add_node(at, pack);
    }

    fn add_node(&mut self, at: usize, pack: Listpack) {
        let node = Node::new(pack);
        self.row.bytes += node.footprint();
        self.row.len += node.len as usize;
        self.row.nodes.insert(at, node);
    }

    fn remove_from(&mut self, at: usize, place: usize, count: usize) {
        self.change(at, |pack| pack.remove(place, count));
        self.row.nodes[at].len -= count as u32;
        self.row.len -= count;
    }

    fn drop_empty(&mut self, at: usize) {
        if self.row.nodes[at].len == 0
            && let Some(node) = self.row.nodes.remove(at)
        {
            self.row.bytes -= node.footprint();
            self.shrink();
        }
    }

    /// Makes two listpacks of one: the second begins with its element number `inner`.
    fn split(&mut self, at: usize, inner: usize) {
        let node = &self.row.nodes[at];
        let moved = node.len as usize - inner;
        let place = node.pack.seek(inner).expect("the counts are right");
        let tail = self.change(at, |pack| pack.split_off(place, moved));
        self.row.nodes[at].len -= moved as u32;
        self.row.len -= moved;
        self.add_node(at + 1, tail);
    }

    /// Makes one listpack of two neighbours, if it may be so large.
    fn merge(&mut self, at: usize, limits: &Limits) {
        let nodes = &self.row.nodes;
        let (Some(one), Some(other)) = (nodes.get(at), nodes.get(at + 1)) else {
            return;
        };
        let bytes = one.pack.as_bytes().len() + other.pack.as_bytes().len();
        if limits.list_node.allows(bytes, (one.len + other.len) as usize)
            && let Some(node) = self.row.nodes.remove(at + 1)
        {
            self.row.bytes -= node.footprint();
            self.change(at, |pack| pack.append(&node.pack));
            self.row.nodes[at].len += node.len;
        }
    }

    fn shrink(&mut self) {
        let nodes = &mut self.row.nodes;
        if nodes.capacity() > 4 * nodes.len() + 4 {
            nodes.shrink_to(2 * nodes.len());
        }
    }
}

impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        let (mut ours, mut theirs) = (itoa::Buffer::new(), itoa::Buffer::new());
        self.len() == other.len()
            && self
                .iter()
                .zip(other.iter())
                .all(|(a, b)| a.text(&mut ours) == b.text(&mut theirs))
    }
}

impl Eq for List {}
