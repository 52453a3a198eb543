//! What a run says afterwards, and how.
//!
//! ```text
//!   Outcome (a round of load) --arithmetic--> EngineRun, Report (model) --> json   run.json
//!                                                                       --> csv    summary.csv, intervals.csv
//!                                                                       --> text   the terminal
//!                                                                       --> plot   plots/*.svg, *.png
//!                                                                       --> html   report.html
//!                              --arithmetic--> EngineLog (histograms)   --> hlog   <engine>.hlog
//! ```
//! Every writer but `hlog` takes the model and nothing else, so a saved run.json can be drawn again; the model also holds
//! the histograms of whole runs and rounds as text (`histogram`), so that saved runs can be added up and compared.

pub mod arithmetic;
pub mod beside;
mod course;
pub mod csv;
pub mod delivery;
pub mod files;
pub mod found;
pub mod generators;
pub mod histogram;
pub mod hlog;
pub mod holds;
pub mod hot;
pub mod html;
pub mod json;
pub mod model;
pub mod outcome;
pub mod peers;
pub mod plot;
pub mod readme;
#[cfg(test)]
pub(crate) mod sample;
pub mod table;
pub mod tails;
pub mod text;
pub mod units;

pub use arithmetic::EngineLog;
pub use files::{redraw, write_all};
pub use model::{EngineInfo, EngineRun, Report, RoundContext};
pub use readme::readme_table;
