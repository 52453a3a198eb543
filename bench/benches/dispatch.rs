//! The node without sockets: a batch of requests as bytes in, replies as bytes out. What it costs above `keyspace` is
//! parsing, looking commands up, routing, locking, accounting and writing replies.

use std::hint::black_box;
use std::net::SocketAddr;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use slotcore::resp::{RequestParser, encode_command};
use slotmark_server::command::dispatch::Batch;
use slotmark_server::config::ConfigStore;
use slotmark_server::net::Scratch;
use slotmark_server::node::{Node, unix_ms};
use slotmark_server::session::Session;

const KEYS: usize = 100_000;
const VALUE: [u8; 64] = [b'v'; 64];

/// Makes the request for a key.
type Request = fn(usize) -> Vec<u8>;

struct Bench {
    node: &'static Node,
    session: Session,
    parser: RequestParser,
    scratch: Scratch,
}

impl Bench {
    /// A standalone node with `KEYS` keys. It is leaked, as every node is.
    fn new() -> Self {
        let config = ConfigStore::from_options(&["--save", ""]).expect("good options");
        let node: &'static Node = Box::leak(Box::new(Node::new(config, 1).expect("a node without a socket")));
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let client = node.clients.register(address, address, &std::io::stdin());
        let mut bench = Self {
            node,
            session: Session::new(client, node.acl.default_account().clone(), true),
            parser: RequestParser::new(),
            scratch: Scratch::default(),
        };
        for key in 0..KEYS {
            bench.run(&mut set(key));
        }
        bench
    }

    fn run(&mut self, requests: &mut [u8]) {
        let config = self.node.config.load();
        let batch = Batch {
            node: self.node,
            config: &config,
            worker: 0,
            now: unix_ms(),
        };
        let outcome = self
            .scratch
            .run(&batch, &mut self.session, &mut self.parser, requests);
        assert_eq!(outcome.0, requests.len(), "every request is complete");
        black_box(&self.scratch.out);
        self.scratch.out.clear();
    }
}

fn name(key: usize) -> String {
    format!("key:{key:012}")
}

fn set(key: usize) -> Vec<u8> {
    let mut request = Vec::new();
    encode_command(&mut request, &[b"SET", name(key).as_bytes(), &VALUE]);
    request
}

fn get(key: usize) -> Vec<u8> {
    let mut request = Vec::new();
    encode_command(&mut request, &[b"GET", name(key).as_bytes()]);
    request
}

fn dispatch(c: &mut Criterion) {
    let mut bench = Bench::new();
    let mut group = c.benchmark_group("dispatch");
    for (command, request) in [("get", get as Request), ("set", set)] {
        for depth in [1usize, 16, 64] {
            group.throughput(Throughput::Elements(depth as u64));
            group.bench_with_input(BenchmarkId::new(command, depth), &depth, |b, &depth| {
                let mut next = 0;
                b.iter_batched_ref(
                    || {
                        let mut requests = Vec::new();
                        for _ in 0..depth {
                            next = (next + 7919) % KEYS;
                            requests.extend(request(next));
                        }
                        requests
                    },
                    |requests| bench.run(requests),
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(benches, dispatch);
criterion_main!(benches);
