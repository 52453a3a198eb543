//! The one command table: what a node executes by, what a client plans by, and what `COMMAND` prints.
//!
//! - [`spec`]: the shape of one row and the builder that rows are written with;
//! - [`flags`]: command flags, ACL categories, key flags and command groups, with their names on the wire;
//! - [`keys`]: where the keys of a request are, movable keys too;
//! - [`syntax`]: the small notation for a command's arguments, and its parser;
//! - [`usage`]: the same for people;
//! - [`lookup`]: from the bytes of a request to its row;
//! - [`table`]: the rows, a file a group.

pub mod flags;
pub mod keys;
mod lookup;
mod spec;
pub mod syntax;
mod table;
mod usage;

pub use flags::{AclCategories, CommandFlags, Group, KeyFlags};
pub use keys::{Begin, Find, KeyError, KeySpec, KeyUse, key_positions, key_uses};
pub use lookup::{LookupError, lookup, lookup_full_name, lookup_request, lookup_subcommand};
pub use spec::{CommandId, CommandSpec, Deprecation, arity_ok};
pub use table::{COMMAND_COUNT, all, all_with_subcommands, spec};
pub use usage::usage;
