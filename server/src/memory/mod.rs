//! How much memory is in use, counted where it is allocated.
//!
//! Every allocation of the process passes [`Counted`]: keys, values, tables, buffers of clients, the backlog. A thread
//! counts for itself and adds what it has to the sum of all by [`counted::STEP`] bytes, so that counting touches nothing
//! that another thread writes to; the sum is off by less than a step a thread.

mod allocator;
mod counted;
mod peak;

pub use allocator::{FromSystem, from_system, purge, report};
pub use counted::{Counted, used};
pub use peak::Peak;
