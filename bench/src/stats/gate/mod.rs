//! Conditions that fail a run: `--fail-if 'p99>+5%'`.
//!
//! | file | holds |
//! |---|---|
//! | `condition` | the condition itself, and reading it |
//! | `judge` | whether it holds for a run, or for a pair of them |

mod condition;
mod judge;
#[cfg(test)]
mod simulation;

pub use condition::{Bound, Condition, ConditionError, Figure};
pub use judge::{ALARM_SHARE, Contest, Judged, Judgement, Pairing, judge};
