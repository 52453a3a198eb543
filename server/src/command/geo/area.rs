//! The cells that a shape may touch: the one of its center, and those of its eight neighbours that are needed.

use super::geohash::{Cell, LATITUDES, STEP_MAX};
use super::shape::Shape;

/// Half of the equator on a map in Mercator's projection, in meters.
const MERCATOR_MAX: f64 = 20_037_726.37;

/// The neighbours in the order in which they are searched: columns to the east, rows to the north.
const NEIGHBORS: [(i32, i32); 9] = [
    (0, 0),
    (0, 1),
    (0, -1),
    (1, 0),
    (-1, 0),
    (1, 1),
    (-1, 1),
    (1, -1),
    (-1, -1),
];

/// How often to halve so that nine cells cover so many meters around a point. Towards the poles, cells are narrower.
fn estimate_step(reach: f64, latitude: f64) -> u32 {
    if reach == 0.0 {
        return STEP_MAX;
    }
    let (mut reach, mut step) = (reach, 1);
    while reach < MERCATOR_MAX {
        reach *= 2.0;
        step += 1;
    }
    step -= 2;
    if latitude.abs() > 66.0 {
        step -= 1;
    }
    if latitude.abs() > 80.0 {
        step -= 1;
    }
    step.clamp(1, STEP_MAX as i32) as u32
}

/// The cells to search, none twice in a row.
pub fn cells(shape: &Shape) -> Vec<Cell> {
    let (longitudes, latitudes) = shape.bounds();
    let mut step = estimate_step(shape.reach(), shape.center.latitude);
    let mut center = Cell::of(shape.center, LATITUDES, step);
    let is_too_small = center.neighbor(0, 1).latitudes().max < latitudes.max
        || center.neighbor(0, -1).latitudes().min > latitudes.min
        || center.neighbor(1, 0).longitudes().max < longitudes.max
        || center.neighbor(-1, 0).longitudes().min > longitudes.min;
    if step > 1 && is_too_small {
        step -= 1;
        center = Cell::of(shape.center, LATITUDES, step);
    }
    let (columns, rows) = (center.longitudes(), center.latitudes());
    let is_needed = |east: i32, north: i32| {
        step < 2
            || !((north < 0 && rows.min < latitudes.min)
                || (north > 0 && rows.max > latitudes.max)
                || (east < 0 && columns.min < longitudes.min)
                || (east > 0 && columns.max > longitudes.max))
    };
    let mut cells: Vec<Cell> = NEIGHBORS
        .iter()
        .filter(|(east, north)| is_needed(*east, *north))
        .map(|&(east, north)| center.neighbor(east, north))
        .collect();
    cells.dedup();
    cells
}
