//! Lengths and positions in arguments and replies.

use slotcore::resp::{Proto, ReplyWriter};

use super::geohash::{Cell, LATITUDES, LONGITUDES, Point};
use crate::command::call::Call;
use crate::command::float::{float_arg, parse_float};
use crate::command::reply_error::ErrorReply;
use crate::keyspace::SortedSet;

/// Meters of the unit in argument `i`.
pub fn unit_arg(call: &Call<'_>, i: usize) -> Result<f64, ErrorReply> {
    Ok(match call.args.at(i).to_ascii_lowercase().as_slice() {
        b"m" => 1.0,
        b"km" => 1000.0,
        b"ft" => 0.3048,
        b"mi" => 1609.34,
        _ => {
            return Err(ErrorReply::fixed(
                "ERR unsupported unit provided. please use M, KM, FT, MI",
            ));
        }
    })
}

/// A length of any unit in argument `i`; `refused` is what is said if it is none.
pub fn length_arg(call: &Call<'_>, i: usize, refused: &'static str) -> Result<f64, ErrorReply> {
    parse_float(call.args.at(i)).ok_or(ErrorReply::fixed(refused))
}

/// Longitude and latitude in argument `i` and the next one.
pub fn point_arg(call: &Call<'_>, i: usize) -> Result<Point, ErrorReply> {
    let point = Point {
        longitude: float_arg(call, i)?,
        latitude: float_arg(call, i + 1)?,
    };
    if !LONGITUDES.contains(point.longitude) || !LATITUDES.contains(point.latitude) {
        return Err(ErrorReply::new(format!(
            "ERR invalid longitude,latitude pair {:.6},{:.6}",
            point.longitude, point.latitude
        )));
    }
    Ok(point)
}

/// Where a member is.
pub fn point_of(set: &SortedSet, member: &[u8]) -> Option<Point> {
    Some(Cell::from_score(set.score(member)?).middle())
}

/// A distance, in whatever unit, with four digits behind the point.
pub fn write_distance(out: &mut ReplyWriter<'_>, distance: f64) {
    out.bulk_display(format_args!("{distance:.4}"));
}

/// Longitude and latitude, with up to 17 digits behind the point.
pub fn write_point(out: &mut ReplyWriter<'_>, point: Point) {
    out.array(2);
    for degrees in [point.longitude, point.latitude] {
        let text = format!("{degrees:.17}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        let text = if text == "-0" { "0" } else { text };
        match out.proto {
            Proto::Resp2 => out.bulk(text.as_bytes()),
            Proto::Resp3 => out.raw(format!(",{text}\r\n").as_bytes()),
        }
    }
}
