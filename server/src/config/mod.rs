//! Configuration, as redis-server takes it.
//!
//! ```text
//! cli        -v, -h, or a node
//! load       command line, files, includes  ->  values + warnings, or the first mistake
//! table      every directive: name, kind, default, when it may change, what it does here
//! value      one value: parse, show, write        words   quoting        nearest   hints
//! settings   Config: typed fields, what the rest of the node reads
//! eviction   the part of it that concerns full memory
//! primary    the part of it that concerns a node as a primary
//! replica    the part of it that concerns a node as a replica
//! store      the live configuration: CONFIG GET, SET        rewrite   CONFIG REWRITE
//! ```

mod cli;
mod directive;
mod eviction;
mod load;
mod nearest;
mod primary;
mod replica;
mod rewrite;
mod settings;
mod store;
mod table;
mod value;
mod values;
mod words;

pub use cli::{Request, request};
pub use directive::{Change, Directive, Kind, Status};
pub use eviction::EvictionSettings;
pub(crate) use load::os_reason;
pub use load::{LoadError, Loaded, REDIS_VERSION, UserLine, is_secret, load};
pub use primary::PrimarySettings;
pub use replica::{DisklessLoad, ReplicaSettings};
pub use rewrite::replace_file;
pub use settings::{Config, EndpointType, Gate};
pub use store::{ApplyError, ConfigStore, RewriteError, SetError};
pub use value::{OutputLimit, Value};
pub use values::{DirectiveId, Values};
