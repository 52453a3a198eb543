//! May a user run a request?

use slotcore::command::{CommandFlags, CommandSpec, KeyFlags, KeyUse, key_uses};
use slotcore::resp::Args;

use super::log::Context;
use super::selector::{Access, Selector};
use super::user::User;
use crate::command::reply_error::ErrorReply;
use crate::node::Node;
use crate::session::Session;

/// What a user lacks. Ordered by what is told if several selectors refuse for different reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The command itself.
    Command,
    /// One of its keys.
    Key,
    /// One of its channels.
    Channel,
}

/// A request that the user may not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denied {
    /// Why.
    pub reason: Reason,
    /// The argument that is the key or channel.
    pub argument: usize,
}

impl Denied {
    /// The reply to a client.
    pub fn reply(self, spec: &CommandSpec) -> ErrorReply {
        match self.reason {
            Reason::Command => ErrorReply::new(format!(
                "NOPERM this user has no permissions to run the '{}' command",
                spec.full_name
            )),
            Reason::Key => ErrorReply::fixed(
                "NOPERM this user has no permissions to access one of the keys used as arguments",
            ),
            Reason::Channel => ErrorReply::fixed(
                "NOPERM this user has no permissions to access one of the channels used as arguments",
            ),
        }
    }

    /// The error that a script gets in place of its command's reply.
    pub fn reply_in_script(self) -> ErrorReply {
        ErrorReply::fixed(match self.reason {
            Reason::Command => "ERR The user executing the script can't run this command or subcommand",
            Reason::Key => {
                "ERR The user executing the script can't access at least one of the keys mentioned in the command \
                 arguments"
            }
            Reason::Channel => {
                "ERR The user executing the script can't publish to the channel mentioned in the command"
            }
        })
    }

    /// The reply in place of a command's own within EXEC.
    pub fn reply_in_exec(self) -> ErrorReply {
        ErrorReply::fixed(match self.reason {
            Reason::Command => {
                "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
                 command is no longer allowed for the following reason: no permission to execute the command or \
                 subcommand"
            }
            Reason::Key => {
                "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
                 command is no longer allowed for the following reason: no permission to touch the specified keys"
            }
            Reason::Channel => {
                "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
                 command is no longer allowed for the following reason: no permission to access one of the channels \
                 used as arguments"
            }
        })
    }

    /// What ACL DRYRUN says.
    pub fn explain(self, spec: &CommandSpec, args: &Args<'_>) -> Vec<u8> {
        let of = |kind: &str| {
            let name = args.get(self.argument).unwrap_or_default();
            let end = format!("' {kind}");
            [
                b"This user has no permissions to access the '",
                name,
                end.as_bytes(),
            ]
            .concat()
        };
        match self.reason {
            Reason::Command => format!(
                "This user has no permissions to run the '{}' command",
                spec.full_name
            )
            .into_bytes(),
            Reason::Key => of("key"),
            Reason::Channel => of("channel"),
        }
    }
}

/// May the user run this request? If several selectors refuse, the reason is that of the one that came furthest.
pub fn check(user: &User, spec: &CommandSpec, args: &Args<'_>) -> Result<(), Denied> {
    let mut keys: Option<Vec<KeyUse>> = None;
    let mut furthest = Denied {
        reason: Reason::Command,
        argument: 0,
    };
    for selector in user.selectors() {
        match check_selector(selector, spec, args, &mut keys) {
            Ok(()) => return Ok(()),
            Err(denied) => furthest = furthest.max(denied),
        }
    }
    Err(furthest)
}

/// May the session's user run this request? If not, the refusal is logged.
#[cold]
pub fn check_session(
    node: &Node,
    session: &Session,
    spec: &'static CommandSpec,
    args: &Args<'_>,
    context: Context,
    now: u64,
) -> Result<(), Denied> {
    let checked = check(&session.account.user(), spec, args);
    if let Err(denied) = checked {
        if context != Context::Lua {
            session.shows(spec.id);
        }
        node.acl.log.denied(
            denied,
            context,
            spec,
            args,
            &session.client,
            &session.account,
            now,
        );
    }
    checked
}

/// May the user do this to every key by this very request? What SORT asks before it reads keys that patterns make.
pub fn reaches_all_keys(user: &User, spec: &CommandSpec, args: &Args<'_>, wanted: Access) -> bool {
    user.allows_all_keys(wanted, |selector| {
        check_selector(selector, spec, args, &mut None).is_ok()
    })
}

fn check_selector(
    selector: &Selector,
    spec: &CommandSpec,
    args: &Args<'_>,
    keys: &mut Option<Vec<KeyUse>>,
) -> Result<(), Denied> {
    if !allows_command(selector, spec, args) {
        return Err(Denied {
            reason: Reason::Command,
            argument: 0,
        });
    }
    if !selector.all_keys && spec.can_have_keys() {
        let keys = keys.get_or_insert_with(|| {
            let mut found = Vec::new();
            // A request whose keys cannot be told is refused by its command.
            let _ = key_uses(spec, args, &mut found);
            found
        });
        for key in keys.iter() {
            let argument = key.index as usize;
            if !selector.allows_key(args.at(argument), access_of(key.flags)) {
                return Err(Denied {
                    reason: Reason::Key,
                    argument,
                });
            }
        }
    }
    if !selector.all_channels
        && let Some((last, is_pattern)) = channels_of(spec, args)
    {
        for argument in 1..=last {
            if !selector.allows_channel(args.at(argument), is_pattern) {
                return Err(Denied {
                    reason: Reason::Channel,
                    argument,
                });
            }
        }
    }
    Ok(())
}

fn allows_command(selector: &Selector, spec: &CommandSpec, args: &Args<'_>) -> bool {
    if spec.flags.contains(CommandFlags::NO_AUTH) || selector.commands.has(spec.id) {
        return true;
    }
    let argument = args.get(if spec.container.is_some() { 2 } else { 1 });
    argument.is_some_and(|argument| {
        let allowed = selector.commands.first_args(spec.id);
        allowed
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(argument))
    })
}

/// What a command does to a key, as permissions know it.
fn access_of(flags: KeyFlags) -> Access {
    let mut access = Access::empty();
    access.set(Access::READ, flags.contains(KeyFlags::ACCESS));
    let changes = KeyFlags::INSERT | KeyFlags::DELETE | KeyFlags::UPDATE;
    access.set(Access::WRITE, flags.intersects(changes));
    access
}

/// Up to which argument a request names channels, and whether they are patterns. To end a subscription is everybody's
/// right.
fn channels_of(spec: &CommandSpec, args: &Args<'_>) -> Option<(usize, bool)> {
    match spec.full_name {
        "publish" | "spublish" => Some((1, false)),
        "subscribe" | "ssubscribe" => Some((args.len() - 1, false)),
        "psubscribe" => Some((args.len() - 1, true)),
        _ => None,
    }
}
