//! Drawing in logical pixels, whatever the backend's resolution.

use std::sync::LazyLock;

use anyhow::anyhow;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, PathElement, Rectangle};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle, register_font,
};

/// In an SVG the viewer picks the first of these it has; in a PNG the embedded font stands under the same name.
const FONT: &str = "DejaVu Sans, Verdana, sans-serif";
/// plotters' backends read the size as line height; this makes a logical pixel of text one of the em square.
const LINE_HEIGHT: f64 = 1.2;

static FONTS_REGISTERED: LazyLock<bool> = LazyLock::new(|| {
    let faces = [
        (FontStyle::Normal, dejavu::sans::regular()),
        (FontStyle::Bold, dejavu::sans::bold()),
    ];
    faces
        .into_iter()
        .all(|(style, bytes)| register_font(FONT, style, bytes).is_ok())
});

/// Where a text's anchor point lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Left,
    Center,
    Right,
}

impl From<Anchor> for HPos {
    fn from(anchor: Anchor) -> Self {
        match anchor {
            Anchor::Left => Self::Left,
            Anchor::Center => Self::Center,
            Anchor::Right => Self::Right,
        }
    }
}

/// A rectangle in logical pixels, y downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub struct Letters {
    /// Height of the em square in logical pixels.
    pub size: f64,
    pub color: RGBColor,
    pub bold: bool,
    pub anchor: Anchor,
}

/// A drawing area with a scale.
pub struct Canvas<DB: DrawingBackend> {
    area: DrawingArea<DB, Shift>,
    scale: f64,
    /// How far text must be lowered, in em squares, so that its middle lies where it is put.
    text_drop: f64,
}

impl<DB: DrawingBackend> Canvas<DB> {
    /// Draws on `area`, `scale` of whose units make a logical pixel. `text_drop` makes up for a backend that puts text
    /// too high, in em squares.
    pub fn new(area: DrawingArea<DB, Shift>, scale: f64, text_drop: f64) -> anyhow::Result<Self> {
        anyhow::ensure!(*FONTS_REGISTERED, "the embedded font is damaged");
        Ok(Self {
            area,
            scale,
            text_drop,
        })
    }

    /// Finishes the picture.
    pub fn present(&self) -> anyhow::Result<()> {
        self.area.present().map_err(|e| anyhow!("{e}"))
    }

    fn at(&self, (x, y): (f64, f64)) -> (i32, i32) {
        ((x * self.scale).round() as i32, (y * self.scale).round() as i32)
    }

    fn stroke(&self, color: impl Color, width: f64) -> ShapeStyle {
        color.stroke_width((width * self.scale).round().max(1.0) as u32)
    }

    pub fn fill(&self, color: RGBColor) -> anyhow::Result<()> {
        self.area.fill(&color).map_err(|e| anyhow!("{e}"))
    }

    pub fn line(&self, points: &[(f64, f64)], color: impl Color, width: f64) -> anyhow::Result<()> {
        let points: Vec<_> = points.iter().map(|p| self.at(*p)).collect();
        self.area
            .draw(&PathElement::new(points, self.stroke(color, width)))
            .map_err(|e| anyhow!("{e}"))
    }

    /// A line of `dash` pixels drawn and `dash` left out.
    pub fn dashed(
        &self,
        points: &[(f64, f64)],
        color: RGBColor,
        width: f64,
        dash: f64,
    ) -> anyhow::Result<()> {
        let mut drawn = 0.0;
        for pair in points.windows(2) {
            let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
            let length = (x1 - x0).hypot(y1 - y0);
            let mut at = 0.0;
            while at < length {
                let phase: f64 = (drawn + at) % (2.0 * dash);
                let end = (at
                    + if phase < dash {
                        dash - phase
                    } else {
                        2.0 * dash - phase
                    })
                .max(at + 0.01);
                if phase < dash {
                    let part = |d: f64| (x0 + (x1 - x0) * d / length, y0 + (y1 - y0) * d / length);
                    self.line(&[part(at), part(end.min(length))], color, width)?;
                }
                at = end;
            }
            drawn += length;
        }
        Ok(())
    }

    pub fn rectangle(&self, area: Area, color: impl Color) -> anyhow::Result<()> {
        let corners = [self.at((area.left, area.top)), self.at((area.right, area.bottom))];
        self.area
            .draw(&Rectangle::new(corners, color.filled()))
            .map_err(|e| anyhow!("{e}"))
    }

    pub fn outline(&self, area: Area, color: RGBColor, width: f64) -> anyhow::Result<()> {
        let Area {
            left,
            top,
            right,
            bottom,
        } = area;
        self.line(
            &[
                (left, top),
                (right, top),
                (right, bottom),
                (left, bottom),
                (left, top),
            ],
            color,
            width,
        )
    }

    pub fn disc(&self, center: (f64, f64), radius: f64, color: RGBColor) -> anyhow::Result<()> {
        let circle = Circle::new(self.at(center), (radius * self.scale) as i32, color.filled());
        self.area.draw(&circle).map_err(|e| anyhow!("{e}"))
    }

    pub fn ring(&self, center: (f64, f64), radius: f64, color: RGBColor, width: f64) -> anyhow::Result<()> {
        let points: Vec<_> = (0..=48)
            .map(|i| f64::from(i) / 48.0 * std::f64::consts::TAU)
            .map(|angle| (center.0 + radius * angle.cos(), center.1 + radius * angle.sin()))
            .collect();
        self.line(&points, color, width)
    }

    fn font(&self, letters: Letters) -> FontDesc<'static> {
        let style = if letters.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        FontDesc::new(
            FontFamily::Name(FONT),
            letters.size * self.scale * LINE_HEIGHT,
            style,
        )
    }

    /// Text whose vertical middle lies at `y`.
    pub fn text(&self, text: &str, (x, y): (f64, f64), letters: Letters) -> anyhow::Result<()> {
        let lowered = y + self.text_drop * letters.size;
        self.turned(text, (x, lowered), letters, FontTransform::None)
    }

    /// Text that reads upwards, centred at the point.
    pub fn upwards(&self, text: &str, at: (f64, f64), letters: Letters) -> anyhow::Result<()> {
        self.turned(text, at, letters, FontTransform::Rotate270)
    }

    fn turned(
        &self,
        text: &str,
        at: (f64, f64),
        letters: Letters,
        turn: FontTransform,
    ) -> anyhow::Result<()> {
        let style = TextStyle::from(self.font(letters).transform(turn))
            .pos(Pos::new(letters.anchor.into(), VPos::Center))
            .color(&letters.color);
        self.area
            .draw_text(text, &style, self.at(at))
            .map_err(|e| anyhow!("{e}"))
    }

    /// Width of a text in logical pixels, by the embedded font.
    pub fn text_width(&self, text: &str, letters: Letters) -> f64 {
        let layout = self.font(letters).layout_box(text);
        layout.map_or(0.0, |((left, _), (right, _))| {
            f64::from(right - left) / self.scale
        })
    }
}
