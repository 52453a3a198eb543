//! Reading: the end of an operation is here, and is kept short.

use std::io::ErrorKind;

use mio::event::Event;
use slotcore::resp::{ReplyKind, Scanned};

use super::super::connection::{ALONE, Kind, Sent, State};
use super::super::routes::NodeNo;
use super::super::writes::NO_TICKET;
use super::Worker;
use super::sequel::ReplyClass;
use super::stage::Stage;
use super::trouble::Trouble;

/// What is made of a WAIT that did not reach as many replicas as were asked for.
const TOO_FEW_REPLICAS: &[u8] = b"NOREPLICAS WAIT found too few replicas that have the write";

impl Worker<'_> {
    pub(super) fn on_event(&mut self, event: &Event) {
        let number = event.token().0;
        let Some(connection) = self.connections.get_mut(number) else {
            return;
        };
        if connection.state == State::Connecting && (event.is_writable() || event.is_error()) {
            self.on_connected(number);
        }
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            self.read_replies(number, event.is_read_closed());
        }
        // Nearly every event says so too; only after a write that was cut short does it matter.
        if event.is_writable() && self.connections[number].unblock() {
            self.write(number);
        }
    }

    fn read_replies(&mut self, number: usize, to_the_end: bool) {
        let mut input = std::mem::take(&mut self.input);
        loop {
            let connection = &mut self.connections[number];
            if connection.state != State::Open {
                break;
            }
            let got = match connection.read(&mut input) {
                Ok(Some(got)) => got,
                Ok(None) => break,
                Err(error) => {
                    let why = match error.kind() {
                        ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
                        _ => error.to_string(),
                    };
                    self.on_broken(number, &why);
                    break;
                }
            };
            self.tally.bytes_in += got as u64;
            if let Err(why) = self.take_bytes(number, &input[..got]) {
                if self.stage == Stage::Connecting {
                    let node = &self.routes.nodes()[self.connections[number].node].at;
                    self.fatal = Some(format!("{node}: {why}"));
                }
                self.on_broken(number, &why);
                break;
            }
            // A read that did not fill the buffer has emptied the socket, unless its end is waiting behind that.
            if got < input.len() && !to_the_end {
                break;
            }
        }
        self.input = input;
    }

    fn take_bytes(&mut self, number: usize, bytes: &[u8]) -> Result<(), String> {
        let connection = &mut self.connections[number];
        if connection.partial.is_empty() {
            let consumed = self.take_replies(number, bytes)?;
            self.connections[number]
                .partial
                .extend_from_slice(&bytes[consumed..]);
        } else {
            let mut joined = std::mem::take(&mut connection.partial);
            joined.extend_from_slice(bytes);
            let consumed = self.take_replies(number, &joined)?;
            joined.drain(..consumed);
            self.connections[number].partial = joined;
        }
        Ok(())
    }

    /// Takes every complete reply, and says how many bytes they were.
    fn take_replies(&mut self, number: usize, bytes: &[u8]) -> Result<usize, String> {
        let now_ns = self.job.clock.now_ns();
        self.recorder.advance(now_ns);
        let (client, node) = (self.connections[number].client, self.connections[number].node);
        let mut at = 0;
        let mut ended: u32 = 0;
        while at < bytes.len() {
            let connection = &mut self.connections[number];
            let scanned = match connection.scanner.scan(&bytes[at..]) {
                Ok(Some(scanned)) => scanned,
                Ok(None) => break,
                Err(error) => return Err(format!("a reply that is none: {error}")),
            };
            at += scanned.consumed;
            if scanned.kind == ReplyKind::Push {
                continue;
            }
            let Some(mut sent) = connection.due.pop_front() else {
                return Err(unasked(&scanned));
            };
            let mut error = error_of(&scanned);
            if self.job.wait.is_some()
                && sent.kind == Kind::Op
                && let Some(wait) = connection.due.front_mut().filter(|next| next.kind == Kind::Wait)
            {
                if error.is_none() {
                    // What WAIT answers decides.
                    continue;
                }
                wait.kind = Kind::Asking;
            }
            if sent.kind == Kind::Wait {
                sent.kind = Kind::Op;
                error = error.or((!self.job.has_enough(scanned.line)).then_some(TOO_FEW_REPLICAS));
            }
            let reply = ReplyClass::of(&self.job.workload, &sent, &scanned);
            if sent.kind != Kind::Op || sent.group != ALONE || error.is_some() {
                let error = error.map(<[u8]>::to_vec);
                self.troubles.push(Trouble {
                    sent,
                    client,
                    node,
                    connection: number,
                    error,
                    reply,
                    now_ns,
                });
                continue;
            }
            let reads_cache = self.job.workload.fills(&sent.op);
            // What follows a miss takes its place in the window.
            let fills = reads_cache && reply.is_miss && self.stage != Stage::Draining;
            if !fills && !self.follow(client, &sent, reply, now_ns) {
                ended += 1;
            }
            if sent.ticket != NO_TICKET {
                self.acknowledge(&sent, now_ns);
            } else if let (Some(staleness), Some(writes)) = (&mut self.staleness, &self.writes)
                && sent.measured
            {
                if self.routes.replicas(sent.slot).contains(&node) {
                    staleness.answered(sent.op.key(), scanned.body, sent.start_ns, writes);
                } else {
                    staleness.answered_by_primary();
                }
            }
            if sent.measured {
                self.succeed(&sent, node, sent.start_ns, now_ns);
                self.recorder.count_slot(sent.slot);
                self.count_reply(&sent, reply);
                if reads_cache {
                    self.recorder.count_cached(reply.is_miss);
                }
            }
            if fills {
                self.start(client, self.job.workload.fill_op(&sent.op), sent.measured, 0);
            }
        }
        if ended > 0 {
            self.clients[client as usize].outstanding -= ended;
            self.under_way -= u64::from(ended);
            self.note_room(client);
        }
        if !self.connections[number].waiting.is_empty() {
            self.pump(number);
        }
        Ok(at)
    }
}

impl Worker<'_> {
    /// Records a successful operation, whose first byte was written at `start_ns`.
    #[inline]
    pub(super) fn succeed(&mut self, sent: &Sent, node: NodeNo, start_ns: u64, now_ns: u64) {
        let service_ns = now_ns.saturating_sub(start_ns);
        self.recorder.record(sent.op.command(), node, service_ns);
        let mut latency_ns = service_ns;
        if sent.due_ns != 0 {
            latency_ns = now_ns.saturating_sub(sent.due_ns);
            self.recorder
                .record_response(sent.op.command(), node, service_ns, latency_ns);
        }
        if let Some(shards) = &mut self.shards {
            // A split operation counts in the shard of the part that ended it.
            let is_write = self.job.workload.is_write(&sent.op);
            shards.succeeded(sent.slot, is_write, now_ns, latency_ns);
        }
        self.tally.ops += 1;
    }

    /// Counts what the reply of a successful operation was.
    #[inline]
    pub(super) fn count_reply(&mut self, sent: &Sent, reply: ReplyClass) {
        if reply.is_miss {
            self.recorder.count_miss();
        }
        if let Some(counter) = reply.counter() {
            self.recorder.count_reply(sent.op.command(), counter);
        }
    }

    /// Notes that a write of which a record is kept has been acknowledged.
    pub(super) fn acknowledge(&mut self, sent: &Sent, now_ns: u64) {
        if self.is_sequel(sent) {
            self.holds.released(sent.ticket, now_ns);
            return;
        }
        if let Some(writes) = &mut self.writes {
            writes.acknowledged(sent.ticket, now_ns);
        }
        if let Some(staleness) = &mut self.staleness {
            staleness.acknowledged(sent.op.key(), sent.ticket);
        }
    }
}

/// What a server says unasked is why it will not serve us: too many clients, protected mode.
#[cold]
fn unasked(scanned: &Scanned<'_>) -> String {
    match scanned.kind {
        ReplyKind::Error => format!("the server says: {}", String::from_utf8_lossy(scanned.line)),
        _ => "a reply to nothing".to_owned(),
    }
}

#[inline]
fn error_of<'a>(scanned: &Scanned<'a>) -> Option<&'a [u8]> {
    match scanned.kind {
        ReplyKind::Error => Some(scanned.line),
        _ => scanned.nested_error,
    }
}
