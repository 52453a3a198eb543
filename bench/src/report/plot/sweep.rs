//! How the figures change along a sweep.

use plotters::prelude::DrawingBackend;

use super::canvas::{Area, Canvas};
use super::frame::{Frame, draw_series, engine_look};
use super::plane::{Axis, Plane};
use super::render::Picture;
use super::ticks;
use crate::report::model::{EngineRun, Report};
use crate::report::units;

struct Panel {
    title: &'static str,
    value: fn(&EngineRun) -> Option<f64>,
    label: fn(f64) -> String,
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "operations a second",
        value: |run| Some(run.ops_per_sec),
        label: units::rate_mark,
    },
    Panel {
        title: "p99 latency",
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
        let reading =
            "All axes are logarithmic. Throughput: more is better; latency and CPU: less is better.";
        let mut frame = Frame::new(self.report, &self.title(), reading);
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
                format!("at most {}/s, at {step}", units::rate(run.ops_per_sec))
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
            self.draw_panel(
                canvas,
                &Plane {
                    grid: true,
                    area,
                    x: self.step_axis(),
                    y,
                },
                *value,
            )?;
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

fn step_value(run: &EngineRun) -> f64 {
    run.info.step.as_ref().map_or(1.0, |s| s.value.max(1) as f64)
}
