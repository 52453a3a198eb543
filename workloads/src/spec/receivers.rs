//! `[receivers]`: connections beside the load that receive what it sends, through a list or a channel.

use serde::Serialize;

use super::error::SpecError;
use super::model::{Origin, Spec};
use super::section::{Section, nearest};
use crate::template::Name;

/// Most connections of all receivers together.
pub const MAX_RECEIVERS: u64 = 10_000;

/// Who receives what the load sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Receivers {
    pub command: ReceiveCommand,
    /// The list or channel, with `$key` in it.
    pub from: String,
    /// Receivers for each key.
    pub per_key: u32,
}

/// How it is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReceiveCommand {
    /// Each item goes to one receiver.
    Blpop,
    Brpop,
    /// Each message goes to all receivers of its channel.
    Subscribe,
    Ssubscribe,
}

impl ReceiveCommand {
    const ALL: [Self; 4] = [Self::Brpop, Self::Blpop, Self::Subscribe, Self::Ssubscribe];

    /// In upper case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blpop => "BLPOP",
            Self::Brpop => "BRPOP",
            Self::Subscribe => "SUBSCRIBE",
            Self::Ssubscribe => "SSUBSCRIBE",
        }
    }

    /// Whether an item is gone once one receiver has it.
    pub fn takes(self) -> bool {
        matches!(self, Self::Blpop | Self::Brpop)
    }
}

pub(super) const RECEIVERS: &[&str] = &["command", "from", "per_key"];

/// Reads `[receivers]`.
pub(super) fn receivers(section: &Section<'_>, origin: &mut Origin) -> Result<Receivers, SpecError> {
    let names = || ReceiveCommand::ALL.map(ReceiveCommand::name);
    let Some(name) = section.text("command", origin)? else {
        let message = format!("is missing: one of {}", names().join(", "));
        return Err(section.error("command", message));
    };
    let found = ReceiveCommand::ALL
        .into_iter()
        .find(|command| command.name().eq_ignore_ascii_case(name));
    let Some(command) = found else {
        let near = nearest(name, names().into_iter());
        let hint = near
            .map(|near| format!("; did you mean {near}?"))
            .unwrap_or_default();
        let message = format!("unknown command {name:?}; there are {}{hint}", names().join(", "));
        return Err(section.error("command", message));
    };
    let Some(from) = section.text("from", origin)? else {
        let message = "is missing: the list or channel that the load sends to, e.g. \"queue:$key\"";
        return Err(section.error("from", message));
    };
    Ok(Receivers {
        command,
        from: from.to_owned(),
        per_key: section.count_u32("per_key", origin)?.unwrap_or(1),
    })
}

impl Spec {
    pub(super) fn validate_receivers(&self) -> Result<(), SpecError> {
        let Some(receivers) = &self.receivers else {
            return Ok(());
        };
        self.within("receivers.per_key", receivers.per_key, 1, MAX_RECEIVERS as u32)?;
        let all = self.keyspace.keys.saturating_mul(receivers.per_key.into());
        if all > MAX_RECEIVERS {
            let message = format!(
                "{} keys with {} receivers each are {all} connections; {MAX_RECEIVERS} are possible: lower keyspace.keys",
                self.keyspace.keys, receivers.per_key
            );
            return Err(self.error("receivers.per_key", message));
        }
        Name::new(&receivers.from).map_err(|message| self.error("receivers.from", message))?;
        if !receivers.from.contains("$key") {
            let message = "has no $key in it: each key of the workload has a list or channel of its own";
            return Err(self.error("receivers.from", message));
        }
        if self.calm_share().is_some() {
            let message = "[storm] and [neighbor] compare a calm part with another; with [receivers] they do not go together";
            return Err(self.error("receivers", message));
        }
        let sends = |entry: &super::MixEntry| {
            entry
                .send
                .iter()
                .any(|words| words.last().is_some_and(|word| word == "$value"))
        };
        if !self.mix.iter().any(|entry| entry.weight > 0 && sends(entry)) {
            let message = format!(
                "nothing is sent to {:?}: an entry of the mix needs a send that ends in \"$value\"",
                receivers.from
            );
            return Err(self.error("receivers.from", message));
        }
        if self.values.size.min() < STAMP_LEN {
            let message = format!(
                "{STAMP_LEN} bytes of each value say which one it is; make values.size at least that"
            );
            return Err(self.error("values.size", message));
        }
        Ok(())
    }
}

/// Bytes at the start of a value by which its receiver knows it.
pub const STAMP_LEN: u32 = 16;
