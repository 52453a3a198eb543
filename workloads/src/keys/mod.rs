//! The text and the slot of every key of a workload.
//!
//! | file | holds |
//! |---|---|
//! | `format` | key number n as bytes of a fixed length, and its slot |
//! | `even` | as many keys in every slot |
//! | `digits` | fixed-width decimal digits, two at a time |
//! | `tags` | for each slot the shortest hash tag that lies in it |

pub(crate) mod digits;
mod even;
mod format;
mod tags;

pub use format::{KeyFormat, KeyId};
pub use tags::{MAX_TAG_SIZE, tag_of_slot};
