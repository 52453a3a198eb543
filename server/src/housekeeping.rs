//! What the node does in the background, on a thread of its own: expired keys, idle clients, samples for INFO,
//! pings to replicas.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use slotcore::Slot;

use crate::eviction;
use crate::node::{Node, unix_ms};
use crate::replication::primary::Cron;
use crate::waiting::{redirect_waiters, serve_left};

/// Share of one core that active expiry may take at effort 1 and at each step above it, as in redis-server.
const EXPIRE_SHARE: f64 = 0.25;
const EXPIRE_SHARE_STEP: f64 = 0.02;
/// So long it works at a time, and then lets others have the core: a worker that shares it waits no longer than this.
const EXPIRE_SLICE: Duration = Duration::from_micros(250);

/// Starts the thread.
pub fn start(node: &'static Node) -> anyhow::Result<()> {
    thread::Builder::new()
        .name("housekeeping".into())
        .spawn(move || run(node))
        .context("cannot start the housekeeping thread")?;
    Ok(())
}

fn run(node: &'static Node) {
    let mut last_second = Instant::now();
    let mut sweep = 0;
    let mut replication = Cron::default();
    let mut seen_view = None;
    loop {
        node.stall.wait();
        let tick = Duration::from_secs(1) / node.config.load().hz.clamp(1, 500);
        let next = Instant::now() + tick;
        expire(node, tick, next, &mut sweep);
        serve_left(node);
        let config = node.config.load();
        let now = unix_ms();
        node.stats.sample(now, node.replication.net_bytes());
        node.memory.sample();
        // Memory grows without writes, too: buffers of clients, the stream for replicas.
        eviction::has_room(node, &config);
        replication.tick(node, now);
        let view = node.cluster.as_ref().map(|cluster| cluster.version());
        if view != seen_view {
            seen_view = view;
            redirect_waiters(node);
        }
        if last_second.elapsed() >= Duration::from_secs(1) {
            last_second = Instant::now();
            if config.timeout_s > 0 {
                node.clients.close_idle(now, config.timeout_s);
            }
            node.clients.sample_peaks(now);
            // A wait may have begun while the view changed.
            redirect_waiters(node);
            node.clients
                .enforce_soft_limit(now, &config.client_output_buffer_limit);
        }
        drop(config);
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

/// Removes keys whose time is over, for at most a share of the tick that ends at `end`, and spread over it.
fn expire(node: &'static Node, tick: Duration, end: Instant, sweep: &mut Slot) {
    let effort = node.config.load().active_expire_effort;
    let share = EXPIRE_SHARE + EXPIRE_SHARE_STEP * f64::from(effort.saturating_sub(1));
    let budget = tick.mul_f64(share);
    let pause = EXPIRE_SLICE.mul_f64((1.0 / share - 1.0).max(0.0));
    let mut spent = Duration::ZERO;
    let mut out_of_time = false;
    while spent < budget && node.stats.active_expire() {
        let now = unix_ms();
        if node.pause.until(now).is_some() {
            break;
        }
        let start = Instant::now();
        let report = node
            .keyspace
            .expire_cycle(now, EXPIRE_SLICE.min(budget - spent), sweep);
        spent += start.elapsed();
        out_of_time = report.out_of_time;
        if !out_of_time || Instant::now() + pause >= end {
            break;
        }
        thread::sleep(pause);
    }
    node.stats.expire_cycles.add(spent, out_of_time);
}
