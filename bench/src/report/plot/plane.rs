//! Axes, and the way from figures to pixels.

use plotters::prelude::DrawingBackend;

use super::canvas::{Anchor, Area, Canvas, Letters};
use super::color;

const LABEL: Letters = Letters {
    size: 11.5,
    color: color::FAINT_INK,
    bold: false,
    anchor: Anchor::Center,
};
const TITLE: Letters = Letters {
    size: 12.5,
    color: color::INK,
    bold: false,
    anchor: Anchor::Center,
};

/// From an axis to its title: the widest label ("500 µs") and some air. The same for all, so that panels line up.
const Y_TITLE_DISTANCE: f64 = 62.0;

/// One axis: its marks, and whether distances are those of logarithms.
pub struct Axis {
    pub title: String,
    /// Value and label of each mark; the first and the last bound the axis unless `range` does.
    pub marks: Vec<(f64, String)>,
    pub range: Option<(f64, f64)>,
    pub logarithmic: bool,
}

impl Axis {
    /// An axis from its first to its last mark.
    pub fn new(title: &str, marks: Vec<f64>, label: impl Fn(f64) -> String) -> Self {
        let marks = marks.into_iter().map(|m| (m, label(m))).collect();
        Self {
            title: title.to_owned(),
            marks,
            range: None,
            logarithmic: false,
        }
    }

    pub fn logarithmic(mut self) -> Self {
        self.logarithmic = true;
        self
    }

    pub fn bounded(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    fn bounds(&self) -> (f64, f64) {
        let ends = || {
            (
                self.marks.first().map_or(0.0, |m| m.0),
                self.marks.last().map_or(1.0, |m| m.0),
            )
        };
        let (low, high) = self.range.unwrap_or_else(ends);
        (self.warp(low), self.warp(high))
    }

    fn warp(&self, value: f64) -> f64 {
        if self.logarithmic {
            value.max(1e-9).log10()
        } else {
            value
        }
    }

    /// 0 at the axis' beginning, 1 at its end, clamped.
    fn position(&self, value: f64) -> f64 {
        let (low, high) = self.bounds();
        if high > low {
            ((self.warp(value) - low) / (high - low)).clamp(0.0, 1.0)
        } else {
            0.5
        }
    }
}

/// A pair of axes on an area (of the plot itself; labels stand outside).
pub struct Plane {
    pub area: Area,
    pub x: Axis,
    pub y: Axis,
    /// Lines across at each mark; not where a picture fills the plane.
    pub grid: bool,
}

impl Plane {
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.column(x), self.row(y))
    }

    pub fn column(&self, x: f64) -> f64 {
        self.area.left + self.x.position(x) * self.area.width()
    }

    pub fn row(&self, y: f64) -> f64 {
        self.area.bottom - self.y.position(y) * self.area.height()
    }

    /// Draws grid, marks and titles; what is drawn afterwards lies over them.
    pub fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> anyhow::Result<()> {
        let Area {
            left,
            top,
            right,
            bottom,
        } = self.area;
        let right_aligned = Letters {
            anchor: Anchor::Right,
            ..LABEL
        };
        for (value, label) in &self.y.marks {
            let y = self.row(*value);
            if self.grid {
                canvas.line(&[(left, y), (right, y)], color::GRID, 1.0)?;
            }
            canvas.text(label, (left - 8.0, y), right_aligned)?;
        }
        let mut free_from = f64::MIN;
        for (value, label) in &self.x.marks {
            let x = self.column(*value);
            if self.grid {
                canvas.line(&[(x, top), (x, bottom)], color::GRID, 1.0)?;
            }
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], color::AXIS, 1.0)?;
            let half = canvas.text_width(label, LABEL) / 2.0;
            if x - half >= free_from {
                canvas.text(label, (x, bottom + 15.0), LABEL)?;
                free_from = x + half + 6.0;
            }
        }
        canvas.line(&[(left, bottom), (right, bottom)], color::AXIS, 1.2)?;
        canvas.text(&self.x.title, ((left + right) / 2.0, bottom + 35.0), TITLE)?;
        canvas.upwards(
            &self.y.title,
            (left - Y_TITLE_DISTANCE, (top + bottom) / 2.0),
            TITLE,
        )
    }
}
