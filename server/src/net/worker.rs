//! The worker threads: each an event loop with connections of its own. Nothing moves between them.
//!
//! A script that runs for too long holds its worker up, and may hold up others that wait for its slots. From then on new
//! connections go to a thread of their own, one for each such time, which can be told SCRIPT KILL; it ends with the last
//! of its connections.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use anyhow::Context as _;
use parking_lot::Mutex;

use crate::log;
use crate::net::doorbell::{Accepted, Doorbell};
use crate::net::event_loop::EventLoop;
use crate::node::Node;

struct Worker {
    door: Arc<Doorbell>,
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
            // The one of another time may be held up by now. It gets no more, and ends with its connections.
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
        let connections = Arc::new(AtomicUsize::new(0));
        let event_loop = EventLoop::new(node, index, connections.clone())?;
        let door = event_loop.door();
        thread::Builder::new()
            .name(name)
            .spawn(move || {
                // One that serves nobody would be given new connections for ever.
                if catch_unwind(AssertUnwindSafe(|| event_loop.run())).is_err() {
                    std::process::abort();
                }
            })
            .context("cannot start a worker thread")?;
        Ok(Self { door, connections })
    }

    fn give(&self, accepted: Accepted) {
        self.connections.fetch_add(1, Relaxed);
        self.door.leave(|post| post.accepted.push(accepted));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.door.leave(|post| post.closed = true);
    }
}
