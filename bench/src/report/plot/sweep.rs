//! How the figures change along a sweep.

use plotters::prelude::DrawingBackend;

use super::canvas::{Area, Canvas};
use super::frame::{Frame, draw_series, engine_look};
use super::plane::{Axis, Plane};
use super::render::Picture;
use super::{color, ticks};
use crate::report::found::FindMax;
use crate::report::model::{EngineRun, Report};
use crate::report::units;
use crate::stats::slo::{Figure, Objective};

struct Panel {
    title: &'static str,
    value: fn(&EngineRun) -> Option<f64>,
    label: fn(f64) -> String,
}

const P99: &str = "p99 latency";

const PANELS: [Panel; 3] = [
    Panel {
        title: "operations a second",
        value: |run| Some(run.ops_per_sec),
        label: units::rate_mark,
    },
    Panel {
        title: P99,
        value: |run| Some(run.latency_us.p99),
        label: units::latency_mark,
    },
    Panel {
        title: "server CPU per operation",
        value: |run| run.server.cpu_ns_per_op,
        label: |ns| units::latency_mark(ns / 1e3),
    },
];

/// Three panels over the swept parameter: throughput, p99, server CPU per operation.
pub struct Sweep<'a> {
    pub report: &'a Report,
    /// The steps of each engine.
    pub engines: Vec<Vec<&'a EngineRun>>,
}

impl Picture for Sweep<'_> {
    fn stem(&self) -> String {
        "sweep".to_owned()
    }

    fn title(&self) -> String {
        format!("Throughput, p99 latency and server CPU by {}", self.parameter())
    }

    fn size(&self) -> (u32, u32) {
        (1080, 500)
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> anyhow::Result<()> {
        let mut frame = Frame::new(self.report, &self.title(), &self.reading());
        for (i, runs) in self.engines.iter().enumerate() {
            let (color, mark) = engine_look(i);
            let best = runs.iter().max_by(|a, b| a.ops_per_sec.total_cmp(&b.ops_per_sec));
            let figures = best.map(|run| {
                let step = run
                    .info
                    .step
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                match self.answer(&run.info.name()) {
                    Some((rate, true)) => format!("holds up to {}/s", units::rate(rate as f64)),
                    Some((rate, false)) => format!("held {}/s, unconfirmed", units::rate(rate as f64)),
                    None => format!("at most {}/s, at {step}", units::rate(run.ops_per_sec)),
                }
            });
            let name = runs.first().map(|run| run.info.name()).unwrap_or_default();
            frame = frame.legend(color, mark, &name, figures.unwrap_or_default());
        }
        let rest = frame.draw(canvas, (1080.0, 500.0))?;
        let width = rest.width() / PANELS.len() as f64;
        for (p, Panel { title, value, label }) in PANELS.iter().enumerate() {
            let left = rest.left + p as f64 * width;
            let area = Area {
                left: left + 78.0,
                top: rest.top + 8.0,
                right: left + width - 10.0,
                bottom: rest.bottom - 52.0,
            };
            let seen = || {
                self.engines
                    .iter()
                    .flatten()
                    .filter_map(|run| value(run))
                    .filter(|v| *v > 0.0)
            };
            let (low, high) = (seen().fold(f64::INFINITY, f64::min), seen().fold(0.0, f64::max));
            if high <= 0.0 {
                continue;
            }
            let y = Axis::new(title, ticks::logarithmic(low, high, 3.5), label).logarithmic();
            let plane = Plane {
                grid: true,
                area,
                x: self.step_axis(),
                y,
            };
            self.draw_panel(canvas, &plane, *value)?;
            self.draw_answers(canvas, &plane, *title == P99)?;
        }
        Ok(())
    }
}

impl Sweep<'_> {
    fn parameter(&self) -> String {
        let step = self
            .engines
            .iter()
            .flatten()
            .find_map(|run| run.info.step.as_ref());
        let parameter = step.map_or("step", |s| s.parameter.as_str());
        if parameter == "pipeline" {
            "pipeline depth".to_owned()
        } else {
            parameter.to_owned()
        }
    }

    fn step_axis(&self) -> Axis {
        // Rates of a search are any numbers; those of other sweeps are few, and each has its mark.
        if self.parameter() == "rate" {
            let rates = || self.engines.iter().flatten().map(|run| step_value(run));
            let (low, high) = (rates().fold(f64::INFINITY, f64::min), rates().fold(1.0, f64::max));
            return Axis::new(
                "rate asked for, a second",
                ticks::logarithmic(low, high, 2.5),
                units::rate_mark,
            )
            .logarithmic();
        }
        let mut steps: Vec<f64> = self.engines.iter().flatten().map(|run| step_value(run)).collect();
        steps.sort_by(f64::total_cmp);
        steps.dedup();
        Axis::new(&self.parameter(), steps, |v| format!("{v}")).logarithmic()
    }

    fn draw_panel<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        plane: &Plane,
        value: fn(&EngineRun) -> Option<f64>,
    ) -> anyhow::Result<()> {
        plane.draw(canvas)?;
        for (i, runs) in self.engines.iter().enumerate().rev() {
            let (color, mark) = engine_look(i);
            let points: Vec<_> = runs
                .iter()
                .filter_map(|run| Some(plane.at(step_value(run), value(run)?)))
                .collect();
            if points.len() > 1 {
                draw_series(canvas, &points, color, mark)?;
            }
            points.iter().try_for_each(|p| canvas.disc(*p, 4.0, color))?;
        }
        Ok(())
    }
}

impl Sweep<'_> {
    /// Of a search: each answer as a line upwards, and a limit on p99 as one across.
    fn draw_answers<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        plane: &Plane,
        is_p99: bool,
    ) -> anyhow::Result<()> {
        let Some(search) = &self.report.find_max else {
            return Ok(());
        };
        let Area {
            left,
            top,
            right,
            bottom,
        } = plane.area;
        for (i, runs) in self.engines.iter().enumerate() {
            let name = runs.first().map(|run| run.info.name()).unwrap_or_default();
            if let Some((rate, _)) = self.answer(&name) {
                let x = plane.column(rate as f64);
                canvas.dashed(&[(x, top), (x, bottom)], engine_look(i).0, 1.4, 4.0)?;
            }
        }
        for limit in p99_limits(search).filter(|_| is_p99) {
            let y = plane.row(limit.limit);
            canvas.dashed(&[(left, y), (right, y)], color::ALARM, 1.4, 4.0)?;
        }
        Ok(())
    }

    /// The answer of a search on this engine, and whether it is confirmed.
    fn answer(&self, engine: &str) -> Option<(u64, bool)> {
        let search = self.report.find_max.as_ref()?;
        let found = search.engines.iter().find(|found| found.engine == engine)?;
        Some((found.answer?, found.confirmed))
    }

    fn reading(&self) -> String {
        let all = "All axes are logarithmic. Throughput: more is better; latency and CPU: less is better.";
        match &self.report.find_max {
            None => all.to_owned(),
            Some(search) => format!(
                "All axes are logarithmic. Upright dashes: the highest rate at which {} holds{}.",
                search.objectives.join(" and "),
                match p99_limits(search).next() {
                    Some(_) => "; red dashes: the limit of p99",
                    None => "",
                }
            ),
        }
    }
}

fn step_value(run: &EngineRun) -> f64 {
    run.info.step.as_ref().map_or(1.0, |s| s.value.max(1) as f64)
}

/// The objectives of a search that bound p99.
fn p99_limits(search: &FindMax) -> impl Iterator<Item = Objective> {
    let objectives = search
        .objectives
        .iter()
        .filter_map(|text| text.parse::<Objective>().ok());
    objectives.filter(|objective| objective.figure == Figure::P99)
}
