//! A key and its value in one allocation.
//!
//! ```text
//!  0      1           4         6         8             .                 .            .
//!  | meta | clock     | key len | val len | expiry (8)  | long length (4) | key bytes  | value bytes, or a pointer |
//!           24 bits     u16       u16       if HAS_EXPIRY if LONG_KEY
//! ```
//!
//! The value is inline up to [`INLINE_MAX`] bytes; a longer one lives in an allocation of its own that can grow in
//! place, and the entry holds its pointer, length and capacity. Of a collection the entry holds the pointer of an
//! [`Arc`](std::sync::Arc), which a snapshot may share. [`header`] is the first eight bytes, [`clock`] what three of them say of accesses, [`layout`]
//! computes where the parts lie and writes them, [`Entry`] reads, [`OwnedEntry`] owns and changes.

mod clock;
mod header;
mod layout;
mod owned;
#[cfg(test)]
mod tests;
mod view;

pub use clock::{AccessRule, set_access_rule};
pub(super) use clock::{access_rule, idle_s};
pub(super) use header::Encoding;
pub use header::Kind;
pub use layout::Content;
pub(super) use layout::Draft;
pub use owned::OwnedEntry;
pub use view::{Entry, ValueRef};
