//! The neighbour's large key: its name, and how it comes to be.

use anyhow::{Context, bail};
use slotcore::{Slot, slot_of};
use workloads::spec::{Neighbor, NeighborKind};

use super::super::discover::Link;
use super::super::plan::{HostPort, Target};
use super::super::scout::Scout;

/// Elements stored with one command.
const CHUNK: u32 = 500;

/// The name of the key: the first of its kind that lies in this slot.
pub(super) fn name(slot: Slot) -> Vec<u8> {
    let names = (0u64..).map(|number| format!("neighbor:{number}").into_bytes());
    names
        .into_iter()
        .find(|name| slot_of(name) == slot)
        .unwrap_or_default()
}

/// Stores the key at its owner, in place of what was there.
///
/// # Errors
/// When the node does not take it: the text says what it answered.
pub(in crate::load) fn store(scout: &Scout, target: &Target, neighbor: &Neighbor) -> anyhow::Result<()> {
    let map = scout.map();
    let owner = map
        .owner(neighbor.slot)
        .context("the neighbour's slot has no owner")?;
    let node = map.node(owner);
    let node = HostPort::new(node.host.as_str(), node.port);
    let mut link = Link::login(&node, target).map_err(|error| anyhow::anyhow!("{}", error.text()))?;
    let key = name(neighbor.slot);
    let mut call = |args: &[&[u8]]| -> anyhow::Result<()> {
        let reply = link
            .call(args)
            .map_err(|error| anyhow::anyhow!("{}", error.text()))?;
        match reply.as_error() {
            None => Ok(()),
            Some(error) => bail!(
                "{node} does not take the neighbour's key: {}",
                String::from_utf8_lossy(error)
            ),
        }
    };
    call(&[b"DEL", &key])?;
    match neighbor.kind {
        NeighborKind::String { size } => {
            // Of no use to a compressor, and the same every time.
            let bytes: Vec<u8> = (0..size)
                .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
                .collect();
            call(&[b"SET", &key, &bytes])
        }
        NeighborKind::Hash { elements } => chunks(elements, |texts| {
            let mut args: Vec<&[u8]> = vec![b"HSET", &key];
            texts
                .iter()
                .for_each(|text| args.extend([text.as_slice(), text.as_slice()]));
            call(&args)
        }),
        NeighborKind::Set { elements } => chunks(elements, |texts| {
            let mut args: Vec<&[u8]> = vec![b"SADD", &key];
            args.extend(texts.iter().map(Vec::as_slice));
            call(&args)
        }),
    }
}

fn chunks(elements: u32, mut store: impl FnMut(&[Vec<u8>]) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut from = 0;
    while from < elements {
        let to = from.saturating_add(CHUNK).min(elements);
        let texts: Vec<Vec<u8>> = (from..to)
            .map(|number| format!("element:{number:010}").into_bytes())
            .collect();
        store(&texts)?;
        from = to;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_a_name() {
        for slot in [0, 1, 7777, 16383] {
            assert_eq!(slot_of(&name(slot)), slot);
        }
        let mut seen = Vec::new();
        chunks(1201, |texts| {
            seen.extend(texts.to_vec());
            Ok(())
        })
        .unwrap();
        seen.dedup();
        assert_eq!(seen.len(), 1201);
    }
}
