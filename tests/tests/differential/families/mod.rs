//! The commands that are drawn, a file a family. A new family is a file with a [`Family`] and its row in [`ALL`].

mod bitmap;
mod geo;
mod hash;
mod hyperloglog;
mod keys;
mod list;
mod set;
mod sorted_set;
mod stream;
mod string;

use super::compare::Order;
use super::generator::{Args, Generator};

/// What is drawn, and how its replies are compared.
pub struct Family {
    /// Commands as words and placeholders: see `Generator::part`.
    pub shapes: &'static [&'static [&'static str]],
    /// Appends what a shape cannot say; the last argument may be missing, or one be there that has no place.
    pub extend: fn(&mut Generator, &mut Args),
    /// What the order of a reply means.
    pub order: fn(&Args) -> Order,
}

pub const ALL: &[Family] = &[
    string::FAMILY,
    keys::FAMILY,
    hash::FAMILY,
    set::FAMILY,
    list::FAMILY,
    sorted_set::FAMILY,
    stream::FAMILY,
    bitmap::FAMILY,
    geo::FAMILY,
    hyperloglog::FAMILY,
];

/// Directives that let collections change their form at a few elements.
pub const THRESHOLDS: &[(&str, &str)] = &[
    ("hash-max-listpack-entries", "6"),
    ("hash-max-listpack-value", "20"),
    ("set-max-intset-entries", "6"),
    ("list-max-listpack-size", "4"),
    ("zset-max-listpack-entries", "6"),
    ("zset-max-ziplist-value", "20"),
    ("stream-node-max-entries", "5"),
    ("stream-node-max-bytes", "300"),
    ("hll-sparse-max-bytes", "300"),
];

/// What the order of the reply to a command means.
pub fn order(args: &Args) -> Order {
    ALL.iter()
        .map(|family| (family.order)(args))
        .find(|order| *order != Order::AsSent)
        .unwrap_or(Order::AsSent)
}
