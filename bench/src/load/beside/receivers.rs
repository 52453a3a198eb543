//! Receivers of what the load sends: consumers that pop from lists, subscribers of channels. One thread, one event loop,
//! a connection for each of them.
//!
//! They listen before the load begins and go on after it has ended, until nothing has come for a while; what then is
//! still in the lists is taken out and counted as left over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use mio::{Events, Poll, Token};
use slotcore::resp::Reply;
use workloads::spec::Receivers;

use super::super::discover::{Link, resolve};
use super::super::job::Job;
use super::super::plan::{HostPort, RaiseOnDrop, Target};
use super::super::round::raise_file_limit;
use super::super::writes::WriteId;
use super::receiver::{News, Receiver};

/// For all receivers to listen.
const READY_LIMIT: Duration = Duration::from_secs(15);
/// Longest wait for sockets: a flag is seen by then.
const TICK: Duration = Duration::from_millis(5);
/// Connections that are being made at once.
const CONNECTING_AT_ONCE: usize = 64;
/// Before a connection is made anew.
const PAUSE: Duration = Duration::from_millis(20);
/// After the load: when nothing has come for so long, nothing will; and no longer than that in all.
const QUIET: Duration = Duration::from_millis(300);
const LATE_LIMIT: Duration = Duration::from_secs(5);
/// For the last pops to be answered: their own limit, and some more.
const LAST_POPS: Duration = Duration::from_secs(3);
/// Items taken out at once when the rest is counted.
const CHUNK: &[u8] = b"500";

/// What a receiver got, and when, on the clock of the round.
pub(super) type Item = (WriteId, u64);

/// What all receivers of a round got.
#[derive(Debug, Default)]
pub(in crate::load) struct Received {
    /// By receiver.
    pub items: Vec<Vec<Item>>,
    /// What was in the lists at the end.
    pub left_over: Vec<WriteId>,
    /// Values that are of no write of this invocation.
    pub foreign: u64,
    /// Connections that broke or were refused, by class.
    pub failed: BTreeMap<String, u64>,
}

/// Does `work`, the load of a round, with the workload's receivers beside it.
///
/// # Errors
/// When the receivers cannot listen; `work` is not done then.
pub(in crate::load) fn run<T>(
    job: &Job<'_>,
    target: &Target,
    work: impl FnOnce() -> T,
) -> anyhow::Result<(T, Option<Received>)> {
    let Some(receivers) = &job.workload.spec().receivers else {
        return Ok((work(), None));
    };
    let keys = job.workload.spec().keyspace.keys;
    raise_file_limit(keys * u64::from(receivers.per_key) + 256);
    if receivers.command.takes() {
        take_out(job, target, keys)?;
    }
    let over = AtomicBool::new(false);
    let (result, mut received) = std::thread::scope(|scope| {
        let (ready_in, ready_out) = mpsc::channel();
        let over = &over;
        let thread = scope.spawn(move || Thread::new(job, receivers)?.run(over, ready_in));
        let result = {
            // Also when `work` panics: the scope waits for the other thread.
            let _over = RaiseOnDrop(over);
            // The other end is dropped without a word only by a thread that has failed.
            ready_out.recv().is_ok().then(work)
        };
        let received = thread
            .join()
            .map_err(|_| anyhow::anyhow!("the receivers' thread panicked"))??;
        let result = result.context("the receivers ended before the load began")?;
        anyhow::Ok((result, received))
    })?;
    if receivers.command.takes() {
        let values = take_out(job, target, keys)?;
        for value in values {
            match WriteId::of(&value) {
                Some(id) => received.left_over.push(id),
                None => received.foreign += 1,
            }
        }
    }
    Ok((result, Some(received)))
}

/// Takes everything out of the lists.
fn take_out(job: &Job<'_>, target: &Target, keys: u64) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut values = Vec::new();
    let map = job.scout.map();
    for owner in map.owners() {
        let node = map.node(owner);
        let node = HostPort::new(node.host.as_str(), node.port);
        let says = |error: super::super::discover::AskError| anyhow::anyhow!("{}", error.text());
        let mut link = Link::login(&node, target).map_err(says)?;
        for (name, slot) in (0..keys).filter_map(|key| job.workload.receives_from(key)) {
            if map.owner(slot) != Some(owner) {
                continue;
            }
            loop {
                let reply = link.call(&[b"LPOP", &name, CHUNK]).map_err(says)?;
                if let Some(error) = reply.as_error() {
                    let error = String::from_utf8_lossy(error);
                    bail!(
                        "{node}: {} cannot be emptied: {error}",
                        String::from_utf8_lossy(&name)
                    );
                }
                let Some(items) = reply.as_array().filter(|items| !items.is_empty()) else {
                    break;
                };
                values.extend(
                    items
                        .iter()
                        .filter_map(|item| item.as_bytes().map(<[u8]>::to_vec)),
                );
            }
        }
    }
    Ok(values)
}

struct Thread<'a> {
    job: &'a Job<'a>,
    poll: Poll,
    receivers: Vec<Receiver>,
    /// Receivers that are not connected, and when each is tried again.
    down: Vec<(Instant, usize)>,
    received: Received,
    last_item: Instant,
    takes: bool,
    /// Nothing more is asked for.
    closing: bool,
}

impl<'a> Thread<'a> {
    fn new(job: &'a Job<'a>, spec: &Receivers) -> anyhow::Result<Self> {
        let now = Instant::now();
        let mut receivers = Vec::new();
        for key in 0..job.workload.spec().keyspace.keys {
            let (name, slot) = job
                .workload
                .receives_from(key)
                .context("nothing to receive from")?;
            for number in 0..spec.per_key {
                // Subscribers of one channel listen at several nodes: the cluster passes messages on to all.
                let place = key as usize + number as usize;
                receivers.push(Receiver::new(spec.command, name.clone(), slot, place));
            }
        }
        let down = (0..receivers.len()).rev().map(|number| (now, number)).collect();
        let items = vec![Vec::new(); receivers.len()];
        Ok(Self {
            job,
            poll: Poll::new().context("no event queue")?,
            receivers,
            down,
            received: Received {
                items,
                ..Received::default()
            },
            last_item: now,
            takes: spec.command.takes(),
            closing: false,
        })
    }

    /// Receives until the load is over and nothing comes any more.
    fn run(mut self, over: &AtomicBool, ready: mpsc::Sender<()>) -> anyhow::Result<Received> {
        let began = Instant::now();
        let mut ready = Some(ready);
        let mut events = Events::with_capacity(512);
        let mut chunk = vec![0; 64 * 1024];
        let mut ended: Option<Instant> = None;
        loop {
            let now = Instant::now();
            if ready.is_some() {
                if self.receivers.iter().all(Receiver::listens) {
                    // Whoever waits for it is there until it has come.
                    let _ = ready.take().map(|ready| ready.send(()));
                } else if now > began + READY_LIMIT || self.job.watch.stopped() {
                    bail!(
                        "not all receivers could listen within {} s; {}",
                        READY_LIMIT.as_secs(),
                        self.complaint()
                    );
                }
            }
            if ended.is_none() && ready.is_none() && over.load(Ordering::Acquire) {
                ended = Some(now);
            }
            if let Some(at) = ended {
                let is_quiet = now > self.last_item.max(at) + QUIET;
                if !self.closing && (is_quiet || now > at + LATE_LIMIT) {
                    self.closing = true;
                }
                let waits = self.takes && self.receivers.iter().any(Receiver::is_asking);
                if self.closing && (!waits || now > at + LATE_LIMIT + LAST_POPS) {
                    return Ok(self.received);
                }
            }
            self.connect(now);
            if self.poll.poll(&mut events, Some(TICK)).is_err() {
                continue;
            }
            for event in &events {
                self.on_event(event.token().0, &mut chunk);
            }
        }
    }

    fn complaint(&self) -> String {
        let classes: Vec<String> = self
            .received
            .failed
            .iter()
            .map(|(class, n)| format!("{class} {n}"))
            .collect();
        format!("connections that failed: {}", classes.join(", "))
    }

    /// Connects those whose time has come.
    fn connect(&mut self, now: Instant) {
        let connecting = self.receivers.iter().filter(|one| one.is_connecting()).count();
        let mut room = CONNECTING_AT_ONCE.saturating_sub(connecting);
        let mut at = self.down.len();
        while at > 0 && room > 0 && !self.closing {
            at -= 1;
            let (due, number) = self.down[at];
            if due > now {
                continue;
            }
            self.down.swap_remove(at);
            room -= 1;
            if let Err(class) = self.dial(number) {
                self.fail(number, class);
            }
        }
    }

    fn dial(&mut self, number: usize) -> Result<(), &'static str> {
        let map = self.job.scout.map();
        let receiver = &mut self.receivers[number];
        let owners = map.owners();
        let node = if receiver.is_anywhere() && !owners.is_empty() {
            Some(owners[receiver.place % owners.len()])
        } else {
            map.owner(receiver.slot)
        };
        let node = map.node(node.ok_or("NO-NODE")?);
        let address = resolve(&HostPort::new(node.host.as_str(), node.port)).ok();
        let address = address.and_then(|all| all.first().copied()).ok_or("NO-NODE")?;
        receiver.dial(
            address,
            &self.job.handshake,
            self.job.handshake_replies,
            self.poll.registry(),
            Token(number),
        )
    }

    fn fail(&mut self, number: usize, class: &'static str) {
        self.receivers[number].hang_up();
        *self.received.failed.entry(class.to_owned()).or_default() += 1;
        self.job.scout.request(None);
        self.down.push((Instant::now() + PAUSE, number));
    }

    fn on_event(&mut self, number: usize, chunk: &mut [u8]) {
        let Some(receiver) = self.receivers.get_mut(number) else {
            return;
        };
        let news = receiver.on_event(chunk);
        let now_ns = self.job.clock.now_ns();
        let mut failed = None;
        for one in news {
            match one {
                News::Item(value) => {
                    self.last_item = Instant::now();
                    match WriteId::of(&value) {
                        Some(id) => self.received.items[number].push((id, now_ns)),
                        None => self.received.foreign += 1,
                    }
                }
                News::Failed(class) => failed = Some(class),
            }
        }
        if failed.is_none() && !self.closing {
            failed = self.receivers[number].ask().err();
        }
        if let Some(class) = failed {
            self.fail(number, class);
        }
    }
}

/// The value in what a pop or a channel says; none in what is no item.
pub(super) fn value_of(reply: &Reply) -> Option<&[u8]> {
    let words = reply.as_array()?;
    match words {
        // A pop: the list and the item.
        [_, item] => item.as_bytes(),
        [kind, _, message] if matches!(kind.as_bytes(), Some(b"message" | b"smessage")) => message.as_bytes(),
        _ => None,
    }
}
