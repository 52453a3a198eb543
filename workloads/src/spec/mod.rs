//! The workload file: its model, how it is read, and what the flags of the command line change in it.
//!
//! | file | holds |
//! |---|---|
//! | `model` | [`Spec`] and its sections, as they are written into a result |
//! | `read` | TOML to model, section by section |
//! | `mix` | `[[mix]]` and `[[preload]]`: commands, templates, what follows and what is counted |
//! | `receivers` | connections that receive what the load sends |
//! | `beside` | storms and neighbours: what runs beside the load |
//! | `section` | one table of the file: typed reads, unknown keys refused with the nearest name |
//! | `check` | what no single key can know: rules between keys, before and after overrides |
//! | `overrides` | flags applied to the model |
//! | `error` | [`SpecError`]: file, line, key |
//! | `number` | counts such as `10k` and durations such as `30s` |

mod beside;
mod check;
mod error;
mod fault;
mod mix;
mod model;
mod number;
mod overrides;
mod read;
mod receivers;
mod section;

pub use beside::{MAX_ELEMENTS, MAX_NEIGHBORS, Neighbor, NeighborKind, Storm, StormCommand};
pub use error::SpecError;
pub use fault::{Fault, FaultKind, MAX_FAULTS};
pub use model::{
    Arrival, Check, ClusterShape, Keyspace, MAX_CLIENTS, MAX_KEY_SIZE, MAX_KEYS, MAX_KEYS_PER_COMMAND,
    MAX_MIX, MAX_PIPELINE, MAX_RATE, MAX_VALUE_SIZE, MixEntry, OpenLoop, Preload, Process, ReadFrom, Run,
    Shape, Size, Spec, Spread, Traffic, ValueKind, Values,
};
pub use number::{parse_count, parse_duration};
pub use overrides::{Arrivals as ArrivalsFlag, FaultChoice, FaultFlags, Overrides};
pub use receivers::{MAX_RECEIVERS, ReceiveCommand, Receivers};
pub use section::nearest;
