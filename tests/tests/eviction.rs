//! What happens when memory is full, beside stock redis-server: which keys give way, who hears of it, when writes are
//! refused, and how many hits are left.
#![allow(clippy::unwrap_used)]

#[path = "eviction/accounting.rs"]
mod accounting;
#[path = "eviction/clocks.rs"]
mod clocks;
#[path = "eviction/hits.rs"]
mod hits;
#[path = "eviction/news.rs"]
mod news;
#[path = "eviction/policies.rs"]
mod policies;
#[path = "eviction/refusals.rs"]
mod refusals;
#[path = "eviction/sides.rs"]
mod sides;

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");
