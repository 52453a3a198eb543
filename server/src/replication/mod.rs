//! Replication: the stream of effects, its history, and both ends of it.
