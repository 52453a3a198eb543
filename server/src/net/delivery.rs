//! How a subscriber's messages get from its mailbox to its socket: without a copy, as many at once as the socket takes.

use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::connection::Connection;
use crate::pubsub::{Frame, SLICES_PER_FRAME};

/// Messages written at once.
const FRAMES_AT_ONCE: usize = 64;

impl Connection {
    /// Writes messages until there are none; `Pending` while the socket takes no more.
    pub(super) fn poll_deliver(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let Some(subscriber) = &self.session.subscriber else {
            return Poll::Ready(Ok(()));
        };
        let proto = self.session.proto;
        while subscriber.client().queued() > 0 {
            if self.frames.is_empty() {
                subscriber.take(&mut self.frames);
            }
            let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(FRAMES_AT_ONCE * SLICES_PER_FRAME);
            let mut sent = self.frame_sent;
            for frame in self.frames.iter().take(FRAMES_AT_ONCE) {
                frame.slices(proto, std::mem::take(&mut sent), &mut slices);
            }
            if slices.is_empty() {
                // Nothing is kept for a client that was too slow; it ends soon.
                break;
            }
            let taken = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &slices))?;
            if taken == 0 {
                return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
            }
            self.node.stats.worker(self.worker).sent(taken);
            self.frame_sent += taken;
            while let Some(frame) = self.frames.front()
                && self.frame_sent >= Frame::wire_len(frame)
            {
                self.frame_sent -= frame.wire_len();
                subscriber.sent(frame);
                self.frames.pop_front();
            }
        }
        if self.frames.capacity() > FRAMES_AT_ONCE {
            self.frames = Default::default();
        }
        Poll::Ready(Ok(()))
    }
}
