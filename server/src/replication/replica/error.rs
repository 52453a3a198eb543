//! A command of the primary that fails here: the two data sets differ from now on, or did before.

use std::process;
use std::sync::atomic::Ordering::Relaxed;

use slotcore::resp::Args;

use crate::command::reply_error::ErrorReply;
use crate::log;
use crate::node::{Node, unix_ms};

/// At most one line in so many milliseconds: a stream can be fast.
const QUIET_MS: u64 = 1000;

/// Counts it, says so loudly, and ends the process if the configuration wants that.
#[cold]
pub fn failed(node: &Node, command: &Args<'_>, error: &ErrorReply) {
    let link = &node.replication.link;
    link.unexpected_errors.fetch_add(1, Relaxed);
    let now = unix_ms();
    if now.saturating_sub(link.last_complaint_ms.load(Relaxed)) >= QUIET_MS {
        link.last_complaint_ms.store(now, Relaxed);
        log::warning(format_args!(
            "== CRITICAL == This replica is sending an error to its master: '{}' after processing the command '{}': \
             the data sets may differ ({} such errors so far)",
            String::from_utf8_lossy(error.as_bytes()),
            String::from_utf8_lossy(command.at(0)),
            link.unexpected_errors.load(Relaxed)
        ));
    }
    if node.config.load().replica.panic_on_error {
        log::warning(format_args!(
            "This replica panicked sending an error to its master after processing a command in the replication stream"
        ));
        process::abort();
    }
}
