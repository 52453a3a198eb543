//! A message on its way to a client. RESP2 and RESP3 differ in its first byte only, so one encoding serves everybody.

use std::io::IoSlice;
use std::sync::Arc;

use slotcore::resp::{Proto, encode_bulk};

/// What a frame begins with, behind its first byte.
#[derive(Clone, Debug)]
enum Head {
    Fixed(&'static [u8]),
    Shared(Arc<[u8]>),
    /// None: the tail is a line of its own.
    Line,
}

/// A message, encoded. A copy shares the bytes.
#[derive(Clone, Debug)]
pub struct Frame {
    head: Head,
    tail: Arc<[u8]>,
}

/// Slices that [`Frame::slices`] may add.
pub const SLICES_PER_FRAME: usize = 3;

impl Frame {
    /// The part of a message that is the same for all its receivers: the channel and the payload.
    pub fn message_tail(channel: &[u8], payload: &[u8]) -> Arc<[u8]> {
        let mut tail = Vec::with_capacity(channel.len() + payload.len() + 48);
        encode_bulk(&mut tail, channel);
        encode_bulk(&mut tail, payload);
        tail.into()
    }

    /// `message`, for a subscriber of the channel.
    pub fn message(tail: Arc<[u8]>) -> Self {
        Self::fixed(b"3\r\n$7\r\nmessage\r\n", tail)
    }

    /// `smessage`, for a subscriber of the shard channel.
    pub fn shard_message(tail: Arc<[u8]>) -> Self {
        Self::fixed(b"3\r\n$8\r\nsmessage\r\n", tail)
    }

    /// The head of `pmessage` for all messages that a pattern matches.
    pub fn pattern_head(pattern: &[u8]) -> Arc<[u8]> {
        let mut head = b"4\r\n$8\r\npmessage\r\n".to_vec();
        encode_bulk(&mut head, pattern);
        head.into()
    }

    /// `pmessage`, for a subscriber of a pattern.
    pub fn pattern_message(head: Arc<[u8]>, tail: Arc<[u8]>) -> Self {
        Self {
            head: Head::Shared(head),
            tail,
        }
    }

    /// `sunsubscribe`, to a client that did not ask for it: the channel's slot is no longer here. `left` shard channels
    /// remain.
    pub fn shard_gone(channel: &[u8], left: usize) -> Self {
        let mut tail = Vec::with_capacity(channel.len() + 40);
        encode_bulk(&mut tail, channel);
        tail.extend_from_slice(format!(":{left}\r\n").as_bytes());
        Self::fixed(b"3\r\n$12\r\nsunsubscribe\r\n", tail.into())
    }

    /// A frame of a head that is always the same, from behind its first byte.
    pub fn fixed(head: &'static [u8], tail: Arc<[u8]>) -> Self {
        Self {
            head: Head::Fixed(head),
            tail,
        }
    }

    /// A line, as MONITOR sends them: the same in either protocol. `text` has its end.
    pub fn line(text: Arc<[u8]>) -> Self {
        Self {
            head: Head::Line,
            tail: text,
        }
    }

    fn head(&self) -> &[u8] {
        match &self.head {
            Head::Line => b"",
            Head::Fixed(head) => head,
            Head::Shared(head) => head,
        }
    }

    /// Bytes on the wire.
    pub fn wire_len(&self) -> usize {
        1 + self.head().len() + self.tail.len()
    }

    /// What it costs its receiver's output limit: its bytes, as if they were not shared, and its place in the queue.
    pub fn cost(&self) -> usize {
        self.wire_len() + size_of::<Self>()
    }

    /// Appends it.
    pub fn write(&self, proto: Proto, out: &mut Vec<u8>) {
        out.reserve(self.wire_len());
        out.extend_from_slice(self.first_byte(proto));
        out.extend_from_slice(self.head());
        out.extend_from_slice(&self.tail);
    }

    fn first_byte(&self, proto: Proto) -> &'static [u8] {
        match (&self.head, proto) {
            (Head::Line, _) => b"+",
            (_, Proto::Resp2) => b"*",
            (_, Proto::Resp3) => b">",
        }
    }

    /// Adds the slices of what follows the first `sent` bytes.
    pub fn slices<'a>(&'a self, proto: Proto, mut sent: usize, out: &mut Vec<IoSlice<'a>>) {
        for part in [self.first_byte(proto), self.head(), &self.tail] {
            if sent < part.len() {
                out.push(IoSlice::new(&part[sent..]));
            }
            sent = sent.saturating_sub(part.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(frame: &Frame, proto: Proto) -> String {
        let mut out = Vec::new();
        frame.write(proto, &mut out);
        assert_eq!(out.len(), frame.wire_len());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn frames_are_as_clients_expect_them() {
        let tail = Frame::message_tail(b"ch", b"hello");
        let message = Frame::message(tail.clone());
        assert_eq!(
            text(&message, Proto::Resp3),
            ">3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$5\r\nhello\r\n"
        );
        let by_pattern = Frame::pattern_message(Frame::pattern_head(b"c*"), tail.clone());
        assert_eq!(
            text(&by_pattern, Proto::Resp2),
            "*4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$2\r\nch\r\n$5\r\nhello\r\n"
        );
        assert!(text(&Frame::shard_message(tail), Proto::Resp2).starts_with("*3\r\n$8\r\nsmessage\r\n"));
        assert_eq!(
            text(&Frame::shard_gone(b"q", 2), Proto::Resp3),
            ">3\r\n$12\r\nsunsubscribe\r\n$1\r\nq\r\n:2\r\n"
        );
    }

    #[test]
    fn slices_go_on_where_a_write_has_ended() {
        let frame = Frame::message(Frame::message_tail(b"ch", b"hello"));
        let whole = text(&frame, Proto::Resp2);
        for sent in 0..=frame.wire_len() {
            let mut slices = Vec::new();
            frame.slices(Proto::Resp2, sent, &mut slices);
            let rest: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
            assert_eq!(rest, &whole.as_bytes()[sent..]);
            assert!(slices.len() <= SLICES_PER_FRAME);
        }
    }
}
