//! ACL: users and what they may do.

mod change;
mod describe;
mod look;

use std::sync::Arc;

use crate::acl::Account;
use crate::command::call::{Binding, Call, Locks};
use crate::command::help::help;
use crate::command::reply_error::ErrorReply;

/// What this family implements.
pub const HANDLERS: &[Binding] = &[
    ("acl|cat", describe::cat, Locks::None),
    ("acl|deluser", change::deluser, Locks::None),
    ("acl|dryrun", look::dryrun, Locks::None),
    ("acl|genpass", look::genpass, Locks::None),
    ("acl|getuser", describe::getuser, Locks::None),
    ("acl|help", help, Locks::None),
    ("acl|list", describe::list, Locks::None),
    ("acl|load", change::load, Locks::None),
    ("acl|log", look::log, Locks::None),
    ("acl|save", change::save, Locks::None),
    ("acl|setuser", change::setuser, Locks::None),
    ("acl|users", describe::users, Locks::None),
    ("acl|whoami", look::whoami, Locks::None),
];

/// What a subcommand says that knows neither so many arguments nor so few.
fn wrong_count(call: &Call<'_>) -> ErrorReply {
    let text = [
        b"ERR unknown subcommand or wrong number of arguments for '",
        call.args.at(1),
        b"'. Try ACL HELP.",
    ];
    ErrorReply::from_bytes(text.concat())
}

/// Ends the connections of users who are no more; the caller's own only after its reply.
fn end_clients(call: &mut Call<'_>, gone: &[Arc<Account>]) {
    if gone.is_empty() {
        return;
    }
    for client in call.node.clients.all() {
        let is_gone = |account: Arc<Account>| gone.iter().any(|gone| Arc::ptr_eq(gone, &account));
        if client.account().is_some_and(is_gone) {
            end_client(call, &client);
        }
    }
}

fn end_client(call: &mut Call<'_>, client: &Arc<crate::admin::clients::ClientShared>) {
    match client.id() == call.session.client.id() {
        true => call.session.closing = true,
        false => {
            client.kill();
            call.node.clients.remove(client.id());
        }
    }
}
