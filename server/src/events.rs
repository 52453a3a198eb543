//! Keyspace notifications: what happens to keys, told to whoever listens to `__keyspace@0__:KEY` or
//! `__keyevent@0__:EVENT`. notify-keyspace-events says which classes of events; by default none, and then a command pays
//! one load for an event.
//!
//! A handler tells an event by one line, [`crate::command::call::Call::notify`]. What no command names (a key has expired,
//! a key is new) the keyspace remembers, and it is told before the next event of the same slot, or when the slot's lock
//! is released. All of it happens under that lock, so events of a key come in the order in which it changed.

use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

use crate::config::Config;
use crate::keyspace::KeyEvent;
use crate::pubsub::Registry;

bitflags::bitflags! {
    /// Classes of events, and the two kinds of channels that they are told on.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct EventClass: u16 {
        /// `K`: on `__keyspace@0__:KEY`.
        const KEYSPACE = 1;
        /// `E`: on `__keyevent@0__:EVENT`.
        const KEYEVENT = 1 << 1;
        /// `g`: DEL, EXPIRE, RENAME and others of any type.
        const GENERIC = 1 << 2;
        /// `$`: strings.
        const STRING = 1 << 3;
        /// `l`: lists.
        const LIST = 1 << 4;
        /// `s`: sets.
        const SET = 1 << 5;
        /// `h`: hashes.
        const HASH = 1 << 6;
        /// `z`: sorted sets.
        const SORTED_SET = 1 << 7;
        /// `x`: a key's time was over.
        const EXPIRED = 1 << 8;
        /// `e`: a key gave way to others.
        const EVICTED = 1 << 9;
        /// `t`: streams.
        const STREAM = 1 << 10;
        /// `d`: types of modules.
        const MODULE = 1 << 11;
        /// `n`: a key that was not there.
        const NEW = 1 << 12;
        /// `m`: a key was looked for in vain.
        const KEY_MISS = 1 << 13;
    }
}

const LETTERS: [(u8, EventClass); 14] = [
    (b'K', EventClass::KEYSPACE),
    (b'E', EventClass::KEYEVENT),
    (b'g', EventClass::GENERIC),
    (b'$', EventClass::STRING),
    (b'l', EventClass::LIST),
    (b's', EventClass::SET),
    (b'h', EventClass::HASH),
    (b'z', EventClass::SORTED_SET),
    (b'x', EventClass::EXPIRED),
    (b'e', EventClass::EVICTED),
    (b't', EventClass::STREAM),
    (b'd', EventClass::MODULE),
    (b'n', EventClass::NEW),
    (b'm', EventClass::KEY_MISS),
];

/// `A`: all but `m` and `n`.
const ALL: EventClass = EventClass::GENERIC
    .union(EventClass::STRING)
    .union(EventClass::LIST)
    .union(EventClass::SET)
    .union(EventClass::HASH)
    .union(EventClass::SORTED_SET)
    .union(EventClass::EXPIRED)
    .union(EventClass::EVICTED)
    .union(EventClass::STREAM)
    .union(EventClass::MODULE);

impl EventClass {
    /// What the letters of notify-keyspace-events stand for. Other letters are passed over.
    pub fn parse(letters: &[u8]) -> Self {
        letters.iter().fold(Self::empty(), |classes, letter| {
            let known = LETTERS.iter().find(|(known, _)| known == letter);
            classes
                | match known {
                    Some((_, class)) => *class,
                    None if *letter == b'A' => ALL,
                    None => Self::empty(),
                }
        })
    }
}

/// Which events are told. Shared by all who tell; its cache line is its own, so that it stays with all of them.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct KeyspaceEvents {
    /// None without a kind of channel.
    wanted: AtomicU16,
}

impl KeyspaceEvents {
    /// Takes over notify-keyspace-events.
    pub fn configure(&self, config: &Config) {
        let classes = config.notify_keyspace_events;
        let told = classes.intersects(EventClass::KEYSPACE | EventClass::KEYEVENT);
        self.wanted.store(if told { classes.bits() } else { 0 }, Relaxed);
    }

    fn wanted(&self) -> EventClass {
        EventClass::from_bits_truncate(self.wanted.load(Relaxed))
    }

    /// Are events of this class told?
    #[inline]
    pub fn wants(&self, class: EventClass) -> bool {
        self.wanted.load(Relaxed) & class.bits() != 0
    }

    /// Must slots remember what no command names?
    pub fn wants_unnamed(&self) -> bool {
        self.wants(EventClass::EXPIRED | EventClass::EVICTED | EventClass::NEW)
    }

    /// Tells an event that is wanted.
    #[cold]
    pub fn tell(&self, registry: &Registry, event: &str, key: &[u8]) {
        if !registry.has_listeners() {
            return;
        }
        let wanted = self.wanted();
        if wanted.contains(EventClass::KEYSPACE) {
            let channel = [b"__keyspace@0__:", key].concat();
            registry.publish(&channel, event.as_bytes());
        }
        if wanted.contains(EventClass::KEYEVENT) {
            let channel = [b"__keyevent@0__:", event.as_bytes()].concat();
            registry.publish(&channel, key);
        }
    }

    /// Tells an event that a slot has remembered, if it is wanted.
    pub fn tell_unnamed(&self, registry: &Registry, event: KeyEvent, key: &[u8]) {
        let (class, name) = match event {
            KeyEvent::New => (EventClass::NEW, "new"),
            KeyEvent::Expired => (EventClass::EXPIRED, "expired"),
            KeyEvent::Evicted => (EventClass::EVICTED, "evicted"),
        };
        if self.wants(class) {
            self.tell(registry, name, key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_classes() {
        assert_eq!(EventClass::parse(b""), EventClass::empty());
        assert_eq!(
            EventClass::parse(b"KEA"),
            EventClass::all() - EventClass::NEW - EventClass::KEY_MISS
        );
        assert_eq!(EventClass::parse(b"g$lshzxetd"), ALL);
        assert_eq!(EventClass::parse(b"nm"), EventClass::NEW | EventClass::KEY_MISS);
    }

    #[test]
    fn without_a_kind_of_channel_nothing_is_told() {
        let events = KeyspaceEvents::default();
        let mut config = Config::default();
        for (letters, told) in [("", false), ("A", false), ("K$", true), ("Eg", false)] {
            config.notify_keyspace_events = EventClass::parse(letters.as_bytes());
            events.configure(&config);
            assert_eq!(events.wants(EventClass::STRING), told, "{letters}");
        }
    }
}
