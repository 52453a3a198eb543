//! How other threads, and other connections of the same thread, get a worker's attention.

use std::io;
use std::mem;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use mio::{Registry, Token};
use parking_lot::Mutex;

/// A socket on its way to a worker.
pub struct Accepted {
    pub stream: TcpStream,
    pub peer: SocketAddr,
    pub local: SocketAddr,
}

/// What was left at the door.
#[derive(Default)]
pub struct Post {
    /// New connections.
    pub accepted: Vec<Accepted>,
    /// Connections that are to look again at what they wait for.
    woken: Vec<Arc<Knock>>,
    /// Nobody will send more connections.
    pub closed: bool,
}

impl Post {
    /// Takes the keys of the connections that were woken. Whoever wakes one from here on is heard again.
    pub fn woken(&mut self) -> impl Iterator<Item = usize> {
        self.woken.drain(..).map(|knock| {
            knock.heard();
            knock.key
        })
    }
}

/// A worker's door.
pub struct Doorbell {
    post: Mutex<Post>,
    has_post: AtomicBool,
    /// The worker waits for events, or is about to: somebody has to ring.
    asleep: AtomicBool,
    bell: mio::Waker,
}

impl Doorbell {
    /// One that rings in the poller of this registry.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            post: Mutex::default(),
            has_post: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            bell: mio::Waker::new(registry, token)?,
        }))
    }

    /// Leaves something, and sees to it that the worker looks.
    pub fn leave(&self, with: impl FnOnce(&mut Post)) {
        with(&mut self.post.lock());
        // In one order for all threads: either the worker sees the post before it sleeps, or this sees it asleep.
        self.has_post.store(true, Ordering::SeqCst);
        if self.asleep.load(Ordering::SeqCst) {
            // It fails only if the count of rings is full, and then it has rung.
            let _ = self.bell.wake();
        }
    }

    /// Takes what was left, for an empty one whose memory is used on. False: nothing was.
    #[inline]
    pub fn take(&self, empty: &mut Post) -> bool {
        let has_post = self.has_post.load(Ordering::Relaxed) && self.has_post.swap(false, Ordering::SeqCst);
        if has_post {
            mem::swap(&mut *self.post.lock(), empty);
        }
        has_post
    }

    /// The worker is going to sleep, unless this says that there is post.
    pub fn falls_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        !self.has_post.load(Ordering::SeqCst)
    }

    /// The worker looks by itself again.
    pub fn wakes_up(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// What wakes the connection with this key.
    pub fn waker(self: &Arc<Self>, key: usize) -> Waker {
        Waker::from(Arc::new(Knock {
            door: self.clone(),
            key,
            is_pending: AtomicBool::new(false),
        }))
    }
}

/// Wakes one connection.
struct Knock {
    door: Arc<Doorbell>,
    key: usize,
    /// It was left at the door, and not heard yet.
    is_pending: AtomicBool,
}

impl Knock {
    fn heard(&self) {
        // What was done before a knock that found this set is seen by who clears it.
        self.is_pending.swap(false, Ordering::AcqRel);
    }
}

impl Wake for Knock {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_pending.swap(true, Ordering::AcqRel) {
            self.door.leave(|post| post.woken.push(self.clone()));
        }
    }
}
