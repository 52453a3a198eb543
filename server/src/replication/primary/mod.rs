//! The primary's side: replicas that ask for the data and the stream.
//!
//! ```text
//!  worker: REPLCONF..., PSYNC ── socket ──► thread "replication": one task a replica         feed.rs
//!                                             │ cannot resume                ▲ steps
//!                                             └─► waits for a copy ──────────┤                copies.rs
//!                                                  thread "copy": cut, RDB ──┘ file or mark   copy.rs
//! ```
//!
//! A replica keeps its socket and its line in CLIENT LIST when it leaves its worker.

mod acks;
mod copies;
mod copy;
mod cron;
mod feed;

use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use anyhow::Context as _;
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

use super::Replication;
use crate::admin::clients::ClientShared;
use crate::log;
use crate::node::Node;
use copies::Copies;

pub use cron::Cron;

/// The command that a primary sends so that replicas know that it is alive.
pub const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
/// The command that asks replicas how far they are.
pub const GETACK: &[u8] = b"*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n";

/// What a connection has said of itself with REPLCONF.
#[derive(Debug, Default)]
pub struct ReplicaTerms {
    /// The port under which it serves clients; 0: not said.
    pub port: u16,
    /// The address under which it serves clients, if it is not the one that we see.
    pub ip: Option<String>,
    /// It understands a copy that ends with a mark instead of beginning with a length.
    pub eof: bool,
    /// It understands that the stream's name may change.
    pub psync2: bool,
    /// It wants a copy and nothing more.
    pub rdb_only: bool,
    /// It will ask for the stream.
    pub coming: Option<Coming>,
}

/// Counts a connection that will ask for the stream, until it has or is gone.
#[derive(Debug)]
pub struct Coming(&'static Replication);

impl Coming {
    /// Counts it.
    pub fn new(replication: &'static Replication) -> Self {
        replication.replicas.announce(true);
        Self(replication)
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.0.replicas.announce(false);
    }
}

/// What a replica asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyncRequest {
    /// SYNC: a copy, without a word before it.
    Sync,
    /// PSYNC.
    Psync {
        /// The stream that it has; `?`: none.
        id: Vec<u8>,
        /// The number of the next byte that it wants, counted from 1.
        next: i64,
    },
}

/// A replica on its way from its worker to the replication thread.
#[derive(Debug)]
pub struct Arrival {
    /// Its socket.
    pub stream: TcpStream,
    /// Its line in CLIENT LIST.
    pub client: Arc<ClientShared>,
    /// What it has said.
    pub terms: ReplicaTerms,
    /// What it wants.
    pub request: SyncRequest,
    /// What it has sent behind that.
    pub rest: Vec<u8>,
}

/// The way to the replication thread.
#[derive(Debug)]
pub struct Feeder(UnboundedSender<Arrival>);

impl Feeder {
    fn start(node: &'static Node) -> anyhow::Result<Self> {
        let (sender, arrivals) = unbounded_channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new()
            .name("replication".into())
            .spawn(move || LocalSet::new().block_on(&runtime, serve(node, arrivals)))
            .context("cannot start the replication thread")?;
        Ok(Self(sender))
    }
}

impl Replication {
    /// Hands a replica's connection to the replication thread, which is started for the first one.
    ///
    /// # Errors
    /// The thread could not be started; the connection is given back.
    pub fn hand_over(&self, node: &'static Node, arrival: Arrival) -> Result<(), Box<Arrival>> {
        let feeder = match self.feeder.get() {
            Some(feeder) => feeder,
            None => match Feeder::start(node) {
                // Another worker may have been faster: then its thread is the one, and this one ends.
                Ok(feeder) => self.feeder.get_or_init(|| feeder),
                Err(error) => {
                    log::warning(format_args!("{error:#}"));
                    return Err(Box::new(arrival));
                }
            },
        };
        feeder.0.send(arrival).map_err(|unsent| Box::new(unsent.0))
    }
}

async fn serve(node: &'static Node, mut arrivals: UnboundedReceiver<Arrival>) {
    let copies = Rc::new(Copies::default());
    tokio::task::spawn_local(copies.clone().run(node));
    while let Some(arrival) = arrivals.recv().await {
        tokio::task::spawn_local(feed::serve(node, arrival, copies.clone()));
    }
}
