//! `loadgen cluster up|down|status`: a local cluster for a person to play with.

use std::fmt::Write as _;
use std::time::Duration;

use ::workloads::spec::ClusterShape;

use super::args::{ClusterAction, ClusterUp, LaunchArgs};
use super::{CommandResult, Exit, Failure, talk};

use crate::driver::admin::{Admin, AdminError, field};
use crate::driver::process::Bond;
use crate::driver::registry::{ClusterRecord, NodeRecord, Registry};
use crate::driver::{
    Engine, EngineError, LaunchError, LaunchPlan, LocalCluster, Progress, Shape, environment, signals,
};
use crate::load::{Auth, HostPort};

const ASK_TIMEOUT: Duration = Duration::from_secs(2);

pub fn run(action: ClusterAction) -> CommandResult {
    let registry = Registry::of_user();
    match action {
        ClusterAction::Up(args) => up(&registry, &args),
        ClusterAction::Down { all: true, .. } => down_all(&registry),
        ClusterAction::Down { name, .. } => down(&registry, &name),
        ClusterAction::Status { name } => status(&registry, name),
    }
}

/// The shape that the flags ask for, or why it cannot be had.
pub fn shape(args: &LaunchArgs, wanted: &ClusterShape) -> Result<Shape, Failure> {
    const MOST_NODES: u32 = 1000;
    if args.standalone {
        if args.nodes.is_some_and(|nodes| nodes > 1) || args.replicas.is_some_and(|replicas| replicas > 0) {
            return Err(Failure::usage(anyhow::anyhow!(
                "--standalone is one server: leave out --nodes and --replicas"
            )));
        }
        return Ok(Shape {
            primaries: 1,
            replicas_each: 0,
            cluster: false,
        });
    }
    let shape = Shape {
        primaries: args.nodes.or(wanted.nodes).unwrap_or(DEFAULT_NODES),
        replicas_each: args.replicas.or(wanted.replicas).unwrap_or(0),
        cluster: true,
    };
    if u64::from(shape.primaries) * (1 + u64::from(shape.replicas_each)) > u64::from(MOST_NODES) {
        return Err(Failure::usage(anyhow::anyhow!(
            "at most {MOST_NODES} nodes in all"
        )));
    }
    Ok(shape)
}

/// What `--nodes` is without being given.
const DEFAULT_NODES: u32 = 3;

/// Finds an engine; a misspelt name is a usage error, a missing binary is not.
pub fn find_engine(selector: &str, flag: &'static str) -> Result<Engine, Failure> {
    Engine::find(selector, flag).map_err(|error: EngineError| {
        let exit = if error.is_usage() {
            Exit::Usage
        } else {
            Exit::CannotRun
        };
        Failure {
            exit,
            error: error.into(),
        }
    })
}

fn up(registry: &Registry, args: &ClusterUp) -> CommandResult {
    let shape = shape(&args.launch, &ClusterShape::default())?;
    let engine = find_engine(&args.launch.engine, "--engine")?;
    let plan = LaunchPlan {
        engine: engine.clone(),
        shape,
        node_threads: args
            .launch
            .node_threads
            .unwrap_or_else(|| (environment::cores() / shape.primaries).max(1)),
        directives: args.launch.node_arg.clone(),
        first_port: (args.port != 0).then_some(args.port),
        namespaces: false,
        bond: Bond::Outlives,
        core: None,
    };
    let stop = signals::install()?;
    let folder = registry.claim(&args.name)?;
    let shown = Progress::detect(false).waiting(&format!(
        "starting {} {} ({shape})",
        engine.name(),
        engine.version()
    ));

    let started = || -> Result<ClusterRecord, Failure> {
        let mut cluster = LocalCluster::start(&plan, &folder, &super::loadgen_path()?)?;
        let record = ClusterRecord::of(&args.name, &plan, &cluster);
        registry.save(&record).inspect_err(|_| cluster.end())?;
        cluster.wait_until_ready(&plan, &stop)?;
        Ok(record)
    };
    let record = started().inspect_err(|_| drop(std::fs::remove_dir_all(&folder)))?;
    drop(shown);
    talk::print(&welcome(&record, &folder.display().to_string()))?;
    Ok(Exit::Done)
}

fn welcome(record: &ClusterRecord, folder: &str) -> String {
    let ClusterRecord {
        name,
        engine,
        version,
        nodes,
        ..
    } = record;
    let port = nodes.first().map_or(0, |n| n.port);
    let ports: Vec<String> = nodes.iter().map(|n| n.port.to_string()).collect();
    let ports = ports.join(", ");
    let password = if record.password.is_some() {
        " -a PASSWORD"
    } else {
        ""
    };
    let (what, cli_flag) = if record.cluster {
        ("cluster", " -c")
    } else {
        ("server", "")
    };
    let suffix = if name == "default" {
        String::new()
    } else {
        format!(" {name}")
    };
    format!(
        "{engine} {version} {what} '{name}' is up on 127.0.0.1, port {ports}; files in {folder}\n  \
         redis-cli{cli_flag} -p {port}{password}\n  \
         loadgen --workload hotslot --target 127.0.0.1:{port}{password}\n  \
         loadgen cluster down{suffix}\n"
    )
}

fn down(registry: &Registry, name: &str) -> CommandResult {
    let Some(record) = registry.load(name)? else {
        let known = registry.names()?;
        let known = if known.is_empty() {
            "none is".to_owned()
        } else {
            format!("up: {}", known.join(", "))
        };
        return Err(anyhow::anyhow!("no cluster '{name}' is up ({known})").into());
    };
    end(registry, &record)?;
    Ok(Exit::Done)
}

fn down_all(registry: &Registry) -> CommandResult {
    for name in registry.names()? {
        if let Some(record) = registry.load(&name)? {
            end(registry, &record)?;
        }
    }
    Ok(Exit::Done)
}

fn end(registry: &Registry, record: &ClusterRecord) -> Result<(), Failure> {
    let ended = registry.end(record)?;
    let gone = record.nodes.len() - ended;
    let note = if gone > 0 {
        format!(" ({gone} had ended before)")
    } else {
        String::new()
    };
    let plural = if ended == 1 { "process" } else { "processes" };
    talk::print(&format!(
        "cluster '{}' is down: {ended} {plural} ended{note}\n",
        record.name
    ))?;
    Ok(())
}

fn status(registry: &Registry, name: Option<String>) -> CommandResult {
    let names = match name {
        Some(name) => vec![name],
        None => registry.names()?,
    };
    if names.is_empty() {
        talk::print("no cluster is up; `loadgen cluster up` starts one\n")?;
        return Ok(Exit::Done);
    }
    let mut healthy = true;
    let mut text = String::new();
    for name in names {
        let Some(record) = registry.load(&name)? else {
            return Err(
                anyhow::anyhow!("no cluster '{name}' is up; `loadgen cluster up {name}` starts one").into(),
            );
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} ({} {})", record.name, record.engine, record.version);
        for node in &record.nodes {
            let (line, fine) = node_line(node, &record);
            healthy &= fine;
            let role = if node.replica { "replica" } else { "primary" };
            let _ = writeln!(
                text,
                "  127.0.0.1:{:<5}  {role}  pid {:<8} {line}",
                node.port, node.pid
            );
        }
    }
    talk::print(&text)?;
    Ok(if healthy { Exit::Done } else { Exit::CannotRun })
}

/// How a node does, and whether that is well.
fn node_line(node: &NodeRecord, record: &ClusterRecord) -> (String, bool) {
    if !node.is_alive() {
        return ("has ended".to_owned(), false);
    }
    let auth = record
        .password
        .clone()
        .map(|password| Auth { user: None, password });
    let ask = || -> Result<(String, bool), AdminError> {
        let addr = HostPort {
            host: "127.0.0.1".to_owned(),
            port: node.port,
        };
        let mut admin = Admin::connect(&addr, auth.as_ref(), ASK_TIMEOUT)?;
        let keys = admin.call(&["DBSIZE"])?.as_integer().unwrap_or(0);
        if !record.cluster {
            return Ok((format!("ok, {keys} keys"), true));
        }
        let info = admin.text(&["CLUSTER", "INFO"])?;
        let state = field(&info, "cluster_state").unwrap_or("unknown");
        Ok((format!("{state}, {keys} keys"), state == "ok"))
    };
    ask().unwrap_or_else(|error| (error.to_string(), false))
}

impl From<LaunchError> for Failure {
    fn from(error: LaunchError) -> Self {
        match error {
            LaunchError::Interrupted => Failure::interrupted(),
            other => Failure {
                exit: Exit::CannotRun,
                error: other.into(),
            },
        }
    }
}
