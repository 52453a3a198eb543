//! What a connection does besides running commands: waiting in one that blocks, and leaving as a replica.

use std::net::TcpStream;
use std::os::fd::AsFd;
use std::task::Poll;
use std::time::{Duration, Instant};

use slotcore::resp::ReplyWriter;

use super::connection::Connection;
use crate::admin::clients::Unblock;
use crate::log;
use crate::node::unix_ms;
use crate::replication::primary::{Arrival, SyncRequest};
use crate::session::{Blocked, BlockedFor, ReplyMode};

/// A client that waits may send so many bytes ahead.
const MAX_AHEAD: usize = 64 * 1024;

impl Connection {
    /// Waits for what the command waits for, and then replies. Takes in what the client sends meanwhile, so that its end
    /// is noticed. `Ready` when there is something else to do.
    pub(super) fn wait_blocked(&mut self, blocked: Blocked, chunk: &mut [u8]) -> Poll<()> {
        let now = unix_ms();
        let mut why = self.session.client.take_ending();
        let out_of_time = blocked.until_ms.is_some_and(|until| until <= now);
        if why.is_some() || out_of_time || self.is_fulfilled(&blocked) {
            // Somebody may have ended it since, or does so now: then it was not the time.
            why = why.or_else(|| self.session.client.finish_wait());
            self.timer = None;
            self.end_block(&blocked, why);
            return Poll::Ready(());
        }
        // The alarm's clock and this one may be a little apart: then it is set again.
        self.timer = blocked
            .until_ms
            .map(|until| Instant::now() + Duration::from_millis(until - now));
        if self.partial.len() >= MAX_AHEAD {
            return Poll::Pending;
        }
        match self.socket.read(chunk) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(read)) if read > 0 => self.partial.extend_from_slice(&chunk[..read]),
            Poll::Ready(_) => self.session.closing = true,
        }
        Poll::Ready(())
    }

    fn is_fulfilled(&self, blocked: &Blocked) -> bool {
        match blocked.reason {
            BlockedFor::Replicas { count, offset } => self.node.replication.replicas.acked(offset) >= count,
            // Whoever makes a key ready ends the wait.
            BlockedFor::Keys(_) => false,
        }
    }

    /// Nobody is to look for this connection any more. Its wait has ended.
    pub(super) fn stop_waiting(&self, blocked: &Blocked) {
        match &blocked.reason {
            BlockedFor::Replicas { .. } => self.node.replication.replicas.forget_waiter(&self.session.client),
            BlockedFor::Keys(waiter) => waiter.leave(self.node),
        }
    }

    /// Writes the reply that the command owes.
    fn end_block(&mut self, blocked: &Blocked, why: Option<Unblock>) {
        self.stop_waiting(blocked);
        self.session.client.touched(unix_ms());
        self.session.blocked = None;
        self.resume = true;
        let mut out = Vec::new();
        let mut writer = ReplyWriter::new(&mut out, self.session.proto);
        match (why, &blocked.reason) {
            (Some(Unblock::Error), _) => {
                writer.error(b"UNBLOCKED client unblocked via CLIENT UNBLOCK");
            }
            (Some(Unblock::RoleChanged), _) => {
                writer.error(
                    b"UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
                );
                self.session.closing = true;
            }
            (Some(Unblock::Redirected(text)), _) => writer.error(text.as_bytes()),
            (
                Some(Unblock::Served {
                    reply, write_offset, ..
                }),
                _,
            ) => {
                writer.raw(&reply);
                self.session.write_offset = self.session.write_offset.max(write_offset);
            }
            (Some(Unblock::Timeout) | None, BlockedFor::Replicas { offset, .. }) => {
                writer.integer(self.node.replication.replicas.acked(*offset) as i64);
            }
            (Some(Unblock::Timeout) | None, BlockedFor::Keys(_)) => writer.nil_array(),
        }
        match self.session.reply_mode {
            ReplyMode::On => self.send(&out),
            // CLIENT REPLY SKIP was for this command, and has been spent when it began.
            ReplyMode::Off | ReplyMode::Skip | ReplyMode::SkipNext => {}
        }
        self.publish();
    }

    /// Gives the socket to the replication thread; false, with an error for the client, if that cannot be.
    pub(super) fn hand_over(&mut self, request: SyncRequest) -> bool {
        let stream = match self.socket.as_fd().try_clone_to_owned() {
            Ok(socket) => TcpStream::from(socket),
            Err(error) => {
                log::warning(format_args!("Can't hand a replica's socket over: {error}"));
                self.session.closing = true;
                return false;
            }
        };
        let arrival = Arrival {
            stream,
            client: self.session.client.clone(),
            terms: self
                .session
                .replica
                .take()
                .map(|terms| *terms)
                .unwrap_or_default(),
            request,
            rest: std::mem::take(&mut self.partial),
        };
        self.handed_over = self.node.replication.hand_over(self.node, arrival).is_ok();
        if !self.handed_over {
            self.session.closing = true;
        }
        self.handed_over
    }
}
