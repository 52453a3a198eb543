//! Distances on a sphere, by the haversine formula.

use super::geohash::Point;

/// In meters.
const EARTH_RADIUS: f64 = 6_372_797.560_856;

const RADIANS: f64 = std::f64::consts::PI / 180.0;

pub fn radians(degrees: f64) -> f64 {
    degrees * RADIANS
}

/// Degrees of a great circle that so many meters take.
pub fn degrees_of(meters: f64) -> f64 {
    meters / EARTH_RADIUS / RADIANS
}

/// Meters between two parallels.
pub fn between_latitudes(a: f64, b: f64) -> f64 {
    EARTH_RADIUS * (radians(b) - radians(a)).abs()
}

/// Meters between two points.
pub fn between(a: Point, b: Point) -> f64 {
    let v = ((radians(b.longitude) - radians(a.longitude)) / 2.0).sin();
    if v == 0.0 {
        return between_latitudes(a.latitude, b.latitude);
    }
    let (from, to) = (radians(a.latitude), radians(b.latitude));
    let u = ((to - from) / 2.0).sin();
    let haversine = u * u + from.cos() * to.cos() * v * v;
    2.0 * EARTH_RADIUS * haversine.sqrt().asin()
}
