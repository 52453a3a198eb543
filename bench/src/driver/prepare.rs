//! What comes before anything is measured: clusters are started, and get their keys.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use workloads::Workload;

use super::cluster::{LaunchPlan, LocalCluster};
use super::progress::Progress;
use super::session::SessionError;
use super::signals::StopFlag;
use super::subject::Subject;
use super::watcher::{Goal, attend};
use super::workspace::Workspace;
use crate::load::{self, Ended, PreloadPlan, Watch};
use crate::report::units;

/// Starts a cluster for each plan.
pub fn launch(
    plans: impl Iterator<Item = LaunchPlan>,
    resp3: bool,
    loadgen: &Path,
    workspace: &Workspace,
    stop: &StopFlag,
    progress: Progress,
) -> Result<Vec<Subject>, SessionError> {
    let mut subjects: Vec<Subject> = Vec::new();
    for plan in plans {
        let (name, version) = (plan.engine.name(), plan.engine.version());
        let _shown = progress.waiting(&format!("starting {name} {version} ({})", plan.shape));
        // Two engines of the same name, say two builds of one server, still need two names for their files.
        let taken = subjects.iter().any(|s| s.engine == name);
        let label = if taken {
            format!("{name}-2")
        } else {
            name.to_owned()
        };
        let dir = workspace
            .subdirectory(&label)
            .context("cannot make a temporary directory")?;
        let cluster = LocalCluster::launch(&plan, &dir, loadgen, stop)?;
        subjects.push(Subject::launched(label, &plan, cluster, resp3));
    }
    Ok(subjects)
}

/// Stores every key in every subject; returns how many keys that are.
pub fn preload(
    workload: &Arc<Workload>,
    subjects: &[Subject],
    threads: u32,
    stop: &StopFlag,
    progress: Progress,
) -> Result<u64, SessionError> {
    let sends = workload.preload_len();
    for subject in subjects {
        let plan = PreloadPlan {
            workload: Arc::clone(workload),
            target: subject.target.clone(),
            threads,
        };
        let watch = Watch::new();
        let goal = Goal::Operations(sends);
        let what = match (sends, workload.spec().preload.is_empty()) {
            (0, _) => format!("preparing {}", subject.engine),
            (_, true) => format!("storing {} keys in {}", units::count(sends), subject.engine),
            (_, false) => format!(
                "storing {} keys in {} with {} commands",
                units::count(workload.preloaded_keys()),
                subject.engine,
                units::count(sends)
            ),
        };
        let shown = progress.phase(&what, goal.total());
        let (loaded, _) = attend(&watch, stop, None, goal, &shown, || load::preload(&plan, &watch));
        let loaded = loaded.with_context(|| format!("cannot prepare {}", subject.engine))?;
        match loaded.ended {
            Ended::Interrupted => return Err(SessionError::Interrupted),
            Ended::TargetLost(reason) => {
                return Err(anyhow::anyhow!(
                    "{} was lost while its keys were stored: {reason}",
                    subject.engine
                )
                .into());
            }
            Ended::Completed if !loaded.errors.is_empty() => {
                let classes: Vec<String> = loaded
                    .errors
                    .iter()
                    .map(|(class, n)| format!("{class} {n}"))
                    .collect();
                let (engine, stored) = (&subject.engine, loaded.stored);
                let text = format!(
                    "{engine} took {stored} of {sends} writes of the preload, the others failed: {}",
                    classes.join(", ")
                );
                return Err(anyhow::anyhow!(text).into());
            }
            Ended::Completed => {}
        }
    }
    Ok(workload.preloaded_keys())
}
