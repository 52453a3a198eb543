//! The scripts of the node by their hash. Workers compile what they run for themselves, and notice by a number when all
//! were flushed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

use parking_lot::RwLock;

use super::sha1::sha1_hex;
use super::shebang::{self, ScriptFlags};
use crate::command::reply_error::ErrorReply;

/// The name of a script: the hash of its text.
pub type Sha = [u8; 40];

/// A script that compiles.
pub struct Script {
    pub sha: Sha,
    pub flags: ScriptFlags,
    text: Box<[u8]>,
    code: usize,
    /// It has touched slots other than that of its declared keys, and is to be run so that it may.
    pub roams: AtomicBool,
}

impl Script {
    /// The script of this text; its first line is read, its code is not yet compiled.
    pub fn new(text: &[u8]) -> Result<Self, ErrorReply> {
        let (flags, code) = shebang::parse(text)?;
        Ok(Self {
            sha: sha1_hex(text),
            flags,
            text: text.into(),
            code,
            roams: AtomicBool::new(false),
        })
    }

    /// What Lua compiles.
    pub fn code(&self) -> &[u8] {
        &self.text[self.code..]
    }
}

/// All scripts of the node.
#[derive(Default)]
pub struct ScriptCache {
    scripts: RwLock<HashMap<Sha, Arc<Script>>>,
    flushes: AtomicU64,
    any_roams: AtomicBool,
}

impl ScriptCache {
    /// The hash that a client means: in any case of letters.
    pub fn sha_of_arg(arg: &[u8]) -> Option<Sha> {
        let mut sha: Sha = arg.try_into().ok()?;
        sha.make_ascii_lowercase();
        Some(sha)
    }

    pub fn get(&self, sha: &Sha) -> Option<Arc<Script>> {
        self.scripts.read().get(sha).cloned()
    }

    /// Keeps a script, and gives back the one that is kept under its name.
    pub fn insert(&self, script: Arc<Script>) -> Arc<Script> {
        self.scripts.write().entry(script.sha).or_insert(script).clone()
    }

    /// Forgets all.
    pub fn flush(&self) {
        let old = std::mem::take(&mut *self.scripts.write());
        self.flushes.fetch_add(1, Release);
        drop(old);
    }

    /// Does any script roam?
    pub fn any_roams(&self) -> bool {
        self.any_roams.load(Relaxed)
    }

    /// This one does.
    pub fn note_roaming(&self, script: &Script) {
        script.roams.store(true, Relaxed);
        self.any_roams.store(true, Relaxed);
    }

    /// How often all were forgotten.
    pub fn flushes(&self) -> u64 {
        self.flushes.load(Acquire)
    }

    /// How many there are, and the bytes of their texts.
    pub fn size(&self) -> (usize, usize) {
        let scripts = self.scripts.read();
        (
            scripts.len(),
            scripts.values().map(|script| script.text.len()).sum(),
        )
    }
}

impl Script {
    /// May it touch any slot at any time?
    pub fn is_roaming(&self) -> bool {
        self.roams.load(Relaxed)
    }
}
