//! Every directive of redis-server 7.0.15, with our own beside them, grouped by subject.
//!
//! `ignored` reasons are what a user reads in the warning, so each says what is the case instead.

use super::directive::{Change, Directive, Kind};
use Kind::{
    Bool, Enum, EventClasses, Flags, MemoryOrPercent, Octal, OomScores, OutputLimits, Percentiles,
    SavePoints, Text, Words,
};

const INT_MAX: i128 = i32::MAX as i128;
const UINT_MAX: i128 = u32::MAX as i128;
const LONG_MAX: i128 = i64::MAX as i128;
const ULONG_MAX: i128 = u64::MAX as i128;

const DATA_IN_MEMORY: &str = "data is in memory only, nothing is written to disk";
const SYSTEM_SOURCE: &str = "connections to other nodes leave by the address that the system chooses";
const NO_WAIT_FOR_REPLICAS: &str = "a shutdown does not wait for replicas";
const ALWAYS_CHECKED: &str = "every payload and every RDB is checked in full";
const NO_CLIENT_EVICTION: &str = "clients are not evicted: their unread replies have limits of their own";
const NO_TLS: &str = "TLS is not supported yet";
const ONE_ENCODING: &str = "this node has encodings and tables of its own";
const OWN_ALLOCATOR: &str = "memory is managed by another allocator here";
const FREES_APART: &str = "large values are always freed off the workers";
const PROCESS_AS_IS: &str = "this node leaves its process settings to the system";
const OWN_WORKERS: &str = "this node has slotmark-workers threads, one per core by default";
const OWN_LOG: &str = "the log goes to logfile or stdout only";
const PLAIN_SHUTDOWN: &str = "data is in memory only, so a shutdown has nothing to save";
const NO_SOCKET_MARK: &str = "sockets are not marked";
const NO_UNIX_SOCKET: &str = "this node listens on TCP only";
const NO_MODULES: &str = "modules are not supported";
const ONE_DATABASE: &str = "there is one database, number 0";

const fn int(min: i128, max: i128) -> Kind {
    Kind::Int { min, max }
}

const fn memory(min: i128, max: i128) -> Kind {
    Kind::Memory { min, max }
}

const fn d(name: &'static str, kind: Kind, default: &'static str) -> Directive {
    Directive::new(name, kind, default)
}

/// The table, one group a subject.
#[rustfmt::skip]
pub const DIRECTIVES: &[Directive] = &[
    // Network and clients
    d("bind", Words, "* -::*").change(Change::StartSoFar),
    d("port", int(0, 65535), "6379").change(Change::StartSoFar),
    d("protected-mode", Bool, "yes"),
    d("tcp-backlog", int(0, INT_MAX), "511").at_start(),
    d("timeout", int(0, INT_MAX), "0"),
    d("tcp-keepalive", int(0, INT_MAX), "300"),
    d("maxclients", int(1, UINT_MAX), "10000"),
    d("requirepass", Text, ""),
    d("client-query-buffer-limit", memory(1048576, LONG_MAX), "1073741824"),
    d("proto-max-bulk-len", memory(1048576, LONG_MAX), "536870912"),
    d("client-output-buffer-limit", OutputLimits, "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"),
    d("maxmemory-clients", MemoryOrPercent, "0").ignored(NO_CLIENT_EVICTION),
    d("bind-source-addr", Text, "").ignored(SYSTEM_SOURCE),
    d("socket-mark-id", int(0, UINT_MAX), "0").at_start().ignored(NO_SOCKET_MARK),
    d("unixsocket", Text, "").at_start().ignored(NO_UNIX_SOCKET),
    d("unixsocketperm", Octal, "0").at_start().ignored(NO_UNIX_SOCKET),
    // Process, threads and log
    d("daemonize", Bool, "no").at_start(),
    d("pidfile", Text, "").at_start(),
    d("logfile", Text, "").at_start(),
    d("loglevel", Enum(&["debug", "verbose", "notice", "warning"]), "notice"),
    d("dir", Text, "").change(Change::Protected),
    d("databases", int(1, INT_MAX), "16").at_start().ignored(ONE_DATABASE),
    d("hz", int(0, INT_MAX), "10"),
    d("dynamic-hz", Bool, "yes").ignored(OWN_WORKERS),
    d("active-expire-effort", int(1, 10), "1"),
    d("slotmark-workers", int(0, 1024), "0").at_start(),
    d("io-threads", int(1, 128), "1").at_start().ignored(OWN_WORKERS),
    d("io-threads-do-reads", Bool, "no").at_start().ignored(OWN_WORKERS),
    d("enable-debug-command", Enum(&["no", "yes", "local"]), "no").at_start(),
    d("enable-protected-configs", Enum(&["no", "yes", "local"]), "no").at_start(),
    d("enable-module-command", Enum(&["no", "yes", "local"]), "no").at_start().ignored(NO_MODULES),
    d("supervised", Enum(&["upstart", "systemd", "auto", "no"]), "no").at_start().ignored(PROCESS_AS_IS),
    d("syslog-enabled", Bool, "no").at_start().ignored(OWN_LOG),
    d("syslog-ident", Text, "redis").at_start().ignored(OWN_LOG),
    d("syslog-facility", Enum(&["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"]), "local0").at_start().ignored(OWN_LOG),
    d("crash-log-enabled", Bool, "yes").ignored(PROCESS_AS_IS),
    d("crash-memcheck-enabled", Bool, "yes").ignored(PROCESS_AS_IS),
    d("always-show-logo", Bool, "no").at_start().ignored(OWN_LOG),
    d("set-proc-title", Bool, "yes").at_start().ignored(PROCESS_AS_IS),
    d("proc-title-template", Text, "{title} {listen-addr} {server-mode}").ignored(PROCESS_AS_IS),
    d("disable-thp", Bool, "yes").at_start().ignored(OWN_ALLOCATOR),
    d("oom-score-adj", Enum(&["no", "yes", "relative", "absolute"]), "no").ignored(PROCESS_AS_IS),
    d("oom-score-adj-values", OomScores, "0 200 800").ignored(PROCESS_AS_IS),
    d("server_cpulist", Text, "").at_start().ignored(OWN_WORKERS),
    d("bio_cpulist", Text, "").at_start().ignored(OWN_WORKERS),
    d("aof_rewrite_cpulist", Text, "").at_start().ignored(DATA_IN_MEMORY),
    d("bgsave_cpulist", Text, "").at_start().ignored(DATA_IN_MEMORY),
    d("ignore-warnings", Text, "").ignored(PROCESS_AS_IS),
    d("shutdown-timeout", int(0, INT_MAX), "10").ignored(NO_WAIT_FOR_REPLICAS),
    d("shutdown-on-sigint", Flags(&["default", "save", "nosave", "now", "force"]), "default").ignored(PLAIN_SHUTDOWN),
    d("shutdown-on-sigterm", Flags(&["default", "save", "nosave", "now", "force"]), "default").ignored(PLAIN_SHUTDOWN),
    d("busy-reply-threshold", int(0, LONG_MAX), "5000").alias("lua-time-limit"),
    // Observation and access
    d("slowlog-log-slower-than", int(-1, LONG_MAX), "10000"),
    d("slowlog-max-len", int(0, LONG_MAX), "128"),
    d("latency-monitor-threshold", int(0, LONG_MAX), "0"),
    d("latency-tracking", Bool, "yes"),
    d("latency-tracking-info-percentiles", Percentiles, "50 99 99.9"),
    d("notify-keyspace-events", EventClasses, ""),
    d("acllog-max-len", int(0, LONG_MAX), "128"),
    d("tracking-table-max-keys", int(0, LONG_MAX), "1000000"),
    d("aclfile", Text, "").at_start(),
    d("acl-pubsub-default", Enum(&["allchannels", "resetchannels"]), "resetchannels"),
    // Memory, eviction and encodings
    d("maxmemory", memory(0, ULONG_MAX), "0"),
    d("maxmemory-policy", Enum(&["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction"]), "noeviction"),
    d("maxmemory-samples", int(1, INT_MAX), "5"),
    d("maxmemory-eviction-tenacity", int(0, 100), "10"),
    d("replica-ignore-maxmemory", Bool, "yes").alias("slave-ignore-maxmemory"),
    d("lfu-log-factor", int(0, INT_MAX), "10"),
    d("lfu-decay-time", int(0, INT_MAX), "1"),
    d("lazyfree-lazy-eviction", Bool, "no"),
    d("lazyfree-lazy-expire", Bool, "no"),
    d("lazyfree-lazy-server-del", Bool, "no").ignored(FREES_APART),
    d("lazyfree-lazy-user-del", Bool, "no").ignored(FREES_APART),
    d("lazyfree-lazy-user-flush", Bool, "no").ignored(FREES_APART),
    d("replica-lazy-flush", Bool, "no").alias("slave-lazy-flush").ignored(FREES_APART),
    d("activerehashing", Bool, "yes").ignored(ONE_ENCODING),
    d("activedefrag", Bool, "no").ignored(OWN_ALLOCATOR),
    d("active-defrag-ignore-bytes", memory(1, LONG_MAX), "104857600").ignored(OWN_ALLOCATOR),
    d("active-defrag-threshold-lower", int(0, 1000), "10").ignored(OWN_ALLOCATOR),
    d("active-defrag-threshold-upper", int(0, 1000), "100").ignored(OWN_ALLOCATOR),
    d("active-defrag-cycle-min", int(1, 99), "1").ignored(OWN_ALLOCATOR),
    d("active-defrag-cycle-max", int(1, 99), "25").ignored(OWN_ALLOCATOR),
    d("active-defrag-max-scan-fields", int(1, LONG_MAX), "1000").ignored(OWN_ALLOCATOR),
    d("jemalloc-bg-thread", Bool, "yes").ignored(OWN_ALLOCATOR),
    d("hash-max-listpack-entries", int(0, LONG_MAX), "512").alias("hash-max-ziplist-entries"),
    d("hash-max-listpack-value", memory(0, LONG_MAX), "64").alias("hash-max-ziplist-value"),
    d("list-max-listpack-size", int(-2147483648, INT_MAX), "-2").alias("list-max-ziplist-size"),
    d("list-compress-depth", int(0, INT_MAX), "0").ignored(ONE_ENCODING),
    d("set-max-intset-entries", int(0, LONG_MAX), "512"),
    d("zset-max-listpack-entries", int(0, LONG_MAX), "128").alias("zset-max-ziplist-entries"),
    d("zset-max-listpack-value", memory(0, LONG_MAX), "64").alias("zset-max-ziplist-value"),
    d("hll-sparse-max-bytes", memory(0, LONG_MAX), "3000"),
    d("stream-node-max-bytes", memory(0, LONG_MAX), "4096"),
    d("stream-node-max-entries", int(0, LONG_MAX), "100"),
    // Persistence
    d("save", SavePoints, "").ignored(DATA_IN_MEMORY),
    d("appendonly", Bool, "no").ignored(DATA_IN_MEMORY),
    d("appendfsync", Enum(&["everysec", "always", "no"]), "everysec").ignored(DATA_IN_MEMORY),
    d("appendfilename", Text, "appendonly.aof").at_start().ignored(DATA_IN_MEMORY),
    d("appenddirname", Text, "appendonlydir").at_start().ignored(DATA_IN_MEMORY),
    d("dbfilename", Text, "dump.rdb").change(Change::Protected).ignored(DATA_IN_MEMORY),
    d("no-appendfsync-on-rewrite", Bool, "no").ignored(DATA_IN_MEMORY),
    d("aof-load-truncated", Bool, "yes").ignored(DATA_IN_MEMORY),
    d("aof-use-rdb-preamble", Bool, "yes").ignored(DATA_IN_MEMORY),
    d("aof-timestamp-enabled", Bool, "no").ignored(DATA_IN_MEMORY),
    d("aof-rewrite-incremental-fsync", Bool, "yes").ignored(DATA_IN_MEMORY),
    d("aof-disable-auto-gc", Bool, "no").ignored(DATA_IN_MEMORY),
    d("rdb-save-incremental-fsync", Bool, "yes").ignored(DATA_IN_MEMORY),
    d("rdbcompression", Bool, "yes"),
    d("rdb-del-sync-files", Bool, "no").ignored(DATA_IN_MEMORY),
    d("stop-writes-on-bgsave-error", Bool, "yes").ignored(DATA_IN_MEMORY),
    d("rdbchecksum", Bool, "yes").at_start(),
    d("auto-aof-rewrite-percentage", int(0, INT_MAX), "100").ignored(DATA_IN_MEMORY),
    d("auto-aof-rewrite-min-size", memory(0, LONG_MAX), "67108864").ignored(DATA_IN_MEMORY),
    d("sanitize-dump-payload", Enum(&["no", "yes", "clients"]), "no").ignored(ALWAYS_CHECKED),
    // Replication
    d("replicaof", Words, "").at_start().alias("slaveof"),
    d("masterauth", Text, ""),
    d("masteruser", Text, ""),
    d("replica-serve-stale-data", Bool, "yes").alias("slave-serve-stale-data"),
    d("replica-read-only", Bool, "yes").alias("slave-read-only"),
    d("replica-announced", Bool, "yes"),
    d("replica-announce-ip", Text, "").alias("slave-announce-ip"),
    d("replica-announce-port", int(0, 65535), "0").alias("slave-announce-port"),
    d("replica-priority", int(0, INT_MAX), "100").alias("slave-priority"),
    d("replica-ignore-disk-write-errors", Bool, "no").ignored(DATA_IN_MEMORY),
    d("propagation-error-behavior", Enum(&["ignore", "panic", "panic-on-replicas"]), "ignore"),
    d("repl-diskless-sync", Bool, "yes"),
    d("repl-diskless-sync-delay", int(0, INT_MAX), "5"),
    d("repl-diskless-sync-max-replicas", int(0, INT_MAX), "0"),
    d("repl-diskless-load", Enum(&["disabled", "on-empty-db", "swapdb"]), "disabled"),
    d("repl-disable-tcp-nodelay", Bool, "no"),
    d("repl-timeout", int(1, INT_MAX), "60"),
    d("repl-ping-replica-period", int(1, INT_MAX), "10").alias("repl-ping-slave-period"),
    d("repl-backlog-size", memory(1, LONG_MAX), "1048576"),
    d("repl-backlog-ttl", int(0, LONG_MAX), "3600"),
    d("min-replicas-to-write", int(0, INT_MAX), "0").alias("min-slaves-to-write"),
    d("min-replicas-max-lag", int(0, INT_MAX), "10").alias("min-slaves-max-lag"),
    // Cluster
    d("cluster-enabled", Bool, "no").at_start(),
    d("cluster-config-file", Text, "nodes.conf").at_start(),
    d("cluster-announce-ip", Text, ""),
    d("cluster-announce-hostname", Text, ""),
    d("cluster-announce-port", int(0, 65535), "0"),
    d("cluster-announce-bus-port", int(0, 65535), "0"),
    d("cluster-announce-tls-port", int(0, 65535), "0").ignored(NO_TLS),
    d("cluster-port", int(0, 65535), "0").at_start(),
    d("cluster-preferred-endpoint-type", Enum(&["ip", "hostname", "unknown-endpoint"]), "ip"),
    d("cluster-require-full-coverage", Bool, "yes"),
    d("cluster-allow-reads-when-down", Bool, "no"),
    d("cluster-allow-pubsubshard-when-down", Bool, "yes"),
    d("cluster-node-timeout", int(0, LONG_MAX), "15000"),
    d("cluster-migration-barrier", int(0, INT_MAX), "1"),
    d("cluster-allow-replica-migration", Bool, "yes"),
    d("cluster-replica-validity-factor", int(0, INT_MAX), "10").alias("cluster-slave-validity-factor"),
    d("cluster-replica-no-failover", Bool, "no").alias("cluster-slave-no-failover"),
    d("cluster-link-sendbuf-limit", memory(0, ULONG_MAX), "0"),
    d("slotmark-refused-means-failed", Bool, "yes"),
    // TLS
    d("tls-port", int(0, 65535), "0").ignored(NO_TLS),
    d("tls-ca-cert-dir", Text, "").ignored(NO_TLS),
    d("tls-ca-cert-file", Text, "").ignored(NO_TLS),
    d("tls-cert-file", Text, "").ignored(NO_TLS),
    d("tls-ciphers", Text, "").ignored(NO_TLS),
    d("tls-ciphersuites", Text, "").ignored(NO_TLS),
    d("tls-client-cert-file", Text, "").ignored(NO_TLS),
    d("tls-client-key-file", Text, "").ignored(NO_TLS),
    d("tls-client-key-file-pass", Text, "").ignored(NO_TLS),
    d("tls-dh-params-file", Text, "").ignored(NO_TLS),
    d("tls-key-file", Text, "").ignored(NO_TLS),
    d("tls-key-file-pass", Text, "").ignored(NO_TLS),
    d("tls-protocols", Text, "").ignored(NO_TLS),
    d("tls-cluster", Bool, "no").ignored(NO_TLS),
    d("tls-replication", Bool, "no").ignored(NO_TLS),
    d("tls-prefer-server-ciphers", Bool, "no").ignored(NO_TLS),
    d("tls-session-caching", Bool, "yes").ignored(NO_TLS),
    d("tls-auth-clients", Enum(&["no", "yes", "optional"]), "yes").ignored(NO_TLS),
    d("tls-session-cache-size", int(0, INT_MAX), "20480").ignored(NO_TLS),
    d("tls-session-cache-timeout", int(0, INT_MAX), "300").ignored(NO_TLS),
];
