//! What every picture has around it: title, one line on how to read it, legend, and the run's parameters.

use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::canvas::{Anchor, Area, Canvas, Letters};
use super::color;
use crate::report::model::Report;
use crate::report::text::parameters;

/// Distance of everything from the picture's edge.
pub const MARGIN: f64 = 24.0;
const LEGEND_TOP: f64 = 74.0;
const LEGEND_ROW: f64 = 20.0;
const CAPTION_ROW: f64 = 15.0;
const LETTERS: Letters = Letters {
    size: 12.0,
    color: color::INK,
    bold: false,
    anchor: Anchor::Left,
};

/// The sign of a series in the legend and the way its line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Line,
    /// Tells the second engine from the first also without colour.
    Dashed,
    Box,
    Cross,
}

/// One row of the legend.
pub struct LegendRow {
    pub color: RGBColor,
    pub mark: Mark,
    pub name: String,
    /// Figures that spare the reader the axis.
    pub figures: String,
}

/// Title, reading aid, legend and caption.
pub struct Frame {
    pub title: String,
    /// What is shown and which way is better.
    pub reading: String,
    pub legend: Vec<LegendRow>,
    pub caption: [String; 2],
}

impl Frame {
    /// A frame whose caption tells the run.
    pub fn new(report: &Report, title: &str, reading: &str) -> Self {
        Self {
            title: title.to_owned(),
            reading: reading.to_owned(),
            legend: Vec::new(),
            caption: [
                format!("{}: {}", report.workload.name, parameters(report)),
                machine(report),
            ],
        }
    }

    pub fn legend(mut self, color: RGBColor, mark: Mark, name: &str, figures: String) -> Self {
        self.legend.push(LegendRow {
            color,
            mark,
            name: name.to_owned(),
            figures,
        });
        self
    }

    /// Draws the frame and returns what is left for the picture.
    pub fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>, (w, h): (f64, f64)) -> anyhow::Result<Area> {
        canvas.fill(color::PAPER)?;
        canvas.text(
            &self.title,
            (MARGIN, 28.0),
            Letters {
                size: 18.0,
                bold: true,
                ..LETTERS
            },
        )?;
        let faint = Letters {
            color: color::FAINT_INK,
            ..LETTERS
        };
        canvas.text(&self.reading, (MARGIN, 51.0), faint)?;
        let names = self.legend.iter().map(|row| canvas.text_width(&row.name, bold()));
        let figures_left = MARGIN + 36.0 + names.fold(0.0, f64::max) + 18.0;
        for (i, row) in self.legend.iter().enumerate() {
            let y = LEGEND_TOP + i as f64 * LEGEND_ROW;
            draw_mark(canvas, row, y)?;
            canvas.text(&row.name, (MARGIN + 36.0, y), bold())?;
            canvas.text(&row.figures, (figures_left, y), LETTERS)?;
        }
        let small = Letters { size: 10.0, ..faint };
        // A long machine description must not run out of a narrow picture.
        let widest = self
            .caption
            .iter()
            .map(|line| canvas.text_width(line, small))
            .fold(1.0, f64::max);
        let small = Letters {
            size: small.size * ((w - 2.0 * MARGIN) / widest).min(1.0),
            ..small
        };
        for (i, line) in self.caption.iter().rev().enumerate() {
            canvas.text(line, (MARGIN, h - 14.0 - i as f64 * CAPTION_ROW), small)?;
        }
        Ok(Area {
            left: MARGIN,
            top: LEGEND_TOP + self.legend.len() as f64 * LEGEND_ROW,
            right: w - MARGIN,
            bottom: h - 14.0 - 2.0 * CAPTION_ROW,
        })
    }
}

fn bold() -> Letters {
    Letters {
        bold: true,
        ..LETTERS
    }
}

fn draw_mark<DB: DrawingBackend>(canvas: &Canvas<DB>, row: &LegendRow, y: f64) -> anyhow::Result<()> {
    let ends = [(MARGIN, y), (MARGIN + 26.0, y)];
    match row.mark {
        Mark::Line => canvas.line(&ends, row.color, 3.0),
        Mark::Dashed => canvas.dashed(&ends, row.color, 3.0, 6.0),
        Mark::Box => {
            let area = Area {
                left: MARGIN + 8.0,
                top: y - 6.0,
                right: MARGIN + 20.0,
                bottom: y + 6.0,
            };
            canvas.rectangle(area, row.color)
        }
        Mark::Cross => cross(canvas, (MARGIN + 13.0, y), row.color),
    }
}

/// A small x.
pub fn cross<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    (x, y): (f64, f64),
    color: RGBColor,
) -> anyhow::Result<()> {
    canvas.line(&[(x - 4.0, y - 4.0), (x + 4.0, y + 4.0)], color, 2.0)?;
    canvas.line(&[(x - 4.0, y + 4.0), (x + 4.0, y - 4.0)], color, 2.0)
}

/// Draws a series' line the way its mark says.
pub fn draw_series<DB: DrawingBackend>(
    canvas: &Canvas<DB>,
    points: &[(f64, f64)],
    color: RGBColor,
    mark: Mark,
) -> anyhow::Result<()> {
    match mark {
        Mark::Dashed => canvas.dashed(points, color, 2.2, 6.0),
        _ => canvas.line(points, color, 2.2),
    }
}

/// Line and colour of the `i`-th engine of a picture.
pub fn engine_look(i: usize) -> (RGBColor, Mark) {
    (color::series(i), if i == 0 { Mark::Line } else { Mark::Dashed })
}

fn machine(report: &Report) -> String {
    let e = &report.environment;
    let cores = if e.cores == 1 {
        "1 core".to_owned()
    } else {
        format!("{} cores", e.cores)
    };
    format!(
        "{}, {cores}, {}, {}; loadgen {} ({}, {} build); {}",
        e.cpu, e.os, e.kernel, e.loadgen_version, e.commit, e.build_profile, report.started_utc
    )
}
