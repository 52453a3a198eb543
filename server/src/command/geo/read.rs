//! GEOPOS, GEODIST, GEOHASH.

use super::distance::between;
use super::geohash::{ALL_LATITUDES, Cell, Point, STEP_MAX};
use super::unit::{point_of, unit_arg, write_distance, write_point};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::SortedSet;

/// Characters of a geohash as text.
const TEXT_LEN: usize = 11;
const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

pub fn geopos(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let members = call.args.from(2);
    let (set, out) = call.read::<SortedSet>(0)?;
    out.array(members.len());
    for member in members.iter() {
        match set.and_then(|set| point_of(set, member)) {
            Some(point) => write_point(out, point),
            None => out.nil_array(),
        }
    }
    Ok(())
}

pub fn geodist(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let unit = match call.args.len() {
        4 => 1.0,
        5 => unit_arg(call, 4)?,
        _ => return Err(ErrorReply::SYNTAX),
    };
    let (first, second) = (call.args.at(2), call.args.at(3));
    let (set, out) = call.read::<SortedSet>(0)?;
    match set.and_then(|set| Some((point_of(set, first)?, point_of(set, second)?))) {
        Some((a, b)) => write_distance(out, between(a, b) / unit),
        None => out.nil(),
    }
    Ok(())
}

pub fn geohash(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let members = call.args.from(2);
    let (set, out) = call.read::<SortedSet>(0)?;
    out.array(members.len());
    for member in members.iter() {
        match set.and_then(|set| point_of(set, member)) {
            Some(point) => out.bulk(&text(point)),
            None => out.nil(),
        }
    }
    Ok(())
}

/// The geohash that others know: of all latitudes, five bits a character. The last one has no bits left.
fn text(point: Point) -> [u8; TEXT_LEN] {
    let bits = Cell::of(point, ALL_LATITUDES, STEP_MAX).bits();
    let mut text = [ALPHABET[0]; TEXT_LEN];
    for (place, character) in text[..TEXT_LEN - 1].iter_mut().enumerate() {
        let five = bits >> (2 * STEP_MAX as usize - 5 * (place + 1)) & 31;
        *character = ALPHABET[five as usize];
    }
    text
}
