//! Glob patterns as KEYS, SCAN MATCH, PSUBSCRIBE and CONFIG GET take them: `*`, `?`, `[a-z]`, `[^x]` and `\` escapes.
//!
//! As in redis-server 7.0, an empty text is matched by the empty pattern alone, even though `*` matches no bytes
//! elsewhere. KEYS and SCAN take the pattern `*` for no pattern, so that they find the empty key by it.

/// Whether the whole of `text` matches `pattern`, byte by byte.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    run(pattern, text, false)
}

/// As [`matches`], with ASCII letters of either case taken as equal.
pub fn matches_ignore_case(pattern: &[u8], text: &[u8]) -> bool {
    run(pattern, text, true)
}

/// Goes back to the latest star only, so the time is at most the product of the lengths.
fn run(pattern: &[u8], text: &[u8], fold: bool) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == b'*' {
            p += 1;
            star = Some((p, t));
            continue;
        }
        if t == text.len() {
            return p == pattern.len();
        }
        match step(&pattern[p..], text[t], fold) {
            Some(width) => {
                p += width;
                t += 1;
            }
            None => match &mut star {
                Some((after, from)) => {
                    *from += 1;
                    (p, t) = (*after, *from);
                }
                None => return false,
            },
        }
    }
}

/// How many bytes of the pattern match this byte of the text.
fn step(pattern: &[u8], byte: u8, fold: bool) -> Option<usize> {
    let same = |a: u8| a == byte || (fold && a.eq_ignore_ascii_case(&byte));
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', class @ ..] => {
            let (hit, width) = match_class(class, byte, fold);
            hit.then_some(width + 1)
        }
        [b'\\', escaped, ..] => same(*escaped).then_some(2),
        [literal, ..] => same(*literal).then_some(1),
    }
}

/// Matches what follows `[`; returns how many bytes the class has, its `]` included. A class that is not closed ends with the
/// pattern.
fn match_class(class: &[u8], byte: u8, fold: bool) -> (bool, usize) {
    let lower = |b: u8| if fold { b.to_ascii_lowercase() } else { b };
    let byte = lower(byte);
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut hit = false;
    loop {
        match &class[at..] {
            [] => break,
            [b'\\', escaped, ..] => {
                hit |= lower(*escaped) == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [first, b'-', last, ..] => {
                let (first, last) = (lower(*first), lower(*last));
                hit |= (first.min(last)..=first.max(last)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                hit |= lower(*literal) == byte;
                at += 1;
            }
        }
    }
    (hit != negated, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_forms_match() {
        for (pattern, text, expected) in [
            ("*", "", false),
            ("a*", "a", true),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h*llo", "heeeello", true),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-b]llo", "hbllo", true),
            ("h[b-a]llo", "hallo", true),
            ("h\\?llo", "h?llo", true),
            ("h\\?llo", "hello", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("", "", true),
            ("", "x", false),
            ("[", "x", false),
            ("a[bc", "ac", true),
            ("**a", "a", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{pattern} {text}"
            );
        }
        assert!(matches_ignore_case(b"MAX*[X-Z]", b"maxy") && !matches(b"MAX*", b"maxy"));
    }

    #[test]
    fn many_stars_do_not_explode() {
        let pattern = "a*".repeat(60) + "b";
        assert!(!matches(pattern.as_bytes(), "a".repeat(20_000).as_bytes()));
    }

    /// What a pattern means, tried in every way.
    fn by_definition(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', rest @ ..] => (0..=text.len()).any(|taken| by_definition(rest, &text[taken..])),
            _ => text.split_first().is_some_and(|(byte, rest)| {
                step(pattern, *byte, false).is_some_and(|width| by_definition(&pattern[width..], rest))
            }),
        }
    }

    proptest! {
        #[test]
        fn stars_take_whatever_makes_the_rest_match(pattern in "[ab*?\\[\\]^\\\\-]{0,8}", text in "[ab]{1,8}") {
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(matches(pattern, text), by_definition(pattern, text));
        }

        #[test]
        fn nothing_panics(pattern in proptest::collection::vec(any::<u8>(), 0..20),
                          text in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = matches(&pattern, &text);
        }

        #[test]
        fn an_escaped_text_matches_itself(text in proptest::collection::vec(any::<u8>(), 0..20)) {
            let pattern: Vec<u8> = text.iter().flat_map(|b| [b'\\', *b]).collect();
            prop_assert!(matches(&pattern, &text));
        }
    }
}
