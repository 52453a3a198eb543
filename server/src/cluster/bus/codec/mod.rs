//! Messages of the bus as bytes, laid out as redis-server 7.0 lays them out. All numbers are in network byte order.
//!
//! ```text
//!   link ──▶ frame_len ──▶ frame ──▶ decode ──▶ Message      encode ──▶ link
//!              │ Err: where the next message begins      │ Err, Ok(None): this message is ignored,
//!              ▼ is lost; the link has to end            ▼ the next one is read
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `header` | the 2256 bytes that every message begins with |
//! | `body` | what follows them: gossip and extensions, names, slots, published text |
//! | `error` | [`CodecError`] |
//!
//! # What is malformed
//!
//! As in stock, a wrong signature and a length that no message has end the link: [`frame_len`] finds them in the first
//! eight bytes. A message whose parts do not add up to its length is logged by stock at most, and its link lives on:
//! the next message's beginning is known, and a peer that is newer than we are may have reasons. [`decode`] returns an
//! error for such a message, and for one whose sender or primary has a name that is none; the host does as stock does.
//! Types, protocol versions and extensions that are not known here are no errors.

mod body;
mod error;
mod header;
#[cfg(test)]
mod tests;

pub use error::{CodecError, Malformed};

use crate::cluster::message::Message;

/// Bytes of the header, and so of the shortest message.
pub const HEADER_LEN: usize = 2256;
/// Bytes of the longest message that is taken: more than heartbeats need that tell of 65535 nodes. Stock has no such
/// limit; what is published in longer messages ends the link on which it comes, and does not reach this node.
pub const MAX_FRAME: usize = 64 << 20;

const SIGNATURE: &[u8; 4] = b"RCmb";
const VERSION: u16 = 1;

/// Appends a message to `out`; nothing if it publishes more than the 4 GiB that a message can be long.
pub fn encode(message: &Message, out: &mut Vec<u8>) {
    let start = out.len();
    header::write(message, out);
    body::write(&message.body, out);
    match u32::try_from(out.len() - start) {
        Ok(len) => out[start + header::TOTAL_LEN..][..4].copy_from_slice(&len.to_be_bytes()),
        Err(_) => out.truncate(start),
    }
}

/// How long the message is that `bytes` begins with; `None` if there are too few of them to tell. A peer can claim any
/// length up to [`MAX_FRAME`]: memory for it should be taken as it comes.
///
/// # Errors
/// This is no message of the bus, or longer than [`MAX_FRAME`]: the link has to end.
pub fn frame_len(bytes: &[u8]) -> Result<Option<usize>, CodecError> {
    let Some((first, _)) = bytes.split_first_chunk::<8>() else {
        // A peer of another protocol may never send eight bytes.
        let known = bytes.len().min(SIGNATURE.len());
        return match bytes[..known] == SIGNATURE[..known] {
            true => Ok(None),
            false => Err(CodecError::new(0, Malformed::Signature)),
        };
    };
    let [signature @ .., a, b, c, d] = first;
    if signature != SIGNATURE {
        return Err(CodecError::new(0, Malformed::Signature));
    }
    match u32::from_be_bytes([*a, *b, *c, *d]) as usize {
        len @ HEADER_LEN..=MAX_FRAME => Ok(Some(len)),
        _ => Err(CodecError::new(header::TOTAL_LEN, Malformed::Length)),
    }
}

/// Reads a message from all of its bytes. `None`: its type or version is not known here, or it is for modules.
///
/// # Errors
/// It contradicts itself; it is to be ignored.
pub fn decode(frame: &[u8]) -> Result<Option<Message>, CodecError> {
    if frame_len(frame)? != Some(frame.len()) {
        return Err(CodecError::new(header::TOTAL_LEN, Malformed::Length));
    }
    let (head, rest) = frame
        .split_first_chunk()
        .ok_or(CodecError::new(header::TOTAL_LEN, Malformed::Length))?;
    if header::version(head) != VERSION {
        return Ok(None);
    }
    let Some(body) = body::read(head, rest)? else {
        return Ok(None);
    };
    let header = header::read(head)?;
    Ok(Some(Message { header, body }))
}
