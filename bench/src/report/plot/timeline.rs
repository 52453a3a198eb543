//! Throughput and p99 over time.

use plotters::prelude::DrawingBackend;

use super::canvas::{Anchor, Area, Canvas, Letters};
use super::frame::{Frame, Mark, cross, draw_series, engine_look};
use super::plane::{Axis, Plane};
use super::render::Picture;
use super::{color, ticks};
use crate::report::model::{EngineRun, IntervalRun, Report};
use crate::report::text::beside::company;
use crate::report::units;

/// More intervals than this are drawn as a line without dots.
const MOST_DOTS: usize = 60;
/// A larger spread of p99 gets a logarithmic axis.
const LOG_SPREAD: f64 = 15.0;

/// Two panels over the same time: how much, and how slow.
pub struct Timeline<'a> {
    pub report: &'a Report,
    pub runs: &'a [&'a EngineRun],
    pub suffix: &'a str,
}

impl Picture for Timeline<'_> {
    fn stem(&self) -> String {
        format!("timeline{}", self.suffix)
    }

    fn title(&self) -> String {
        "Throughput and p99 latency over time".to_owned()
    }

    fn size(&self) -> (u32, u32) {
        (960, 640)
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> anyhow::Result<()> {
        let rest = self.frame().draw(canvas, (960.0, 640.0))?;
        let x = self.time_axis();
        let middle = (rest.top + rest.bottom - 48.0) / 2.0;
        let upper = Plane {
            grid: true,
            area: Area {
                left: rest.left + 76.0,
                top: rest.top + 8.0,
                right: rest.right - 12.0,
                bottom: middle - 16.0,
            },
            x: Axis {
                title: String::new(),
                ..self.time_axis()
            },
            y: self.rate_axis(),
        };
        let lower = Plane {
            grid: true,
            area: Area {
                top: middle + 16.0,
                bottom: rest.bottom - 52.0,
                ..upper.area
            },
            x,
            y: self.p99_axis(),
        };
        for plane in [&upper, &lower] {
            plane.draw(canvas)?;
            self.draw_rounds(canvas, plane)?;
            self.draw_company(canvas, plane)?;
        }
        for (i, run) in self.runs.iter().enumerate().rev() {
            self.draw_run(canvas, &upper, i, run, |interval| interval.ops_per_sec)?;
            self.draw_run(canvas, &lower, i, run, |interval| interval.p99_us)?;
            for interval in run.intervals.iter().filter(|interval| interval.errors > 0) {
                let at = (upper.column(self.time(run, interval)), upper.area.bottom - 8.0);
                cross(canvas, at, color::ALARM)?;
            }
        }
        Ok(())
    }
}

impl Timeline<'_> {
    fn frame(&self) -> Frame {
        let rounds = match (self.longest().map_or(0, |run| run.rounds.len()), self.runs.len()) {
            (0 | 1, _) => "",
            (_, 1) => " Rounds are laid end to end.",
            _ => " Rounds are laid end to end: between them the other engine ran.",
        };
        let reading = format!("One point an interval. Above, more is better; below, less is.{rounds}");
        let mut frame = Frame::new(self.report, &self.title(), &reading);
        for (i, run) in self.runs.iter().enumerate() {
            let (color, mark) = engine_look(i);
            let figures = format!(
                "{}/s  ·  p99 {}",
                units::rate(run.ops_per_sec),
                units::latency(run.latency_us.p99)
            );
            frame = frame.legend(color, mark, &run.info.label(), figures);
        }
        if self
            .runs
            .iter()
            .any(|run| run.intervals.iter().any(|i| i.errors > 0))
        {
            frame = frame.legend(color::ALARM, Mark::Cross, "interval with errors", String::new());
        }
        frame
    }

    /// Middle of an interval in the engine's own measured time.
    fn time(&self, run: &EngineRun, interval: &IntervalRun) -> f64 {
        let before: f64 = run
            .rounds
            .iter()
            .take(interval.round as usize)
            .map(|r| r.seconds)
            .sum();
        before + interval.start_s + interval.length_s / 2.0
    }

    fn draw_run<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        plane: &Plane,
        i: usize,
        run: &EngineRun,
        value: fn(&IntervalRun) -> f64,
    ) -> anyhow::Result<()> {
        let (color, mark) = engine_look(i);
        for round in 0..run.rounds.len() as u32 {
            let of_round = run.intervals.iter().filter(|interval| interval.round == round);
            let points: Vec<_> = of_round.map(|v| plane.at(self.time(run, v), value(v))).collect();
            if points.len() > 1 {
                draw_series(canvas, &points, color, mark)?;
            }
            if run.intervals.len() <= MOST_DOTS {
                points.iter().try_for_each(|p| canvas.disc(*p, 3.0, color))?;
            }
        }
        Ok(())
    }

    /// Where a round of the longest engine ends, and in the upper corner its number.
    fn draw_rounds<DB: DrawingBackend>(&self, canvas: &Canvas<DB>, plane: &Plane) -> anyhow::Result<()> {
        let Some(run) = self.longest() else { return Ok(()) };
        if run.rounds.len() < 2 {
            return Ok(());
        }
        let letters = Letters {
            size: 10.0,
            color: color::FAINT_INK,
            bold: false,
            anchor: Anchor::Left,
        };
        let mut end = 0.0;
        for (i, round) in run.rounds.iter().enumerate() {
            let x = plane.column(end);
            canvas.text(
                &format!("round {}", i + 1),
                (x + 5.0, plane.area.top + 8.0),
                letters,
            )?;
            if i > 0 {
                canvas.dashed(
                    &[(x, plane.area.top), (x, plane.area.bottom)],
                    color::AXIS,
                    1.0,
                    3.0,
                )?;
            }
            end += round.seconds;
        }
        Ok(())
    }

    /// Where in each round something comes beside the load.
    fn draw_company<DB: DrawingBackend>(&self, canvas: &Canvas<DB>, plane: &Plane) -> anyhow::Result<()> {
        let Some(run) = self.longest() else { return Ok(()) };
        let Some(beside) = &run.beside else { return Ok(()) };
        let letters = Letters {
            size: 10.0,
            color: color::ALARM,
            bold: false,
            anchor: Anchor::Left,
        };
        let mut begins = 0.0;
        for round in &run.rounds {
            let x = plane.column(begins + beside.from_s);
            let ends = [(x, plane.area.top), (x, plane.area.bottom)];
            canvas.dashed(&ends, color::ALARM, 1.2, 4.0)?;
            canvas.text(company(beside), (x + 5.0, plane.area.top + 20.0), letters)?;
            begins += round.seconds;
        }
        Ok(())
    }

    fn longest(&self) -> Option<&EngineRun> {
        self.runs
            .iter()
            .max_by(|a, b| a.seconds.total_cmp(&b.seconds))
            .copied()
    }

    fn time_axis(&self) -> Axis {
        let end = self.longest().map_or(1.0, |run| run.seconds).max(0.001);
        let marks = ticks::linear(0.0, end, 10)
            .into_iter()
            .filter(|t| *t <= end * 1.0001)
            .collect();
        Axis::new("measured time", marks, |t| {
            format!("{} s", (t * 100.0).round() / 100.0)
        })
        .bounded(0.0, end)
    }

    fn rate_axis(&self) -> Axis {
        let high = self.values(|i| i.ops_per_sec).fold(1.0, f64::max);
        Axis::new(
            "operations a second",
            ticks::linear(0.0, high * 1.08, 4),
            units::rate_mark,
        )
    }

    fn p99_axis(&self) -> Axis {
        let high = self.values(|i| i.p99_us).fold(0.001, f64::max);
        let low = self
            .values(|i| i.p99_us)
            .filter(|v| *v > 0.0)
            .fold(high, f64::min);
        if high > LOG_SPREAD * low {
            return Axis::new(
                "p99 latency (log)",
                ticks::logarithmic(low, high, 1.5),
                units::latency_mark,
            )
            .logarithmic();
        }
        Axis::new(
            "p99 latency",
            ticks::linear(0.0, high * 1.08, 4),
            units::latency_mark,
        )
    }

    fn values(&self, value: fn(&IntervalRun) -> f64) -> impl Iterator<Item = f64> {
        self.runs.iter().flat_map(|run| &run.intervals).map(value)
    }
}
