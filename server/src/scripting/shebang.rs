//! The first line of a script, `#!lua flags=no-writes,...`: what the script promises.

use bitflags::bitflags;
use slotcore::command::{CommandFlags, CommandSpec};

use crate::command::reply_error::ErrorReply;

bitflags! {
    /// What a script or function promises, and asks for.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct ScriptFlags: u8 {
        const NO_WRITES = 1;
        const ALLOW_OOM = 2;
        const ALLOW_STALE = 4;
        const NO_CLUSTER = 8;
        const ALLOW_CROSS_SLOT = 16;
        /// A script without a first line of this kind, to which the rules of old apply.
        const COMPAT = 32;
    }
}

/// Their names, in the order in which they are listed.
pub const FLAG_NAMES: [(&str, ScriptFlags); 5] = [
    ("no-writes", ScriptFlags::NO_WRITES),
    ("allow-oom", ScriptFlags::ALLOW_OOM),
    ("allow-stale", ScriptFlags::ALLOW_STALE),
    ("no-cluster", ScriptFlags::NO_CLUSTER),
    ("allow-cross-slot-keys", ScriptFlags::ALLOW_CROSS_SLOT),
];

/// The flag of this name.
pub fn flag_named(name: &[u8]) -> Option<ScriptFlags> {
    FLAG_NAMES
        .iter()
        .find(|(known, _)| known.as_bytes() == name)
        .map(|&(_, flag)| flag)
}

/// The flags of a script, and where its code begins: at the end of the first line, so that lines keep their numbers.
pub fn parse(body: &[u8]) -> Result<(ScriptFlags, usize), ErrorReply> {
    if !body.starts_with(b"#!") {
        return Ok((ScriptFlags::COMPAT | ScriptFlags::ALLOW_CROSS_SLOT, 0));
    }
    let end = body
        .iter()
        .position(|&b| b == b'\n')
        .ok_or(ErrorReply::fixed("ERR Invalid script shebang"))?;
    let mut words = body[..end]
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let engine = words.next().unwrap_or_default();
    if engine != b"#!lua" {
        return Err(quoting(b"ERR Unexpected engine in script shebang: ", engine));
    }
    let mut flags = ScriptFlags::empty();
    for word in words {
        let Some(names) = word.strip_prefix(b"flags=") else {
            return Err(quoting(b"ERR Unknown lua shebang option: ", word));
        };
        if names.is_empty() {
            continue;
        }
        for name in names.split(|&b| b == b',') {
            flags |=
                flag_named(name).ok_or_else(|| quoting(b"ERR Unexpected flag in script shebang: ", name))?;
        }
    }
    Ok((flags, end))
}

fn quoting(text: &[u8], quoted: &[u8]) -> ErrorReply {
    ErrorReply::from_bytes([text, quoted].concat())
}

impl ScriptFlags {
    /// The flags by which the command that runs the script is admitted.
    pub fn of_command(self, spec: &CommandSpec) -> CommandFlags {
        if self.contains(Self::COMPAT) {
            return spec.flags;
        }
        let mut flags = spec.flags - CommandFlags::STALE;
        if !self.contains(Self::NO_WRITES) {
            flags |= CommandFlags::WRITE;
            // What cannot write needs no memory either.
            if !self.contains(Self::ALLOW_OOM) {
                flags |= CommandFlags::DENYOOM;
            }
        }
        if self.contains(Self::ALLOW_STALE) {
            flags |= CommandFlags::STALE;
        }
        flags
    }
}
