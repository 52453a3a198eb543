//! All connections of the bus, by the names that the member knows them by.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Sender;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::timeout;

use super::codec;
use super::link::{self, Outbox, reason_of};
use super::traffic::Traffic;
use crate::cluster::message::SharedMessage;
use crate::cluster::protocol::{CloseReason, Dial, Input, LinkId, MAX_NODES};
use crate::log;

/// The network may take so long to make a connection.
const DIAL_PATIENCE: Duration = Duration::from_secs(5);
/// Connections that peers have made to us at once.
const MAX_INBOUND: usize = 2 * MAX_NODES;

struct Open {
    outbox: Rc<Outbox>,
    task: AbortHandle,
}

/// The connections.
pub(super) struct Links {
    open: RefCell<HashMap<LinkId, Open>>,
    traffic: &'static Traffic,
    inputs: Sender<Input>,
    accepted: Cell<u64>,
    inbound: Cell<usize>,
    /// The frame that was made last, and of which message: a broadcast is encoded once.
    frame: RefCell<(Option<SharedMessage>, Vec<u8>)>,
}

impl Links {
    pub fn new(traffic: &'static Traffic, inputs: Sender<Input>) -> Rc<Self> {
        Rc::new(Self {
            open: RefCell::default(),
            traffic,
            inputs,
            accepted: Cell::new(0),
            inbound: Cell::new(0),
            frame: RefCell::default(),
        })
    }

    /// Connects to a peer; the member is told how that went.
    pub fn dial(self: &Rc<Self>, dial: Dial) {
        let links = self.clone();
        let link = dial.link;
        self.begin(link, |outbox| async move {
            let connecting = TcpStream::connect((dial.ip.as_str(), dial.port));
            let outcome = match timeout(DIAL_PATIENCE, connecting).await {
                Ok(outcome) => outcome.and_then(|socket| socket.set_nodelay(true).map(|()| socket)),
                Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
            };
            match outcome {
                Ok(socket) => {
                    // The receiver ends only with the process.
                    let _ = links.inputs.send(Input::Connected { link }).await;
                    link::serve(link, socket, outbox, links.inputs.clone()).await;
                }
                Err(error) => {
                    let reason = reason_of(&error);
                    let _ = links.inputs.send(Input::Closed { link, reason }).await;
                }
            }
        });
    }

    /// Takes in peers that dial us, for as long as the process lives.
    pub async fn accept_from(self: Rc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((socket, peer)) => self.accept(socket, peer).await,
                Err(error) => {
                    // Out of file descriptors, or the peer was gone already: the next accept may succeed.
                    log::warning(format_args!("Error accepting cluster node: {error}"));
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }

    async fn accept(self: &Rc<Self>, socket: TcpStream, peer: SocketAddr) {
        let Ok(local) = socket.local_addr() else { return };
        if self.inbound.get() >= MAX_INBOUND || socket.set_nodelay(true).is_err() {
            return;
        }
        self.accepted.set(self.accepted.get() + 1);
        let link = LinkId::In(self.accepted.get());
        let arrival = Input::Accepted {
            link,
            peer: peer.ip(),
            local: local.ip(),
        };
        let _ = self.inputs.send(arrival).await;
        let inputs = self.inputs.clone();
        self.begin(link, |outbox| link::serve(link, socket, outbox, inputs));
    }

    /// Takes a link up, with the task that serves it.
    fn begin<F>(self: &Rc<Self>, link: LinkId, serve: impl FnOnce(Rc<Outbox>) -> F)
    where
        F: Future<Output = ()> + 'static,
    {
        let outbox = Rc::new(Outbox::new(self.traffic.opened(link)));
        let served = serve(outbox.clone());
        let links = self.clone();
        let task = spawn_local(async move {
            served.await;
            links.forget(link);
        });
        let task = task.abort_handle();
        self.open.borrow_mut().insert(link, Open { outbox, task });
        self.count_inbound(link, true);
    }

    /// Ends a link; the member hears nothing more of it.
    pub fn close(&self, link: LinkId) {
        if let Some(open) = self.forget(link) {
            open.task.abort();
        }
    }

    fn forget(&self, link: LinkId) -> Option<Open> {
        let open = self.open.borrow_mut().remove(&link)?;
        self.traffic.closed(link);
        self.count_inbound(link, false);
        Some(open)
    }

    fn count_inbound(&self, link: LinkId, more: bool) {
        if let LinkId::In(_) = link {
            let count = self.inbound.get();
            self.inbound.set(if more { count + 1 } else { count - 1 });
        }
    }

    /// Sends a message. Returns what the member is to hear if the link has more to send than `limit` bytes (0: any
    /// number) and is ended for that.
    pub fn send(&self, link: LinkId, message: &SharedMessage, limit: u64) -> Option<Input> {
        let waiting = {
            let open = self.open.borrow();
            let outbox = &open.get(&link)?.outbox;
            let mut made = self.frame.borrow_mut();
            let (of, frame) = &mut *made;
            if !of.as_ref().is_some_and(|of| SharedMessage::ptr_eq(of, message)) {
                frame.clear();
                codec::encode(message, frame);
                *of = Some(message.clone());
            }
            outbox.push(frame)
        };
        if limit == 0 || waiting as u64 <= limit {
            return None;
        }
        log::warning(format_args!(
            "A link of the cluster bus is dropped: {waiting} bytes wait to be sent, and cluster-link-sendbuf-limit is \
             {limit}"
        ));
        self.traffic.overflowed();
        self.close(link);
        Some(Input::Closed {
            link,
            reason: CloseReason::Overflow,
        })
    }
}
