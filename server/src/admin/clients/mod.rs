//! The connections of the node, as other connections see them.

mod registry;
mod shared;

pub use registry::{ClientRegistry, KillFilter};
pub use shared::{Buffers, ClientFlags, ClientKind, ClientShared, Unblock, WaitPlace};
