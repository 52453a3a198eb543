//! Where the keys of a request are.
//!
//! Most commands have their keys in a fixed range, which [`key_positions`] walks without looking at an argument. The
//! rest ("movable" keys) are found by their key specifications, or, where those cannot say it, by a rule of their own:
//!
//! ```text
//! request -> KeyPlan::Range   first, last, step            GET, MSET, BLPOP
//!            KeyPlan::Specs   keynum and keyword searches  ZUNIONSTORE, LMPOP
//!            KeyPlan::Rule    one function of rules.rs     SORT, MIGRATE, XREAD, GEORADIUS, EVAL
//! ```

mod positions;
mod rules;
mod spec;

pub use positions::{KeyError, KeyUse, key_positions, key_uses};
pub use spec::{Begin, Find, KeySpec};
pub(super) use spec::{LegacyRange, after, counted, key, legacy_range, range, unknown};

use rules::Rule;

/// How the keys of one command are found; chosen while compiling.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyPlan {
    None,
    Range(LegacyRange),
    Specs,
    Rule(Rule),
}

/// The plan for the command of this name.
pub(super) const fn plan(full_name: &'static str, range: LegacyRange, movable: bool) -> KeyPlan {
    if movable {
        return match rules::rule_for(full_name) {
            Some(rule) => KeyPlan::Rule(rule),
            None => KeyPlan::Specs,
        };
    }
    if range.first == 0 {
        KeyPlan::None
    } else {
        KeyPlan::Range(range)
    }
}
