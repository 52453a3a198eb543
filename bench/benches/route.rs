//! Who serves a request: what a node decides for every command with keys, and a client before every send.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slotcore::Slot;
use slotcore::route::{Decision, KeyPresence, KeySlots, RouteRequest, RouteView, route};
use slotcore::slot_map::SlotMap;
use slotcore::topology::nodes::parse_nodes;
use slotmark_server::cluster::protocol::Facts;
use slotmark_server::cluster::{Claim, Cluster, ClusterSettings};

/// Slots in an order that no prefetcher foresees.
fn slots() -> Vec<Slot> {
    (0..1024u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 18) as Slot)
        .collect()
}

fn decide(view: &impl RouteView, slots: &[Slot]) -> usize {
    let here = |slot: &&Slot| {
        let request = RouteRequest::read(KeySlots::One(black_box(**slot)));
        route(view, &request, KeyPresence::default) == Decision::Local
    };
    slots.iter().filter(here).count()
}

fn bench_route(c: &mut Criterion) {
    let mut group = c.benchmark_group("route");
    let slots = slots();
    group.throughput(Throughput::Elements(slots.len() as u64));

    let dir = std::env::temp_dir().join(format!("slotmark-bench-route-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a temporary directory");
    let cluster = Cluster::open(&dir.join("nodes.conf"), ClusterSettings::default()).expect("a new node");
    cluster
        .command(Facts::default, |member, now, facts, out| {
            member.claim(now, facts, Claim::Add, 0..16384, out)
        })
        .expect("unowned slots");
    group.bench_function("node_local", |b| b.iter(|| decide(&**cluster.view(), &slots)));
    group.bench_function("node_local_view_each_time", |b| {
        b.iter(|| {
            slots
                .iter()
                .map(|slot| decide(&**cluster.view(), std::slice::from_ref(slot)))
                .sum::<usize>()
        });
    });

    let nodes = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 10.0.0.1:7000@17000 master - 0 0 1 connected 0-8191\n\
                 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb 10.0.0.2:7000@17000 master - 0 0 2 connected 8192-16383\n";
    let map = SlotMap::from_topology(&parse_nodes(nodes).expect("a description of two nodes"), "");
    group.bench_function("client", |b| b.iter(|| decide(&map, &slots)));
    group.finish();
    drop(cluster);
    std::fs::remove_dir_all(&dir).expect("it is ours");
}

criterion_group!(benches, bench_route);
criterion_main!(benches);
