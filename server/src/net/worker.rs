//! The worker threads: each a current-thread runtime with connections of its own. Nothing moves between them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use anyhow::Context as _;
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

use crate::net::connection::{Connection, WorkerBuffers};
use crate::node::Node;
use crate::session::Session;

/// A socket on its way to a worker.
struct Accepted {
    stream: std::net::TcpStream,
    peer: SocketAddr,
    local: SocketAddr,
}

struct Worker {
    inbox: UnboundedSender<Accepted>,
    connections: &'static AtomicUsize,
}

/// The running workers.
pub struct Workers(Vec<Worker>);

impl Workers {
    /// Starts `count` threads.
    pub fn start(node: &'static Node, count: usize) -> anyhow::Result<Self> {
        let mut workers = Vec::with_capacity(count);
        for index in 0..count {
            let (inbox, outbox) = unbounded_channel();
            let connections: &'static AtomicUsize = Box::leak(Box::new(AtomicUsize::new(0)));
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(move || {
                    LocalSet::new().block_on(&runtime, accept_all(node, index, outbox, connections))
                })
                .context("cannot start a worker thread")?;
            workers.push(Worker { inbox, connections });
        }
        Ok(Self(workers))
    }

    /// Gives a connection to the worker that has the fewest.
    pub fn assign(&self, stream: std::net::TcpStream, peer: SocketAddr, local: SocketAddr) {
        let least = self
            .0
            .iter()
            .min_by_key(|worker| worker.connections.load(Relaxed));
        if let Some(worker) = least {
            worker.connections.fetch_add(1, Relaxed);
            // A worker ends only with the process; then the connection ends as well.
            let _ = worker.inbox.send(Accepted { stream, peer, local });
        }
    }
}

async fn accept_all(
    node: &'static Node,
    worker: usize,
    mut inbox: UnboundedReceiver<Accepted>,
    connections: &'static AtomicUsize,
) {
    let buffers = WorkerBuffers::new();
    while let Some(Accepted { stream, peer, local }) = inbox.recv().await {
        let Ok(stream) = tokio::net::TcpStream::from_std(stream) else {
            connections.fetch_sub(1, Relaxed);
            continue;
        };
        let buffers = buffers.clone();
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
}
