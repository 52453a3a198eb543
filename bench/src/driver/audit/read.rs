//! Reading many keys from whichever nodes own them now.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use slotcore::resp::{Reply, encode_command};
use workloads::Workload;
use workloads::keys::KeyId;

use super::Found;
use crate::driver::admin::Admin;
use crate::driver::shards::shards;
use crate::load::{HostPort, STAMP_LEN, Target, WriteId};

/// Keys asked for at once.
const BATCH: usize = 500;
const ASK_TIMEOUT: Duration = Duration::from_secs(2);
/// For keys whose slots are moving, or whose node comes back.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(100);

/// What each key holds; one that could not be read in time is missing.
pub fn values(
    workload: &Workload,
    target: &Target,
    also: &[HostPort],
    mut keys: Vec<KeyId>,
) -> HashMap<KeyId, Found> {
    let mut found = HashMap::with_capacity(keys.len());
    let deadline = Instant::now() + PATIENCE;
    while !keys.is_empty() {
        let owners = owners(target, also);
        let mut left = Vec::new();
        let mut by_owner: HashMap<HostPort, Vec<KeyId>> = HashMap::new();
        for key in keys {
            match owners(workload.key_format().slot(key)) {
                Some(owner) => by_owner.entry(owner).or_default().push(key),
                None => left.push(key),
            }
        }
        for (owner, keys) in by_owner {
            let mut link = Admin::connect(&owner, target.auth.as_ref(), ASK_TIMEOUT).ok();
            for batch in keys.chunks(BATCH) {
                let replies = link.as_mut().and_then(|link| ask(link, workload, batch));
                let Some(replies) = replies else {
                    left.extend(batch);
                    link = None;
                    continue;
                };
                for (&key, reply) in batch.iter().zip(&replies) {
                    match what(reply) {
                        Some(value) => drop(found.insert(key, value)),
                        None => left.push(key),
                    }
                }
            }
        }
        keys = left;
        if keys.is_empty() || Instant::now() >= deadline {
            return found;
        }
        std::thread::sleep(PAUSE);
    }
    found
}

/// Who owns a slot, as the cluster says now; of a target that is no cluster, its only seed owns all.
fn owners(target: &Target, also: &[HostPort]) -> impl Fn(u16) -> Option<HostPort> {
    let shards = shards(target, also);
    let seed = target.seeds.first().cloned();
    move |slot| {
        if shards.is_empty() {
            return seed.clone();
        }
        let owner = shards.iter().find(|shard| shard.slots.contains(slot));
        owner.map(|shard| shard.primary.clone())
    }
}

fn ask(link: &mut Admin, workload: &Workload, keys: &[KeyId]) -> Option<Vec<Reply>> {
    let mut frames = Vec::new();
    let last = (STAMP_LEN - 1).to_string();
    for &key in keys {
        let name = workload.key_format().bytes(key);
        encode_command(&mut frames, &[b"GETRANGE", &name, b"0", last.as_bytes()]);
    }
    link.call_many(&frames, keys.len()).ok()
}

/// An error is no answer: it is asked again. An empty value is no key, since all values are longer.
fn what(reply: &Reply) -> Option<Found> {
    if reply.as_error().is_some() {
        return None;
    }
    let bytes = reply.as_bytes().unwrap_or_default();
    Some(match WriteId::of(bytes) {
        Some(id) => Found::Write(id),
        None if bytes.is_empty() => Found::Nothing,
        None => Found::Other,
    })
}
