//! A client that knows a cluster: it follows redirects, and asks again while nodes come and go.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use slotcore::redirect::{self, Redirect};
use slotcore::resp::Reply;
use slotcore::slot::slot_of;

use crate::Client;

/// How long a command may be asked again: longer than a failover takes.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long one node has to answer. One that was stopped takes connections and never does.
const ONE_ANSWER: Duration = Duration::from_secs(1);
/// Between two questions while the cluster heals.
const A_MOMENT: Duration = Duration::from_millis(20);

/// The client.
pub struct Router {
    ports: Vec<u16>,
    next: usize,
    /// By slot.
    owners: HashMap<u16, u16>,
    links: HashMap<u16, Client>,
    /// Nodes that did not answer; asked again when a redirect names them.
    silent: HashSet<u16>,
}

impl Router {
    /// Begins with the nodes at these ports.
    pub fn new(ports: Vec<u16>) -> Self {
        Self {
            ports,
            next: 0,
            owners: HashMap::new(),
            links: HashMap::new(),
            silent: HashSet::new(),
        }
    }

    /// The reply to a command whose second word is its key. It may have been carried out more than once.
    pub fn cmd(&mut self, words: &[&str]) -> Reply {
        let slot = slot_of(words[1].as_bytes());
        let start = Instant::now();
        loop {
            let port = self.owners.get(&slot).copied().unwrap_or_else(|| self.any());
            let answer = self.ask(port, words);
            match &answer {
                Err(_) => self.is_silent(port),
                Ok(Reply::Error(text)) => match redirect::parse(text) {
                    Some(Redirect::Moved { port, .. }) => {
                        self.owners.insert(slot, port);
                        self.silent.remove(&port);
                    }
                    Some(Redirect::Ask { port, .. }) => {
                        if let Some(reply) = self.ask_there(port, words) {
                            return reply;
                        }
                    }
                    None if passes(text) => {
                        self.owners.remove(&slot);
                        std::thread::sleep(A_MOMENT);
                    }
                    None => return Reply::Error(text.clone()),
                },
                Ok(reply) => return reply.clone(),
            }
            assert!(
                start.elapsed() < PATIENCE,
                "nobody carries out {words:?}; the last answer, from port {port}: {answer:?}"
            );
        }
    }

    /// Follows ASK. `None`: the key is on its way, or nobody is there.
    fn ask_there(&mut self, port: u16, words: &[&str]) -> Option<Reply> {
        self.ask(port, &["ASKING"]).ok()?;
        match self.ask(port, words).ok()? {
            Reply::Error(text) if passes(&text) => None,
            reply => Some(reply),
        }
    }

    fn is_silent(&mut self, port: u16) {
        self.links.remove(&port);
        self.owners.retain(|_, owner| *owner != port);
        self.silent.insert(port);
        std::thread::sleep(A_MOMENT);
    }

    /// A node that can tell where a slot is.
    fn any(&mut self) -> u16 {
        if self.silent.len() == self.ports.len() {
            self.silent.clear();
        }
        loop {
            self.next += 1;
            let port = self.ports[self.next % self.ports.len()];
            if !self.silent.contains(&port) {
                return port;
            }
        }
    }

    fn ask(&mut self, port: u16, words: &[&str]) -> std::io::Result<Reply> {
        let link = match self.links.entry(port) {
            Entry::Occupied(link) => link.into_mut(),
            Entry::Vacant(place) => {
                let client = Client::try_connect(port)?;
                client.set_patience(ONE_ANSWER);
                place.insert(client)
            }
        };
        link.try_cmd(words)
    }
}

/// Is it an error of a cluster that is about to heal?
fn passes(text: &[u8]) -> bool {
    ["CLUSTERDOWN", "TRYAGAIN", "LOADING", "MASTERDOWN"]
        .iter()
        .any(|prefix| text.starts_with(prefix.as_bytes()))
}
