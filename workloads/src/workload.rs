//! A workload, compiled: from a seed to operations, and from operations to bytes.

use std::sync::Arc;
use std::time::Duration;

use rand::rand_core::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;
use slotcore::{SLOT_COUNT, Slot};

use crate::arrival::{Arrivals, Schedule};
use crate::command::Command;
use crate::dist::below;
use crate::keys::{KeyFormat, KeyId};
use crate::spec::{Arrival, MixEntry, Process, Spec, SpecError};
use crate::stream::{Op, OpStream, mix};
use crate::template::{Filling, Name};
use crate::traffic::Traffic;
use crate::values::Values;

/// What a seed is used for; each use gets numbers of its own.
#[derive(Clone, Copy)]
enum Use {
    Values = 1,
    Preload = 2,
    Measured = 3,
    WarmUp = 4,
    Arrivals = 5,
    WarmUpArrivals = 6,
}

/// Operations of each client that the hash of a stream takes in.
const HASHED_OPS: usize = 256;

/// All that is needed to draw operations and to encode them.
#[derive(Debug)]
pub struct Workload {
    spec: Spec,
    seed: u64,
    format: KeyFormat,
    values: Values,
    traffic: Traffic,
    /// The SET that follows a miss: the first one of the mix.
    filling: Option<u16>,
    /// Those of the mix, and behind them those of the preload.
    commands: Vec<Command>,
    /// Sums of the weights up to and including each command of the mix.
    weights: Vec<u64>,
    /// The name of what receivers receive from.
    receives: Option<Name>,
}

/// The commands that a split operation consists of, one for each slot its keys lie in. Kept by the caller and filled
/// again and again, so that splitting allocates nothing.
#[derive(Debug, Default)]
pub struct Parts {
    keys: Vec<(Slot, KeyId)>,
    ends: Vec<usize>,
}

impl Parts {
    /// How many commands there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none, as before the first [`Workload::split`].
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The slot of a command.
    pub fn slot(&self, part: usize) -> Slot {
        self.keys(part)[0].0
    }

    fn keys(&self, part: usize) -> &[(Slot, KeyId)] {
        let start = if part == 0 { 0 } else { self.ends[part - 1] };
        &self.keys[start..self.ends[part]]
    }
}

impl Spec {
    /// Compiles the workload for one seed.
    pub fn compile(&self, seed: u64) -> Result<Arc<Workload>, SpecError> {
        self.validate()?;
        let format = KeyFormat::new(&self.keyspace, &self.traffic);
        let broken = |key: String| move |message: String| self.error(&key, message);
        let mut commands = Vec::with_capacity(self.mix.len() + self.preload.len() + 1);
        let mut weights = Vec::with_capacity(self.mix.len());
        let mut sum = 0;
        for (at, entry) in self.mix.iter().enumerate() {
            let mut command = Command::new(entry, &format).map_err(broken(format!("mix[{at}].send")))?;
            let followed = |name: &String| {
                self.mix
                    .iter()
                    .position(|other| other.name.as_ref() == Some(name))
            };
            command.then = entry
                .then
                .as_ref()
                .and_then(followed)
                .map(|next| (next, entry.after));
            commands.push(command);
            sum += entry.weight;
            weights.push(sum);
        }
        for (at, entry) in self.preload.iter().enumerate() {
            commands.push(Command::preload(&entry.send).map_err(broken(format!("preload[{at}].send")))?);
        }
        if self.preload.is_empty() && self.keyspace.stored {
            let store = MixEntry {
                command: "SET".into(),
                keys: 1,
                ..MixEntry::default()
            };
            commands.push(Command::new(&store, &format).map_err(broken("preload".to_owned()))?);
        }
        let receives = self
            .receivers
            .as_ref()
            .map(|receivers| Name::new(&receivers.from));
        let receives = receives
            .transpose()
            .map_err(broken("receivers.from".to_owned()))?;
        Ok(Arc::new(Workload {
            values: Values::new(&self.values, seed_for(seed, Use::Values, 0)),
            traffic: Traffic::new(&self.keyspace, &self.traffic),
            filling: self
                .mix
                .iter()
                .position(|entry| entry.command == "SET")
                .map(|at| at as u16),
            spec: self.clone(),
            seed,
            format,
            commands,
            weights,
            receives,
        }))
    }
}

impl Workload {
    /// The workload as it was asked for, overrides included.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The commands of the mix, in the order of the file; [`Op::command`] points into it.
    pub fn commands(&self) -> &[Command] {
        &self.commands[..self.weights.len()]
    }

    /// The commands of the preload, whose numbers follow those of the mix.
    pub fn preload_commands(&self) -> &[Command] {
        &self.commands[self.weights.len()..]
    }

    /// What the receivers of a key receive from, and its slot; none in a workload without receivers.
    pub fn receives_from(&self, key: u64) -> Option<(Vec<u8>, Slot)> {
        let key = KeyId(key);
        let name = self.receives.as_ref()?.bytes(&self.format, key);
        Some((name, self.format.slot(key)))
    }

    #[cfg(test)]
    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    /// How keys are spelled.
    pub fn key_format(&self) -> &KeyFormat {
        &self.format
    }

    /// The hot slot, if the workload has one.
    pub fn hot_slot(&self) -> Option<Slot> {
        self.traffic.hot_slot()
    }

    /// The operations of a client that are measured. The stream depends on the seed and the client alone.
    pub fn client_stream(self: &Arc<Self>, client: u32) -> OpStream {
        OpStream::new(
            Arc::clone(self),
            seed_for(self.seed, Use::Measured, u64::from(client)),
        )
    }

    /// The operations of a client while it warms up: a stream of their own, so that how long a warm-up lasts does not
    /// decide which operations are measured.
    pub fn warmup_stream(self: &Arc<Self>, client: u32) -> OpStream {
        OpStream::new(
            Arc::clone(self),
            seed_for(self.seed, Use::WarmUp, u64::from(client)),
        )
    }

    /// When the operations of client `client` are due, which is the `place`-th of `clients`. Also this depends on the
    /// seed and the client alone.
    pub fn arrivals(&self, schedule: &Arc<Schedule>, client: u32, place: u32, clients: u32) -> Arrivals {
        self.arrivals_for(schedule, Use::Arrivals, client, place, clients)
    }

    /// The same for the warm-up.
    pub fn warmup_arrivals(
        &self,
        schedule: &Arc<Schedule>,
        client: u32,
        place: u32,
        clients: u32,
    ) -> Arrivals {
        self.arrivals_for(schedule, Use::WarmUpArrivals, client, place, clients)
    }

    fn arrivals_for(
        &self,
        schedule: &Arc<Schedule>,
        purpose: Use,
        client: u32,
        place: u32,
        clients: u32,
    ) -> Arrivals {
        let process = match self.spec.arrival {
            Arrival::Open(open) => open.process,
            Arrival::Closed => Process::Constant,
        };
        let seed = seed_for(self.seed, purpose, u64::from(client));
        Arrivals::new(Arc::clone(schedule), process, place, clients, seed)
    }

    #[inline]
    pub(crate) fn draw(&self, rng: &mut impl Rng) -> Op {
        let command = match self.weights.as_slice() {
            [_] => 0,
            weights => {
                let target = below(rng.next_u64(), weights[weights.len() - 1]);
                weights.iter().position(|&sum| target < sum).unwrap_or(0)
            }
        };
        let kind = &self.commands[command];
        let (key, slot) = if kind.is_split() {
            (KeyId(rng.next_u64()), 0)
        } else {
            self.traffic.draw(&self.format, rng)
        };
        let (value, value_len) = match (kind.is_template(), kind.has_value()) {
            (false, false) => (0, 0),
            (false, true) => self.values.draw(rng),
            (true, has_value) => {
                // All 64 bits decide what placeholders stand for, but a value's length is what it is.
                let bits = rng.next_u64();
                let length = if has_value {
                    self.values.draw(rng).1
                } else {
                    (bits >> 32) as u32
                };
                (bits as u32, length)
            }
        };
        Op {
            key,
            value,
            value_len,
            command: command as u16,
            slot,
        }
    }

    /// Whether the operation is several commands; then [`Workload::split`] and [`Workload::encode_part`] apply, else
    /// [`Op::slot`] and [`Workload::encode`].
    #[inline]
    pub fn is_split(&self, op: &Op) -> bool {
        let command = &self.commands[op.command()];
        command.is_split() || command.commands() > 1
    }

    /// The operation that follows this one on its key, with the same token.
    pub fn sequel(&self, op: &Op) -> Option<(Op, Duration)> {
        let (command, after) = self.commands[op.command()].then()?;
        let next = Op {
            command: command as u16,
            ..*op
        };
        Some((next, after))
    }

    /// Whether the operation changes what is stored. Those of a preload do.
    #[inline]
    pub fn is_write(&self, op: &Op) -> bool {
        self.commands[op.command()].is_write()
    }

    /// Whether the operation reads a cache: if it misses, [`Workload::fill_op`] follows.
    #[inline]
    pub fn fills(&self, op: &Op) -> bool {
        self.filling.is_some() && self.commands[op.command()].fills()
    }

    /// Whether any operation does.
    pub fn has_fills(&self) -> bool {
        self.spec.mix.iter().any(|entry| entry.fill)
    }

    /// What follows a read that has missed: the SET of its key, with a value that the seed and the key decide.
    pub fn fill_op(&self, missed: &Op) -> Op {
        let mut rng = SplitMix64::seed_from_u64(seed_for(self.seed, Use::Preload, missed.key.0));
        let (value, value_len) = self.values.draw(&mut rng);
        Op {
            value,
            value_len,
            command: self.filling.unwrap_or(self.weights.len() as u16),
            ..*missed
        }
    }

    /// Finds the commands that a split operation consists of, ordered by slot; those on one key are in their own order.
    pub fn split(&self, op: &Op, parts: &mut Parts) {
        let command = &self.commands[op.command()];
        if !command.is_split() {
            parts.keys.clear();
            parts.keys.resize(command.commands(), (op.slot, op.key));
            parts.ends.clear();
            parts.ends.extend(1..=command.commands());
            return;
        }
        let mut rng = SplitMix64::seed_from_u64(op.key.0);
        parts.keys.clear();
        parts.ends.clear();
        for _ in 0..self.commands[op.command()].keys() {
            let (key, slot) = self.traffic.draw(&self.format, &mut rng);
            parts.keys.push((slot, key));
        }
        parts.keys.sort_unstable();
        for at in 1..=parts.keys.len() {
            if at == parts.keys.len() || parts.keys[at].0 != parts.keys[at - 1].0 {
                parts.ends.push(at);
            }
        }
    }

    /// Appends the operation's bytes. It may be called any number of times with the same result.
    #[inline]
    pub fn encode(&self, op: &Op, out: &mut Vec<u8>) {
        let command = &self.commands[op.command()];
        if command.is_template() {
            command.encode_template(&self.format, &self.values, filling(op, 0), out);
            return;
        }
        let value = (op.value, op.value_len);
        if command.keys() == 1 {
            command.encode(&self.format, &self.values, std::iter::once(op.key), value, out);
        } else {
            let keys = (0..command.keys()).map(|i| self.traffic.sibling(op.key, u64::from(i)));
            command.encode(&self.format, &self.values, keys, value, out);
        }
    }

    /// Appends the operation with its script in full, for a server that does not know it.
    pub fn encode_whole(&self, op: &Op, out: &mut Vec<u8>) {
        self.commands[op.command()].encode_whole(&self.format, &self.values, filling(op, 0), out);
    }

    /// Appends one command of a split operation.
    pub fn encode_part(&self, op: &Op, parts: &Parts, part: usize, out: &mut Vec<u8>) {
        let command = &self.commands[op.command()];
        if command.is_template() {
            command.encode_template(&self.format, &self.values, filling(op, part), out);
            return;
        }
        let keys = parts.keys(part).iter().map(|&(_, key)| key);
        let value = (op.value.wrapping_add(part as u32 * 65_537), op.value_len);
        command.encode(&self.format, &self.values, keys, value, out);
    }

    /// How many operations the preload has.
    pub fn preload_len(&self) -> u64 {
        let times: u64 = match self.spec.preload.as_slice() {
            [] => self.preload_commands().len() as u64,
            entries => entries.iter().map(|entry| u64::from(entry.times)).sum(),
        };
        self.all_keys().saturating_mul(times)
    }

    /// How many keys the preload stores: for each of the workload's as many as it has entries.
    pub fn preloaded_keys(&self) -> u64 {
        self.all_keys()
            .saturating_mul(self.preload_commands().len() as u64)
    }

    /// Keys of the keyspace, and of the hot slot.
    fn all_keys(&self) -> u64 {
        self.spec.keyspace.keys + self.traffic.hot_keys()
    }

    /// Key number `n` of all, and its slot. `None` for a key of the keyspace that lies in the hot slot, which has keys of
    /// its own and is never asked for others.
    fn key_of(&self, n: u64) -> Option<(KeyId, Slot)> {
        let keys = self.spec.keyspace.keys;
        let key = if n < keys { KeyId(n) } else { KeyId::hot(n - keys) };
        let slot = self.format.slot(key);
        (key.is_hot() || self.traffic.hot_slot() != Some(slot)).then_some((key, slot))
    }

    /// Operation number `i` of the preload, entry by entry, each with all keys in turn. `None` for a key of the keyspace
    /// that lies in the hot slot.
    pub fn preload_op(&self, i: u64) -> Option<Op> {
        let keys = self.all_keys();
        let (mut time, (key, slot)) = (i / keys, self.key_of(i % keys)?);
        let mut entry = 0;
        for preload in &self.spec.preload {
            match time.checked_sub(preload.times.into()) {
                None => break,
                Some(left) => (time, entry) = (left, entry + 1),
            }
        }
        let command = self.weights.len() + entry;
        let mut rng = SplitMix64::seed_from_u64(seed_for(self.seed, Use::Preload, i));
        let (value, value_len) = self.values.draw(&mut rng);
        Some(Op {
            key,
            // What a template draws from is which time it is.
            value: if self.spec.preload.is_empty() {
                value
            } else {
                time as u32
            },
            value_len,
            command: command as u16,
            slot,
        })
    }

    /// How many of the keys lie in each slot: the expected shape of uniform traffic. A keyspace of a million
    /// keys does not fill the slots evenly (about 61 each, give or take 8), and no draw of keys can be more even than that.
    pub fn keys_by_slot(&self) -> Vec<u64> {
        let mut counts = vec![0; SLOT_COUNT];
        for (_, slot) in (0..self.all_keys()).filter_map(|n| self.key_of(n)) {
            counts[usize::from(slot)] += 1;
        }
        counts
    }

    /// A fingerprint of the operations of all clients: of the commands, the bytes of keys and values, and the first
    /// operations of each of the workload's clients, from which the rest follows.
    pub fn stream_hash(self: &Arc<Self>) -> u64 {
        let mut hash = Fnv::new();
        for entry in &self.spec.mix {
            for text in [&entry.command].into_iter().chain(&entry.args) {
                hash.write(text.as_bytes());
                hash.write(&[0]);
            }
            hash.write(&entry.keys.to_le_bytes());
            for text in entry.send.iter().flatten().chain(&entry.script) {
                hash.write(text.as_bytes());
                hash.write(&[0]);
            }
        }
        hash.write(&self.values.pool()[..4096]);
        let mut parts = Parts::default();
        for client in 0..self.spec.run.clients {
            let mut stream = self.client_stream(client);
            for _ in 0..HASHED_OPS {
                let op = stream.next_op();
                hash.write(&op.command.to_le_bytes());
                hash.write(&op.value.to_le_bytes());
                hash.write(&op.value_len.to_le_bytes());
                if self.is_split(&op) {
                    self.split(&op, &mut parts);
                    parts
                        .keys
                        .iter()
                        .for_each(|&(_, key)| hash.write(&self.format.bytes(key)));
                } else {
                    hash.write(&self.format.bytes(op.key));
                }
            }
        }
        hash.0
    }
}

fn filling(op: &Op, part: usize) -> Filling {
    Filling {
        key: op.key,
        value: op.value,
        value_len: op.value_len,
        part,
    }
}

fn seed_for(seed: u64, purpose: Use, index: u64) -> u64 {
    mix(mix(mix(seed).wrapping_add(purpose as u64)).wrapping_add(index))
}

/// FNV-1a, 64 bits: it is written into results, so it must be the same for ever.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
