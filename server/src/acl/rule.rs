//! The rules of a user as they are written: rows of words, and what may be wrong with them.

use std::borrow::Cow;

/// Why a rule changes nothing. Displays as redis-server's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// There is no such command or category.
    #[error("Unknown command or category name in ACL")]
    Unknown,
    /// It is no rule.
    #[error("Syntax error")]
    Syntax,
    /// Keys are named although all are allowed.
    #[error(
        "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try \
         'resetkeys' to start with an empty list of patterns"
    )]
    AfterAllKeys,
    /// Channels are named although all are allowed.
    #[error(
        "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try \
         'resetchannels' to start with an empty list of channels"
    )]
    AfterAllChannels,
    /// The user has no such password.
    #[error("The password you are trying to remove from the user does not exist")]
    NoSuchPassword,
    /// What should be the hash of a password is none.
    #[error(
        "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
    )]
    BadHash,
    /// `+config|get|x`.
    #[error("Allowing first-arg of a subcommand is not supported")]
    FirstArgOfSubcommand,
}

/// A parenthesis that nobody closes, by the place of its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmatched(pub usize);

/// Joins the words between `(` and `)` to one rule each.
pub fn join_selectors<'a>(words: &[&'a [u8]]) -> Result<Vec<Cow<'a, [u8]>>, Unmatched> {
    let mut rules = Vec::with_capacity(words.len());
    let mut open: Option<(usize, Vec<u8>)> = None;
    for (place, word) in words.iter().enumerate() {
        match &mut open {
            // One that begins anew, as in redis-server, which forgets the one before.
            _ if word.starts_with(b"(") && !word.ends_with(b")") => open = Some((place, word.to_vec())),
            Some((_, selector)) => {
                selector.push(b' ');
                selector.extend_from_slice(word);
                if word.ends_with(b")")
                    && let Some((_, selector)) = open.take()
                {
                    rules.push(Cow::Owned(selector));
                }
            }
            None => rules.push(Cow::Borrowed(*word)),
        }
    }
    match open {
        Some((place, _)) => Err(Unmatched(place)),
        None => Ok(rules),
    }
}

/// May a user have this name?
pub fn is_name(name: &[u8]) -> bool {
    !name
        .iter()
        .any(|byte| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x0b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_parentheses_are_one_rule() {
        let join = |words: &[&str]| {
            let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
            join_selectors(&words).map(|rules| {
                let text = |rule: &Cow<'_, [u8]>| String::from_utf8(rule.to_vec()).unwrap();
                rules.iter().map(text).collect::<Vec<_>>()
            })
        };
        assert_eq!(
            join(&["on", "(+get", "~x)", "off"]).unwrap(),
            ["on", "(+get ~x)", "off"]
        );
        assert_eq!(join(&["(", "+get", ")"]).unwrap(), ["( +get )"]);
        assert_eq!(join(&["()", ")", ""]).unwrap(), ["()", ")", ""]);
        assert_eq!(join(&["on", "(+get", "(~x"]), Err(Unmatched(2)));
        assert_eq!(join(&["(+get", "(~x", "+set)"]).unwrap(), ["(~x +set)"]);
    }
}
