//! `loadgen find-max --slo 'p99<1ms'`: from flags to a search, and from what it found to an exit code.

use std::time::Duration;

use anyhow::anyhow;
use workloads::spec::{Arrival, OpenLoop, Shape};

use super::args::{Arrivals, FindMaxArgs};
use super::output::Output;
use super::{CommandResult, Exit, Failure, run, talk};
use crate::driver::{FindMax, Progress, signals};

const TRIAL: Duration = Duration::from_secs(3);
const WARMUP: Duration = Duration::from_millis(500);

pub fn run(args: FindMaxArgs) -> CommandResult {
    let FindMaxArgs {
        slo,
        resolution,
        mut run,
    } = args;
    if run.rate.is_some() {
        return Err(Failure::usage(anyhow!(
            "--rate: find-max looks for the rate itself"
        )));
    }
    if run.arrivals == Some(Arrivals::Closed) {
        let text = "--arrivals: a closed loop has no rate to look for; constant and poisson have";
        return Err(Failure::usage(anyhow!(text)));
    }
    if run.requests.is_some()
        || run.rounds.is_some()
        || !run.fail_if_worse.is_empty()
        || !run.fail_if.is_empty()
    {
        let text = "-n, --rounds, --fail-if and --fail-if-worse mean nothing to find-max: --duration is the length of each trial";
        return Err(Failure::usage(anyhow!(text)));
    }
    if run.audit {
        let text = "--audit: find-max looks for a rate, and breaks off nothing that could be lost";
        return Err(Failure::usage(anyhow!(text)));
    }
    run.rate = Some(1.0);
    run.rounds = Some(1);
    run.duration.get_or_insert(TRIAL);
    run.warmup.get_or_insert(WARMUP);
    let session = run::session(&run)?;
    if let Arrival::Open(OpenLoop { shape, .. }) = session.spec.arrival
        && shape != Shape::Steady
    {
        let text = "arrival.shape: find-max tries steady rates, and this workload's changes";
        return Err(Failure::usage(anyhow!(text)));
    }
    if session.spec.run.pipeline.len() > 1 {
        let text = "run.pipeline: this workload is a sweep of depths; choose one with --pipeline";
        return Err(Failure::usage(anyhow!(text)));
    }
    if !session.spec.fault.is_empty() {
        let text = "fault: this workload breaks what it measures; find-max needs one that holds";
        return Err(Failure::usage(anyhow!(text)));
    }
    let output = Output::prepare(&run.output, &format!("{}-find-max", session.spec.name))?;
    let stop = signals::install()?;
    let search = FindMax {
        session,
        objectives: slo,
        resolution,
    };
    let measured = search
        .run(&stop, Progress::detect(run.output.quiet))
        .map_err(run::failure)?;
    output.write(&measured.report, &measured.logs, &measured.lost_keys)?;
    let report = &measured.report;
    if let Some(exit) = run::cut_short(report) {
        return Ok(exit);
    }
    let engines = report.find_max.iter().flat_map(|found| &found.engines);
    let open: Vec<&str> = engines
        .filter(|found| !found.confirmed)
        .map(|found| found.engine.as_str())
        .collect();
    if open.is_empty() {
        return Ok(Exit::Done);
    }
    talk::complain(format_args!(
        "loadgen: no confirmed rate for {}",
        open.join(" and ")
    ));
    Ok(Exit::CheckFailed)
}

/// A share in percent or as a fraction: "5%", "0.05".
pub fn resolution(text: &str) -> Result<f64, String> {
    let share = match text.trim().strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.trim().parse(),
    };
    match share {
        Ok(share) if (0.005..=0.5).contains(&share) => Ok(share),
        Ok(_) => Err("from 0.5% to 50%".to_owned()),
        Err(_) => Err("write 5% or 0.05".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolution_is_a_share() {
        assert_eq!((resolution("5%"), resolution("0.05")), (Ok(0.05), Ok(0.05)));
        assert_eq!(resolution(" 50 % "), Ok(0.5));
        for bad in ["5", "0", "0.1%", "51%", "five", "NaN", ""] {
            assert!(resolution(bad).is_err(), "{bad:?}");
        }
    }
}
