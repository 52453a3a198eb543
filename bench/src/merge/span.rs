//! Times of several generators on one clock. The clocks of their machines are taken as they are.

use std::collections::BTreeMap;

/// Seconds to whole microseconds, so that equal times are equal.
fn micros(s: f64) -> i64 {
    // Times that fit were checked when they were read: 1e11 s are 1e17 µs.
    (s * 1e6).round() as i64
}

/// The length of a time between two Unix times. A Unix time in a float is good to a quarter of a microsecond, so what is
/// below a microsecond is dropped.
fn between_s(start_s: f64, end_s: f64) -> f64 {
    (((end_s - start_s) * 1e6).round() / 1e6).max(0.0)
}

/// From when to when, Unix time in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    pub start_s: f64,
    pub end_s: f64,
}

impl Span {
    pub fn new(start_s: f64, length_s: f64) -> Self {
        Self {
            start_s,
            end_s: start_s + length_s,
        }
    }

    pub fn length_s(self) -> f64 {
        between_s(self.start_s, self.end_s)
    }

    /// From the first start to the last end; none of nothing.
    pub fn union(spans: &[Self]) -> Option<Self> {
        spans.iter().copied().reduce(|a, b| Self {
            start_s: a.start_s.min(b.start_s),
            end_s: a.end_s.max(b.end_s),
        })
    }

    /// How long all of them lasted at once, in seconds.
    pub fn overlap_s(spans: &[Self]) -> f64 {
        let start_s = spans.iter().map(|s| s.start_s).fold(f64::NEG_INFINITY, f64::max);
        let end_s = spans.iter().map(|s| s.end_s).fold(f64::INFINITY, f64::min);
        if spans.is_empty() {
            0.0
        } else {
            between_s(start_s, end_s)
        }
    }
}

/// Cells of one length, side by side from a start on.
///
/// A piece of time goes into one cell as a whole, since a histogram cannot be cut: into the one that holds the middle
/// it would have at full length. So each generator has one piece in each cell, also at its end, where the last piece
/// is shorter, and no piece is more than half a cell away from where it was.
#[derive(Debug)]
pub struct Cells<T> {
    span: Span,
    length_s: f64,
    cells: BTreeMap<i64, Vec<T>>,
}

impl<T> Cells<T> {
    /// Cells for pieces within `span`; the longest piece is a cell long.
    pub fn new(span: Span, length_s: f64) -> Self {
        Self {
            span,
            length_s,
            cells: BTreeMap::new(),
        }
    }

    /// Adds a piece that begins at `start_s` and belongs to pieces that are `full_length_s` long.
    pub fn add(&mut self, start_s: f64, full_length_s: f64, piece: T) {
        let middle = micros(start_s - self.span.start_s) + micros(full_length_s) / 2;
        let cell = middle.div_euclid(micros(self.length_s).max(1));
        self.cells.entry(cell).or_default().push(piece);
    }

    /// The cells that hold something: start and length in seconds, and what they hold. The last one ends with the span.
    pub fn into_cells(self) -> impl Iterator<Item = (Span, Vec<T>)> {
        let (span, length_s) = (self.span, self.length_s);
        self.cells.into_iter().map(move |(number, pieces)| {
            let start_s = span.start_s + number as f64 * length_s;
            let left_s = (span.end_s - start_s).max(0.0);
            // A last short piece may have its cell just behind the end: then the cell is as long as the others.
            let cut_s = if left_s < 1e-6 {
                length_s
            } else {
                length_s.min(left_s)
            };
            (Span::new(start_s, cut_s), pieces)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_unite_and_overlap() {
        let spans = [Span::new(10.0, 5.0), Span::new(12.0, 8.0)];
        assert_eq!(
            Span::union(&spans),
            Some(Span {
                start_s: 10.0,
                end_s: 20.0
            })
        );
        assert_eq!(Span::overlap_s(&spans), 3.0);
        assert_eq!(Span::overlap_s(&[Span::new(0.0, 1.0), Span::new(2.0, 1.0)]), 0.0);
        assert_eq!((Span::union(&[]), Span::overlap_s(&[])), (None, 0.0));
    }

    /// Whatever the offset, each generator has one piece a cell.
    #[test]
    fn a_cell_holds_one_piece_of_each() {
        for offset_s in [0.0, 0.01, 0.049, 0.05, 0.051, 0.099] {
            let span = Span::new(1_795_000_000.0, 1.0 + offset_s);
            let mut cells = Cells::new(span, 0.1);
            for i in 0..10 {
                cells.add(span.start_s + f64::from(i) * 0.1, 0.1, "a");
                cells.add(span.start_s + offset_s + f64::from(i) * 0.1, 0.1, "b");
            }
            let cells: Vec<_> = cells.into_cells().collect();
            let total: usize = cells.iter().map(|(_, pieces)| pieces.len()).sum();
            assert_eq!(total, 20);
            for (_, pieces) in &cells {
                assert!(
                    pieces.iter().filter(|p| **p == "a").count() <= 1,
                    "{offset_s}: {cells:?}"
                );
                assert!(
                    pieces.iter().filter(|p| **p == "b").count() <= 1,
                    "{offset_s}: {cells:?}"
                );
            }
            let shifted = offset_s >= 0.05;
            assert_eq!(cells.len(), if shifted { 11 } else { 10 }, "{offset_s}");
        }
    }

    #[test]
    fn the_last_cell_ends_with_the_span() {
        let mut cells = Cells::new(Span::new(100.0, 2.3), 1.0);
        for start_s in [100.0, 101.0, 102.0] {
            cells.add(start_s, 1.0, ());
        }
        let lengths: Vec<f64> = cells.into_cells().map(|(span, _)| span.length_s()).collect();
        assert_eq!(lengths.len(), 3);
        assert!((lengths[2] - 0.3).abs() < 1e-6, "{lengths:?}");
    }
}
