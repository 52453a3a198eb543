//! `<container> HELP`, for every container alike: its subcommands on this node, with their arguments and what they do.

use slotcore::command::{self, usage};

use crate::command::call::Call;
use crate::command::dispatch::is_bound;
use crate::command::reply_error::ErrorReply;

/// The handler of every `help` subcommand.
pub fn help(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let container = command::spec(call.spec.container.expect("help is a subcommand"));
    let subcommands: Vec<_> = container
        .subcommands()
        .iter()
        .filter(|spec| is_bound(spec))
        .collect();
    call.out.array(1 + 2 * subcommands.len());
    let name = container.name.to_ascii_uppercase();
    call.out.simple(&format!(
        "{name} <subcommand> [<argument> ...]. Subcommands of this node:"
    ));
    for spec in subcommands {
        let line = format!("{} {}", spec.name.to_ascii_uppercase(), usage(spec));
        call.out.simple(line.trim_end());
        call.out.simple(&format!("    {}.", spec.summary));
    }
    Ok(())
}
