//! Lists: listpacks as they are, or elements one after the other.

use super::super::encode::Encoder;
use super::super::error::RdbError;
use super::super::source::Source;
use crate::keyspace::{Limits, List, Listpack, Side};

/// What follows is one element.
const PLAIN: u64 = 1;
/// What follows is a listpack.
const PACKED: u64 = 2;
/// An element from this size on is written plain, as redis-server keeps it, in bytes.
const PLAIN_MIN: usize = 1 << 30;

pub(super) fn write(encoder: &mut Encoder, list: &List) {
    encoder.length(list.packs().len() as u64);
    for pack in list.packs() {
        match pack.first() {
            Some(first) if pack.as_bytes().len() >= PLAIN_MIN && pack.next(first).is_none() => {
                encoder.length(PLAIN);
                encoder.string(pack.get(first).text(&mut itoa::Buffer::new()));
            }
            _ => {
                encoder.length(PACKED);
                encoder.string(pack.as_bytes());
            }
        }
    }
}

pub(super) fn read(source: &mut Source<'_>, limits: &Limits) -> Result<List, RdbError> {
    let (mut list, mut element) = (List::default(), Vec::new());
    for _ in 0..source.length()? {
        source.string(&mut element)?;
        push(source, &mut list, &element, limits)?;
    }
    Ok(list)
}

pub(super) fn read_packs(source: &mut Source<'_>, limits: &Limits) -> Result<List, RdbError> {
    let mut list = List::default();
    for _ in 0..source.length()? {
        let container = source.length()?;
        let mut bytes = Vec::new();
        source.string(&mut bytes)?;
        match container {
            PLAIN => push(source, &mut list, &bytes, limits)?,
            PACKED => {
                bytes.shrink_to_fit();
                let pack = Listpack::from_bytes(bytes);
                let pack = pack.ok_or_else(|| source.damaged("a listpack of a list"))?;
                if !pack.is_empty() {
                    list.push_pack(pack, limits);
                }
            }
            other => return Err(source.damaged(format!("a list's container {other}"))),
        }
    }
    Ok(list)
}

fn push(source: &Source<'_>, list: &mut List, element: &[u8], limits: &Limits) -> Result<(), RdbError> {
    if element.len() > List::MAX_ELEMENT {
        return Err(source.damaged(format!("an element of {} bytes", element.len())));
    }
    list.push(Side::Right, element, limits);
    Ok(())
}
