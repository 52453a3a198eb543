//! Complaints go to stderr and results to stdout; a closed pipe on either is the reader's choice, not an error.

use std::io::{self, Write};

/// One line on stderr, said even with `--quiet`: an error or a warning.
pub fn complain(line: impl std::fmt::Display) {
    // Nobody is left to be told that stderr is closed.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Writes a result to stdout. A reader that has gone away (`| head`) is no error; a full disk is.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
