//! Bytes of an RDB, with their checksum and their offset.

use std::io::{ErrorKind, Read};

use super::error::RdbError;
use crate::persistence::crc64::crc64;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// Reads ahead by up to [`CHUNK`]: the reader behind it must end where the RDB does.
pub struct Source<'a> {
    reader: &'a mut dyn Read,
    buffer: Box<[u8]>,
    /// What is unread of the buffer.
    unread: std::ops::Range<usize>,
    /// Up to where the checksum counts the buffer.
    summed: usize,
    crc: u64,
    /// Offset of the buffer's start.
    base: u64,
}

impl<'a> Source<'a> {
    pub fn new(reader: &'a mut dyn Read) -> Self {
        Self::with_chunk(reader, CHUNK)
    }

    /// The same with a buffer for so many bytes, if that is less than [`CHUNK`].
    pub fn with_chunk(reader: &'a mut dyn Read, chunk: usize) -> Self {
        Self {
            reader,
            buffer: vec![0; chunk.clamp(1, CHUNK)].into(),
            unread: 0..0,
            summed: 0,
            crc: 0,
            base: 0,
        }
    }

    /// Bytes taken so far.
    pub fn offset(&self) -> u64 {
        self.base + self.unread.start as u64
    }

    /// The checksum of the bytes taken so far.
    pub fn checksum(&mut self) -> u64 {
        self.sum();
        self.crc
    }

    pub fn byte(&mut self) -> Result<u8, RdbError> {
        if self.unread.is_empty() {
            self.fill()?;
        }
        let byte = self.buffer[self.unread.start];
        self.unread.start += 1;
        Ok(byte)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], RdbError> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    /// Appends the next `len` bytes to `into`, which grows as they arrive.
    pub fn take(&mut self, mut len: u64, into: &mut Vec<u8>) -> Result<(), RdbError> {
        while len > 0 {
            if self.unread.is_empty() {
                self.fill()?;
            }
            let here = usize::try_from(len).map_or(self.unread.len(), |len| len.min(self.unread.len()));
            into.extend_from_slice(&self.buffer[self.unread.start..self.unread.start + here]);
            self.unread.start += here;
            len -= here as u64;
        }
        Ok(())
    }

    fn sum(&mut self) {
        self.crc = crc64(self.crc, &self.buffer[self.summed..self.unread.start]);
        self.summed = self.unread.start;
    }

    fn fill(&mut self) -> Result<(), RdbError> {
        self.sum();
        self.base += self.unread.start as u64;
        (self.unread, self.summed) = (0..0, 0);
        let offset = self.base;
        let read = loop {
            match self.reader.read(&mut self.buffer) {
                Ok(read) => break read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(RdbError::Io { offset, error }),
            }
        };
        if read == 0 {
            return Err(RdbError::Truncated { offset });
        }
        self.unread = 0..read;
        Ok(())
    }
}
