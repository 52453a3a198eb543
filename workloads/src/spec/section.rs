//! One table of a workload file: typed reads that know the line they read from.

use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::SpecError;
use super::model::Origin;
use super::number::{parse_count, parse_duration};

/// The text of the file, for turning offsets into lines.
pub(crate) struct Source<'a> {
    pub file: &'a str,
    pub text: &'a str,
}

impl Source<'_> {
    pub fn line(&self, offset: usize) -> usize {
        let upto = offset.min(self.text.len());
        1 + self.text.as_bytes()[..upto]
            .iter()
            .filter(|&&b| b == b'\n')
            .count()
    }

    pub fn error(
        &self,
        line: Option<usize>,
        key: impl Into<String>,
        message: impl Into<String>,
    ) -> SpecError {
        SpecError {
            file: self.file.to_owned(),
            line,
            key: key.into(),
            message: message.into(),
        }
    }
}

/// A table whose keys are all known.
pub(crate) struct Section<'a> {
    source: &'a Source<'a>,
    /// With the trailing dot; empty for the top of the file.
    prefix: String,
    table: Option<&'a DeTable<'a>>,
    line: Option<usize>,
}

impl<'a> Section<'a> {
    /// Opens a table and refuses the keys that are not in `known`. `table` is `None` for a section that is not there.
    pub fn open(
        source: &'a Source<'a>,
        prefix: impl Into<String>,
        table: Option<&'a DeTable<'a>>,
        line: Option<usize>,
        known: &[&str],
    ) -> Result<Self, SpecError> {
        let prefix = prefix.into();
        for key in table.into_iter().flat_map(DeTable::keys) {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let hint = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("unknown key; did you mean `{near}`?"),
                    None => format!("unknown key; known here: {}", known.join(", ")),
                };
                return Err(source.error(
                    Some(source.line(key.span().start)),
                    format!("{prefix}{name}"),
                    hint,
                ));
            }
        }
        Ok(Self {
            source,
            prefix,
            table,
            line,
        })
    }

    /// The value of a key and its line, which is noted in `origin`.
    pub fn value(&self, key: &str, origin: &mut Origin) -> Option<(&'a DeValue<'a>, usize)> {
        let value = self.table?.get(key)?;
        let line = self.source.line(value.span().start);
        origin.lines.insert(format!("{}{key}", self.prefix), line);
        Some((value.get_ref(), line))
    }

    /// A table within this one, whose keys are all known.
    pub fn table(&self, key: &str, known: &[&str], origin: &mut Origin) -> Result<Section<'a>, SpecError> {
        let Some((DeValue::Table(table), line)) = self.value(key, origin) else {
            return Err(self.error(key, "a table is wanted"));
        };
        let prefix = format!("{}{key}.", self.prefix);
        Section::open(self.source, prefix, Some(table), Some(line), known)
    }

    pub fn raw(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table?.get(key)
    }

    /// An error at `key`, at its own line when it is there, else at the section's.
    pub fn error(&self, key: &str, message: impl Into<String>) -> SpecError {
        let line = self
            .raw(key)
            .map(|value| self.source.line(value.span().start))
            .or(self.line);
        self.source.error(line, format!("{}{key}", self.prefix), message)
    }

    /// A whole number, or a text such as `"10k"`.
    pub fn count(&self, key: &str, origin: &mut Origin) -> Result<Option<u64>, SpecError> {
        let Some((value, _)) = self.value(key, origin) else {
            return Ok(None);
        };
        let count = integer(value).or_else(|| value.as_str().and_then(parse_count));
        let wanted = || {
            self.error(
                key,
                format!(
                    "a whole number is wanted, e.g. 1000 or \"10k\", not {}",
                    shown(value)
                ),
            )
        };
        count.map(Some).ok_or_else(wanted)
    }

    /// Like [`Section::count`], within `u32`.
    pub fn count_u32(&self, key: &str, origin: &mut Origin) -> Result<Option<u32>, SpecError> {
        match self.count(key, origin)? {
            None => Ok(None),
            Some(count) => match u32::try_from(count) {
                Ok(count) => Ok(Some(count)),
                Err(_) => Err(self.error(key, format!("{count} is too large"))),
            },
        }
    }

    /// A number, whole or not.
    pub fn number(&self, key: &str, origin: &mut Origin) -> Result<Option<f64>, SpecError> {
        let Some((value, _)) = self.value(key, origin) else {
            return Ok(None);
        };
        decimal(value)
            .map(Some)
            .ok_or_else(|| self.error(key, format!("a number is wanted, not {}", shown(value))))
    }

    /// A number, or a count in the shape of a text: `0.5`, `1000`, `"10k"`.
    pub fn number_or_count(&self, key: &str, origin: &mut Origin) -> Result<Option<f64>, SpecError> {
        match self.value(key, origin) {
            Some((DeValue::String(_), _)) => Ok(self.count(key, origin)?.map(|count| count as f64)),
            _ => self.number(key, origin),
        }
    }

    pub fn text(&self, key: &str, origin: &mut Origin) -> Result<Option<&'a str>, SpecError> {
        let Some((value, _)) = self.value(key, origin) else {
            return Ok(None);
        };
        let wanted = || self.error(key, format!("a text in quotes is wanted, not {}", shown(value)));
        value.as_str().map(Some).ok_or_else(wanted)
    }

    pub fn boolean(&self, key: &str, origin: &mut Origin) -> Result<Option<bool>, SpecError> {
        let Some((value, _)) = self.value(key, origin) else {
            return Ok(None);
        };
        let wanted = || self.error(key, format!("true or false is wanted, not {}", shown(value)));
        value.as_bool().map(Some).ok_or_else(wanted)
    }

    /// A text such as `"30s"`, or a number of seconds.
    pub fn duration(&self, key: &str, origin: &mut Origin) -> Result<Option<Duration>, SpecError> {
        let Some((value, _)) = self.value(key, origin) else {
            return Ok(None);
        };
        let duration = value
            .as_str()
            .and_then(parse_duration)
            .or_else(|| integer(value).map(Duration::from_secs));
        let wanted = || {
            self.error(
                key,
                format!(
                    "a duration is wanted, e.g. \"30s\" or \"500ms\", not {}",
                    shown(value)
                ),
            )
        };
        duration.map(Some).ok_or_else(wanted)
    }
}

/// A number, whole or not.
pub(crate) fn decimal(value: &DeValue<'_>) -> Option<f64> {
    let float = value
        .as_float()
        .and_then(|float| float.as_str().replace('_', "").parse().ok());
    float
        .or_else(|| integer(value).map(|n| n as f64))
        .filter(|n: &f64| n.is_finite())
}

pub(crate) fn integer(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
}

/// A value as an error shows it.
pub(crate) fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(value) => value.to_string(),
        other => format!("a {}", other.type_str()),
    }
}

/// The name that is closest to `word`, if one is close enough to be a slip of the pen.
pub fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let allowed = (word.chars().count() / 3).max(1) + 1;
    let near = names
        .map(|name| (edit_distance(word, name), name))
        .min_by_key(|&(distance, _)| distance);
    near.filter(|&(distance, name)| distance <= allowed && distance < name.chars().count())
        .map(|(_, name)| name)
}

/// Levenshtein distance in letters, case ignored.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names() {
        let names = ["keys", "key_size", "keys_per_tag"];
        assert_eq!(nearest("key_sise", names.iter().copied()), Some("key_size"));
        assert_eq!(nearest("Keys", names.iter().copied()), Some("keys"));
        assert_eq!(nearest("frobnicate", names.iter().copied()), None);
    }

    #[test]
    fn distances() {
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("GET", "get"), 0);
    }
}
