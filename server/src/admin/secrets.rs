//! Which arguments of a request are passwords, or go with one: the slow log and MONITOR show `(redacted)` instead.

use slotcore::command::CommandSpec;
use slotcore::resp::Args;

use crate::config::is_secret;

/// What is shown instead.
pub const REDACTED: &[u8] = b"(redacted)";

/// Is this argument to be hidden?
pub fn hides(spec: &CommandSpec, args: &Args<'_>, index: usize) -> bool {
    let word =
        |back: usize, text: &str| index > back && args.at(index - back).eq_ignore_ascii_case(text.as_bytes());
    match spec.full_name {
        "auth" => index > 0,
        "hello" => word(1, "auth") || word(2, "auth"),
        "migrate" => word(1, "auth") || word(1, "auth2") || word(2, "auth2"),
        "config|set" => index >= 3 && index % 2 == 1 && is_secret(args.at(index - 1)),
        "acl|setuser" => index > 1,
        _ => false,
    }
}
