//! redis.register_function: what code does while its library is loaded.

use std::cell::Cell;
use std::ptr;
use std::time::{Duration, Instant};

use super::api::raise_error;
use super::ffi::{self, State, c_int};
use super::functions::{FunctionInfo, is_name};
use super::sandbox::field_of;
use super::shebang::{ScriptFlags, flag_named};

/// How long the code of a library may take to register its functions.
const TIME: Duration = Duration::from_millis(500);

/// A library that is being loaded.
pub struct Loading {
    pub functions: Vec<FunctionInfo>,
    pub references: Vec<c_int>,
    started: Instant,
    pub is_late: bool,
}

thread_local! {
    static LOADING: Cell<*mut Loading> = const { Cell::new(ptr::null_mut()) };
}

impl Loading {
    pub fn begin() -> Self {
        Self {
            functions: Vec::new(),
            references: Vec::new(),
            started: Instant::now(),
            is_late: false,
        }
    }

    /// Lets functions be registered here while `work` runs.
    pub fn during<R>(&mut self, work: impl FnOnce() -> R) -> R {
        LOADING.set(self);
        let result = work();
        LOADING.set(ptr::null_mut());
        result
    }
}

/// Called every so many instructions: does the code of a library take too long?
///
/// # Safety
/// Within a protected call; may jump.
pub unsafe fn stop_if_late(lua: State) {
    // SAFETY: the pointer is set only while what it points to is there.
    unsafe {
        if let Some(loading) = LOADING.get().as_mut()
            && loading.started.elapsed() > TIME
        {
            loading.is_late = true;
            raise_error(lua, b"FUNCTION LOAD timeout");
        }
    }
}

/// redis.register_function(name, callback), or of one table of named arguments.
pub unsafe extern "C-unwind" fn register_function(lua: State) -> c_int {
    // SAFETY: called by Lua; the pointer is set only while what it points to is there. Nothing that owns memory is alive
    // when an error is raised, but for what `Loading` owns.
    unsafe {
        let Some(loading) = LOADING.get().as_mut() else {
            raise_error(
                lua,
                b"redis.register_function can only be called on FUNCTION LOAD command",
            );
        };
        let count = ffi::lua_gettop(lua);
        if !(1..=2).contains(&count) {
            raise_error(lua, b"wrong number of arguments to redis.register_function");
        }
        let flags = if count == 1 {
            if ffi::lua_type(lua, 1) != ffi::LUA_TTABLE {
                raise_error(
                    lua,
                    b"calling redis.register_function with a single argument is only applicable to Lua table (representing \
                      named arguments).",
                );
            }
            named_arguments(lua)
        } else {
            if ffi::lua_isstring(lua, 1) == 0 {
                raise_error(lua, b"first argument to redis.register_function must be a string");
            }
            if ffi::lua_type(lua, 2) != ffi::LUA_TFUNCTION {
                raise_error(
                    lua,
                    b"second argument to redis.register_function must be a function",
                );
            }
            ffi::lua_pushnil(lua);
            ScriptFlags::empty()
        };
        // Now the name, the callback and the description are the last three.
        let top = ffi::lua_gettop(lua);
        ffi::lua_tolstring(lua, top - 2, ptr::null_mut());
        let name = ffi::string_at(lua, top - 2).unwrap_or_default();
        if !is_name(name) {
            raise_error(
                lua,
                b"Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
            );
        }
        if loading
            .functions
            .iter()
            .any(|other| other.name.eq_ignore_ascii_case(name))
        {
            raise_error(lua, b"Function already exists in the library");
        }
        if ffi::lua_type(lua, top) != ffi::LUA_TNIL {
            ffi::lua_tolstring(lua, top, ptr::null_mut());
        }
        let description = ffi::string_at(lua, top).map(Into::into);
        loading.functions.push(FunctionInfo {
            name: name.into(),
            description,
            flags,
        });
        ffi::lua_pushvalue(lua, top - 1);
        let reference = ffi::luaL_ref(lua, ffi::LUA_REGISTRYINDEX);
        loading.references.push(reference);
    }
    0
}

/// Reads the table of named arguments, and pushes the name, the callback and the description.
///
/// # Safety
/// Called by Lua; may jump.
unsafe fn named_arguments(lua: State) -> ScriptFlags {
    // SAFETY: by the caller's promise. Keys are looked at, not converted, so lua_next finds them unchanged.
    unsafe {
        let mut flags = ScriptFlags::empty();
        ffi::lua_pushnil(lua);
        while ffi::lua_next(lua, 1) != 0 {
            if ffi::lua_isstring(lua, -2) == 0 {
                raise_error(
                    lua,
                    b"named argument key given to redis.register_function is not a string",
                );
            }
            let key = ffi::string_at(lua, -2).unwrap_or_default();
            let is = |name: &[u8]| key.eq_ignore_ascii_case(name);
            if is(b"function_name") {
                if ffi::lua_isstring(lua, -1) == 0 {
                    raise_error(
                        lua,
                        b"function_name argument given to redis.register_function must be a string",
                    );
                }
            } else if is(b"description") {
                if ffi::lua_isstring(lua, -1) == 0 {
                    raise_error(
                        lua,
                        b"description argument given to redis.register_function must be a string",
                    );
                }
            } else if is(b"callback") {
                if ffi::lua_type(lua, -1) != ffi::LUA_TFUNCTION {
                    raise_error(
                        lua,
                        b"callback argument given to redis.register_function must be a function",
                    );
                }
            } else if is(b"flags") {
                if ffi::lua_type(lua, -1) != ffi::LUA_TTABLE {
                    raise_error(
                        lua,
                        b"flags argument to redis.register_function must be a table representing function flags",
                    );
                }
                flags = listed_flags(lua);
            } else {
                raise_error(lua, b"unknown argument given to redis.register_function");
            }
            ffi::lua_settop(lua, -2);
        }
        field_of(lua, 1, c"function_name");
        if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
            raise_error(lua, b"redis.register_function must get a function name argument");
        }
        field_of(lua, 1, c"callback");
        if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
            raise_error(lua, b"redis.register_function must get a callback argument");
        }
        field_of(lua, 1, c"description");
        flags
    }
}

/// The flags in the table on the top.
///
/// # Safety
/// Called by Lua; may jump.
unsafe fn listed_flags(lua: State) -> ScriptFlags {
    let mut flags = ScriptFlags::empty();
    // SAFETY: by the caller's promise.
    unsafe {
        for i in 1.. {
            ffi::lua_rawgeti(lua, -1, i);
            if ffi::lua_type(lua, -1) == ffi::LUA_TNIL {
                break;
            }
            match ffi::string_at(lua, -1).and_then(flag_named) {
                Some(flag) => flags |= flag,
                None => raise_error(lua, b"unknown flag given"),
            }
            ffi::lua_settop(lua, -2);
        }
        ffi::lua_settop(lua, -2);
    }
    flags
}
