//! What runs beside the load: connections that come and go, or one client with expensive commands.

use std::time::Duration;

use serde::Serialize;
use slotcore::{SLOT_COUNT, Slot};

use super::error::SpecError;
use super::model::{MAX_VALUE_SIZE, Origin, Spec, seconds};
use super::section::{Section, nearest};

/// Most connections that a storm may have open at once, by its rate and how long each is held.
pub const MAX_STORM_OPEN: f64 = 20_000.0;
/// Most elements of a neighbour's hash or set.
pub const MAX_ELEMENTS: u32 = 10_000_000;
/// Most clients of a neighbour.
pub const MAX_NEIGHBORS: u32 = 64;
/// Parts of the measured time that may be calm.
const CALM: (f64, f64) = (0.05, 0.95);

/// `[storm]`: connections that are opened at a rate, ask once, are held and closed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Storm {
    /// Connections a second.
    pub rate: f64,
    /// How long each is held after its answer.
    #[serde(rename = "hold_s", serialize_with = "seconds")]
    pub hold: Duration,
    /// What each asks.
    pub command: StormCommand,
    /// The part of the measured time before it begins.
    pub from: f64,
}

/// What a connection of a storm asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum StormCommand {
    Ping,
    /// One key of the workload, at its owner.
    Get,
}

/// `[neighbor]`: commands that go over all of one large key, again and again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Neighbor {
    #[serde(flatten)]
    pub kind: NeighborKind,
    /// Where its key lies.
    pub slot: Slot,
    /// Clients, each with one command under way at most.
    pub clients: u32,
    /// From one command of a client to its next, or more if the answer takes longer; zero for no pause at all.
    #[serde(rename = "every_s", serialize_with = "seconds")]
    pub every: Duration,
    /// The part of the measured time before it begins.
    pub from: f64,
}

/// The neighbour's key and command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum NeighborKind {
    /// GETRANGE key 0 -1 of so many bytes.
    String { size: u32 },
    /// HGETALL of so many fields.
    Hash { elements: u32 },
    /// SMEMBERS of so many members.
    Set { elements: u32 },
}

pub(super) const STORM: &[&str] = &["rate", "hold", "command", "from"];
pub(super) const NEIGHBOR: &[&str] = &["kind", "size", "elements", "slot", "clients", "every", "from"];

/// Reads `[storm]`.
pub(super) fn storm(section: &Section<'_>, origin: &mut Origin) -> Result<Storm, SpecError> {
    let command = match section.text("command", origin)?.unwrap_or("PING") {
        name if name.eq_ignore_ascii_case("PING") => StormCommand::Ping,
        name if name.eq_ignore_ascii_case("GET") => StormCommand::Get,
        other => {
            return Err(section.error(
                "command",
                format!("unknown command {other:?}; there are PING and GET"),
            ));
        }
    };
    Ok(Storm {
        rate: section.number_or_count("rate", origin)?.unwrap_or(200.0),
        hold: section
            .duration("hold", origin)?
            .unwrap_or(Duration::from_millis(100)),
        command,
        from: section.number("from", origin)?.unwrap_or(0.5),
    })
}

/// Reads `[neighbor]`.
pub(super) fn neighbor(section: &Section<'_>, origin: &mut Origin) -> Result<Neighbor, SpecError> {
    let name = section.text("kind", origin)?.unwrap_or("string");
    let foreign = match name {
        "string" => "elements",
        "hash" | "set" => "size",
        other => {
            let near = nearest(other, ["string", "hash", "set"].into_iter());
            let hint = near
                .map(|near| format!("; did you mean {near:?}?"))
                .unwrap_or_default();
            return Err(section.error(
                "kind",
                format!("unknown kind {other:?}; there are string, hash and set{hint}"),
            ));
        }
    };
    if section.raw(foreign).is_some() {
        return Err(section.error(foreign, format!("means nothing to kind {name:?}")));
    }
    let size = section.count_u32("size", origin)?.unwrap_or(1_000_000);
    let elements = section.count_u32("elements", origin)?.unwrap_or(10_000);
    let slot = section.count("slot", origin)?.unwrap_or(7777);
    Ok(Neighbor {
        kind: match name {
            "string" => NeighborKind::String { size },
            "hash" => NeighborKind::Hash { elements },
            _ => NeighborKind::Set { elements },
        },
        slot: Slot::try_from(slot).map_err(|_| section.error("slot", "slots are 0 to 16383"))?,
        clients: section.count_u32("clients", origin)?.unwrap_or(1),
        every: section.duration("every", origin)?.unwrap_or_default(),
        from: section.number("from", origin)?.unwrap_or(0.5),
    })
}

impl Spec {
    /// The part of the measured time that is calm, if something runs beside the load after it.
    pub fn calm_share(&self) -> Option<f64> {
        let storm = self.storm.as_ref().map(|storm| storm.from);
        storm.or(self.neighbor.as_ref().map(|neighbor| neighbor.from))
    }

    pub(super) fn validate_beside(&self) -> Result<(), SpecError> {
        if self.calm_share().is_some() && self.run.requests.is_some() {
            let message = "a run with [storm] or [neighbor] is bounded by time: it has a calm part first";
            return Err(self.error("run.requests", message));
        }
        if self.storm.is_some() && self.neighbor.is_some() {
            let message = "one at a time, or nobody can tell which of [storm] and [neighbor] it was";
            return Err(self.error("neighbor", message));
        }
        if let Some(storm) = &self.storm {
            self.within("storm.rate", storm.rate, 0.1, 20_000.0)?;
            self.within("storm.from", storm.from, CALM.0, CALM.1)?;
            let open = storm.rate * storm.hold.as_secs_f64();
            if open > MAX_STORM_OPEN {
                let message =
                    format!("{open:.0} connections would be open at once; {MAX_STORM_OPEN} are possible");
                return Err(self.error("storm.hold", message));
            }
        }
        if let Some(neighbor) = &self.neighbor {
            match neighbor.kind {
                NeighborKind::String { size } => self.within("neighbor.size", size, 1, MAX_VALUE_SIZE)?,
                NeighborKind::Hash { elements } | NeighborKind::Set { elements } => {
                    self.within("neighbor.elements", elements, 1, MAX_ELEMENTS)?;
                }
            }
            self.within("neighbor.slot", neighbor.slot, 0, SLOT_COUNT as Slot - 1)?;
            self.within("neighbor.clients", neighbor.clients, 1, MAX_NEIGHBORS)?;
            self.within("neighbor.from", neighbor.from, CALM.0, CALM.1)?;
        }
        Ok(())
    }
}
