//! The load generator.

pub mod report;
pub mod stats;
