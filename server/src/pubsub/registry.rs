//! Who listens to what.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering, Ordering::Relaxed};

use parking_lot::RwLock;
use slotcore::topology::NodeId;

use super::channels::Channels;
use super::frame::Frame;
use super::outcome::Outcome;
use super::subscriber::{Kind, Subscriber};
use crate::admin::clients::ClientKind;
use crate::config::Config;
use crate::glob;

/// A pattern that somebody listens to.
#[derive(Debug)]
struct Pattern {
    /// What every message that it matches begins with.
    head: Arc<[u8]>,
    listeners: BTreeMap<u64, Arc<Subscriber>>,
}

/// How many names somebody listens to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Channels.
    pub channels: usize,
    /// Different patterns.
    pub patterns: usize,
    /// Shard channels.
    pub shard_channels: usize,
}

/// The subscriptions of all connections.
#[derive(Debug, Default)]
pub struct Registry {
    channels: Channels,
    shard_channels: Channels,
    patterns: RwLock<BTreeMap<Arc<[u8]>, Pattern>>,
    pattern_count: AtomicUsize,
    /// Bytes that a subscriber, and another client, may leave unread; 0: any number.
    pubsub_limit: AtomicU64,
    normal_limit: AtomicU64,
}

impl Registry {
    /// Takes over what it needs of the configuration.
    pub fn configure(&self, config: &Config) {
        let [normal, _, pubsub] = &config.client_output_buffer_limit;
        self.normal_limit.store(normal.hard, Relaxed);
        self.pubsub_limit.store(pubsub.hard, Relaxed);
    }

    /// How many bytes this client may leave unread; 0: any number.
    pub fn hard_limit(&self, subscriber: &Subscriber) -> u64 {
        match subscriber.client().kind() {
            ClientKind::Pubsub => self.pubsub_limit.load(Relaxed),
            _ => self.normal_limit.load(Relaxed),
        }
    }

    /// How many names somebody listens to.
    pub fn counts(&self) -> Counts {
        Counts {
            channels: self.channels.len(),
            patterns: self.pattern_count.load(Ordering::Acquire),
            shard_channels: self.shard_channels.len(),
        }
    }

    /// Would a message to any channel reach anybody?
    #[inline]
    pub fn has_listeners(&self) -> bool {
        self.channels.len() > 0 || self.pattern_count.load(Ordering::Acquire) > 0
    }

    /// Subscribes to a channel.
    pub fn subscribe(&self, channel: &[u8], subscriber: &Arc<Subscriber>) {
        let name = Arc::from(channel);
        let mut part = self.channels.part(channel);
        if subscriber.insert(Kind::Channel, &name) {
            self.channels.add(&mut part, &name, None, subscriber);
        }
    }

    /// Subscribes to a pattern.
    pub fn subscribe_pattern(&self, pattern: &[u8], subscriber: &Arc<Subscriber>) {
        let name = Arc::from(pattern);
        let mut patterns = self.patterns.write();
        if subscriber.insert(Kind::Pattern, &name) {
            let entry = patterns.entry(name).or_insert_with(|| Pattern {
                head: Frame::pattern_head(pattern),
                listeners: BTreeMap::new(),
            });
            entry.listeners.insert(subscriber.id(), subscriber.clone());
            self.pattern_count.store(patterns.len(), Ordering::Release);
        }
    }

    /// Subscribes to a shard channel. `owner` says who owns its slot if this node still serves it (`Err` if not); it is
    /// asked under the lock that [`Registry::drop_moved`] takes after a change.
    pub fn subscribe_shard(
        &self,
        channel: &[u8],
        subscriber: &Arc<Subscriber>,
        owner: impl FnOnce() -> Result<Option<NodeId>, Moved>,
    ) -> Result<(), Moved> {
        let name = Arc::from(channel);
        let mut part = self.shard_channels.part(channel);
        let owner = owner()?;
        if subscriber.insert(Kind::Shard, &name) {
            self.shard_channels.add(&mut part, &name, owner, subscriber);
        }
        Ok(())
    }

    /// Ends a subscription, if there is one.
    pub fn unsubscribe(&self, kind: Kind, name: &[u8], subscriber: &Subscriber) {
        if kind == Kind::Pattern {
            let mut patterns = self.patterns.write();
            if subscriber.remove(kind, name)
                && let Some(pattern) = patterns.get_mut(name)
            {
                pattern.listeners.remove(&subscriber.id());
                if pattern.listeners.is_empty() {
                    patterns.remove(name);
                }
                self.pattern_count.store(patterns.len(), Ordering::Release);
            }
            return;
        }
        let channels = self.of(kind);
        let mut part = channels.part(name);
        if subscriber.remove(kind, name) {
            channels.remove(&mut part, name, subscriber);
        }
    }

    /// Ends all subscriptions.
    pub fn unsubscribe_all(&self, subscriber: &Subscriber) {
        for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
            for name in subscriber.names(kind) {
                self.unsubscribe(kind, &name, subscriber);
            }
        }
    }

    /// The connection is gone.
    pub fn forget(&self, subscriber: &Subscriber) {
        subscriber.close();
        self.unsubscribe_all(subscriber);
    }

    /// Delivers a message to the listeners of a channel and of the patterns that match it.
    pub fn publish(&self, channel: &[u8], payload: &[u8]) -> usize {
        if !self.has_listeners() {
            return 0;
        }
        let mut outcome = Outcome::default();
        let mut tail = None;
        let mut tail = || {
            tail.get_or_insert_with(|| Frame::message_tail(channel, payload))
                .clone()
        };
        let part = self.channels.part(channel);
        if let Some(entry) = part.get(channel) {
            self.deliver(&entry.listeners, &Frame::message(tail()), &mut outcome);
        }
        if self.pattern_count.load(Ordering::Acquire) > 0 {
            for (name, pattern) in &*self.patterns.read() {
                if glob::matches(name, channel) {
                    let frame = Frame::pattern_message(pattern.head.clone(), tail());
                    self.deliver(&pattern.listeners, &frame, &mut outcome);
                }
            }
        }
        drop(part);
        outcome.receivers
    }

    /// Delivers a message to the listeners of a shard channel.
    pub fn publish_shard(&self, channel: &[u8], payload: &[u8]) -> usize {
        if self.shard_channels.len() == 0 {
            return 0;
        }
        let mut outcome = Outcome::default();
        let part = self.shard_channels.part(channel);
        if let Some(entry) = part.get(channel) {
            let frame = Frame::shard_message(Frame::message_tail(channel, payload));
            self.deliver(&entry.listeners, &frame, &mut outcome);
        }
        drop(part);
        outcome.receivers
    }

    fn deliver(&self, listeners: &BTreeMap<u64, Arc<Subscriber>>, frame: &Frame, outcome: &mut Outcome) {
        let limit = self.pubsub_limit.load(Relaxed);
        for subscriber in listeners.values() {
            subscriber.push(frame.clone(), limit, outcome);
            outcome.receivers += 1;
        }
    }

    /// Ends the subscriptions to shard channels whose slot `owner` gives to another node than when they began, unless
    /// that is `myself`; their clients are told.
    pub fn drop_moved(&self, owner: impl Fn(&[u8]) -> Option<NodeId>, myself: NodeId) {
        if self.shard_channels.len() == 0 {
            return;
        }
        let mut outcome = Outcome::default();
        for mut part in self.shard_channels.parts() {
            let mut moved = Vec::new();
            for (name, channel) in part.iter_mut() {
                let now = owner(name);
                if now == Some(myself) {
                    channel.owner = now;
                } else if now != channel.owner {
                    moved.push(name.clone());
                }
            }
            for name in moved {
                let Some(channel) = part.remove(&name) else {
                    continue;
                };
                self.shard_channels.forget_one(&mut part);
                for subscriber in channel.listeners.values() {
                    let limit = self.hard_limit(subscriber);
                    subscriber.remove(Kind::Shard, &name);
                    let frame = Frame::shard_gone(&name, subscriber.count(Kind::Shard));
                    subscriber.push(frame, limit, &mut outcome);
                }
            }
        }
    }

    /// The channels, or shard channels, that match a pattern; without one, all.
    pub fn names(&self, kind: Kind, pattern: Option<&[u8]>) -> Vec<Arc<[u8]>> {
        let matches = |name: &&Arc<[u8]>| pattern.is_none_or(|pattern| glob::matches(pattern, name));
        let mut names = Vec::new();
        for part in self.of(kind).parts() {
            names.extend(part.keys().filter(matches).cloned());
        }
        names
    }

    /// How many connections listen to this channel or shard channel, patterns aside.
    pub fn listeners(&self, kind: Kind, name: &[u8]) -> usize {
        let part = self.of(kind).part(name);
        part.get(name).map_or(0, |channel| channel.listeners.len())
    }

    fn of(&self, kind: Kind) -> &Channels {
        match kind {
            Kind::Shard => &self.shard_channels,
            Kind::Channel | Kind::Pattern => &self.channels,
        }
    }
}

/// The slot of a shard channel is no longer served here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved;
