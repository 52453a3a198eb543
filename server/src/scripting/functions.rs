//! The libraries of functions of the node. Workers load what they call into their own interpreters.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Release};

use parking_lot::RwLock;

use super::shebang::ScriptFlags;
use crate::command::reply_error::ErrorReply;

/// What is known of a function without its code.
#[derive(Clone, Debug)]
pub struct FunctionInfo {
    pub name: Box<[u8]>,
    pub description: Option<Box<[u8]>>,
    pub flags: ScriptFlags,
}

/// A library that loads.
pub struct Library {
    pub name: Box<[u8]>,
    pub code: Box<[u8]>,
    /// In the order in which they were registered.
    pub functions: Vec<FunctionInfo>,
    /// A function of it has touched slots other than that of its declared keys: see [`super::Script::roams`].
    pub roams: AtomicBool,
}

impl Library {
    /// What Lua compiles: from the end of the first line on, so that lines keep their numbers.
    pub fn body(&self) -> &[u8] {
        let end = self.code.iter().position(|&b| b == b'\n');
        &self.code[end.unwrap_or(self.code.len())..]
    }
}

/// What the first line of a library says.
pub fn library_name(code: &[u8]) -> Result<Box<[u8]>, ErrorReply> {
    if !code.starts_with(b"#!") {
        return Err(ErrorReply::fixed("ERR Missing library metadata"));
    }
    let end = code
        .iter()
        .position(|&b| b == b'\n')
        .ok_or(ErrorReply::fixed("ERR Invalid library metadata"))?;
    let mut words = code[2..end]
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let engine = words.next().unwrap_or_default();
    let mut name = None;
    for word in words {
        let Some(given) = word.strip_prefix(b"name=") else {
            return Err(ErrorReply::from_bytes(
                [b"ERR Invalid metadata value given: ", word].concat(),
            ));
        };
        if name.replace(given).is_some() {
            return Err(ErrorReply::fixed(
                "ERR Invalid metadata value, name argument was given multiple times",
            ));
        }
    }
    let name = name.ok_or(ErrorReply::fixed("ERR Library name was not given"))?;
    if !is_name(name) {
        return Err(ErrorReply::fixed(
            "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
        ));
    }
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(ErrorReply::from_bytes(
            [b"ERR Engine '", engine, b"' not found"].concat(),
        ));
    }
    Ok(name.into())
}

/// May a library or function have this name?
pub fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'_')
}

/// All libraries, at one moment.
#[derive(Clone, Default)]
pub struct Catalog {
    pub libraries: BTreeMap<Box<[u8]>, Arc<Library>>,
    /// By name in lowercase: the library, and the function's number in it.
    functions: HashMap<Vec<u8>, (Arc<Library>, usize)>,
}

impl Catalog {
    /// A function, whatever the case of its name's letters.
    pub fn find(&self, name: &[u8]) -> Option<&(Arc<Library>, usize)> {
        self.functions.get(&name.to_ascii_lowercase())
    }

    pub fn function_count(&self) -> usize {
        self.functions.len()
    }

    /// Bytes of the libraries' codes and of the functions' names.
    pub fn text_len(&self) -> usize {
        let codes: usize = self.libraries.values().map(|library| library.code.len()).sum();
        codes + self.functions.keys().map(Vec::len).sum::<usize>()
    }

    /// Adds a library, in the place of one of its name if `replace`.
    pub fn add(&mut self, library: &Arc<Library>, replace: bool) -> Result<(), ErrorReply> {
        if !replace && self.libraries.contains_key(&library.name) {
            return Err(already_there(&library.name));
        }
        for function in &library.functions {
            if let Some((owner, _)) = self.find(&function.name)
                && owner.name != library.name
            {
                return Err(ErrorReply::from_bytes(
                    [b"ERR Function ", &function.name[..], b" already exists"].concat(),
                ));
            }
        }
        self.remove(&library.name);
        for (i, function) in library.functions.iter().enumerate() {
            self.functions
                .insert(function.name.to_ascii_lowercase(), (library.clone(), i));
        }
        self.libraries.insert(library.name.clone(), library.clone());
        Ok(())
    }

    /// Removes a library; false if there is none of this name.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let Some(library) = self.libraries.remove(name) else {
            return false;
        };
        self.functions
            .retain(|_, (owner, _)| !Arc::ptr_eq(owner, &library));
        true
    }
}

/// `ERR Library 'name' already exists`.
pub fn already_there(name: &[u8]) -> ErrorReply {
    ErrorReply::from_bytes([b"ERR Library '", name, b"' already exists"].concat())
}

/// The libraries of the node.
#[derive(Default)]
pub struct Functions {
    catalog: RwLock<Arc<Catalog>>,
    version: AtomicU64,
}

impl Functions {
    /// All that there are now.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.read().clone()
    }

    /// Changes whenever they do.
    pub fn version(&self) -> u64 {
        self.version.load(Acquire)
    }

    /// Puts others in their place. Whoever changes them holds every slot, so that snapshots and the stream agree.
    pub fn set(&self, catalog: Catalog) {
        *self.catalog.write() = Arc::new(catalog);
        self.version.fetch_add(1, Release);
    }
}
