//! What waits for the socket of a connection: messages that were taken from its mailbox, then replies, then what is in the
//! mailbox. Messages are written without a copy, as many at once as the socket takes.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::task::{Poll, ready};

use super::connection::Connection;
use crate::pubsub::{Frame, SLICES_PER_FRAME};

/// Messages written at once.
const FRAMES_AT_ONCE: usize = 64;

impl Connection {
    /// Writes what waits, as far as it had come when this began: whoever is flooded with messages must be able to say that
    /// it wants no more. `Pending`: the socket takes no more.
    pub(super) fn write_output(&mut self) -> Poll<io::Result<()>> {
        if !self.frames.is_empty() {
            ready!(self.write_frames())?;
        }
        if !self.unsent.is_empty() {
            ready!(self.write_unsent())?;
        }
        if self.has_messages()
            && let Some(subscriber) = &self.session.subscriber
        {
            subscriber.take(&mut self.frames);
            return self.write_frames();
        }
        Poll::Ready(Ok(()))
    }

    /// Are there messages that no write has been tried for?
    pub(super) fn has_messages(&self) -> bool {
        let subscriber = self.session.subscriber.as_ref();
        subscriber.is_some_and(|subscriber| subscriber.has_mail())
    }

    /// Writes the messages that were taken.
    fn write_frames(&mut self) -> Poll<io::Result<()>> {
        let proto = self.session.proto;
        let Some(subscriber) = &self.session.subscriber else {
            return Poll::Ready(Ok(()));
        };
        while !self.frames.is_empty() {
            let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(FRAMES_AT_ONCE * SLICES_PER_FRAME);
            let mut sent = self.frame_sent;
            for frame in self.frames.iter().take(FRAMES_AT_ONCE) {
                frame.slices(proto, std::mem::take(&mut sent), &mut slices);
            }
            let len = slices.iter().map(|slice| slice.len()).sum();
            let taken = ready!(self.socket.write_vectored(&slices, len))?;
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
            self.frames = VecDeque::new();
        }
        Poll::Ready(Ok(()))
    }
}
