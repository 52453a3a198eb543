//! A round from start to end: discovery, threads, and the outcome of all of them.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use slotcore::resp::encode_command;
use workloads::spec::{Arrival, ReadFrom};

use super::beside;
use super::client::{Client, Pace, Source, quota};
use super::division::Division;
use super::holds;
use super::job::{Job, handshake};
use super::merge;
use super::plan::{Phase, Plan, PreloadOutcome, PreloadPlan, Target, Until, Watch};
use super::scout::{LOST_AFTER, Scout};
use super::scripts;
use super::worker::{Worker, WorkerOutcome};
use crate::measure::Clock;
use crate::report::outcome::Outcome;

/// Clients of a preload; it is over soon, and a few deep windows load a node as well as many shallow ones.
const PRELOAD_CLIENTS: u32 = 4;
/// Bytes that a preload has under way for each client, more or less.
const PRELOAD_WINDOW_BYTES: u64 = 256 * 1024;

/// For replicas to be told of.
const REPLICAS_WITHIN: Duration = Duration::from_secs(10);
const LOOK_FOR_REPLICAS: Duration = Duration::from_millis(50);
/// For replicas to have a write.
const WAIT_LIMIT: Duration = Duration::from_secs(1);

/// Puts the target under load. Blocks until the round is over, and starts and ends its threads.
///
/// # Errors
/// When no load could be put on: no slot map, no connections, no threads. What happens once load is on is no error but
/// part of the outcome.
pub fn run(plan: &Plan, watch: &Watch) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    if plan.clients == 0 || plan.threads == 0 || plan.pipeline == 0 {
        bail!("clients, threads and pipeline are at least 1");
    }
    let duration = match plan.until {
        Until::Requests(_) => None,
        Until::Duration(duration) => Some(duration),
    };
    // While the cluster is being harmed on purpose, it may be dark for long.
    let patience = if plan.trace_shards {
        Duration::MAX
    } else {
        LOST_AFTER
    };
    let scout_job = job(plan.workload.clone(), &plan.target, watch, patience)?;
    let read_from_replicas = plan.workload.spec().run.read_from == ReadFrom::Replica;
    if read_from_replicas {
        await_replicas(&scout_job.scout, watch)?;
    }
    let receivers = plan.workload.spec().receivers.as_ref();
    let (handshake, handshake_replies) = handshake(&plan.target, read_from_replicas);
    let mut job = Job {
        commands: plan.workload.commands().len(),
        window: plan.pipeline,
        warmup: plan.warmup,
        duration,
        interval: plan.interval,
        open_loop: plan.workload.spec().arrival != Arrival::Closed,
        timeout: plan.workload.spec().run.timeout,
        read_from_replicas,
        handshake,
        handshake_replies,
        audit: plan.audit.or(read_from_replicas.then_some(0)).or_else(|| {
            // Rounds have other clients each, and so other stamps; so do invocations one after the other.
            let round = plan.client_base / plan.clients.max(1);
            receivers.map(|_| (round ^ std::process::id()) & 0xffff)
        }),
        has_receivers: receivers.is_some(),
        sequels: plan
            .workload
            .commands()
            .iter()
            .filter_map(|command| Some(command.then()?.0))
            .collect(),
        wait: plan.wait.map(|replicas| {
            // WAIT holds up its connection, so it gives up before the operation would.
            let timeout = (plan.workload.spec().run.timeout / 2).min(WAIT_LIMIT);
            let timeout = timeout.as_millis().max(1).to_string();
            let mut frame = Vec::new();
            let replicas_text = replicas.to_string();
            encode_command(
                &mut frame,
                &[b"WAIT", replicas_text.as_bytes(), timeout.as_bytes()],
            );
            (u64::from(replicas), frame)
        }),
        ..scout_job
    };
    let is_divided = plan.workload.spec().calm_share().is_some();
    let division =
        (plan.trace_shards || is_divided).then(|| Division::of(&job.scout.map(), beside::own_slot(&job)));
    job.shards = division.as_ref().map(|division| division.map.clone());
    let arrival = &plan.workload.spec().arrival;
    let schedules = arrival
        .warmup_schedule()
        .zip(arrival.schedule(duration.unwrap_or_default()));
    let client = |number: u32| {
        let left = match plan.until {
            Until::Requests(total) => quota(total, number, plan.clients),
            Until::Duration(_) => u64::MAX,
        };
        let place = number;
        let number = plan.client_base + number;
        let source = Source::Stream {
            stream: plan.workload.client_stream(number),
            left,
        };
        let warmup = (!plan.warmup.is_zero()).then(|| plan.workload.warmup_stream(number));
        let mut client = Client::new(source, warmup);
        client.pace = schedules.as_ref().map(|(warmup, measured)| Pace {
            warmup: plan.workload.warmup_arrivals(warmup, number, place, plan.clients),
            measured: plan.workload.arrivals(measured, number, place, plan.clients),
        });
        client
    };
    let load = || {
        let threads = plan.threads.min(plan.clients);
        run_threads(&job, threads, plan.clients, &plan.pin, client)
    };
    let ((outcomes, beside), received) =
        beside::with_receivers(&job, &plan.target, || beside::run(&job, &plan.target, load))?;
    let mut outcomes = outcomes?;
    let holds: Vec<_> = outcomes
        .iter_mut()
        .map(|worker| std::mem::take(&mut worker.holds))
        .collect();
    let names = plan
        .workload
        .commands()
        .iter()
        .map(|command| command.name().to_owned())
        .collect();
    let mut outcome = merge::merge(
        outcomes,
        names,
        plan.interval,
        began.elapsed(),
        job.clock.drift_ppm(),
        job.open_loop,
        division
            .as_ref()
            .map(|division| division.groups.clone())
            .unwrap_or_default(),
    );
    add_replies(&mut outcome, plan.workload.commands());
    if plan
        .workload
        .commands()
        .iter()
        .any(|command| command.holds().is_some())
    {
        outcome.holds = Some(holds::judge(&holds));
    }
    if let (Some(received), Some(receivers)) = (received, receivers) {
        let takes = receivers.command.takes();
        let copies = if takes { 1 } else { receivers.per_key.into() };
        let logs = std::mem::take(&mut outcome.writes);
        outcome.delivery = Some(beside::judge_delivery(received, takes, copies, &logs));
    }
    if let Some(mut beside) = beside {
        beside.groups = outcome.shards.clone();
        beside.own_slot = division.as_ref().and_then(|division| division.own_slot);
        outcome.beside = Some(beside);
    }
    let shards = division
        .filter(|_| plan.trace_shards)
        .map_or(0, |division| division.shards);
    outcome.shards.truncate(shards);
    Ok(outcome)
}

/// Stores every key of the workload once, over the same router, and checks every reply.
///
/// # Errors
/// As [`run`].
pub fn preload(plan: &PreloadPlan, watch: &Watch) -> anyhow::Result<PreloadOutcome> {
    let began = Instant::now();
    let spec = plan.workload.spec();
    let item_bytes = u64::from(spec.values.size.max()) + u64::from(spec.keyspace.max_key_size()) + 40;
    let job = Job {
        // Those of the preload come behind the commands of the mix.
        commands: plan.workload.commands().len() + plan.workload.preload_commands().len(),
        window: (PRELOAD_WINDOW_BYTES / item_bytes).clamp(1, 256) as u32,
        ..job(plan.workload.clone(), &plan.target, watch, LOST_AFTER)?
    };
    let client = |number: u32| {
        let workload = plan.workload.clone();
        Client::new(
            Source::Preload {
                workload,
                next: number.into(),
                step: PRELOAD_CLIENTS.into(),
            },
            None,
        )
    };
    let threads = plan.threads.clamp(1, PRELOAD_CLIENTS);
    let outcomes = run_threads(&job, threads, PRELOAD_CLIENTS, &[], client)?;
    scripts::load(&job.scout, &plan.target, &plan.workload)?;
    if let Some(neighbor) = &spec.neighbor {
        beside::store_large_key(&job.scout, &plan.target, neighbor)?;
    }
    let mix = plan.workload.commands().iter();
    let names = mix
        .chain(plan.workload.preload_commands())
        .map(|command| command.name().to_owned())
        .collect();
    let outcome = merge::merge(
        outcomes,
        names,
        job.interval,
        began.elapsed(),
        job.clock.drift_ppm(),
        false,
        Vec::new(),
    );
    Ok(PreloadOutcome {
        stored: outcome.commands.iter().map(|command| command.ops).sum(),
        errors: outcome.errors,
        elapsed: outcome.elapsed,
        ended: outcome.ended,
    })
}

/// Gives the counts of replies their names.
fn add_replies(outcome: &mut Outcome, commands: &[workloads::Command]) {
    for (counted, command) in outcome.commands.iter_mut().zip(commands) {
        let names = command.counters().iter().map(|(name, _)| name.as_str());
        for (place, name) in names.chain(["other"]).enumerate() {
            let count = counted.reply_counts.get(place).copied().unwrap_or(0);
            if !command.counters().is_empty() && (name != "other" || count > 0) {
                *counted.replies.entry(name.to_owned()).or_default() += count;
            }
        }
        counted.reply_counts.clear();
    }
}

/// Servers tell of a replica only when it has told them how far it is, which takes a while after a cluster's start.
fn await_replicas(scout: &Scout, watch: &Watch) -> anyhow::Result<()> {
    let deadline = Instant::now() + REPLICAS_WITHIN;
    loop {
        let map = scout.map();
        let owners = map.owners();
        let with_replica = owners.iter().filter(|&&owner| !map.replicas_of(owner).is_empty());
        let found = with_replica.count();
        if found == owners.len() || watch.stopped() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            anyhow::ensure!(found > 0, "reads are to go to replicas, and the target has none");
            return Ok(());
        }
        scout.request(None);
        thread::sleep(LOOK_FOR_REPLICAS);
    }
}

/// What load and preload have in common.
fn job<'a>(
    workload: std::sync::Arc<workloads::Workload>,
    target: &Target,
    watch: &'a Watch,
    patience: Duration,
) -> anyhow::Result<Job<'a>> {
    watch.enter(Phase::Connecting);
    let (handshake, handshake_replies) = handshake(target, false);
    Ok(Job {
        workload,
        watch,
        scout: Scout::start(target, patience)?,
        clock: Clock::start(),
        commands: 0,
        window: 1,
        warmup: Duration::ZERO,
        duration: None,
        interval: Duration::from_secs(1),
        open_loop: false,
        shards: None,
        read_from_replicas: false,
        audit: None,
        wait: None,
        has_receivers: false,
        sequels: Vec::new(),
        timeout: Duration::from_secs(10),
        handshake,
        handshake_replies,
    })
}

/// Runs `clients` clients on `threads` threads. All connect first; then all start at the same moment.
fn run_threads(
    job: &Job<'_>,
    threads: u32,
    clients: u32,
    pin: &[usize],
    client: impl Fn(u32) -> Client,
) -> anyhow::Result<Vec<WorkerOutcome>> {
    let sockets = u64::from(clients) * job.scout.map().owners().len() as u64;
    raise_file_limit(sockets + beside::sockets(job) + 256);
    thread::scope(|scope| {
        let (ready_in, ready_out) = mpsc::channel();
        let mut handles = Vec::new();
        let mut starts = Vec::new();
        for number in 0..threads {
            let own: Vec<Client> = (number..clients).step_by(threads as usize).map(&client).collect();
            let (start_in, start_out) = mpsc::channel();
            let ready_in = ready_in.clone();
            let cpu = if pin.is_empty() {
                None
            } else {
                Some(pin[number as usize % pin.len()])
            };
            let body = move || work(job, number, own, cpu, &ready_in, &start_out);
            let name = format!("load-{number}");
            handles.push(
                thread::Builder::new()
                    .name(name)
                    .spawn_scoped(scope, body)
                    .context("starting a thread")?,
            );
            starts.push(start_in);
        }
        drop(ready_in);
        let mut failures = Vec::new();
        let mut ready = 0;
        for message in ready_out {
            match message {
                Ok(()) => ready += 1,
                Err(text) => failures.push(text),
            }
            if ready + failures.len() == handles.len() {
                break;
            }
        }
        if ready == handles.len() {
            let start_ns = job.clock.now_ns();
            for start in &starts {
                // A thread that has died in between says so when it is joined.
                let _ = start.send(start_ns);
            }
        }
        drop(starts);
        let mut outcomes = Vec::new();
        for handle in handles {
            match handle.join() {
                Ok(Some(outcome)) => outcomes.push(outcome.context("waiting for sockets")?),
                Ok(None) => {}
                Err(_) => bail!("a generator thread panicked"),
            }
        }
        job.watch.enter(Phase::Done);
        match failures.into_iter().next() {
            Some(text) => Err(anyhow!(text)),
            None => Ok(outcomes),
        }
    })
}

/// The body of a generator thread. `None` when the round does not start.
fn work(
    job: &Job<'_>,
    number: u32,
    clients: Vec<Client>,
    cpu: Option<usize>,
    ready: &mpsc::Sender<Result<(), String>>,
    start: &mpsc::Receiver<u64>,
) -> Option<std::io::Result<WorkerOutcome>> {
    if let Some(cpu) = cpu {
        let mut set = CpuSet::new();
        set.set(cpu);
        // Where pinning is not permitted the run still is right, only noisier.
        let _ = sched_setaffinity(None, &set);
    }
    let mut worker = match Worker::new(job, number, clients) {
        Ok(worker) => worker,
        Err(error) => {
            // Nobody listens only when another thread has failed already.
            let _ = ready.send(Err(format!("no event queue: {error}")));
            return None;
        }
    };
    let connected = worker.connect_all();
    let failed = connected.is_err();
    let _ = ready.send(connected);
    if failed {
        return None;
    }
    start.recv().ok().map(|start_ns| worker.run(start_ns))
}

/// Lets the process have as many sockets as it needs, if it may.
pub(super) fn raise_file_limit(wanted: u64) {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
        // If it may not, connecting says so with the number of the socket that was too many.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// Errors by class, as an outcome has them.
pub(super) fn owned(errors: BTreeMap<&'static str, u64>) -> impl Iterator<Item = (String, u64)> {
    errors.into_iter().map(|(class, count)| (class.to_owned(), count))
}
