//! What surrounds the load: the servers that are launched, watched and ended, and the order of the rounds.
//!
//! | file | holds |
//! |---|---|
//! | `session` | one run from its start to its report |
//! | `find_max/` | a search for the highest rate that keeps objectives |
//! | `peers/` | many engines under the same loads, in turns |
//! | `generators/` | many generators before one server, in turns |
//! | `tails/` | engines through events that hurt, in turns |
//! | `subject`, `existing` | what is measured: launched for it, or there already |
//! | `prepare` | starting them, and storing their keys |
//! | `watcher`, `progress` | looking on while the load runs |
//! | `engine` | which servers there are, where they are found, how they are started |
//! | `shape`, `ports` | how many nodes, their slots and ports, the nodes.conf they start with |
//! | `process` | a node's process and its certain end |
//! | `workspace` | the directory of a run and its certain end |
//! | `cluster` | launching a cluster and waiting until it serves |
//! | `registry` | clusters that outlive the command that started them |
//! | `shards` | who owns which slots now, as any node tells it |
//! | `admin`, `address` | the few questions asked of a node |
//! | `faults/`, `network` | what is done to nodes under load; network namespaces to cut them off in |
//! | `audit/` | what became of every write |
//! | `names` | what those that are compared are called |
//! | `order`, `check` | the order of the rounds; what must hold afterwards |
//! | `cores` | which threads get which part of the machine |
//! | `usage`, `environment`, `noise` | what the servers use; the machine, and how busy others kept it |
//! | `signals` | Ctrl-C and its kin |

pub mod address;
pub mod admin;
pub mod audit;
pub mod check;
pub mod cluster;
pub mod cores;
pub mod engine;
pub mod environment;
pub mod evictions;
pub mod existing;
pub mod faults;
pub mod find_max;
pub mod generators;
mod names;
pub mod network;
mod noise;
mod order;
pub mod peers;
mod ports;
mod prepare;
pub mod process;
pub mod progress;
pub mod registry;
pub mod session;
pub mod shape;
pub mod shards;
pub mod signals;
pub mod subject;
pub mod tails;
pub mod usage;
mod watcher;
pub mod workspace;

pub use cluster::{LaunchError, LaunchPlan, LocalCluster};
pub use engine::{Engine, EngineError};
pub use find_max::FindMax;
pub use generators::GeneratorBench;
pub use peers::PeerBench;
pub use progress::Progress;
pub use session::{Against, Measured, Session, SessionError};
pub use shape::Shape;
pub use signals::StopFlag;
pub use tails::TailBench;
