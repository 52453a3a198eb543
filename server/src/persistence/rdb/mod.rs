//! RDB, the format of dump files and of full synchronisations, up to version 10.
//!
//! ```text
//! REDIS0010  (AUX name value)*  (SELECTDB n  RESIZEDB keys expiring  (expiry? idle? freq? type key value)*)*  EOF  CRC-64
//! ```
//!
//! [`source`] reads bounded pieces and keeps the checksum, [`text`] reads lengths and strings, [`load`] reads the whole;
//! [`encode`] and [`write`] are the way back.
//! Nothing that is read is believed: no announcement makes us allocate more than has arrived.

pub(super) mod encode;
mod error;
mod load;
mod source;
mod text;
mod value;
mod write;

pub use error::RdbError;
pub(super) use load::op;
pub use load::{LoadOptions, Loaded, check, load};
pub(super) use source::Source;
pub(super) use value::{read as read_value, type_name};
pub use write::{RdbAux, RdbHistory, RdbTotals, RdbWriter};

/// The version that 7.0 writes, and the newest that it reads.
pub const VERSION: u32 = 10;
