//! One command about to run: what it was given, what it may touch, where its reply goes.

use slotcore::Slot;
use slotcore::command::CommandSpec;
use slotcore::resp::{Args, ReplyWriter, encode_command, parse_i64};

use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Change, CollectionType, Held, Key, Limits, SlotTable, typed};
use crate::node::Node;
use crate::replication::effect::Effect;
use crate::session::Session;

/// A command's implementation. What it wrote before it returned an error is taken back by the dispatcher.
pub type Handler = fn(&mut Call<'_>) -> Result<(), ErrorReply>;

/// Which slot locks a command needs while it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Locks {
    /// It touches no key.
    None,
    /// The slots of its keys, taken by the dispatcher in ascending order before the handler runs.
    Keys,
    /// The slots of its keys, and outside of a cluster those of any keys that patterns may name: SORT.
    Patterns,
    /// Any slot, one after the other, through [`Call::with_slot`]; a transaction holds them all.
    Each,
    /// The slots of its keys, or none, and more as it runs: see [`crate::scripting`].
    Script,
    /// Every slot at once: what happens has one place in the order of all writes.
    All,
}

/// One row of a family's `HANDLERS`: full name (`config|get`), implementation, locks.
pub type Binding = (&'static str, Handler, Locks);

/// Everything that a handler sees of the world.
pub struct Call<'a> {
    /// The whole request; `args.at(0)` is the command's name as the client wrote it.
    pub args: Args<'a>,
    /// Its keys, hashed, in the order of `slotcore::command::key_positions`.
    pub keys: &'a [Key<'a>],
    pub spec: &'static CommandSpec,
    pub node: &'static Node,
    pub session: &'a mut Session,
    /// The slot locks that the dispatcher took.
    pub held: &'a mut Held<'static>,
    pub out: ReplyWriter<'a>,
    /// Bytes that the request took on the wire.
    pub wire_len: usize,
    /// Which worker runs it: statistics are kept apart by worker.
    pub worker: usize,
    /// Unix time in milliseconds, read once a batch (and once for a whole transaction).
    pub now: u64,
    /// What replicas are told, if this changes something: the request itself unless the handler says otherwise.
    pub effect: Effect,
}

impl<'a> Call<'a> {
    /// The slot table of key number `i`, locked by the dispatcher.
    pub fn table(&mut self, i: usize) -> &mut SlotTable {
        self.held.table(self.keys[i].slot)
    }

    /// Visits the table of any slot: the one that a transaction holds, or under a lock taken for this visit. For handlers
    /// with [`Locks::Each`].
    pub fn with_slot<T>(&mut self, slot: Slot, visit: impl FnOnce(&mut SlotTable) -> T) -> T {
        self.held.visit(&self.node.keyspace, slot, visit)
    }

    /// The collection of key number `i` for reading, and where the reply goes. Counts the lookup.
    #[inline]
    pub fn read<T: CollectionType>(
        &mut self,
        i: usize,
    ) -> Result<(Option<&T>, &mut ReplyWriter<'a>), ErrorReply> {
        let key = &self.keys[i];
        self.notify_miss(key);
        let found = self.held.table(key.slot).get(key, self.now);
        self.node.stats.worker(self.worker).looked_up(found.is_some());
        Ok((typed(found)?, &mut self.out))
    }

    /// Lets `edit` change the collection of key number `i`, and say whether it did: see [`crate::keyspace::Place::edit`].
    #[inline]
    pub fn edit<T: CollectionType, R>(
        &mut self,
        i: usize,
        edit: impl FnOnce(&mut T) -> (R, bool),
    ) -> Result<R, ErrorReply> {
        let key = &self.keys[i];
        let mut place = self.held.table(key.slot).find(key, self.now);
        Ok(place.edit(edit)?)
    }

    /// The same for an edit that says who is to be told: see [`crate::keyspace::Place::edit_as`].
    pub fn edit_as<T: CollectionType, R>(
        &mut self,
        i: usize,
        edit: impl FnOnce(&mut T) -> (R, Change),
    ) -> Result<R, ErrorReply> {
        let key = &self.keys[i];
        let mut place = self.held.table(key.slot).find(key, self.now);
        Ok(place.edit_as(edit)?)
    }

    /// Up to what size collections stay in their compact forms.
    pub fn limits(&self) -> Limits {
        self.node.config.load().limits
    }

    /// Will replicas be told what this does? Who would have to prepare something for them asks first.
    #[inline]
    pub fn is_recorded(&self) -> bool {
        self.node.replication.gate.records()
    }

    /// Replicas are told this command in place of the request, if anything changes.
    pub fn effect_instead(&mut self, args: &[&[u8]]) {
        if self.is_recorded() {
            let mut command = Vec::with_capacity(args.iter().map(|arg| arg.len() + 16).sum());
            encode_command(&mut command, args);
            self.effect = Effect::Instead(command);
        }
    }

    /// Replicas are told these commands in place of the request, if anything changes.
    pub fn effects_instead<'b>(&mut self, commands: impl IntoIterator<Item = [&'b [u8]; 3]>) {
        if self.is_recorded() {
            let mut bytes = Vec::new();
            let mut count = 0;
            for command in commands {
                encode_command(&mut bytes, &command);
                count += 1;
            }
            self.effect = Effect::Several(bytes, count);
        }
    }

    /// Replicas are told that a key is gone because its time is over already.
    pub fn effect_removed(&mut self, key: &[u8]) {
        if self.is_recorded() {
            let lazily = self.node.config.load().lazyfree_lazy_expire;
            let command: &[u8] = if lazily { b"UNLINK" } else { b"DEL" };
            self.effect_instead(&[command, key]);
        }
    }

    /// Replicas are told the request even if it changes nothing.
    pub fn effect_always(&mut self) {
        self.effect = Effect::ItselfAlways;
    }

    /// Is it over with a key that expires then (unix time in milliseconds)? Never for commands of our primary, which
    /// says itself what is gone: one that arrives late must not remove what a later one keeps.
    pub fn is_over(&self, expiry: u64) -> bool {
        expiry <= self.now && !self.session.is_primary_link
    }

    /// Tells an event of a key, if anybody wants to hear of such: one load if not. Comes after the change, and before the
    /// reply where stock has it so; `class` is the command's family, or GENERIC for what any type has.
    #[inline]
    pub fn notify(&mut self, class: EventClass, event: &str, key: &Key<'_>) {
        if self.node.events.wants(class) {
            self.tell(event, key);
        }
    }

    #[cold]
    fn tell(&mut self, event: &str, key: &Key<'_>) {
        let keyspace = &self.node.keyspace;
        // What has happened on the way there comes first: a key that was new, or found expired.
        match self.keys {
            [one, other] if one.slot != other.slot => {
                self.held.tell_events(keyspace, one.slot);
                self.held.tell_events(keyspace, other.slot);
            }
            _ => self.held.tell_events(keyspace, key.slot),
        }
        self.node.events.tell(&self.node.pubsub, event, key.bytes);
    }

    /// Tells the event of a change that may have left nothing of the key: then that it is gone, too.
    #[inline]
    pub fn notify_removal(&mut self, class: EventClass, event: &str, key: &Key<'_>) {
        self.notify(class, event, key);
        if self.node.events.wants(EventClass::GENERIC)
            && self.held.table(key.slot).peek(key, self.now).is_none()
        {
            self.notify(EventClass::GENERIC, "del", key);
        }
    }

    /// Before a key is looked up for reading: if it is not there, that is an event.
    #[inline]
    pub fn notify_miss(&mut self, key: &Key<'_>) {
        if self.node.events.wants(EventClass::KEY_MISS)
            && self.held.table(key.slot).peek(key, self.now).is_none()
        {
            self.notify(EventClass::KEY_MISS, "keymiss", key);
        }
    }

    /// Counts a lookup for reading as a hit or a miss; a miss is an event.
    #[inline]
    pub fn looked_up(&mut self, key: &Key<'_>, found: bool) {
        self.node.stats.worker(self.worker).looked_up(found);
        if !found {
            self.notify(EventClass::KEY_MISS, "keymiss", key);
        }
    }

    /// Argument `i`, lowercase-insensitively equal to `word`?
    pub fn arg_is(&self, i: usize, word: &str) -> bool {
        self.args.at(i).eq_ignore_ascii_case(word.as_bytes())
    }

    /// Argument `i` as a signed 64-bit integer in stock's strict notation (no `+`, no leading zeros, no spaces).
    pub fn int_arg(&self, i: usize) -> Result<i64, ErrorReply> {
        parse_i64(self.args.at(i)).ok_or(ErrorReply::NOT_INTEGER)
    }
}
