//! The configuration as the rest of the node reads it: typed fields of what has an effect here.

use super::eviction::EvictionSettings;
use super::primary::PrimarySettings;
use super::replica::ReplicaSettings;
use super::value::{OutputLimit, Value};
use super::values::Values;
use crate::events::EventClass;
use crate::keyspace::{Limits, NodeLimit};
use crate::log::Level;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Who may use something that is dangerous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Nobody.
    No,
    /// Everybody.
    Yes,
    /// Clients whose address is a loopback address.
    Local,
}

impl Gate {
    /// Whether a client may pass.
    pub fn admits(self, client_is_local: bool) -> bool {
        match self {
            Gate::No => false,
            Gate::Yes => true,
            Gate::Local => client_is_local,
        }
    }
}

/// How a node names its peers to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointType {
    /// By IP address.
    Ip,
    /// By the announced hostname, `?` if there is none.
    Hostname,
    /// Not at all: the client keeps the address it has.
    Unknown,
}

/// Values of the directives that this node honours. A snapshot: CONFIG SET makes a new one.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Addresses to listen on; a leading `-` means that it may be missing, `*` and `::*` mean all.
    pub bind: Vec<String>,
    /// Whether `bind` is what it is when nobody configures it.
    pub bind_is_default: bool,
    /// Client port; 0: none.
    pub port: u16,
    /// Refuse clients from elsewhere while there is no password and `bind` is the default.
    pub protected_mode: bool,
    /// Length of the kernel's accept queue.
    pub tcp_backlog: u32,
    /// Seconds after which an idle client is closed; 0: never.
    pub timeout_s: u64,
    /// Seconds between keepalive probes; 0: none.
    pub tcp_keepalive_s: u64,
    /// Clients that may be connected at once.
    pub maxclients: u32,
    /// The password of the default user; None: no password.
    pub requirepass: Option<Vec<u8>>,
    /// The file that users come from; None: they come from the configuration.
    pub aclfile: Option<PathBuf>,
    /// New users may listen to all channels.
    pub acl_all_channels: bool,
    /// Entries that ACL LOG keeps.
    pub acllog_max_len: usize,
    /// Bytes that one client's unprocessed request may take.
    pub client_query_buffer_limit: u64,
    /// Bytes of the longest argument.
    pub proto_max_bulk_len: u64,
    /// Bytes of the longest sparse HyperLogLog.
    pub hll_sparse_max_bytes: usize,
    /// Limits of normal clients, replicas and subscribers.
    pub client_output_buffer_limit: [OutputLimit; 3],
    /// Which events of keys are told to subscribers.
    pub notify_keyspace_events: EventClass,
    /// Keys that clients may be remembered to have read; 0: any number.
    pub tracking_table_max_keys: u64,
    /// Threads that serve clients; 0: one per core.
    pub workers: usize,
    /// Numbered databases.
    pub databases: u32,
    /// Rounds of background work per second.
    pub hz: u32,
    /// 1 to 10: how much time active expiry may take.
    pub active_expire_effort: u32,
    /// Bytes of memory that may be in use before keys give way or writes are refused; 0: no limit.
    pub maxmemory: u64,
    /// What gives way.
    pub eviction: EvictionSettings,
    /// Compress long strings of RDBs and DUMP payloads.
    pub rdb_compression: bool,
    /// Write the checksum of RDBs; one that is there is always checked.
    pub rdb_checksum: bool,
    /// Run in the background.
    pub daemonize: bool,
    /// Where to write the process id; None: nowhere, unless daemonized.
    pub pidfile: Option<PathBuf>,
    /// Where to log; None: to stdout.
    pub logfile: Option<PathBuf>,
    /// What to log.
    pub loglevel: Level,
    /// Working directory; None: the one in which the process was started.
    pub dir: Option<PathBuf>,
    /// DEBUG.
    pub enable_debug_command: Gate,
    /// CONFIG SET of protected directives.
    pub enable_protected_configs: Gate,
    /// Milliseconds from which others are told that a script is slow; 0: never.
    pub busy_reply_threshold_ms: u64,
    /// Microseconds from which a command is slow; negative: none is, 0: every one is.
    pub slowlog_log_slower_than_us: i64,
    /// Entries that the slow log keeps.
    pub slowlog_max_len: u64,
    /// Milliseconds from which an event is recorded; 0: none is.
    pub latency_monitor_threshold_ms: u64,
    /// Keep latency histograms per command.
    pub latency_tracking: bool,
    /// The percentiles that INFO latencystats shows.
    pub latency_tracking_info_percentiles: Vec<f64>,
    /// Cluster mode.
    pub cluster_enabled: bool,
    /// The node's own file of the cluster's topology, relative to `dir`.
    pub cluster_config_file: PathBuf,
    /// Milliseconds without an answer after which a peer may have failed.
    pub cluster_node_timeout_ms: u64,
    /// Bus port; 0: the client port + 10000.
    pub cluster_port: u16,
    /// Address, hostname and ports to tell others, if they are not the ones of the sockets; 0: not set.
    pub cluster_announce_ip: Option<String>,
    /// Hostname to tell others.
    pub cluster_announce_hostname: Option<String>,
    /// Client port to tell others; 0: the real one.
    pub cluster_announce_port: u16,
    /// Bus port to tell others; 0: the real one.
    pub cluster_announce_bus_port: u16,
    /// How peers are named to clients.
    pub cluster_preferred_endpoint_type: EndpointType,
    /// Serve nothing while a slot has no owner.
    pub cluster_require_full_coverage: bool,
    /// Serve reads while the cluster is down.
    pub cluster_allow_reads_when_down: bool,
    /// Serve shard channels in state fail.
    pub cluster_allow_pubsubshard_when_down: bool,
    /// Other replica and failover settings, for the bus.
    pub cluster_migration_barrier: u32,
    /// Let replicas move to orphaned primaries.
    pub cluster_allow_replica_migration: bool,
    /// How stale a replica may be to stand for election, in node timeouts.
    pub cluster_replica_validity_factor: u32,
    /// Never fail over by itself.
    pub cluster_replica_no_failover: bool,
    /// Bytes that may wait on a link of the bus; 0: any number.
    pub cluster_link_sendbuf_limit: u64,
    /// A peer whose bus refuses connections is taken to be down at once.
    pub refused_means_failed: bool,
    /// Tell replicas of an expired key with UNLINK rather than DEL.
    pub lazyfree_lazy_expire: bool,
    /// Up to what size collections are kept in their compact forms.
    pub limits: Limits,
    /// The primary that a node outside of a cluster copies from its start on.
    pub replicaof: Option<(String, u16)>,
    /// The node as a primary.
    pub primary: PrimarySettings,
    /// The node as a replica.
    pub replica: ReplicaSettings,
}

impl Default for Config {
    fn default() -> Self {
        Config::from_values(&Values::defaults())
    }
}

impl Config {
    /// The typed view of these values.
    pub fn from_values(values: &Values) -> Config {
        let v = Reader(values);
        let bind = v.words("bind");
        Config {
            bind_is_default: bind == ["*", "-::*"],
            bind,
            port: v.int("port"),
            protected_mode: v.bool("protected-mode"),
            tcp_backlog: v.int("tcp-backlog"),
            timeout_s: v.int("timeout"),
            tcp_keepalive_s: v.int("tcp-keepalive"),
            maxclients: v.int("maxclients"),
            requirepass: v.text("requirepass"),
            aclfile: v.path("aclfile"),
            acl_all_channels: v.word("acl-pubsub-default") == "allchannels",
            acllog_max_len: v.int("acllog-max-len"),
            client_query_buffer_limit: v.int("client-query-buffer-limit"),
            proto_max_bulk_len: v.int("proto-max-bulk-len"),
            notify_keyspace_events: EventClass::parse(&v.text("notify-keyspace-events").unwrap_or_default()),
            tracking_table_max_keys: v.int("tracking-table-max-keys"),
            hll_sparse_max_bytes: v.int("hll-sparse-max-bytes"),
            client_output_buffer_limit: match values.by_name("client-output-buffer-limit") {
                Value::OutputLimits(limits) => *limits,
                _ => Default::default(),
            },
            workers: v.int("slotmark-workers"),
            databases: v.int("databases"),
            hz: v.int("hz"),
            active_expire_effort: v.int("active-expire-effort"),
            busy_reply_threshold_ms: v.int("busy-reply-threshold"),
            maxmemory: v.int("maxmemory"),
            eviction: EvictionSettings::read(&v),
            rdb_compression: v.bool("rdbcompression"),
            rdb_checksum: v.bool("rdbchecksum"),
            daemonize: v.bool("daemonize"),
            pidfile: v.path("pidfile"),
            logfile: v.path("logfile"),
            loglevel: match v.word("loglevel") {
                "debug" => Level::Debug,
                "verbose" => Level::Verbose,
                "warning" => Level::Warning,
                _ => Level::Notice,
            },
            dir: v.path("dir"),
            enable_debug_command: v.gate("enable-debug-command"),
            enable_protected_configs: v.gate("enable-protected-configs"),
            slowlog_log_slower_than_us: v.int("slowlog-log-slower-than"),
            slowlog_max_len: v.int("slowlog-max-len"),
            latency_monitor_threshold_ms: v.int("latency-monitor-threshold"),
            latency_tracking: v.bool("latency-tracking"),
            latency_tracking_info_percentiles: match values.by_name("latency-tracking-info-percentiles") {
                Value::Percentiles(percentiles) => percentiles.clone(),
                _ => Vec::new(),
            },
            cluster_enabled: v.bool("cluster-enabled"),
            cluster_config_file: v
                .path("cluster-config-file")
                .unwrap_or_else(|| "nodes.conf".into()),
            cluster_node_timeout_ms: v.int("cluster-node-timeout"),
            cluster_port: v.int("cluster-port"),
            cluster_announce_ip: v.string("cluster-announce-ip"),
            cluster_announce_hostname: v.string("cluster-announce-hostname"),
            cluster_announce_port: v.int("cluster-announce-port"),
            cluster_announce_bus_port: v.int("cluster-announce-bus-port"),
            cluster_preferred_endpoint_type: match v.word("cluster-preferred-endpoint-type") {
                "hostname" => EndpointType::Hostname,
                "unknown-endpoint" => EndpointType::Unknown,
                _ => EndpointType::Ip,
            },
            cluster_require_full_coverage: v.bool("cluster-require-full-coverage"),
            cluster_allow_reads_when_down: v.bool("cluster-allow-reads-when-down"),
            cluster_allow_pubsubshard_when_down: v.bool("cluster-allow-pubsubshard-when-down"),
            cluster_migration_barrier: v.int("cluster-migration-barrier"),
            cluster_allow_replica_migration: v.bool("cluster-allow-replica-migration"),
            cluster_replica_validity_factor: v.int("cluster-replica-validity-factor"),
            cluster_replica_no_failover: v.bool("cluster-replica-no-failover"),
            cluster_link_sendbuf_limit: v.int("cluster-link-sendbuf-limit"),
            refused_means_failed: v.bool("slotmark-refused-means-failed"),
            lazyfree_lazy_expire: v.bool("lazyfree-lazy-expire"),
            limits: Limits {
                hash_max_entries: v.int("hash-max-listpack-entries"),
                hash_max_value: v.int("hash-max-listpack-value"),
                set_max_intset_entries: v.int("set-max-intset-entries"),
                list_node: NodeLimit::new(v.int("list-max-listpack-size")),
                zset_max_entries: v.int("zset-max-listpack-entries"),
                zset_max_value: v.int("zset-max-listpack-value"),
                stream_node_bytes: v.int("stream-node-max-bytes"),
                stream_node_entries: v.int("stream-node-max-entries"),
            },
            replicaof: match v.words("replicaof").as_slice() {
                [host, port] => port.parse().ok().map(|port| (host.clone(), port)),
                _ => None,
            },
            primary: PrimarySettings::read(&v),
            replica: ReplicaSettings::read(&v),
        }
    }

    /// How many threads serve clients on this machine.
    pub fn worker_count(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }

    /// The bus port to listen on, if the client port leaves room for one.
    pub fn bus_port(&self) -> Option<u16> {
        match self.cluster_port {
            0 => self.port.checked_add(10_000),
            port => Some(port),
        }
    }
}

/// Reads values whose kind the table fixes; a value of another kind cannot be, and reads as empty.
pub(super) struct Reader<'a>(&'a Values);

impl Reader<'_> {
    pub(super) fn bool(&self, name: &str) -> bool {
        matches!(self.0.by_name(name), Value::Bool(true))
    }

    pub(super) fn int<T: TryFrom<i128> + Default>(&self, name: &str) -> T {
        match self.0.by_name(name) {
            Value::Int(n) => T::try_from(*n).unwrap_or_default(),
            _ => T::default(),
        }
    }

    pub(super) fn word(&self, name: &str) -> &'static str {
        match self.0.by_name(name) {
            Value::Enum(word) => word,
            _ => "",
        }
    }

    fn gate(&self, name: &str) -> Gate {
        match self.word(name) {
            "yes" => Gate::Yes,
            "local" => Gate::Local,
            _ => Gate::No,
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<Vec<u8>> {
        match self.0.by_name(name) {
            Value::Text(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    pub(super) fn string(&self, name: &str) -> Option<String> {
        self.text(name)
            .map(|text| String::from_utf8_lossy(&text).into_owned())
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(|text| OsString::from_vec(text).into())
    }

    fn words(&self, name: &str) -> Vec<String> {
        match self.0.by_name(name) {
            Value::Words(words) => words
                .iter()
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_redis_server() {
        let config = Config::default();
        assert_eq!(
            (config.port, config.maxclients, config.tcp_backlog),
            (6379, 10000, 511)
        );
        assert_eq!(config.proto_max_bulk_len, 512 << 20);
        assert_eq!(config.client_output_buffer_limit[2].soft, 8 << 20);
        assert_eq!(config.latency_tracking_info_percentiles, [50.0, 99.0, 99.9]);
        assert!(config.bind_is_default && config.protected_mode && !config.cluster_enabled);
        assert_eq!(config.bus_port(), Some(16379));
    }
}
