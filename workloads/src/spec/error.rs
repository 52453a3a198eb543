//! What is wrong with a workload, and where.

use std::fmt;

/// A workload that cannot be used: which file, which line, which key, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    /// The file as the user named it, `built-in NAME`, or empty when a flag of the command line is at fault.
    pub file: String,
    /// From 1; `None` when no line of the file is to blame, e.g. for a key that is missing.
    pub line: Option<usize>,
    /// The key with its section (`traffic.theta`), or the flag that set it (`--keyspace`).
    pub key: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:", self.file)?;
            if let Some(line) = self.line {
                write!(f, "{line}:")?;
            }
            f.write_str(" ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for SpecError {}
