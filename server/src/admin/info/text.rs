//! The text of each section.

use super::replication::replication;
use super::sections::{Section, Sections};
use crate::admin::clients::ClientRegistry;
use crate::admin::memory::MemoryFacts;
use crate::admin::process::{self, human};
use crate::admin::stats::{Stats, Totals};
use crate::config::{Config, REDIS_VERSION};
use crate::eviction::Eviction;
use crate::keyspace::lazy_free;
use crate::pubsub::Counts;
use crate::replication::Replication;
use crate::replication::replica::{LoadingFacts, LoadingState};
use crate::tracking::Tracking;
use slotcore::command::{self, CommandId};
use std::fmt::{Display, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;

/// What INFO says of the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyspaceFacts {
    /// Keys.
    pub keys: u64,
    /// Keys that expire.
    pub expires: u64,
    /// Mean time to live of those, in milliseconds.
    pub avg_ttl_ms: u64,
    /// Keys that have expired so far.
    pub expired: u64,
}

/// What INFO reads.
pub struct InfoFacts<'a> {
    /// The configuration in force.
    pub config: &'a Config,
    /// The file that it came from.
    pub config_file: Option<PathBuf>,
    /// Counters.
    pub stats: &'a Stats,
    /// Connections.
    pub clients: &'a ClientRegistry,
    /// Of this process.
    pub run_id: &'a str,
    /// Role, stream and replicas.
    pub replication: &'a Replication,
    /// The load of a data set.
    pub loading: LoadingFacts,
    /// Threads that serve clients.
    pub workers: usize,
    /// Unix time in milliseconds at which the process started.
    pub started_ms: u64,
    /// Unix time in milliseconds now.
    pub now_ms: u64,
    /// Who has copies of what.
    pub tracking: &'a Tracking,
    /// Names that somebody listens to.
    pub pubsub: Counts,
    /// Connections of the cluster bus: two for each other node.
    pub bus_links: usize,
    /// The keys.
    pub keyspace: KeyspaceFacts,
    /// Where memory is.
    pub memory: MemoryFacts,
    /// What gave way.
    pub eviction: &'a Eviction,
}

/// The whole text.
pub fn render(sections: &Sections, facts: &InfoFacts<'_>) -> String {
    let mut text = Text(String::with_capacity(4096));
    let totals = facts.stats.totals();
    for (index, section) in sections.iter().enumerate() {
        if index > 0 {
            text.0.push_str("\r\n");
        }
        text.line(format_args!("# {}", section.title()));
        match section {
            Section::Server => server(&mut text, facts),
            Section::Clients => clients(&mut text, facts),
            Section::Memory => memory(&mut text, facts),
            Section::Persistence => persistence(&mut text, facts),
            Section::Stats => stats(&mut text, facts, &totals),
            Section::Replication => replication(&mut text, facts),
            Section::Cpu => cpu(&mut text),
            Section::Modules => {}
            Section::Commandstats => commandstats(&mut text, &totals),
            Section::Errorstats => errorstats(&mut text, &totals),
            Section::Latencystats => latencystats(&mut text, facts, &totals),
            Section::Cluster => text.field("cluster_enabled", u8::from(facts.config.cluster_enabled)),
            Section::Keyspace => keyspace(&mut text, &facts.keyspace),
        }
    }
    text.0
}

pub(super) struct Text(String);

impl Text {
    pub(super) fn line(&mut self, line: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{line}\r\n");
    }

    pub(super) fn field(&mut self, name: &str, value: impl Display) {
        self.line(format_args!("{name}:{value}"));
    }

    fn zeros(&mut self, names: &[&str]) {
        names.iter().for_each(|name| self.field(name, 0));
    }

    fn bytes(&mut self, name: &str, bytes: u64) {
        self.field(name, bytes);
        self.line(format_args!("{name}_human:{}", human(bytes)));
    }
}

fn server(text: &mut Text, facts: &InfoFacts<'_>) {
    let uptime_s = facts.now_ms.saturating_sub(facts.started_ms) / 1000;
    let path = |path: Option<PathBuf>| path.map(|path| path.display().to_string()).unwrap_or_default();
    text.field("redis_version", REDIS_VERSION);
    text.field("slotmark_version", env!("CARGO_PKG_VERSION"));
    text.field(
        "redis_mode",
        if facts.config.cluster_enabled {
            "cluster"
        } else {
            "standalone"
        },
    );
    text.field("os", process::system_name());
    text.field("arch_bits", usize::BITS);
    text.field("multiplexing_api", "epoll");
    text.field("process_id", std::process::id());
    text.field("process_supervised", "no");
    text.field("run_id", facts.run_id);
    text.field("tcp_port", facts.config.port);
    text.field("server_time_usec", facts.now_ms * 1000);
    text.field("uptime_in_seconds", uptime_s);
    text.field("uptime_in_days", uptime_s / 86_400);
    text.field("hz", facts.config.hz);
    text.field("configured_hz", facts.config.hz);
    text.field("lru_clock", (facts.now_ms / 1000) & 0xff_ffff);
    text.field("executable", path(std::env::current_exe().ok()));
    text.field("config_file", path(facts.config_file.clone()));
    text.field("io_threads_active", 0);
    text.field("slotmark_workers", facts.workers);
}

fn clients(text: &mut Text, facts: &InfoFacts<'_>) {
    text.field("connected_clients", facts.clients.len());
    text.field("cluster_connections", facts.bus_links);
    text.field("maxclients", facts.config.maxclients);
    let (input, output) = facts.clients.recent_peaks();
    text.field("client_recent_max_input_buffer", input);
    text.field("client_recent_max_output_buffer", output);
    text.field("blocked_clients", facts.clients.blocked());
    text.field("tracking_clients", facts.tracking.clients());
    text.field("clients_in_timeout_table", facts.clients.blocked_with_timeout());
}

fn memory(text: &mut Text, facts: &InfoFacts<'_>) {
    let memory = &facts.memory;
    text.bytes("used_memory", memory.used);
    text.bytes("used_memory_rss", memory.resident);
    text.bytes("used_memory_peak", memory.peak);
    text.field(
        "used_memory_peak_perc",
        format_args!("{:.2}%", memory.peak_percent()),
    );
    text.field("used_memory_overhead", memory.overhead());
    text.field("used_memory_startup", memory.startup);
    text.field("used_memory_dataset", memory.dataset());
    text.field(
        "used_memory_dataset_perc",
        format_args!("{:.2}%", memory.dataset_percent()),
    );
    text.field("allocator_allocated", memory.used);
    text.field("allocator_active", memory.allocator.committed);
    text.field("allocator_resident", memory.allocator.resident);
    if let Some(total) = process::total_memory() {
        text.bytes("total_system_memory", total);
    }
    text.field("used_memory_scripts_eval", memory.scripts);
    let [scripts, libraries, functions] = memory.script_counts;
    text.field("number_of_cached_scripts", scripts);
    text.field("number_of_functions", functions);
    text.field("number_of_libraries", libraries);
    text.field("used_memory_functions", memory.functions);
    text.bytes("used_memory_scripts", memory.scripts + memory.functions);
    text.bytes("maxmemory", facts.config.maxmemory);
    text.field("maxmemory_policy", facts.config.eviction.policy.name());
    for (ratio_name, bytes_name, (ratio, bytes)) in [
        (
            "allocator_frag_ratio",
            "allocator_frag_bytes",
            memory.allocator_fragmentation(),
        ),
        (
            "allocator_rss_ratio",
            "allocator_rss_bytes",
            memory.allocator_resident(),
        ),
        ("rss_overhead_ratio", "rss_overhead_bytes", memory.rss_overhead()),
        (
            "mem_fragmentation_ratio",
            "mem_fragmentation_bytes",
            memory.fragmentation(),
        ),
    ] {
        text.field(ratio_name, format_args!("{ratio:.2}"));
        text.field(bytes_name, bytes);
    }
    text.field("mem_not_counted_for_evict", memory.not_counted);
    // The stream's blocks serve as backlog and as every replica's buffer.
    text.field("mem_replication_backlog", memory.stream);
    text.field("mem_total_replication_buffers", memory.stream);
    text.field("mem_clients_slaves", memory.replicas);
    text.field("mem_clients_normal", memory.clients);
    if !facts.config.cluster_enabled {
        text.zeros(&["mem_cluster_links"]);
    }
    text.zeros(&["mem_aof_buffer"]);
    text.field("mem_allocator", "mimalloc");
    text.field("active_defrag_running", 0);
    text.field("lazyfree_pending_objects", lazy_free::pending());
    text.field("lazyfreed_objects", lazy_free::freed());
}

/// There is no persistence: nothing is loaded, nothing saved.
fn persistence(text: &mut Text, facts: &InfoFacts<'_>) {
    let loading = &facts.loading;
    text.field("loading", u8::from(loading.state == LoadingState::Refusing));
    text.field("async_loading", u8::from(loading.state == LoadingState::Serving));
    // Nothing is saved by a process of its own.
    text.zeros(&["current_cow_peak", "current_cow_size", "current_cow_size_age"]);
    text.field("current_fork_perc", "0.00");
    text.zeros(&[
        "current_save_keys_processed",
        "current_save_keys_total",
        "rdb_bgsave_in_progress",
    ]);
    text.field("rdb_last_bgsave_status", "ok");
    text.field("rdb_last_bgsave_time_sec", -1);
    text.field("rdb_current_bgsave_time_sec", -1);
    text.zeros(&[
        "rdb_saves",
        "rdb_last_cow_size",
        "rdb_last_load_keys_expired",
        "rdb_last_load_keys_loaded",
    ]);
    text.zeros(&["aof_enabled", "aof_rewrite_in_progress", "aof_rewrite_scheduled"]);
    text.field("aof_last_rewrite_time_sec", -1);
    text.field("aof_current_rewrite_time_sec", -1);
    text.field("aof_last_bgrewrite_status", "ok");
    text.zeros(&["aof_rewrites", "aof_rewrites_consecutive_failures"]);
    text.field("aof_last_write_status", "ok");
    text.zeros(&[
        "aof_last_cow_size",
        "module_fork_in_progress",
        "module_fork_last_cow_size",
    ]);
    if loading.state != LoadingState::No {
        text.field("loading_start_time", loading.started_ms / 1000);
        text.field("loading_total_bytes", loading.total_bytes);
        text.field("loading_loaded_bytes", loading.loaded_bytes);
        let percent = loading.loaded_bytes as f64 * 100.0 / loading.total_bytes.max(1) as f64;
        text.field("loading_loaded_perc", format_args!("{percent:.2}"));
    }
}

fn stats(text: &mut Text, facts: &InfoFacts<'_>, totals: &Totals) {
    let rates = facts.stats.rates();
    text.field("total_connections_received", facts.clients.accepted());
    text.field("total_commands_processed", totals.calls());
    text.field("instantaneous_ops_per_sec", rates.ops.round() as u64);
    text.field("total_net_input_bytes", totals.net_in);
    text.field("total_net_output_bytes", totals.net_out);
    let [full, partial_ok, partial_err, repl_out] = facts.replication.replicas.syncs.counts();
    let [repl_in, _] = facts.replication.net_bytes();
    text.field("total_net_repl_input_bytes", repl_in);
    text.field("total_net_repl_output_bytes", repl_out);
    text.field(
        "instantaneous_input_kbps",
        format_args!("{:.2}", rates.net_in / 1024.0),
    );
    text.field(
        "instantaneous_output_kbps",
        format_args!("{:.2}", rates.net_out / 1024.0),
    );
    text.field(
        "instantaneous_input_repl_kbps",
        format_args!("{:.2}", rates.repl_in / 1024.0),
    );
    text.field(
        "instantaneous_output_repl_kbps",
        format_args!("{:.2}", rates.repl_out / 1024.0),
    );
    text.field("rejected_connections", totals.rejected_connections);
    text.field("sync_full", full);
    text.field("sync_partial_ok", partial_ok);
    text.field("sync_partial_err", partial_err);
    text.field("expired_keys", facts.keyspace.expired);
    text.field("expired_time_cap_reached_count", facts.stats.expire_cycles.cut());
    text.field(
        "expire_cycle_cpu_milliseconds",
        facts.stats.expire_cycles.spent_ms(),
    );
    text.field("evicted_keys", facts.eviction.evicted());
    text.zeros(&["evicted_clients"]);
    let (total_ms, current_ms) = facts.eviction.exceeded_ms();
    text.field("total_eviction_exceeded_time", total_ms);
    text.field("current_eviction_exceeded_time", current_ms);
    text.field("keyspace_hits", totals.hits);
    text.field("keyspace_misses", totals.misses);
    text.field("pubsub_channels", facts.pubsub.channels);
    text.field("pubsub_patterns", facts.pubsub.patterns);
    text.field("pubsubshard_channels", facts.pubsub.shard_channels);
    text.zeros(&["latest_fork_usec", "total_forks"]);
    text.zeros(&["migrate_cached_sockets", "slave_expires_tracked_keys"]);
    // Memory is never moved about.
    text.zeros(&[
        "active_defrag_hits",
        "active_defrag_misses",
        "active_defrag_key_hits",
        "active_defrag_key_misses",
        "total_active_defrag_time",
        "current_active_defrag_time",
    ]);
    let [keys, items, prefixes] = facts.tracking.sizes();
    text.field("tracking_total_keys", keys);
    text.field("tracking_total_items", items);
    text.field("tracking_total_prefixes", prefixes);
    text.field(
        "unexpected_error_replies",
        facts.replication.link.unexpected_errors.load(Relaxed),
    );
    text.field("total_error_replies", totals.error_replies());
    text.field("total_reads_processed", totals.reads);
    text.field("total_writes_processed", totals.writes);
    text.zeros(&["io_threaded_reads_processed", "io_threaded_writes_processed"]);
    // A connection has no buffer for replies that would change its size.
    text.zeros(&["reply_buffer_shrinks", "reply_buffer_expands"]);
}

fn cpu(text: &mut Text) {
    let Some(times) = process::cpu_times() else { return };
    for (name, seconds) in [
        ("used_cpu_sys", times.system),
        ("used_cpu_user", times.user),
        ("used_cpu_sys_children", times.children_system),
        ("used_cpu_user_children", times.children_user),
    ] {
        text.field(name, format_args!("{seconds:.6}"));
    }
    if let Some(times) = process::main_thread_times() {
        text.field("used_cpu_sys_main_thread", format_args!("{:.6}", times.system));
        text.field("used_cpu_user_main_thread", format_args!("{:.6}", times.user));
    }
}

fn commandstats(text: &mut Text, totals: &Totals) {
    for (id, counts) in by_command(totals) {
        if counts.calls == 0 && counts.rejected == 0 && counts.failed == 0 {
            continue;
        }
        let usec = counts.nanos as f64 / 1000.0;
        let per_call = if counts.calls == 0 {
            0.0
        } else {
            usec / counts.calls as f64
        };
        text.line(format_args!(
            "cmdstat_{}:calls={},usec={},usec_per_call={per_call:.2},rejected_calls={},failed_calls={}",
            command::spec(id).full_name,
            counts.calls,
            usec as u64,
            counts.rejected,
            counts.failed
        ));
    }
}

fn by_command(totals: &Totals) -> impl Iterator<Item = (CommandId, &crate::admin::stats::CommandTotals)> {
    totals
        .commands
        .iter()
        .enumerate()
        .filter_map(|(index, counts)| Some((CommandId::from_index(index)?, counts)))
}

fn errorstats(text: &mut Text, totals: &Totals) {
    for (code, count) in &totals.errors {
        // A code that a script made may hold anything; the field's name may not.
        let code: String = String::from_utf8_lossy(code)
            .chars()
            .map(|c| if ":\r\n".contains(c) { '_' } else { c })
            .collect();
        text.line(format_args!("errorstat_{code}:count={count}"));
    }
}

fn latencystats(text: &mut Text, facts: &InfoFacts<'_>, totals: &Totals) {
    if !facts.config.latency_tracking {
        return;
    }
    for (id, counts) in by_command(totals) {
        if counts.calls == 0 {
            continue;
        }
        let latencies = facts.stats.latency(id);
        if latencies.total() == 0 {
            continue;
        }
        let percentiles: Vec<_> = facts
            .config
            .latency_tracking_info_percentiles
            .iter()
            .map(|p| format!("p{p}={:.3}", latencies.percentile(*p) as f64 / 1000.0))
            .collect();
        let name = command::spec(id).full_name;
        text.line(format_args!(
            "latency_percentiles_usec_{name}:{}",
            percentiles.join(",")
        ));
    }
}

fn keyspace(text: &mut Text, facts: &KeyspaceFacts) {
    if facts.keys > 0 {
        text.line(format_args!(
            "db0:keys={},expires={},avg_ttl={}",
            facts.keys, facts.expires, facts.avg_ttl_ms
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replication::replica::Loading;
    use slotcore::command::lookup;

    fn info(words: &str) -> String {
        let stats = Stats::new(1);
        let get = lookup(b"get").unwrap().id;
        stats.worker(0).ran(get, 2000);
        stats.worker(0).failed(get, b"WRONGTYPE");
        let facts = InfoFacts {
            config: &Config::default(),
            config_file: None,
            stats: &stats,
            clients: &ClientRegistry::default(),
            run_id: "r",
            replication: &Replication::default(),
            loading: Loading::default().facts(),
            workers: 1,
            started_ms: 1000,
            now_ms: 90_000_000,
            tracking: &Tracking::default(),
            pubsub: Counts::default(),
            bus_links: 0,
            keyspace: KeyspaceFacts {
                keys: 2,
                expires: 1,
                avg_ttl_ms: 5,
                ..KeyspaceFacts::default()
            },
            memory: MemoryFacts::default(),
            eviction: &Eviction::default(),
        };
        render(
            &Sections::parse(words.split_ascii_whitespace().map(str::as_bytes)),
            &facts,
        )
    }

    #[test]
    fn sections_are_headed_and_apart() {
        assert_eq!(
            info("keyspace cluster"),
            "# Cluster\r\ncluster_enabled:0\r\n\r\n# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=5\r\n"
        );
        let all = info("all");
        assert!(all.contains(
            "\r\ncmdstat_get:calls=1,usec=2,usec_per_call=2.00,rejected_calls=0,failed_calls=1\r\n"
        ));
        assert!(all.contains("\r\nerrorstat_WRONGTYPE:count=1\r\n"));
        assert!(
            all.contains("\r\nlatency_percentiles_usec_get:p50=2.007,p99=2.007,p99.9=2.007\r\n"),
            "{all}"
        );
        assert!(all.contains("\r\nuptime_in_days:1\r\n") && all.contains("\r\naof_enabled:0\r\n"));
        assert!(!info("").contains("cmdstat"));
    }

    #[test]
    fn every_line_is_a_heading_or_a_field_that_is_there_once() {
        let all = info("everything");
        let mut names = std::collections::HashSet::new();
        for line in all
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with("# "))
        {
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line}"));
            assert!(names.insert(name), "{name} is there twice");
            assert!(!value.is_empty() || name == "config_file", "{line}");
        }
    }
}
