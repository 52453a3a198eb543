//! Replies as a node writes them.

use std::fmt::{Display, Write};

use super::double::format_double;
use super::number::push_number_line;

/// The protocol version that a connection has agreed on with HELLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Proto {
    /// What every connection starts with.
    #[default]
    Resp2,
    /// After HELLO 3.
    Resp3,
}

/// Appends replies to a buffer in the protocol version of its connection.
///
/// Types that RESP2 lacks are written as stock redis-server writes them there: a map of n pairs as an array of 2n, a
/// double as a bulk string, a boolean as an integer.
pub struct ReplyWriter<'a> {
    /// Where replies go.
    pub out: &'a mut Vec<u8>,
    /// How they are written.
    pub proto: Proto,
}

impl<'a> ReplyWriter<'a> {
    /// A writer that appends to `out`.
    #[inline]
    pub fn new(out: &'a mut Vec<u8>, proto: Proto) -> Self {
        Self { out, proto }
    }

    /// A status such as `PONG`. It must not hold CR or LF.
    #[inline]
    pub fn simple(&mut self, text: &str) {
        debug_assert!(!text.contains(['\r', '\n']), "a status is one line: {text:?}");
        self.line(b'+', text.as_bytes());
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// `+QUEUED`.
    #[inline]
    pub fn queued(&mut self) {
        self.out.extend_from_slice(b"+QUEUED\r\n");
    }

    /// An error; `text` starts with its class, as in `ERR syntax error`. Line breaks at its ends are dropped and those
    /// inside become blanks, since the text may quote what a client sent.
    pub fn error(&mut self, text: &[u8]) {
        let is_break = |b: &u8| matches!(b, b'\r' | b'\n');
        let start = text.iter().position(|b| !is_break(b)).unwrap_or(text.len());
        let end = text
            .iter()
            .rposition(|b| !is_break(b))
            .map_or(start, |last| last + 1);
        self.out.push(b'-');
        let from = self.out.len();
        self.out.extend_from_slice(&text[start..end]);
        for byte in &mut self.out[from..] {
            if is_break(byte) {
                *byte = b' ';
            }
        }
        self.out.extend_from_slice(b"\r\n");
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        match usize::try_from(value) {
            Ok(value) => push_number_line(self.out, b':', value),
            Err(_) => self.line(b':', itoa::Buffer::new().format(value).as_bytes()),
        }
    }

    /// A bulk string.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        super::encode::encode_bulk(self.out, bytes);
    }

    /// A bulk string of what `value` prints.
    pub fn bulk_display(&mut self, value: impl Display) {
        // Most such values are short numbers, which need no buffer of their own; the header comes before a length that
        // is only known once it is printed.
        let mut text = ShortText::default();
        // Writing to this sink never fails; a Display that reports an error of its own has printed what it could.
        let _ = write!(text, "{value}");
        self.bulk(text.bytes());
    }

    /// No value: `_` in RESP3, `$-1` in RESP2.
    #[inline]
    pub fn nil(&mut self) {
        self.by_proto(b"$-1\r\n", b"_\r\n");
    }

    /// No value where an array was asked for: `_` in RESP3, `*-1` in RESP2.
    #[inline]
    pub fn nil_array(&mut self) {
        self.by_proto(b"*-1\r\n", b"_\r\n");
    }

    /// The header of an array; `len` replies follow.
    #[inline]
    pub fn array(&mut self, len: usize) {
        push_number_line(self.out, b'*', len);
    }

    /// The header of a map; `pairs` times a key and a value follow.
    #[inline]
    pub fn map(&mut self, pairs: usize) {
        match self.proto {
            Proto::Resp2 => push_number_line(self.out, b'*', pairs * 2),
            Proto::Resp3 => push_number_line(self.out, b'%', pairs),
        }
    }

    /// The header of a set; `len` replies follow.
    #[inline]
    pub fn set(&mut self, len: usize) {
        push_number_line(self.out, self.prefix(b'~'), len);
    }

    /// The header of an out-of-band message; `len` replies follow.
    #[inline]
    pub fn push(&mut self, len: usize) {
        push_number_line(self.out, self.prefix(b'>'), len);
    }

    /// A floating point number with seventeen significant digits, as redis-server 7.0 prints scores.
    pub fn double(&mut self, value: f64) {
        let text = format_double(value);
        match self.proto {
            Proto::Resp2 => self.bulk(text.as_bytes()),
            Proto::Resp3 => self.line(b',', text.as_bytes()),
        }
    }

    /// A truth value: `:1` or `:0` in RESP2.
    pub fn boolean(&mut self, value: bool) {
        match value {
            true => self.by_proto(b":1\r\n", b"#t\r\n"),
            false => self.by_proto(b":0\r\n", b"#f\r\n"),
        }
    }

    /// Text for people, such as INFO's: a verbatim string of format `txt` in RESP3, a bulk string in RESP2.
    pub fn verbatim(&mut self, text: &[u8]) {
        match self.proto {
            Proto::Resp2 => self.bulk(text),
            Proto::Resp3 => {
                self.out.reserve(text.len() + 32);
                push_number_line(self.out, b'=', text.len() + 4);
                self.out.extend_from_slice(b"txt:");
                self.out.extend_from_slice(text);
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }

    /// An integer beyond 64 bits, given in decimal.
    pub fn big_number(&mut self, digits: &[u8]) {
        match self.proto {
            Proto::Resp2 => self.bulk(digits),
            Proto::Resp3 => self.line(b'(', digits),
        }
    }

    /// Bytes that already are RESP.
    #[inline]
    pub fn raw(&mut self, resp: &[u8]) {
        self.out.extend_from_slice(resp);
    }

    #[inline]
    fn line(&mut self, prefix: u8, text: &[u8]) {
        self.out.reserve(text.len() + 3);
        self.out.push(prefix);
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(b"\r\n");
    }

    #[inline]
    fn by_proto(&mut self, resp2: &[u8], resp3: &[u8]) {
        self.out.extend_from_slice(match self.proto {
            Proto::Resp2 => resp2,
            Proto::Resp3 => resp3,
        });
    }

    #[inline]
    fn prefix(&self, resp3: u8) -> u8 {
        match self.proto {
            Proto::Resp2 => b'*',
            Proto::Resp3 => resp3,
        }
    }
}

/// Text on the stack that moves to the heap when it grows beyond a number's length.
struct ShortText {
    short: [u8; 48],
    len: usize,
    long: Vec<u8>,
}

impl Default for ShortText {
    fn default() -> Self {
        Self {
            short: [0; 48],
            len: 0,
            long: Vec::new(),
        }
    }
}

impl ShortText {
    fn bytes(&self) -> &[u8] {
        if self.long.is_empty() {
            &self.short[..self.len]
        } else {
            &self.long
        }
    }
}

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.short.len() - self.len;
        if self.long.is_empty() && text.len() <= room {
            self.short[self.len..self.len + text.len()].copy_from_slice(text.as_bytes());
            self.len += text.len();
            return Ok(());
        }
        if self.long.is_empty() {
            self.long.extend_from_slice(&self.short[..self.len]);
        }
        self.long.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(proto: Proto, write: impl Fn(&mut ReplyWriter<'_>)) -> String {
        let mut out = Vec::new();
        write(&mut ReplyWriter::new(&mut out, proto));
        String::from_utf8(out).unwrap()
    }

    #[track_caller]
    fn check(write: impl Fn(&mut ReplyWriter<'_>), resp2: &str, resp3: &str) {
        assert_eq!(written(Proto::Resp2, &write), resp2);
        assert_eq!(written(Proto::Resp3, &write), resp3);
    }

    #[test]
    fn both_protocols() {
        check(|w| w.simple("PONG"), "+PONG\r\n", "+PONG\r\n");
        check(|w| w.ok(), "+OK\r\n", "+OK\r\n");
        check(|w| w.queued(), "+QUEUED\r\n", "+QUEUED\r\n");
        check(|w| w.integer(-7), ":-7\r\n", ":-7\r\n");
        check(
            |w| w.integer(i64::MIN),
            ":-9223372036854775808\r\n",
            ":-9223372036854775808\r\n",
        );
        check(|w| w.integer(42), ":42\r\n", ":42\r\n");
        check(|w| w.bulk(b""), "$0\r\n\r\n", "$0\r\n\r\n");
        check(|w| w.nil(), "$-1\r\n", "_\r\n");
        check(|w| w.nil_array(), "*-1\r\n", "_\r\n");
        check(|w| w.array(3), "*3\r\n", "*3\r\n");
        check(|w| w.map(3), "*6\r\n", "%3\r\n");
        check(|w| w.set(100), "*100\r\n", "~100\r\n");
        check(|w| w.push(2), "*2\r\n", ">2\r\n");
        check(|w| w.boolean(true), ":1\r\n", "#t\r\n");
        check(|w| w.boolean(false), ":0\r\n", "#f\r\n");
        check(|w| w.verbatim(b"a:1"), "$3\r\na:1\r\n", "=7\r\ntxt:a:1\r\n");
        check(|w| w.big_number(b"-12"), "$3\r\n-12\r\n", "(-12\r\n");
        check(|w| w.double(3.5), "$3\r\n3.5\r\n", ",3.5\r\n");
        check(|w| w.double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n");
    }

    #[test]
    fn errors_are_one_line() {
        check(|w| w.error(b"ERR a\r\nb\r\n"), "-ERR a  b\r\n", "-ERR a  b\r\n");
        check(|w| w.error(b"\r\n"), "-\r\n", "-\r\n");
    }

    #[test]
    fn displayed_bulks() {
        check(|w| w.bulk_display(-12.5), "$5\r\n-12.5\r\n", "$5\r\n-12.5\r\n");
        for len in [0, 47, 48, 49, 200] {
            let text = "x".repeat(len);
            let expected = format!("${len}\r\n{text}\r\n");
            check(|w| w.bulk_display(&text), &expected, &expected);
        }
        let two = format_args!("{}{}", "a".repeat(40), "b".repeat(40)).to_string();
        let written = written(Proto::Resp2, |w| {
            w.bulk_display(format_args!("{}{}", &two[..40], &two[40..]))
        });
        assert_eq!(written, format!("$80\r\n{two}\r\n"));
    }
}
