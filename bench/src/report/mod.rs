//! What a run says afterwards, and how.
//!
//! `outcome` is what one round of load measured, `arithmetic` turns rounds into the figures of `model`, and each
//! writer takes the model (never the raw measurements) to one kind of file.

pub mod arithmetic;
pub mod model;
pub mod outcome;
#[cfg(test)]
pub(crate) mod sample;

pub use arithmetic::EngineLog;
pub use model::{EngineInfo, EngineRun, Report, RoundContext};
