//! SETUSER, DELUSER, LOAD, SAVE.

use std::sync::Arc;

use super::{end_client, end_clients};
use crate::acl::{Account, LoadFailure, RulesError, User, is_name};
use crate::admin::clients::ClientKind;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::pubsub::{Kind, Subscriber};

pub(super) fn setuser(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let name = call.args.at(2);
    if !is_name(name) {
        return Err(ErrorReply::fixed(
            "ERR Usernames can't contain spaces or null characters",
        ));
    }
    let words: Vec<&[u8]> = call.args.from(3).iter().collect();
    let changed = call
        .node
        .acl
        .set_user(name, &words)
        .map_err(|error| refusal(error, &words))?;
    if let Some(before) = changed.before {
        end_listeners(call, &changed.account, &before, &changed.after);
    }
    call.out.ok();
    Ok(())
}

fn refusal(error: RulesError, words: &[&[u8]]) -> ErrorReply {
    let text = match error {
        RulesError::Unmatched(place) => [
            b"ERR Unmatched parenthesis in acl selector starting at '",
            words[place],
            b"'.",
        ]
        .concat(),
        RulesError::Rule(rule, error) => {
            let end = format!("': {error}");
            [b"ERR Error in ACL SETUSER modifier '", &rule[..], end.as_bytes()].concat()
        }
    };
    ErrorReply::from_bytes(text)
}

/// Ends the user's connections that listen to what it may no longer hear.
fn end_listeners(call: &mut Call<'_>, account: &Arc<Account>, before: &User, after: &User) {
    if after.selectors().any(|selector| selector.hears_all()) {
        return;
    }
    let may_hear = |name: &[u8], is_pattern| {
        let mut selectors = after.selectors();
        selectors.any(|selector| selector.allows_channel(name, is_pattern))
    };
    // Nothing was taken away: whoever listens to more does so from a time when that was allowed.
    let keeps_all = before
        .selectors()
        .all(|selector| !selector.hears_all() && selector.channels().all(|channel| may_hear(channel, true)));
    if keeps_all {
        return;
    }
    let may_go_on = |subscriber: &Subscriber| {
        [
            (Kind::Pattern, true),
            (Kind::Channel, false),
            (Kind::Shard, false),
        ]
        .into_iter()
        .all(|(kind, is_pattern)| {
            let names = subscriber.names(kind);
            names.iter().all(|name| may_hear(name, is_pattern))
        })
    };
    for client in call.node.clients.all() {
        let is_its = client.kind() == ClientKind::Pubsub
            && client.account().is_some_and(|its| Arc::ptr_eq(&its, account));
        if is_its
            && client
                .subscriber()
                .is_some_and(|subscriber| !may_go_on(&subscriber))
        {
            end_client(call, &client);
        }
    }
}

pub(super) fn deluser(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let mut gone = Vec::new();
    for name in call.args.from(2).iter() {
        if name == crate::acl::DEFAULT_USER {
            end_clients(call, &gone);
            return Err(ErrorReply::fixed("ERR The 'default' user cannot be removed"));
        }
        gone.extend(call.node.acl.delete(name));
    }
    end_clients(call, &gone);
    call.out.integer(gone.len() as i64);
    Ok(())
}

pub(super) fn load(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let gone = call.node.acl.load().map_err(failure)?;
    end_clients(call, &gone);
    call.out.ok();
    Ok(())
}

pub(super) fn save(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.node.acl.save().map_err(failure)?;
    call.out.ok();
    Ok(())
}

fn failure(error: LoadFailure) -> ErrorReply {
    ErrorReply::new(format!("ERR {error}"))
}
