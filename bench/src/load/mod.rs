//! Putting a target under load.

mod plan;

pub use crate::report::outcome::{CommandOutcome, Ended, Interval, NodeOutcome, Outcome};
pub use plan::{Auth, HostPort, Phase, Plan, PreloadOutcome, PreloadPlan, Target, Until, Watch};
