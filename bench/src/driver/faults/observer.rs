//! When the cluster noticed a fault, and who took over: asked of the other nodes every few milliseconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use slotcore::topology::nodes::parse_nodes;
use slotcore::topology::{NodeFlags, Topology};

use crate::driver::admin::Admin;
use crate::load::{Auth, HostPort};

/// Nodes that are asked: the replicas of the node first, since one of them is promoted, and then other primaries.
const MOST_WITNESSES: usize = 3;
const POLL: Duration = Duration::from_millis(5);
const ASK_TIMEOUT: Duration = Duration::from_millis(200);
/// Before a node that does not answer is asked again.
const PATIENCE: Duration = Duration::from_millis(500);

/// What was seen first when, by any witness.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sightings {
    /// A node has the flag `fail?` of it.
    pub suspected: Option<Instant>,
    /// A node has the flag `fail`.
    pub failed: Option<Instant>,
    /// A node says that another one owns its slots.
    pub promoted: Option<(Instant, HostPort)>,
}

/// Looks on until it is told to stop.
#[derive(Debug)]
pub struct Observer {
    quit: Arc<AtomicBool>,
    thread: JoinHandle<Sightings>,
}

impl Observer {
    /// Watches what becomes of the node that owned `first_slot`.
    pub fn start(victim: HostPort, first_slot: u16, witnesses: &[HostPort], auth: Option<Auth>) -> Self {
        let quit = Arc::new(AtomicBool::new(false));
        let for_thread = Arc::clone(&quit);
        let witnesses: Vec<HostPort> = witnesses
            .iter()
            .filter(|node| **node != victim)
            .take(MOST_WITNESSES)
            .cloned()
            .collect();
        let thread =
            std::thread::spawn(move || look_on(&victim, first_slot, &witnesses, auth.as_ref(), &for_thread));
        Self { quit, thread }
    }

    /// Ends it.
    pub fn finish(self) -> Sightings {
        self.quit.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

/// A node that is asked.
struct Witness {
    at: HostPort,
    link: Option<Admin>,
    not_before: Instant,
}

impl Witness {
    fn ask(&mut self, auth: Option<&Auth>) -> Option<Topology> {
        if Instant::now() < self.not_before {
            return None;
        }
        if self.link.is_none() {
            self.link = Admin::connect(&self.at, auth, ASK_TIMEOUT).ok();
        }
        let answer = self
            .link
            .as_mut()
            .and_then(|link| link.text(&["CLUSTER", "NODES"]).ok())
            .and_then(|text| parse_nodes(&text).ok());
        if answer.is_none() {
            self.link = None;
            self.not_before = Instant::now() + PATIENCE;
        }
        answer
    }
}

fn look_on(
    victim: &HostPort,
    first_slot: u16,
    witnesses: &[HostPort],
    auth: Option<&Auth>,
    quit: &AtomicBool,
) -> Sightings {
    let mut seen = Sightings::default();
    let mut witnesses: Vec<Witness> = witnesses
        .iter()
        .map(|at| Witness {
            at: at.clone(),
            link: None,
            not_before: Instant::now(),
        })
        .collect();
    while !quit.load(Ordering::Relaxed) && seen.promoted.is_none() {
        for witness in &mut witnesses {
            if let Some(topology) = witness.ask(auth) {
                note(&topology, victim, first_slot, &witness.at, &mut seen);
            }
        }
        std::thread::sleep(POLL);
    }
    seen
}

fn note(topology: &Topology, victim: &HostPort, first_slot: u16, asked: &HostPort, seen: &mut Sightings) {
    let now = Instant::now();
    for node in &topology.nodes {
        let host = if node.ip.is_empty() { &asked.host } else { &node.ip };
        let is_victim = node.port == victim.port
            && (*host == victim.host || node.hostname.as_ref() == Some(&victim.host));
        if is_victim {
            if node.flags.contains(NodeFlags::PFAIL) {
                seen.suspected.get_or_insert(now);
            }
            if node.flags.contains(NodeFlags::FAIL) {
                seen.failed.get_or_insert(now);
            }
        } else if node.slots.contains(first_slot) {
            seen.promoted
                .get_or_insert_with(|| (now, HostPort::new(host.clone(), node.port)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_says_is_noted_once() {
        let text = |flags: &str, owner: u16| {
            let line = |id: char, port: u16, flags: &str| {
                let id = id.to_string().repeat(40);
                let slots = if port == owner { " 0-5460" } else { "" };
                format!(
                    "{id} 10.0.0.1:{port}@{} {flags} - 0 0 1 connected{slots}\n",
                    port + 10_000
                )
            };
            line('a', 7000, flags) + &line('b', 7001, "myself,master")
        };
        let victim = HostPort::new("10.0.0.1", 7000);
        let asked = HostPort::new("10.0.0.1", 7001);
        let mut seen = Sightings::default();
        let mut tell = |flags: &str, owner: u16| {
            note(
                &parse_nodes(&text(flags, owner)).unwrap(),
                &victim,
                0,
                &asked,
                &mut seen,
            );
            seen.clone()
        };
        assert_eq!(tell("master", 7000), Sightings::default());
        let suspected = tell("master,fail?", 7000);
        assert!(suspected.suspected.is_some() && suspected.failed.is_none());
        let failed = tell("master,fail", 7000);
        assert_eq!(failed.suspected, suspected.suspected);
        assert!(failed.failed.is_some() && failed.promoted.is_none());
        let promoted = tell("master,fail", 7001);
        assert_eq!(promoted.promoted.map(|(_, node)| node), Some(asked.clone()));
    }
}
