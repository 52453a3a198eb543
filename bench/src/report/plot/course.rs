//! The course of a round with faults: successes by shard over time, one panel for each engine, with the fault and what
//! came of it marked.

use plotters::prelude::DrawingBackend;

use super::canvas::{Anchor, Area, Canvas, Letters};
use super::frame::{Frame, Mark, cross, draw_series};
use super::plane::{Axis, Plane};
use super::render::Picture;
use super::{color, ticks};
use crate::report::model::{EngineRun, FaultRun, Report, ShardRun};
use crate::report::units;

const WIDTH: f64 = 960.0;
const PANEL: f64 = 230.0;
/// Title, legend and caption.
const AROUND: f64 = 210.0;

/// The first round of each engine.
pub struct Course<'a> {
    pub report: &'a Report,
    pub runs: &'a [&'a EngineRun],
    pub suffix: &'a str,
}

impl Picture for Course<'_> {
    fn stem(&self) -> String {
        format!("course{}", self.suffix)
    }

    fn title(&self) -> String {
        "What clients saw of each shard".to_owned()
    }

    fn size(&self) -> (u32, u32) {
        (WIDTH as u32, (AROUND + PANEL * self.runs.len() as f64) as u32)
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> anyhow::Result<()> {
        let (_, height) = self.size();
        let rest = self.frame().draw(canvas, (WIDTH, f64::from(height)))?;
        let each = (rest.bottom - rest.top - 24.0) / self.runs.len() as f64;
        for (place, run) in self.runs.iter().enumerate() {
            let top = rest.top + 22.0 + each * place as f64;
            let last = place + 1 == self.runs.len();
            let plane = Plane {
                grid: true,
                area: Area {
                    left: rest.left + 76.0,
                    top: top + 20.0,
                    right: rest.right - 12.0,
                    bottom: top + each - 40.0,
                },
                x: self.time_axis(last),
                y: self.rate_axis(),
            };
            plane.draw(canvas)?;
            self.draw_run(canvas, &plane, run)?;
            let name = Letters {
                size: 12.0,
                color: color::INK,
                bold: true,
                anchor: Anchor::Left,
            };
            canvas.text(&run.info.label(), (plane.area.left, top + 2.0), name)?;
        }
        Ok(())
    }
}

impl Course<'_> {
    fn frame(&self) -> Frame {
        let reading = "Successful operations a second by the time of the reply. A gap is an outage; a peak behind it is \
                       what had waited.";
        let mut frame = Frame::new(self.report, &self.title(), reading);
        for (color, mark, name) in [
            (color::series(0), Mark::Line, "shard of the fault"),
            (color::FAINT_INK, Mark::Line, "each other shard"),
            (color::ALARM, Mark::Cross, "time with failed operations"),
        ] {
            frame = frame.legend(color, mark, name, String::new());
        }
        frame
    }

    fn draw_run<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        plane: &Plane,
        run: &EngineRun,
    ) -> anyhow::Result<()> {
        let faults: Vec<&FaultRun> = run.faults.iter().filter(|fault| fault.round == 0).collect();
        let harmed = |shard: &ShardRun| faults.iter().any(|fault| fault.seen.shard == shard.shard);
        let shards = || run.shards.iter().filter(|shard| shard.round == 0);
        for shard in shards().filter(|shard| !harmed(shard)) {
            self.draw_shard(canvas, plane, shard, color::FAINT_INK, 1.2)?;
        }
        for shard in shards().filter(|shard| harmed(shard)) {
            self.draw_shard(canvas, plane, shard, color::series(0), 2.2)?;
        }
        for fault in faults {
            self.draw_marks(canvas, plane, fault)?;
        }
        Ok(())
    }

    fn draw_shard<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        plane: &Plane,
        shard: &ShardRun,
        color: plotters::style::RGBColor,
        width: f64,
    ) -> anyhow::Result<()> {
        let high = self.high();
        let points: Vec<(f64, f64)> = shard
            .ok
            .iter()
            .enumerate()
            .map(|(bin, &ok)| {
                let rate = (ok as f64 / shard.bin_s).min(high);
                plane.at((bin as f64 + 0.5) * shard.bin_s, rate)
            })
            .filter(|(x, _)| *x <= plane.area.right)
            .collect();
        if points.len() > 1 && width > 2.0 {
            draw_series(canvas, &points, color, Mark::Line)?;
        } else if points.len() > 1 {
            canvas.line(&points, color, width)?;
        }
        for (bin, _) in shard.failed.iter().enumerate().filter(|(_, n)| **n > 0) {
            let x = plane.column((bin as f64 + 0.5) * shard.bin_s);
            if x <= plane.area.right {
                cross(canvas, (x, plane.area.bottom - 6.0), color::ALARM)?;
            }
        }
        Ok(())
    }

    /// The fault, the promotion, and when the node came back. Labels stand in rows, since they may be close in time.
    fn draw_marks<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        plane: &Plane,
        fault: &FaultRun,
    ) -> anyhow::Result<()> {
        let seen = &fault.seen;
        let outage = fault.writes.as_ref().or(fault.reads.as_ref());
        let served = outage
            .and_then(|outage| Some((outage.until_s?, outage.seconds()?)))
            .filter(|(_, length)| *length > 0.1);
        let marks = [
            (Some(seen.at_s), format!("{} of shard {}", seen.kind, seen.shard)),
            (
                seen.promoted_s,
                format!("taken over, {}", self.after(seen.promoted_s, seen.at_s)),
            ),
            (
                served.map(|(until_s, _)| until_s),
                format!("served again, {}", self.after(served.map(|s| s.0), seen.at_s)),
            ),
            (seen.ended_s, "node back".to_owned()),
        ];
        let letters = Letters {
            size: 10.0,
            color: color::INK,
            bold: false,
            anchor: Anchor::Left,
        };
        let mut row = 0;
        for (at_s, label) in marks {
            let Some(at_s) = at_s else { continue };
            let x = plane.column(at_s);
            let ends = [(x, plane.area.top), (x, plane.area.bottom)];
            canvas.dashed(&ends, color::AXIS, 1.0, 3.0)?;
            canvas.text(
                &label,
                (x + 5.0, plane.area.top + 8.0 + 13.0 * f64::from(row)),
                letters,
            )?;
            row += 1;
        }
        Ok(())
    }

    fn after(&self, at_s: Option<f64>, fault_s: f64) -> String {
        at_s.map_or_else(String::new, |at_s| {
            format!("{} later", units::latency(((at_s - fault_s) * 1e6).max(0.0)))
        })
    }

    fn end(&self) -> f64 {
        let seconds = |run: &&EngineRun| run.rounds.first().map_or(0.0, |round| round.seconds);
        self.runs.iter().map(seconds).fold(0.001, f64::max)
    }

    /// The top of the axis: above what a shard does in peace, so that a peak after an outage may be cut off by it.
    fn high(&self) -> f64 {
        let calm = |shard: &ShardRun| shard.ops_per_sec_before;
        let shards = self.runs.iter().flat_map(|run| &run.shards);
        shards.map(calm).fold(1.0, f64::max) * 2.2
    }

    fn time_axis(&self, titled: bool) -> Axis {
        let end = self.end();
        let marks = ticks::linear(0.0, end, 10)
            .into_iter()
            .filter(|t| *t <= end * 1.0001)
            .collect();
        let title = if titled { "measured time" } else { "" };
        Axis::new(title, marks, |t| format!("{} s", (t * 100.0).round() / 100.0)).bounded(0.0, end)
    }

    fn rate_axis(&self) -> Axis {
        let high = self.high();
        let marks = ticks::linear(0.0, high, 4)
            .into_iter()
            .filter(|mark| *mark <= high)
            .collect();
        Axis::new("operations a second", marks, units::rate_mark).bounded(0.0, high)
    }
}
