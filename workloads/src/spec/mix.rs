//! `[[mix]]` and `[[preload]]`: which commands there are, how they are spelled, what follows them, what is counted.

use std::collections::BTreeMap;
use std::time::Duration;

use slotcore::command::{CommandFlags, lookup};
use slotcore::resp::ArgRange;
use toml::de::DeValue;

use super::error::SpecError;
use super::model::{MixEntry, Origin, Preload, Spec};
use super::section::{Section, nearest};
use crate::command::{self, Arity};
use crate::reply::Condition;
use crate::template::{self, IN_MIX, IN_PRELOAD, Template};

/// Most commands of one operation.
pub const MAX_COMMANDS: usize = 16;
/// Most words of one command.
pub const MAX_WORDS: usize = 256;
/// Most counters of one entry.
pub const MAX_COUNTERS: usize = 8;
/// Most entries of a preload, and how often each is sent for a key.
pub const MAX_PRELOAD: usize = 16;
pub const MAX_TIMES: u32 = 10_000_000;

pub(super) const MIX: &[&str] = &[
    "command", "weight", "keys", "split", "fill", "args", "name", "send", "script", "count", "then", "after",
    "holds",
];
pub(super) const PRELOAD: &[&str] = &["send", "times"];

/// Commands that change what a connection is, or hold it up: no operation of a mix.
const NOT_IN_A_MIX: &[&str] = &[
    "SUBSCRIBE",
    "PSUBSCRIBE",
    "SSUBSCRIBE",
    "UNSUBSCRIBE",
    "PUNSUBSCRIBE",
    "SUNSUBSCRIBE",
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH",
    "UNWATCH",
    "MONITOR",
    "CLIENT",
    "HELLO",
    "AUTH",
    "QUIT",
    "RESET",
    "ASKING",
    "READONLY",
    "READWRITE",
    "SELECT",
    "SYNC",
    "PSYNC",
    "REPLCONF",
    "WAIT",
    "SHUTDOWN",
];

/// Reads one `[[mix]]` section.
pub(super) fn mix_entry(section: &Section<'_>, origin: &mut Origin) -> Result<MixEntry, SpecError> {
    let mut entry = if section.raw("send").is_some() {
        template_entry(section, origin)?
    } else {
        plain_entry(section, origin)?
    };
    entry.weight = section.count("weight", origin)?.unwrap_or(1);
    entry.name = section.text("name", origin)?.map(str::to_owned);
    if entry
        .name
        .as_ref()
        .is_some_and(|name| name.is_empty() || name.len() > 64)
    {
        return Err(section.error("name", "a name has 1 to 64 bytes"));
    }
    entry.count = counters(section, origin)?;
    entry.then = section.text("then", origin)?.map(str::to_owned);
    entry.after = section.duration("after", origin)?.unwrap_or(Duration::ZERO);
    entry.holds = section.duration("holds", origin)?;
    for key in ["after", "holds"] {
        if section.raw(key).is_some() && entry.then.is_none() {
            return Err(section.error(
                key,
                "means nothing without then, the name of the entry that follows",
            ));
        }
    }
    Ok(entry)
}

/// A command with keys, values and arguments in their usual order.
fn plain_entry(section: &Section<'_>, origin: &mut Origin) -> Result<MixEntry, SpecError> {
    let Some(name) = section.text("command", origin)? else {
        let message = "is missing; a command that is not in the list is spelled out as send = [\"HGET\", \"$key\", \"name\"]";
        return Err(section.error("command", message));
    };
    let Some(kind) = command::kind(name) else {
        let near = nearest(name, command::names());
        let hint = near
            .map(|near| format!("; did you mean {near}?"))
            .unwrap_or_default();
        let there_is: Vec<&str> = command::names().collect();
        let message = format!(
            "unknown command {name:?}; there are {}{hint} (spell others out with send)",
            there_is.join(", ")
        );
        return Err(section.error("command", message));
    };
    if section.raw("script").is_some() {
        return Err(section.error(
            "script",
            "means nothing without send = [\"EVALSHA\", \"$script\", ...]",
        ));
    }
    let keys = section.count_u32("keys", origin)?;
    let split = section.boolean("split", origin)?.unwrap_or(false);
    if kind.arity == Arity::One && (keys.is_some_and(|keys| keys != 1) || split) {
        let key = if split { "split" } else { "keys" };
        return Err(section.error(key, format!("{} takes one key", kind.name)));
    }
    Ok(MixEntry {
        command: kind.name.to_owned(),
        keys: keys.unwrap_or(if kind.arity == Arity::Many { 10 } else { 1 }),
        split,
        fill: section.boolean("fill", origin)?.unwrap_or(false),
        args: texts(section, "args", "[\"EX\", \"60\"]", origin)?,
        ..MixEntry::default()
    })
}

/// Commands spelled out word by word.
fn template_entry(section: &Section<'_>, origin: &mut Origin) -> Result<MixEntry, SpecError> {
    for key in ["command", "keys", "split", "fill", "args"] {
        if section.raw(key).is_some() {
            return Err(section.error(
                key,
                "means nothing beside send, which has all words of the command",
            ));
        }
    }
    let example = "[\"HGET\", \"$key\", \"name\"]";
    let is_list_of_lists = section
        .raw("send")
        .and_then(|value| value.get_ref().as_array())
        .is_some_and(|all| all.iter().any(|one| one.get_ref().as_array().is_some()));
    let send = if is_list_of_lists {
        let Some((DeValue::Array(all), _)) = section.value("send", origin) else {
            return Err(section.error("send", "a list of commands is wanted"));
        };
        let lists: Option<Vec<Vec<String>>> = all.iter().map(|one| list_of_texts(one.get_ref())).collect();
        let message = format!("a list of words is wanted, or a list of such lists, e.g. {example}");
        lists.ok_or_else(|| section.error("send", message))?
    } else {
        vec![texts(section, "send", example, origin)?]
    };
    if send.is_empty() || send.len() > MAX_COMMANDS {
        return Err(section.error("send", format!("1 to {MAX_COMMANDS} commands are wanted")));
    }
    let script = section.text("script", origin)?.map(str::to_owned);
    let command = send[0].first().map(|word| word.to_ascii_uppercase());
    Ok(MixEntry {
        command: command.unwrap_or_default(),
        keys: 1,
        send,
        script,
        ..MixEntry::default()
    })
}

fn counters(section: &Section<'_>, origin: &mut Origin) -> Result<BTreeMap<String, Condition>, SpecError> {
    let wanted = "a table of counters and conditions is wanted, e.g. { hit = \"any\", miss = \"nil\" }";
    let Some((value, _)) = section.value("count", origin) else {
        return Ok(BTreeMap::new());
    };
    let DeValue::Table(table) = value else {
        return Err(section.error("count", wanted));
    };
    if table.len() > MAX_COUNTERS {
        return Err(section.error("count", format!("{MAX_COUNTERS} counters at most")));
    }
    let mut counters = BTreeMap::new();
    for (name, text) in table.iter() {
        let Some(text) = text.get_ref().as_str() else {
            return Err(section.error("count", wanted));
        };
        let Some(condition) = Condition::parse(text) else {
            let message = format!(
                "unknown condition {text:?}; there are any, nil, empty, and a comparison with a whole number such as \"<= 100\""
            );
            return Err(section.error("count", message));
        };
        counters.insert(name.get_ref().to_string(), condition);
    }
    Ok(counters)
}

fn list_of_texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    let texts = value.as_array()?.iter();
    texts
        .map(|text| text.get_ref().as_str().map(str::to_owned))
        .collect()
}

pub(super) fn texts(
    section: &Section<'_>,
    key: &str,
    example: &str,
    origin: &mut Origin,
) -> Result<Vec<String>, SpecError> {
    let Some((value, _)) = section.value(key, origin) else {
        return Ok(Vec::new());
    };
    let message = format!("a list of texts is wanted, e.g. {example}");
    list_of_texts(value).ok_or_else(|| section.error(key, message))
}

/// Reads one `[[preload]]` section.
pub(super) fn preload(section: &Section<'_>, origin: &mut Origin) -> Result<Preload, SpecError> {
    Ok(Preload {
        send: texts(
            section,
            "send",
            "[\"ZADD\", \"$key\", \"1\", \"member:$index\"]",
            origin,
        )?,
        times: section.count_u32("times", origin)?.unwrap_or(1),
    })
}

impl Spec {
    /// Rules of templates, scripts and what follows.
    pub(super) fn validate_templates(&self) -> Result<(), SpecError> {
        for (at, entry) in self.mix.iter().enumerate() {
            let key = |name: &str| format!("mix[{at}].{name}");
            for words in &entry.send {
                check_command(words, IN_MIX).map_err(|message| self.error(&key("send"), message))?;
            }
            self.check_script(entry, &key("script"))?;
            let has = |wanted: &str| entry.send.iter().flatten().any(|word| word.contains(wanted));
            if has("$token") && has("$value") {
                let message = "$token and $value in one entry: an operation has room for one of them";
                return Err(self.error(&key("send"), message));
            }
            self.check_sequel(at, entry)?;
            if self.keyspace.key_sizes.is_some() && (entry.keys > 1 || entry.split) {
                let message = format!(
                    "keys of several lengths go one to a command; {} has {}",
                    entry.command, entry.keys
                );
                return Err(self.error(&key("keys"), message));
            }
        }
        if self.preload.len() > MAX_PRELOAD {
            return Err(self.error("preload", format!("{MAX_PRELOAD} entries at most")));
        }
        for (at, entry) in self.preload.iter().enumerate() {
            check_command(&entry.send, IN_PRELOAD)
                .map_err(|message| self.error(&format!("preload[{at}].send"), message))?;
            self.within(&format!("preload[{at}].times"), entry.times, 1, MAX_TIMES)?;
        }
        Ok(())
    }

    fn check_script(&self, entry: &MixEntry, key: &str) -> Result<(), SpecError> {
        let placed = entry
            .send
            .iter()
            .flatten()
            .filter(|word| word.contains("$script"))
            .count();
        let is_whole = entry.send.len() == 1
            && entry.send[0].len() >= 2
            && entry.command == "EVALSHA"
            && entry.send[0][1] == "$script";
        match (&entry.script, placed) {
            (None, 0) => Ok(()),
            (None, _) => Err(self.error(key, "is missing: the Lua text whose SHA1 stands for $script")),
            (Some(_), 1) if is_whole => Ok(()),
            (Some(_), _) => Err(self.error(
                key,
                "a script is called as the only command of an entry: send = [\"EVALSHA\", \"$script\", \"1\", \"$key\"]",
            )),
        }
    }

    fn check_sequel(&self, at: usize, entry: &MixEntry) -> Result<(), SpecError> {
        let key = |name: &str| format!("mix[{at}].{name}");
        let Some(then) = &entry.then else { return Ok(()) };
        let Some(sequel) = self.mix.iter().find(|other| other.name.as_ref() == Some(then)) else {
            let message = format!("no entry of the mix has name = {then:?}");
            return Err(self.error(&key("then"), message));
        };
        if entry.send.is_empty() || sequel.send.is_empty() {
            let message = "both entries, this and the one that follows, are spelled out with send";
            return Err(self.error(&key("then"), message));
        }
        if sequel.then.is_some() {
            return Err(self.error(
                &key("then"),
                "what follows has a then of its own; one step is possible",
            ));
        }
        if sequel.send.len() > 1 || entry.send.len() > 1 {
            return Err(self.error(&key("then"), "both entries have one command each"));
        }
        if entry.after > Duration::from_secs(3) {
            return Err(self.error(
                &key("after"),
                "3s at most: after that the end of a round would not wait for it",
            ));
        }
        match entry.holds {
            Some(holds) if holds.is_zero() => Err(self.error(&key("holds"), "longer than nothing is wanted")),
            _ => Ok(()),
        }
    }
}

/// Whether a command can be an operation, and every key of it is one of the workload's.
fn check_command(words: &[String], allowed: &[&str]) -> Result<(), String> {
    if words.is_empty() || words.len() > MAX_WORDS {
        return Err(format!("a command has 1 to {MAX_WORDS} words"));
    }
    let name = words[0].to_ascii_uppercase();
    let Some(spec) = lookup(name.as_bytes()) else {
        return Err(format!("unknown command {:?}", words[0]));
    };
    if NOT_IN_A_MIX.contains(&name.as_str()) {
        return Err(format!(
            "{name} changes its connection, which operations of others share"
        ));
    }
    if spec.flags.contains(CommandFlags::BLOCKING) {
        return Err(format!(
            "{name} waits and would hold up its connection; a section [receivers] has connections for that"
        ));
    }
    let template = Template::new(words, Some(""), allowed)?;
    drop(template);
    let mut buf = Vec::new();
    let mut ranges = Vec::new();
    for word in words {
        // Words are short and few: see MAX_WORD and MAX_WORDS.
        let start = buf.len() as u32;
        buf.extend_from_slice(word.as_bytes());
        let end = buf.len() as u32;
        ranges.push(ArgRange { start, end });
    }
    let mut positions = Vec::new();
    let args = slotcore::resp::Args::new(&buf, &ranges);
    if !slotcore::command::arity_ok(spec, words.len()) {
        return Err(format!("{} words are the wrong number for {name}", words.len()));
    }
    slotcore::command::key_positions(spec, &args, &mut positions)
        .map_err(|_| format!("where the keys of {name} are cannot be told from these words"))?;
    for at in positions {
        let word = &words[at as usize];
        let has_key = template::parts(word, allowed)?
            .iter()
            .any(|part| matches!(part, template::Part::Key));
        if !has_key {
            return Err(format!(
                "the key {word:?} of {name} has no $key in it: where it lies would be unknown; write \"{word}:$key\""
            ));
        }
    }
    Ok(())
}
