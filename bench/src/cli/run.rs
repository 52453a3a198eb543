//! `loadgen --workload ...`: from flags to a session, and from its report to an exit code.

use workloads::spec::{ArrivalsFlag, FaultChoice, FaultFlags, Process, ReadFrom, Size};
use workloads::{Overrides, Spec};

use super::args::{Arrivals, RunArgs, WorseIn};
use super::cluster::{find_engine, shape};
use super::output::{self, Output};
use super::{CommandResult, Exit, Failure, compare, talk};
use crate::driver::cores::{self, Division};
use crate::driver::{
    Against, Measured, Progress, Session, SessionError, audit, check, environment, existing, signals,
};
use crate::load::Auth;
use crate::report::model::{AuditRun, Metric, Report, RunEnd};
use crate::stats::gate::{self, Contest, Judgement, Pairing};

const ROUNDS_OF_A_COMPARISON: u32 = 6;

pub fn run(args: &RunArgs) -> CommandResult {
    let session = session(args)?;
    let output = Output::prepare(&args.output, &session.spec.name)?;
    let stop = signals::install()?;
    let measured = session
        .run(&stop, Progress::detect(args.output.quiet))
        .map_err(failure)?;
    output.write(&measured.report, &measured.logs, &measured.lost_keys)?;
    Ok(verdict(args, &measured))
}

pub fn failure(error: SessionError) -> Failure {
    match error {
        SessionError::Spec(error) => Failure::usage(error),
        SessionError::Interrupted => Failure {
            exit: Exit::Interrupted,
            error: SessionError::Interrupted.into(),
        },
        SessionError::CannotRun(error) => error.into(),
    }
}

pub fn session(args: &RunArgs) -> Result<Session, Failure> {
    output::one_stdout(&args.output)?;
    let spec = spec(args)?;
    if args.audit && spec.run.read_from == ReadFrom::Replica {
        let text = "--audit and reads from replicas keep the same record of writes: one of the two at a time";
        return Err(Failure::usage(anyhow::anyhow!(text)));
    }
    if args.audit
        && let Some(objection) = audit::objection(&spec)
    {
        return Err(Failure::usage(anyhow::anyhow!(objection)));
    }
    if args.wait.is_some()
        && spec
            .mix
            .iter()
            .any(|entry| entry.then.is_some() || !entry.count.is_empty())
    {
        let text = "--wait takes the place of replies, and this workload counts or follows them (count, then): leave it out";
        return Err(Failure::usage(anyhow::anyhow!(text)));
    }
    if args.wait.is_some() && spec.mix.iter().any(|entry| entry.send.len() > 1) {
        let text = "--wait follows single commands, and an operation of this workload is several (send)";
        return Err(Failure::usage(anyhow::anyhow!(text)));
    }
    let (against, threads) = against(args, &spec)?;
    let threads = match spec.run.read_from {
        ReadFrom::Primary => threads,
        ReadFrom::Replica => reader_threads(args, &spec)?,
    };
    let rounds = args
        .rounds
        .unwrap_or(if args.compare.is_some() && spec.fault.is_empty() {
            ROUNDS_OF_A_COMPARISON
        } else {
            1
        });
    check_conditions(args, rounds)?;
    Ok(Session {
        spec,
        seed: args.seed,
        against,
        rounds,
        threads,
        resp3: args.resp3,
        preload: !args.no_preload,
        audit: args.audit,
        wait: args.wait,
        command_line: without_password(std::env::args(), args.pass.as_deref()),
        loadgen: super::loadgen_path()?,
    })
}

fn spec(args: &RunArgs) -> Result<Spec, Failure> {
    let mut spec = ::workloads::load(&args.workload).map_err(Failure::usage)?;
    let value_size = match args.data_size {
        Some(bytes) => {
            let too_large = |_| Failure::usage(anyhow::anyhow!("--data-size {bytes} is too large"));
            Some(Size::Fixed(u32::try_from(bytes).map_err(too_large)?))
        }
        None => None,
    };
    let overrides = Overrides {
        clients: args.clients,
        pipeline: args.pipeline.map(|depth| vec![depth]),
        keys: args.keyspace,
        key_size: None,
        value_size,
        ratio: args.ratio.map(|r| (r.sets, r.gets)),
        duration: args.duration,
        requests: args.requests,
        warmup: args.warmup,
        timeout: args.timeout,
        rate: args.rate,
        arrivals: args.arrivals.map(|arrivals| match arrivals {
            Arrivals::Closed => ArrivalsFlag::Closed,
            Arrivals::Constant => ArrivalsFlag::Open(Process::Constant),
            Arrivals::Poisson => ArrivalsFlag::Open(Process::Poisson),
        }),
        fault: faults(args),
    };
    spec.apply(&overrides).map_err(Failure::usage)?;
    Ok(spec)
}

/// Staleness is told by a thread that has seen all acknowledgements, so there is one.
fn reader_threads(args: &RunArgs, spec: &Spec) -> Result<u32, Failure> {
    if let Some(objection) = audit::objection(spec) {
        let text = objection.replace("--audit", "read_from = \"replica\"");
        return Err(Failure::usage(anyhow::anyhow!(text)));
    }
    match args.threads {
        None | Some(1) => Ok(1),
        Some(_) => Err(Failure::usage(anyhow::anyhow!(
            "reads from replicas are compared with all acknowledged writes by one thread: leave --threads out"
        ))),
    }
}

fn faults(args: &RunArgs) -> FaultFlags {
    let kind = match &args.fault_cmd {
        Some(command) => Some(FaultChoice::Command(command.clone())),
        None => args.fault.clone(),
    };
    FaultFlags {
        kind,
        at: args.fault_at,
        shard: args.fault_shard,
        rolling: args.fault_rolling,
        length: args.fault_for,
    }
}

/// Whom the load is for, and how many threads generate it.
fn against(args: &RunArgs, spec: &Spec) -> Result<(Against, u32), Failure> {
    let seeds = args.targets();
    let cores = environment::cores();
    if !seeds.is_empty() {
        // A target elsewhere leaves us all cores; one on this machine has a right to half of them.
        let free = if existing::is_local(&seeds) {
            (cores / 2).max(1)
        } else {
            cores
        };
        let auth = auth(args)?;
        if let Some(fault) = spec.fault.iter().find(|fault| fault.kind.needs_a_launched_node()) {
            let text = format!(
                "the fault \"{}\" takes nodes that loadgen has started: for a target that runs already give --fault-cmd \
                 'COMMAND', --fault failover, --fault pause, or --fault none to only look",
                fault.kind.name()
            );
            return Err(Failure::usage(anyhow::anyhow!(text)));
        }
        return Ok((Against::Existing { seeds, auth }, args.threads.unwrap_or(free)));
    }
    if args.user.is_some() || args.pass.is_some() {
        let text = "--user and --pass are for a target that runs already: name it with --target or -h";
        return Err(Failure::usage(anyhow::anyhow!(text)));
    }
    let shape = shape(&args.launch, &spec.cluster)?;
    let mut engines = vec![find_engine(&args.launch.engine, "--engine")?];
    if let Some(other) = &args.compare {
        engines.push(find_engine(other, "--compare")?);
    }
    let Division { generator, each_node } =
        cores::divide(cores, shape.node_count(), args.threads, args.launch.node_threads);
    let mut directives = Vec::new();
    if let Some(timeout) = spec.cluster.node_timeout {
        directives.push(format!("cluster-node-timeout {}", timeout.as_millis()));
    }
    directives.extend(spec.cluster.config.iter().cloned());
    // Of a directive that is given twice the last one counts.
    directives.extend(args.launch.node_arg.iter().cloned());
    Ok((
        Against::Launched {
            engines,
            shape,
            node_threads: each_node,
            directives,
        },
        generator,
    ))
}

fn auth(args: &RunArgs) -> Result<Option<Auth>, Failure> {
    let from_environment = || std::env::var("REDISCLI_AUTH").ok().filter(|p| !p.is_empty());
    match (args.pass.clone().or_else(from_environment), args.user.clone()) {
        (Some(password), user) => Ok(Some(Auth { user, password })),
        (None, Some(_)) => Err(Failure::usage(anyhow::anyhow!(
            "--user needs --pass (or REDISCLI_AUTH)"
        ))),
        (None, None) => Ok(None),
    }
}

/// What a run comes to that did not reach its end.
pub fn cut_short(report: &Report) -> Option<Exit> {
    match &report.ended {
        RunEnd::Interrupted => Some(Exit::Interrupted),
        RunEnd::TargetLost { reason } => {
            talk::complain(format_args!("loadgen: the target was lost: {reason}"));
            Some(Exit::CannotRun)
        }
        RunEnd::Completed => None,
    }
}

/// What a finished run comes to, the gravest first; the reasons go to stderr.
fn verdict(args: &RunArgs, measured: &Measured) -> Exit {
    let report = &measured.report;
    if let Some(exit) = cut_short(report) {
        return exit;
    }
    let lost: u64 = audits(report).map(|audit| audit.lost).sum();
    if lost > 0 {
        talk::complain(format_args!(
            "loadgen: {lost} acknowledged writes are lost; the keys are in lost-keys.csv"
        ));
        return Exit::DataLost;
    }
    let overlaps: u64 = report
        .engines
        .iter()
        .filter_map(|run| run.holds.as_ref())
        .map(|holds| holds.overlaps)
        .sum();
    if overlaps > 0 {
        talk::complain(format_args!(
            "loadgen: {overlaps} times a client got a key that another certainly held"
        ));
        return Exit::DataLost;
    }
    let deliveries = report.engines.iter().filter_map(|run| run.delivery.as_ref());
    if let Some(delivery) = deliveries.into_iter().find(|delivery| delivery.is_violated()) {
        talk::complain(format_args!(
            "loadgen: items must be delivered exactly once; {} were lost and {} came twice",
            delivery.lost, delivery.repeated
        ));
        return Exit::DataLost;
    }
    let mut complaints = check::failed(&measured.workload, &report.engines);
    complaints.extend(check::worse(&report.comparisons, &metrics(&args.fail_if_worse)));
    let judged = gate::judge(&args.fail_if, &contests(report));
    complaints.extend(compare::failed(&judged).map(|j| format!("{}: {}: {}", j.condition, j.engine, j.text)));
    if !args.output.quiet {
        for passed in judged.iter().filter(|j| j.judgement == Judgement::Passed) {
            talk::complain(format_args!(
                "check passed: {}: {}: {}",
                passed.condition, passed.engine, passed.text
            ));
        }
    }
    let unread: u64 = audits(report).map(|audit| audit.unread_keys).sum();
    if unread > 0 {
        complaints.push(format!("the audit could not read {unread} of the written keys"));
    }
    for complaint in &complaints {
        talk::complain(format_args!("loadgen: check failed: {complaint}"));
    }
    if complaints.is_empty() {
        Exit::Done
    } else {
        Exit::CheckFailed
    }
}

/// Each step of the engine under test, against the other engine's if there are two.
fn contests(report: &Report) -> Vec<Contest<'_>> {
    let Some(first) = report.engines.first() else {
        return Vec::new();
    };
    let own = report
        .engines
        .iter()
        .filter(|run| run.info.engine == first.info.engine);
    let contest = |run| Contest {
        candidate: run,
        baseline: report
            .engines
            .iter()
            .find(|other| other.info.engine != run.info.engine && other.info.step == run.info.step),
        pairing: Pairing::Paired,
        seed: report.workload.seed,
    };
    own.map(contest).collect()
}

/// Conditions that this run could never be judged by.
fn check_conditions(args: &RunArgs, rounds: u32) -> Result<(), Failure> {
    let Some(relative) = args.fail_if.iter().find(|c| c.is_relative()) else {
        return Ok(());
    };
    if args.compare.is_none() {
        return Err(Failure::usage(anyhow::anyhow!(
            "--fail-if '{relative}' needs something to compare with: --compare ENGINE, or loadgen compare afterwards"
        )));
    }
    if rounds == 1 {
        return Err(Failure::usage(anyhow::anyhow!(
            "--fail-if '{relative}' needs more than one round"
        )));
    }
    Ok(())
}

fn audits(report: &Report) -> impl Iterator<Item = &AuditRun> {
    report.engines.iter().flat_map(|run| &run.audits)
}

fn metrics(worse_in: &[WorseIn]) -> Vec<Metric> {
    let named = |metric: &Metric| {
        worse_in.iter().any(|w| match w {
            WorseIn::Any => true,
            WorseIn::Throughput => *metric == Metric::Throughput,
            WorseIn::P99 => *metric == Metric::P99,
            WorseIn::ServerCpu => *metric == Metric::ServerCpu,
            WorseIn::Memory => *metric == Metric::Memory,
            WorseIn::HitRate => *metric == Metric::HitRate,
        })
    };
    Metric::ALL.into_iter().filter(named).collect()
}

/// The command line for the report, which may be published.
fn without_password(args: impl Iterator<Item = String>, password: Option<&str>) -> Vec<String> {
    let Some(password) = password.filter(|p| !p.is_empty()) else {
        return args.collect();
    };
    // Alone (`-a secret`), after an equals sign, or right behind the letter: it is always the end of an argument.
    args.map(|arg| match arg.strip_suffix(password) {
        Some(rest) => format!("{rest}***"),
        None => arg,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_gets_into_a_report() {
        let masked =
            |line: &str| without_password(line.split(' ').map(str::to_owned), Some("secret")).join(" ");
        assert_eq!(masked("loadgen -h x -a secret -c 5"), "loadgen -h x -a *** -c 5");
        assert_eq!(masked("loadgen -asecret"), "loadgen -a***");
        assert_eq!(masked("loadgen -qasecret"), "loadgen -qa***");
        assert_eq!(
            masked("loadgen --pass=secret --user u"),
            "loadgen --pass=*** --user u"
        );
    }

    #[test]
    fn any_means_all_metrics() {
        assert_eq!(metrics(&[]), []);
        assert_eq!(metrics(&[WorseIn::P99]), [Metric::P99]);
        assert_eq!(metrics(&[WorseIn::Any]).len(), Metric::ALL.len());
    }
}
