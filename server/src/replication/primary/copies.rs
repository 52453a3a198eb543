//! Replicas that wait for a copy of the data, and the copies that are made for them: one at a time, each for all who
//! wait when it is cut.

use std::cell::RefCell;
use std::fs::File;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, oneshot};

use super::copy;
use crate::log;
use crate::node::Node;
use crate::replication::{Log, ReaderId};

/// Pieces of a copy that may wait for a replica's socket.
const PIECES_AHEAD: usize = 8;
/// A copy waits this long for replicas that have not been heard of yet, unless it is not to wait at all.
const GRACE: Duration = Duration::from_millis(100);
/// How often it is looked whether more replicas have come.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What becomes of a copy, as the replica's task sees it.
#[derive(Debug)]
pub enum Step {
    /// The data of this moment are being written.
    Cut(Start),
    /// They come in pieces, with this mark behind the last.
    Marked([u8; 40]),
    /// A piece.
    Piece(Arc<Vec<u8>>),
    /// The last piece was sent.
    End,
    /// They are in this file, of so many bytes.
    File(File, u64),
    /// There will be no copy.
    Failed,
}

/// Where the stream of a replica begins: attached to the log, so that nothing of it is dropped before it is sent.
#[derive(Debug)]
pub struct Start {
    log: &'static Log,
    /// Its place among the log's readers.
    pub reader: ReaderId,
    /// The position up to which the replica has the stream.
    pub position: u64,
    /// The stream's name.
    pub id: String,
}

impl Start {
    /// Of a reader that is attached.
    pub fn new(log: &'static Log, reader: ReaderId, position: u64, id: String) -> Self {
        Self {
            log,
            reader,
            position,
            id,
        }
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        self.log.detach(self.reader);
    }
}

/// A replica that waits.
#[derive(Debug)]
pub struct Waiting {
    /// Where its steps go.
    pub steps: mpsc::Sender<Step>,
    /// It understands a mark.
    pub eof: bool,
    since: Instant,
}

/// Those who wait.
#[derive(Debug, Default)]
pub struct Copies {
    waiting: RefCell<Vec<Waiting>>,
    arrived: Notify,
}

impl Copies {
    /// Wants a copy. Who drops the receiver wants it no more.
    pub fn want(&self, eof: bool) -> mpsc::Receiver<Step> {
        let (steps, receiver) = mpsc::channel(PIECES_AHEAD);
        self.waiting.borrow_mut().push(Waiting {
            steps,
            eof,
            since: Instant::now(),
        });
        self.arrived.notify_one();
        receiver
    }

    /// Makes copies as long as the thread lives.
    pub async fn run(self: std::rc::Rc<Self>, node: &'static Node) {
        loop {
            while self.count() == 0 {
                self.arrived.notified().await;
            }
            self.gather(node).await;
            let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
            let diskless = node.config.load().primary.diskless && waiting.iter().all(|one| one.eof);
            let (done, ended) = oneshot::channel::<()>();
            let started = thread::Builder::new().name("copy".into()).spawn(move || {
                copy::make(node, waiting, diskless);
                drop(done);
            });
            match started {
                // It ends by being dropped, which is the only thing that can be received.
                Ok(_) => drop(ended.await),
                Err(error) => {
                    log::warning(format_args!("Can't start the copy for replicas: {error}"));
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// How many wait and are still there.
    fn count(&self) -> usize {
        let mut waiting = self.waiting.borrow_mut();
        waiting.retain(|one| !one.steps.is_closed());
        waiting.len()
    }

    /// Waits for others who want the same copy: shortly for those of whom nothing is known, and for those who have
    /// announced themselves as long as `repl-diskless-sync-delay` allows.
    async fn gather(&self, node: &'static Node) {
        let config = node.config.load();
        let settings = &config.primary;
        if !settings.diskless {
            return;
        }
        let most = Duration::from_secs(settings.diskless_delay_s);
        let enough = match settings.diskless_max_replicas {
            0 => usize::MAX,
            enough => enough,
        };
        loop {
            let count = self.count();
            let waited = self
                .waiting
                .borrow()
                .first()
                .map_or(Duration::MAX, |one| one.since.elapsed());
            let coming = node.replication.replicas.coming() > 0;
            if count >= enough || waited >= most || (waited >= GRACE && !coming) {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
