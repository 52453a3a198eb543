//! A snapshot: the data of one moment as an RDB, written while commands go on. No fork, no second copy of the data: see
//! `keyspace::cut` for how the state of the moment is kept.

use std::io::{self, Write};

use crate::keyspace::{Cut, Keyspace, Records};
use crate::persistence::rdb::{RdbAux, RdbTotals, RdbWriter};

/// A snapshot is being taken already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a snapshot is being taken already")]
pub struct Busy;

/// The data of one moment, not yet written. Dropped unwritten, it costs a walk over the keyspace.
pub struct Snapshot {
    cut: Cut<'static>,
    functions: Vec<Box<[u8]>>,
}

/// Cuts. `at_cut` runs while every slot is locked, so nothing is written before it returns: it reads the offset that the
/// snapshot is exact for. It must lock no slot.
///
/// # Errors
/// Only one snapshot can be under way.
pub fn begin<T>(keyspace: &'static Keyspace, at_cut: impl FnOnce() -> T) -> Result<(Snapshot, T), Busy> {
    let (cut, result) = keyspace.cut(at_cut).ok_or(Busy)?;
    let functions = Vec::new();
    Ok((Snapshot { cut, functions }, result))
}

impl Snapshot {
    /// Keys in it, expired ones included.
    pub fn keys(&self) -> usize {
        self.cut.keys()
    }

    /// The codes of the libraries of functions that there were at that moment.
    pub fn set_functions(&mut self, codes: Vec<Box<[u8]>>) {
        self.functions = codes;
    }

    /// Writes it as an RDB. It runs at the pace of the sink, which may block: commands do not wait for it.
    ///
    /// # Errors
    /// Those of the sink. The next snapshot can begin all the same.
    pub fn write(mut self, aux: &RdbAux, sink: &mut dyn Write) -> io::Result<RdbTotals> {
        let mut writer = RdbWriter::new(sink, aux);
        for code in &self.functions {
            writer.function_library(code)?;
        }
        writer.database(self.cut.keys(), self.cut.expiring());
        let mut records = Records::default();
        while self.cut.next(&mut records) {
            for record in records.iter() {
                writer.key(record)?;
            }
        }
        writer.finish()
    }
}
