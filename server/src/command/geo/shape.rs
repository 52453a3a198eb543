//! What is searched: a circle or a rectangle around a point.

use super::distance::{between, between_latitudes, degrees_of, radians};
use super::geohash::{Extent, Point};

/// A form, in units of the client's choice.
#[derive(Clone, Copy)]
pub enum Form {
    Circle { radius: f64 },
    Box { width: f64, height: f64 },
}

#[derive(Clone, Copy)]
pub struct Shape {
    pub center: Point,
    pub form: Form,
    /// Meters of the unit.
    pub unit: f64,
}

impl Shape {
    /// Meters between the center and a point, if the point is in the shape.
    pub fn distance_within(&self, point: Point) -> Option<f64> {
        match self.form {
            Form::Circle { radius } => {
                let distance = between(self.center, point);
                (distance <= radius * self.unit).then_some(distance)
            }
            Form::Box { width, height } => {
                let north = between_latitudes(point.latitude, self.center.latitude);
                if north > height * self.unit / 2.0 {
                    return None;
                }
                let beside = Point {
                    longitude: self.center.longitude,
                    latitude: point.latitude,
                };
                let east = between(point, beside);
                (east <= width * self.unit / 2.0).then(|| between(self.center, point))
            }
        }
    }

    /// Meters from the center to the point of the shape that is farthest away.
    pub fn reach(&self) -> f64 {
        self.unit
            * match self.form {
                Form::Circle { radius } => radius,
                Form::Box { width, height } => {
                    ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt()
                }
            }
    }

    /// Longitudes and latitudes that it touches, which may go beyond the globe's.
    pub fn bounds(&self) -> (Extent, Extent) {
        let (width, height) = match self.form {
            Form::Circle { radius } => (radius, radius),
            Form::Box { width, height } => (width / 2.0, height / 2.0),
        };
        let Point { longitude, latitude } = self.center;
        let north = degrees_of(self.unit * height);
        // The parallel that is closer to a pole is shorter.
        let parallel = if latitude < 0.0 {
            latitude - north
        } else {
            latitude + north
        };
        let east = degrees_of(self.unit * width / radians(parallel).cos());
        let around = |middle: f64, by: f64| Extent {
            min: middle - by,
            max: middle + by,
        };
        (around(longitude, east), around(latitude, north))
    }
}
