//! A replica's link to its primary, as the rest of the node sees it. The thread of the link writes, all others read.

use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::cluster::protocol::PrimaryLink;

/// How far a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LinkPhase {
    /// Not connected; it will be tried.
    Connect,
    /// The socket is being connected.
    Connecting,
    /// Connected, and settling the terms.
    Handshake,
    /// A full copy is coming in.
    Sync,
    /// The stream flows.
    Connected,
}

impl LinkPhase {
    /// The word in ROLE.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Connecting => "connecting",
            Self::Handshake => "handshake",
            Self::Sync => "sync",
            Self::Connected => "connected",
        }
    }
}

/// The state of the link. Times are unix milliseconds; 0: never.
#[derive(Debug, Default)]
pub struct LinkState {
    phase: AtomicU8,
    /// When the last byte came from the primary.
    pub last_io_ms: AtomicU64,
    /// When the link that had worked broke; 0 if it works, or never did since we follow this primary.
    pub down_since_ms: AtomicU64,
    /// Bytes of the copy that is coming in; -1: not told (`$EOF`).
    pub sync_total: AtomicI64,
    /// Bytes of it received.
    pub sync_read: AtomicU64,
    /// Bytes received from primaries, since the start or CONFIG RESETSTAT.
    pub received: AtomicU64,
    /// Commands of the primary that failed here, since the start.
    pub unexpected_errors: AtomicU64,
    /// When the log last told of one.
    pub last_complaint_ms: AtomicU64,
    /// Why the link does not work; empty if it does.
    fault: Mutex<String>,
}

impl LinkState {
    /// How far the link is.
    pub fn phase(&self) -> LinkPhase {
        match self.phase.load(Relaxed) {
            1 => LinkPhase::Connecting,
            2 => LinkPhase::Handshake,
            3 => LinkPhase::Sync,
            4 => LinkPhase::Connected,
            _ => LinkPhase::Connect,
        }
    }

    /// Says how far the link is.
    pub fn set_phase(&self, phase: LinkPhase) {
        self.phase.store(phase as u8, Relaxed);
    }

    /// Why the link does not work, in one line; empty if it does, or nobody has tried.
    pub fn fault(&self) -> String {
        self.fault.lock().clone()
    }

    /// Says why the link does not work.
    pub fn set_fault(&self, fault: &str) {
        *self.fault.lock() = fault.replace(['\r', '\n'], " ");
    }

    /// Another primary, or none: nothing is known of the link.
    pub fn reset(&self) {
        self.set_phase(LinkPhase::Connect);
        for time in [&self.last_io_ms, &self.down_since_ms, &self.sync_read] {
            time.store(0, Relaxed);
        }
        self.sync_total.store(0, Relaxed);
        self.set_fault("");
    }

    /// What the replica had of its primary is gone: until a copy has come whole, it is as if there had never been a
    /// link, and nobody may elect it for data that it does not have.
    pub fn lost_data(&self) {
        self.down_since_ms.store(0, Relaxed);
    }

    /// As the cluster's rules see the link of a replica.
    pub fn facts(&self) -> PrimaryLink {
        let since_ms = self.down_since_ms.load(Relaxed);
        if self.phase() == LinkPhase::Connected {
            PrimaryLink::Up {
                last_io_ms: self.last_io_ms.load(Relaxed),
            }
        } else if since_ms == 0 {
            PrimaryLink::Never
        } else {
            PrimaryLink::Down { since_ms }
        }
    }
}
