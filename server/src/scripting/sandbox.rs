//! What of Lua scripts get, and that none of it can be changed by them.
//!
//! Lua 5.1 has no tables that cannot be written to. So scripts see an empty table in the place of each that is ours: its
//! metatable reads from the real one and refuses writes, and those functions of the standard library that go past
//! metatables know of it.

use super::ffi::{self, CStr, Function, State, c_int, set_function};
use super::{api, builtins, libraries};

const READ_ONLY: &[u8] = b"Attempt to modify a readonly table";

/// What is left of the basic library.
const KEPT: [&CStr; 26] = [
    c"_VERSION",
    c"assert",
    c"collectgarbage",
    c"coroutine",
    c"error",
    c"gcinfo",
    c"getmetatable",
    c"ipairs",
    c"load",
    c"loadstring",
    c"math",
    c"next",
    c"pairs",
    c"pcall",
    c"rawequal",
    c"rawget",
    c"rawset",
    c"select",
    c"setmetatable",
    c"string",
    c"table",
    c"tonumber",
    c"tostring",
    c"type",
    c"unpack",
    c"xpcall",
];

/// Tables of functions that scripts see.
const LIBRARIES: [&CStr; 9] = [
    c"string",
    c"math",
    c"table",
    c"coroutine",
    c"redis",
    c"cjson",
    c"cmsgpack",
    c"struct",
    c"bit",
];

/// Keys of the registry: addresses of these.
static GLOBALS: u8 = 0;
static REAL_TABLES: u8 = 0;
static FACADES: u8 = 0;
static FUNCTION_GLOBALS: u8 = 0;
static LOAD_GLOBALS: u8 = 0;

fn key_of(place: &'static u8) -> *mut ffi::c_void {
    std::ptr::from_ref(place).cast_mut().cast()
}

/// Pushes a value of the registry.
///
/// # Safety
/// `lua` is a state with a free stack slot.
unsafe fn push_registered(lua: State, place: &'static u8) {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::lua_pushlightuserdata(lua, key_of(place));
        ffi::lua_rawget(lua, ffi::LUA_REGISTRYINDEX);
    }
}

/// Takes a value from the top into the registry.
///
/// # Safety
/// Within a protected call.
unsafe fn register(lua: State, place: &'static u8) {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::lua_pushlightuserdata(lua, key_of(place));
        ffi::lua_insert(lua, -2);
        ffi::lua_rawset(lua, ffi::LUA_REGISTRYINDEX);
    }
}

/// Pushes a field of the table at an absolute index, past its metatable.
///
/// # Safety
/// Within a protected call.
pub unsafe fn field_of(lua: State, table: c_int, name: &CStr) {
    // SAFETY: by the caller's promise.
    unsafe {
        ffi::push_bytes(lua, name.to_bytes());
        ffi::lua_rawget(lua, table);
    }
}

/// Takes a value from the top into a global variable of scripts.
///
/// # Safety
/// Within a protected call.
pub unsafe fn set_global(lua: State, name: &CStr) {
    // SAFETY: by the caller's promise.
    unsafe {
        push_registered(lua, &GLOBALS);
        ffi::lua_insert(lua, -2);
        ffi::lua_setfield(lua, -2, name.as_ptr());
        ffi::lua_settop(lua, -2);
    }
}

/// Opens the libraries and closes the sandbox.
///
/// # Safety
/// Within a protected call, on a new state.
pub unsafe fn set_up(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        let openers: [(Function, &CStr); 4] = [
            (ffi::luaopen_base, c""),
            (ffi::luaopen_table, c"table"),
            (ffi::luaopen_string, c"string"),
            (ffi::luaopen_math, c"math"),
        ];
        for (opener, name) in openers {
            ffi::lua_pushcclosure(lua, opener, 0);
            ffi::push_bytes(lua, name.to_bytes());
            ffi::lua_call(lua, 1, 0);
        }
        // Metatables of facades and the real tables behind them; facades by real table.
        ffi::lua_createtable(lua, 0, 16);
        register(lua, &REAL_TABLES);
        ffi::lua_createtable(lua, 0, 16);
        register(lua, &FACADES);
        // The real globals: what is kept of the basic library, and ours.
        ffi::lua_createtable(lua, 0, 48);
        for name in KEPT {
            ffi::lua_getfield(lua, ffi::LUA_GLOBALSINDEX, name.as_ptr());
            ffi::lua_setfield(lua, -2, name.as_ptr());
        }
        builtins::replace_basics(lua);
        ffi::lua_createtable(lua, 0, 24);
        api::fill(lua);
        ffi::lua_setfield(lua, -2, c"redis".as_ptr());
        libraries::open(lua);
        builtins::replace_table_functions(lua);
        builtins::replace_random(lua);
        for name in LIBRARIES {
            ffi::lua_getfield(lua, -1, name.as_ptr());
            push_facade(lua);
            ffi::lua_setfield(lua, -3, name.as_ptr());
            ffi::lua_settop(lua, -2);
        }
        // An unknown global is an error, not nil.
        ffi::lua_createtable(lua, 0, 1);
        set_function(lua, c"__index", unknown_global);
        ffi::lua_pushvalue(lua, -1);
        ffi::lua_setmetatable(lua, -3);
        // What getmetatable(_G) shows.
        push_facade(lua);
        ffi::lua_remove(lua, -2);
        push_registered(lua, &FACADES);
        ffi::lua_insert(lua, -2);
        ffi::lua_setfield(lua, -2, c"_G".as_ptr());
        ffi::lua_settop(lua, -2);
        // What getmetatable("") shows.
        ffi::lua_createtable(lua, 0, 1);
        ffi::lua_getfield(lua, -2, c"string".as_ptr());
        ffi::lua_setfield(lua, -2, c"__index".as_ptr());
        push_facade(lua);
        ffi::lua_remove(lua, -2);
        push_registered(lua, &FACADES);
        ffi::lua_insert(lua, -2);
        ffi::lua_setfield(lua, -2, c"string".as_ptr());
        ffi::lua_settop(lua, -2);

        set_up_functions(lua);
        push_facade(lua);
        ffi::lua_pushvalue(lua, -1);
        ffi::lua_setfield(lua, -3, c"_G".as_ptr());
        ffi::lua_replace(lua, ffi::LUA_GLOBALSINDEX);
        register(lua, &GLOBALS);
    }
}

/// Makes the globals of functions, and those of libraries that are being loaded, beside those of scripts on the top.
///
/// # Safety
/// Within a protected call.
unsafe fn set_up_functions(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        let scripts = ffi::lua_gettop(lua);
        ffi::lua_createtable(lua, 0, 48);
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, scripts) != 0 {
            ffi::lua_pushvalue(lua, -2);
            ffi::lua_insert(lua, -2);
            ffi::lua_rawset(lua, -4);
        }
        ffi::lua_createtable(lua, 0, 24);
        api::fill_for_functions(lua);
        push_facade(lua);
        ffi::lua_remove(lua, -2);
        ffi::lua_setfield(lua, -2, c"redis".as_ptr());
        ffi::lua_getmetatable(lua, scripts);
        ffi::lua_setmetatable(lua, -2);
        push_facade(lua);
        ffi::lua_setfield(lua, -2, c"_G".as_ptr());
        register(lua, &FUNCTION_GLOBALS);

        ffi::lua_createtable(lua, 0, 1);
        ffi::lua_createtable(lua, 0, 8);
        api::fill_for_loading(lua);
        set_function(lua, c"register_function", super::register::register_function);
        ffi::lua_getmetatable(lua, scripts);
        ffi::lua_setmetatable(lua, -2);
        push_facade(lua);
        ffi::lua_remove(lua, -2);
        ffi::lua_setfield(lua, -2, c"redis".as_ptr());
        ffi::lua_getmetatable(lua, scripts);
        ffi::lua_setmetatable(lua, -2);
        register(lua, &LOAD_GLOBALS);
    }
}

/// Gives the function on the top an environment of its own, in which a library is loaded, and pushes the metatable of
/// that.
///
/// # Safety
/// Within a protected call.
pub unsafe fn enter_loading(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        push_registered(lua, &LOAD_GLOBALS);
        push_facade(lua);
        ffi::lua_remove(lua, -2);
        ffi::lua_getmetatable(lua, -1);
        ffi::lua_insert(lua, -2);
        ffi::lua_setfenv(lua, -3);
    }
}

/// From now on the environment whose metatable is on the top, which is taken, shows what functions see.
///
/// # Safety
/// Within a protected call.
pub unsafe fn end_loading(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        push_registered(lua, &FUNCTION_GLOBALS);
        ffi::lua_pushvalue(lua, -1);
        ffi::lua_setfield(lua, -3, c"__index".as_ptr());
        push_registered(lua, &REAL_TABLES);
        ffi::lua_insert(lua, -3);
        ffi::lua_rawset(lua, -3);
        ffi::lua_settop(lua, -2);
    }
}

/// Pushes an empty table that reads from the table on the top and cannot be written to.
///
/// # Safety
/// Within a protected call.
unsafe fn push_facade(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        let real = ffi::lua_gettop(lua);
        ffi::lua_createtable(lua, 0, 0);
        ffi::lua_createtable(lua, 0, 2);
        ffi::lua_pushvalue(lua, real);
        ffi::lua_setfield(lua, -2, c"__index".as_ptr());
        set_function(lua, c"__newindex", refuse_write);
        push_registered(lua, &REAL_TABLES);
        ffi::lua_pushvalue(lua, -2);
        ffi::lua_pushvalue(lua, real);
        ffi::lua_rawset(lua, -3);
        ffi::lua_settop(lua, -2);
        ffi::lua_setmetatable(lua, -2);
    }
}

/// If the argument is a facade, pushes the real table behind it and says true.
///
/// # Safety
/// Within a protected call.
pub unsafe fn push_real(lua: State, at: c_int) -> bool {
    // SAFETY: by the caller's promise.
    unsafe {
        if ffi::lua_type(lua, at) != ffi::LUA_TTABLE || ffi::lua_getmetatable(lua, at) == 0 {
            return false;
        }
        push_registered(lua, &REAL_TABLES);
        ffi::lua_insert(lua, -2);
        ffi::lua_rawget(lua, -2);
        ffi::lua_remove(lua, -2);
        let is_facade = ffi::lua_type(lua, -1) == ffi::LUA_TTABLE;
        if !is_facade {
            ffi::lua_settop(lua, -2);
        }
        is_facade
    }
}

unsafe extern "C-unwind" fn refuse_write(lua: State) -> c_int {
    // SAFETY: called by Lua.
    unsafe { ffi::raise_here(lua, READ_ONLY) }
}

unsafe extern "C-unwind" fn unknown_global(lua: State) -> c_int {
    // SAFETY: called by Lua; tolstring may change the key of nobody, it is our argument.
    unsafe {
        ffi::luaL_where(lua, 1);
        ffi::push_bytes(lua, b"Script attempted to access nonexistent global variable '");
        let mut len = 0;
        let name = ffi::lua_tolstring(lua, 2, &raw mut len);
        if name.is_null() {
            ffi::push_bytes(lua, b"(null)");
        } else {
            ffi::lua_pushlstring(lua, name, len);
        }
        ffi::push_bytes(lua, b"'");
        ffi::lua_concat(lua, 4);
        ffi::lua_error(lua)
    }
}

/// The error handler of scripts: makes a table of any error, and notes where it has occurred.
pub unsafe extern "C-unwind" fn describe_error(lua: State) -> c_int {
    // SAFETY: called by Lua with the error; the record is filled by getinfo before it is read.
    unsafe {
        ffi::lua_settop(lua, 1);
        if ffi::lua_type(lua, 1) != ffi::LUA_TTABLE {
            ffi::lua_createtable(lua, 0, 3);
            ffi::push_bytes(lua, b"ERR ");
            match ffi::lua_type(lua, 1) {
                ffi::LUA_TSTRING | ffi::LUA_TNUMBER => ffi::lua_pushvalue(lua, 1),
                ffi::LUA_TBOOLEAN => {
                    let text: &[u8] = if ffi::lua_toboolean(lua, 1) != 0 {
                        b"true"
                    } else {
                        b"false"
                    };
                    ffi::push_bytes(lua, text);
                }
                ffi::LUA_TNIL => ffi::push_bytes(lua, b"nil"),
                kind => {
                    ffi::lua_pushstring(lua, ffi::lua_typename(lua, kind));
                }
            }
            ffi::lua_concat(lua, 2);
            ffi::lua_setfield(lua, -2, c"err".as_ptr());
            ffi::lua_replace(lua, 1);
        }
        let mut place: ffi::lua_Debug = std::mem::zeroed();
        let mut found = ffi::lua_getstack(lua, 1, &raw mut place) != 0;
        if found {
            ffi::lua_getinfo(lua, c"Sl".as_ptr(), &raw mut place);
            if ffi::CStr::from_ptr(place.what) == c"C" {
                found = ffi::lua_getstack(lua, 2, &raw mut place) != 0;
                if found {
                    ffi::lua_getinfo(lua, c"Sl".as_ptr(), &raw mut place);
                }
            }
        }
        if found && !push_real(lua, 1) {
            for name in [c"source", c"line"] {
                ffi::push_bytes(lua, name.to_bytes());
                if name == c"source" {
                    ffi::lua_pushstring(lua, place.source);
                } else {
                    ffi::lua_pushnumber(lua, f64::from(place.currentline));
                }
                ffi::lua_rawset(lua, 1);
            }
        }
        ffi::lua_settop(lua, 1);
    }
    1
}

/// Pushes what getmetatable shows: of texts, or of the table on the top, which is the real one of a facade.
///
/// # Safety
/// Within a protected call.
pub unsafe fn push_shown_metatable(lua: State, is_text: bool) {
    // SAFETY: by the caller's promise.
    unsafe {
        let top = ffi::lua_gettop(lua);
        push_registered(lua, &GLOBALS);
        push_registered(lua, &FUNCTION_GLOBALS);
        let is = |at: c_int| ffi::lua_rawequal(lua, at, top) != 0;
        let name = if is_text {
            c"string"
        } else if is(-1) || is(-2) {
            c"_G"
        } else {
            ffi::lua_pushnil(lua);
            return;
        };
        push_registered(lua, &FACADES);
        ffi::lua_getfield(lua, -1, name.as_ptr());
    }
}
