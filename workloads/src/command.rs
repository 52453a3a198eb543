//! The commands that a mix may hold, and their frames, laid out once so that encoding is copying.

use std::ops::Range;

use crate::keys::{KeyFormat, KeyId};
use crate::spec::MixEntry;
use crate::values::Values;

/// How many keys a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    One,
    Many,
}

/// One command a mix may hold.
#[derive(Debug)]
pub struct Kind {
    /// In upper case.
    pub name: &'static str,
    pub arity: Arity,
    /// Whether each key is followed by a value.
    pub value: bool,
    pub write: bool,
}

const fn reads(name: &'static str, arity: Arity) -> Kind {
    Kind {
        name,
        arity,
        value: false,
        write: false,
    }
}

const KINDS: &[Kind] = &[
    reads("GET", Arity::One),
    Kind {
        name: "SET",
        arity: Arity::One,
        value: true,
        write: true,
    },
    reads("MGET", Arity::Many),
    Kind {
        name: "MSET",
        arity: Arity::Many,
        value: true,
        write: true,
    },
    Kind {
        name: "DEL",
        arity: Arity::Many,
        value: false,
        write: true,
    },
    Kind {
        name: "UNLINK",
        arity: Arity::Many,
        value: false,
        write: true,
    },
    reads("EXISTS", Arity::Many),
    reads("TOUCH", Arity::Many),
    reads("STRLEN", Arity::One),
    reads("GETRANGE", Arity::One),
    reads("TYPE", Arity::One),
    reads("TTL", Arity::One),
    Kind {
        name: "EXPIRE",
        arity: Arity::One,
        value: false,
        write: true,
    },
    Kind {
        name: "GETSET",
        arity: Arity::One,
        value: true,
        write: true,
    },
    Kind {
        name: "APPEND",
        arity: Arity::One,
        value: true,
        write: true,
    },
];

/// Looks a command up, case ignored.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(name))
}

/// All commands that a mix may hold.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// One entry of a mix, compiled.
#[derive(Debug)]
pub struct Command {
    kind: &'static Kind,
    keys: u32,
    split: bool,
    fill: bool,
    /// The frame with 1 key, with 2 keys, ...; without `split` only the one with all keys.
    frames: Vec<Frame>,
}

/// Bytes of a command with the template of a key wherever one goes, and after each piece, if wanted, a value.
#[derive(Debug, Default)]
struct Frame {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
struct Piece {
    /// Within the bytes of the frame.
    bytes: Range<usize>,
    /// Where keys go, counted from the start of the piece.
    keys_at: Vec<usize>,
    value_after: bool,
}

impl Command {
    pub(crate) fn new(kind: &'static Kind, entry: &MixEntry, format: &KeyFormat) -> Self {
        let counts = if entry.split {
            1..=entry.keys
        } else {
            entry.keys..=entry.keys
        };
        let frames = counts
            .map(|keys| Frame::new(kind, keys as usize, &entry.args, format.template()))
            .collect();
        Self {
            kind,
            keys: entry.keys,
            split: entry.split,
            fill: entry.fill,
            frames,
        }
    }

    /// In upper case.
    pub fn name(&self) -> &'static str {
        self.kind.name
    }

    pub fn is_write(&self) -> bool {
        self.kind.write
    }

    /// Keys of one operation.
    pub fn keys(&self) -> u32 {
        self.keys
    }

    /// Whether one operation is several commands, one for each slot that its keys lie in.
    pub fn is_split(&self) -> bool {
        self.split
    }

    /// Whether a miss is followed by a SET.
    pub(crate) fn fills(&self) -> bool {
        self.fill
    }

    pub(crate) fn has_value(&self) -> bool {
        self.kind.value
    }

    /// Appends the command with these keys. Key number i of an operation gets the value that starts `i` steps after
    /// `value_at`.
    #[inline]
    pub(crate) fn encode(
        &self,
        format: &KeyFormat,
        values: &Values,
        mut keys: impl ExactSizeIterator<Item = KeyId>,
        value: (u32, u32),
        out: &mut Vec<u8>,
    ) {
        let frame = if self.split {
            &self.frames[keys.len() - 1]
        } else {
            &self.frames[0]
        };
        let (mut value_at, value_len) = value;
        for piece in &frame.pieces {
            let start = out.len();
            out.extend_from_slice(&frame.bytes[piece.bytes.clone()]);
            for &at in &piece.keys_at {
                let Some(key) = keys.next() else { break };
                format.write(key, &mut out[start + at..start + at + format.size()]);
            }
            if piece.value_after {
                values.encode(value_at, value_len, out);
                value_at = value_at.wrapping_add(Values::STEP);
            }
        }
    }
}

impl Frame {
    fn new(kind: &Kind, keys: usize, args: &[String], template: &[u8]) -> Self {
        let argc = 1 + keys * (1 + usize::from(kind.value)) + args.len();
        let mut frame = Self::default();
        let mut start = 0;
        let mut keys_at = Vec::new();
        frame.bytes.extend_from_slice(format!("*{argc}\r\n").as_bytes());
        frame.bulk(kind.name.as_bytes());
        for _ in 0..keys {
            frame
                .bytes
                .extend_from_slice(format!("${}\r\n", template.len()).as_bytes());
            keys_at.push(frame.bytes.len() - start);
            frame.bytes.extend_from_slice(template);
            frame.bytes.extend_from_slice(b"\r\n");
            if kind.value {
                let bytes = start..frame.bytes.len();
                frame.pieces.push(Piece {
                    bytes,
                    keys_at: std::mem::take(&mut keys_at),
                    value_after: true,
                });
                start = frame.bytes.len();
            }
        }
        for arg in args {
            frame.bulk(arg.as_bytes());
        }
        if start < frame.bytes.len() {
            frame.pieces.push(Piece {
                bytes: start..frame.bytes.len(),
                keys_at,
                value_after: false,
            });
        }
        frame
    }

    fn bulk(&mut self, bytes: &[u8]) {
        self.bytes
            .extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
        self.bytes.extend_from_slice(bytes);
        self.bytes.extend_from_slice(b"\r\n");
    }
}
