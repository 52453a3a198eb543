//! cjson.decode: a tokenizer, and a parser that pushes what it reads onto Lua's stack.

use super::{MAX_DEPTH, settings};
use crate::scripting::ffi::{self, State, c_int};
use crate::scripting::libraries::number;
use crate::scripting::run::{Run, running};

/// A token; texts are in the run's buffer.
#[derive(Clone, Copy, PartialEq)]
enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    Text,
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Wrong(&'static str),
}

impl Token {
    fn name(self) -> &'static str {
        match self {
            Self::ObjectBegin => "T_OBJ_BEGIN",
            Self::ObjectEnd => "T_OBJ_END",
            Self::ArrayBegin => "T_ARR_BEGIN",
            Self::ArrayEnd => "T_ARR_END",
            Self::Text => "T_STRING",
            Self::Number(_) => "T_NUMBER",
            Self::Boolean(_) => "T_BOOLEAN",
            Self::Null => "T_NULL",
            Self::Colon => "T_COLON",
            Self::Comma => "T_COMMA",
            Self::End => "T_END",
            Self::Wrong(what) => what,
        }
    }
}

/// Where the parser is. It owns nothing, since errors leave by a jump.
struct Parser<'a> {
    lua: State,
    /// The text, and the zero byte behind it.
    json: &'a [u8],
    at: usize,
    /// Where the last token begins, or where it is wrong.
    token_at: usize,
    depth: i32,
    max_depth: i32,
    takes_invalid: bool,
}

pub(super) unsafe extern "C-unwind" fn decode(lua: State) -> c_int {
    // SAFETY: called by Lua; strings end in a zero byte and stay on the stack.
    unsafe {
        if ffi::lua_gettop(lua) != 1 {
            ffi::luaL_argerror(lua, 1, c"expected 1 argument".as_ptr());
        }
        let mut len = 0;
        let start = ffi::luaL_checklstring(lua, 1, &raw mut len);
        let json = std::slice::from_raw_parts(start.cast::<u8>(), len + 1);
        if len >= 2 && (json[0] == 0 || json[1] == 0) {
            ffi::raise_here(lua, b"JSON parser does not support UTF-16 or UTF-32");
        }
        let Some(run) = running().as_mut() else {
            ffi::raise_here(lua, b"cjson can only be used inside a script invocation");
        };
        let settings = settings();
        let mut parser = Parser {
            lua,
            json,
            at: 0,
            token_at: 0,
            depth: 0,
            max_depth: settings.decode_depth.min(MAX_DEPTH),
            takes_invalid: settings.decode_invalid,
        };
        let token = parser.next(&mut run.text);
        parser.value(run, token);
        let token = parser.next(&mut run.text);
        if token != Token::End {
            parser.refuse("the end", token);
        }
    }
    1
}

impl Parser<'_> {
    /// Pushes the value that begins with this token.
    ///
    /// # Safety
    /// Called by Lua; may jump.
    unsafe fn value(&mut self, run: &mut Run, token: Token) {
        let lua = self.lua;
        // SAFETY: by the caller's promise.
        unsafe {
            match token {
                Token::Text => ffi::push_bytes(lua, &run.text),
                Token::Number(value) => ffi::lua_pushnumber(lua, value),
                Token::Boolean(value) => ffi::lua_pushboolean(lua, c_int::from(value)),
                Token::Null => ffi::lua_pushlightuserdata(lua, std::ptr::null_mut()),
                Token::ObjectBegin => self.object(run),
                Token::ArrayBegin => self.array(run),
                _ => self.refuse("value", token),
            }
        }
    }

    /// # Safety
    /// Called by Lua; may jump.
    unsafe fn object(&mut self, run: &mut Run) {
        let lua = self.lua;
        // SAFETY: by the caller's promise.
        unsafe {
            self.descend();
            ffi::lua_createtable(lua, 0, 0);
            let mut token = self.next(&mut run.text);
            if token == Token::ObjectEnd {
                self.depth -= 1;
                return;
            }
            loop {
                if token != Token::Text {
                    self.refuse("object key string", token);
                }
                ffi::push_bytes(lua, &run.text);
                token = self.next(&mut run.text);
                if token != Token::Colon {
                    self.refuse("colon", token);
                }
                token = self.next(&mut run.text);
                self.value(run, token);
                ffi::lua_rawset(lua, -3);
                token = self.next(&mut run.text);
                match token {
                    Token::ObjectEnd => break,
                    Token::Comma => token = self.next(&mut run.text),
                    _ => self.refuse("comma or object end", token),
                }
            }
            self.depth -= 1;
        }
    }

    /// # Safety
    /// Called by Lua; may jump.
    unsafe fn array(&mut self, run: &mut Run) {
        let lua = self.lua;
        // SAFETY: by the caller's promise.
        unsafe {
            self.descend();
            ffi::lua_createtable(lua, 0, 0);
            let mut token = self.next(&mut run.text);
            if token == Token::ArrayEnd {
                self.depth -= 1;
                return;
            }
            let mut i = 1;
            loop {
                self.value(run, token);
                ffi::lua_rawseti(lua, -2, i);
                i += 1;
                token = self.next(&mut run.text);
                match token {
                    Token::ArrayEnd => break,
                    Token::Comma => token = self.next(&mut run.text),
                    _ => self.refuse("comma or array end", token),
                }
            }
            self.depth -= 1;
        }
    }

    /// # Safety
    /// Called by Lua; may jump.
    unsafe fn descend(&mut self) {
        self.depth += 1;
        // SAFETY: by the caller's promise.
        unsafe {
            if self.depth <= self.max_depth && ffi::lua_checkstack(self.lua, 12) != 0 {
                return;
            }
            let lua = self.lua;
            ffi::luaL_where(lua, 1);
            ffi::push_bytes(lua, b"Found too many nested data structures (");
            ffi::lua_pushnumber(lua, f64::from(self.depth));
            ffi::push_bytes(lua, b") at character ");
            ffi::lua_pushnumber(lua, self.at as f64);
            ffi::lua_concat(lua, 5);
            ffi::lua_error(lua);
        }
    }

    /// # Safety
    /// Called by Lua; jumps.
    unsafe fn refuse(&self, expected: &str, found: Token) -> ! {
        let lua = self.lua;
        // SAFETY: by the caller's promise.
        unsafe {
            ffi::luaL_where(lua, 1);
            ffi::push_bytes(lua, b"Expected ");
            ffi::push_bytes(lua, expected.as_bytes());
            ffi::push_bytes(lua, b" but found ");
            ffi::push_bytes(lua, found.name().as_bytes());
            ffi::push_bytes(lua, b" at character ");
            ffi::lua_pushnumber(lua, (self.token_at + 1) as f64);
            ffi::lua_concat(lua, 7);
            ffi::lua_error(lua)
        }
    }

    /// The next token; a text's bytes are put into `text`.
    fn next(&mut self, text: &mut Vec<u8>) -> Token {
        while matches!(self.json[self.at], b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.token_at = self.at;
        let token = match self.json[self.at] {
            b'{' => Token::ObjectBegin,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayBegin,
            b']' => Token::ArrayEnd,
            b',' => Token::Comma,
            b':' => Token::Colon,
            0 if self.at + 1 == self.json.len() => return Token::End,
            b'"' => return self.text(text),
            b'-' | b'+' | b'0'..=b'9' => return self.number(),
            _ => return self.word(),
        };
        self.at += 1;
        token
    }

    fn word(&mut self) -> Token {
        let rest = &self.json[self.at..];
        for (word, token) in [
            (&b"true"[..], Token::Boolean(true)),
            (b"false", Token::Boolean(false)),
            (b"null", Token::Null),
        ] {
            if rest.starts_with(word) {
                self.at += word.len();
                return token;
            }
        }
        let is_number =
            |word: &[u8]| rest.len() > word.len() && rest[..word.len()].eq_ignore_ascii_case(word);
        if self.takes_invalid && (is_number(b"nan") || is_number(b"inf")) {
            return self.number();
        }
        Token::Wrong("invalid token")
    }

    fn number(&mut self) -> Token {
        let rest = &self.json[self.at..];
        if !self.takes_invalid && is_unusual(rest) {
            return Token::Wrong("invalid number");
        }
        let (value, len) = number::read(rest);
        if len == 0 {
            return Token::Wrong("invalid number");
        }
        self.at += len;
        Token::Number(value)
    }

    fn text(&mut self, text: &mut Vec<u8>) -> Token {
        text.clear();
        self.at += 1;
        loop {
            let byte = self.json[self.at];
            match byte {
                b'"' => {
                    self.at += 1;
                    return Token::Text;
                }
                0 => {
                    self.token_at = self.at;
                    return Token::Wrong("unexpected end of string");
                }
                b'\\' => {
                    let escape = match self.json[self.at + 1] {
                        b'"' => b'"',
                        b'\\' => b'\\',
                        b'/' => b'/',
                        b'b' => 0x08,
                        b't' => b'\t',
                        b'n' => b'\n',
                        b'f' => 0x0c,
                        b'r' => b'\r',
                        b'u' => {
                            let Some(len) = push_unicode(&self.json[self.at..], text) else {
                                self.token_at = self.at;
                                return Token::Wrong("invalid unicode escape code");
                            };
                            self.at += len;
                            continue;
                        }
                        _ => {
                            self.token_at = self.at;
                            return Token::Wrong("invalid escape code");
                        }
                    };
                    text.push(escape);
                    self.at += 2;
                }
                _ => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
    }
}

/// Is this a number in a form that JSON does not have: hexadecimal, infinite, with zeros or a plus before it?
fn is_unusual(text: &[u8]) -> bool {
    let digits = match text[0] {
        b'+' => return true,
        b'-' => &text[1..],
        _ => text,
    };
    let starts_with =
        |word: &[u8]| digits.len() >= word.len() && digits[..word.len()].eq_ignore_ascii_case(word);
    match digits[0] {
        b'0' => matches!(digits[1], b'x' | b'X' | b'0'..=b'9'),
        b'1'..=b'9' => false,
        _ => starts_with(b"inf") || starts_with(b"nan"),
    }
}

/// Appends the character of an escape `\uXXXX`, or of two that are a pair of surrogates, in UTF-8; how many bytes it took.
fn push_unicode(escape: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let unit = |at: usize| {
        let digits = escape.get(at + 2..at + 6)?;
        let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
        let text = std::str::from_utf8(digits).ok().filter(|_| is_hex)?;
        u32::from_str_radix(text, 16).ok()
    };
    let first = unit(0)?;
    let (code, len) = match first {
        0xd800..0xdc00 => {
            if escape.get(6..8) != Some(b"\\u") {
                return None;
            }
            let second = unit(6).filter(|second| (0xdc00..0xe000).contains(second))?;
            (0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12)
        }
        _ => (first, 6),
    };
    let character = char::from_u32(code)?;
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Some(len)
}
