//! A whole RDB, into an empty keyspace or past the checks alone.

use std::io;

use super::VERSION;
use super::error::RdbError;
use super::source::Source;
use super::value::{kind, read as read_value, type_name};
use crate::keyspace::{Content, Key, Keyspace, Limits};
use crate::node::unix_ms;

/// Opcodes: what may stand in the place of a type.
pub(in crate::persistence) mod op {
    pub const FUNCTION2: u8 = 245;
    pub const FUNCTION: u8 = 246;
    pub const MODULE_AUX: u8 = 247;
    pub const IDLE: u8 = 248;
    pub const FREQ: u8 = 249;
    pub const AUX: u8 = 250;
    pub const RESIZE_DB: u8 = 251;
    pub const EXPIRE_MS: u8 = 252;
    pub const EXPIRE_S: u8 = 253;
    pub const SELECT_DB: u8 = 254;
    pub const EOF: u8 = 255;
}

/// What to do with what is read.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Keep keys that have expired, as a replica does until its primary tells it to remove them.
    pub keep_expired: bool,
    /// Unix time in milliseconds by which keys have expired.
    pub now_ms: u64,
    /// Up to what size collections are kept in their compact forms.
    pub limits: Limits,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            keep_expired: false,
            now_ms: unix_ms(),
            limits: Limits::default(),
        }
    }
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Keys kept.
    pub keys: u64,
    /// Keys left out because they have expired.
    pub expired: u64,
    /// The codes of the libraries of functions.
    pub functions: Vec<Vec<u8>>,
    /// The place in a replication history that the data are of (AUX `repl-id` and `repl-offset`).
    pub history: Option<(String, u64)>,
}

/// Loads an RDB into `target`, which is empty and not yet seen by anybody.
///
/// # Errors
/// The RDB is damaged, of another version, or holds what a keyspace does not: then `target` holds a part of it and is
/// to be thrown away.
pub fn load(reader: &mut dyn io::Read, target: &Keyspace, options: &LoadOptions) -> Result<Loaded, RdbError> {
    walk(reader, options, &mut |read| {
        let key = Key::new(read.key);
        target.lock(key.slot).load(
            &key,
            read.value,
            read.expiry,
            read.idle_s,
            read.frequency,
            options.now_ms,
        )
    })
}

/// Reads an RDB as [`load`] does, and keeps nothing of it. Keys that are there twice are found by loading alone.
///
/// # Errors
/// As [`load`].
pub fn check(reader: &mut dyn io::Read, options: &LoadOptions) -> Result<Loaded, RdbError> {
    walk(reader, options, &mut |_| true)
}

/// A key that was read.
struct Found<'a> {
    key: &'a [u8],
    value: Content<'a>,
    /// Unix time in milliseconds.
    expiry: Option<u64>,
    /// Seconds since the last access.
    idle_s: Option<u64>,
    /// How often it was accessed, on the scale of LFU policies.
    frequency: Option<u8>,
}

/// Takes a key; false if it was there already.
type Sink<'a> = &'a mut dyn FnMut(Found<'_>) -> bool;

fn walk(reader: &mut dyn io::Read, options: &LoadOptions, sink: Sink<'_>) -> Result<Loaded, RdbError> {
    let mut source = Source::new(reader);
    let version = header(&mut source)?;
    let mut loaded = Loaded::default();
    let (mut key, mut value) = (Vec::new(), Vec::new());
    let (mut expiry, mut idle_s, mut frequency) = (None, None, None);
    let mut replication = (None, None);
    loop {
        match source.byte()? {
            op::AUX => {
                source.string(&mut key)?;
                source.string(&mut value)?;
                let text = String::from_utf8_lossy(&value);
                match &key[..] {
                    b"repl-id" => replication.0 = Some(text.into_owned()),
                    b"repl-offset" => replication.1 = text.parse().ok(),
                    _ => {}
                }
            }
            op::SELECT_DB => {
                let database = source.length()?;
                if database != 0 {
                    return Err(source.unsupported(format!("database {database}")));
                }
            }
            op::RESIZE_DB => {
                source.length()?;
                source.length()?;
            }
            op::EXPIRE_MS => {
                let ms = i64::from_le_bytes(source.array()?);
                expiry = Some(time(&source, ms)?);
            }
            op::EXPIRE_S => {
                let seconds = i64::from(i32::from_le_bytes(source.array()?));
                expiry = Some(time(&source, seconds * 1000)?);
            }
            op::IDLE => idle_s = Some(source.length()?),
            op::FREQ => frequency = Some(source.byte()?),
            op::EOF => break,
            op::FUNCTION2 => {
                let mut code = Vec::new();
                source.string(&mut code)?;
                loaded.functions.push(code);
            }
            op::FUNCTION => return Err(source.unsupported("functions of a release candidate")),
            op::MODULE_AUX => return Err(source.unsupported("data of a module")),
            kind if type_name(kind).is_some() || kind == kind::STRING => {
                source.string(&mut key)?;
                let content = if kind == kind::STRING {
                    source.string(&mut value)?;
                    Content::Bytes(&value)
                } else {
                    read_value(&mut source, kind, &options.limits)?
                        .ok_or_else(|| foreign(&source, kind, &key))?
                };
                let read = Found {
                    key: &key,
                    value: content,
                    expiry: expiry.take(),
                    idle_s: idle_s.take(),
                    frequency: frequency.take(),
                };
                if !options.keep_expired && read.expiry.is_some_and(|expiry| expiry < options.now_ms) {
                    loaded.expired += 1;
                } else if sink(read) {
                    loaded.keys += 1;
                } else {
                    return Err(source.damaged(format!("the key '{}' for the second time", show(&key))));
                }
            }
            kind => return Err(source.damaged(format!("type {kind}"))),
        }
    }
    footer(&mut source, version)?;
    if let (Some(id), Some(offset)) = replication {
        loaded.history = Some((id, offset));
    }
    Ok(loaded)
}

fn header(source: &mut Source<'_>) -> Result<u32, RdbError> {
    let header: [u8; 9] = source.array()?;
    let version = header
        .strip_prefix(b"REDIS")
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
        .ok_or(RdbError::Signature)?;
    if version == 0 || version > VERSION {
        return Err(RdbError::Version(version));
    }
    Ok(version)
}

/// The checksum, which RDBs have since version 5; 0 means that the writer made none.
fn footer(source: &mut Source<'_>, version: u32) -> Result<(), RdbError> {
    if version < 5 {
        return Ok(());
    }
    let found = source.checksum();
    let expected = u64::from_le_bytes(source.array()?);
    if expected != 0 && expected != found {
        return Err(RdbError::Checksum { expected, found });
    }
    Ok(())
}

/// Stock refuses times before 1970 when they are set; one in an RDB is taken as long past.
fn time(source: &Source<'_>, ms: i64) -> Result<u64, RdbError> {
    if ms == i64::MIN {
        return Err(source.damaged("an expiry that is no time"));
    }
    Ok(u64::try_from(ms).unwrap_or(1))
}

/// A value of a type that a keyspace does not hold.
fn foreign(source: &Source<'_>, kind: u8, key: &[u8]) -> RdbError {
    let name = type_name(kind).unwrap_or("a value");
    source.unsupported(format!("{name} (type {kind}) in the key '{}'", show(key)))
}

/// A key for an error message.
fn show(key: &[u8]) -> String {
    key[..key.len().min(100)].escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An RDB of these bytes after the header, with its checksum.
    fn rdb(version: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = format!("REDIS{version:04}").into_bytes();
        bytes.extend_from_slice(body);
        bytes.push(op::EOF);
        let sum = crate::persistence::crc64::crc64(0, &bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn options() -> LoadOptions {
        LoadOptions {
            keep_expired: false,
            now_ms: 1_700_000_000_000,
            ..LoadOptions::default()
        }
    }

    fn load_all(bytes: &[u8], options: &LoadOptions) -> Result<(Loaded, Keyspace), RdbError> {
        let keyspace = Keyspace::new();
        let mut reader = bytes;
        load(&mut reader, &keyspace, options).map(|loaded| (loaded, keyspace))
    }

    fn get(keyspace: &Keyspace, key: &str) -> Option<(Vec<u8>, Option<u64>)> {
        let key = Key::new(key.as_bytes());
        let mut table = keyspace.lock(key.slot);
        let entry = table.peek(&key, 0)?;
        Some((entry.string()?.to_vec(), entry.expiry()))
    }

    fn body() -> Vec<u8> {
        let mut body = b"\xfa\x07repl-id\x04beef\xfa\x0brepl-offset\x0212\xfa\x05other\xc0\x01".to_vec();
        body.extend_from_slice(b"\xfe\x00\xfb\x04\x02\x00\x01a\x03one\xf8\x05\x00\x01b\xc0\x07\xfc");
        body.extend_from_slice(&1_700_000_000_001u64.to_le_bytes());
        body.extend_from_slice(b"\xf9\x05\x00\x01c\x00\xfd");
        body.extend_from_slice(&1_600_000_000u32.to_le_bytes());
        body.extend_from_slice(b"\x00\x03old\x01x");
        body
    }

    #[test]
    fn a_whole_rdb() {
        let (loaded, keyspace) = load_all(&rdb(10, &body()), &options()).unwrap();
        let expected = Loaded {
            keys: 3,
            expired: 1,
            functions: Vec::new(),
            history: Some(("beef".into(), 12)),
        };
        assert_eq!(loaded, expected);
        assert_eq!(get(&keyspace, "a").unwrap(), (b"one".to_vec(), None));
        assert_eq!(get(&keyspace, "b").unwrap(), (b"7".to_vec(), None));
        assert_eq!(
            get(&keyspace, "c").unwrap(),
            (b"".to_vec(), Some(1_700_000_000_001))
        );
        assert_eq!(get(&keyspace, "old"), None);
        let keeping = LoadOptions {
            keep_expired: true,
            ..options()
        };
        let (loaded, keyspace) = load_all(&rdb(10, &body()), &keeping).unwrap();
        assert_eq!((loaded.keys, loaded.expired), (4, 0));
        assert_eq!(get(&keyspace, "old").unwrap().1, Some(1_600_000_000_000));
        let mut reader = &rdb(9, &body())[..];
        assert_eq!(check(&mut reader, &options()).unwrap(), expected);
    }

    #[test]
    fn whatever_is_cut_off_or_changed_is_noticed() {
        let whole = rdb(10, &body());
        for end in 0..whole.len() {
            assert!(load_all(&whole[..end], &options()).is_err(), "cut at {end}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            assert!(load_all(&changed, &options()).is_err(), "changed at {at}");
        }
        let mut unsummed = whole.clone();
        let end = unsummed.len();
        unsummed[end - 8..].fill(0);
        assert!(load_all(&unsummed, &options()).is_ok(), "a sum of 0 means none");
    }

    #[test]
    fn what_cannot_be_held_is_named() {
        let refusal = |body: &[u8]| {
            load_all(&rdb(10, body), &options())
                .map(|_| ())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            refusal(b"\x07\x08mymodule\x00"),
            "the RDB holds a value of a module (type 7) in the key 'mymodule' at byte 19, which this version of \
             slotmark-server cannot hold"
        );
        assert!(refusal(b"\xfe\x05").contains("holds database 5 "));
        assert!(refusal(b"\xf6\x00").contains("holds functions "));
        assert!(refusal(b"\xf7\x00").contains("holds data of a module "));
        assert!(refusal(b"\x00\x01a\x00\x00\x01a\x00").contains("the key 'a' for the second time"));
        assert!(refusal(b"\x63").contains("type 99"));
        for (header, error) in [
            ("REDIS0011", "version 11"),
            ("REDIS0000", "version 0"),
            ("RADIS0010", "no RDB"),
        ] {
            let text = load_all(format!("{header}\u{0}").as_bytes(), &options())
                .map(|_| ())
                .unwrap_err()
                .to_string();
            assert!(text.contains(error), "{text}");
        }
    }
}
