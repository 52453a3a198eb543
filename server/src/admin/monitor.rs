//! MONITOR: connections that are shown every command, each in a line.
//!
//! A line is encoded once and put into the mailboxes of all who watch, under the locks of the command's slots: commands
//! of one key, and of one client, are shown in the order in which they ran.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use slotcore::command::{CommandFlags, CommandSpec};
use slotcore::resp::Args;

use super::clients::ClientShared;
use super::secrets::{REDACTED, hides};
use crate::pubsub::{Frame, Outcome, Registry, Subscriber};

/// Who runs a command.
#[derive(Clone, Copy)]
pub enum Origin<'a> {
    /// A client, shown by its address.
    Client(&'a ClientShared),
    /// A script.
    Lua,
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Client(client) => write!(f, "{}", client.peer()),
            Origin::Lua => f.write_str("lua"),
        }
    }
}

/// The connections that watch.
#[derive(Debug, Default)]
pub struct Monitors {
    count: AtomicUsize,
    watching: Mutex<BTreeMap<u64, Arc<Subscriber>>>,
}

impl Monitors {
    /// Does anybody watch? All that a command pays if not.
    #[inline]
    pub fn is_active(&self) -> bool {
        self.count.load(Relaxed) > 0
    }

    /// A connection watches from now on.
    pub fn begin(&self, subscriber: Arc<Subscriber>) {
        let mut watching = self.watching.lock();
        watching.insert(subscriber.id(), subscriber);
        self.count.store(watching.len(), Relaxed);
    }

    /// A connection watches no more.
    pub fn end(&self, id: u64) {
        let mut watching = self.watching.lock();
        watching.remove(&id);
        self.count.store(watching.len(), Relaxed);
    }

    /// Shows a command that has run, unless it is one of administration.
    #[cold]
    pub fn show(&self, pubsub: &Registry, origin: Origin<'_>, spec: &CommandSpec, args: &Args<'_>) {
        if !spec
            .flags
            .intersects(CommandFlags::ADMIN | CommandFlags::SKIP_MONITOR)
        {
            self.show_always(pubsub, origin, spec, args);
        }
    }

    /// Shows a command whatever its flags are: a script shows itself before what it calls.
    pub fn show_always(&self, pubsub: &Registry, origin: Origin<'_>, spec: &CommandSpec, args: &Args<'_>) {
        let frame = Frame::line(line(origin, spec, args).into());
        let mut outcome = Outcome::default();
        for subscriber in self.watching.lock().values() {
            let limit = pubsub.hard_limit(subscriber);
            subscriber.push(frame.clone(), limit, &mut outcome);
        }
    }
}

fn line(origin: Origin<'_>, spec: &CommandSpec, args: &Args<'_>) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut line = Vec::with_capacity(64 + args.iter().map(|arg| arg.len() + 3).sum::<usize>());
    // Writing to a vector cannot fail.
    let _ = write!(line, "{}.{:06} [0 {origin}]", now.as_secs(), now.subsec_micros());
    for (index, arg) in args.iter().enumerate() {
        line.push(b' ');
        quote(if hides(spec, args, index) { REDACTED } else { arg }, &mut line);
    }
    line.extend_from_slice(b"\r\n");
    line
}

fn quote(text: &[u8], line: &mut Vec<u8>) {
    line.push(b'"');
    for byte in text {
        match byte {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', *byte]),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            b'\t' => line.extend_from_slice(b"\\t"),
            7 => line.extend_from_slice(b"\\a"),
            8 => line.extend_from_slice(b"\\b"),
            b' '..=b'~' => line.push(*byte),
            _ => {
                let _ = write!(line, "\\x{byte:02x}");
            }
        }
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted() {
        let mut line = Vec::new();
        quote(b"a b\x00\"\\\n\r\t\x07\x08\xff~\x7f", &mut line);
        assert_eq!(
            String::from_utf8(line).unwrap(),
            r#""a b\x00\"\\\n\r\t\a\b\xff~\x7f""#
        );
    }
}
