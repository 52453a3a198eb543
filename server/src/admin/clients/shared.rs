//! One connection as others see it: what CLIENT LIST prints and CLIENT KILL ends.

use super::wait::Wait;
use crate::acl::Account;
use crate::config::OutputLimit;
use crate::node::unix_ms;
use crate::pubsub::Subscriber;
use parking_lot::Mutex;
use slotcore::command::{self, CommandId};
use slotcore::resp::Proto;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::task::Waker;

use Ordering::Relaxed;

bitflags::bitflags! {
    /// States that CLIENT LIST shows as letters.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ClientFlags: u16 {
        /// `S`: a replica.
        const REPLICA = 1;
        /// `M`: a primary.
        const PRIMARY = 1 << 1;
        /// `O`: MONITOR.
        const MONITOR = 1 << 2;
        /// `P`: subscribed.
        const PUBSUB = 1 << 3;
        /// `x`: in MULTI.
        const MULTI = 1 << 4;
        /// `b`: waits in a blocking command.
        const BLOCKED = 1 << 5;
        /// `d`: a watched key has changed.
        const DIRTY = 1 << 6;
        /// `c`: closes after its replies.
        const CLOSING = 1 << 7;
        /// `r`: READONLY.
        const READONLY = 1 << 8;
        /// `e`: CLIENT NO-EVICT.
        const NO_EVICT = 1 << 9;
        /// `t`: CLIENT TRACKING.
        const TRACKING = 1 << 10;
        /// `R`: whoever its tracking redirects to is gone.
        const BROKEN_REDIRECT = 1 << 11;
        /// `B`: CLIENT TRACKING with BCAST.
        const BCAST = 1 << 12;
    }
}

const LETTERS: [(ClientFlags, char); 13] = [
    (ClientFlags::REPLICA, 'S'),
    (ClientFlags::PRIMARY, 'M'),
    (ClientFlags::MONITOR, 'O'),
    (ClientFlags::PUBSUB, 'P'),
    (ClientFlags::MULTI, 'x'),
    (ClientFlags::BLOCKED, 'b'),
    (ClientFlags::TRACKING, 't'),
    (ClientFlags::BROKEN_REDIRECT, 'R'),
    (ClientFlags::BCAST, 'B'),
    (ClientFlags::DIRTY, 'd'),
    (ClientFlags::CLOSING, 'c'),
    (ClientFlags::READONLY, 'r'),
    (ClientFlags::NO_EVICT, 'e'),
];

/// CLIENT LIST TYPE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// None of the others.
    Normal,
    /// The primary of this node.
    Primary,
    /// A replica of this node.
    Replica,
    /// Subscribed to something.
    Pubsub,
}

impl ClientKind {
    /// The kind with this name, in any case.
    pub fn parse(name: &[u8]) -> Option<ClientKind> {
        let kinds = [
            ("normal", ClientKind::Normal),
            ("slave", ClientKind::Replica),
            ("replica", ClientKind::Replica),
            ("pubsub", ClientKind::Pubsub),
            ("master", ClientKind::Primary),
        ];
        kinds
            .into_iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
            .map(|(_, kind)| kind)
    }
}

/// Bytes that a connection holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffers {
    /// Received and not yet run.
    pub query: usize,
    /// Room left in the same buffer.
    pub query_free: usize,
    /// Commands queued by MULTI.
    pub multi: usize,
    /// Replies that the socket did not take yet.
    pub output: usize,
}

/// What CLIENT SETINFO said.
#[derive(Debug, Default)]
struct Library {
    name: Vec<u8>,
    version: Vec<u8>,
}

/// No command yet.
const NO_COMMAND: u16 = u16::MAX;

/// The shared part of a connection. Its own worker writes it, everybody may read it.
#[derive(Debug)]
pub struct ClientShared {
    id: u64,
    peer: SocketAddr,
    local: SocketAddr,
    fd: i32,
    created_ms: u64,
    active_ms: AtomicU64,
    flags: AtomicU16,
    db: AtomicU32,
    resp3: AtomicBool,
    /// Commands queued; negative outside MULTI.
    multi: AtomicI64,
    subscriptions: [AtomicU32; 3],
    command: AtomicU16,
    query: AtomicUsize,
    query_free: AtomicUsize,
    multi_bytes: AtomicUsize,
    output: AtomicUsize,
    /// Bytes of messages that wait in the mailbox.
    queued: AtomicUsize,
    /// Unix time in milliseconds since which the output has been over the soft limit; 0: it is not.
    over_soft_limit_ms: AtomicU64,
    name: Mutex<Vec<u8>>,
    /// Whose rights it has; None: those of our primary, who may do everything.
    account: Mutex<Option<Arc<Account>>>,
    library: Mutex<Library>,
    killed: AtomicBool,
    pub(super) wait: Mutex<Wait>,
    /// There is a wait; written under its lock.
    pub(super) waits: AtomicBool,
    waker: Mutex<Option<Waker>>,
    mailbox: Mutex<Mailbox>,
    has_mailbox: AtomicBool,
    /// Whom CLIENT TRACKING redirects to; 0: nobody, negative: it does not track.
    redirect: AtomicI64,
    /// Whoever it redirected to is gone.
    broken_redirect: AtomicBool,
}

/// Where others put messages for a connection.
#[derive(Debug, Default)]
enum Mailbox {
    #[default]
    None,
    Open(Arc<Subscriber>),
    /// The connection has ended.
    Gone,
}

impl ClientShared {
    /// The node itself, where something is done in a client's place: nobody sees it.
    pub fn of_node() -> Self {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        Self::new(0, nowhere, nowhere, -1, unix_ms())
    }

    pub(super) fn new(id: u64, peer: SocketAddr, local: SocketAddr, fd: i32, now_ms: u64) -> Self {
        ClientShared {
            id,
            peer: canonical(peer),
            local: canonical(local),
            fd,
            created_ms: now_ms,
            active_ms: AtomicU64::new(now_ms),
            flags: AtomicU16::new(0),
            db: AtomicU32::new(0),
            resp3: AtomicBool::new(false),
            multi: AtomicI64::new(-1),
            subscriptions: Default::default(),
            command: AtomicU16::new(NO_COMMAND),
            query: AtomicUsize::new(0),
            query_free: AtomicUsize::new(0),
            multi_bytes: AtomicUsize::new(0),
            output: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
            over_soft_limit_ms: AtomicU64::new(0),
            name: Mutex::default(),
            account: Mutex::default(),
            library: Mutex::default(),
            killed: AtomicBool::new(false),
            wait: Mutex::default(),
            waits: AtomicBool::new(false),
            waker: Mutex::default(),
            mailbox: Mutex::default(),
            has_mailbox: AtomicBool::new(false),
            redirect: AtomicI64::new(-1),
            broken_redirect: AtomicBool::new(false),
        }
    }

    /// Its number: larger than that of any connection before it.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The client's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The address that the client connected to.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// It has just sent something.
    #[inline]
    pub fn touched(&self, now_ms: u64) {
        self.active_ms.store(now_ms, Relaxed);
    }

    /// Unix time in milliseconds of the last request.
    pub fn active_ms(&self) -> u64 {
        self.active_ms.load(Relaxed)
    }

    /// The command that ran last.
    #[inline]
    pub fn set_command(&self, command: CommandId) {
        self.command.store(command.index() as u16, Relaxed);
    }

    /// SELECT.
    pub fn set_db(&self, db: u32) {
        self.db.store(db, Relaxed);
    }

    /// HELLO.
    pub fn set_proto(&self, proto: Proto) {
        self.resp3.store(proto == Proto::Resp3, Relaxed);
    }

    /// How many commands MULTI has queued; None outside of MULTI.
    pub fn set_multi(&self, queued: Option<usize>) {
        let queued = queued.map_or(-1, |queued| i64::try_from(queued).unwrap_or(i64::MAX));
        self.multi.store(queued, Relaxed);
        self.set_flag(ClientFlags::MULTI, queued >= 0);
    }

    /// Channels, patterns and shard channels that it is subscribed to.
    pub fn set_subscriptions(&self, channels: u32, patterns: u32, shard_channels: u32) {
        for (place, count) in self
            .subscriptions
            .iter()
            .zip([channels, patterns, shard_channels])
        {
            place.store(count, Relaxed);
        }
    }

    /// How many channels, patterns and shard channels it is subscribed to.
    #[inline]
    pub fn subscription_count(&self) -> u32 {
        self.subscriptions.iter().map(|count| count.load(Relaxed)).sum()
    }

    /// It as one who listens, with a mailbox; None if it has ended, or is the link to our primary, which listens to
    /// nothing.
    pub fn listen(self: &Arc<Self>) -> Option<Arc<Subscriber>> {
        if self.flags().contains(ClientFlags::PRIMARY) {
            return None;
        }
        let mut mailbox = self.mailbox.lock();
        if let Mailbox::None = &*mailbox {
            *mailbox = Mailbox::Open(Subscriber::new(self.clone()));
            self.has_mailbox.store(true, Ordering::Release);
        }
        match &*mailbox {
            Mailbox::Open(subscriber) => Some(subscriber.clone()),
            Mailbox::None | Mailbox::Gone => None,
        }
    }

    /// Has anybody given it a mailbox?
    #[inline]
    pub fn has_mailbox(&self) -> bool {
        self.has_mailbox.load(Ordering::Acquire)
    }

    /// The connection has ended: it has no mailbox any more, and gets none.
    pub fn close_mailbox(&self) -> Option<Arc<Subscriber>> {
        match std::mem::replace(&mut *self.mailbox.lock(), Mailbox::Gone) {
            Mailbox::Open(subscriber) => Some(subscriber),
            Mailbox::None | Mailbox::Gone => None,
        }
    }

    /// The protocol that it speaks.
    pub fn proto(&self) -> Proto {
        match self.resp3.load(Relaxed) {
            true => Proto::Resp3,
            false => Proto::Resp2,
        }
    }

    /// CLIENT TRACKING: whom it redirects to, 0 for nobody; None: it does not track.
    pub fn set_redirect(&self, redirect: Option<u64>) {
        let shown = redirect.map_or(-1, |id| i64::try_from(id).unwrap_or(i64::MAX));
        self.redirect.store(shown, Relaxed);
        self.set_broken_redirect(false);
    }

    /// Whoever it redirects to is gone.
    pub fn set_broken_redirect(&self, broken: bool) {
        self.broken_redirect.store(broken, Relaxed);
    }

    /// Sets or clears a flag. Only the connection's own worker may.
    pub fn set_flag(&self, flag: ClientFlags, on: bool) {
        let mut flags = ClientFlags::from_bits_truncate(self.flags.load(Relaxed));
        flags.set(flag, on);
        self.flags.store(flags.bits(), Relaxed);
    }

    /// Its flags. Subscriptions may end by what other threads do, so that their flag is what they are.
    pub fn flags(&self) -> ClientFlags {
        let mut flags = ClientFlags::from_bits_truncate(self.flags.load(Relaxed));
        flags.set(ClientFlags::PUBSUB, self.subscription_count() > 0);
        flags.set(ClientFlags::BROKEN_REDIRECT, self.broken_redirect.load(Relaxed));
        flags.set(ClientFlags::BLOCKED, self.waits.load(Relaxed));
        flags
    }

    /// A message of so many bytes has been put into its mailbox. Returns how much it has left unread.
    pub fn queue(&self, bytes: usize) -> usize {
        self.queued.fetch_add(bytes, Relaxed) + bytes + self.output.load(Relaxed)
    }

    /// A message of so many bytes has left the mailbox.
    pub fn unqueue(&self, bytes: usize) {
        self.queued.fetch_sub(bytes, Relaxed);
    }

    /// Bytes of messages that wait in the mailbox.
    #[inline]
    pub fn queued(&self) -> usize {
        self.queued.load(Relaxed)
    }

    /// Replies and messages that it has not read, in bytes.
    pub fn unread(&self) -> usize {
        self.queued() + self.output.load(Relaxed)
    }

    /// Bytes that are held for it.
    pub fn held_bytes(&self) -> usize {
        let buffers = [&self.query, &self.query_free, &self.multi_bytes];
        let buffers: usize = buffers.iter().map(|bytes| bytes.load(Relaxed)).sum();
        buffers + self.unread() + size_of::<Self>()
    }

    /// The size of its buffer of requests, and of what it has not read, in bytes.
    pub(super) fn held(&self) -> (usize, usize) {
        (
            self.query.load(Relaxed) + self.query_free.load(Relaxed),
            self.unread(),
        )
    }

    /// What it holds.
    pub fn set_buffers(&self, buffers: Buffers) {
        self.query.store(buffers.query, Relaxed);
        self.query_free.store(buffers.query_free, Relaxed);
        self.multi_bytes.store(buffers.multi, Relaxed);
        self.output.store(buffers.output, Relaxed);
    }

    /// So many bytes of replies wait for the socket.
    pub fn set_output(&self, bytes: usize) {
        self.output.store(bytes, Relaxed);
    }

    /// Whether more replies than the soft limit have been left unread for longer than it allows. To be asked often.
    pub(super) fn stays_over(&self, now_ms: u64, limit: &OutputLimit) -> bool {
        if limit.soft == 0 || (self.unread() as u64) < limit.soft {
            self.over_soft_limit_ms.store(0, Relaxed);
            return false;
        }
        match self.over_soft_limit_ms.load(Relaxed) {
            0 => {
                self.over_soft_limit_ms.store(now_ms, Relaxed);
                false
            }
            since => now_ms.saturating_sub(since) / 1000 > limit.soft_seconds,
        }
    }

    /// CLIENT SETNAME.
    pub fn set_name(&self, name: &[u8]) {
        *self.name.lock() = name.to_vec();
    }

    /// Its name; empty if it has none.
    pub fn name(&self) -> Vec<u8> {
        self.name.lock().clone()
    }

    /// It has the rights of this user from now on.
    pub fn set_account(&self, account: Option<Arc<Account>>) {
        *self.account.lock() = account;
    }

    /// Whose rights it has; None: it may do everything.
    pub fn account(&self) -> Option<Arc<Account>> {
        self.account.lock().clone()
    }

    /// It as one who listens, if it does.
    pub fn subscriber(&self) -> Option<Arc<Subscriber>> {
        match &*self.mailbox.lock() {
            Mailbox::Open(subscriber) => Some(subscriber.clone()),
            Mailbox::None | Mailbox::Gone => None,
        }
    }

    /// CLIENT SETINFO: the name, or else the version, of the client's library.
    pub fn set_library(&self, is_name: bool, text: &[u8]) {
        let mut library = self.library.lock();
        let place = if is_name {
            &mut library.name
        } else {
            &mut library.version
        };
        *place = text.to_vec();
    }

    /// Its kind.
    pub fn kind(&self) -> ClientKind {
        let flags = self.flags();
        if flags.contains(ClientFlags::PRIMARY) {
            ClientKind::Primary
        } else if flags.contains(ClientFlags::REPLICA) && !flags.contains(ClientFlags::MONITOR) {
            ClientKind::Replica
        } else if flags.contains(ClientFlags::PUBSUB) {
            ClientKind::Pubsub
        } else {
            ClientKind::Normal
        }
    }

    /// Ends the connection soon, wherever it waits.
    pub fn kill(&self) {
        self.killed.store(true, Ordering::Release);
        // Nothing is given to it any more.
        self.finish_wait();
        self.wake();
    }

    /// Has it look again at what it waits for.
    pub fn wake(&self) {
        if let Some(waker) = self.waker.lock().as_ref() {
            waker.wake_by_ref();
        }
    }

    /// Whether somebody ended it.
    #[inline]
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// How to wake it. To be called before `is_killed` is asked, so that no kill is missed.
    pub fn set_waker(&self, waker: &Waker) {
        let mut current = self.waker.lock();
        if !current.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *current = Some(waker.clone());
        }
    }

    /// The line of CLIENT LIST, without its line end. Fields that this node does not measure are not in it.
    pub fn describe(&self) -> Description<'_> {
        self.describe_at(crate::node::unix_ms())
    }

    pub(super) fn describe_at(&self, now_ms: u64) -> Description<'_> {
        Description { client: self, now_ms }
    }
}

/// IPv4 addresses that came in through an IPv6 socket are shown as what they are.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Prints the line of CLIENT LIST.
pub struct Description<'a> {
    client: &'a ClientShared,
    now_ms: u64,
}

impl fmt::Display for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.client;
        let flags = c.flags();
        let mut letters: String = LETTERS
            .iter()
            .filter(|(flag, _)| flags.contains(*flag))
            .map(|(_, letter)| *letter)
            .collect();
        if letters.is_empty() {
            letters.push('N');
        }
        let [sub, psub, ssub] = &c.subscriptions;
        let output = c.output.load(Relaxed);
        let unread = c.unread();
        let (query, query_free) = (c.query.load(Relaxed), c.query_free.load(Relaxed));
        let multi_bytes = c.multi_bytes.load(Relaxed);
        let command = CommandId::from_index(usize::from(c.command.load(Relaxed)));
        let account = c.account();
        let name = account
            .as_ref()
            .map_or(&b"(superuser)"[..], |account| account.name());
        let user = String::from_utf8_lossy(name);
        // Arguments lie in the read buffer, and replies in one that all connections of a worker share: there is nothing of
        // them to count here.
        write!(
            f,
            "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={letters} db={} sub={} psub={} ssub={} \
             multi={} qbuf={query} qbuf-free={query_free} argv-mem=0 multi-mem={multi_bytes} rbs=0 rbp=0 obl={output} oll=0 omem={unread} \
             tot-mem={} events={} cmd={} user={user} redir={} resp={}",
            c.id,
            c.peer,
            c.local,
            c.fd,
            String::from_utf8_lossy(&c.name.lock()),
            self.now_ms.saturating_sub(c.created_ms) / 1000,
            self.now_ms.saturating_sub(c.active_ms()) / 1000,
            c.db.load(Relaxed),
            sub.load(Relaxed),
            psub.load(Relaxed),
            ssub.load(Relaxed),
            c.multi.load(Relaxed),
            c.held_bytes(),
            if unread > 0 { "rw" } else { "r" },
            command.map_or("NULL", |id| command::spec(id).full_name),
            c.redirect.load(Relaxed),
            if c.resp3.load(Relaxed) { 3 } else { 2 },
        )?;
        // Fields of 7.2, so they are there only if the client gave them.
        let library = c.library.lock();
        for (field, text) in [("lib-name", &library.name), ("lib-ver", &library.version)] {
            if !text.is_empty() {
                write!(f, " {field}={}", String::from_utf8_lossy(text))?;
            }
        }
        Ok(())
    }
}
