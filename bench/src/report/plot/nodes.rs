//! Operations by node, and what the node made of them.

use plotters::prelude::DrawingBackend;

use super::canvas::{Anchor, Area, Canvas, Letters};
use super::frame::{Frame, Mark, engine_look};
use super::plane::{Axis, Plane};
use super::render::Picture;
use super::{color, ticks};
use crate::report::model::{EngineRun, NodeRun, Report};
use crate::report::units;

/// More bars than this have no figures above them.
const MOST_FIGURES: usize = 8;

/// Two panels of bars: operations a second and p99, node by node.
pub struct Nodes<'a> {
    pub report: &'a Report,
    pub runs: &'a [&'a EngineRun],
    pub suffix: &'a str,
}

impl Picture for Nodes<'_> {
    fn stem(&self) -> String {
        format!("nodes{}", self.suffix)
    }

    fn title(&self) -> String {
        "Operations and p99 latency by node".to_owned()
    }

    fn size(&self) -> (u32, u32) {
        (960, 500)
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> anyhow::Result<()> {
        let rest = self.frame().draw(canvas, (960.0, 500.0))?;
        let middle = (rest.left + rest.right) / 2.0;
        let left = Area {
            left: rest.left + 76.0,
            top: rest.top + 14.0,
            right: middle - 8.0,
            bottom: rest.bottom - 52.0,
        };
        let right = Area {
            left: middle + 84.0,
            right: rest.right - 4.0,
            ..left
        };
        let rate = |n: &NodeRun| n.ops_per_sec;
        let p99 = |n: &NodeRun| n.latency_us.p99;
        let high = |value: fn(&NodeRun) -> f64| self.nodes().map(value).fold(0.001, f64::max) * 1.12;
        let rates = Plane {
            grid: true,
            area: left,
            x: self.node_axis(),
            y: Axis::new(
                "operations a second",
                ticks::linear(0.0, high(rate), 5),
                units::rate_mark,
            ),
        };
        let tails = Plane {
            grid: true,
            area: right,
            x: self.node_axis(),
            y: Axis::new(
                "p99 latency",
                ticks::linear(0.0, high(p99), 5),
                units::latency_mark,
            ),
        };
        self.draw_bars(canvas, &rates, rate, |run, n| {
            units::share(n.ops as f64 / run.ops.max(1) as f64)
        })?;
        self.draw_bars(canvas, &tails, p99, |_, n| units::latency(n.latency_us.p99))
    }
}

impl Nodes<'_> {
    fn frame(&self) -> Frame {
        let reading =
            "Left: operations answered a second, with their share. Right: 99th percentile, lower is better.";
        let mut frame = Frame::new(self.report, &self.title(), reading);
        for (i, run) in self.runs.iter().enumerate() {
            let figures = format!("{}/s in all", units::rate(run.ops_per_sec));
            frame = frame.legend(engine_look(i).0, Mark::Box, &run.info.label(), figures);
        }
        frame
    }

    fn nodes(&self) -> impl Iterator<Item = &NodeRun> {
        self.runs.iter().flat_map(|run| &run.nodes)
    }

    fn most_nodes(&self) -> usize {
        self.runs
            .iter()
            .map(|run| run.nodes.len())
            .max()
            .unwrap_or(0)
            .max(1)
    }

    /// Addresses where there is room for them and both engines have the same, numbers otherwise.
    fn node_axis(&self) -> Axis {
        let count = self.most_nodes();
        let [first, others @ ..] = self.runs else {
            return Axis::new("node", vec![0.0, 1.0], |_| String::new());
        };
        let same = others.iter().all(|run| {
            run.nodes.len() == first.nodes.len()
                && run.nodes.iter().zip(&first.nodes).all(|(a, b)| a.addr == b.addr)
        });
        let named = same && first.nodes.len() <= 3 && first.nodes.iter().all(|n| n.addr.len() <= 16);
        let label = |i: f64| match first.nodes.get(i as usize) {
            Some(node) if named => node.addr.clone(),
            _ => format!("{}", i as usize + 1),
        };
        let marks = (0..count).map(|i| (i as f64 + 0.5, label(i as f64))).collect();
        Axis {
            title: "node".to_owned(),
            marks,
            range: Some((0.0, count as f64)),
            logarithmic: false,
        }
    }

    fn draw_bars<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        plane: &Plane,
        value: fn(&NodeRun) -> f64,
        figure: fn(&EngineRun, &NodeRun) -> String,
    ) -> anyhow::Result<()> {
        plane.draw(canvas)?;
        let slot = plane.area.width() / self.most_nodes() as f64;
        let width = (0.72 * slot / self.runs.len().max(1) as f64).min(64.0);
        let letters = Letters {
            size: 10.5,
            color: color::INK,
            bold: false,
            anchor: Anchor::Center,
        };
        for (i, run) in self.runs.iter().enumerate() {
            for (n, node) in run.nodes.iter().enumerate() {
                let center = plane.area.left + (n as f64 + 0.5) * slot;
                let left = center + (i as f64 - self.runs.len() as f64 / 2.0) * width;
                let top = plane.row(value(node));
                let bar = Area {
                    left: left + 1.0,
                    top,
                    right: left + width - 1.0,
                    bottom: plane.area.bottom,
                };
                canvas.rectangle(bar, engine_look(i).0)?;
                if run.nodes.len() * self.runs.len() <= MOST_FIGURES {
                    canvas.text(&figure(run, node), (left + width / 2.0, top - 8.0), letters)?;
                }
            }
        }
        Ok(())
    }
}
