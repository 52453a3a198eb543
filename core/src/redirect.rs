//! The error replies of a cluster, both ways: what a redirect says, and what kind of error a line is.

use std::fmt;

use crate::slot::{SLOT_COUNT, Slot};

/// `CROSSSLOT`, complete.
pub const CROSS_SLOT: &str = "CROSSSLOT Keys in request don't hash to the same slot";
/// `TRYAGAIN`, complete.
pub const TRY_AGAIN: &str = "TRYAGAIN Multiple keys request during rehashing of slot";
/// `CLUSTERDOWN` of a slot that nobody owns.
pub const CLUSTER_DOWN_UNBOUND: &str = "CLUSTERDOWN Hash slot not served";
/// `CLUSTERDOWN` of a cluster in state fail.
pub const CLUSTER_DOWN_STATE: &str = "CLUSTERDOWN The cluster is down";
/// `CLUSTERDOWN` of a write, where cluster-allow-reads-when-down lets reads pass.
pub const CLUSTER_DOWN_READ_ONLY: &str = "CLUSTERDOWN The cluster is down and only accepts read commands";

/// Where to go with a request. Its `Display` is the text of the error reply without the leading `-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirect<'a> {
    /// The slot lives there: go there, and from now on.
    Moved {
        /// The slot of the request's keys.
        slot: Slot,
        /// IP address or hostname; empty when the server names none ([`Redirect::dial_host`]).
        host: &'a str,
        /// Port for clients.
        port: u16,
    },
    /// The key may have moved there already: go there with ASKING, this once.
    Ask {
        /// The slot of the request's keys.
        slot: Slot,
        /// IP address or hostname; empty when the server names none ([`Redirect::dial_host`]).
        host: &'a str,
        /// Port for clients.
        port: u16,
    },
}

impl<'a> Redirect<'a> {
    /// The slot of the request's keys.
    pub fn slot(&self) -> Slot {
        match *self {
            Self::Moved { slot, .. } | Self::Ask { slot, .. } => slot,
        }
    }

    /// The port to dial.
    pub fn port(&self) -> u16 {
        match *self {
            Self::Moved { port, .. } | Self::Ask { port, .. } => port,
        }
    }

    /// The host to dial: `asked_host`, by which the server was reached, when it names none (an empty name, or `?`).
    pub fn dial_host<'b>(&self, asked_host: &'b str) -> &'b str
    where
        'a: 'b,
    {
        match *self {
            Self::Moved { host: "" | "?", .. } | Self::Ask { host: "" | "?", .. } => asked_host,
            Self::Moved { host, .. } | Self::Ask { host, .. } => host,
        }
    }
}

impl fmt::Display for Redirect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moved { slot, host, port } => write!(f, "MOVED {slot} {host}:{port}"),
            Self::Ask { slot, host, port } => write!(f, "ASK {slot} {host}:{port}"),
        }
    }
}

/// Reads an error line, without its leading `-`. `None` when it is no redirect, or not a whole one.
pub fn parse(error_line: &[u8]) -> Option<Redirect<'_>> {
    let (moved, rest) = match error_line.strip_prefix(b"MOVED ") {
        Some(rest) => (true, rest),
        None => (false, error_line.strip_prefix(b"ASK ")?),
    };
    let (slot, address) = std::str::from_utf8(rest).ok()?.split_once(' ')?;
    // The last colon: an IPv6 address comes without brackets. Later words, if a server adds any, are passed over.
    let (host, port) = address.split(' ').next()?.rsplit_once(':')?;
    let slot = slot.parse().ok().filter(|slot| usize::from(*slot) < SLOT_COUNT)?;
    let port = port.parse().ok()?;
    Some(if moved {
        Redirect::Moved { slot, host, port }
    } else {
        Redirect::Ask { slot, host, port }
    })
}

/// The first word of an error line, if it is a code: `ERR`, `MOVED`, `WRONGTYPE`...
pub fn error_code(error_line: &[u8]) -> Option<&str> {
    let word = error_line
        .split(|byte| matches!(byte, b' ' | b'\r' | b'\n'))
        .next()?;
    let code = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    if word.is_empty() || !word.iter().all(code) {
        return None;
    }
    std::str::from_utf8(word).ok()
}

macro_rules! error_classes {
    ($($(#[$doc:meta])* $class:ident = $code:literal,)*) => {
        /// What kind of error an error reply is, by its first word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ErrorClass {
            $($(#[$doc])* $class,)*
            /// A first word of another kind, or none.
            Other,
        }

        impl ErrorClass {
            /// Every class, `Other` last.
            pub const ALL: &[Self] = &[$(Self::$class,)* Self::Other];

            /// The first word; `OTHER` for the rest.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$class => $code,)*
                    Self::Other => "OTHER",
                }
            }

            /// The class of this first word.
            fn of_code(code: &str) -> Self {
                match code {
                    $($code => Self::$class,)*
                    _ => Self::Other,
                }
            }
        }
    };
}

error_classes! {
    /// The slot lives elsewhere.
    Moved = "MOVED",
    /// The key may live elsewhere already.
    Ask = "ASK",
    /// Some of the keys are here, some not: the slot is on its way.
    TryAgain = "TRYAGAIN",
    /// The cluster does not serve the slot, or nothing at all.
    ClusterDown = "CLUSTERDOWN",
    /// Keys of several slots.
    CrossSlot = "CROSSSLOT",
    /// The server reads its data from disk.
    Loading = "LOADING",
    /// A write to a replica.
    ReadOnly = "READONLY",
    /// A replica whose primary is not there.
    MasterDown = "MASTERDOWN",
    /// Not logged in.
    NoAuth = "NOAUTH",
    /// Not allowed.
    NoPerm = "NOPERM",
    /// A wrong name or password.
    WrongPass = "WRONGPASS",
    /// An unsupported protocol version.
    NoProto = "NOPROTO",
    /// Above maxmemory.
    Oom = "OOM",
    /// A script runs.
    Busy = "BUSY",
    /// The key to restore is there already.
    BusyKey = "BUSYKEY",
    /// The key holds a value of another kind.
    WrongType = "WRONGTYPE",
    /// Too few replicas for a write.
    NoReplicas = "NOREPLICAS",
    /// The server cannot save, and refuses writes.
    Misconf = "MISCONF",
    /// A transaction with a bad command in it.
    ExecAbort = "EXECABORT",
    /// No such script.
    NoScript = "NOSCRIPT",
    /// A blocked command was woken by force.
    Unblocked = "UNBLOCKED",
    /// A node could not reach another.
    IoErr = "IOERR",
    /// No such stream group.
    NoGroup = "NOGROUP",
    /// All others of the servers' own.
    Err = "ERR",
}

/// The class of an error line, without its leading `-`.
pub fn classify(error_line: &[u8]) -> ErrorClass {
    error_code(error_line).map_or(ErrorClass::Other, ErrorClass::of_code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_servers_write() {
        let moved = Redirect::Moved {
            slot: 3999,
            host: "127.0.0.1",
            port: 6381,
        };
        assert_eq!(parse(b"MOVED 3999 127.0.0.1:6381"), Some(moved));
        assert_eq!(moved.to_string(), "MOVED 3999 127.0.0.1:6381");
        let ask = Redirect::Ask {
            slot: 16383,
            host: "2001:db8::1",
            port: 7000,
        };
        assert_eq!(parse(b"ASK 16383 2001:db8::1:7000"), Some(ask));
        assert_eq!(
            parse(b"ASK 1 node-3.example:1").map(|ask| ask.dial_host("asked")),
            Some("node-3.example")
        );
        for unnamed in ["MOVED 7 :7000", "MOVED 7 ?:7000", "ASK 7 ?:7000"] {
            let redirect = parse(unnamed.as_bytes()).unwrap();
            assert_eq!(
                (redirect.dial_host("asked"), redirect.port(), redirect.slot()),
                ("asked", 7000, 7)
            );
        }
    }

    #[test]
    fn refuses_what_is_no_redirect() {
        for line in [
            "",
            "MOVED",
            "MOVED ",
            "MOVED 1",
            "MOVED 1 ",
            "MOVED 1 host",
            "MOVED 16384 h:1",
            "MOVED -1 h:1",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line:?}");
        }
        for line in [
            "MOVED 1 h:65536",
            "MOVED 1 h:",
            "MOVED x h:1",
            "ERR MOVED 1 h:1",
            "moved 1 h:1",
            "MOVEDX 1 h:1",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn classes_have_their_own_names() {
        for class in ErrorClass::ALL
            .iter()
            .filter(|class| **class != ErrorClass::Other)
        {
            assert_eq!(classify(format!("{} more text", class.name()).as_bytes()), *class);
        }
        assert_eq!(classify(b"ERR unknown command"), ErrorClass::Err);
        assert_eq!(classify(b"OOM"), ErrorClass::Oom);
        assert_eq!(
            classify(b"BUSYKEY Target key name already exists."),
            ErrorClass::BusyKey
        );
        assert_eq!(classify(b"STRANGE thing"), ErrorClass::Other);
        assert_eq!(error_code(b"STRANGE thing"), Some("STRANGE"));
        assert_eq!(classify(b"no code at all"), ErrorClass::Other);
        assert_eq!(classify(b""), ErrorClass::Other);
    }

    proptest! {
        #[test]
        fn never_panics(line in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = (parse(&line), classify(&line));
        }

        #[test]
        fn round_trip(slot in 0..16384u16, host in "[a-z0-9.:-]{0,30}", port: u16, ask: bool) {
            let redirect =
                if ask { Redirect::Ask { slot, host: &host, port } } else { Redirect::Moved { slot, host: &host, port } };
            let text = redirect.to_string();
            prop_assert_eq!(parse(text.as_bytes()), Some(redirect));
        }
    }
}
