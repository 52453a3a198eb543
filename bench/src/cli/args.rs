//! The command line. redis-benchmark's short flags keep their meaning (so `-h` is the host and help is
//! `--help`), memtier_benchmark's long names work as aliases.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::bench_generators::{self, BenchGeneratorsArgs};
use super::bench_peers::{self, BenchPeersArgs};
use super::bench_tails::{self, BenchTailsArgs};
use super::find_max;
use super::values::{self, Ratio};
use crate::driver::address;
use workloads::spec::FaultChoice;

use crate::load::HostPort;
use crate::stats::gate::Condition;
use crate::stats::slo::Objective;

const EXAMPLES: &str = "\
Examples:
  loadgen --workload hotslot                      start a cluster, measure it, end it
  loadgen --workload hotslot --compare redis      the same, in turns with redis-server
  loadgen --workload zipf --target 10.0.0.1:7000  a cluster or server that runs already
  loadgen -h 10.0.0.1 -p 6379 -c 50 -P 16 -n 1m --ratio 1:10
  loadgen find-max --slo 'p99<1ms'                the highest rate that keeps p99 below 1 ms
  loadgen workloads                               which there are, and what they answer
  loadgen cluster up                              a local cluster to play with

Numbers may be written 10k or 1.5m, durations 30s, 500ms or 2m.

Exit codes:
  0    done
  1    the target was unreachable or was lost, or something could not be started
  2    the command line or the workload file is wrong
  3    it ran, but a check or the comparison failed
  4    --audit found writes that were acknowledged and are lost
  130  interrupted
When a run is lost on its way (1) or interrupted (130), what was measured is reported.";

const FIND_MAX_HELP: &str = "\
An objective is FIGURE<LIMIT (or FIGURE<=LIMIT):
  p50 p90 p95 p99 p99.9 p99.99 max mean   with us, ms or s:  'p99<1ms'  'max<=0.5s'
  errors                                  with %:            'errors<0.1%'
Percentiles are of the response time, which runs from when an operation was due.

The cluster is started and filled once. A closed loop tells where to begin; then trials of --duration each (3s unless \
given, after a warm-up of 0.5s) double or halve the rate until one holds and a higher one fails, and bisect between the \
two, as closely as --resolution asks for. A trial holds when every operation was sent, at most 0.1 % failed (unless an \
objective says otherwise), the rate was kept up with and all objectives hold. One near its limit is repeated. At last \
the answer must hold at 0.9 of its rate and fail at 1.2.

Examples:
  loadgen find-max --slo 'p99<1ms'
  loadgen find-max --slo 'p99<1ms' --slo 'errors<0.1%' --workload zipf --compare redis
  loadgen find-max --slo 'p99.9<5ms' --target 10.0.0.1:7000 --arrivals poisson --duration 30s

Exit codes are those of a run; 3 when there is no rate that could be confirmed.";
const MERGE_HELP: &str = "\
Examples, on each of two machines, at the same moment:
  loadgen --target 10.0.0.1:7000 --workload zipf --seed 1 --no-preload --output a
  loadgen --target 10.0.0.1:7000 --workload zipf --seed 2 --no-preload --output b
and then:
  loadgen merge a b                                one report, with all its files
  loadgen merge a/redis.hlog b/redis.hlog          only the histograms

Counts are added. Percentiles are read from added histograms. Rates are over the time from the first generator's start \
to the last one's end; clocks should agree. Server CPU is what one generator read of it. Give each generator a --seed of \
its own, and store the keys before.";

const COMPARE_HELP: &str = "\
Examples:
  loadgen compare old new                                        ratios, new / old
  loadgen compare old new --fail-if 'p99>+5%' --fail-if 'errors>0'
  loadgen compare --baseline results/baseline.toml new

A condition is FIGURE OPERATOR BOUND. Figures: throughput, p50, p90, p95, p99, p999, max, mean, server-cpu, memory, \
errors. Operators: > >= < <=. A bound with % is a change against the baseline: 'throughput<-3%'; it fails when the ratio \
is beyond it and its interval excludes 1. Any other bound is a value of the candidate alone: 'p99>1ms', \
'throughput<100k', 'server-cpu>10us', 'memory>1gb', 'errors>0'. What cannot be judged, for want of rounds or figures, \
fails.

Runs need several rounds (--rounds 6) for an interval. Engines in turns, loadgen --compare, are the stronger evidence.

Exit codes: 0 nothing failed, 2 a wrong condition, or runs that do not compare, 3 a condition failed.";

/// A load generator for Redis Cluster, Valkey and anything that speaks their protocol.
#[derive(Debug, Parser)]
#[command(
    name = "loadgen",
    version,
    disable_help_flag = true,
    args_conflicts_with_subcommands = true,
    max_term_width = 110,
    after_help = EXAMPLES
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub run: RunArgs,
    /// Print help (-h is the host, as in redis-benchmark)
    #[arg(long, action = ArgAction::Help, global = true, help_heading = "Other")]
    help: Option<bool>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the built-in workloads with the question each answers, or print the TOML of one
    Workloads {
        /// The workload whose file to print (a start for one of your own)
        name: Option<String>,
    },
    /// Search the highest rate at which service level objectives hold, and confirm it
    #[command(after_help = FIND_MAX_HELP)]
    FindMax(Box<FindMaxArgs>),
    /// Put several engines under the same loads in turns: operations per second of server CPU time, latency, memory a key
    #[command(after_help = bench_peers::HELP)]
    BenchPeers(BenchPeersArgs),
    /// Put several generators before one server in turns: operations per second of the generator's CPU time
    #[command(after_help = bench_generators::HELP)]
    BenchGenerators(BenchGeneratorsArgs),
    /// Put engines through events that hurt, in turns, under a steady load: what its tail is, and the longest gap
    #[command(after_help = bench_tails::HELP)]
    BenchTails(BenchTailsArgs),
    /// A local cluster to play with: start one, look at it, end it
    #[command(
        after_help = "Clusters are remembered below $SLOTMARK_CLUSTERS, if that is set, else in slotmark/clusters in \
                            the user's cache\ndirectory; the nodes' logs are there too."
    )]
    Cluster {
        #[command(subcommand)]
        action: ClusterAction,
    },
    /// Draw the report of a finished run again from its files
    Report {
        /// The folder of a run: the one that holds run.json
        dir: PathBuf,
    },
    /// Add up runs of several generators that loaded one target at the same time
    #[command(after_help = MERGE_HELP)]
    Merge(MergeArgs),
    /// Compare two finished runs; with --fail-if a gate for CI
    #[command(after_help = COMPARE_HELP)]
    Compare(CompareArgs),
    /// Print a completion script for a shell
    Completions { shell: Shell },
    /// Print the README's table from the reference results
    #[command(hide = true)]
    ReadmeTable {
        #[arg(default_value = "results")]
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum ClusterAction {
    /// Start a cluster that stays up after this command ends
    Up(ClusterUp),
    /// End the processes of a cluster and remove its files
    Down {
        /// Which cluster, or all of them with --all
        #[arg(default_value = "default", conflicts_with = "all")]
        name: String,
        /// Every cluster this user has up
        #[arg(long)]
        all: bool,
    },
    /// Say which clusters are up, and how their nodes do
    Status {
        /// Which cluster; without a name all of them
        name: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct ClusterUp {
    /// A name of your choice, for `down` and `status`
    #[arg(default_value = "default")]
    pub name: String,
    #[command(flatten)]
    pub launch: LaunchArgs,
    /// The first node's port, the others follow it; 0 for ports that are free
    #[arg(short, long, default_value_t = 7000)]
    pub port: u16,
}

#[derive(Debug, Args)]
pub struct MergeArgs {
    /// run.json files or folders of runs, with their .hlog files beside them; or .hlog files only
    #[arg(required = true, num_args = 2.., value_name = "RUN|LOG")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// A and B, run.json files or folders of runs: A is the baseline, B the candidate that is judged. With --baseline only B
    #[arg(required = true, num_args = 1..=2, value_name = "A B")]
    pub runs: Vec<PathBuf>,
    /// Compare with the run that this file names, under the conditions in it, e.g. results/baseline.toml
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// End with exit code 3 if this holds for the candidate; may be repeated
    #[arg(long, value_name = "CONDITION")]
    pub fail_if: Vec<Condition>,
    /// Write the comparison as JSON; - is stdout, and then the text goes to stderr
    #[arg(long, value_name = "PATH|-")]
    pub json: Option<PathBuf>,
}

/// What a launched cluster looks like.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "A cluster of its own")]
pub struct LaunchArgs {
    /// What to start: slotmark (built in), redis, valkey, or the path of a server binary
    #[arg(long, default_value = "slotmark", value_name = "ENGINE")]
    pub engine: String,
    /// How many primaries [default: 3, or what the workload needs]
    #[arg(long, value_name = "N", value_parser = values::small_count)]
    pub nodes: Option<u32>,
    /// How many replicas for each primary [default: 0, or what the workload needs]
    #[arg(long, value_name = "N")]
    pub replicas: Option<u32>,
    /// One node without cluster mode
    #[arg(long, visible_alias = "no-cluster")]
    pub standalone: bool,
    /// Threads that execute commands (slotmark) or do I/O (redis, valkey) in each node [default: what the cores allow, the same for every engine]
    #[arg(long, value_name = "N", value_parser = values::thread_count)]
    pub node_threads: Option<u32>,
    /// A directive for every node, as in redis.conf: --node-arg 'maxmemory 1gb'; may be repeated
    #[arg(long, value_name = "DIRECTIVE")]
    pub node_arg: Vec<String>,
}

#[derive(Debug, Args)]
pub struct FindMaxArgs {
    /// What must hold, e.g. 'p99<1ms' or 'errors<0.1%'; may be repeated, then all must
    #[arg(
        long,
        required = true,
        value_name = "OBJECTIVE",
        help_heading = "What to find"
    )]
    pub slo: Vec<Objective>,
    /// How close the answer is to be to the highest rate that holds
    #[arg(long, default_value = "5%", value_name = "SHARE", value_parser = find_max::resolution,
          help_heading = "What to find")]
    pub resolution: f64,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// A built-in workload (see `loadgen workloads`) or a TOML file
    #[arg(
        short,
        long,
        default_value = "uniform",
        value_name = "NAME|FILE",
        help_heading = "What to run"
    )]
    pub workload: String,
    /// Measure for so long (a plain number is seconds) [default: the workload's]
    #[arg(long, visible_alias = "test-time", value_name = "TIME", value_parser = values::positive_duration,
          conflicts_with = "requests", help_heading = "What to run")]
    pub duration: Option<Duration>,
    /// Stop after so many operations in all (not per client)
    #[arg(short = 'n', long, value_name = "N", value_parser = values::positive_count, help_heading = "What to run")]
    pub requests: Option<u64>,
    /// Run so long before measuring [default: the workload's]
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "What to run")]
    pub warmup: Option<Duration>,
    /// How many keys [default: the workload's]
    #[arg(short = 'r', long, visible_alias = "key-maximum", value_name = "N", value_parser = values::positive_count,
          help_heading = "What to run")]
    pub keyspace: Option<u64>,
    /// Bytes a value [default: the workload's]
    #[arg(short = 'd', long, value_name = "BYTES", value_parser = values::bytes, help_heading = "What to run")]
    pub data_size: Option<u64>,
    /// Writes to reads, SET:GET, in place of the workload's mix
    #[arg(long, value_name = "SET:GET", value_parser = values::ratio, help_heading = "What to run")]
    pub ratio: Option<Ratio>,
    /// The same seed gives the same operations, bit for bit, at any number of threads
    #[arg(long, default_value_t = 1, value_name = "N", help_heading = "What to run")]
    pub seed: u64,

    /// Nodes of a cluster, or a single server, that runs already; one node is enough
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', value_parser = address::parse,
          conflicts_with_all = LAUNCH_FLAGS, help_heading = "A cluster that runs already")]
    pub target: Vec<HostPort>,
    /// The same as --target HOST:PORT, as redis-benchmark has it [default: 127.0.0.1 if -p is given]
    #[arg(short = 'h', long, visible_alias = "server", value_name = "HOST", conflicts_with = "target",
          conflicts_with_all = LAUNCH_FLAGS, help_heading = "A cluster that runs already")]
    pub host: Option<String>,
    /// The port that goes with -h [default: 6379 if -h is given]
    #[arg(short = 'p', long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..),
          conflicts_with = "target", conflicts_with_all = LAUNCH_FLAGS, help_heading = "A cluster that runs already")]
    pub port: Option<u16>,
    /// User name for AUTH
    #[arg(long, value_name = "NAME", help_heading = "A cluster that runs already")]
    pub user: Option<String>,
    /// Password for AUTH; better kept out of sight in the environment: REDISCLI_AUTH, as for redis-cli
    #[arg(
        short = 'a',
        long,
        value_name = "PASSWORD",
        help_heading = "A cluster that runs already"
    )]
    pub pass: Option<String>,
    /// Nothing to do: that the target is a cluster is seen from its answers
    #[arg(long, alias = "cluster-mode", hide = true)]
    pub cluster: bool,
    /// Leave the data as it is: no preload (GETs of absent keys are then answered nil)
    #[arg(long, help_heading = "A cluster that runs already")]
    pub no_preload: bool,

    /// What is done to a primary on the way, in place of the workload's faults: kill, term, stop, partition, pause, failover or none
    #[arg(long, value_name = "KIND", value_parser = values::fault, conflicts_with = "fault_cmd", help_heading = "Faults under load")]
    pub fault: Option<FaultChoice>,
    /// A command line of your own as the fault, for a target that loadgen has not started; $SLOTMARK_NODE is the primary's host:port
    #[arg(long, value_name = "COMMAND", help_heading = "Faults under load")]
    pub fault_cmd: Option<String>,
    /// When, since the start of the measured time [default: the workload's, or a third of the run]
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Faults under load")]
    pub fault_at: Option<Duration>,
    /// How long the node is stopped, cut off or paused; after how long a killed one is started again
    #[arg(long, value_name = "TIME", value_parser = values::positive_duration, help_heading = "Faults under load")]
    pub fault_for: Option<Duration>,
    /// Whose primary: 0 owns the lowest slots [default: the workload's, or 0]
    #[arg(long, value_name = "N", help_heading = "Faults under load")]
    pub fault_shard: Option<u32>,
    /// Do it to every further shard too, so much after the one before
    #[arg(long, value_name = "TIME", value_parser = values::positive_duration, help_heading = "Faults under load")]
    pub fault_rolling: Option<Duration>,

    /// After each round read every key that was written, and tell which acknowledged writes are lost (exit code 4)
    #[arg(long, help_heading = "Faults under load")]
    pub audit: bool,
    /// Follow every write by WAIT for so many replicas; it counts as done when they have it
    #[arg(long, value_name = "N", value_parser = values::small_count, help_heading = "Faults under load")]
    pub wait: Option<u32>,

    #[command(flatten)]
    pub launch: LaunchArgs,
    /// Run a second engine on a cluster of the same shape, in turns with the first, and print the ratios
    #[arg(long, value_name = "ENGINE", help_heading = "A cluster of its own")]
    pub compare: Option<String>,
    /// End with exit code 3 if the first engine is worse than --compare's in one of these
    #[arg(
        long,
        value_name = "METRICS",
        value_delimiter = ',',
        requires = "compare",
        help_heading = "A cluster of its own"
    )]
    pub fail_if_worse: Vec<WorseIn>,
    /// End with exit code 3 if this holds: 'p99>1ms', 'errors>0', and with --compare 'p99>+5%'; may be repeated
    #[arg(long, value_name = "CONDITION", help_heading = "What to run")]
    pub fail_if: Vec<Condition>,
    /// Rounds for each engine; --duration or -n is divided among them [default: 1, with --compare 6]
    #[arg(long, value_name = "N", value_parser = values::small_count, help_heading = "A cluster of its own")]
    pub rounds: Option<u32>,

    /// Clients, each with a connection to every primary [default: the workload's]
    #[arg(short = 'c', long, value_name = "N", value_parser = values::small_count, help_heading = "How hard")]
    pub clients: Option<u32>,
    /// Generator threads [default: what the nodes leave of the cores]
    #[arg(long, value_name = "N", value_parser = values::thread_count, help_heading = "How hard")]
    pub threads: Option<u32>,
    /// Operations each client keeps in flight; in an open loop, each of its connections [default: the workload's]
    #[arg(short = 'P', long, value_name = "N", value_parser = values::small_count, help_heading = "How hard")]
    pub pipeline: Option<u32>,
    /// Open loop: send so many operations a second in all, each when it is due, whatever the servers do
    #[arg(long, value_name = "OPS", value_parser = values::rate, help_heading = "How hard")]
    pub rate: Option<f64>,
    /// How operations follow each other: as replies come, at even distances (the default with --rate), or independently
    #[arg(long, value_name = "HOW", help_heading = "How hard")]
    pub arrivals: Option<Arrivals>,
    /// Give up on an operation, and its connection, after so long [default: the workload's]
    #[arg(long, value_name = "TIME", value_parser = values::positive_duration, help_heading = "How hard")]
    pub timeout: Option<Duration>,
    /// Speak RESP3
    #[arg(short = '3', long = "resp3", help_heading = "How hard")]
    pub resp3: bool,

    #[command(flatten)]
    pub output: OutputArgs,
}

/// Where results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Where the files of the run go [default: results/local/TIME-NAME]
    #[arg(short = 'o', long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Write run.json here too; - is stdout, and then the text goes to stderr
    #[arg(long, value_name = "PATH|-")]
    pub json: Option<PathBuf>,
    /// Write summary.csv here too; - is stdout, and then the text goes to stderr
    #[arg(long, value_name = "PATH|-")]
    pub csv: Option<PathBuf>,
    /// Say nothing but results and errors
    #[arg(short, long)]
    pub quiet: bool,
}

impl OutputArgs {
    /// Whether `--json -` or `--csv -` claims stdout.
    pub fn stdout_is_taken(&self) -> bool {
        [&self.json, &self.csv]
            .into_iter()
            .flatten()
            .any(|p| p.as_os_str() == "-")
    }
}

/// How operations follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Arrivals {
    Closed,
    Constant,
    Poisson,
}

/// A figure that may not be worse than the other engine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum WorseIn {
    Throughput,
    P99,
    ServerCpu,
    Memory,
    HitRate,
    Any,
}

/// Flags that make no sense against a cluster that runs already.
const LAUNCH_FLAGS: [&str; 7] = [
    "engine",
    "nodes",
    "replicas",
    "standalone",
    "node_threads",
    "node_arg",
    "compare",
];

impl RunArgs {
    /// The nodes to talk to, if the user named any; otherwise a cluster is launched.
    pub fn targets(&self) -> Vec<HostPort> {
        if !self.target.is_empty() {
            return self.target.clone();
        }
        if self.host.is_none() && self.port.is_none() {
            return Vec::new();
        }
        let host = self.host.clone().unwrap_or_else(|| "127.0.0.1".to_owned());
        vec![HostPort {
            host,
            port: self.port.unwrap_or(6379),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("loadgen").chain(line.split_whitespace()))
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn redis_benchmark_flags_keep_their_meaning() {
        let run = parse("-h 10.0.0.1 -p 7000 -c 50 -n 1m -P 16 -d 128 -r 10k -a secret -3 -q")
            .unwrap()
            .run;
        assert_eq!(
            run.targets(),
            [HostPort {
                host: "10.0.0.1".to_owned(),
                port: 7000
            }]
        );
        assert_eq!(
            (run.clients, run.requests, run.pipeline),
            (Some(50), Some(1_000_000), Some(16))
        );
        assert_eq!(
            (run.data_size, run.keyspace, run.pass.as_deref()),
            (Some(128), Some(10_000), Some("secret"))
        );
        assert!(run.resp3 && run.output.quiet);
    }

    #[test]
    fn memtier_names_are_aliases() {
        let run =
            parse("--server h --key-maximum 1m --test-time 20 --pipeline 4 --data-size 32 --ratio 1:10")
                .unwrap()
                .run;
        assert_eq!(
            run.targets(),
            [HostPort {
                host: "h".to_owned(),
                port: 6379
            }]
        );
        assert_eq!(
            (run.keyspace, run.duration),
            (Some(1_000_000), Some(Duration::from_secs(20)))
        );
        assert_eq!(run.ratio, Some(Ratio { sets: 1, gets: 10 }));
    }

    #[test]
    fn no_target_means_a_cluster_of_its_own() {
        assert!(parse("--workload hotslot").unwrap().run.targets().is_empty());
        assert_eq!(
            parse("-p 7000").unwrap().run.targets()[0].to_string(),
            "127.0.0.1:7000"
        );
        assert_eq!(parse("--target a:1,b:2").unwrap().run.targets().len(), 2);
    }

    #[test]
    fn contradictions_are_refused() {
        for line in [
            "--target a:1 --engine redis",
            "--target a:1 --compare redis",
            "-p 7000 --nodes 3",
            "--target a:1 -h b",
            "--duration 3s -n 10",
            "-c 0",
            "--threads 0",
            "--target a:1 workloads",
            "nonsense",
        ] {
            let error = parse(line).err().unwrap_or_else(|| panic!("{line} was accepted"));
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
