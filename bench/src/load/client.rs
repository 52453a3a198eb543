//! One client: where its operations come from, and how many of them are outstanding.

use std::sync::Arc;

use workloads::arrival::Arrivals;
use workloads::{Op, OpStream, Workload};

/// Where operations come from.
#[derive(Debug)]
pub(super) enum Source {
    /// The client's stream; so many operations are left.
    Stream { stream: OpStream, left: u64 },
    /// Every `step`-th key of the preload, from `next` on.
    Preload {
        workload: Arc<Workload>,
        next: u64,
        step: u64,
    },
}

impl Source {
    #[inline]
    pub fn next(&mut self) -> Option<Op> {
        match self {
            Source::Stream { stream, left } => {
                *left = left.checked_sub(1)?;
                Some(stream.next_op())
            }
            Source::Preload { workload, next, step } => {
                while *next < workload.preload_len() {
                    let op = workload.preload_op(*next);
                    *next += *step;
                    if op.is_some() {
                        return op;
                    }
                }
                None
            }
        }
    }

    pub fn is_exhausted(&self) -> bool {
        match self {
            Source::Stream { left, .. } => *left == 0,
            Source::Preload { workload, next, .. } => *next >= workload.preload_len(),
        }
    }
}

/// Number of a connection that is not there.
pub(super) const NO_LINK: usize = usize::MAX;

/// When a client's operations are due, from the start of each part of the round.
#[derive(Debug)]
pub(super) struct Pace {
    pub warmup: Arrivals,
    pub measured: Arrivals,
}

/// One client.
#[derive(Debug)]
pub(super) struct Client {
    pub source: Source,
    pub warmup: Option<OpStream>,
    /// When its operations are due, in an open loop.
    pub pace: Option<Pace>,
    /// Operations under way, over all connections.
    pub outstanding: u32,
    /// Its connection to each node, by the node's number.
    links: Vec<usize>,
    /// It is in the worker's list of clients with room in their window.
    pub has_room: bool,
}

impl Client {
    pub fn new(source: Source, warmup: Option<OpStream>) -> Self {
        Self {
            source,
            warmup,
            pace: None,
            outstanding: 0,
            links: Vec::new(),
            has_room: false,
        }
    }

    #[inline]
    pub fn link(&self, node: usize) -> usize {
        self.links.get(node).copied().unwrap_or(NO_LINK)
    }

    pub fn set_link(&mut self, node: usize, connection: usize) {
        if self.links.len() <= node {
            self.links.resize(node + 1, NO_LINK);
        }
        self.links[node] = connection;
    }
}

/// How many of `total` operations client number `client` of `clients` issues.
pub(super) fn quota(total: u64, client: u32, clients: u32) -> u64 {
    let clients = u64::from(clients);
    total / clients + u64::from(u64::from(client) < total % clients)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_add_up_and_differ_by_one_at_most() {
        for (total, clients) in [(1, 1), (10, 3), (2, 5), (1_000_003, 50)] {
            let quotas: Vec<u64> = (0..clients).map(|client| quota(total, client, clients)).collect();
            assert_eq!(quotas.iter().sum::<u64>(), total);
            assert!(quotas.iter().max().unwrap() - quotas.iter().min().unwrap() <= 1);
        }
    }

    #[test]
    fn sources_end() {
        let workload = workloads::Spec::parse("t", "t", "keyspace.keys = 10\n")
            .unwrap()
            .compile(1)
            .unwrap();
        let mut stream = Source::Stream {
            stream: workload.client_stream(0),
            left: 2,
        };
        assert!(stream.next().is_some() && !stream.is_exhausted() && stream.next().is_some());
        assert!(stream.is_exhausted() && stream.next().is_none() && stream.next().is_none());
        let mut slots = Vec::new();
        for client in 0..3 {
            let mut source = Source::Preload {
                workload: Arc::clone(&workload),
                next: client,
                step: 3,
            };
            slots.extend(std::iter::from_fn(|| source.next()).map(|op| op.key()));
            assert!(source.is_exhausted());
        }
        slots.sort_unstable();
        assert_eq!(
            slots.iter().map(|key| key.number()).collect::<Vec<_>>(),
            (0..10).collect::<Vec<_>>()
        );
    }
}
