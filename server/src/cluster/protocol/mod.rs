//! The rules of the cluster, without I/O and without a clock: inputs with the time go in, effects come out. The node
//! drives one [`Member`] with real links ([`super::bus`]), the simulator in tests/ drives many with simulated ones.

mod effects;
mod input;
mod member;

pub use effects::{Dial, Effects, RoleChange, Save};
pub use input::{CloseReason, Facts, Input, LinkId, PrimaryLink};
pub use member::{FailoverKind, Member, SetSlot};
