//! The notation for the arguments of a command, and its parser.
//!
//! One line of the table says what `COMMAND DOCS` prints as a tree. It reads like a usage text in which every part has
//! its name:
//!
//! ```text
//! key@0 value [condition: NX | XX] [GET] [expiration: EX seconds:int | PX milliseconds:int | KEEPTTL]
//! ```
//!
//! | notation | means |
//! |---|---|
//! | `value` | an argument of this name, a string |
//! | `count:int` | an integer; also `:double`, `:pattern`, `:time` (a Unix time) |
//! | `key@0` | a key, described by the command's key specification 0 |
//! | `NX`, `'='` | a word that is sent as it is; its name is the same in lowercase |
//! | `operator='='` | the same, with a name of its own |
//! | `EX seconds` | a word, then an argument |
//! | `(name: a b)` | several arguments that belong together |
//! | `(name: a \| b)` | one of several |
//! | `LIMIT (name: a b)` | the same after a word |
//! | `[...]` | may be left out; holds one argument, or `name: ...` |
//! | `x...` | may be repeated; `TOKEN x...` repeats what follows the word, `[TOKEN x]...` the word too |

use std::borrow::Cow;

/// One argument of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// What is to be sent.
    pub kind: ArgumentKind,
    /// The word before it, or all of it for [`ArgumentKind::PureToken`].
    pub token: Option<&'a str>,
    /// Which of the command's key specifications it belongs to.
    pub key_spec: Option<u8>,
    /// It may be left out.
    pub optional: bool,
    /// It may be repeated.
    pub multiple: bool,
    /// When repeated, its word is repeated too.
    pub multiple_token: bool,
    /// The parts of a block, the choices of a one-of.
    pub arguments: Vec<Argument<'a>>,
}

impl Argument<'_> {
    /// Its flags by their names in `COMMAND DOCS`.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        [
            (self.optional, "optional"),
            (self.multiple, "multiple"),
            (self.multiple_token, "multiple_token"),
        ]
        .into_iter()
        .filter_map(|(set, name)| set.then_some(name))
    }
}

/// What is to be sent for an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentKind {
    String,
    Integer,
    Double,
    Key,
    Pattern,
    UnixTime,
    PureToken,
    OneOf,
    Block,
}

impl ArgumentKind {
    /// Its name in `COMMAND DOCS`.
    pub const fn name(self) -> &'static str {
        match self {
            ArgumentKind::String => "string",
            ArgumentKind::Integer => "integer",
            ArgumentKind::Double => "double",
            ArgumentKind::Key => "key",
            ArgumentKind::Pattern => "pattern",
            ArgumentKind::UnixTime => "unix-time",
            ArgumentKind::PureToken => "pure-token",
            ArgumentKind::OneOf => "oneof",
            ArgumentKind::Block => "block",
        }
    }
}

/// Where and why a text is not in the notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset}: {expected} expected")]
pub struct SyntaxError {
    /// Byte offset into the text.
    pub offset: usize,
    /// What should be there.
    pub expected: &'static str,
}

/// The arguments that `text` describes.
pub fn parse(text: &str) -> Result<Vec<Argument<'_>>, SyntaxError> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let arguments = parser.sequence()?;
    if parser.at < text.len() {
        return Err(parser.expected("an argument"));
    }
    Ok(arguments)
}

/// More levels than any command has; keeps the recursion shallow whatever the text.
const MAX_DEPTH: usize = 16;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn expected(&self, expected: &'static str) -> SyntaxError {
        SyntaxError {
            offset: self.at,
            expected,
        }
    }

    fn skip_spaces(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(' ').len();
    }

    /// Consumes `what` if it is next.
    fn takes(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    /// Arguments up to the end, a closing bracket or a bar.
    fn sequence(&mut self) -> Result<Vec<Argument<'a>>, SyntaxError> {
        let mut arguments = Vec::new();
        loop {
            self.skip_spaces();
            if self.rest().is_empty() || self.rest().starts_with([')', ']', '|']) {
                return Ok(arguments);
            }
            arguments.push(self.argument()?);
        }
    }

    fn argument(&mut self) -> Result<Argument<'a>, SyntaxError> {
        if self.takes("[") {
            let mut argument = self.bracket("]")?;
            argument.optional = true;
            Ok(argument)
        } else if self.takes("(") {
            self.bracket(")")
        } else {
            self.plain()
        }
    }

    /// What is inside brackets, and whether it repeats.
    fn bracket(&mut self, close: &'static str) -> Result<Argument<'a>, SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.expected("less nesting"));
        }
        let mut argument = match self.label() {
            Some(name) => self.group(name)?,
            None => self.argument()?,
        };
        self.depth -= 1;
        if !self.takes(close) {
            return Err(self.expected("a closing bracket"));
        }
        if self.takes("...") {
            argument.multiple = true;
            argument.multiple_token = argument.token.is_some();
        }
        Ok(argument)
    }

    /// The `name: ` that begins a group, if one does.
    fn label(&mut self) -> Option<&'a str> {
        let name = word(self.rest()).strip_suffix(':').filter(|name| is_name(name))?;
        self.at += name.len() + 1;
        Some(name)
    }

    /// A block, or with bars a choice.
    fn group(&mut self, name: &'a str) -> Result<Argument<'a>, SyntaxError> {
        let mut arguments = self.sequence()?;
        if arguments.is_empty() {
            return Err(self.expected("an argument"));
        }
        if !self.rest().starts_with('|') {
            return Ok(Argument {
                arguments,
                ..new(name, ArgumentKind::Block)
            });
        }
        let mut newest = arguments.len();
        while newest == 1 && self.takes("|") {
            let choice = self.sequence()?;
            newest = choice.len();
            arguments.extend(choice);
        }
        if newest != 1 {
            return Err(self.expected("a choice that is one argument"));
        }
        Ok(Argument {
            arguments,
            ..new(name, ArgumentKind::OneOf)
        })
    }

    /// A word, a word with what follows it, or a name.
    fn plain(&mut self) -> Result<Argument<'a>, SyntaxError> {
        if let Some(token) = self.token()? {
            let pure = Argument {
                token: Some(token),
                ..new(token.to_ascii_lowercase(), ArgumentKind::PureToken)
            };
            let Some(after) = self.rest().strip_prefix(' ') else {
                return Ok(pure);
            };
            let follows = after.starts_with('(') || is_name(word(after)) && !word(after).contains('=');
            if !follows {
                return Ok(pure);
            }
            self.at += 1;
            let mut argument = self.argument()?;
            argument.token = Some(token);
            argument.multiple_token = false;
            return Ok(argument);
        }
        self.named()
    }

    /// `name`, `name:type`, `name@spec`, `name=TOKEN`.
    fn named(&mut self) -> Result<Argument<'a>, SyntaxError> {
        let text = word(self.rest());
        if !is_name(text) {
            return Err(self.expected("a name or a word"));
        }
        if let Some((name, _)) = text.split_once('=') {
            self.at += name.len() + 1;
            let token = self.token()?.ok_or(self.expected("a word"))?;
            return Ok(Argument {
                token: Some(token),
                ..new(name, ArgumentKind::PureToken)
            });
        }
        self.at += text.len();
        let (text, multiple) = match text.strip_suffix("...") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (text, key_spec) = match text.split_once('@') {
            Some((text, number)) => (text, Some(number.parse().map_err(|_| self.expected("a number"))?)),
            None => (text, None),
        };
        let plain_kind = if key_spec.is_some() {
            ArgumentKind::Key
        } else {
            ArgumentKind::String
        };
        let (name, kind) = match text.rsplit_once(':') {
            Some((name, "int")) => (name, ArgumentKind::Integer),
            Some((name, "double")) => (name, ArgumentKind::Double),
            Some((name, "pattern")) => (name, ArgumentKind::Pattern),
            Some((name, "time")) => (name, ArgumentKind::UnixTime),
            // A name may have a colon: "ip:port".
            _ => (text, plain_kind),
        };
        Ok(Argument {
            key_spec,
            multiple,
            ..new(name, kind)
        })
    }

    /// A word that is sent as it is: capitals, or anything in quotes.
    fn token(&mut self) -> Result<Option<&'a str>, SyntaxError> {
        let rest = self.rest();
        if let Some(quoted) = rest.strip_prefix('\'') {
            let len = quoted.find('\'').ok_or(self.expected("a closing quote"))?;
            self.at += len + 2;
            return Ok(Some(&quoted[..len]));
        }
        if !rest.starts_with(|c: char| c.is_ascii_uppercase()) {
            return Ok(None);
        }
        let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let len = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += len;
        Ok(Some(&rest[..len]))
    }
}

/// The text up to a space, a bracket, a bar or a quote.
fn word(text: &str) -> &str {
    let end = text
        .find([' ', '[', ']', '(', ')', '|', '\''])
        .unwrap_or(text.len());
    &text[..end]
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
}

fn new<'a>(name: impl Into<Cow<'a, str>>, kind: ArgumentKind) -> Argument<'a> {
    Argument {
        name: name.into(),
        kind,
        token: None,
        key_spec: None,
        optional: false,
        multiple: false,
        multiple_token: false,
        arguments: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::all_with_subcommands;
    use proptest::prelude::*;

    /// A tree as one line, in another notation than the one that is tested.
    fn shown(arguments: &[Argument<'_>]) -> String {
        let one = |argument: &Argument<'_>| {
            let mut text = format!("{}:{}", argument.name, argument.kind.name());
            if let Some(token) = argument.token {
                text += &format!(" token={token:?}");
            }
            if let Some(spec) = argument.key_spec {
                text += &format!(" spec={spec}");
            }
            for flag in argument.flags() {
                text += &format!(" {flag}");
            }
            if !argument.arguments.is_empty() {
                text += &format!(" {{{}}}", shown(&argument.arguments));
            }
            text
        };
        arguments.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn every_part_of_the_notation() {
        for (text, expected) in [
            ("", ""),
            ("key@0 value", "key:key spec=0; value:string"),
            ("ip:port yes/no n:int x:double t:time p:pattern@1", {
                "ip:port:string; yes/no:string; n:integer; x:double; t:unix-time; p:pattern spec=1"
            }),
            ("NX '=' star='*' none=''", {
                "nx:pure-token token=\"NX\"; =:pure-token token=\"=\"; star:pure-token token=\"*\"; \
                 none:pure-token token=\"\""
            }),
            ("EX seconds:int NO ONE", {
                "seconds:integer token=\"EX\"; no:pure-token token=\"NO\"; one:pure-token token=\"ONE\""
            }),
            (
                "[GET] [COUNT n:int]",
                "get:pure-token token=\"GET\" optional; n:integer token=\"COUNT\" optional",
            ),
            (
                "k@0... [v...]",
                "k:key spec=0 multiple; v:string optional multiple",
            ),
            ("[KEYS k@1...]", "k:key token=\"KEYS\" spec=1 optional multiple"),
            ("[GET p]... (BY p)...", {
                "p:string token=\"GET\" optional multiple multiple_token; p:string token=\"BY\" multiple multiple_token"
            }),
            (
                "(c: NX | XX)",
                "c:oneof {nx:pure-token token=\"NX\"; xx:pure-token token=\"XX\"}",
            ),
            (
                "[c: a | (b: x y)]...",
                "c:oneof optional multiple {a:string; b:block {x:string; y:string}}",
            ),
            ("[LIMIT (l: offset:int [count:int])]", {
                "l:block token=\"LIMIT\" optional {offset:integer; count:integer optional}"
            }),
            ("ARGS (a: x)...", "a:block token=\"ARGS\" multiple {x:string}"),
        ] {
            assert_eq!(
                parse(text).map(|arguments| shown(&arguments)),
                Ok(expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_in_the_notation_is_refused() {
        for (text, offset) in [
            ("a)", 1),
            ("(a", 2),
            ("(a: )", 4),
            ("[]", 1),
            ("(a: b c | d)", 8),
            ("a@x", 3),
            ("'x", 0),
            ("=", 0),
            ("|", 0),
        ] {
            assert_eq!(parse(text).map_err(|error| error.offset), Err(offset), "{text}");
        }
        let deep = "(a: ".repeat(1000);
        assert!(parse(&deep).is_err());
    }

    #[test]
    fn every_command_is_in_the_notation_and_names_its_keys() {
        fn key_specs(arguments: &[Argument<'_>], seen: &mut Vec<u8>) {
            for argument in arguments {
                seen.extend(argument.key_spec);
                key_specs(&argument.arguments, seen);
            }
        }
        for row in all_with_subcommands() {
            let arguments = parse(row.syntax).unwrap_or_else(|error| panic!("{}: {error}", row.full_name));
            let mut seen = Vec::new();
            key_specs(&arguments, &mut seen);
            assert!(
                seen.iter().all(|spec| usize::from(*spec) < row.keys.len()),
                "{}",
                row.full_name
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "[\\[\\]()|'=:@. aKX0]{0,40}") {
            if let Err(error) = parse(&text) {
                prop_assert!(error.offset <= text.len());
            }
        }

        #[test]
        fn any_characters_are_parsed_or_refused(text in ".{0,20}") {
            if let Err(error) = parse(&text) {
                prop_assert!(error.offset <= text.len());
            }
        }
    }
}
