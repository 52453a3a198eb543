//! What a command leaves behind while somebody tracks.

use slotcore::command::CommandFlags;

use super::mode::Choice;
use crate::command::call::Call;
use crate::keyspace::Held;
use crate::node::Node;
use crate::session::Session;

/// After a handler, under the locks that it ran with: remembers what a tracking connection has read, and tells of what
/// was changed. A transaction tells at its end.
#[cold]
pub fn after_command(call: &mut Call<'_>) {
    remember(call);
    if !call.session.in_exec {
        tell_stale(call.node, call.session, call.held);
    }
}

/// Tells of the keys that a command or a transaction has changed in what is held for it.
pub fn tell_stale(node: &Node, session: &mut Session, held: &mut Held<'_>) {
    if let Some(forgotten) = session.flushed.take() {
        node.tracking.tell_flushed(&node.clients, &node.pubsub, forgotten);
    }
    let stale = held.take_stale();
    if !stale.is_empty() {
        let origin = (!session.is_primary_link).then(|| session.client.id());
        node.tracking.tell(&node.clients, &node.pubsub, &stale, origin);
    }
}

fn remember(call: &mut Call<'_>) {
    let Some(mode) = &call.session.tracking else {
        return;
    };
    let is_chosen = match mode.choice {
        Choice::All => true,
        Choice::OptIn => call.session.caching,
        Choice::OptOut => !call.session.caching,
    };
    let flags = call.spec.flags;
    // What a script reads is remembered command by command.
    let is_script = matches!(call.spec.name, "eval_ro" | "evalsha_ro" | "fcall_ro");
    let reads = flags.contains(CommandFlags::READONLY) && !flags.contains(CommandFlags::PUBSUB) && !is_script;
    if reads && is_chosen && !mode.bcast {
        let id = call.session.client.id();
        for key in call.keys {
            let added = call.held.table(key.slot).track(key, id);
            call.node.tracking.remembered(key.slot, added);
        }
    }
    // CLIENT CACHING is for the next command, or the transaction that begins with it.
    let session = &mut *call.session;
    if session.caching && !session.in_exec && !session.in_multi() && !is_client(call.spec.full_name) {
        session.caching = false;
    }
}

fn is_client(name: &str) -> bool {
    name.starts_with("client|")
}
