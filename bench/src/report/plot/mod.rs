//! Pictures of a run, each as SVG and PNG.
//!
//! Everything is drawn in logical pixels on a [`canvas::Canvas`], which scales to the backend: four units a pixel in
//! SVG, since plotters' coordinates are whole numbers, and a multiple of the final size in PNG. `frame` puts title,
//! legend and caption around what a picture draws, `plane` maps figures to pixels within axes.

mod canvas;
mod color;
mod course;
mod frame;
mod latency;
mod nodes;
mod plane;
mod render;
mod slots;
mod sweep;
mod ticks;
mod timeline;

pub use render::{Rendered, draw_all};
