//! Arguments as people read them: `key value [NX|XX] [EX seconds|PX milliseconds]`.

use super::CommandSpec;
use super::syntax::{self, Argument, ArgumentKind};

/// The arguments of a command on one line, in the form of manuals; empty if it takes none.
///
/// # Panics
/// Never: every row of the table is in the notation, which a test over the table holds.
pub fn usage(spec: &CommandSpec) -> String {
    let arguments = syntax::parse(spec.syntax).expect("every row of the table is in the notation");
    let mut line = String::new();
    write_all(&mut line, &arguments, " ");
    line
}

fn write_all(line: &mut String, arguments: &[Argument<'_>], between: &str) {
    for (i, argument) in arguments.iter().enumerate() {
        if i > 0 {
            line.push_str(between);
        }
        write_one(line, argument);
    }
}

fn write_one(line: &mut String, argument: &Argument<'_>) {
    let mut body = String::new();
    match argument.kind {
        ArgumentKind::PureToken => {}
        ArgumentKind::Block => write_all(&mut body, &argument.arguments, " "),
        ArgumentKind::OneOf => write_all(&mut body, &argument.arguments, "|"),
        _ => body.push_str(&argument.name),
    }
    // Choices stand in brackets unless those of an optional argument are around them already.
    let bare = argument.optional && argument.token.is_none() && !argument.multiple;
    if argument.kind == ArgumentKind::OneOf && !bare {
        body = format!("<{body}>");
    }
    let shown_token = match argument.token {
        Some("") => Some("\"\""),
        token => token,
    };
    let once = match shown_token {
        Some(token) if body.is_empty() => token.to_owned(),
        Some(token) => format!("{token} {body}"),
        None => body.clone(),
    };
    let repeated = match (argument.multiple, argument.multiple_token) {
        (false, _) => once,
        (true, true) => format!("{once} [{once} ...]"),
        (true, false) => format!("{once} [{body} ...]"),
    };
    if argument.optional {
        line.push_str(&format!("[{repeated}]"));
    } else {
        line.push_str(&repeated);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{all_with_subcommands, lookup, lookup_subcommand};

    #[test]
    fn lines_read_like_a_manual() {
        let of = |name: &str| usage(lookup(name.as_bytes()).unwrap());
        assert_eq!(of("get"), "key");
        assert_eq!(of("ping"), "[message]");
        assert_eq!(of("mset"), "key value [key value ...]");
        assert_eq!(
            of("getex"),
            "key [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|PERSIST]"
        );
        assert_eq!(of("lmove"), "source destination <LEFT|RIGHT> <LEFT|RIGHT>");
        assert_eq!(
            of("sort"),
            "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC|DESC] [ALPHA] \
             [STORE destination]"
        );
        let stats = lookup_subcommand(lookup(b"cluster").unwrap(), b"slot-stats").unwrap();
        assert!(usage(stats).starts_with("<SLOTSRANGE start-slot end-slot|ORDERBY <KEY-COUNT|CPU-USEC|"));
        assert_eq!(of("dbsize"), "");
    }

    #[test]
    fn every_row_has_a_line_with_closed_brackets() {
        for row in all_with_subcommands() {
            let line = usage(row);
            let count = |c: char| line.chars().filter(|&other| other == c).count();
            assert_eq!(
                (count('['), count('<')),
                (count(']'), count('>')),
                "{}: {line}",
                row.full_name
            );
        }
    }
}
