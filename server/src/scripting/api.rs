//! The table `redis`, and the random numbers.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use slotcore::command::lookup_request;
use slotcore::resp::{ArgRange, Args, Proto, format_double};

use super::ffi::{self, State, c_int, set_function, set_number, set_string};
use super::random::Random;
use super::run::{Run, running};
use super::sha1::sha1_hex;
use super::{command, convert, interpreter};
use crate::acl;
use crate::command::dispatch::is_bound;
use crate::log;

const VERSION: &[u8] = b"7.0.15";
const VERSION_NUMBER: f64 = 0x0007_000f as f64;

const NO_ARGUMENT: &[u8] = b"Please specify at least one argument for this redis lib call";
const WRONG_ARGUMENT: &[u8] = b"Lua redis lib command arguments must be strings or integers";

thread_local! {
    static RANDOM: RefCell<Random> = RefCell::default();
    /// What a library logs while it is loaded; used by one function, which does not call itself.
    static LOG_TEXT: std::cell::UnsafeCell<Vec<u8>> = const { std::cell::UnsafeCell::new(Vec::new()) };
}

/// Fills the table on the top.
///
/// # Safety
/// Within a protected call.
pub unsafe fn fill(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        fill_for_functions(lua);
        for (name, function) in [
            (c"replicate_commands", replicate_commands as ffi::Function),
            (c"breakpoint", breakpoint),
            (c"debug", debug),
        ] {
            set_function(lua, name, function);
        }
    }
}

/// The same as functions of libraries see it.
///
/// # Safety
/// Within a protected call.
pub unsafe fn fill_for_functions(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        fill_for_loading(lua);
        for (name, function) in [
            (c"call", call as ffi::Function),
            (c"pcall", pcall),
            (c"error_reply", error_reply),
            (c"status_reply", status_reply),
            (c"sha1hex", sha1hex),
            (c"setresp", setresp),
            (c"set_repl", set_repl),
            (c"acl_check_cmd", acl_check_cmd),
        ] {
            set_function(lua, name, function);
        }
        for (name, value) in [
            (c"REPL_NONE", 0.0),
            (c"REPL_AOF", 1.0),
            (c"REPL_SLAVE", 2.0),
            (c"REPL_REPLICA", 2.0),
            (c"REPL_ALL", 3.0),
        ] {
            set_number(lua, name, value);
        }
    }
}

/// What the code of a library finds while it is loaded, beside register_function.
///
/// # Safety
/// Within a protected call.
pub unsafe fn fill_for_loading(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        set_function(lua, c"log", log_message);
        for (name, value) in [
            (c"LOG_DEBUG", 0.0),
            (c"LOG_VERBOSE", 1.0),
            (c"LOG_NOTICE", 2.0),
            (c"LOG_WARNING", 3.0),
            (c"REDIS_VERSION_NUM", VERSION_NUMBER),
        ] {
            set_number(lua, name, value);
        }
        set_string(lua, c"REDIS_VERSION", VERSION);
    }
}

/// Pushes an error table; `text` is without its class ERR.
///
/// # Safety
/// Within a protected call.
unsafe fn push_error(lua: State, text: &[u8]) {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::lua_createtable(lua, 0, 1);
        ffi::push_bytes(lua, b"ERR ");
        ffi::push_bytes(lua, text);
        ffi::lua_concat(lua, 2);
        ffi::lua_setfield(lua, -2, c"err".as_ptr());
    }
}

/// Raises an error table.
///
/// # Safety
/// Within a protected call.
pub unsafe fn raise_error(lua: State, text: &[u8]) -> ! {
    // SAFETY: by the caller's promise.
    unsafe {
        push_error(lua, text);
        ffi::lua_error(lua)
    }
}

unsafe extern "C-unwind" fn call(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe { run_command(lua, true) }
}

unsafe extern "C-unwind" fn pcall(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe { run_command(lua, false) }
}

/// # Safety
/// Called by Lua.
unsafe fn run_command(lua: State, raises: bool) -> c_int {
    // SAFETY: by the caller's promise; the run is this thread's, and owns all buffers.
    unsafe {
        let Some(run) = running().as_mut() else {
            raise_error(
                lua,
                b"redis.call/pcall can only be called inside a script invocation",
            );
        };
        if let Some(error) = collect_args(lua, run) {
            push_error(lua, error);
            return if raises { ffi::lua_error(lua) } else { 1 };
        }
        run.reply.clear();
        let failed = match catch_unwind(AssertUnwindSafe(|| execute(run))) {
            Ok(failed) => failed,
            // A panic must not pass through Lua.
            Err(panic) => {
                run.panic = Some(panic);
                run.abort = Some(super::run::Abort::Killed);
                false
            }
        };
        interpreter::stop_if_aborted(lua, run);
        if !failed {
            if run.reply.is_empty() {
                // A command without a reply of its own.
                ffi::lua_pushboolean(lua, 0);
                return 1;
            }
            convert::push_reply(lua, &run.reply, 0);
            return 1;
        }
        let line = run.reply.strip_suffix(b"\r\n").unwrap_or(&run.reply);
        convert::push_field(lua, c"err", &line[1..]);
        ffi::lua_pushboolean(lua, 1);
        ffi::lua_setfield(lua, -2, c"ignore_error_stats_update".as_ptr());
        if raises { ffi::lua_error(lua) } else { 1 }
    }
}

/// Runs the command; true if its reply is an error.
fn execute(run: &mut Run) -> bool {
    if let Err(refusal) = command::execute(run) {
        run.count_refusal(&refusal);
        slotcore::resp::ReplyWriter::new(&mut run.reply, Proto::Resp2).error(refusal.as_bytes());
    }
    run.reply.first() == Some(&b'-')
}

/// Takes the arguments of a Lua function as those of a command; an error if they cannot be.
///
/// # Safety
/// Called by Lua.
unsafe fn collect_args(lua: State, run: &mut Run) -> Option<&'static [u8]> {
    run.args.clear();
    run.ranges.clear();
    // SAFETY: by the caller's promise; numbers are formatted here, so nothing on the stack changes.
    unsafe {
        let count = ffi::lua_gettop(lua);
        if count == 0 {
            return Some(NO_ARGUMENT);
        }
        for at in 1..=count {
            let start = run.args.len() as u32;
            match ffi::lua_type(lua, at) {
                ffi::LUA_TNUMBER => push_number(&mut run.args, ffi::lua_tonumber(lua, at)),
                ffi::LUA_TSTRING => run
                    .args
                    .extend_from_slice(ffi::string_at(lua, at).unwrap_or_default()),
                _ => return Some(WRONG_ARGUMENT),
            }
            let Ok(end) = u32::try_from(run.args.len()) else {
                return Some(b"the arguments are larger than 4 GiB");
            };
            run.ranges.push(ArgRange { start, end });
        }
    }
    None
}

/// A number as commands get it: an integer, or seventeen significant digits.
fn push_number(out: &mut Vec<u8>, number: f64) {
    let whole = number as i64;
    if number.abs() < 2f64.powi(62) && whole as f64 == number {
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    } else {
        out.extend_from_slice(format_double(number).as_bytes());
    }
}

/// # Safety
/// Called by Lua.
unsafe fn only_text<'a>(lua: State) -> Option<&'a [u8]> {
    // SAFETY: by the caller's promise.
    unsafe {
        if ffi::lua_gettop(lua) != 1 {
            return None;
        }
        ffi::string_at(lua, -1)
    }
}

unsafe extern "C-unwind" fn error_reply(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        let Some(text) = only_text(lua) else {
            push_error(lua, b"wrong number or type of arguments");
            return 1;
        };
        let text = text.strip_prefix(b"-").unwrap_or(text);
        if text.contains(&b' ') {
            convert::push_field(lua, c"err", text);
        } else {
            push_error(lua, text);
        }
        1
    }
}

unsafe extern "C-unwind" fn status_reply(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        match only_text(lua) {
            Some(text) => convert::push_field(lua, c"ok", text),
            None => push_error(lua, b"wrong number or type of arguments"),
        }
        1
    }
}

unsafe extern "C-unwind" fn sha1hex(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        if ffi::lua_gettop(lua) != 1 {
            raise_error(lua, b"wrong number of arguments");
        }
        let mut len = 0;
        let start = ffi::lua_tolstring(lua, 1, &raw mut len);
        let text = if start.is_null() {
            &[]
        } else {
            std::slice::from_raw_parts(start.cast(), len)
        };
        ffi::push_bytes(lua, &sha1_hex(text));
        1
    }
}

unsafe extern "C-unwind" fn log_message(lua: State) -> c_int {
    // SAFETY: called by Lua; the text is the run's.
    unsafe {
        let count = ffi::lua_gettop(lua);
        if count < 2 {
            raise_error(lua, b"redis.log() requires two arguments or more.");
        }
        if ffi::lua_isnumber(lua, 1) == 0 {
            raise_error(lua, b"First argument must be a number (log level).");
        }
        let level = ffi::lua_tonumber(lua, 1);
        if !(0.0..=3.0).contains(&level) {
            raise_error(lua, b"Invalid debug level.");
        }
        // While a library is loaded no script runs.
        let text = match running().as_mut() {
            Some(run) => &mut run.text,
            None => &mut *LOG_TEXT.with(std::cell::UnsafeCell::get),
        };
        text.clear();
        for at in 2..=count {
            if at > 2 {
                text.push(b' ');
            }
            let mut len = 0;
            let start = ffi::lua_tolstring(lua, at, &raw mut len);
            if !start.is_null() {
                text.extend_from_slice(std::slice::from_raw_parts(start.cast(), len));
            }
        }
        write_log(level as u8, text);
        0
    }
}

fn write_log(level: u8, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    match level {
        0 => log::debug(format_args!("{text}")),
        1 => log::verbose(format_args!("{text}")),
        2 => log::notice(format_args!("{text}")),
        _ => log::warning(format_args!("{text}")),
    }
}

unsafe extern "C-unwind" fn setresp(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe {
        if ffi::lua_gettop(lua) != 1 {
            raise_error(lua, b"redis.setresp() requires one argument.");
        }
        let proto = match ffi::lua_tonumber(lua, -1) as i64 {
            2 => Proto::Resp2,
            3 => Proto::Resp3,
            _ => raise_error(lua, b"RESP version must be 2 or 3."),
        };
        if let Some(run) = running().as_mut() {
            run.proto = proto;
        }
        0
    }
}

unsafe extern "C-unwind" fn set_repl(lua: State) -> c_int {
    const REPLICA: i64 = 2;
    const ALL: i64 = 3;
    // SAFETY: called by Lua.
    unsafe {
        if ffi::lua_gettop(lua) != 1 {
            raise_error(lua, b"redis.set_repl() requires two arguments.");
        }
        let flags = ffi::lua_tonumber(lua, -1) as i64;
        if flags & !ALL != 0 {
            raise_error(
                lua,
                b"Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.",
            );
        }
        if let Some(run) = running().as_mut() {
            run.replicates = flags & REPLICA != 0;
        }
        0
    }
}

unsafe extern "C-unwind" fn replicate_commands(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe { ffi::lua_pushboolean(lua, 1) };
    1
}

/// There is no debugger, as in a server where nobody debugs.
unsafe extern "C-unwind" fn breakpoint(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe { ffi::lua_pushboolean(lua, 0) };
    1
}

unsafe extern "C-unwind" fn debug(_: State) -> c_int {
    0
}

unsafe extern "C-unwind" fn acl_check_cmd(lua: State) -> c_int {
    // SAFETY: called by Lua; the run owns the buffers.
    unsafe {
        let Some(run) = running().as_mut() else {
            raise_error(
                lua,
                b"redis.acl_check_cmd can only be called inside a script invocation",
            );
        };
        if let Some(error) = collect_args(lua, run) {
            raise_error(lua, error);
        }
        let args = Args::new(&run.args, &run.ranges);
        let spec = match lookup_request(&args) {
            Ok(spec) if is_bound(spec) => spec,
            _ => raise_error(lua, b"Invalid command passed to redis.acl_check_cmd()"),
        };
        let account = &(*run.call).session.account;
        let may = account.is_unrestricted() || acl::check(&account.user(), spec, &args).is_ok();
        ffi::lua_pushboolean(lua, c_int::from(may));
        1
    }
}

/// math.random.
pub unsafe extern "C-unwind" fn random(lua: State) -> c_int {
    let unit = RANDOM.with_borrow_mut(Random::next_unit);
    // SAFETY: called by Lua.
    unsafe {
        let number = match ffi::lua_gettop(lua) {
            0 => unit,
            1 => {
                let high = f64::from(ffi::luaL_checkinteger(lua, 1) as i32);
                if high < 1.0 {
                    ffi::luaL_argerror(lua, 1, c"interval is empty".as_ptr());
                }
                (unit * high).floor() + 1.0
            }
            2 => {
                let low = f64::from(ffi::luaL_checkinteger(lua, 1) as i32);
                let high = f64::from(ffi::luaL_checkinteger(lua, 2) as i32);
                if low > high {
                    ffi::luaL_argerror(lua, 2, c"interval is empty".as_ptr());
                }
                (unit * (high - low + 1.0)).floor() + low
            }
            _ => ffi::raise_here(lua, b"wrong number of arguments"),
        };
        ffi::lua_pushnumber(lua, number);
    }
    1
}

/// math.randomseed.
pub unsafe extern "C-unwind" fn random_seed(lua: State) -> c_int {
    // SAFETY: called by Lua.
    let seed = unsafe { ffi::luaL_checkinteger(lua, 1) } as i32;
    RANDOM.with_borrow_mut(|random| random.seed(seed));
    0
}
