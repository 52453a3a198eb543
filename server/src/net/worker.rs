//! The worker threads: each a current-thread runtime with connections of its own. Nothing moves between them.
//!
//! A script that runs for too long holds its worker up, and may hold up others that wait for its slots. From then on new
//! connections go to a thread of their own, one for each such time, which can be told SCRIPT KILL; it ends with the last
//! of its connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use parking_lot::Mutex;
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

use crate::log;
use crate::net::connection::{Connection, WorkerBuffers};
use crate::node::Node;
use crate::session::Session;

/// How often a thread without an inbox looks whether its connections have ended.
const LOOK_FOR_END: Duration = Duration::from_millis(100);

/// A socket on its way to a worker.
struct Accepted {
    stream: std::net::TcpStream,
    peer: SocketAddr,
    local: SocketAddr,
}

struct Worker {
    inbox: UnboundedSender<Accepted>,
    connections: Arc<AtomicUsize>,
}

/// The running workers.
pub struct Workers {
    workers: Vec<Worker>,
    /// Who serves those that come while scripts run for too long, and which time that was.
    rescue: Mutex<Option<(u64, Worker)>>,
}

impl Workers {
    /// Starts `count` threads.
    pub fn start(node: &'static Node, count: usize) -> anyhow::Result<Self> {
        let workers = (0..count).map(|index| Worker::start(node, index, format!("worker-{index}")));
        Ok(Self {
            workers: workers.collect::<Result<_, _>>()?,
            rescue: Mutex::new(None),
        })
    }

    /// Gives a connection to the worker that has the fewest.
    pub fn assign(
        &self,
        node: &'static Node,
        stream: std::net::TcpStream,
        peer: SocketAddr,
        local: SocketAddr,
    ) {
        let accepted = Accepted { stream, peer, local };
        if node.scripts.monitor.is_busy() {
            return self.assign_to_rescue(node, accepted);
        }
        let least = self
            .workers
            .iter()
            .min_by_key(|worker| worker.connections.load(Relaxed));
        if let Some(worker) = least {
            worker.give(accepted);
        }
    }

    #[cold]
    fn assign_to_rescue(&self, node: &'static Node, accepted: Accepted) {
        let episode = node.scripts.monitor.episode();
        let mut rescue = self.rescue.lock();
        if !matches!(&*rescue, Some((serves, _)) if *serves == episode) {
            // The one of another time may be held up by now. Its inbox ends here, and it ends with its connections.
            match Worker::start(node, node.rescue_worker(), "rescue".into()) {
                Ok(worker) => *rescue = Some((episode, worker)),
                Err(error) => {
                    log::warning(format_args!(
                        "Can't serve a client while a script runs: {error:#}"
                    ));
                    return;
                }
            }
        }
        if let Some((_, worker)) = &*rescue {
            worker.give(accepted);
        }
    }
}

impl Worker {
    fn start(node: &'static Node, index: usize, name: String) -> anyhow::Result<Self> {
        let (inbox, outbox) = unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new()
            .name(name)
            .spawn(move || LocalSet::new().block_on(&runtime, accept_all(node, index, outbox, counter)))
            .context("cannot start a worker thread")?;
        Ok(Self { inbox, connections })
    }

    fn give(&self, accepted: Accepted) {
        self.connections.fetch_add(1, Relaxed);
        // A worker ends only with the process; then the connection ends as well.
        let _ = self.inbox.send(accepted);
    }
}

async fn accept_all(
    node: &'static Node,
    worker: usize,
    mut inbox: UnboundedReceiver<Accepted>,
    connections: Arc<AtomicUsize>,
) {
    let buffers = WorkerBuffers::new();
    while let Some(Accepted { stream, peer, local }) = inbox.recv().await {
        let Ok(stream) = tokio::net::TcpStream::from_std(stream) else {
            connections.fetch_sub(1, Relaxed);
            continue;
        };
        let buffers = buffers.clone();
        let connections = connections.clone();
        tokio::task::spawn_local(async move {
            let client = node.clients.register(peer, local, &stream);
            let account = node.acl.default_account().clone();
            client.set_account(Some(account.clone()));
            let session = Session::new(client, account, peer.ip().to_canonical().is_loopback());
            Connection::new(node, worker, stream, session)
                .serve(buffers)
                .await;
            connections.fetch_sub(1, Relaxed);
        });
    }
    // Nobody else is coming.
    while connections.load(Relaxed) > 0 {
        tokio::time::sleep(LOOK_FOR_END).await;
    }
}
