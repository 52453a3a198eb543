//! The text of an ACL file: a user a line.

use std::fmt::Write;

use super::DEFAULT_USER;
use super::rule::{RuleError, is_name, join_selectors};
use super::user::{Defaults, RulesError, User};

/// A user by its name.
type Named = (Box<[u8]>, User);

/// Reads the whole text.
///
/// # Errors
/// What is wrong, in redis-server's words: all lines that cannot be read, and all commands that nobody knows.
pub fn parse(text: &[u8], path: &str, defaults: Defaults) -> Result<Vec<Named>, String> {
    let mut users: Vec<Named> = Vec::new();
    let mut errors = String::new();
    for (place, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let number = place + 1;
        // Writing to a string cannot fail.
        let _ = match parse_line(line, defaults) {
            Ok((name, _)) if users.iter().any(|(known, _)| *known == name) => write!(
                errors,
                "WARNING: Duplicate user '{}' found on line {number}. ",
                String::from_utf8_lossy(&name)
            ),
            Ok(named) => {
                users.push(named);
                Ok(())
            }
            Err(LineError::NoUser) => write!(
                errors,
                "{path}:{number} should start with user keyword followed by the username. "
            ),
            Err(LineError::BadName(name)) => {
                let name = String::from_utf8_lossy(&name).into_owned();
                write!(
                    errors,
                    "'{path}:{number}: username '{name}' contains invalid characters. "
                )
            }
            Err(LineError::Unmatched) => {
                write!(
                    errors,
                    "{path}:{number}: Unmatched parentheses in selector definition."
                )
            }
            Err(LineError::Rules(wrong)) => {
                for (rule, error) in wrong {
                    let _ = match error {
                        RuleError::Unknown => write!(
                            errors,
                            "{path}:{number}: Error in applying operation '{}': {error}. ",
                            String::from_utf8_lossy(&rule)
                        ),
                        _ => write!(errors, "{path}:{number}: {error}. "),
                    };
                }
                Ok(())
            }
        };
    }
    match errors.is_empty() {
        true => Ok(users),
        false => Err(errors
            + "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"),
    }
}

enum LineError {
    NoUser,
    BadName(Vec<u8>),
    Unmatched,
    Rules(Vec<(Vec<u8>, RuleError)>),
}

fn parse_line(line: &[u8], defaults: Defaults) -> Result<Named, LineError> {
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [b"user", name, rules @ ..] = &words[..] else {
        return Err(LineError::NoUser);
    };
    if !is_name(name) {
        return Err(LineError::BadName(name.to_vec()));
    }
    let rules = join_selectors(rules).map_err(|_| LineError::Unmatched)?;
    let mut user = User::new(defaults);
    let mut wrong: Vec<(Vec<u8>, RuleError)> = Vec::new();
    for rule in rules {
        let rule = rule.trim_ascii();
        if let Err(error) = user.apply(rule, defaults) {
            // Of what is not a missing command only the first is told: the others may follow from it.
            let told = wrong.iter().any(|(_, error)| *error != RuleError::Unknown);
            if error == RuleError::Unknown || !told {
                wrong.push((rule.to_vec(), error));
            }
        }
    }
    match wrong.is_empty() {
        true => Ok(((*name).into(), user)),
        false => Err(LineError::Rules(wrong)),
    }
}

/// The user of a `user` line in a configuration, which begins as a new one; the default user as one that was reset.
pub fn parse_user(name: &[u8], words: &[Vec<u8>], defaults: Defaults) -> Result<User, RulesError> {
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    let mut user = User::new(defaults);
    if name == DEFAULT_USER {
        user.apply(b"reset", defaults)
            .expect("reset is a rule that nothing contradicts");
    }
    user.with_rules(&words, defaults)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Result<Vec<String>, String> {
        let users = parse(text.as_bytes(), "f", Defaults::default())?;
        let line = |(name, user): &Named| String::from_utf8(user.describe(name)).unwrap();
        Ok(users.iter().map(line).collect())
    }

    const END: &str =
        "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";

    #[test]
    fn a_user_a_line() {
        assert_eq!(
            parsed("\n  user b on (+get  ~x)  \r\n\tuser c off\t\n").unwrap(),
            [
                "user b on resetchannels -@all (~x resetchannels -@all +get)",
                "user c off resetchannels -@all"
            ]
        );
        assert_eq!(parsed("").unwrap(), [""; 0]);
    }

    #[test]
    fn all_that_is_wrong_is_told() {
        assert_eq!(
            parsed("foo\nuser a on +foo >x +bar @@ zz\nuser a\nuser a"),
            Err(format!(
                "f:1 should start with user keyword followed by the username. f:2: Error in applying operation '+foo': \
                 Unknown command or category name in ACL. f:2: Error in applying operation '+bar': Unknown command or \
                 category name in ACL. f:2: Syntax error. WARNING: Duplicate user 'a' found on line 4. {END}"
            ))
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in proptest::collection::vec(
            prop_oneof![3 => Just(b' '), 1 => Just(b'\n'), 1 => Just(b'('), 1 => Just(b')'), 8 => any::<u8>()], 0..200)) {
            let _ = parse(&text, "f", Defaults::default());
            let _ = parse(&[b"user a ", &text[..]].concat(), "f", Defaults::default());
        }
    }
}
