//! The commands that a mix may hold, and their frames, laid out once so that encoding is copying.

use std::ops::Range;
use std::time::Duration;

use sha1::{Digest, Sha1};
use slotcore::resp::ReplyKind;

use crate::keys::{KeyFormat, KeyId};
use crate::reply::Condition;
use crate::spec::MixEntry;
use crate::template::{self, Filling, Template};
use crate::values::Values;

/// How many keys a command takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    One,
    Many,
}

/// One command a mix may hold.
#[derive(Debug)]
pub struct Kind {
    /// In upper case.
    pub name: &'static str,
    pub arity: Arity,
    /// Whether each key is followed by a value.
    pub value: bool,
    pub write: bool,
}

const fn reads(name: &'static str, arity: Arity) -> Kind {
    Kind {
        name,
        arity,
        value: false,
        write: false,
    }
}

const KINDS: &[Kind] = &[
    reads("GET", Arity::One),
    Kind {
        name: "SET",
        arity: Arity::One,
        value: true,
        write: true,
    },
    reads("MGET", Arity::Many),
    Kind {
        name: "MSET",
        arity: Arity::Many,
        value: true,
        write: true,
    },
    Kind {
        name: "DEL",
        arity: Arity::Many,
        value: false,
        write: true,
    },
    Kind {
        name: "UNLINK",
        arity: Arity::Many,
        value: false,
        write: true,
    },
    reads("EXISTS", Arity::Many),
    reads("TOUCH", Arity::Many),
    reads("STRLEN", Arity::One),
    reads("GETRANGE", Arity::One),
    reads("TYPE", Arity::One),
    reads("TTL", Arity::One),
    Kind {
        name: "EXPIRE",
        arity: Arity::One,
        value: false,
        write: true,
    },
    Kind {
        name: "GETSET",
        arity: Arity::One,
        value: true,
        write: true,
    },
    Kind {
        name: "APPEND",
        arity: Arity::One,
        value: true,
        write: true,
    },
];

/// Looks a command up, case ignored.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(name))
}

/// All commands that a mix may hold.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// Whether an entry of a mix changes what is stored.
pub fn is_write(entry: &MixEntry) -> bool {
    let first = |words: &Vec<String>| words.first().is_some_and(|word| is_write_word(word));
    match entry.send.is_empty() {
        true => kind(&entry.command).is_some_and(|kind| kind.write),
        false => entry.send.iter().any(first),
    }
}

/// Whether a command changes what is stored, or may: of a script nobody knows.
fn is_write_word(word: &str) -> bool {
    let is_script = ["EVAL", "EVALSHA", "FCALL"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(word));
    is_script
        || slotcore::command::lookup(word.as_bytes()).is_some_and(slotcore::command::CommandSpec::is_write)
}

/// The SHA-1 by which servers know a script, as 40 hexadecimal digits.
fn script_name(script: &str) -> String {
    Sha1::digest(script)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// One entry of a mix, or of a preload, compiled.
#[derive(Debug)]
pub struct Command {
    /// What results call it.
    name: String,
    write: bool,
    value: bool,
    keys: u32,
    split: bool,
    fill: bool,
    form: Form,
    /// What replies are counted as; one that takes any comes last.
    counters: Vec<(String, Condition)>,
    /// What follows when the reply was not nil: the entry's number, and after how long.
    pub(crate) then: Option<(usize, Duration)>,
    holds: Option<Duration>,
    script: Option<String>,
}

/// How the bytes are laid out.
#[derive(Debug)]
enum Form {
    /// The frame with 1 key, with 2 keys, ...; without `split` only the one with all keys.
    Frames(Vec<Frame>),
    /// One template for each command of the operation, and the script in full for servers that do not know it.
    Templates(Vec<Template>, Option<Template>),
}

/// Bytes of a command with the template of a key wherever one goes, and after each piece, if wanted, a value.
#[derive(Debug, Default)]
struct Frame {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
struct Piece {
    /// Within the bytes of the frame.
    bytes: Range<usize>,
    /// Where keys go, counted from the start of the piece.
    keys_at: Vec<usize>,
    value_after: bool,
}

impl Command {
    /// # Errors
    /// In a sentence, when a template is none; a spec that has been checked has no such thing.
    pub(crate) fn new(entry: &MixEntry, format: &KeyFormat) -> Result<Self, String> {
        let (form, value) = if entry.send.is_empty() {
            let kind = kind(&entry.command).ok_or_else(|| format!("unknown command {:?}", entry.command))?;
            if format.is_fixed() {
                (Form::frames(kind, entry, format), kind.value)
            } else {
                // Keys whose lengths differ are written as words.
                let mut words = vec![kind.name.to_owned(), "$key".to_owned()];
                words.extend(kind.value.then(|| "$value".to_owned()));
                words.extend(entry.args.iter().map(|arg| arg.replace('$', "$$")));
                let template = Template::new(&words, None, template::IN_MIX)?;
                (Form::Templates(vec![template], None), kind.value)
            }
        } else {
            let sha1 = entry.script.as_ref().map(|script| script_name(script));
            let templates: Result<Vec<_>, _> = entry
                .send
                .iter()
                .map(|words| Template::new(words, sha1.as_deref(), template::IN_MIX))
                .collect();
            let templates = templates?;
            let whole = entry.script.as_ref().map(|script| {
                let mut words = entry.send[0].clone();
                words[0] = "EVAL".to_owned();
                Template::new(&words, Some(script), template::IN_MIX)
            });
            let value = templates.iter().any(Template::has_value);
            (Form::Templates(templates, whole.transpose()?), value)
        };
        let mut counters: Vec<_> = entry.count.clone().into_iter().collect();
        counters.sort_by_key(|(_, condition)| *condition == Condition::Any);
        Ok(Self {
            name: entry.label().to_owned(),
            write: is_write(entry),
            value,
            keys: entry.keys,
            split: entry.split,
            fill: entry.fill,
            form,
            counters,
            then: None,
            holds: entry.holds,
            script: entry.script.clone(),
        })
    }

    /// A command of the preload.
    ///
    /// # Errors
    /// As [`Command::new`].
    pub(crate) fn preload(words: &[String]) -> Result<Self, String> {
        let template = Template::new(words, None, template::IN_PRELOAD)?;
        Ok(Self {
            name: words[0].to_ascii_uppercase(),
            write: true,
            value: template.has_value(),
            keys: 1,
            split: false,
            fill: false,
            form: Form::Templates(vec![template], None),
            counters: Vec::new(),
            then: None,
            holds: None,
            script: None,
        })
    }

    /// What results call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_write(&self) -> bool {
        self.write
    }

    /// Keys of one operation.
    pub fn keys(&self) -> u32 {
        self.keys
    }

    /// Whether one operation is several commands, one for each slot that its keys lie in.
    pub fn is_split(&self) -> bool {
        self.split
    }

    /// How many commands an operation is, when it is not split.
    pub fn commands(&self) -> usize {
        match &self.form {
            Form::Frames(_) => 1,
            Form::Templates(templates, _) => templates.len(),
        }
    }

    /// Whether the value is the last word of its only command, so that its first bytes can say which one it is.
    pub fn ends_in_value(&self) -> bool {
        match &self.form {
            Form::Frames(_) => false,
            Form::Templates(templates, _) => matches!(templates.as_slice(), [one] if one.ends_in_value()),
        }
    }

    /// What replies are counted as. A reply that meets no condition is one of the others, behind all of them.
    pub fn counters(&self) -> &[(String, Condition)] {
        &self.counters
    }

    /// The number of the counter that a reply is for; that of the others is the number of counters.
    #[inline]
    pub fn counter_of(&self, kind: ReplyKind, line: &[u8], body: &[u8]) -> usize {
        let met = |(_, condition): &(String, Condition)| condition.is_met(kind, line, body);
        self.counters.iter().position(met).unwrap_or(self.counters.len())
    }

    /// What follows on the same key when the reply was not nil: the number of its command, and after how long.
    #[inline]
    pub fn then(&self) -> Option<(usize, Duration)> {
        self.then
    }

    /// For how long at most a client has the key as its own after this.
    pub fn holds(&self) -> Option<Duration> {
        self.holds
    }

    /// The script that it calls.
    pub fn script(&self) -> Option<&str> {
        self.script.as_deref()
    }

    /// Whether a miss is followed by a SET.
    pub(crate) fn fills(&self) -> bool {
        self.fill
    }

    pub(crate) fn has_value(&self) -> bool {
        self.value
    }

    /// Whether its bytes are made from templates, which draw from more than a place in the pool.
    pub(crate) fn is_template(&self) -> bool {
        matches!(self.form, Form::Templates(..))
    }

    /// Appends command number `filling.part` of the operation.
    #[inline]
    pub(crate) fn encode_template(
        &self,
        format: &KeyFormat,
        values: &Values,
        filling: Filling,
        out: &mut Vec<u8>,
    ) {
        if let Form::Templates(templates, _) = &self.form
            && let Some(template) = templates.get(filling.part)
        {
            template.encode(format, values, filling, out);
        }
    }

    /// Appends the command with its script in full.
    pub(crate) fn encode_whole(
        &self,
        format: &KeyFormat,
        values: &Values,
        filling: Filling,
        out: &mut Vec<u8>,
    ) {
        if let Form::Templates(_, Some(whole)) = &self.form {
            whole.encode(format, values, filling, out);
        }
    }

    /// Appends the command with these keys. Key number i of an operation gets the value that starts `i` steps after
    /// `value_at`.
    #[inline]
    pub(crate) fn encode(
        &self,
        format: &KeyFormat,
        values: &Values,
        mut keys: impl ExactSizeIterator<Item = KeyId>,
        value: (u32, u32),
        out: &mut Vec<u8>,
    ) {
        let Form::Frames(frames) = &self.form else { return };
        let frame = if self.split {
            &frames[keys.len() - 1]
        } else {
            &frames[0]
        };
        let (mut value_at, value_len) = value;
        for piece in &frame.pieces {
            let start = out.len();
            out.extend_from_slice(&frame.bytes[piece.bytes.clone()]);
            for &at in &piece.keys_at {
                let Some(key) = keys.next() else { break };
                format.write(key, &mut out[start + at..start + at + format.size()]);
            }
            if piece.value_after {
                values.encode(value_at, value_len, out);
                value_at = value_at.wrapping_add(Values::STEP);
            }
        }
    }
}

impl Form {
    fn frames(kind: &Kind, entry: &MixEntry, format: &KeyFormat) -> Self {
        let counts = if entry.split {
            1..=entry.keys
        } else {
            entry.keys..=entry.keys
        };
        let frames = counts
            .map(|keys| Frame::new(kind, keys as usize, &entry.args, format.template()))
            .collect();
        Self::Frames(frames)
    }
}

impl Frame {
    fn new(kind: &Kind, keys: usize, args: &[String], template: &[u8]) -> Self {
        let argc = 1 + keys * (1 + usize::from(kind.value)) + args.len();
        let mut frame = Self::default();
        let mut start = 0;
        let mut keys_at = Vec::new();
        frame.bytes.extend_from_slice(format!("*{argc}\r\n").as_bytes());
        frame.bulk(kind.name.as_bytes());
        for _ in 0..keys {
            frame
                .bytes
                .extend_from_slice(format!("${}\r\n", template.len()).as_bytes());
            keys_at.push(frame.bytes.len() - start);
            frame.bytes.extend_from_slice(template);
            frame.bytes.extend_from_slice(b"\r\n");
            if kind.value {
                let bytes = start..frame.bytes.len();
                frame.pieces.push(Piece {
                    bytes,
                    keys_at: std::mem::take(&mut keys_at),
                    value_after: true,
                });
                start = frame.bytes.len();
            }
        }
        for arg in args {
            frame.bulk(arg.as_bytes());
        }
        if start < frame.bytes.len() {
            frame.pieces.push(Piece {
                bytes: start..frame.bytes.len(),
                keys_at,
                value_after: false,
            });
        }
        frame
    }

    fn bulk(&mut self, bytes: &[u8]) {
        self.bytes
            .extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
        self.bytes.extend_from_slice(bytes);
        self.bytes.extend_from_slice(b"\r\n");
    }
}
