//! The data set as bytes: RDB files, DUMP payloads, snapshots.
