//! Lines of a configuration file: split into words with redis-server's quoting, and quoted again.

/// One word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its bytes, unquoted.
    pub bytes: Vec<u8>,
    /// Whether any of it was in quotes.
    pub quoted: bool,
}

/// Splits a line at white space. Double quotes take `\n \r \t \a \b \xHH` and a backslash before anything else;
/// single quotes take `\'`. None if a quote is not closed or not followed by white space.
pub fn split(line: &[u8]) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        let start = rest.iter().position(|b| !b.is_ascii_whitespace() && *b != 0x0b);
        match start {
            None => return Some(words),
            Some(start) => rest = &rest[start..],
        }
        let (word, after) = take_word(rest)?;
        words.push(word);
        rest = after;
    }
}

fn take_word(mut rest: &[u8]) -> Option<(Word, &[u8])> {
    let mut word = Word {
        bytes: Vec::new(),
        quoted: false,
    };
    while let [first, tail @ ..] = rest {
        match first {
            b' ' | b'\n' | b'\r' | b'\t' | 0 => break,
            b'"' | b'\'' => {
                word.quoted = true;
                rest = take_quoted(*first, tail, &mut word.bytes)?;
                // What follows a closing quote must be a separator.
                return rest
                    .first()
                    .is_none_or(|b| b.is_ascii_whitespace())
                    .then_some((word, rest));
            }
            byte => {
                word.bytes.push(*byte);
                rest = tail;
            }
        }
    }
    // A zero byte ends the line, as it ends a C string.
    let rest = if rest.first() == Some(&0) { &[] } else { rest };
    Some((word, rest))
}

/// Appends up to the closing quote and returns what follows it.
fn take_quoted<'a>(quote: u8, mut rest: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] => return None,
            [b'\\', b'x', high, low, tail @ ..]
                if quote == b'"' && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                out.push(hex_digit(*high) << 4 | hex_digit(*low));
                rest = tail;
            }
            [b'\\', escaped, tail @ ..] if quote == b'"' => {
                out.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                rest = tail;
            }
            [b'\\', b'\'', tail @ ..] if quote == b'\'' => {
                out.push(b'\'');
                rest = tail;
            }
            [byte, tail @ ..] if *byte == quote => return Some(tail),
            [byte, tail @ ..] => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}

/// A double-quoted word that `split` reads back as these bytes; printable characters stay as they are.
pub fn quote(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for byte in bytes {
        match byte {
            b'\\' | b'"' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            0x07 => text.push_str("\\a"),
            0x08 => text.push_str("\\b"),
            b' '..=b'~' => text.push(char::from(*byte)),
            other => text.push_str(&format!("\\x{other:02x}")),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(line: &str) -> Option<Vec<String>> {
        let bytes = |w: Word| String::from_utf8(w.bytes).unwrap();
        split(line.as_bytes()).map(|words| words.into_iter().map(bytes).collect())
    }

    #[test]
    fn splits_as_a_file_line() {
        assert_eq!(words("  save 900\t1 ").unwrap(), ["save", "900", "1"]);
        assert_eq!(
            words(r#"a "b \"c\" \x41\n" 'it\'s'"#).unwrap(),
            ["a", "b \"c\" A\n", "it's"]
        );
        assert_eq!(words(r#"save """#).unwrap(), ["save", ""]);
        assert_eq!(words(""), Some(vec![]));
        assert_eq!(words(r#"a "b"c"#), None);
        assert_eq!(words(r#"a "b"#), None);
        assert!(split(b"x \"#\"").unwrap()[1].quoted);
    }

    proptest! {
        #[test]
        fn a_quoted_word_reads_back(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let line = quote(&bytes);
            prop_assert_eq!(split(line.as_bytes()).unwrap(), vec![Word { bytes, quoted: true }]);
        }

        #[test]
        fn no_line_panics(line in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = split(&line);
        }
    }
}
