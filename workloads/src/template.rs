//! Commands spelled out word by word, with placeholders for what differs from operation to operation.
//!
//! | placeholder | stands for |
//! |---|---|
//! | `$key` | the operation's key; with text around it, a key of another name in the same slot |
//! | `$value` | a value, as a word of its own |
//! | `$token` | a text that no other operation has |
//! | `$uniform(1,100)` | a whole number, every one as likely, both bounds included |
//! | `$zipf(1000,0.99)` | a whole number from 0 to 999 by Zipf's law |
//! | `$index` | in a preload: how many times the command was sent for this key before |
//! | `$script` | the SHA1 of the entry's script |
//! | `$$` | a dollar sign |
//!
//! All of them are functions of the operation, so that its bytes can be written any number of times.

use rand::rand_core::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;

use crate::dist::{Zipf, below};
use crate::keys::{KeyFormat, KeyId};
use crate::stream::mix;
use crate::values::Values;

/// Room for `$`, the length of a word and CR LF in front of it.
const HEADER: usize = 16;
/// Longest that a word may be as it is written in the file.
pub(crate) const MAX_WORD: usize = 64 * 1024;

/// Which placeholders a place may have.
pub(crate) const IN_MIX: &[&str] = &["key", "value", "token", "uniform", "zipf", "script"];
pub(crate) const IN_PRELOAD: &[&str] = &["key", "value", "index", "uniform", "zipf"];
pub(crate) const IN_NAME: &[&str] = &["key"];

/// A piece of a word.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    Text(Vec<u8>),
    Key,
    Value,
    Token,
    Index,
    Script,
    Uniform { low: i64, count: u64 },
    Zipf(Zipf),
}

/// Takes a word apart.
///
/// # Errors
/// In a sentence: what is wrong, and what would be right.
pub(crate) fn parts(word: &str, allowed: &[&str]) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            text.push('$');
            rest = after;
            continue;
        }
        let (part, after) = placeholder(rest, allowed)?;
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text).into_bytes()));
        }
        parts.push(part);
        rest = after;
    }
    text.push_str(rest);
    if !text.is_empty() || parts.is_empty() {
        parts.push(Part::Text(text.into_bytes()));
    }
    check(&parts, word)?;
    Ok(parts)
}

/// Reads what follows a dollar sign, and says what is left.
fn placeholder<'a>(text: &'a str, allowed: &[&str]) -> Result<(Part, &'a str), String> {
    let end = text.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !allowed.contains(&name) {
        let there_are: Vec<String> = allowed.iter().map(|name| format!("${name}")).collect();
        return Err(format!(
            "unknown placeholder ${name}; there are {} here, and $$ for a dollar sign",
            there_are.join(", ")
        ));
    }
    let simple = match name {
        "key" => Part::Key,
        "value" => Part::Value,
        "token" => Part::Token,
        "index" => Part::Index,
        "script" => Part::Script,
        _ => {
            let wanted = || match name {
                "uniform" => "$uniform wants its bounds behind it: $uniform(1,100)".to_owned(),
                _ => "$zipf wants how many numbers and the skew behind it: $zipf(1000,0.99)".to_owned(),
            };
            let (inner, rest) = rest
                .strip_prefix('(')
                .and_then(|rest| rest.split_once(')'))
                .ok_or_else(wanted)?;
            let (first, second) = inner.split_once(',').ok_or_else(wanted)?;
            let part = match name {
                "uniform" => uniform(first.trim(), second.trim()),
                _ => zipf(first.trim(), second.trim()),
            };
            return Ok((part.ok_or_else(wanted)?, rest));
        }
    };
    Ok((simple, rest))
}

fn uniform(low: &str, high: &str) -> Option<Part> {
    let (low, high): (i64, i64) = (low.parse().ok()?, high.parse().ok()?);
    let count = high.checked_sub(low)?.checked_add(1)?;
    Some(Part::Uniform {
        low,
        count: u64::try_from(count).ok().filter(|&count| count > 0)?,
    })
}

fn zipf(count: &str, theta: &str) -> Option<Part> {
    let (count, theta): (u64, f64) = (count.parse().ok()?, theta.parse().ok()?);
    let fits = (1..=1 << 32).contains(&count) && (0.01..=10.0).contains(&theta);
    fits.then(|| Part::Zipf(Zipf::new(count, theta)))
}

/// Rules of a whole word.
fn check(parts: &[Part], word: &str) -> Result<(), String> {
    if word.len() > MAX_WORD {
        return Err(format!("a word has {MAX_WORD} bytes at most"));
    }
    if parts.len() > 1 && parts.iter().any(|part| matches!(part, Part::Value)) {
        return Err(format!(
            "$value is a word of its own, without text around it, not {word:?}"
        ));
    }
    let keys = parts.iter().filter(|part| matches!(part, Part::Key)).count();
    if keys > 1 {
        return Err(format!("$key comes once in a word, not {keys} times"));
    }
    let before = parts.iter().take_while(|part| !matches!(part, Part::Key));
    let has_brace = |part: &Part| matches!(part, Part::Text(text) if text.contains(&b'{'));
    if keys == 1 && before.into_iter().any(has_brace) {
        return Err(format!(
            "a brace in front of $key would change its slot; leave it out, a hash tag is made as needed: not {word:?}"
        ));
    }
    Ok(())
}

/// One command, laid out for writing.
#[derive(Debug)]
pub(crate) struct Template {
    chunks: Vec<Chunk>,
    has_value: bool,
    ends_in_value: bool,
}

#[derive(Debug)]
enum Chunk {
    /// Bytes of the frame that are always the same.
    Fixed(Vec<u8>),
    Value,
    /// A word that differs.
    Word(Vec<Part>),
}

/// What an operation fills its placeholders from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filling {
    pub key: KeyId,
    /// Random, or in a preload the index.
    pub value: u32,
    pub value_len: u32,
    /// Which command of the operation it is.
    pub part: usize,
}

impl Template {
    /// # Errors
    /// As [`parts`].
    pub fn new(words: &[String], script: Option<&str>, allowed: &[&str]) -> Result<Self, String> {
        let mut fixed = format!("*{}\r\n", words.len()).into_bytes();
        let mut template = Self {
            chunks: Vec::new(),
            has_value: false,
            ends_in_value: false,
        };
        for word in words {
            let mut parts = parts(word, allowed)?;
            if let (Some(script), [Part::Script]) = (script, parts.as_slice()) {
                parts = vec![Part::Text(script.as_bytes().to_vec())];
            }
            let chunk = match parts.as_slice() {
                [Part::Text(text)] => {
                    template.ends_in_value = false;
                    fixed.extend_from_slice(format!("${}\r\n", text.len()).as_bytes());
                    fixed.extend_from_slice(text);
                    fixed.extend_from_slice(b"\r\n");
                    continue;
                }
                [Part::Value] => Chunk::Value,
                _ => Chunk::Word(parts),
            };
            template.ends_in_value = matches!(chunk, Chunk::Value);
            template.has_value |= template.ends_in_value;
            if !fixed.is_empty() {
                template.chunks.push(Chunk::Fixed(std::mem::take(&mut fixed)));
            }
            template.chunks.push(chunk);
        }
        if !fixed.is_empty() {
            template.chunks.push(Chunk::Fixed(fixed));
        }
        Ok(template)
    }

    pub fn has_value(&self) -> bool {
        self.has_value
    }

    /// Whether the value is the last thing that is sent.
    pub fn ends_in_value(&self) -> bool {
        self.ends_in_value
    }

    /// Appends the command.
    pub fn encode(&self, format: &KeyFormat, values: &Values, filling: Filling, out: &mut Vec<u8>) {
        let seed = mix(filling.key.0 ^ mix(u64::from(filling.value) | u64::from(filling.value_len) << 32));
        let mut rng = SplitMix64::seed_from_u64(seed.wrapping_add(filling.part as u64));
        for chunk in &self.chunks {
            match chunk {
                Chunk::Fixed(bytes) => out.extend_from_slice(bytes),
                Chunk::Value => values.encode(mix(seed) as u32, filling.value_len, out),
                Chunk::Word(parts) => {
                    // The word goes behind room for its header, and is then moved up to it.
                    let start = out.len();
                    out.resize(start + HEADER, 0);
                    write_parts(parts, format, filling, seed, &mut rng, out);
                    let length = out.len() - start - HEADER;
                    let mut header = [b'$'; HEADER];
                    let digits = crate::keys::digits::width(length as u64);
                    crate::keys::digits::write(length as u64, &mut header[1..=digits]);
                    header[digits + 1..digits + 3].copy_from_slice(b"\r\n");
                    out[start..start + digits + 3].copy_from_slice(&header[..digits + 3]);
                    out.copy_within(start + HEADER.., start + digits + 3);
                    out.truncate(start + digits + 3 + length);
                    out.extend_from_slice(b"\r\n");
                }
            }
        }
    }
}

fn write_parts(
    parts: &[Part],
    format: &KeyFormat,
    filling: Filling,
    seed: u64,
    rng: &mut SplitMix64,
    out: &mut Vec<u8>,
) {
    let in_braces = parts.len() > 1 && !format.has_tag(filling.key);
    for part in parts {
        match part {
            Part::Text(text) => out.extend_from_slice(text),
            Part::Key if in_braces => {
                out.push(b'{');
                format.append(filling.key, out);
                out.push(b'}');
            }
            Part::Key => format.append(filling.key, out),
            Part::Token => append_hex(mix(seed), out),
            Part::Index => append_number(i64::from(filling.value), out),
            Part::Uniform { low, count } => {
                append_number(low.wrapping_add(below(rng.next_u64(), *count) as i64), out);
            }
            Part::Zipf(zipf) => append_number(zipf.sample(rng) as i64, out),
            // A value is a word of its own, and a script has been filled in.
            Part::Value | Part::Script => {}
        }
    }
}

/// A name with a key in it, such as that of a channel.
#[derive(Debug)]
pub(crate) struct Name(Vec<Part>);

impl Name {
    /// # Errors
    /// As [`parts`].
    pub fn new(text: &str) -> Result<Self, String> {
        Ok(Self(parts(text, IN_NAME)?))
    }

    pub fn bytes(&self, format: &KeyFormat, key: KeyId) -> Vec<u8> {
        let filling = Filling {
            key,
            value: 0,
            value_len: 0,
            part: 0,
        };
        let mut out = Vec::new();
        let mut rng = SplitMix64::seed_from_u64(0);
        write_parts(&self.0, format, filling, 0, &mut rng, &mut out);
        out
    }
}

fn append_hex(mut number: u64, out: &mut Vec<u8>) {
    for _ in 0..16 {
        out.push(b"0123456789abcdef"[(number >> 60) as usize]);
        number <<= 4;
    }
}

fn append_number(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    let magnitude = number.unsigned_abs();
    let start = out.len();
    out.resize(start + crate::keys::digits::width(magnitude), b'0');
    crate::keys::digits::write(magnitude, &mut out[start..]);
}

#[cfg(test)]
mod tests {
    use slotcore::slot_of;

    use super::*;
    use crate::Spec;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    /// The words of the frame that a template makes of an operation.
    fn sent(workload: &str, template: &str, filling: Filling) -> Vec<String> {
        let workload = Spec::parse("t", "t", workload).unwrap().compile(1).unwrap();
        let template = Template::new(&words(template), Some("return 1"), &[IN_MIX, IN_PRELOAD].concat());
        let mut out = Vec::new();
        template
            .unwrap()
            .encode(workload.key_format(), workload.values(), filling, &mut out);
        let (reply, consumed) = slotcore::resp::parse_reply(&out, &slotcore::resp::ReplyLimits::default())
            .unwrap()
            .unwrap();
        assert_eq!(consumed, out.len());
        reply
            .as_array()
            .unwrap()
            .iter()
            .map(|word| String::from_utf8_lossy(word.as_bytes().unwrap()).into_owned())
            .collect()
    }

    const FILLING: Filling = Filling {
        key: KeyId(7),
        value: 12,
        value_len: 64,
        part: 0,
    };

    #[test]
    fn placeholders_are_filled_and_the_rest_is_as_written() {
        let got = sent(
            "keyspace.keys = 100\n",
            "EVALSHA $script 1 board:$key $$5 m$index $uniform(-3,-3)",
            FILLING,
        );
        assert_eq!(
            got,
            [
                "EVALSHA",
                "return 1",
                "1",
                "board:{key:000000000007}",
                "$5",
                "m12",
                "-3"
            ]
        );
    }

    #[test]
    fn a_key_keeps_its_slot_whatever_stands_around_it() {
        for workload in [
            "keyspace.keys = 100\n",
            "keyspace = { keys = 100, keys_per_tag = 5 }\n",
            "keyspace = { keys = 5000, spread = 'even' }\n",
        ] {
            for key in [0, 3, 77] {
                let filling = Filling {
                    key: KeyId(key),
                    ..FILLING
                };
                let got = sent(workload, "DEL $key a:$key a:$key:b", filling);
                let slots: Vec<_> = got[1..].iter().map(|key| slot_of(key.as_bytes())).collect();
                assert!(slots[0] == slots[1] && slots[0] == slots[2], "{got:?}");
            }
        }
    }

    #[test]
    fn the_same_operation_is_the_same_and_another_is_not() {
        let text = "SET $key $token PX $uniform(1,1000000) $value";
        let one = sent("", text, FILLING);
        assert_eq!(one, sent("", text, FILLING));
        let other = sent("", text, Filling { value: 13, ..FILLING });
        assert!(one[2] != other[2] && one[4] != other[4] && one[5] != other[5]);
        assert_eq!((one[2].len(), one[5].chars().count() > 0), (16, true));
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        for value in 0..500 {
            let got = sent("", "X $uniform(5,9) $zipf(10,1.2)", Filling { value, ..FILLING });
            let number = |at: usize| got[at].parse::<i64>().unwrap();
            assert!(
                (5..=9).contains(&number(1)) && (0..10).contains(&number(2)),
                "{got:?}"
            );
        }
    }

    #[test]
    fn errors_say_what_would_be_right() {
        for (word, part) in [
            ("$kye", "unknown placeholder $kye; there are $key, $value"),
            ("$index", "unknown placeholder $index"),
            ("cost $5", "and $$ for a dollar sign"),
            ("$uniform(5)", "$uniform(1,100)"),
            ("$uniform(5,4)", "$uniform(1,100)"),
            ("$zipf(0,1)", "$zipf(1000,0.99)"),
            ("a$value", "a word of its own"),
            ("$key$key", "once in a word"),
            ("x{$key}", "would change its slot"),
        ] {
            let error = parts(word, IN_MIX).unwrap_err();
            assert!(error.contains(part), "{word}: {error}");
        }
    }
}
