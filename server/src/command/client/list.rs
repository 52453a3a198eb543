//! CLIENT LIST and CLIENT INFO.

use crate::admin::clients::{ClientKind, ClientShared};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use slotcore::resp::parse_i64;
use std::fmt::Write;
use std::sync::Arc;

pub(super) fn info(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    publish_own(call);
    let text = describe(std::slice::from_ref(&call.session.client));
    call.out.verbatim(text.as_bytes());
    Ok(())
}

pub(super) fn list(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    publish_own(call);
    let registry = &call.node.clients;
    let argc = call.args.len();
    let listed = if argc == 2 {
        registry.all()
    } else if argc == 4 && call.arg_is(2, "type") {
        let kind = kind_arg(call, 3)?;
        registry
            .all()
            .into_iter()
            .filter(|client| client.kind() == kind)
            .collect()
    } else if argc > 3 && call.arg_is(2, "id") {
        let mut listed = Vec::new();
        for text in call.args.from(3).iter() {
            let id = parse_i64(text).ok_or(ErrorReply::fixed("ERR Invalid client ID"))?;
            listed.extend(u64::try_from(id).ok().and_then(|id| registry.get(id)));
        }
        listed
    } else {
        return Err(ErrorReply::SYNTAX);
    };
    let text = describe(&listed);
    call.out.verbatim(text.as_bytes());
    Ok(())
}

/// An argument that names a kind of client.
pub(super) fn kind_arg(call: &Call<'_>, index: usize) -> Result<ClientKind, ErrorReply> {
    let name = call.args.at(index);
    ClientKind::parse(name).ok_or_else(|| {
        ErrorReply::new(format!(
            "ERR Unknown client type '{}'",
            String::from_utf8_lossy(name)
        ))
    })
}

/// The caller's own line shows the state at this command, not at the end of the batch before.
fn publish_own(call: &mut Call<'_>) {
    call.session.shows(call.spec.id);
    call.session.publish();
}

fn describe(clients: &[Arc<ClientShared>]) -> String {
    let mut text = String::with_capacity(clients.len() * 256);
    for client in clients {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", client.describe());
    }
    text
}
