//! Commands that wait for a key: BLPOP and its kin, XREAD and XREADGROUP.
//!
//! ```text
//! BLPOP: serve(key) says no for each key ─► wait(): a Waiter in the queue of each key, in the slots' extras
//!
//! RPUSH: changes the key ─► the slot says that it is ready, as it tells WATCH       (nobody waits: nothing is done)
//!        ends            ─► serve_ready(), locks still held: serve(key) for the waiters of the key, first come first
//!                           served, each with its own effect ─► reply into the client's wait, its connection is woken
//! ```
//!
//! A type that can be waited for has one function, a [`Serve`]: it replies from one key, or says that it cannot. It is
//! called by the command itself, and again by whoever makes a key ready, before any other command sees the key. A client
//! that waits costs no thread and no lock: it is an entry in a queue, and a connection that is run by its socket or its waker.
//!
//! Who ends a wait is decided by the client's own lock ([`ClientShared::end_wait`]): a push that serves it, its time, CLIENT
//! UNBLOCK, CLIENT KILL, a change of the cluster ([`redirect_waiters`]) or of the role, its end. Only one of them does.
//!
//! [`ClientShared::end_wait`]: crate::admin::clients::ClientShared::end_wait

mod queues;
mod redirect;
mod serve;
mod timeout;
mod waiter;

pub use queues::Queues;
pub use redirect::redirect_waiters;
pub use serve::{serve_left, serve_ready};
pub use timeout::{timeout_arg, timeout_ms_arg};
pub use waiter::{Plan, Serve, Waiter, serve_or_wait, wait_or_nothing};
