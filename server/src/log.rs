//! The log, in redis-server's format: `PID:ROLE 21 Nov 2026 10:00:00.123 * message`.
//!
//! There is one log a process. Harnesses wait for some of its lines, so those are spelt as they expect them.

use chrono::Local;
use parking_lot::RwLock;
use std::fmt::Arguments;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// `.`
    Debug = 0,
    /// `-`
    Verbose = 1,
    /// `*`
    Notice = 2,
    /// `#`
    Warning = 3,
}

impl Level {
    fn mark(self) -> char {
        match self {
            Level::Debug => '.',
            Level::Verbose => '-',
            Level::Notice => '*',
            Level::Warning => '#',
        }
    }
}

static LEVEL: AtomicU8 = AtomicU8::new(Level::Notice as u8);
/// `C` until the node serves, then `M` or `S`.
static ROLE: AtomicU8 = AtomicU8::new(b'C');
static FILE: RwLock<Option<PathBuf>> = RwLock::new(None);

/// From now on, lines below this level are dropped.
pub fn set_level(level: Level) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// From now on, lines carry this letter: `C` while starting, `M` as a primary, `S` as a replica.
pub fn set_role(role: char) {
    ROLE.store(u8::try_from(role).unwrap_or(b'?'), Ordering::Relaxed);
}

/// From now on, lines go to the end of this file, or to stdout.
///
/// # Errors
/// If the file cannot be opened; the log stays where it was.
pub fn set_file(file: Option<PathBuf>) -> std::io::Result<()> {
    if let Some(path) = &file {
        OpenOptions::new().append(true).create(true).open(path)?;
    }
    *FILE.write() = file;
    Ok(())
}

/// Logs detail for developers.
pub fn debug(message: Arguments<'_>) {
    write(Level::Debug, message);
}

/// Logs what is rarely of use, but not a flood.
pub fn verbose(message: Arguments<'_>) {
    write(Level::Verbose, message);
}

/// Logs what an operator wants to know.
pub fn notice(message: Arguments<'_>) {
    write(Level::Notice, message);
}

/// Logs what an operator must know.
pub fn warning(message: Arguments<'_>) {
    write(Level::Warning, message);
}

/// Logs at a level.
pub fn write(level: Level, message: Arguments<'_>) {
    if (level as u8) < LEVEL.load(Ordering::Relaxed) {
        return;
    }
    let line = format!(
        "{}:{} {} {} {message}\n",
        std::process::id(),
        char::from(ROLE.load(Ordering::Relaxed)),
        Local::now().format("%d %b %Y %H:%M:%S%.3f"),
        level.mark(),
    );
    // A log that cannot be written is no reason to stop serving. The file is opened anew for each line, so that it may
    // be rotated by renaming it.
    let file = FILE.read();
    let _ = match file.as_ref() {
        Some(path) => OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .and_then(|mut file| file.write_all(line.as_bytes())),
        None => std::io::stdout().lock().write_all(line.as_bytes()),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_known_shape() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        set_file(Some(path.clone())).unwrap();
        debug(format_args!("dropped"));
        warning(format_args!("kept {}", 1));
        set_file(None).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let line = text.lines().find(|line| line.ends_with(" # kept 1")).unwrap();
        assert!(!text.contains("dropped"));
        let words: Vec<_> = line.split(' ').collect();
        assert_eq!(words[0], format!("{}:C", std::process::id()));
        assert_eq!(
            (words[1].len(), words[2].len(), words[3].len(), words[4].len()),
            (2, 3, 4, 12),
            "{line}"
        );
    }
}
