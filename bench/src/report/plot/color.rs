//! Colours that the colour-blind can tell apart and a printer does not lose.

use plotters::style::RGBColor;

pub const PAPER: RGBColor = RGBColor(255, 255, 255);
pub const INK: RGBColor = RGBColor(33, 37, 41);
pub const FAINT_INK: RGBColor = RGBColor(100, 107, 115);
pub const GRID: RGBColor = RGBColor(228, 231, 235);
pub const AXIS: RGBColor = RGBColor(140, 147, 155);
/// Of a slot without operations.
pub const NOTHING: RGBColor = RGBColor(232, 234, 237);
pub const ALARM: RGBColor = RGBColor(200, 16, 46);

/// Okabe and Ito's palette without its yellow, which is lost on white. The first two differ most, in hue and lightness:
/// they are the two engines of a comparison.
const SERIES: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// Colour of the `i`-th series.
pub fn series(i: usize) -> RGBColor {
    SERIES[i % SERIES.len()]
}

/// From dark (0) to bright (1), lightness ascending evenly, so that it also works in grey.
pub fn heat(position: f64) -> RGBColor {
    const ANCHORS: [(f64, f64, f64); 7] = [
        (13.0, 8.0, 40.0),
        (66.0, 15.0, 104.0),
        (124.0, 31.0, 109.0),
        (184.0, 55.0, 83.0),
        (229.0, 92.0, 48.0),
        (249.0, 150.0, 24.0),
        (252.0, 243.0, 140.0),
    ];
    let at = position.clamp(0.0, 1.0) * (ANCHORS.len() - 1) as f64;
    let low = (at as usize).min(ANCHORS.len() - 2);
    let (a, b) = (ANCHORS[low], ANCHORS[low + 1]);
    let mix = |a: f64, b: f64| (a + (b - a) * (at - low as f64)).round() as u8;
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}
