//! What makes the answer of a search of rates suspect.

use super::slo::Objective;
use super::warn;
use crate::report::found::{FoundRate, run_at};
use crate::report::model::{EngineRun, Report, Warning};

/// Whether the report quotes the figures of this entry, so that it should be warned of what is wrong with them. Of a
/// search it quotes those at its answer; that the rates above were too high is what it wanted to know.
pub fn is_quoted(report: &Report, run: &EngineRun) -> bool {
    report.find_max.as_ref().is_none_or(|found| found.is_answer(run))
}

/// The warnings about a search, none for other runs.
pub fn warnings(report: &Report) -> Vec<Warning> {
    let Some(search) = &report.find_max else {
        return Vec::new();
    };
    let objectives: Vec<Objective> = search
        .objectives
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    let mut all = Vec::new();
    for found in &search.engines {
        let mut add = |code: &str, text: Option<String>| {
            all.extend(text.map(|text| Warning {
                code: code.to_owned(),
                engine: Some(found.engine.clone()),
                text,
            }));
        };
        add("unconfirmed", unconfirmed(found));
        add("generator-limit", generator_limit(report, found));
        add("few-operations", few_operations(report, found, &objectives));
    }
    all
}

fn unconfirmed(found: &FoundRate) -> Option<String> {
    let text = match found.answer {
        _ if found.confirmed => return None,
        Some(rate) => format!(
            "the trials contradict each other, so that {rate} operations a second is no more than a rate that held once: \
             is the machine quiet? A longer --duration makes each trial steadier"
        ),
        None => "no rate held: is the objective below what a single operation takes?".to_owned(),
    };
    Some(text)
}

/// Whether the search may have ended at the generator's limit: it is busy or late at the lowest rate that fails.
fn generator_limit(report: &Report, found: &FoundRate) -> Option<String> {
    let failed = found.lowest_failed()?;
    let run = run_at(report, &found.engine, failed)?;
    let busy = run.client.cpu_s / (run.seconds * f64::from(report.settings.threads.max(1)));
    let what = if busy > warn::GENERATOR_SATURATED_SHARE {
        format!("was busy for {:.0} % of the time", 100.0 * busy)
    } else if warn::is_late(run) {
        let delay_us = run.open_loop.as_ref().map_or(0.0, |open| open.delay_us.p99);
        format!("took operations up late itself (p99 {delay_us:.0} µs)")
    } else {
        return None;
    };
    Some(format!(
        "at {failed} operations a second, where the objectives broke, the generator {what}: the answer may be its limit \
         rather than the engine's; give it a free core or more --threads"
    ))
}

fn few_operations(report: &Report, found: &FoundRate, objectives: &[Objective]) -> Option<String> {
    let run = run_at(report, &found.engine, found.answer?)?;
    // Of one trial: repeated ones are judged one by one.
    let each = run.ops / run.rounds.len().max(1) as u64;
    let figure = objectives
        .iter()
        .map(|objective| objective.figure)
        .filter(|figure| figure.least_operations() > each)
        .max_by_key(|figure| figure.least_operations())?;
    Some(format!(
        "a trial had {each} operations, and {} rests on the slowest of them: a longer --duration has more",
        figure.name()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn codes(report: &Report) -> Vec<String> {
        let mut report = report.clone();
        crate::stats::conclude(&mut report);
        report.warnings.into_iter().map(|warning| warning.code).collect()
    }

    #[test]
    fn rates_that_are_too_high_are_no_reason_to_warn() {
        let report = sample::search();
        assert_eq!(codes(&report), [""; 0]);
        assert!(report.comparisons.is_empty(), "rates are not compared one by one");
    }

    #[test]
    fn each_doubt_has_its_own_warning() {
        type Damage = fn(&mut Report);
        let at = |report: &mut Report, rate: u64| {
            let place = report
                .engines
                .iter()
                .position(|run| run.info.step.as_ref().is_some_and(|s| s.value == rate));
            place.expect("a rate that was tried")
        };
        let mut busy = sample::search();
        let failed = busy.find_max.as_ref().unwrap().engines[0]
            .lowest_failed()
            .expect("one failed");
        let place = at(&mut busy, failed);
        busy.engines[place].client.cpu_s = busy.engines[place].seconds;
        assert_eq!(codes(&busy), ["generator-limit"]);
        let damages: [(&str, Damage); 3] = [
            ("unconfirmed", |r| {
                r.find_max.as_mut().unwrap().engines[0].confirmed = false
            }),
            ("unconfirmed", |r| {
                let found = &mut r.find_max.as_mut().unwrap().engines[0];
                (found.answer, found.confirmed) = (None, false);
            }),
            ("few-operations", |r| {
                r.find_max.as_mut().unwrap().objectives = vec!["p99.99<1s".to_owned()];
                r.engines.iter_mut().for_each(|run| run.ops = 99_999);
            }),
        ];
        for (code, damage) in damages {
            let mut report = sample::search();
            damage(&mut report);
            assert!(
                codes(&report).contains(&code.to_owned()),
                "{code}: {:?}",
                codes(&report)
            );
        }
    }
}
