//! Connections as TCP makes them: each way an ordered stream that is late, stuck, or at its end, but never has a hole.
//!
//! A blocked way keeps what is sent; it arrives when the block ends, unless the connection has ended first. Whoever
//! sends to an end that is closed gets a reset. So half-open connections come about by themselves: one end closes, and
//! the other does not hear of it while that way is blocked, or the host is down.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use slotmark_server::cluster::message::SharedMessage;
use slotmark_server::cluster::protocol::{CloseReason, Input, LinkId};

use super::queue::Event;
use super::world::World;

/// What travels.
#[derive(Debug)]
pub enum Item {
    Connected,
    Message(SharedMessage),
    Closed,
}

/// One end of a connection.
pub struct End {
    pub node: usize,
    pub link: LinkId,
    pub open: bool,
}

/// A connection; end 0 has dialled.
pub struct Conn {
    pub ends: [End; 2],
    begun: u64,
    /// When the last thing that was sent to each end arrives.
    tail: [u64; 2],
    stuck: [VecDeque<Item>; 2],
    /// How often each way is stalled for this connection alone.
    pub stalled: [u32; 2],
}

pub struct Net {
    pub conns: Vec<Conn>,
    /// Connections with something stuck on its way to an end.
    stuck: BTreeSet<(usize, usize)>,
    /// How many faults block the way from one node to another.
    pub blocked: Vec<Vec<u32>>,
    /// By how much (ms) the way from one node to another is slower now.
    pub slowed: Vec<Vec<u64>>,
    pub delay_ms: u64,
    pub jitter_ms: u64,
    accepted: u64,
}

/// A host sends its first packet again after so long (ms).
const SYN_AGAIN_MS: u64 = 1000;
/// What one way can hold, in messages, before its sender gives up on it.
const FULL: usize = 3000;

impl Net {
    pub fn new(nodes: usize, delay_ms: u64, jitter_ms: u64) -> Self {
        Self {
            conns: Vec::new(),
            stuck: BTreeSet::new(),
            blocked: vec![vec![0; nodes]; nodes],
            slowed: vec![vec![0; nodes]; nodes],
            delay_ms,
            jitter_ms,
            accepted: 0,
        }
    }

    pub fn open(&self, from: usize, to: usize) -> bool {
        self.blocked[from][to] == 0
    }

    fn way_open(&self, conn: usize, to: usize) -> bool {
        let conn = &self.conns[conn];
        conn.stalled[to] == 0 && self.open(conn.ends[1 - to].node, conn.ends[to].node)
    }
}

impl World {
    /// Whether what is on its way to this end can arrive.
    fn passes(&self, conn: usize, to: usize) -> bool {
        self.net.way_open(conn, to) && self.nodes[self.net.conns[conn].ends[to].node].machine_up
    }

    fn travel_ms(&mut self, from: usize, to: usize) -> u64 {
        self.net.delay_ms + self.chance.below(self.net.jitter_ms + 1) + self.net.slowed[from][to]
    }

    pub fn dial(&mut self, at: usize, link: LinkId, ip: &str) {
        let to = self.nodes.iter().position(|node| node.ip == ip);
        let conn = self.net.conns.len();
        let end = |node, link, open| End { node, link, open };
        self.net.conns.push(Conn {
            ends: [end(at, link, true), end(to.unwrap_or(at), LinkId::In(0), false)],
            begun: self.now,
            tail: [0; 2],
            stuck: Default::default(),
            stalled: [0; 2],
        });
        self.nodes[at].links.insert(link, (conn, 0));
        match to {
            Some(to) => {
                let when = self.now + self.travel_ms(at, to);
                self.queue.put(when, Event::Syn { conn });
            }
            None => {
                let when = self.now + self.shape.dial_timeout_ms;
                self.queue.put(when, Event::DialFailed { conn, refused: false });
            }
        }
    }

    /// The first packet of a dial arrives, or is lost and sent again.
    pub fn syn(&mut self, conn: usize) {
        let [from, to] = &self.net.conns[conn].ends;
        let (from, to, open) = (from.node, to.node, from.open);
        if !open {
            return;
        }
        let passes = self.net.open(from, to) && self.net.open(to, from) && self.nodes[to].machine_up;
        let back = self.now + self.travel_ms(to, from);
        if !passes {
            let again = self.now + SYN_AGAIN_MS;
            let over = self.net.conns[conn].begun + self.shape.dial_timeout_ms;
            match again < over {
                true => self.queue.put(again, Event::Syn { conn }),
                false => self
                    .queue
                    .put(over.max(self.now), Event::DialFailed { conn, refused: false }),
            }
        } else if self.nodes[to].member.is_none() {
            self.queue.put(back, Event::DialFailed { conn, refused: true });
        } else {
            self.net.accepted += 1;
            let link = LinkId::In(self.net.accepted);
            self.net.conns[conn].ends[1] = End {
                node: to,
                link,
                open: true,
            };
            self.nodes[to].links.insert(link, (conn, 1));
            let (peer, local) = (self.nodes[from].address(), self.nodes[to].address());
            self.put_in(conn, 0, Item::Connected);
            self.input(to, Input::Accepted { link, peer, local });
        }
    }

    pub fn dial_failed(&mut self, conn: usize, refused: bool) {
        let reason = match refused {
            true => CloseReason::Refused,
            false => CloseReason::Unreachable,
        };
        self.end_closed(conn, 0, reason);
    }

    /// Puts something on its way to an end.
    pub fn put_in(&mut self, conn: usize, to: usize, item: Item) {
        let [a, b] = &self.net.conns[conn].ends;
        let (from, target) = if to == 0 {
            (b.node, a.node)
        } else {
            (a.node, b.node)
        };
        let at = (self.now + self.travel_ms(from, target)).max(self.net.conns[conn].tail[to]);
        self.net.conns[conn].tail[to] = at;
        self.queue.put(at, Event::Arrive { conn, to, item });
    }

    pub fn arrive(&mut self, conn: usize, to: usize, item: Item) {
        let up = self.nodes[self.net.conns[conn].ends[to].node].machine_up;
        if !up && self.chance.one_in(2) {
            // The machine had acknowledged it before it went down, so nobody will send it again.
            return;
        }
        if self.net.conns[conn].stuck[to].is_empty() && self.passes(conn, to) {
            self.hand_over(conn, to, item);
            return;
        }
        self.net.conns[conn].stuck[to].push_back(item);
        self.net.stuck.insert((conn, to));
        if self.net.conns[conn].stuck[to].len() > FULL {
            self.end_closed(conn, 1 - to, CloseReason::Overflow);
            self.put_in(conn, to, Item::Closed);
        }
    }

    fn hand_over(&mut self, conn: usize, to: usize, item: Item) {
        let end = &self.net.conns[conn].ends[to];
        if !end.open {
            // What comes to a closed end is answered by a reset; a reset is not.
            if matches!(item, Item::Message(_)) && self.net.conns[conn].ends[1 - to].open {
                self.put_in(conn, 1 - to, Item::Closed);
            }
            return;
        }
        let (node, link) = (end.node, end.link);
        match item {
            Item::Connected => self.input(node, Input::Connected { link }),
            Item::Message(message) => {
                let message = SharedMessage::unwrap_or_clone(message);
                self.input(node, Input::Received { link, message });
            }
            Item::Closed => self.end_closed(conn, to, CloseReason::Reset),
        }
    }

    /// An end is closed by the other, or by the network: its node is told.
    pub fn end_closed(&mut self, conn: usize, side: usize, reason: CloseReason) {
        let end = &mut self.net.conns[conn].ends[side];
        if std::mem::take(&mut end.open) {
            let (node, link) = (end.node, end.link);
            self.nodes[node].links.remove(&link);
            self.input(node, Input::Closed { link, reason });
        }
    }

    /// A node closes its end, or its process ends: the other is told by and by.
    pub fn close(&mut self, conn: usize, side: usize) {
        let end = &mut self.net.conns[conn].ends[side];
        if std::mem::take(&mut end.open) {
            let (node, link) = (end.node, end.link);
            self.nodes[node].links.remove(&link);
            self.put_in(conn, 1 - side, Item::Closed);
        }
    }

    /// Some way is open again: what got stuck arrives when it has been sent again.
    pub fn unstick(&mut self) {
        let stuck: Vec<(usize, usize)> = self.net.stuck.iter().copied().collect();
        for (conn, to) in stuck {
            if self.passes(conn, to) {
                self.net.stuck.remove(&(conn, to));
                let at = self.now + self.chance.between(1, 300);
                self.queue.put(at, Event::Flush { conn, to });
            }
        }
    }

    pub fn flush(&mut self, conn: usize, to: usize) {
        if !self.passes(conn, to) {
            self.net.stuck.insert((conn, to));
            return;
        }
        for item in std::mem::take(&mut self.net.conns[conn].stuck[to]) {
            self.hand_over(conn, to, item);
        }
    }

    /// The connections that work now.
    pub fn working(&self) -> Vec<usize> {
        let all: BTreeMap<usize, ()> = self
            .nodes
            .iter()
            .flat_map(|node| node.links.values().map(|(conn, _)| (*conn, ())))
            .collect();
        all.into_keys()
            .filter(|conn| self.net.conns[*conn].ends.iter().all(|end| end.open))
            .collect()
    }
}
