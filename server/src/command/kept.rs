//! A command that is kept beyond its buffer: queued by MULTI, or waiting for a key.

use slotcore::command::CommandSpec;
use slotcore::resp::{ArgRange, Args};

/// The command, its arguments copied.
pub struct Kept {
    pub spec: &'static CommandSpec,
    bytes: Box<[u8]>,
    args: Box<[ArgRange]>,
}

impl Kept {
    pub fn new(spec: &'static CommandSpec, args: Args<'_>) -> Self {
        Self::of(spec, args.iter())
    }

    /// The same of arguments that are not as the client wrote them.
    pub fn of<'a>(spec: &'static CommandSpec, args: impl ExactSizeIterator<Item = &'a [u8]> + Clone) -> Self {
        let mut bytes = Vec::with_capacity(args.clone().map(<[u8]>::len).sum());
        let mut ranges = Vec::with_capacity(args.len());
        for arg in args {
            let start = bytes.len() as u32;
            bytes.extend_from_slice(arg);
            ranges.push(ArgRange {
                start,
                end: bytes.len() as u32,
            });
        }
        Self {
            spec,
            bytes: bytes.into(),
            args: ranges.into(),
        }
    }

    pub fn args(&self) -> Args<'_> {
        Args::new(&self.bytes, &self.args)
    }

    /// Bytes of the arguments.
    pub fn text_len(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes that it takes.
    pub fn held_bytes(&self) -> usize {
        self.bytes.len() + size_of_val(&*self.args)
    }
}
