//! Writing an RDB: what stands around the keys, in the order in which stock writes it, and the checksum at the end.

use std::io::{self, Write};

use super::VERSION;
use super::encode::Encoder;
use super::load::op;
use crate::config::REDIS_VERSION;
use crate::eviction::Policy;
use crate::keyspace::Record;
use crate::persistence::crc64::crc64;

/// Bytes gathered before they are handed to the sink.
const CHUNK: usize = 64 * 1024;

/// What an RDB says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdbAux {
    /// Unix time in milliseconds of the cut.
    pub now_ms: u64,
    /// Bytes of memory in use.
    pub used_memory: u64,
    /// The place in a replication history that the data are of; `None` if there is none.
    pub history: Option<RdbHistory>,
    /// `rdbcompression`.
    pub compress: bool,
    /// `rdbchecksum`.
    pub checksum: bool,
    /// `maxmemory-policy`: with those of LRU and LFU it is written when, or how often, keys are accessed.
    pub policy: Policy,
}

/// AUX `repl-id` and `repl-offset`. Database 0 is the one that the stream has selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RdbHistory {
    pub id: String,
    /// Bytes of the stream up to the cut.
    pub offset: u64,
}

/// How much was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RdbTotals {
    pub keys: u64,
    pub bytes: u64,
}

/// Writes one RDB.
pub struct RdbWriter<'a> {
    sink: &'a mut dyn Write,
    encoder: Encoder,
    crc: Option<u64>,
    totals: RdbTotals,
    policy: Policy,
    now_ms: u64,
}

impl<'a> RdbWriter<'a> {
    /// Begins with the header.
    pub fn new(sink: &'a mut dyn Write, aux: &RdbAux) -> Self {
        let mut writer = Self {
            sink,
            encoder: Encoder::new(aux.compress),
            crc: aux.checksum.then_some(0),
            totals: RdbTotals::default(),
            policy: aux.policy,
            now_ms: aux.now_ms,
        };
        let signature = format!("REDIS{VERSION:04}");
        writer.encoder.out.extend_from_slice(signature.as_bytes());
        writer.aux("redis-ver", REDIS_VERSION);
        writer.aux("redis-bits", &usize::BITS.to_string());
        writer.aux("ctime", &(aux.now_ms / 1000).to_string());
        writer.aux("used-mem", &aux.used_memory.to_string());
        if let Some(history) = &aux.history {
            writer.aux("repl-stream-db", "0");
            writer.aux("repl-id", &history.id);
            writer.aux("repl-offset", &history.offset.to_string());
        }
        writer.aux("aof-base", "0");
        writer
    }

    /// Writes the code of a library of functions. Comes before the database.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn function_library(&mut self, code: &[u8]) -> io::Result<()> {
        self.encoder.out.push(op::FUNCTION2);
        self.encoder.string(code);
        if self.encoder.out.len() >= CHUNK {
            self.flush()?;
        }
        Ok(())
    }

    /// Begins database 0, which will have this many keys; with none it is left out.
    pub fn database(&mut self, keys: usize, expiring: usize) {
        if keys > 0 {
            self.encoder.out.push(op::SELECT_DB);
            self.encoder.length(0);
            self.encoder.out.push(op::RESIZE_DB);
            self.encoder.length(keys as u64);
            self.encoder.length(expiring as u64);
        }
    }

    /// Writes a key.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn key(&mut self, record: Record<'_>) -> io::Result<()> {
        if let Some(expiry) = record.expiry {
            self.encoder.out.push(op::EXPIRE_MS);
            self.encoder.out.extend_from_slice(&expiry.to_le_bytes());
        }
        if self.policy.is_lru() {
            self.encoder.out.push(op::IDLE);
            self.encoder.length(record.idle_s(self.now_ms));
        }
        if self.policy.is_lfu() {
            let frequency = record.frequency(self.now_ms);
            self.encoder.out.extend_from_slice(&[op::FREQ, frequency]);
        }
        self.encoder.out.push(Encoder::kind(record.value));
        self.encoder.string(record.key);
        self.encoder.value(record.value);
        self.totals.keys += 1;
        if self.encoder.out.len() >= CHUNK {
            self.flush()?;
        }
        Ok(())
    }

    /// Ends the file with its checksum.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn finish(mut self) -> io::Result<RdbTotals> {
        self.encoder.out.push(op::EOF);
        self.flush()?;
        // Zero says that there is none.
        let sum = self.crc.unwrap_or(0).to_le_bytes();
        self.sink.write_all(&sum)?;
        self.totals.bytes += sum.len() as u64;
        self.sink.flush()?;
        Ok(self.totals)
    }

    fn aux(&mut self, name: &str, value: &str) {
        self.encoder.out.push(op::AUX);
        self.encoder.string(name.as_bytes());
        self.encoder.string(value.as_bytes());
    }

    fn flush(&mut self) -> io::Result<()> {
        let out = &mut self.encoder.out;
        self.crc = self.crc.map(|crc| crc64(crc, out));
        self.sink.write_all(out)?;
        self.totals.bytes += out.len() as u64;
        out.clear();
        // The buffer of one huge value is not kept for all that follow.
        out.shrink_to(2 * CHUNK);
        Ok(())
    }
}
