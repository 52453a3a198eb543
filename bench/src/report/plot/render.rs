//! From pictures to files.

use std::fs;
use std::path::Path;

use anyhow::Context;
use plotters::prelude::{BitMapBackend, DrawingBackend, IntoDrawingArea, SVGBackend};
use serde::Serialize;

use super::canvas::Canvas;
use super::course::Course;
use super::latency::Latency;
use super::nodes::Nodes;
use super::slots::Slots;
use super::sweep::Sweep;
use super::timeline::Timeline;
use crate::report::model::{EngineRun, Report};

/// SVG units to a logical pixel.
pub const SVG_SCALE: f64 = 4.0;
/// PNG pixels to a logical pixel: sharp on a screen of twice the usual density.
const PNG_SCALE: u32 = 2;
/// The PNG is drawn this many times larger and averaged down, since plotters does not smooth thick lines.
const OVERSAMPLING: u32 = 2;
/// plotters centres the line in a PNG but the letters in an SVG.
const PNG_TEXT_DROP: f64 = 0.2;

/// What is drawn; sizes in logical pixels.
pub trait Picture {
    /// File name without extension.
    fn stem(&self) -> String;
    fn title(&self) -> String;
    fn size(&self) -> (u32, u32);
    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> anyhow::Result<()>;
    /// Like `draw`, but may leave a part to text that is put between background and drawing.
    fn svg<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> anyhow::Result<Option<String>> {
        self.draw(canvas).map(|()| None)
    }
}

/// A picture for inlining into HTML.
#[derive(Debug, Clone, Serialize)]
pub struct Rendered {
    pub stem: String,
    pub title: String,
    pub svg: String,
}

/// Draws every picture of the report into `folder` as SVG and PNG.
pub fn draw_all(report: &Report, folder: &Path) -> anyhow::Result<Vec<Rendered>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut rendered = Vec::new();
    let steps = by_step(report);
    let is_sweep = report.engines.iter().any(|run| run.info.step.is_some());
    if is_sweep {
        rendered.push(render(
            &Sweep {
                report,
                engines: by_engine(report),
            },
            folder,
        )?);
    }
    // Of a search only the answers have pictures of their own.
    let of_interest = |runs: &&Vec<&EngineRun>| {
        let search = report.find_max.as_ref();
        search.is_none_or(|search| runs.iter().any(|run| search.is_answer(run)))
    };
    for (i, runs) in steps.iter().filter(of_interest).enumerate() {
        let step = runs.first().and_then(|run| run.info.step.as_ref());
        let suffix = step
            .map(|s| format!("-{}-{}", s.parameter, s.value))
            .unwrap_or_default();
        if runs.iter().any(|run| !run.shards.is_empty()) {
            rendered.push(render(
                &Course {
                    report,
                    runs,
                    suffix: &suffix,
                },
                folder,
            )?);
        }
        rendered.push(render(
            &Latency {
                report,
                runs,
                suffix: &suffix,
            },
            folder,
        )?);
        rendered.push(render(
            &Timeline {
                report,
                runs,
                suffix: &suffix,
            },
            folder,
        )?);
        // Every step of a sweep asks for the same keys: one map of them is enough.
        if i == 0 {
            for run in runs.iter().filter(|run| !run.slots.is_empty()) {
                let engine = if runs.len() > 1 {
                    format!("-{}", run.info.file_stem())
                } else {
                    suffix.clone()
                };
                rendered.push(render(
                    &Slots {
                        report,
                        run,
                        suffix: engine,
                    },
                    folder,
                )?);
            }
            rendered.push(render(
                &Nodes {
                    report,
                    runs,
                    suffix: &suffix,
                },
                folder,
            )?);
        }
    }
    Ok(rendered)
}

fn by_step(report: &Report) -> Vec<Vec<&EngineRun>> {
    grouped(report, |a, b| a.info.step == b.info.step)
}

fn by_engine(report: &Report) -> Vec<Vec<&EngineRun>> {
    grouped(report, |a, b| a.info.name() == b.info.name())
}

fn grouped(report: &Report, same: impl Fn(&EngineRun, &EngineRun) -> bool) -> Vec<Vec<&EngineRun>> {
    let mut groups: Vec<Vec<&EngineRun>> = Vec::new();
    for run in &report.engines {
        match groups.iter_mut().find(|group| same(group[0], run)) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    groups
}

fn render<P: Picture>(picture: &P, folder: &Path) -> anyhow::Result<Rendered> {
    let stem = picture.stem();
    let draw = || -> anyhow::Result<String> {
        let svg = draw_svg(picture)?;
        fs::write(folder.join(format!("{stem}.svg")), &svg)?;
        draw_png(picture, &folder.join(format!("{stem}.png")))?;
        Ok(svg)
    };
    let svg = draw().with_context(|| format!("cannot draw {stem} into {}", folder.display()))?;
    Ok(Rendered {
        stem,
        title: picture.title(),
        svg,
    })
}

fn draw_svg<P: Picture>(picture: &P) -> anyhow::Result<String> {
    let (width, height) = picture.size();
    let scaled = |length: u32| length * SVG_SCALE as u32;
    let mut svg = String::new();
    let background = {
        let area = SVGBackend::with_string(&mut svg, (scaled(width), scaled(height))).into_drawing_area();
        let canvas = Canvas::new(area, SVG_SCALE, 0.0)?;
        let background = picture.svg(&canvas)?;
        canvas.present()?;
        background
    };
    // The first element is the paper; what the picture left out comes right over it.
    if let (Some(background), Some(paper)) = (background, svg.find("/>\n")) {
        svg.insert_str(paper + 3, &background);
    }
    let large = format!(
        "width=\"{}\" height=\"{}\" viewBox",
        scaled(width),
        scaled(height)
    );
    let described = format!(
        "role=\"img\" aria-label=\"{}\" width=\"{width}\" height=\"{height}\" viewBox",
        escaped(&picture.title())
    );
    Ok(svg.replacen(&large, &described, 1))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

fn draw_png<P: Picture>(picture: &P, path: &Path) -> anyhow::Result<()> {
    let (width, height) = picture.size();
    let (width, height) = (width * PNG_SCALE, height * PNG_SCALE);
    let large = (width * OVERSAMPLING, height * OVERSAMPLING);
    let mut pixels = vec![0u8; (large.0 * large.1 * 3) as usize];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, large).into_drawing_area();
        let canvas = Canvas::new(area, f64::from(PNG_SCALE * OVERSAMPLING), PNG_TEXT_DROP)?;
        picture.draw(&canvas)?;
        canvas.present()?;
    }
    let small = averaged(&pixels, large);
    let mut file = BitMapBackend::new(path, (width, height));
    file.blit_bitmap((0, 0), (width, height), &small)
        .context("cannot copy the picture")?;
    file.present().context("cannot encode the picture")?;
    Ok(())
}

/// Each pixel the mean of a square of OVERSAMPLING pixels' side.
fn averaged(pixels: &[u8], (width, height): (u32, u32)) -> Vec<u8> {
    let side = OVERSAMPLING as usize;
    let (width, height) = (width as usize, height as usize);
    let mut small = Vec::with_capacity(pixels.len() / (side * side));
    for y in (0..height).step_by(side) {
        for x in (0..width).step_by(side) {
            for channel in 0..3 {
                let sum: u32 = (0..side * side)
                    .map(|i| u32::from(pixels[((y + i / side) * width + x + i % side) * 3 + channel]))
                    .sum();
                small.push((sum / (side * side) as u32) as u8);
            }
        }
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::{EngineInfo, RunEnd};
    use crate::report::sample;

    fn drawn(report: &Report) -> Vec<Rendered> {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let pictures = draw_all(report, folder.path()).expect("drawn");
        for picture in &pictures {
            let svg =
                fs::read_to_string(folder.path().join(format!("{}.svg", picture.stem))).expect("written");
            assert_eq!(svg, picture.svg);
            let png = fs::read(folder.path().join(format!("{}.png", picture.stem))).expect("written");
            assert!(png.starts_with(b"\x89PNG\r\n"), "{}", picture.stem);
        }
        pictures
    }

    fn stems(pictures: &[Rendered]) -> Vec<&str> {
        pictures.iter().map(|p| p.stem.as_str()).collect()
    }

    #[test]
    fn each_picture_explains_itself() {
        let report = sample::comparison();
        let pictures = drawn(&report);
        assert_eq!(
            stems(&pictures),
            ["latency", "timeline", "slots-slotmark", "slots-redis", "nodes"]
        );
        let units = [
            ("latency", "99.99 %"),
            ("timeline", "operations a second"),
            ("nodes", "p99 latency"),
        ];
        for (stem, unit) in units {
            let picture = pictures.iter().find(|p| p.stem == stem).expect("drawn");
            for expected in [unit, "slotmark 0.1.0", "redis 7.0.15", " ms"] {
                assert!(picture.svg.contains(expected), "{stem}: {expected}");
            }
        }
        for picture in &pictures {
            assert!(picture.svg.contains(&picture.title), "{}", picture.stem);
            assert!(
                picture.svg.contains(&report.workload.stream_hash),
                "the caption of {}",
                picture.stem
            );
            assert!(
                !picture.svg.contains("NaN") && !picture.svg.contains("inf"),
                "{}",
                picture.stem
            );
        }
    }

    #[test]
    fn the_map_shows_every_slot_and_names_the_hot_one() {
        let pictures = drawn(&sample::clean());
        let map = &pictures.iter().find(|p| p.stem == "slots").expect("drawn").svg;
        assert!(map.contains("slot 12182: 30."), "the hot slot is named");
        let strokes = map.lines().filter(|line| line.starts_with("<path stroke="));
        let lengths = strokes
            .flat_map(|line| line.split(['h', 'M', '"']))
            .filter_map(|part| part.parse::<usize>().ok());
        assert_eq!(lengths.sum::<usize>(), slotcore::slot::SLOT_COUNT);
    }

    #[test]
    fn a_run_in_which_nothing_was_measured_is_drawn_too() {
        let info = EngineInfo {
            engine: "redis".to_owned(),
            version: String::new(),
            step: None,
        };
        let mut report = sample::clean();
        report.engines = vec![EngineRun::from_outcomes(info, &[], &[])];
        report.ended = RunEnd::TargetLost {
            reason: "connection refused".to_owned(),
        };
        assert_eq!(stems(&drawn(&report)), ["latency", "timeline", "nodes"]);
    }
}
