//! Positions, kept as scores of sorted sets: adding, reading, distances, searching around a point.

mod add;
mod area;
mod distance;
mod geohash;
mod read;
mod search;
mod shape;
mod unit;

use super::call::{Binding, Locks};

pub const HANDLERS: &[Binding] = &[
    ("geoadd", add::geoadd, Locks::Keys),
    ("geodist", read::geodist, Locks::Keys),
    ("geohash", read::geohash, Locks::Keys),
    ("geopos", read::geopos, Locks::Keys),
    ("georadius", search::georadius, Locks::Keys),
    ("georadius_ro", search::georadius_ro, Locks::Keys),
    ("georadiusbymember", search::georadiusbymember, Locks::Keys),
    ("georadiusbymember_ro", search::georadiusbymember_ro, Locks::Keys),
    ("geosearch", search::geosearch, Locks::Keys),
    ("geosearchstore", search::geosearchstore, Locks::Keys),
];
