//! What the node remembers of one connection between its commands. Owned by the connection alone;
//! what other connections may see of it (CLIENT LIST, CLIENT KILL) is in [`ClientShared`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use slotcore::Slot;
use slotcore::command::CommandId;
use slotcore::resp::Proto;

use crate::acl::Account;
use crate::admin::clients::{ClientFlags, ClientShared};
use crate::command::transaction::Transaction;
use crate::keyspace::Forgotten;
use crate::pubsub::Subscriber;
use crate::replication::primary::{ReplicaTerms, SyncRequest};
use crate::tracking::Mode;
use crate::waiting::Waiter;

/// CLIENT REPLY's modes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplyMode {
    On,
    Off,
    /// CLIENT REPLY SKIP was just run: the next command's reply is dropped.
    SkipNext,
    /// The command that runs now is the one whose reply is dropped.
    Skip,
}

/// The keys of a WATCH, by slot, and the flag that any change of one of them sets.
#[derive(Default)]
pub struct Watch {
    pub dirty: Arc<AtomicBool>,
    pub keys: Vec<(Slot, Box<[u8]>)>,
}

/// A command that waits for something before it replies.
#[derive(Clone)]
pub struct Blocked {
    /// When it stops to wait, unix time in milliseconds; None: never.
    pub until_ms: Option<u64>,
    /// For what.
    pub reason: BlockedFor,
}

/// What a blocked command waits for.
#[derive(Clone)]
pub enum BlockedFor {
    /// WAIT: that so many replicas have acknowledged the stream up to here.
    Replicas {
        /// How many.
        count: usize,
        /// Bytes of the stream.
        offset: u64,
    },
    /// BLPOP and its kin: for one of their keys.
    Keys(Arc<Waiter>),
}

/// By what a request was found to be ours to serve, before its locks were taken.
#[derive(Clone, Copy, Default, Debug)]
pub struct Routed {
    /// The version of the cluster's view.
    pub view: u64,
    /// How many of its keys were here, if that mattered: their slot is on its way.
    pub existing: Option<usize>,
}

/// The state of one connection.
pub struct Session {
    /// What the rest of the node sees of this connection, its id included.
    pub client: Arc<ClientShared>,
    pub proto: Proto,
    /// Whose rights its commands have.
    pub account: Arc<Account>,
    pub authenticated: bool,
    /// Memory was full when its command was admitted: what a script goes by, from its start to its end.
    pub finds_full: bool,
    /// ASKING: the next command may touch a slot that is being imported.
    pub asking: bool,
    /// READONLY: a replica may serve reads of its primary's slots.
    pub readonly: bool,
    /// How the last request with keys was judged.
    pub routed: Routed,
    pub reply_mode: ReplyMode,
    /// The connection is closed when the replies written so far are out.
    pub closing: bool,
    pub transaction: Option<Transaction>,
    pub watch: Watch,
    /// The connection comes from this host (loopback), which gates DEBUG and protected configs.
    pub local: bool,
    /// The link to our primary, whose commands are obeyed and not answered.
    pub is_primary_link: bool,
    /// EXEC runs what was queued.
    pub in_exec: bool,
    /// The last command could not run now and changed nothing: it is to be tried again.
    pub retry: bool,
    /// The end of the replication stream behind this connection's last write, in bytes.
    pub write_offset: u64,
    /// The last command waits instead of having replied; nothing else runs meanwhile.
    pub blocked: Option<Blocked>,
    /// What REPLCONF has said: the connection will be a replica's.
    pub replica: Option<Box<ReplicaTerms>>,
    /// The connection now is a replica's: it leaves its worker.
    pub handover: Option<SyncRequest>,
    /// Its subscriptions and its mailbox, since it first subscribed to something.
    pub subscriber: Option<Arc<Subscriber>>,
    /// It has published more than the bus has sent, and should wait.
    pub bus_is_full: bool,
    /// CLIENT TRACKING.
    pub tracking: Option<Box<Mode>>,
    /// It has emptied the keyspace, and those who track are yet to hear of it.
    pub flushed: Option<Forgotten>,
    /// CLIENT CACHING was said for the next command.
    pub caching: bool,
    /// The messages that wait now come before the replies of this turn.
    pub messages_first: bool,
    /// The command has confirmed a subscription, which is said whatever CLIENT REPLY is.
    pub confirmed: bool,
}

impl Session {
    /// The state of a connection that has sent nothing yet. It is the default user's, and let in if that needs no password.
    pub fn new(client: Arc<ClientShared>, account: Arc<Account>, local: bool) -> Self {
        let authenticated = account.is_open();
        Self {
            client,
            proto: Proto::Resp2,
            account,
            authenticated,
            finds_full: false,
            asking: false,
            readonly: false,
            routed: Routed::default(),
            reply_mode: ReplyMode::On,
            closing: false,
            transaction: None,
            watch: Watch::default(),
            local,
            is_primary_link: false,
            in_exec: false,
            retry: false,
            write_offset: 0,
            blocked: None,
            replica: None,
            handover: None,
            subscriber: None,
            bus_is_full: false,
            tracking: None,
            flushed: None,
            caching: false,
            messages_first: false,
            confirmed: false,
        }
    }

    /// Shows the rest of the node what this connection is in: what CLIENT LIST prints.
    pub fn publish(&self) {
        let client = &self.client;
        client.set_multi(self.transaction.as_ref().map(Transaction::len));
        client.set_flag(ClientFlags::DIRTY, self.watch.dirty.load(Relaxed));
        client.set_flag(ClientFlags::READONLY, self.readonly);
        client.set_flag(ClientFlags::CLOSING, self.closing);
    }

    /// CLIENT LIST says from now on that this command ran last. Within a transaction that stays EXEC.
    #[inline]
    pub fn shows(&self, command: CommandId) {
        if !self.in_exec {
            self.client.set_command(command);
        }
    }

    /// May it run little more than subscriptions?
    #[inline]
    pub fn in_subscribed_mode(&self) -> bool {
        let subscribed = self.subscriber.as_ref().is_some_and(|own| own.is_subscribed());
        subscribed && self.proto == Proto::Resp2
    }

    /// Itself as one who listens.
    pub fn listen(&mut self) -> Option<&Arc<Subscriber>> {
        if self.subscriber.is_none() {
            self.subscriber = self.client.listen();
        }
        self.subscriber.as_ref()
    }

    /// Is a MULTI open?
    pub fn in_multi(&self) -> bool {
        self.transaction.is_some()
    }
}
