//! The libraries that scripts find beside Lua's own. Each fills one global table; their decoders take bytes of clients.

mod bit;
mod cjson;
mod cmsgpack;
mod number;
mod structure;

use super::ffi::{self, State};

/// Opens all of them, into the globals on the top.
///
/// # Safety
/// Within a protected call.
pub unsafe fn open(lua: State) {
    // SAFETY: by the caller's promise.
    unsafe {
        for (name, fill) in [
            (c"bit", bit::fill as unsafe fn(State)),
            (c"cjson", cjson::fill),
            (c"cmsgpack", cmsgpack::fill),
            (c"struct", structure::fill),
        ] {
            ffi::lua_createtable(lua, 0, 24);
            fill(lua);
            ffi::lua_setfield(lua, -2, name.as_ptr());
        }
    }
}
