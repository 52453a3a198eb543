//! Latency by percentile.

use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::canvas::{Area, Canvas};
use super::color;
use super::frame::{Frame, Mark, draw_series, engine_look};
use super::plane::{Axis, Plane};
use super::render::Picture;
use super::ticks;
use crate::report::model::{EngineRun, LatencyUs, Report};
use crate::report::units;

const SERVICE: RGBColor = color::FAINT_INK;

/// The tail, stretched: each nine more takes the same width.
pub struct Latency<'a> {
    pub report: &'a Report,
    pub runs: &'a [&'a EngineRun],
    pub suffix: &'a str,
}

impl Picture for Latency<'_> {
    fn stem(&self) -> String {
        format!("latency{}", self.suffix)
    }

    fn title(&self) -> String {
        "Latency by percentile".to_owned()
    }

    fn size(&self) -> (u32, u32) {
        (960, 540)
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> anyhow::Result<()> {
        let open = self.runs.iter().any(|run| run.open_loop.is_some());
        let reading = if open {
            "Response time of successful operations, from when they were due. Both axes logarithmic. Lower is better."
        } else {
            "Service time of successful operations. Both axes logarithmic: each nine more takes the same width. Lower is \
             better."
        };
        let mut frame = Frame::new(self.report, &self.title(), reading);
        for (i, run) in self.runs.iter().enumerate() {
            let (color, mark) = engine_look(i);
            let l = &run.latency_us;
            let figures = [("p50", l.p50), ("p99", l.p99), ("p99.9", l.p999), ("max", l.max)]
                .map(|(name, us)| format!("{name} {}", units::latency(us)));
            frame = frame.legend(color, mark, &run.info.label(), figures.join("  ·  "));
        }
        let service = self.service();
        if let Some((_, l)) = service {
            let figures = format!("p50 {}  ·  p99 {}", units::latency(l.p50), units::latency(l.p99));
            frame = frame.legend(SERVICE, Mark::Dashed, "service time, from the write", figures);
        }
        let rest = frame.draw(canvas, (960.0, 540.0))?;
        let plane = Plane {
            grid: true,
            area: Area {
                left: rest.left + 76.0,
                top: rest.top + 4.0,
                right: rest.right - 24.0,
                bottom: rest.bottom - 52.0,
            },
            x: percentile_axis(self.runs),
            y: latency_axis(self.runs),
        };
        plane.draw(canvas)?;
        if let Some((run, _)) = service {
            let points: Vec<_> = run
                .service_curve
                .iter()
                .map(|p| plane.at(nines(p.percentile, run.ops), p.us))
                .collect();
            draw_series(canvas, &points, SERVICE, Mark::Dashed)?;
        }
        for (i, run) in self.runs.iter().enumerate().rev() {
            let (color, mark) = engine_look(i);
            let points: Vec<_> = run
                .latency_curve
                .iter()
                .map(|p| plane.at(nines(p.percentile, run.ops), p.us))
                .collect();
            draw_series(canvas, &points, color, mark)?;
            for (percentile, us) in marked(run) {
                canvas.disc(plane.at(nines(percentile, run.ops), us), 4.0, color)?;
            }
        }
        Ok(())
    }
}

impl Latency<'_> {
    /// The service time of an open loop, where it would not be taken for another engine's.
    fn service(&self) -> Option<(&EngineRun, &LatencyUs)> {
        match self.runs {
            [run] => Some((run, run.service_us.as_ref()?)),
            _ => None,
        }
    }
}

/// Nines of a percentile: 90 % has one, 99 % two. The slowest operation of n stands where 1 - 1/n does.
fn nines(percentile: f64, ops: u64) -> f64 {
    let remaining = (1.0 - percentile / 100.0).max(1.0 / ops.max(1) as f64);
    -remaining.log10()
}

fn marked(run: &EngineRun) -> [(f64, f64); 4] {
    let l = &run.latency_us;
    [(50.0, l.p50), (99.0, l.p99), (99.9, l.p999), (100.0, l.max)]
}

fn percentile_axis(runs: &[&EngineRun]) -> Axis {
    let end = runs.iter().map(|run| nines(100.0, run.ops)).fold(2.0, f64::max);
    let mut marks = vec![
        (0.0, "0 %".to_owned()),
        (nines(50.0, u64::MAX), "50 %".to_owned()),
    ];
    for n in (1..12).take_while(|n| f64::from(*n) <= end) {
        let label = match n {
            1 => "90 %".to_owned(),
            2 => "99 %".to_owned(),
            more => format!("99.{} %", "9".repeat(more as usize - 2)),
        };
        marks.push((f64::from(n), label));
    }
    Axis {
        title: "percentile (the last point is the slowest operation)".to_owned(),
        marks,
        range: Some((0.0, end)),
        logarithmic: false,
    }
}

fn latency_axis(runs: &[&EngineRun]) -> Axis {
    let seen = runs.iter().filter(|run| run.ops > 0);
    let low = seen
        .clone()
        .map(|run| run.service_us.map_or(run.latency_us.min, |service| service.min))
        .fold(f64::INFINITY, f64::min);
    let high = seen.map(|run| run.latency_us.max).fold(1.0, f64::max);
    let low = if low.is_finite() { low.max(0.1) } else { 1.0 };
    Axis::new("latency", ticks::logarithmic(low, high, 3.5), units::latency_mark).logarithmic()
}
