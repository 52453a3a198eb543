//! A command that waits, and how it begins to.

use std::sync::Arc;

use slotcore::resp::{Proto, ReplyWriter};

use crate::admin::clients::{ClientShared, Unblock, WaitPlace};
use crate::command::call::Call;
use crate::command::dispatch;
use crate::command::kept::Kept;
use crate::command::reply_error::ErrorReply;
use crate::keyspace::Key;
use crate::node::{Node, unix_ms};
use crate::session::{Blocked, BlockedFor};

/// Answers a command from key number `i` of its keys: writes the reply and says true, or says false and writes none. The
/// locks of all its keys are held. What it changes is recorded as the command's own effect; an error is a reply, too.
pub type Serve = fn(&mut Call<'_>, usize) -> Result<bool, ErrorReply>;

/// How a command waits.
#[derive(Clone, Copy)]
pub struct Plan {
    pub serve: Serve,
    /// It waits for the first so many of its keys; the others are only locked for it.
    pub keys: usize,
    /// TYPE of the values that it can be answered from. A key that comes to hold another type does not end the wait.
    pub type_name: &'static str,
    /// `serve` is called, too, when the key is gone or holds another type.
    pub when_gone: bool,
    /// When it stops to wait, unix time in milliseconds; `None`: never. See [`super::timeout_arg`].
    pub until_ms: Option<u64>,
    /// The reply when it may not wait: in a transaction.
    pub nothing: fn(&mut ReplyWriter<'_>),
}

/// A command in the queues of its keys.
pub struct Waiter {
    ticket: u64,
    plan: Plan,
    pub(super) client: Arc<ClientShared>,
    pub(super) proto: Proto,
    pub(super) request: Kept,
}

impl Waiter {
    /// Its place in the order of all who wait.
    pub fn ticket(&self) -> u64 {
        self.ticket
    }

    pub fn when_gone(&self) -> bool {
        self.plan.when_gone
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Takes it out of all queues. No slot lock may be held.
    pub fn leave(&self, node: &'static Node) {
        let (mut positions, mut keys) = (Vec::new(), Vec::new());
        let args = self.request.args();
        dispatch::hash_keys(self.request.spec, &args, &mut positions, &mut keys);
        for key in keys.iter().take(self.plan.keys) {
            node.keyspace.lock(key.slot).stop_waiting(key, self.ticket);
        }
    }
}

/// Answers a command from the first of its keys that can, in their order, or has it wait for all of them. In a
/// transaction it does not wait.
pub fn serve_or_wait(call: &mut Call<'_>, plan: Plan) -> Result<(), ErrorReply> {
    for i in 0..plan.keys.min(call.keys.len()) {
        if (plan.serve)(call, i)? {
            return Ok(());
        }
    }
    let request = Kept::new(call.spec, call.args);
    wait_or_nothing(call, plan, request);
    Ok(())
}

/// Has a command that cannot be answered yet wait for all of its keys. `request`: it, as it is to be answered later. In a
/// transaction it does not wait.
pub fn wait_or_nothing(call: &mut Call<'_>, plan: Plan, request: Kept) {
    if call.session.in_exec || call.session.is_primary_link {
        (plan.nothing)(&mut call.out);
        return;
    }
    let keys: &[Key<'_>] = &call.keys[..plan.keys.min(call.keys.len())];
    let client = call.session.client.clone();
    let generation = call.node.replication.generation();
    let place = keys.first().map(|key| WaitPlace {
        slot: key.slot,
        writes: dispatch::may_write(call.spec),
        readonly: call.session.readonly,
    });
    let ticket = client.begin_wait(place, plan.until_ms.is_some());
    let waiter = Arc::new(Waiter {
        ticket,
        plan,
        client: client.clone(),
        proto: call.out.proto,
        request,
    });
    for key in keys {
        call.held.table(key.slot).wait_for(key, waiter.clone());
    }
    // Whoever changes the node's role says so first, and then ends all waits: it sees this one, or this sees it.
    if call.node.replication.generation() != generation {
        client.unblock(Unblock::RoleChanged);
    }
    // A wait that is over at once still is one.
    let until_ms = plan.until_ms.map(|until| until.max(unix_ms()));
    call.session.blocked = Some(Blocked {
        until_ms,
        reason: BlockedFor::Keys(waiter),
    });
}
