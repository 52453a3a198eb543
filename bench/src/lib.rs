//! loadgen: a pipelined, cluster-aware load generator, and the driver that launches what it measures.
//!
//! ```text
//!   cli ──► driver ──► load ──► sockets          one run: the driver starts the clusters, preloads them,
//!            │  │        │                       lets `load` drive each of them in turns, samples the
//!            │  │        └──► measure            servers meanwhile, and hands the outcomes to `report`
//!            │  └──► node processes (own groups; they die with us)
//!            └──► report ──► stats, files, terminal
//! ```
//!
//! The main thread parses, launches and waits; `load` owns the generator threads, which share nothing while
//! they run; one more thread listens for signals and one paints the progress bar.

pub mod cli;
pub mod driver;
pub mod load;
pub mod measure;
pub mod merge;
pub mod report;
pub mod stats;
