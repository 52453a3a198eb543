//! GETUSER, LIST, USERS, CAT.

use slotcore::command::{AclCategories, all_with_subcommands};

use super::wrong_count;
use crate::acl::Selector;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;

pub(super) fn getuser(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let Some(account) = call.node.acl.find(call.args.at(2)) else {
        call.out.nil();
        return Ok(());
    };
    let user = account.user();
    call.out.map(6);
    call.out.bulk(b"flags");
    let flags = user.flags();
    call.out.set(flags.len());
    flags.iter().for_each(|flag| call.out.bulk(flag.as_bytes()));
    call.out.bulk(b"passwords");
    call.out.array(user.passwords().len());
    for hash in user.passwords() {
        call.out.bulk(hash.as_bytes());
    }
    permissions(call, user.root());
    call.out.bulk(b"selectors");
    call.out.array(user.other_selectors().len());
    for selector in user.other_selectors() {
        call.out.map(3);
        permissions(call, selector);
    }
    Ok(())
}

fn permissions(call: &mut Call<'_>, selector: &Selector) {
    call.out.bulk(b"commands");
    call.out.bulk(&selector.describe_commands());
    call.out.bulk(b"keys");
    call.out.bulk(&selector.describe_keys());
    call.out.bulk(b"channels");
    call.out.bulk(&selector.describe_channels());
}

pub(super) fn list(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let lines = call.node.acl.lines();
    call.out.array(lines.len());
    lines.iter().for_each(|line| call.out.bulk(line));
    Ok(())
}

pub(super) fn users(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let accounts = call.node.acl.all();
    call.out.array(accounts.len());
    accounts.iter().for_each(|account| call.out.bulk(account.name()));
    Ok(())
}

pub(super) fn cat(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let names: Vec<&str> = match call.args.len() {
        2 => AclCategories::all().words().collect(),
        3 => {
            let name = call.args.at(2);
            let category = AclCategories::from_word(name)
                .ok_or_else(|| ErrorReply::from_bytes([b"ERR Unknown category '", name, b"'"].concat()))?;
            all_with_subcommands()
                .filter(|spec| spec.acl.contains(category))
                .map(|spec| spec.full_name)
                .collect()
        }
        _ => return Err(wrong_count(call)),
    };
    call.out.array(names.len());
    names.iter().for_each(|name| call.out.bulk(name.as_bytes()));
    Ok(())
}
