//! Positions as cells: longitude and latitude, cut into halves so many times, their bits in turns. 26 times make the 52 bits
//! of a score, which a double holds exactly.

/// How often a position is halved at most.
pub const STEP_MAX: u32 = 26;

/// Degrees that a coordinate lies in.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    pub min: f64,
    pub max: f64,
}

pub const LONGITUDES: Extent = Extent {
    min: -180.0,
    max: 180.0,
};
/// Where the Mercator projection is a square (EPSG:3857).
pub const LATITUDES: Extent = Extent {
    min: -85.051_128_78,
    max: 85.051_128_78,
};
/// What geohashes as text cover.
pub const ALL_LATITUDES: Extent = Extent {
    min: -90.0,
    max: 90.0,
};

/// A point, in degrees.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Point {
    pub longitude: f64,
    pub latitude: f64,
}

/// A part of the globe: numbers of columns from the west and of rows from the south, 2^step of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    pub column: u32,
    pub row: u32,
    pub step: u32,
}

impl Extent {
    pub fn contains(self, degrees: f64) -> bool {
        (self.min..=self.max).contains(&degrees)
    }

    fn cell(self, degrees: f64, step: u32) -> u32 {
        ((degrees - self.min) / (self.max - self.min) * (1_u64 << step) as f64) as u32
    }

    fn of_cell(self, cell: u32, step: u32) -> Self {
        let scale = self.max - self.min;
        let cells = (1_u64 << step) as f64;
        Self {
            min: self.min + f64::from(cell) / cells * scale,
            max: self.min + (f64::from(cell) + 1.0) / cells * scale,
        }
    }

    fn middle(self, within: Self) -> f64 {
        f64::midpoint(self.min, self.max).min(within.max).max(within.min)
    }
}

impl Cell {
    /// The cell of a point.
    pub fn of(point: Point, latitudes: Extent, step: u32) -> Self {
        Self {
            column: LONGITUDES.cell(point.longitude, step),
            row: latitudes.cell(point.latitude, step),
            step,
        }
    }

    /// The smallest cell, from a score. Scores that are none are read as stock does on the machines of today.
    pub fn from_score(score: f64) -> Self {
        let bits = to_u64(score);
        Self {
            column: every_second(bits >> 1),
            row: every_second(bits),
            step: STEP_MAX,
        }
    }

    /// Bits in turns, the last one a row's.
    pub fn bits(self) -> u64 {
        spread(self.row) | spread(self.column) << 1
    }

    /// Scores of the points in it: from the first on, up to but without the second.
    pub fn scores(self) -> (f64, f64) {
        let shift = 2 * (STEP_MAX - self.step);
        let bits = self.bits();
        ((bits << shift) as f64, ((bits + 1) << shift) as f64)
    }

    pub fn longitudes(self) -> Extent {
        LONGITUDES.of_cell(self.column, self.step)
    }

    pub fn latitudes(self) -> Extent {
        LATITUDES.of_cell(self.row, self.step)
    }

    pub fn middle(self) -> Point {
        Point {
            longitude: self.longitudes().middle(LONGITUDES),
            latitude: self.latitudes().middle(LATITUDES),
        }
    }

    /// The cell so many columns to the east and rows to the north, around the globe.
    pub fn neighbor(self, east: i32, north: i32) -> Self {
        let mask = (1_u32 << self.step) - 1;
        let moved = |number: u32, by: i32| {
            if by == 0 {
                number
            } else {
                number.wrapping_add_signed(by) & mask
            }
        };
        Self {
            column: moved(self.column, east),
            row: moved(self.row, north),
            step: self.step,
        }
    }
}

/// The conversion of x86-64 compilers, whose results beyond the range are what stored data were read with.
fn to_u64(value: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    let to_i64 = |value: f64| {
        if (-HALF..HALF).contains(&value) {
            value as i64
        } else {
            i64::MIN
        }
    };
    if value < HALF {
        to_i64(value) as u64
    } else {
        to_i64(value - HALF) as u64 ^ 1 << 63
    }
}

/// The bits of a number, with one zero before each.
fn spread(number: u32) -> u64 {
    let mut bits = u64::from(number);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555_u64),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// Every second bit, from the last on.
fn every_second(bits: u64) -> u32 {
    (0..32).fold(0, |number, place| {
        number | ((bits >> (2 * place) & 1) as u32) << place
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_score_is_what_stock_makes_of_a_position() {
        let palermo = Point {
            longitude: 13.361389,
            latitude: 38.115556,
        };
        assert_eq!(
            Cell::of(palermo, LATITUDES, STEP_MAX).bits(),
            3_479_099_956_230_698
        );
    }

    #[test]
    fn neighbors_go_around_the_globe() {
        let corner = Cell {
            column: 0,
            row: 3,
            step: 2,
        };
        assert_eq!(
            corner.neighbor(-1, 1),
            Cell {
                column: 3,
                row: 0,
                step: 2
            }
        );
        assert_eq!(
            corner.neighbor(1, -1),
            Cell {
                column: 1,
                row: 2,
                step: 2
            }
        );
    }

    proptest! {
        #[test]
        fn a_cell_is_read_back(column in 0_u32..1 << 26, row in 0_u32..1 << 26) {
            let cell = Cell { column, row, step: STEP_MAX };
            let score = cell.scores().0;
            prop_assert_eq!(Cell::from_score(score), cell);
            prop_assert_eq!(Cell::of(cell.middle(), LATITUDES, STEP_MAX), cell);
        }

        #[test]
        fn any_score_is_read(score in any::<f64>()) {
            let middle = Cell::from_score(score).middle();
            prop_assert!(LONGITUDES.contains(middle.longitude) && LATITUDES.contains(middle.latitude));
        }
    }
}
