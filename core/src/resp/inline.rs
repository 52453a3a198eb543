//! Inline requests: one line of words, as a person types them.

use super::args::ArgRange;

/// The quotes of a line do not match up, or text follows a closing quote without a blank between.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnbalancedQuotes;

/// Splits `buf[start..end]`, a line without its line break, into words and appends where they lie.
///
/// The rules are stock's. Blanks separate words. Within double quotes `\n \r \t \b \a` and `\xHH` stand for a byte
/// and a backslash before anything else for that itself; within single quotes `\'` stands for the quote. A quote may
/// open in the middle of a word, but must be followed by a blank or the end of the line when it closes.
///
/// A word is never longer than its source, so it is unquoted in place: from the place where it begins in the line.
pub(super) fn split_words(
    buf: &mut [u8],
    start: usize,
    end: usize,
    words: &mut Vec<ArgRange>,
) -> Result<(), UnbalancedQuotes> {
    let line = &mut buf[..end];
    let mut read = start;
    loop {
        while read < end && is_blank(line[read]) {
            read += 1;
        }
        if read == end {
            return Ok(());
        }
        let word = read;
        let written;
        (read, written) = unquote_word(line, word)?;
        // The caller has checked that offsets into the buffer fit 32 bits.
        words.push(ArgRange {
            start: word as u32,
            end: written as u32,
        });
    }
}

/// Unquotes the word that begins at `at`. Returns where its source ends, and where its text does.
fn unquote_word(line: &mut [u8], at: usize) -> Result<(usize, usize), UnbalancedQuotes> {
    let mut quote = None;
    let (mut read, mut write) = (at, at);
    while let Some(&byte) = line.get(read) {
        let (literal, taken) = match quote {
            None => match byte {
                b' ' | b'\n' | b'\r' | b'\t' => break,
                b'"' | b'\'' => {
                    quote = Some(byte);
                    read += 1;
                    continue;
                }
                byte => (byte, 1),
            },
            Some(open) if byte == open => {
                return match line.get(read + 1) {
                    Some(&next) if !is_blank(next) => Err(UnbalancedQuotes),
                    _ => Ok((read + 1, write)),
                };
            }
            Some(b'"') if byte == b'\\' => unescape(&line[read..]),
            Some(b'\'') if line[read..].starts_with(b"\\'") => (b'\'', 2),
            Some(_) => (byte, 1),
        };
        line[write] = literal;
        write += 1;
        read += taken;
    }
    if quote.is_some() {
        Err(UnbalancedQuotes)
    } else {
        Ok((read, write))
    }
}

/// The byte that an escape within double quotes stands for, and how long the escape is. `escape` begins with the
/// backslash; one at the end of the line stands for itself, and the quote is unbalanced anyway.
fn unescape(escape: &[u8]) -> (u8, usize) {
    if let [_, b'x', high, low, ..] = *escape
        && let (Some(high), Some(low)) = (hex_digit(high), hex_digit(low))
    {
        return (high << 4 | low, 4);
    }
    match escape.get(1) {
        None => (b'\\', 1),
        Some(b'n') => (b'\n', 2),
        Some(b'r') => (b'\r', 2),
        Some(b't') => (b'\t', 2),
        Some(b'b') => (0x08, 2),
        Some(b'a') => (0x07, 2),
        Some(&other) => (other, 2),
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// What C's `isspace` accepts.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut buf = line.to_vec();
        let mut words = Vec::new();
        split_words(&mut buf, 0, line.len(), &mut words).ok()?;
        Some(
            words
                .iter()
                .map(|word| buf[word.start as usize..word.end as usize].to_vec())
                .collect(),
        )
    }

    #[track_caller]
    fn check(line: &str, words: &[&[u8]]) {
        assert_eq!(split(line.as_bytes()).unwrap(), words, "{line}");
    }

    /// Each line was typed at redis-server 7.0.15.
    #[test]
    fn words_as_stock_splits_them() {
        check("", &[]);
        check(" \t\x0b ", &[]);
        check("PING", &[b"PING"]);
        check("\x0bGET  key\t", &[b"GET", b"key"]);
        check("a\x0bb", &[b"a\x0bb"]);
        check("a\rb", &[b"a", b"b"]);
        check(r#"ECHO "a\x41\n\q\xzz""#, &[b"ECHO", b"aA\nqxzz"]);
        check(r#""\r\t\b\a\\\"\x0F""#, &[b"\r\t\x08\x07\\\"\x0f"]);
        check(r"ECHO 'a\'b\n'", &[b"ECHO", b"a'b\\n"]);
        check(r#"fo"o b""#, &[b"foo b"]);
        check(r#""" ''"#, &[b"", b""]);
        check("\"a\"\x0b", &[b"a"]);
        check(r"back\slash", &[b"back\\slash"]);
        check(r#""it's" 'say "x"'"#, &[b"it's", b"say \"x\""]);
    }

    #[test]
    fn unbalanced() {
        for line in [
            r#""a"#, r#""a"b"#, "'a", "'a'b", r#"""""#, r#"a ""#, r#""\"#, r#""a\""#, r"'\'", r#"x"y"z"#,
        ] {
            assert_eq!(split(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn quoted_bytes_read_back(words in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..20), 0..6)) {
            let mut line = Vec::new();
            for word in &words {
                line.push(b'"');
                for byte in word {
                    line.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
                }
                line.extend_from_slice(b"\" ");
            }
            prop_assert_eq!(split(&line), Some(words));
        }

        #[test]
        fn any_line_splits_within_itself(line in proptest::collection::vec(
            proptest::sample::select(b"ab\"' \\xn1\t\x00\xff".to_vec()), 0..40)) {
            if let Some(words) = split(&line) {
                prop_assert!(words.iter().map(Vec::len).sum::<usize>() <= line.len());
            }
        }
    }
}
