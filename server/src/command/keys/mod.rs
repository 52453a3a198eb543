//! Commands on keys of any type: whether they are there, how long they live, what they are called, which there are.

pub mod dump;
pub mod existence;
pub mod expire;
pub mod flush;
pub mod object;
pub mod rename;
pub mod scan;
pub mod ttl;
