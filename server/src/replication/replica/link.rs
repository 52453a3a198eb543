//! The thread of the link: follows whom the node is told to follow, and tries again when that fails.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::net::{TcpStream, lookup_host};
use tokio::runtime;
use tokio::time::{sleep, timeout};

use super::apply::Applier;
use super::backoff::Backoff;
use super::fault::Fault;
use super::handshake::{Answer, Introduction, Place, introduce, psync};
use super::load::synchronise;
use super::stream;
use super::wire::Wire;
use crate::admin::clients::{ClientFlags, ClientShared};
use crate::log;
use crate::node::{Node, unix_ms};
use crate::replication::{Following, LinkPhase};
use crate::session::Session;

/// How long the network may take to make a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// The same complaint is logged again after so long.
const REPEAT_COMPLAINT: Duration = Duration::from_secs(10);

/// Starts the thread. It sleeps while the node is a primary.
///
/// # Errors
/// The system refuses a thread.
pub fn start(node: &'static Node) -> anyhow::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new()
        .name("primary-link".into())
        .spawn(move || runtime.block_on(run(node)))
        .context("cannot start the thread of the link to a primary")?;
    Ok(())
}

/// What is remembered from one attempt to the next.
#[derive(Default)]
struct Memory {
    backoff: Backoff,
    /// What we hold is no part of the primary's history: only a full synchronisation helps.
    void: bool,
    complaint: Option<(String, Instant)>,
}

async fn run(node: &'static Node) {
    let mut changes = node.replication.changes();
    let mut memory = Memory::default();
    loop {
        changes.borrow_and_update();
        let Some(target) = node.replication.following() else {
            memory = Memory::default();
            if changes.changed().await.is_err() {
                return;
            }
            continue;
        };
        memory.backoff.reset();
        tokio::select! {
            biased;
            ended = changes.changed() => if ended.is_err() { return },
            () = keep_following(node, &target, &mut memory) => {}
        }
    }
}

/// One primary, attempt after attempt. Ends only by being dropped.
async fn keep_following(node: &'static Node, target: &Following, memory: &mut Memory) {
    loop {
        let mut worked = false;
        let fault = attempt(node, target, memory, &mut worked).await;
        let link = &node.replication.link;
        if_still_following(node, target, || {
            if worked {
                link.down_since_ms.store(unix_ms(), Relaxed);
            }
            link.set_phase(LinkPhase::Connect);
        });
        memory.void |= fault.voids_history();
        complain(node, memory, &fault, worked);
        sleep(memory.backoff.pause(&fault, worked)).await;
    }
}

/// Says something of the link, unless it is another primary's by now: what was true of this one would be taken for the
/// new one's, and a replica that has nothing of the new one could be elected.
fn if_still_following(node: &Node, target: &Following, say: impl FnOnce()) {
    // A change of role begins a generation and resets the link's state in one turn of this lock.
    let _lock = node.replication.apply_lock.lock();
    if node.replication.generation() == target.generation {
        say();
    }
}

/// Says what is wrong: at once if it is news, else now and then.
fn complain(node: &Node, memory: &mut Memory, fault: &Fault, worked: bool) {
    let text = fault.to_string();
    node.replication.link.set_fault(&text);
    let known = memory
        .complaint
        .as_ref()
        .is_some_and(|(last, at)| !worked && *last == text && at.elapsed() < REPEAT_COMPLAINT);
    if !known {
        log::warning(format_args!("{text}"));
        memory.complaint = Some((text, Instant::now()));
    }
    if worked && !memory.void {
        log::notice(format_args!("Caching the disconnected master state."));
    }
}

/// From the connection to the end of the stream. Sets `worked` when the stream has flowed.
async fn attempt(node: &'static Node, target: &Following, memory: &mut Memory, worked: &mut bool) -> Fault {
    match linked(node, target, memory, worked).await {
        Ok(never) => match never {},
        Err(fault) => fault,
    }
}

async fn linked(
    node: &'static Node,
    target: &Following,
    memory: &mut Memory,
    worked: &mut bool,
) -> Result<std::convert::Infallible, Fault> {
    let link = &node.replication.link;
    link.set_phase(LinkPhase::Connecting);
    if memory.complaint.is_none() {
        log::notice(format_args!(
            "Connecting to MASTER {}:{}",
            target.host, target.port
        ));
        log::notice(format_args!("MASTER <-> REPLICA sync started"));
    }
    let (stream, peer, local) = connect(target).await?;
    let client = Registered::new(node, &stream, peer, local);
    let config = node.config.snapshot();
    let mut wire = Wire::new(stream, Duration::from_secs(config.primary.timeout_s));
    wire.count(&node.replication.link.received);
    link.set_phase(LinkPhase::Handshake);
    link.last_io_ms.store(unix_ms(), Relaxed);
    let mut applier = Applier::new(node, client.session());
    let me = Introduction::of(&config);
    tokio::select! {
        biased;
        () = stream::killed(&client.shared) => return Err(Fault::Killed),
        done = agree(node, target, memory, &mut wire, &me) => done?,
    }
    if_still_following(node, target, || {
        link.last_io_ms.store(unix_ms(), Relaxed);
        link.set_phase(LinkPhase::Connected);
        link.down_since_ms.store(0, Relaxed);
        link.set_fault("");
    });
    memory.complaint = None;
    *worked = true;
    let ended = Ending(&mut applier);
    Err(stream::follow(node, target, &mut wire, ended.0, &client.shared).await)
}

/// A link that ends, in whatever way, forgets what it had only half received.
struct Ending<'a>(&'a mut Applier);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Until the stream can flow: the terms, and the data set if it must come whole.
async fn agree(
    node: &'static Node,
    target: &Following,
    memory: &mut Memory,
    wire: &mut Wire,
    me: &Introduction,
) -> Result<(), Fault> {
    introduce(wire, me).await?;
    let offer = (!memory.void).then(|| Place {
        id: node.replication.history().id,
        offset: node.replication.offset(),
    });
    match psync(wire, offer.as_ref()).await? {
        Answer::Full(place) => {
            let outcome = synchronise(node, target, wire, &place).await;
            if let Err(fault) = &outcome {
                memory.void |= fault.voids_history();
            } else {
                memory.void = false;
            }
            outcome
        }
        // There is nothing to go on from.
        Answer::Continue(_) if offer.is_none() => Err(Fault::PsyncReply(
            "+CONTINUE, and a full synchronisation was asked for".into(),
        )),
        Answer::Continue(id) => {
            log::notice(format_args!("Successful partial resynchronization with master."));
            let _lock = node.replication.apply_lock.lock();
            let same = node.replication.generation() == target.generation;
            if let Some(id) = id
                && same
                && id != node.replication.history().id
            {
                log::notice(format_args!("Master replication ID changed to {id}"));
                node.replication.log.continue_as(&id);
            }
            Ok(())
        }
    }
}

async fn connect(target: &Following) -> Result<(TcpStream, SocketAddr, SocketAddr), Fault> {
    let connecting = async {
        let mut outcome = Err(Fault::Io(std::io::Error::other("the host has no address")));
        for address in lookup_host((target.host.as_str(), target.port)).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => outcome = Err(error.into()),
            }
        }
        outcome
    };
    let stream = timeout(CONNECT_PATIENCE, connecting)
        .await
        .map_err(|_| Fault::Unreachable(CONNECT_PATIENCE))??;
    stream.set_nodelay(true)?;
    let (peer, local) = (stream.peer_addr()?, stream.local_addr()?);
    Ok((stream, peer, local))
}

/// The link among the connections of the node: CLIENT LIST shows it, CLIENT KILL ends it.
struct Registered {
    node: &'static Node,
    shared: Arc<ClientShared>,
}

impl Registered {
    fn new(node: &'static Node, stream: &TcpStream, peer: SocketAddr, local: SocketAddr) -> Self {
        let shared = node.clients.register(peer, local, stream);
        shared.set_flag(ClientFlags::PRIMARY, true);
        Self { node, shared }
    }

    fn session(&self) -> Session {
        let account = self.node.acl.default_account().clone();
        let mut session = Session::new(self.shared.clone(), account, false);
        session.authenticated = true;
        session.is_primary_link = true;
        session
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.node.clients.remove(self.shared.id());
    }
}
