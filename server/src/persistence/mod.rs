//! The data set as bytes: RDB files, DUMP payloads, snapshots.

pub mod crc64;
pub mod dump;
pub mod lzf;
pub mod rdb;
pub mod snapshot;
