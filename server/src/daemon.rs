//! `daemonize yes`: the node in the background, in a session of its own.
//!
//! A process that has threads, or may soon, had better not fork. So the first process starts itself a second time with
//! the same arguments and a mark in the environment, and ends.

use crate::config::{Config, Loaded};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::{env, io};

/// Set in the environment of the second process.
const MARK: &str = "SLOTMARK_IN_BACKGROUND";

/// Whether this process should start another one in the background and end.
pub fn is_wanted(loaded: &Loaded) -> bool {
    Config::from_values(&loaded.values).daemonize && env::var_os(MARK).is_none()
}

/// Starts this program again, detached from the terminal.
pub fn start() -> io::Result<()> {
    let mut args = env::args_os();
    let name = args.next().unwrap_or_default();
    if env::args_os().any(|arg| arg == "-") {
        return Err(io::Error::other(
            "standard input, which '-' reads, ends with the terminal",
        ));
    }
    Command::new(env::current_exe()?)
        .arg0(name)
        .args(args)
        .env(MARK, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(())
}

/// In the second process: leaves the terminal's session.
pub fn settle() {
    if env::var_os(MARK).is_some() {
        // It fails only for a leader of a group, and then there is nothing to leave.
        let _ = rustix::process::setsid();
    }
}
