//! From the command line to a node that serves, and to its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, ExitCode};

use anyhow::{Context as _, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::cluster::bus;
use crate::config::{self, Config, ConfigStore, Request};
use crate::net::{self, Listeners, Workers};
use crate::node::Node;
use crate::replication::replica;
use crate::{daemon, housekeeping, log};

/// File descriptors that the node needs besides its clients'.
const RESERVED_FDS: u64 = 32;

/// Runs `slotmark-server` with the arguments after the program's name; returns when the node has ended.
pub fn main_from_args(args: Vec<std::ffi::OsString>) -> ExitCode {
    use std::os::unix::ffi::OsStringExt;
    let args: Vec<Vec<u8>> = args.into_iter().map(OsStringExt::into_vec).collect();
    match config::request(&args) {
        Request::Print(text) => {
            println!("{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Request::Refuse(text) => {
            eprintln!("{}", text.trim_end());
            ExitCode::FAILURE
        }
        Request::Serve => match config::load(&args) {
            Ok(loaded) if daemon::is_wanted(&loaded) => match daemon::start() {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("Can't start in the background: {error}");
                    ExitCode::FAILURE
                }
            },
            Ok(loaded) => {
                daemon::settle();
                let warnings = loaded.warnings.clone();
                match serve(ConfigStore::new(loaded), &warnings) {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => {
                        log::warning(format_args!("{error:#}"));
                        ExitCode::FAILURE
                    }
                }
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
    }
}

fn serve(store: ConfigStore, warnings: &[String]) -> anyhow::Result<()> {
    let config = store.snapshot();
    log::set_level(config.loglevel);
    // A relative log file is in `dir`.
    if let Some(dir) = &config.dir {
        std::env::set_current_dir(dir).with_context(|| format!("Can't chdir to '{}'", dir.display()))?;
    }
    log::set_file(config.logfile.clone()).with_context(|| {
        format!(
            "Can't open the log file {:?}",
            config.logfile.as_deref().unwrap_or(Path::new(""))
        )
    })?;
    let workers = config.worker_count();
    log::notice(format_args!(
        "slotmark-server {} is starting (Redis {} protocol, {} mode, {workers} worker{}), PID: {}",
        env!("CARGO_PKG_VERSION"),
        config::REDIS_VERSION,
        if config.cluster_enabled {
            "cluster"
        } else {
            "standalone"
        },
        if workers == 1 { "" } else { "s" },
        process::id()
    ));
    for warning in warnings {
        log::warning(format_args!("{warning}"));
    }
    if config.cluster_enabled && config.replicaof.is_some() {
        bail!("replicaof directive not allowed in cluster mode");
    }
    if config.port == 0 {
        bail!(
            "port 0: Unix sockets and TLS are not supported yet, so a node without a TCP port serves nobody"
        );
    }
    raise_fd_limit(&config);
    let node: &'static Node = Box::leak(Box::new(Node::new(store, workers)?));
    let listeners = net::bind(&config.bind, config.port, config.tcp_backlog as i32).map_err(|error| {
        log::warning(format_args!("Warning: {error}"));
        anyhow::anyhow!("Failed listening on port {} (TCP), aborting.", config.port)
    })?;
    let bus = match &node.cluster {
        Some(cluster) => Some((cluster, listen_to_bus(&config)?)),
        None => None,
    };
    crate::tracking::observe(node);
    let pool: &'static Workers = Box::leak(Box::new(Workers::start(node, workers)?));
    housekeeping::start(node)?;
    let pidfile = pidfile(&config);
    if let Some(path) = &pidfile {
        fs::write(path, format!("{}\n", process::id())).unwrap_or_else(|error| {
            log::warning(format_args!(
                "Failed to write PID file {}: {error}",
                path.display()
            ))
        });
    }
    log::set_role('M');
    replica::start(node)?;
    node.replication.start(node);
    if let Some((cluster, listeners)) = bus {
        bus::start(node, cluster, listeners)?;
    }
    node.memory.started();
    log::notice(format_args!("Ready to accept connections"));
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run_until_told(node, listeners, pool))?;
    if let Some(path) = &pidfile {
        // The file may be gone already, or never have been written: neither matters now.
        let _ = fs::remove_file(path);
    }
    log::notice(format_args!("slotmark-server is now ready to exit, bye bye..."));
    Ok(())
}

fn listen_to_bus(config: &Config) -> anyhow::Result<Listeners> {
    let port = config.bus_port().context(
        "Redis port number too high for cluster mode: the port of the cluster bus is 10000 higher, and would be \
         larger than 65535. Choose a lower port, or set cluster-port",
    )?;
    net::bind(&config.bind, port, config.tcp_backlog as i32).map_err(|error| {
        log::warning(format_args!("Warning: {error}"));
        anyhow::anyhow!("Failed listening on port {port} (cluster), aborting.")
    })
}

/// A node in the background writes its process id even if nobody says where.
fn pidfile(config: &Config) -> Option<PathBuf> {
    let usual = config.daemonize.then(|| PathBuf::from("/var/run/redis.pid"));
    config.pidfile.clone().or(usual)
}

async fn run_until_told(
    node: &'static Node,
    listeners: Listeners,
    pool: &'static Workers,
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let accepting = listeners.accept(node, pool);
    tokio::pin!(accepting);
    loop {
        tokio::select! {
            ended = &mut accepting => return Ok(ended?),
            _ = terminate.recv() => log::warning(format_args!("Received SIGTERM scheduling shutdown...")),
            _ = interrupt.recv() => log::warning(format_args!("Received SIGINT scheduling shutdown...")),
            () = node.shutdown.notified() => log::warning(format_args!("User requested shutdown...")),
            // As redis-server does: a terminal that closes does not end a server.
            _ = hangup.recv() => continue,
        }
        return Ok(());
    }
}

/// Lets the process hold `maxclients` connections, as far as the system allows. Returns whether it does.
pub fn raise_fd_limit(config: &Config) -> bool {
    let wanted = u64::from(config.maxclients) + RESERVED_FDS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return true;
    }
    let reachable = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let raised = Rlimit {
        current: Some(reachable),
        maximum: limit.maximum,
    };
    let enough = setrlimit(Resource::Nofile, raised).is_ok() && reachable >= wanted;
    if !enough {
        log::warning(format_args!(
            "maxclients is {}, but the system allows {reachable} open files: raise it with 'ulimit -n {wanted}'",
            config.maxclients
        ));
    }
    enough
}
