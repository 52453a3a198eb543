//! The node: everything that its threads share. It lives as long as the process, so it is leaked once at the
//! start and passed about as `&'static Node`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use slotcore::command::{CommandFlags, CommandSpec, LookupError};

use crate::acl::Acl;
use crate::admin::clients::ClientRegistry;
use crate::admin::latency::LatencyMonitor;
use crate::admin::monitor::Monitors;
use crate::admin::slowlog::Slowlog;
use crate::admin::stats::Stats;
use crate::cluster::protocol::Facts;
use crate::cluster::{Cluster, ClusterSettings};
use crate::config::{Config, ConfigStore};
use crate::events::KeyspaceEvents;
use crate::eviction::Eviction;
use crate::keyspace::{Keyspace, set_access_rule};
use crate::log;
use crate::memory::Peak;
use crate::pubsub::Registry;
use crate::replication::Replication;
use crate::replication::replica::Loading;
use crate::scripting::Scripts;
use crate::tracking::Tracking;

/// What the threads of one process share.
pub struct Node {
    pub config: ConfigStore,
    pub keyspace: Keyspace,
    /// `None` with `cluster-enabled no`.
    pub cluster: Option<Cluster>,
    pub clients: ClientRegistry,
    /// Users and what they may do.
    pub acl: Acl,
    /// Which events of keys are told.
    pub events: KeyspaceEvents,
    /// Who has copies of what.
    pub tracking: Tracking,
    /// Who listens to what.
    pub pubsub: Registry,
    /// One shard a worker, and two more: for the link to a primary, and for those who step in for workers.
    pub stats: Stats,
    workers: usize,
    pub slowlog: Slowlog,
    /// Who is shown every command.
    pub monitors: Monitors,
    pub latency: LatencyMonitor,
    /// What gave way to others.
    pub eviction: Eviction,
    /// How much memory was in use.
    pub memory: Peak,
    /// Whether a data set is being loaded.
    pub loading: Loading,
    pub pause: Pause,
    pub stall: Stall,
    pub scripts: Scripts,
    pub clock: quanta::Clock,
    pub run_id: String,
    /// The role, the stream of effects, our primary and our replicas.
    pub replication: Replication,
    /// Unix time in milliseconds at which the process started.
    pub started_ms: u64,
    pub shutdown: tokio::sync::Notify,
}

/// Unix time in milliseconds.
pub fn unix_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}

impl Node {
    /// A node with this configuration and no data. In cluster mode nodes.conf is read, or made.
    pub fn new(config: ConfigStore, workers: usize) -> anyhow::Result<Self> {
        let settings = config.snapshot();
        let cluster = if settings.cluster_enabled {
            Some(Cluster::open(
                &settings.cluster_config_file,
                ClusterSettings::from_config(&settings),
            )?)
        } else {
            None
        };
        let acl = Acl::open(&settings, &config.take_user_lines())?;
        let run_id = random_hex_40();
        let node = Self {
            config,
            keyspace: Keyspace::new(),
            cluster,
            clients: ClientRegistry::default(),
            acl,
            events: KeyspaceEvents::default(),
            tracking: Tracking::default(),
            pubsub: Registry::default(),
            stats: Stats::new(workers + 2),
            workers,
            slowlog: Slowlog::default(),
            monitors: Monitors::default(),
            latency: LatencyMonitor::default(),
            eviction: Eviction::default(),
            memory: Peak::default(),
            loading: Loading::default(),
            pause: Pause::default(),
            stall: Stall::default(),
            scripts: Scripts::default(),
            clock: quanta::Clock::new(),
            run_id,
            replication: Replication::default(),
            started_ms: unix_ms(),
            shutdown: tokio::sync::Notify::new(),
        };
        node.configure(&settings);
        Ok(node)
    }

    /// Tells those parts of the configuration that keep a copy of what they need.
    pub fn configure(&self, config: &Config) {
        log::set_level(config.loglevel);
        set_access_rule(config.eviction.access_rule());
        self.acl.configure(config);
        self.stats.configure(config);
        self.slowlog.configure(config);
        self.latency.configure(config);
        self.pubsub.configure(config);
        self.events.configure(config);
        self.tracking.configure(config);
        self.replication.log.set_limit(config.primary.backlog_size);
    }

    /// The index by which the commands of a primary are counted, beside those of the workers.
    pub fn link_worker(&self) -> usize {
        self.workers
    }

    /// The index by which the commands are counted that run while workers are held up by scripts.
    pub fn rescue_worker(&self) -> usize {
        self.workers + 1
    }

    /// Unix time in milliseconds for a batch, after a DEBUG SLEEP that holds the whole process.
    pub fn stall_and_now(&self) -> u64 {
        self.stall.wait();
        unix_ms()
    }

    /// Holds clients' writes back until `until_ms` (unix time), so that the offset stands still when this returns; 0
    /// ends it.
    pub fn pause_for_failover(&'static self, until_ms: u64) {
        if until_ms == 0 {
            self.replication.resume(self);
        } else {
            self.replication.pause(self, until_ms);
        }
    }

    /// What the rules of the cluster want to know of the data.
    pub fn cluster_facts(&self) -> Facts {
        Facts {
            offset: self.replication.offset(),
            primary_link: self.replication.link_facts(),
        }
    }
}

/// Forty random hexadecimal digits, as run ids, node ids and replication ids are.
pub fn random_hex_40() -> String {
    (0..5).map(|_| format!("{:08x}", rand::random::<u32>())).collect()
}

/// CLIENT PAUSE, and the pause of writes that a manual failover needs.
#[derive(Default)]
pub struct Pause {
    until_ms: AtomicU64,
    writes_only: AtomicBool,
    failover_until_ms: AtomicU64,
}

impl Pause {
    /// Pauses until `until_ms`. A pause that is in force is never made shorter or weaker, as in stock.
    pub fn start(&self, until_ms: u64, writes_only: bool, now: u64) {
        let running = self.until_ms.load(Relaxed) > now;
        if !running || !writes_only {
            self.writes_only.store(writes_only, Relaxed);
        }
        if !running || until_ms > self.until_ms.load(Relaxed) {
            self.until_ms.store(until_ms, Relaxed);
        }
    }

    /// Holds writes back for a manual failover until `until_ms`; 0 ends it.
    pub fn hold_writes(&self, until_ms: u64) {
        self.failover_until_ms.store(until_ms, Relaxed);
    }

    /// Does a manual failover hold writes back?
    pub fn holds_writes(&self, now: u64) -> bool {
        self.failover_until_ms.load(Relaxed) > now
    }

    /// CLIENT UNPAUSE.
    pub fn end(&self) {
        self.until_ms.store(0, Relaxed);
    }

    /// The end of the pause that is in force at `now`.
    pub fn until(&self, now: u64) -> Option<u64> {
        let until = self.until_ms.load(Relaxed);
        (until > now).then_some(until)
    }

    /// Must this command wait?
    #[inline]
    pub fn holds(&self, spec: Result<&'static CommandSpec, LookupError>, now: u64) -> bool {
        let by_client = self.until_ms.load(Relaxed) > now;
        if !by_client && !self.holds_writes(now) {
            return false;
        }
        let held = CommandFlags::WRITE | CommandFlags::MAY_REPLICATE;
        // Messages may go to replicas, though COMMAND does not say so of them.
        (by_client && !self.writes_only.load(Relaxed))
            || spec.is_ok_and(|spec| {
                spec.flags.intersects(held) || matches!(spec.name, "exec" | "publish" | "spublish")
            })
    }
}

/// DEBUG SLEEP: imitates a process that hangs, so every worker stops.
#[derive(Default)]
pub struct Stall {
    until_ms: AtomicU64,
}

impl Stall {
    /// Stops every thread that calls [`Stall::wait`] for `span`.
    pub fn start(&self, span: Duration) {
        self.until_ms
            .fetch_max(unix_ms() + span.as_millis() as u64, Relaxed);
    }

    /// Blocks the calling thread until the stall is over.
    #[inline]
    pub fn wait(&self) {
        if self.until_ms.load(Relaxed) != 0 {
            self.wait_out();
        }
    }

    #[cold]
    fn wait_out(&self) {
        let until = self.until_ms.load(Relaxed);
        let now = unix_ms();
        if until > now {
            thread::sleep(Duration::from_millis(until - now));
        }
        let _ = self.until_ms.compare_exchange(until, 0, Relaxed, Relaxed);
    }
}
