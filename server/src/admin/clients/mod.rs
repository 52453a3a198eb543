//! The connections of the node, as other connections see them.

mod registry;
mod shared;
mod wait;

pub use registry::{ClientRegistry, KillFilter};
pub use shared::{Buffers, ClientFlags, ClientKind, ClientShared};
pub use wait::{Unblock, WaitPlace};
