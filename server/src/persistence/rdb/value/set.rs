//! Sets: the intset as it is, or members one after the other.

use super::super::encode::Encoder;
use super::super::error::RdbError;
use super::super::source::Source;
use super::kind;
use crate::keyspace::{Intset, Limits, Set, SetForm};

pub(super) fn kind_of(set: &Set) -> u8 {
    match set.form() {
        SetForm::Intset(_) => kind::SET_INTSET,
        SetForm::Table(_) => kind::SET,
    }
}

pub(super) fn write(encoder: &mut Encoder, set: &Set) {
    match set.form() {
        SetForm::Intset(numbers) => encoder.string(numbers.as_bytes()),
        SetForm::Table(table) => {
            encoder.length(table.len() as u64);
            table.iter().for_each(|(member, _)| encoder.string(member));
        }
    }
}

pub(super) fn read(source: &mut Source<'_>, limits: &Limits) -> Result<Set, RdbError> {
    let mut member = Vec::new();
    let len = source.length()?;
    let mut set = if len > limits.set_max_intset_entries as u64 {
        Set::table()
    } else {
        Set::default()
    };
    for _ in 0..len {
        source.string(&mut member)?;
        if !set.insert(&member, limits) {
            return Err(source.damaged("a member for the second time"));
        }
    }
    Ok(set)
}

pub(super) fn read_intset(source: &mut Source<'_>, limits: &Limits) -> Result<Set, RdbError> {
    let mut bytes = Vec::new();
    source.string(&mut bytes)?;
    bytes.shrink_to_fit();
    Intset::from_bytes(bytes)
        .map(|numbers| Set::from_intset(numbers, limits))
        .ok_or_else(|| source.damaged("an intset"))
}
