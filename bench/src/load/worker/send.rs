//! Drawing operations into the windows, encoding them, writing them.

use slotcore::Slot;
use workloads::Op;

use super::super::client::NO_LINK;
use super::super::connection::{ALONE, Kind, Sent, State, WHOLE};
use super::super::routes::NodeNo;
use super::super::writes::NO_TICKET;
use super::Worker;
use super::stage::Stage;

impl Worker<'_> {
    /// Puts a client on the list of those with room in their window.
    #[inline]
    pub(super) fn note_room(&mut self, client: u32) {
        let entry = &mut self.clients[client as usize];
        if !entry.has_room {
            entry.has_room = true;
            self.with_room.push(client);
        }
    }

    /// Sends what is to be sent now: what is due in an open loop, what there is room for in a closed one.
    pub(super) fn send_more(&mut self, now_ns: u64) {
        if self.job.open_loop {
            let until_ns = now_ns.min(self.last_due_ns);
            self.issue_due(until_ns);
            self.write_dirty();
        } else {
            self.refill_windows();
        }
    }

    /// Fills the window of every client that has room in it, and writes.
    fn refill_windows(&mut self) {
        let mut clients = std::mem::take(&mut self.with_room);
        for client in clients.drain(..) {
            self.clients[client as usize].has_room = false;
            self.refill(client);
            self.write_dirty();
        }
        if self.with_room.is_empty() {
            self.with_room = clients;
        }
        self.write_dirty();
    }

    fn refill(&mut self, client: u32) {
        loop {
            let entry = &mut self.clients[client as usize];
            if entry.outstanding >= self.job.window {
                return;
            }
            let (op, measured) = match self.stage {
                Stage::WarmingUp => (entry.warmup.as_mut().map(|stream| stream.next_op()), false),
                Stage::Measuring => (entry.source.next(), true),
                Stage::Connecting | Stage::Draining => return,
            };
            let Some(op) = op else { return };
            entry.outstanding += 1;
            self.under_way += 1;
            self.start(client, op, measured, 0);
        }
    }

    /// Sends an operation for the first time: it is encoded, and written when the window is full.
    #[inline]
    pub(super) fn start(&mut self, client: u32, op: Op, measured: bool, due_ns: u64) {
        let slot = op.slot();
        let sent = Sent {
            op,
            start_ns: 0,
            due_ns,
            group: ALONE,
            ticket: self.ticket(&op, measured),
            part: 0,
            slot,
            kind: Kind::Op,
            hops: 0,
            measured,
        };
        if !self.job.workload.is_split(&op) {
            if self.job.read_from_replicas
                && !self.job.workload.is_write(&op)
                && let Some(replica) = self.next_replica(slot)
            {
                self.send_to(client, replica, sent);
            } else {
                self.send(client, sent);
            }
            return;
        }
        self.job.workload.split(&op, &mut self.parts);
        let group = self.groups.open(self.parts.len());
        for part in 0..self.parts.len() {
            let slot = self.parts.slot(part);
            self.push_to(
                client,
                self.routes.owner(slot),
                Sent {
                    group,
                    part: part as u16,
                    slot,
                    ..sent
                },
            );
        }
    }

    /// The replica whose turn it is to be asked about a slot.
    fn next_replica(&mut self, slot: Slot) -> Option<NodeNo> {
        let replicas = self.routes.replicas(slot);
        self.turn_of_replica = self.turn_of_replica.wrapping_add(1);
        replicas
            .get(self.turn_of_replica % replicas.len().max(1))
            .copied()
    }

    /// Takes a write up in the record, if one is kept.
    #[inline]
    fn ticket(&mut self, op: &Op, measured: bool) -> u32 {
        let is_kept = || match self.job.has_receivers {
            false => self.job.workload.is_write(op),
            // What is sent to receivers is known to them by its stamp, and nothing else has one.
            true => self.job.workload.commands()[op.command()].ends_in_value(),
        };
        match &mut self.writes {
            Some(writes) if is_kept() => writes.open(op.key(), measured),
            _ => NO_TICKET,
        }
    }

    /// Sends a command to the owner of its slot.
    #[inline]
    pub(super) fn send(&mut self, client: u32, sent: Sent) {
        self.send_to(client, self.routes.owner(sent.slot), sent);
    }

    /// Sends a command to a node.
    pub(super) fn send_to(&mut self, client: u32, node: NodeNo, sent: Sent) {
        if sent.group != ALONE {
            self.job.workload.split(&sent.op, &mut self.parts);
        }
        self.push_to(client, node, sent);
    }

    /// Sends ASKING and a command to a node.
    pub(super) fn ask(&mut self, client: u32, node: NodeNo, sent: Sent) {
        let number = self.link(client, node);
        let connection = &mut self.connections[number];
        connection.out.extend_from_slice(b"*1\r\n$6\r\nASKING\r\n");
        connection.push(Sent {
            kind: Kind::Asking,
            ..sent
        });
        // Nothing may come between the two, so this one does not wait for room.
        if sent.group != ALONE {
            self.job.workload.split(&sent.op, &mut self.parts);
        }
        self.push(number, sent);
    }

    /// Sends a command to a node, or lets it wait. The parts of a split operation are those in `self.parts`.
    #[inline]
    fn push_to(&mut self, client: u32, node: NodeNo, sent: Sent) {
        let mut number = self.clients[client as usize].link(node);
        if number == NO_LINK {
            number = self.link(client, node);
        }
        if self.must_wait(number, sent) {
            if self.connections[number].state == State::Idle {
                self.connect(number);
            }
            return;
        }
        self.push(number, sent);
    }

    /// Encodes a command into its connection's buffer. The parts of a split operation are those in `self.parts`.
    #[inline]
    pub(super) fn push(&mut self, number: usize, sent: Sent) {
        let connection = &mut self.connections[number];
        let out = &mut connection.out;
        match sent.group {
            ALONE if sent.part == WHOLE => self.job.workload.encode_whole(&sent.op, out),
            ALONE => self.job.workload.encode(&sent.op, out),
            _ => self
                .job
                .workload
                .encode_part(&sent.op, &self.parts, usize::from(sent.part), out),
        }
        if sent.ticket != NO_TICKET && self.has_sequels && self.job.sequels.contains(&sent.op.command()) {
            self.holds.releasing(sent.ticket, self.job.clock.now_ns());
        } else if sent.ticket != NO_TICKET
            && let Some(writes) = &mut self.writes
        {
            // The value is the last argument, with CR and LF behind it.
            let stamp = writes.sent(sent.ticket, self.job.clock.now_ns());
            let value_at = out.len() - 2 - sent.op.value_len();
            out[value_at..value_at + stamp.len()].copy_from_slice(&stamp);
        }
        connection.push(sent);
        if let Some((_, wait)) = &self.job.wait
            && self.job.workload.is_write(&sent.op)
        {
            connection.out.extend_from_slice(wait);
            connection.push(Sent {
                kind: Kind::Wait,
                ..sent
            });
        }
        if !connection.dirty {
            connection.dirty = true;
            self.dirty.push(number);
            if connection.state == State::Idle {
                self.connect(number);
            }
        }
    }

    pub(super) fn write_dirty(&mut self) {
        while let Some(number) = self.dirty.pop() {
            self.connections[number].dirty = false;
            self.write(number);
        }
    }

    /// Writes what a connection has. Its commands start now.
    pub(super) fn write(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        connection.stamp(self.job.clock.now_ns());
        match connection.write() {
            Ok(wrote) => self.tally.bytes_out += wrote as u64,
            Err(error) => self.on_broken(number, &error.to_string()),
        }
    }
}
