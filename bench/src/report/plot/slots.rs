//! Operations by slot: all 16384 as a square, so that a hot one is seen at once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;
use slotcore::slot::SLOT_COUNT;

use super::canvas::{Anchor, Area, Canvas, Letters};
use super::color;
use super::frame::{Frame, Mark};
use super::plane::{Axis, Plane};
use super::render::{Picture, SVG_SCALE};
use crate::report::hot::{HotSlot, hottest_slots};
use crate::report::model::{EngineRun, Report};
use crate::report::units;

/// Slots in a row.
const SIDE: usize = 128;
const CELL: f64 = 5.0;
const MOST_HOT: usize = 5;
/// Colours are rounded to this many, which keeps the SVG small.
const COLORS: usize = 48;
const WIDTH: f64 = 860.0;

/// One engine's slots.
pub struct Slots<'a> {
    pub report: &'a Report,
    pub run: &'a EngineRun,
    pub suffix: String,
}

impl Picture for Slots<'_> {
    fn stem(&self) -> String {
        format!("slots{}", self.suffix)
    }

    fn title(&self) -> String {
        format!("Operations by slot, {}", self.run.info.label())
    }

    fn size(&self) -> (u32, u32) {
        (WIDTH as u32, 860)
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> anyhow::Result<()> {
        self.draw_around(canvas, true)
    }

    /// plotters would write each of the 16384 cells as an element of its own; one path a colour is a tenth of that.
    fn svg<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> anyhow::Result<Option<String>> {
        self.draw_around(canvas, false)?;
        Ok(Some(self.cells_as_paths()))
    }
}

impl Slots<'_> {
    fn plane(&self) -> Plane {
        let marks = || (0..=SIDE).step_by(16).map(|v| v as f64).collect::<Vec<_>>();
        let area = Area {
            left: 96.0,
            top: 112.0,
            right: 96.0 + SIDE as f64 * CELL,
            bottom: 112.0 + SIDE as f64 * CELL,
        };
        Plane {
            grid: false,
            area,
            x: Axis::new("column: slot modulo 128", marks(), |v| format!("{v}")),
            // Rows run downwards, as one reads.
            y: Axis::new("row: slot / 128   (slot = row x 128 + column)", marks(), |v| {
                format!("{}", 128.0 - v)
            }),
        }
    }

    fn draw_around<DB: DrawingBackend>(&self, canvas: &Canvas<DB>, cells: bool) -> anyhow::Result<()> {
        let hot = hottest_slots(self.run, MOST_HOT);
        let scale = Scale::of(self.run);
        let touched = self.run.slots.len();
        let reading = "A square is a slot; the brighter, the more operations. The scale is logarithmic.";
        let mut frame = Frame::new(self.report, &self.title(), reading);
        frame = frame.legend(
            scale.color(scale.median),
            Mark::Box,
            "median slot",
            format!(
                "{} operations, {} of {} slots were used",
                units::count(scale.median),
                units::count(touched as u64),
                units::count(SLOT_COUNT as u64)
            ),
        );
        frame.draw(canvas, (WIDTH, 860.0))?;
        let plane = self.plane();
        plane.draw(canvas)?;
        if cells {
            self.draw_cells(canvas, &plane, &scale)?;
        }
        scale.draw(canvas, &plane.area)?;
        Self::draw_hot(canvas, &plane.area, &hot)
    }

    fn ops_by_slot(&self) -> Vec<u64> {
        let mut ops = vec![0; SLOT_COUNT];
        for s in &self.run.slots {
            if let Some(count) = ops.get_mut(usize::from(s.slot)) {
                *count = s.ops;
            }
        }
        ops
    }

    fn draw_cells<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        plane: &Plane,
        scale: &Scale,
    ) -> anyhow::Result<()> {
        for (slot, ops) in self.ops_by_slot().into_iter().enumerate() {
            canvas.rectangle(cell(&plane.area, slot), scale.color(ops))?;
        }
        Ok(())
    }

    /// Horizontal strokes, runs of the same colour joined, in the SVG's own units.
    fn cells_as_paths(&self) -> String {
        let (area, scale) = (self.plane().area, Scale::of(self.run));
        let mut strokes: BTreeMap<(u8, u8, u8), String> = BTreeMap::new();
        let ops = self.ops_by_slot();
        for (row, cells) in ops.chunks(SIDE).enumerate() {
            let mut column = 0;
            while column < SIDE {
                let RGBColor(r, g, b) = scale.color(cells[column]);
                let same = cells[column..]
                    .iter()
                    .take_while(|ops| scale.color(**ops) == RGBColor(r, g, b))
                    .count();
                let path = strokes.entry((r, g, b)).or_default();
                // Writing to a String cannot fail.
                let _ = write!(path, "M{column} {row}.5h{same}");
                column += same;
            }
        }
        // Crisp edges, and the median's colour beneath: smoothed edges would draw a light net over the map.
        let RGBColor(r, g, b) = scale.color(scale.median);
        let mut svg = format!(
            "<g transform=\"translate({} {}) scale({})\" fill=\"none\" stroke-width=\"1.02\" \
             shape-rendering=\"crispEdges\">\n\
             <rect width=\"{SIDE}\" height=\"{SIDE}\" fill=\"#{r:02X}{g:02X}{b:02X}\"/>\n",
            area.left * SVG_SCALE,
            area.top * SVG_SCALE,
            CELL * SVG_SCALE
        );
        for ((r, g, b), path) in strokes {
            let _ = writeln!(svg, "<path stroke=\"#{r:02X}{g:02X}{b:02X}\" d=\"{path}\"/>");
        }
        svg + "</g>\n"
    }

    /// A ring around each hot slot, and a label beside it that does not cover another.
    fn draw_hot<DB: DrawingBackend>(canvas: &Canvas<DB>, area: &Area, hot: &[HotSlot]) -> anyhow::Result<()> {
        let letters = Letters {
            size: 12.0,
            color: color::INK,
            bold: true,
            anchor: Anchor::Left,
        };
        let mut taken: Vec<Area> = Vec::new();
        for h in hot {
            let cell = cell(area, usize::from(h.slot));
            let (x, y) = ((cell.left + cell.right) / 2.0, (cell.top + cell.bottom) / 2.0);
            canvas.ring((x, y), 11.0, color::PAPER, 4.0)?;
            canvas.ring((x, y), 11.0, color::INK, 1.5)?;
            let text = format!(
                "slot {}: {}, {} ops",
                h.slot,
                units::share(h.share),
                units::count(h.ops)
            );
            let width = canvas.text_width(&text, letters) + 14.0;
            let left = if x < (area.left + area.right) / 2.0 {
                x + 18.0
            } else {
                x - 18.0 - width
            };
            let mut label = Area {
                left,
                top: y - 11.0,
                right: left + width,
                bottom: y + 11.0,
            };
            label = shifted_within(label, area);
            while let Some(other) = taken.iter().find(|t| overlap(t, &label)) {
                label = Area {
                    top: other.bottom + 2.0,
                    bottom: other.bottom + 24.0,
                    ..label
                };
            }
            canvas.rectangle(label, color::PAPER)?;
            canvas.outline(label, color::INK, 1.0)?;
            canvas.text(
                &text,
                (label.left + 7.0, (label.top + label.bottom) / 2.0),
                letters,
            )?;
            taken.push(label);
        }
        Ok(())
    }
}

fn cell(area: &Area, slot: usize) -> Area {
    let left = area.left + (slot % SIDE) as f64 * CELL;
    let top = area.top + (slot / SIDE) as f64 * CELL;
    Area {
        left,
        top,
        right: left + CELL,
        bottom: top + CELL,
    }
}

fn shifted_within(label: Area, area: &Area) -> Area {
    let by = (area.top + 2.0 - label.top).max(0.0) - (label.bottom - area.bottom + 2.0).max(0.0);
    Area {
        top: label.top + by,
        bottom: label.bottom + by,
        ..label
    }
}

fn overlap(a: &Area, b: &Area) -> bool {
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

/// From operations to colour.
struct Scale {
    low: f64,
    high: f64,
    median: u64,
}

impl Scale {
    /// At least a decade to both sides of the median: the scatter of counting then stays within a few shades, and
    /// what stands out does so.
    fn of(run: &EngineRun) -> Self {
        let mut ops: Vec<u64> = run.slots.iter().map(|s| s.ops).collect();
        ops.sort_unstable();
        let median = ops.get(ops.len() / 2).copied().unwrap_or(0);
        let typical = median.max(1) as f64;
        let most = ops.last().map_or(1.0, |v| *v as f64);
        Self {
            low: typical / 10.0,
            high: most.max(10.0 * typical),
            median,
        }
    }

    fn position(&self, ops: f64) -> f64 {
        (ops / self.low).log10() / (self.high / self.low).log10()
    }

    fn color(&self, ops: u64) -> RGBColor {
        if ops == 0 {
            return color::NOTHING;
        }
        color::heat((self.position(ops as f64) * COLORS as f64).round() / COLORS as f64)
    }

    /// The legend: a bar of colours to the right, decades beside it.
    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>, area: &Area) -> anyhow::Result<()> {
        let bar = Area {
            left: area.right + 24.0,
            top: area.top + 24.0,
            right: area.right + 44.0,
            bottom: area.top + 404.0,
        };
        let letters = Letters {
            size: 11.0,
            color: color::INK,
            bold: false,
            anchor: Anchor::Left,
        };
        canvas.text("operations", (bar.left, area.top + 6.0), letters)?;
        for i in 0..COLORS {
            let (from, to) = (i as f64 / COLORS as f64, (i + 1) as f64 / COLORS as f64);
            let y = |position: f64| bar.bottom - position * bar.height();
            let step = Area {
                top: y(to),
                bottom: y(from) + 0.5,
                ..bar
            };
            canvas.rectangle(step, color::heat((from + to) / 2.0))?;
        }
        for exponent in self.low.log10().ceil() as i32..=self.high.log10().floor() as i32 {
            let value = 10f64.powi(exponent);
            let y = bar.bottom - self.position(value) * bar.height();
            canvas.line(&[(bar.right, y), (bar.right + 4.0, y)], color::AXIS, 1.0)?;
            canvas.text(&units::rate_mark(value), (bar.right + 8.0, y), letters)?;
        }
        let none = Area {
            top: bar.bottom + 16.0,
            bottom: bar.bottom + 32.0,
            ..bar
        };
        canvas.rectangle(none, color::NOTHING)?;
        canvas.outline(none, color::AXIS, 1.0)?;
        canvas.text("none", (bar.right + 8.0, bar.bottom + 24.0), letters)
    }
}
