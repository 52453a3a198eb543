//! One round: the load, the faults beside it, and what is read afterwards.

use std::sync::Arc;

use anyhow::Context;
use workloads::Workload;
use workloads::spec::FaultKind;

use super::{Session, SessionError};
use crate::driver::audit;
use crate::driver::evictions;
use crate::driver::faults::{self, Director};
use crate::driver::prepare;
use crate::driver::progress::Progress;
use crate::driver::shards;
use crate::driver::signals::StopFlag;
use crate::driver::subject::Subject;
use crate::driver::watcher::{self, Goal};
use crate::driver::workspace::Workspace;
use crate::load::{self, Plan, Until, Watch};
use crate::report::RoundContext;

impl Session {
    /// A cluster as new, with its keys: what faults have left of the last one is gone.
    pub(in crate::driver) fn start_over(
        &self,
        subject: &mut Subject,
        workload: &Arc<Workload>,
        workspace: &Workspace,
        stop: &StopFlag,
        progress: Progress,
    ) -> Result<(), SessionError> {
        {
            let _shown = progress.waiting(&format!("starting {} again", subject.engine));
            let dir = workspace
                .subdirectory(&subject.engine)
                .context("cannot make a temporary directory")?;
            subject.relaunch(&dir, &self.loadgen, stop)?;
        }
        if self.preload {
            prepare::preload(
                workload,
                std::slice::from_ref(subject),
                self.threads,
                stop,
                progress,
            )?;
        }
        Ok(())
    }

    /// Reads what was written, if that is asked for, and forgets the record of the writes, which is large.
    pub(in crate::driver) fn audited(
        &self,
        workload: &Workload,
        subject: &mut Subject,
        round: u32,
        mut outcome: load::Outcome,
        mut context: RoundContext,
        progress: Progress,
    ) -> (load::Outcome, RoundContext) {
        if self.audit {
            let _shown = progress.waiting(&format!("reading what was written to {}", subject.engine));
            let logs = std::mem::take(&mut outcome.writes);
            let (run, lost) = audit::audit(round, workload, &subject.target, &subject.all_nodes(), &logs);
            context.audit = Some(run);
            subject.lost_keys.extend(lost);
        }
        (outcome, context)
    }

    pub(in crate::driver) fn one_round(
        &self,
        plan: &Plan,
        subject: &mut Subject,
        stop: &StopFlag,
        progress: Progress,
        label: &str,
    ) -> anyhow::Result<(load::Outcome, RoundContext)> {
        let goal = match plan.until {
            Until::Requests(n) => Goal::Operations(n),
            Until::Duration(d) => Goal::Time(d),
        };
        let watch = Watch::new();
        let shown = progress.phase(label, goal.total());
        let nodes = subject.asked_nodes();
        let (target, probe, cluster) = subject.parts();
        let evicted = || {
            let asked = plan.workload.has_fills();
            asked.then(|| evictions::evicted_keys(&nodes, target.auth.as_ref()))?
        };
        let evicted_before = evicted();
        if !self.has_faults() {
            let (outcome, mut context) = watcher::attend(&watch, stop, Some(probe), goal, &shown, || {
                load::run(plan, &watch)
            });
            let both = evicted().zip(evicted_before);
            context.evicted_keys = both.map(|(after, before)| after.saturating_sub(before));
            return Ok((outcome?, context));
        }
        let shards = shards::shards(target, &[]);
        let planned = faults::plan(&self.spec.fault, shards.len());
        anyhow::ensure!(
            !planned.is_empty(),
            "the fault is for shard {}, and the target has {} (a fault needs a cluster)",
            self.spec.fault[0].shard,
            shards.len()
        );
        let kills = planned
            .iter()
            .any(|fault| matches!(fault.kind, FaultKind::Kill { .. } | FaultKind::Term { .. }));
        let director = Director::new(target, cluster, shards, planned);
        let ((outcome, seen), mut context) = watcher::attend(&watch, stop, Some(probe), goal, &shown, || {
            // The faults are directed from this thread, which has started the nodes; the load has others.
            std::thread::scope(|scope| {
                let load = scope.spawn(|| load::run(plan, &watch));
                let seen = director.direct(&watch, stop, &|| load.is_finished());
                (load.join(), seen)
            })
        });
        context.faults = seen;
        if kills {
            // What a killed process has used cannot be read any more; figures of the others alone would mislead.
            context.servers.clear();
        }
        let outcome = outcome.map_err(|_| anyhow::anyhow!("the load's thread panicked"))?;
        Ok((outcome?, context))
    }
}
