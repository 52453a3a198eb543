//! One value for every directive of the table.

use super::directive::Directive;
use super::table::DIRECTIVES;
use super::value::{self, Value};
use super::words;

/// The place of a directive in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DirectiveId(usize);

impl DirectiveId {
    /// Every directive, in the table's order.
    pub fn all() -> impl Iterator<Item = DirectiveId> {
        (0..DIRECTIVES.len()).map(DirectiveId)
    }

    /// The directive with this name or alias, in any case.
    pub fn find(name: &[u8]) -> Option<DirectiveId> {
        let is = |candidate: &str| candidate.as_bytes().eq_ignore_ascii_case(name);
        DirectiveId::all().find(|id| is(id.directive().name) || id.directive().alias.is_some_and(is))
    }

    /// Its row.
    pub fn directive(self) -> &'static Directive {
        &DIRECTIVES[self.0]
    }
}

/// The values of all directives.
#[derive(Clone, Debug, PartialEq)]
pub struct Values(Vec<Value>);

impl Values {
    /// What holds when nothing is configured.
    pub fn defaults() -> Values {
        let default = |directive: &'static Directive| {
            let words = words::split(directive.default.as_bytes()).expect("defaults have no quotes");
            let mut args: Vec<_> = words.into_iter().map(|word| word.bytes).collect();
            if !directive.kind.takes_many() {
                args = vec![directive.default.as_bytes().to_vec()];
            } else if args.is_empty() {
                args.push(Vec::new());
            }
            value::parse(directive.kind, &args, &Value::Bool(false)).expect("a test parses every default")
        };
        Values(DIRECTIVES.iter().map(default).collect())
    }

    /// The value of one directive.
    pub fn get(&self, id: DirectiveId) -> &Value {
        &self.0[id.0]
    }

    /// Sets a directive from the words after its name.
    ///
    /// # Errors
    /// redis-server's text for the mistake; the value stays.
    pub fn set(&mut self, id: DirectiveId, args: &[Vec<u8>]) -> Result<(), String> {
        let value = value::parse(id.directive().kind, args, self.get(id))?;
        self.0[id.0] = checked(id.directive().name, value)?;
        Ok(())
    }

    /// Replaces a value that was parsed before.
    pub(super) fn put(&mut self, id: DirectiveId, value: Value) {
        self.0[id.0] = value;
    }

    pub(super) fn by_name(&self, name: &str) -> &Value {
        let id = DirectiveId::find(name.as_bytes()).expect("only names of the table are asked for");
        self.get(id)
    }
}

/// Rules that concern one directive and not the shape of its value.
fn checked(name: &str, value: Value) -> Result<Value, String> {
    match (name, value) {
        // redis-server takes any number and keeps what it can do.
        ("hz", Value::Int(n)) => Ok(Value::Int(n.clamp(1, 500))),
        ("dbfilename" | "appendfilename" | "appenddirname", Value::Text(text))
            if text.contains(&b'/') || text.is_empty() =>
        {
            Err(if text.is_empty() {
                format!("{name} can't be empty")
            } else if name == "appenddirname" {
                "appenddirname can't be a path, just a dirname".into()
            } else {
                format!("{name} can't be a path, just a filename")
            })
        }
        ("cluster-announce-hostname", Value::Text(text)) if text.len() >= 256 => {
            Err("Hostnames must be less than 256 characters".into())
        }
        ("cluster-announce-hostname", Value::Text(text))
            if !text
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.')) =>
        {
            Err("Hostnames may only contain alphanumeric characters, hyphens or dots".into())
        }
        ("bind", Value::Words(words)) if words.len() > 16 => Err("Too many bind addresses specified.".into()),
        ("replicaof", Value::Words(words)) if !matches!(words.len(), 0 | 2) => {
            Err("wrong number of arguments".into())
        }
        ("replicaof", Value::Words(words))
            if words.len() == 2
                && words[0].eq_ignore_ascii_case(b"no")
                && words[1].eq_ignore_ascii_case(b"one") =>
        {
            Ok(Value::Words(Vec::new()))
        }
        ("replicaof", Value::Words(words))
            if words.len() == 2
                && std::str::from_utf8(&words[1]).map_or(true, |port| port.parse::<u16>().is_err()) =>
        {
            Err("Invalid master port".into())
        }
        (_, value) => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_default_shows_as_it_is_written() {
        let values = Values::defaults();
        for id in DirectiveId::all() {
            let directive = id.directive();
            let shown = values.get(id).show(directive.kind);
            assert_eq!(
                String::from_utf8(shown).unwrap(),
                directive.default,
                "{}",
                directive.name
            );
        }
    }

    #[test]
    fn every_default_reads_back_from_its_lines() {
        let defaults = Values::defaults();
        for id in DirectiveId::all() {
            let (name, kind) = (id.directive().name, id.directive().kind);
            let mut values = Values::defaults();
            for line in defaults.get(id).lines(name, kind) {
                let args: Vec<_> = words::split(line.as_bytes())
                    .unwrap()
                    .into_iter()
                    .map(|w| w.bytes)
                    .collect();
                // An empty file name is the default, yet nothing that a file may give.
                if !(args.len() == 2 && args[1].is_empty()) {
                    values.set(id, &args[1..]).unwrap();
                }
            }
            assert_eq!(values, defaults, "{name}");
        }
    }

    #[test]
    fn names_are_unique_and_lowercase() {
        let mut seen = HashSet::new();
        for directive in DIRECTIVES {
            for name in [Some(directive.name), directive.alias].into_iter().flatten() {
                assert!(seen.insert(name), "{name} is there twice");
                assert_eq!(name, name.to_ascii_lowercase());
            }
        }
    }

    #[test]
    fn names_are_found_in_any_case_and_by_alias() {
        assert_eq!(DirectiveId::find(b"SlaveOf"), DirectiveId::find(b"replicaof"));
        assert_eq!(DirectiveId::find(b"nonsense"), None);
    }
}
