//! TOML to model, one function a section. Every default of the format is in this file.

use std::time::Duration;

use toml::de::{DeArray, DeTable, DeValue};

use super::beside;
use super::error::SpecError;
use super::fault::{DEFAULT_FAULT, Fault, FaultKind, MAX_FAULTS};
use super::mix::{self, MAX_PRELOAD};
use super::model::{
    Arrival, Check, ClusterShape, Keyspace, MAX_MIX, MixEntry, OpenLoop, Origin, Preload, Process, ReadFrom,
    Run, Shape, Size, Spec, Spread, Traffic, ValueKind, Values,
};
use super::receivers;
use super::section::{Section, Source, decimal, integer, nearest, shown};
use crate::sizes::{KeySizes, ParetoSizes};

const TOP: &[&str] = &[
    "question",
    "expectation",
    "reading",
    "keyspace",
    "preload",
    "mix",
    "traffic",
    "values",
    "arrival",
    "run",
    "cluster",
    "fault",
    "storm",
    "neighbor",
    "receivers",
    "check",
];

impl Spec {
    /// Reads a workload. `file` names it in errors; `name` is what results call it.
    pub fn parse(name: &str, file: &str, text: &str) -> Result<Self, SpecError> {
        let source = Source { file, text };
        let root = DeTable::parse(text).map_err(|error| {
            let line = error.span().map(|span| source.line(span.start));
            source.error(line, "", error.message())
        })?;
        let reader = Reader {
            source: &source,
            root: root.get_ref(),
        };
        let mut origin = Origin {
            file: file.to_owned(),
            ..Origin::default()
        };
        let top = Section::open(&source, "", Some(root.get_ref()), None, TOP)?;
        let question = top
            .text("question", &mut origin)?
            .unwrap_or_default()
            .trim()
            .to_owned();
        let expectation = top
            .text("expectation", &mut origin)?
            .unwrap_or_default()
            .trim()
            .to_owned();
        let reading = top
            .text("reading", &mut origin)?
            .unwrap_or_default()
            .trim()
            .to_owned();
        let spec = Spec {
            name: name.to_owned(),
            question,
            expectation,
            reading,
            keyspace: reader.keyspace(&mut origin)?,
            preload: reader.preload(&mut origin)?,
            mix: reader.mix(&mut origin)?,
            traffic: reader.traffic(&mut origin)?,
            values: reader.values(&mut origin)?,
            arrival: reader.arrival(&mut origin)?,
            run: reader.run(&mut origin)?,
            cluster: reader.cluster(&mut origin)?,
            fault: reader.faults(&mut origin)?,
            storm: reader
                .optional("storm", beside::STORM)?
                .map(|section| beside::storm(&section, &mut origin))
                .transpose()?,
            neighbor: reader
                .optional("neighbor", beside::NEIGHBOR)?
                .map(|section| beside::neighbor(&section, &mut origin))
                .transpose()?,
            receivers: reader
                .optional("receivers", receivers::RECEIVERS)?
                .map(|section| receivers::receivers(&section, &mut origin))
                .transpose()?,
            check: reader.check(&mut origin)?,
            origin,
        };
        spec.validate()?;
        Ok(spec)
    }
}

struct Reader<'a> {
    source: &'a Source<'a>,
    root: &'a DeTable<'a>,
}

impl<'a> Reader<'a> {
    fn section(&self, name: &str, known: &[&str]) -> Result<Section<'a>, SpecError> {
        let Some(value) = self.root.get(name) else {
            return Section::open(self.source, format!("{name}."), None, None, known);
        };
        let line = self.source.line(value.span().start);
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self
                .source
                .error(Some(line), name, format!("a section [{name}] is wanted")));
        };
        Section::open(self.source, format!("{name}."), Some(table), Some(line), known)
    }

    /// A section that means something only where it is there.
    fn optional(&self, name: &str, known: &[&str]) -> Result<Option<Section<'a>>, SpecError> {
        let is_there = self.root.get(name).is_some();
        is_there.then(|| self.section(name, known)).transpose()
    }

    fn keyspace(&self, origin: &mut Origin) -> Result<Keyspace, SpecError> {
        let section = self.section(
            "keyspace",
            &["keys", "key_size", "keys_per_tag", "spread", "stored"],
        )?;
        let spread = match section.text("spread", origin)? {
            None | Some("hash") => Spread::Hash,
            Some("even") => Spread::Even,
            Some(other) => {
                return Err(section.error(
                    "spread",
                    format!("unknown spread {other:?}; there are hash and even"),
                ));
            }
        };
        let (key_size, key_sizes) = key_size(&section, origin)?;
        Ok(Keyspace {
            keys: section.count("keys", origin)?.unwrap_or(1_000_000),
            key_size,
            key_sizes,
            keys_per_tag: section.count_u32("keys_per_tag", origin)?,
            spread,
            stored: section.boolean("stored", origin)?.unwrap_or(true),
        })
    }

    fn preload(&self, origin: &mut Origin) -> Result<Vec<Preload>, SpecError> {
        let Some(value) = self.root.get("preload") else {
            return Ok(Vec::new());
        };
        let line = self.source.line(value.span().start);
        let wanted = || {
            let message = format!("a list of 1 to {MAX_PRELOAD} [[preload]] sections is wanted");
            self.source.error(Some(line), "preload", message)
        };
        let entries = value.get_ref().as_array().ok_or_else(wanted)?;
        let mut all = Vec::with_capacity(entries.len().min(MAX_PRELOAD));
        for (at, entry) in entries.iter().enumerate() {
            let line = self.source.line(entry.span().start);
            let DeValue::Table(table) = entry.get_ref() else {
                return Err(wanted());
            };
            let prefix = format!("preload[{at}].");
            let section = Section::open(self.source, prefix, Some(table), Some(line), mix::PRELOAD)?;
            all.push(mix::preload(&section, origin)?);
        }
        Ok(all)
    }

    fn mix(&self, origin: &mut Origin) -> Result<Vec<MixEntry>, SpecError> {
        let Some(value) = self.root.get("mix") else {
            return Ok(vec![MixEntry {
                command: "GET".into(),
                weight: 1,
                keys: 1,
                ..MixEntry::default()
            }]);
        };
        let line = self.source.line(value.span().start);
        let DeValue::Array(entries) = value.get_ref() else {
            return Err(self
                .source
                .error(Some(line), "mix", "a list of [[mix]] sections is wanted"));
        };
        if entries.is_empty() || entries.len() > MAX_MIX {
            return Err(self
                .source
                .error(Some(line), "mix", format!("1 to {MAX_MIX} entries are wanted")));
        }
        self.mix_entries(entries, origin)
    }

    fn mix_entries(&self, entries: &'a DeArray<'a>, origin: &mut Origin) -> Result<Vec<MixEntry>, SpecError> {
        let mut mix = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            let line = self.source.line(entry.span().start);
            let DeValue::Table(table) = entry.get_ref() else {
                return Err(self
                    .source
                    .error(Some(line), "mix", "a list of [[mix]] sections is wanted"));
            };
            let known = mix::MIX;
            let section = Section::open(self.source, format!("mix[{at}]."), Some(table), Some(line), known)?;
            mix.push(mix::mix_entry(&section, origin)?);
        }
        Ok(mix)
    }

    fn traffic(&self, origin: &mut Origin) -> Result<Traffic, SpecError> {
        let known = &["distribution", "theta", "share", "slot", "hot_keys"];
        let section = self.section("traffic", known)?;
        let distribution = section.text("distribution", origin)?.unwrap_or("uniform");
        let (traffic, own): (_, &[&str]) = match distribution {
            "uniform" => (Traffic::Uniform, &[]),
            "zipf" => {
                let theta = section.number("theta", origin)?.unwrap_or(0.99);
                (Traffic::Zipf { theta }, &["theta"])
            }
            "hotslot" => {
                let slot = section.count("slot", origin)?.unwrap_or(7777);
                let slot = u16::try_from(slot).map_err(|_| section.error("slot", "slots are 0 to 16383"))?;
                let share = section.number("share", origin)?.unwrap_or(0.25);
                let keys = section.count("hot_keys", origin)?.unwrap_or(1000);
                (
                    Traffic::Hotslot { share, slot, keys },
                    &["share", "slot", "hot_keys"],
                )
            }
            other => {
                let near = nearest(other, ["uniform", "zipf", "hotslot"].into_iter());
                let hint = near
                    .map(|near| format!("; did you mean \"{near}\"?"))
                    .unwrap_or_default();
                let message =
                    format!("unknown distribution {other:?}; there are uniform, zipf and hotslot{hint}");
                return Err(section.error("distribution", message));
            }
        };
        let foreign = known
            .iter()
            .skip(1)
            .find(|key| section.raw(key).is_some() && !own.contains(key));
        match foreign {
            Some(key) => Err(section.error(key, format!("means nothing to distribution {distribution:?}"))),
            None => Ok(traffic),
        }
    }

    fn values(&self, origin: &mut Origin) -> Result<Values, SpecError> {
        let section = self.section("values", &["size", "kind"])?;
        match section.text("kind", origin)? {
            None | Some("random") => {}
            Some(other) => {
                return Err(section.error("kind", format!("unknown kind {other:?}; there is random")));
            }
        }
        let size = value_size(&section, origin)?;
        Ok(Values {
            size,
            kind: ValueKind::Random,
        })
    }

    fn arrival(&self, origin: &mut Origin) -> Result<Arrival, SpecError> {
        let known = &["mode", "rate", "shape", "to", "steps", "every", "length"];
        let section = self.section("arrival", known)?;
        let process = match section.text("mode", origin)? {
            None if section.raw("rate").is_none() => None,
            Some("closed") => None,
            None | Some("constant") => Some(Process::Constant),
            Some("poisson") => Some(Process::Poisson),
            Some(other) => {
                let message = format!("unknown mode {other:?}; there are closed, constant and poisson");
                return Err(section.error("mode", message));
            }
        };
        let Some(process) = process else {
            return match known.iter().skip(1).find(|key| section.raw(key).is_some()) {
                Some(key) => Err(section.error(key, "means nothing in mode \"closed\"")),
                None => Ok(Arrival::Closed),
            };
        };
        let Some(rate) = section.number_or_count("rate", origin)? else {
            return Err(section.error("rate", "is missing: operations a second of all clients together"));
        };
        Ok(Arrival::Open(OpenLoop {
            process,
            rate,
            shape: shape(&section, origin)?,
        }))
    }

    fn run(&self, origin: &mut Origin) -> Result<Run, SpecError> {
        let known = &[
            "duration",
            "requests",
            "warmup",
            "read_from",
            "timeout",
            "clients",
            "pipeline",
        ];
        let section = self.section("run", known)?;
        Ok(Run {
            duration: section
                .duration("duration", origin)?
                .unwrap_or(Duration::from_secs(10)),
            requests: section.count("requests", origin)?,
            warmup: section
                .duration("warmup", origin)?
                .unwrap_or(Duration::from_secs(1)),
            read_from: read_from(&section, origin)?,
            timeout: section
                .duration("timeout", origin)?
                .unwrap_or(Duration::from_secs(10)),
            clients: section.count_u32("clients", origin)?.unwrap_or(50),
            pipeline: pipeline(&section, origin)?,
        })
    }

    fn cluster(&self, origin: &mut Origin) -> Result<ClusterShape, SpecError> {
        let section = self.section("cluster", &["nodes", "replicas", "node_timeout", "config"])?;
        Ok(ClusterShape {
            nodes: section.count_u32("nodes", origin)?,
            replicas: section.count_u32("replicas", origin)?,
            node_timeout: section.duration("node_timeout", origin)?,
            config: mix::texts(&section, "config", "[\"maxmemory 100mb\"]", origin)?,
        })
    }

    fn faults(&self, origin: &mut Origin) -> Result<Vec<Fault>, SpecError> {
        let Some(value) = self.root.get("fault") else {
            return Ok(Vec::new());
        };
        let line = self.source.line(value.span().start);
        let wanted = || {
            let message = format!("a list of 1 to {MAX_FAULTS} [[fault]] sections is wanted");
            self.source.error(Some(line), "fault", message)
        };
        let DeValue::Array(entries) = value.get_ref() else {
            return Err(wanted());
        };
        if entries.is_empty() || entries.len() > MAX_FAULTS {
            return Err(wanted());
        }
        let mut faults = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            let line = self.source.line(entry.span().start);
            let DeValue::Table(table) = entry.get_ref() else {
                return Err(wanted());
            };
            let known = &["kind", "at", "shard", "rolling", "for", "restart", "command"];
            let prefix = format!("fault[{at}].");
            let section = Section::open(self.source, prefix, Some(table), Some(line), known)?;
            faults.push(fault(&section, origin)?);
        }
        Ok(faults)
    }

    fn check(&self, origin: &mut Origin) -> Result<Check, SpecError> {
        let section = self.section("check", &["max_errors", "hot_share_points"])?;
        Ok(Check {
            max_errors: section.count("max_errors", origin)?,
            hot_share_points: section.number("hot_share_points", origin)?,
        })
    }
}

/// One length for all keys, or a distribution of lengths of which `min` is the shortest.
fn key_size(section: &Section<'_>, origin: &mut Origin) -> Result<(u32, Option<KeySizes>), SpecError> {
    let Some((DeValue::Table(_), _)) = section.value("key_size", origin) else {
        return Ok((section.count_u32("key_size", origin)?.unwrap_or(16), None));
    };
    let sizes = section.table("key_size", &["location", "scale", "shape", "min", "max"], origin)?;
    let wanted = |key: &str| {
        let message = format!("{key} is missing: a distribution has location, scale, shape, min and max");
        section.error("key_size", message)
    };
    let number = |key: &str, origin: &mut Origin| sizes.number(key, origin)?.ok_or_else(|| wanted(key));
    let count = |key: &str, origin: &mut Origin| sizes.count_u32(key, origin)?.ok_or_else(|| wanted(key));
    let sizes = KeySizes {
        location: number("location", origin)?,
        scale: number("scale", origin)?,
        shape: number("shape", origin)?,
        min: count("min", origin)?,
        max: count("max", origin)?,
    };
    Ok((sizes.min, Some(sizes)))
}

/// One length for all values, bounds of an even spread, or a table with a Pareto tail.
fn value_size(section: &Section<'_>, origin: &mut Origin) -> Result<Size, SpecError> {
    let Some((DeValue::Table(table), _)) = section.value("size", origin) else {
        return Ok(Size::Fixed(section.count_u32("size", origin)?.unwrap_or(64)));
    };
    if table.get("scale").is_some() {
        return pareto_size(section, origin);
    }
    let range = section.table("size", &["min", "max"], origin)?;
    match (range.count_u32("min", origin)?, range.count_u32("max", origin)?) {
        (Some(min), Some(max)) if min <= max => Ok(Size::Range { min, max }),
        (Some(_), Some(_)) => Err(section.error("size", "min is larger than max")),
        _ => Err(section.error("size", "min and max are both wanted")),
    }
}

fn pareto_size(section: &Section<'_>, origin: &mut Origin) -> Result<Size, SpecError> {
    let sizes = section.table("size", &["small", "location", "scale", "shape", "max"], origin)?;
    let small = match sizes.value("small", origin) {
        None => Vec::new(),
        Some((value, _)) => {
            let shares = value
                .as_array()
                .map(|shares| shares.iter().map(|share| decimal(share.get_ref())));
            let shares: Option<Vec<f64>> = shares.and_then(Iterator::collect);
            let message =
                "a list of probabilities is wanted, of 0 bytes, 1 byte, and so on, e.g. [0.1, 0.05]";
            shares.ok_or_else(|| section.error("size", message))?
        }
    };
    let number = |key: &str, origin: &mut Origin| {
        let message = format!("{key} is missing: the tail has location, scale and shape");
        sizes
            .number(key, origin)?
            .ok_or_else(|| section.error("size", message))
    };
    Ok(Size::Pareto(ParetoSizes {
        location: sizes.count_u32("location", origin)?.unwrap_or(small.len() as u32),
        scale: number("scale", origin)?,
        shape: number("shape", origin)?,
        max: sizes.count_u32("max", origin)?.unwrap_or(1_000_000),
        small,
    }))
}

fn read_from(section: &Section<'_>, origin: &mut Origin) -> Result<ReadFrom, SpecError> {
    match section.text("read_from", origin)? {
        None | Some("primary") => Ok(ReadFrom::Primary),
        Some("replica") => Ok(ReadFrom::Replica),
        Some(other) => {
            let message = format!("unknown place {other:?}; there are primary and replica");
            Err(section.error("read_from", message))
        }
    }
}

fn fault(section: &Section<'_>, origin: &mut Origin) -> Result<Fault, SpecError> {
    let name = section.text("kind", origin)?.unwrap_or("kill");
    let own: &[&str] = match name {
        "kill" | "term" => &["restart"],
        "stop" | "partition" | "pause" => &["for"],
        "command" => &["command"],
        "failover" => &[],
        other => {
            let near = nearest(other, FaultKind::NAMES.into_iter());
            let hint = near
                .map(|near| format!("; did you mean \"{near}\"?"))
                .unwrap_or_default();
            let message = format!(
                "unknown kind {other:?}; there are {}{hint}",
                FaultKind::NAMES.join(", ")
            );
            return Err(section.error("kind", message));
        }
    };
    let foreign = ["restart", "for", "command"]
        .into_iter()
        .find(|key| section.raw(key).is_some() && !own.contains(key));
    if let Some(key) = foreign {
        return Err(section.error(key, format!("means nothing to kind {name:?}")));
    }
    let restart = section.duration("restart", origin)?;
    let length = section.duration("for", origin)?.unwrap_or(DEFAULT_FAULT);
    let kind = match name {
        "kill" => FaultKind::Kill { restart },
        "term" => FaultKind::Term { restart },
        "stop" => FaultKind::Stop { length },
        "partition" => FaultKind::Partition { length },
        "pause" => FaultKind::Pause { length },
        "failover" => FaultKind::Failover,
        _ => match section.text("command", origin)? {
            Some(command) => FaultKind::Command {
                command: command.to_owned(),
            },
            None => return Err(section.error("command", "is missing: the command line to run")),
        },
    };
    Ok(Fault {
        kind,
        at: section
            .duration("at", origin)?
            .ok_or_else(|| section.error("at", "is missing: when, since the start of the measured time"))?,
        shard: section.count_u32("shard", origin)?.unwrap_or(0),
        rolling: section.duration("rolling", origin)?,
    })
}

fn shape(section: &Section<'_>, origin: &mut Origin) -> Result<Shape, SpecError> {
    let name = section.text("shape", origin)?.unwrap_or("steady");
    let own: &[&str] = match name {
        "steady" => &[],
        "ramp" => &["to"],
        "step" => &["to", "steps"],
        "burst" => &["to", "every", "length"],
        other => {
            let message = format!("unknown shape {other:?}; there are steady, ramp, step and burst");
            return Err(section.error("shape", message));
        }
    };
    let all = ["to", "steps", "every", "length"];
    if let Some(key) = all
        .iter()
        .find(|key| section.raw(key).is_some() && !own.contains(key))
    {
        return Err(section.error(key, format!("means nothing to shape {name:?}")));
    }
    let to = section.number_or_count("to", origin)?;
    let steps = section.count_u32("steps", origin)?;
    let every = section.duration("every", origin)?;
    let length = section.duration("length", origin)?;
    let to = match (name, to) {
        ("steady", _) => return Ok(Shape::Steady),
        (_, Some(to)) => to,
        (_, None) => return Err(section.error("to", format!("is missing: the other rate of a {name}"))),
    };
    Ok(match name {
        "ramp" => Shape::Ramp { to },
        "step" => Shape::Step {
            to,
            steps: steps.unwrap_or(5),
        },
        _ => Shape::Burst {
            to,
            every: every.unwrap_or(Duration::from_secs(5)),
            length: length.unwrap_or(Duration::from_millis(500)),
        },
    })
}

fn pipeline(section: &Section<'_>, origin: &mut Origin) -> Result<Vec<u32>, SpecError> {
    let Some((DeValue::Array(depths), _)) = section.value("pipeline", origin) else {
        return Ok(vec![section.count_u32("pipeline", origin)?.unwrap_or(1)]);
    };
    let depth = |depth: &DeValue<'_>| {
        let number = integer(depth).and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| {
            section.error(
                "pipeline",
                format!("a depth is a whole number, not {}", shown(depth)),
            )
        })
    };
    depths.iter().map(|value| depth(value.get_ref())).collect()
}
