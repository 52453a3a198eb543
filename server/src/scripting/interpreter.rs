//! The Lua state of a worker: its memory, its compiled functions, and how one is called.

use std::alloc::{self, Layout};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use slotcore::resp::{Args, ReplyWriter};

use super::cache::{Script, ScriptCache, Sha};
use super::ffi::{self, State, c_int, c_void};
use super::functions::{FunctionInfo, Functions, Library};
use super::register::{self, Loading};
use super::run::{Abort, Run, running};
use super::{convert, sandbox};
use crate::command::reply_error::ErrorReply;

/// Memory that the scripts of one worker may have at once, garbage included.
const MEMORY_LIMIT: usize = 1 << 30;

/// Instructions between two looks at the clock.
const TICK: c_int = 100_000;

/// Runs between two steps of the garbage collector.
const RUNS_PER_GC_STEP: u32 = 50;

/// What there is to run.
#[derive(Clone, Copy)]
pub enum Chunk<'a> {
    Script(&'a Arc<Script>),
    /// A function of a library, by its number.
    Function(&'a Arc<Library>, usize),
}

struct Memory {
    used: usize,
}

/// A Lua state with what belongs to it.
pub struct Interpreter {
    lua: State,
    // The state's allocator points here, so it goes last.
    _memory: Box<Memory>,
    run: Box<Run>,
    compiled: HashMap<Sha, (Arc<Script>, c_int)>,
    flushes: u64,
    /// Libraries that are loaded here, with the references of their functions.
    libraries: Vec<(Arc<Library>, Vec<c_int>)>,
    functions_version: u64,
    runs: u32,
    /// An allocation has failed: the state is taken apart rather than trusted.
    is_spent: bool,
}

/// What a protected function works on.
struct Job<'a> {
    chunk_name: &'a [u8],
    code: &'a [u8],
    reference: c_int,
    error: Vec<u8>,
}

impl Interpreter {
    /// A fresh state.
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn new() -> Self {
        let mut memory = Box::new(Memory { used: 0 });
        let run = Box::new(Run::idle());
        // SAFETY: the allocator follows Lua's rules; the memory's address stays the same and outlives the state.
        let lua = unsafe { ffi::lua_newstate(allocate, (&raw mut *memory).cast()) };
        assert!(!lua.is_null(), "no memory for a Lua state");
        // SAFETY: the state is new; cpcall catches what the function raises.
        let status = unsafe { ffi::lua_cpcall(lua, open, std::ptr::null_mut()) };
        assert_eq!(status, ffi::LUA_OK, "the sandbox is set up without an error");
        // SAFETY: the hook stays valid, and looks at nothing but this thread's run.
        unsafe { ffi::lua_sethook(lua, Some(tick), ffi::LUA_MASKCOUNT, TICK) };
        Self {
            lua,
            _memory: memory,
            run,
            compiled: HashMap::new(),
            flushes: 0,
            libraries: Vec::new(),
            functions_version: 0,
            runs: 0,
            is_spent: false,
        }
    }

    /// Forgets what the node has forgotten, and begins anew after it has run out of memory.
    pub fn catch_up(&mut self, cache: &ScriptCache, functions: &Functions) {
        if self.is_spent {
            *self = Self::new();
        }
        let flushes = cache.flushes();
        if self.flushes != flushes {
            let old = std::mem::take(&mut self.compiled);
            self.release(old.into_values().map(|(_, reference)| reference).collect());
            self.flushes = flushes;
        }
        let version = functions.version();
        if self.functions_version != version {
            let catalog = functions.catalog();
            let is_there = |library: &Arc<Library>| {
                catalog
                    .libraries
                    .get(&library.name)
                    .is_some_and(|now| Arc::ptr_eq(now, library))
            };
            let old = std::mem::take(&mut self.libraries);
            let (kept, gone): (Vec<_>, Vec<_>) = old.into_iter().partition(|(library, _)| is_there(library));
            self.libraries = kept;
            self.release(gone.into_iter().flat_map(|(_, references)| references).collect());
            self.functions_version = version;
        }
    }

    /// Lets go of functions, which are garbage then.
    fn release(&mut self, references: Vec<c_int>) {
        if references.is_empty() {
            return;
        }
        // SAFETY: the state is valid, and the list outlives the call.
        let status = unsafe { ffi::lua_cpcall(self.lua, unref, (&raw const references).cast_mut().cast()) };
        if status != ffi::LUA_OK {
            self.is_spent = true;
            // SAFETY: cpcall has left its message.
            unsafe { ffi::lua_settop(self.lua, 0) };
        }
    }

    /// Loads a library, whose code begins with its first line. The caller makes it known to the node, or not.
    pub fn load_library(&mut self, name: Box<[u8]>, code: &[u8]) -> Result<Library, ErrorReply> {
        let mut library = Library {
            name,
            code: code.into(),
            functions: Vec::new(),
            roams: AtomicBool::new(false),
        };
        let (functions, references) = self.register(&library)?;
        self.release(references);
        library.functions = functions;
        if library.functions.is_empty() {
            return Err(ErrorReply::fixed("ERR No functions registered"));
        }
        Ok(library)
    }

    fn register(&mut self, library: &Library) -> Result<(Vec<FunctionInfo>, Vec<c_int>), ErrorReply> {
        let mut loading = Loading::begin();
        let mut job = Job {
            chunk_name: b"@user_function\0",
            code: library.body(),
            reference: 0,
            error: Vec::new(),
        };
        let lua = self.lua;
        // SAFETY: the state is valid, and the job outlives the call.
        let status =
            loading.during(|| unsafe { ffi::lua_cpcall(lua, load_functions, (&raw mut job).cast()) });
        if status != ffi::LUA_OK {
            self.is_spent = true;
            // SAFETY: cpcall has left its message.
            unsafe { ffi::lua_settop(lua, 0) };
            return Err(ErrorReply::fixed("ERR not enough memory for the library"));
        }
        if !job.error.is_empty() {
            self.release(loading.references);
            return Err(ErrorReply::from_bytes(job.error));
        }
        Ok((loading.functions, loading.references))
    }

    fn function_reference(&mut self, library: &Arc<Library>, number: usize) -> Result<c_int, ErrorReply> {
        let loaded = self
            .libraries
            .iter()
            .find(|(known, _)| Arc::ptr_eq(known, library));
        if let Some((_, references)) = loaded {
            return Ok(references[number]);
        }
        let (functions, references) = self.register(library)?;
        let is_same = functions.len() == library.functions.len()
            && functions
                .iter()
                .zip(&library.functions)
                .all(|(a, b)| a.name == b.name);
        if !is_same {
            self.release(references);
            return Err(ErrorReply::fixed(
                "ERR the library registers other functions than when it was loaded",
            ));
        }
        let reference = references[number];
        self.libraries.push((library.clone(), references));
        Ok(reference)
    }

    /// A script that has run here, if the node still has it.
    pub fn known(&self, cache: &ScriptCache, sha: &Sha) -> Option<Arc<Script>> {
        if self.flushes != cache.flushes() {
            return None;
        }
        self.compiled.get(sha).map(|(script, _)| script.clone())
    }

    /// The run, to be filled in before something is run.
    pub fn begin(&mut self) -> *mut Run {
        &raw mut *self.run
    }

    /// After a run: the garbage collector's share, and large buffers go.
    pub fn end(&mut self) {
        const KEPT: usize = 64 * 1024;
        self.runs += 1;
        if self.runs >= RUNS_PER_GC_STEP {
            self.runs = 0;
            // SAFETY: the state is valid, and no object of ours has a finalizer that could raise an error.
            unsafe { ffi::lua_gc(self.lua, ffi::LUA_GCSTEP, 2) };
        }
        let run = &mut *self.run;
        for buffer in [&mut run.args, &mut run.reply, &mut run.result, &mut run.text] {
            if buffer.capacity() > KEPT {
                *buffer = Vec::new();
            }
        }
    }

    /// Does the script compile? Then it is ready to run.
    pub fn check(&mut self, script: &Arc<Script>) -> Result<(), ErrorReply> {
        self.reference(script).map(|_| ())
    }

    fn reference(&mut self, script: &Arc<Script>) -> Result<c_int, ErrorReply> {
        if let Some((_, reference)) = self.compiled.get(&script.sha) {
            return Ok(*reference);
        }
        let mut job = Job {
            chunk_name: b"@user_script\0",
            code: script.code(),
            reference: 0,
            error: Vec::new(),
        };
        // SAFETY: the state is valid, and the job outlives the call.
        let status = unsafe { ffi::lua_cpcall(self.lua, compile, (&raw mut job).cast()) };
        if status != ffi::LUA_OK {
            self.is_spent = true;
            // SAFETY: cpcall has left its message.
            unsafe { ffi::lua_settop(self.lua, 0) };
            return Err(ErrorReply::fixed("ERR not enough memory for the script"));
        }
        if !job.error.is_empty() {
            let text = [b"ERR Error compiling script (new function): ", &job.error[..]].concat();
            return Err(ErrorReply::from_bytes(text));
        }
        self.compiled.insert(script.sha, (script.clone(), job.reference));
        Ok(job.reference)
    }

    /// Runs it with these arguments, of which the first are keys, and leaves the reply in the run.
    pub fn run(&mut self, chunk: Chunk<'_>, args: Args<'_>, key_count: usize) {
        let (found, name): (_, &[u8]) = match chunk {
            Chunk::Script(script) => (self.reference(script), &script.sha),
            Chunk::Function(library, number) => (
                self.function_reference(library, number),
                &library.functions[number].name,
            ),
        };
        let reference = match found {
            Ok(reference) => reference,
            Err(error) => {
                self.run.result_failed = true;
                ReplyWriter::new(&mut self.run.result, self.run.client_proto).error(error.as_bytes());
                return;
            }
        };
        let mut start = Start {
            reference,
            args,
            key_count,
            name,
            is_function: matches!(chunk, Chunk::Function(..)),
        };
        // SAFETY: the state is valid, and what `start` borrows outlives the call.
        let status = unsafe { ffi::lua_cpcall(self.lua, main, (&raw mut start).cast()) };
        let run = &mut *self.run;
        if status != ffi::LUA_OK {
            self.is_spent = true;
            if run.abort.is_none() {
                run.result.clear();
                run.result_failed = true;
                ReplyWriter::new(&mut run.result, run.client_proto)
                    .error(b"ERR not enough memory for the script");
            }
        }
        // SAFETY: nothing of the stack is needed any more; the hook may have been made finer to stop the script.
        unsafe {
            ffi::lua_settop(self.lua, 0);
            if run.abort.is_some() {
                ffi::lua_sethook(self.lua, Some(tick), ffi::LUA_MASKCOUNT, TICK);
            }
        }
    }
}

impl Drop for Interpreter {
    fn drop(&mut self) {
        // SAFETY: the state was made by lua_newstate and is closed once.
        unsafe { ffi::lua_close(self.lua) };
    }
}

struct Start<'a> {
    reference: c_int,
    args: Args<'a>,
    key_count: usize,
    name: &'a [u8],
    is_function: bool,
}

/// Lua's allocator: the global one, with a limit.
unsafe extern "C" fn allocate(ud: *mut c_void, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
    // SAFETY: `ud` is the Memory that the state was made with; blocks were allocated here with the size that Lua gives
    // back, and an alignment of 16.
    unsafe {
        let memory = &mut *ud.cast::<Memory>();
        let layout = |size| Layout::from_size_align_unchecked(size, 16);
        let old = if block.is_null() { 0 } else { old };
        if new == 0 {
            if old > 0 {
                alloc::dealloc(block.cast(), layout(old));
                memory.used -= old;
            }
            return std::ptr::null_mut();
        }
        if new > old && memory.used + (new - old) > MEMORY_LIMIT {
            return std::ptr::null_mut();
        }
        let moved = if old == 0 {
            alloc::alloc(layout(new))
        } else {
            alloc::realloc(block.cast(), layout(old), new)
        };
        if !moved.is_null() {
            memory.used = memory.used + new - old;
        }
        moved.cast()
    }
}

unsafe extern "C-unwind" fn open(lua: State) -> c_int {
    // SAFETY: called by lua_cpcall.
    unsafe { sandbox::set_up(lua) };
    0
}

unsafe extern "C-unwind" fn tick(lua: State, _: *mut ffi::lua_Debug) {
    // SAFETY: Lua calls its hook with a valid state; the run is this thread's, and set while a script runs.
    unsafe {
        register::stop_if_late(lua);
        let Some(run) = running().as_mut() else { return };
        run.on_tick();
        stop_if_aborted(lua, run);
    }
}

/// Raises an error, and another with the next instruction, and so on, until all of the script has ended.
///
/// # Safety
/// Within a protected call of a script; may jump.
pub unsafe fn stop_if_aborted(lua: State, run: &Run) {
    let Some(abort) = run.abort else { return };
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::lua_sethook(lua, Some(tick), ffi::LUA_MASKCOUNT | ffi::LUA_MASKLINE, 1);
        let text: &[u8] = match abort {
            Abort::Killed => b"ERR Script killed by user with SCRIPT KILL...",
            Abort::Restart => b"ERR the script begins anew",
        };
        convert::push_field(lua, c"err", text);
        ffi::lua_error(lua)
    }
}

unsafe extern "C-unwind" fn unref(lua: State) -> c_int {
    // SAFETY: called by lua_cpcall with a list, which outlives it.
    unsafe {
        let references = &*ffi::lua_touserdata(lua, 1).cast::<Vec<c_int>>();
        for &reference in references {
            ffi::luaL_unref(lua, ffi::LUA_REGISTRYINDEX, reference);
        }
    }
    0
}

/// Runs the code of a library, which registers its functions.
unsafe extern "C-unwind" fn load_functions(lua: State) -> c_int {
    // SAFETY: called by lua_cpcall with a Job, which outlives it and owns the message.
    unsafe {
        let job = &mut *ffi::lua_touserdata(lua, 1).cast::<Job<'_>>();
        ffi::lua_settop(lua, 0);
        ffi::lua_pushcclosure(lua, sandbox::describe_error, 0);
        if !load(lua, job.code, job.chunk_name) {
            job.error.extend_from_slice(b"ERR Error compiling function: ");
            job.error
                .extend_from_slice(ffi::string_at(lua, -1).unwrap_or(b"not enough memory"));
            return 0;
        }
        sandbox::enter_loading(lua);
        ffi::lua_insert(lua, 1);
        // The metatable of the environment, the handler, the function.
        if ffi::lua_pcall(lua, 0, 0, 2) != ffi::LUA_OK {
            job.error.extend_from_slice(b"ERR Error registering functions: ");
            let top = ffi::lua_gettop(lua);
            if ffi::lua_type(lua, top) == ffi::LUA_TTABLE {
                sandbox::field_of(lua, top, c"err");
            }
            job.error
                .extend_from_slice(ffi::string_at(lua, -1).unwrap_or(b"unknown error"));
            return 0;
        }
        ffi::lua_settop(lua, 1);
        sandbox::end_loading(lua);
    }
    0
}

unsafe extern "C-unwind" fn compile(lua: State) -> c_int {
    // SAFETY: called by lua_cpcall with a Job, which outlives it.
    unsafe {
        let job = &mut *ffi::lua_touserdata(lua, 1).cast::<Job<'_>>();
        if load(lua, job.code, job.chunk_name) {
            job.reference = ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX);
        } else {
            job.error
                .extend_from_slice(ffi::string_at(lua, -1).unwrap_or(b"not enough memory"));
        }
    }
    0
}

/// Compiles text, never bytecode, and pushes the function, or an error message and says false.
///
/// # Safety
/// Within a protected call; `name` ends in a zero byte.
pub unsafe fn load(lua: State, code: &[u8], name: &[u8]) -> bool {
    // SAFETY: by the caller's promise. A blank before the mark of bytecode makes text of it, as which it fails.
    unsafe {
        if code.first() == Some(&0x1b) {
            ffi::lua_pushlstring(lua, c" ".as_ptr(), 1);
            ffi::push_bytes(lua, code);
            ffi::lua_concat(lua, 2);
            let text = ffi::string_at(lua, -1).unwrap_or_default();
            let status = ffi::luaL_loadbuffer(lua, text.as_ptr().cast(), text.len(), name.as_ptr().cast());
            ffi::lua_remove(lua, -2);
            return status == ffi::LUA_OK;
        }
        ffi::luaL_loadbuffer(lua, code.as_ptr().cast(), code.len(), name.as_ptr().cast()) == ffi::LUA_OK
    }
}

/// Calls the function of a [`Start`], and turns what comes of it into the reply.
unsafe extern "C-unwind" fn main(lua: State) -> c_int {
    // SAFETY: called by lua_cpcall with a Start, while a script runs on this thread.
    unsafe {
        let start = &*ffi::lua_touserdata(lua, 1).cast::<Start<'_>>();
        ffi::lua_settop(lua, 0);
        ffi::lua_pushcclosure(lua, sandbox::describe_error, 0);
        ffi::lua_rawgeti(
            lua,
            ffi::LUA_REGISTRYINDEX,
            ffi::lua_Integer::from(start.reference),
        );
        let (keys, values) = (0..start.key_count, start.key_count..start.args.len());
        for (name, range) in [(c"KEYS", keys), (c"ARGV", values)] {
            push_list(lua, &start.args, range);
            if !start.is_function {
                sandbox::set_global(lua, name);
            }
        }
        let status = ffi::lua_pcall(lua, if start.is_function { 2 } else { 0 }, 1, 1);
        let run = &mut *running();
        if run.abort == Some(Abort::Restart) {
            return 0;
        }
        if status == ffi::LUA_OK {
            convert_result(lua, run, start.name);
        } else {
            write_error(lua, run, start.name);
        }
        if status == ffi::LUA_ERRMEM {
            ffi::raise(lua, b"");
        }
    }
    0
}

/// The result is on the top; converting it may fail as the script itself may.
///
/// # Safety
/// Within `main`.
unsafe fn convert_result(lua: State, run: &mut Run, name: &[u8]) {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::lua_pushcclosure(lua, convert_top, 0);
        ffi::lua_insert(lua, -2);
        if ffi::lua_pcall(lua, 1, 0, 0) != ffi::LUA_OK {
            run.result.clear();
            write_error(lua, run, name);
        }
    }
}

unsafe extern "C-unwind" fn convert_top(lua: State) -> c_int {
    // SAFETY: called within `main`, with the result as its argument.
    unsafe { convert::pop_as_reply(lua, &mut *running(), 0) };
    0
}

/// # Safety
/// Within a protected call.
unsafe fn push_list(lua: State, args: &Args<'_>, range: std::ops::Range<usize>) {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, range.len() as c_int, 0);
        for (i, at) in range.enumerate() {
            ffi::push_bytes(lua, args.at(at));
            ffi::lua_rawseti(lua, -2, i as ffi::lua_Integer + 1);
        }
    }
}

/// Writes the error on the top as the reply: what, in which script, where.
///
/// # Safety
/// Within `main`.
unsafe fn write_error(lua: State, run: &mut Run, name: &[u8]) {
    run.result_failed = true;
    run.text.clear();
    // SAFETY: by the caller's promise; field_of leaves one value each, which are popped at the end.
    unsafe {
        let top = ffi::lua_gettop(lua);
        if let Some(text) = ffi::string_at(lua, -1) {
            run.text.extend_from_slice(b"ERR ");
            run.text.extend_from_slice(text);
        } else if ffi::lua_type(lua, -1) == ffi::LUA_TTABLE {
            sandbox::field_of(lua, top, c"ignore_error_stats_update");
            run.failure_counted = ffi::lua_type(lua, -1) != ffi::LUA_TNIL;
            sandbox::field_of(lua, top, c"err");
            match ffi::lua_type(lua, -1) {
                ffi::LUA_TSTRING | ffi::LUA_TNUMBER => {
                    let mut len = 0;
                    let start = ffi::lua_tolstring(lua, -1, &raw mut len);
                    run.text
                        .extend_from_slice(std::slice::from_raw_parts(start.cast(), len));
                }
                _ => run.text.extend_from_slice(b"ERR unknown error"),
            }
            sandbox::field_of(lua, top, c"source");
            sandbox::field_of(lua, top, c"line");
            if let (Some(source), ffi::LUA_TNUMBER) = (ffi::string_at(lua, -2), ffi::lua_type(lua, -1)) {
                run.text.extend_from_slice(b" script: ");
                run.text.extend_from_slice(name);
                run.text.extend_from_slice(b", on ");
                run.text.extend_from_slice(source);
                run.text.push(b':');
                let line = ffi::lua_tonumber(lua, -1) as i64;
                run.text
                    .extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
                run.text.push(b'.');
            }
        } else {
            run.text.extend_from_slice(b"ERR unknown error");
        }
        ffi::lua_settop(lua, top - 1);
    }
    ReplyWriter::new(&mut run.result, run.client_proto).error(&run.text);
}
