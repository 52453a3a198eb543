//! Data that a test writes through a cluster and finds again.

use slotcore::resp::Reply;

use crate::{Nodes, Router};

/// The commands that write, one for each type.
const TYPES: [&str; 4] = ["SET", "HSET", "ZADD", "SADD"];

/// Keys of all types that the nodes have, with values that change. Every write may be repeated without another outcome, since it will be
/// where a node has died over it.
pub struct Sample {
    router: Router,
    types: Vec<&'static str>,
    /// The round in which each key was written last.
    rounds: Vec<usize>,
    round: usize,
}

impl Sample {
    /// No keys yet.
    pub fn new(nodes: &Nodes) -> Self {
        Self {
            router: Router::new(nodes.ports()),
            types: TYPES.into_iter().filter(|name| nodes.have(name)).collect(),
            rounds: Vec::new(),
            round: 0,
        }
    }

    /// Writes `count` new keys, and every third of the old ones anew.
    pub fn write(&mut self, count: usize) {
        self.round += 1;
        let old = (0..self.rounds.len()).filter(|number| number % 3 == self.round % 3);
        let numbers: Vec<usize> = old.chain(self.rounds.len()..self.rounds.len() + count).collect();
        for number in numbers {
            self.put(number);
        }
    }

    /// Writes one new key.
    pub fn write_one(&mut self) {
        self.put(self.rounds.len());
    }

    fn put(&mut self, number: usize) {
        let (key, value) = (format!("key:{number}"), format!("{}", self.round));
        let reply = match self.types[number % self.types.len()] {
            "HSET" => self.router.cmd(&["HSET", &key, "field", &value]),
            "ZADD" => self.router.cmd(&["ZADD", &key, &value, "member"]),
            name => self.router.cmd(&[name, &key, &value]),
        };
        assert!(!matches!(reply, Reply::Error(_)), "{key}: {reply:?}");
        self.rounds.resize(self.rounds.len().max(number + 1), self.round);
        self.rounds[number] = self.round;
    }

    /// Every key is there, with what was written last.
    pub fn check(&mut self) {
        for (number, round) in self.rounds.iter().enumerate() {
            let (key, value) = (format!("key:{number}"), format!("{round}"));
            let bulk = Reply::Bulk(value.clone().into_bytes());
            let (reply, expected) = match self.types[number % self.types.len()] {
                "HSET" => (self.router.cmd(&["HGET", &key, "field"]), bulk),
                "ZADD" => (self.router.cmd(&["ZSCORE", &key, "member"]), bulk),
                "SADD" => (self.router.cmd(&["SISMEMBER", &key, &value]), Reply::Integer(1)),
                _ => (self.router.cmd(&["GET", &key]), bulk),
            };
            assert_eq!(reply, expected, "{key} of {}", self.rounds.len());
        }
    }
}
