//! The file that holds an RDB until it has come whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::node::unix_ms;

/// A file without a name: however this ends, nothing is left behind.
#[derive(Debug)]
pub struct Spool(File);

impl Spool {
    /// An empty one in the working directory.
    ///
    /// # Errors
    /// The directory cannot be written to.
    pub fn new() -> io::Result<Self> {
        let name = format!("temp-{}.{}.rdb", unix_ms(), process::id());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&name)?;
        fs::remove_file(&name)?;
        Ok(Self(file))
    }

    /// Adds to its end.
    ///
    /// # Errors
    /// The disk is full, or broken.
    pub fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Its contents from the start on; reading fails once `abort` is set.
    ///
    /// # Errors
    /// The disk is broken.
    pub fn rewind(&mut self, abort: Arc<AtomicBool>) -> io::Result<impl Read + '_> {
        self.0.seek(SeekFrom::Start(0))?;
        Ok(io::BufReader::with_capacity(
            256 * 1024,
            Abortable {
                source: &mut self.0,
                abort,
            },
        ))
    }
}

struct Abortable<'a> {
    source: &'a mut File,
    abort: Arc<AtomicBool>,
}

impl Read for Abortable<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.abort.load(Relaxed) {
            return Err(io::Error::other("the load is not wanted any more"));
        }
        self.source.read(into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_in_comes_out_until_it_is_aborted() {
        let mut spool = Spool::new().unwrap();
        spool.push(b"REDIS").unwrap();
        spool.push(b"0010").unwrap();
        let abort = Arc::new(AtomicBool::new(false));
        for _ in 0..2 {
            let mut text = String::new();
            spool
                .rewind(abort.clone())
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            assert_eq!(text, "REDIS0010");
        }
        abort.store(true, Relaxed);
        assert!(spool.rewind(abort).unwrap().read(&mut [0]).is_err());
    }
}
