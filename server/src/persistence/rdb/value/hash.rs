//! Hashes: the listpack as it is, or fields and values one after the other.

use super::super::encode::Encoder;
use super::super::error::RdbError;
use super::super::source::Source;
use super::kind;
use crate::keyspace::{Hash, HashForm, Limits, Listpack};

pub(super) fn kind_of(hash: &Hash) -> u8 {
    match hash.form() {
        HashForm::Listpack(_) => kind::HASH_LISTPACK,
        HashForm::Table(_) => kind::HASH,
    }
}

pub(super) fn write(encoder: &mut Encoder, hash: &Hash) {
    match hash.form() {
        HashForm::Listpack(list) => encoder.string(list.as_bytes()),
        HashForm::Table(table) => {
            encoder.length(table.len() as u64);
            for (field, value) in table.iter() {
                encoder.string(field);
                encoder.string(value);
            }
        }
    }
}

pub(super) fn read(source: &mut Source<'_>, limits: &Limits) -> Result<Hash, RdbError> {
    let (mut field, mut value) = (Vec::new(), Vec::new());
    let len = source.length()?;
    // One that will be large is not a listpack first.
    let mut hash = if len > limits.hash_max_entries as u64 {
        Hash::table()
    } else {
        Hash::default()
    };
    for _ in 0..len {
        source.string(&mut field)?;
        source.string(&mut value)?;
        if !hash.set(&field, &value, limits) {
            return Err(source.damaged("a field for the second time"));
        }
    }
    Ok(hash)
}

pub(super) fn read_listpack(source: &mut Source<'_>, limits: &Limits) -> Result<Hash, RdbError> {
    let mut bytes = Vec::new();
    source.string(&mut bytes)?;
    bytes.shrink_to_fit();
    Listpack::from_bytes(bytes)
        .and_then(|list| Hash::from_listpack(list, limits))
        .ok_or_else(|| source.damaged("the listpack of a hash"))
}
