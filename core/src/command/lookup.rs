//! From the bytes of a request to its row of the table.
//!
//! This is on the path of every request. Two overlapping words of 8 bytes hold any name of up to 16 bytes, so a name is
//! hashed and compared as two integers with ASCII case folded, eight bytes at a time. The hash table is built while
//! compiling.

use super::spec::CommandSpec;
use super::table::{self, COMMAND_COUNT};
use crate::resp::Args;

/// Why a request names no command.
#[derive(Clone, Copy, Debug)]
pub enum LookupError {
    /// The first word is no command.
    UnknownCommand,
    /// The container has no such subcommand.
    UnknownSubcommand {
        /// The command that the first word names.
        container: &'static CommandSpec,
    },
}

impl LookupError {
    /// The error text that stock sends for this request, with its code ("ERR ...") and without `-` and CRLF. What the
    /// client sent is quoted as it is: it may hold line breaks, which the writer of the reply has to replace.
    pub fn message(&self, args: &Args<'_>) -> Vec<u8> {
        const QUOTED: usize = 128;
        // Stock prints C strings: what follows a NUL is not shown.
        let cut = |bytes: &[u8], most: usize| -> Vec<u8> {
            bytes
                .iter()
                .copied()
                .take(most)
                .take_while(|&byte| byte != 0)
                .collect()
        };
        let mut text = Vec::with_capacity(64);
        match self {
            LookupError::UnknownCommand => {
                text.extend_from_slice(b"ERR unknown command '");
                if !args.is_empty() {
                    text.extend(cut(args.at(0), QUOTED));
                }
                text.extend_from_slice(b"', with args beginning with: ");
                let quoted_from = text.len();
                for i in 1..args.len() {
                    let quoted = text.len() - quoted_from;
                    if quoted >= QUOTED {
                        break;
                    }
                    text.push(b'\'');
                    text.extend(cut(args.at(i), QUOTED - quoted));
                    text.extend_from_slice(b"' ");
                }
            }
            LookupError::UnknownSubcommand { container } => {
                text.extend_from_slice(b"ERR unknown subcommand '");
                if args.len() > 1 {
                    text.extend(cut(args.at(1), QUOTED));
                }
                text.extend_from_slice(b"'. Try ");
                text.extend(container.name.bytes().map(|b| b.to_ascii_uppercase()));
                text.extend_from_slice(b" HELP.");
            }
        }
        text
    }
}

/// The command with this name, without regard to case. Does not know subcommands.
#[inline]
pub fn lookup(name: &[u8]) -> Option<&'static CommandSpec> {
    let wanted = Folded::new(name);
    let mut bucket = wanted.bucket();
    loop {
        let index = usize::from(BUCKETS[bucket]);
        if index == EMPTY {
            return None;
        }
        if NAMES[index] == wanted {
            let spec = &table::rows()[index];
            return wanted.settles(spec.name, name).then_some(spec);
        }
        bucket = (bucket + 1) % BUCKET_COUNT;
    }
}

/// The subcommand of `container` with this name, without regard to case.
#[inline]
pub fn lookup_subcommand(container: &CommandSpec, name: &[u8]) -> Option<&'static CommandSpec> {
    let wanted = Folded::new(name);
    let subcommands = container.subcommands();
    let first = container.id.index() + 1;
    let found = NAMES[first..first + subcommands.len()]
        .iter()
        .position(|folded| *folded == wanted)?;
    let spec = &subcommands[found];
    wanted.settles(spec.name, name).then_some(spec)
}

/// The command or subcommand with this full name ("get", "config|get"), without regard to case.
pub fn lookup_full_name(full_name: &[u8]) -> Option<&'static CommandSpec> {
    match full_name.iter().position(|&byte| byte == b'|') {
        Some(bar) => lookup_subcommand(lookup(&full_name[..bar])?, &full_name[bar + 1..]),
        None => lookup(full_name),
    }
}

/// The command of a request; of a container's request, its subcommand. The container itself is found if nothing
/// follows its name: `COMMAND` alone is a command, and for the others the arity is wrong.
#[inline]
pub fn lookup_request(args: &Args<'_>) -> Result<&'static CommandSpec, LookupError> {
    if args.is_empty() {
        return Err(LookupError::UnknownCommand);
    }
    let spec = lookup(args.at(0)).ok_or(LookupError::UnknownCommand)?;
    if args.len() == 1 || !spec.is_container() {
        return Ok(spec);
    }
    lookup_subcommand(spec, args.at(1)).ok_or(LookupError::UnknownSubcommand { container: spec })
}

/// Case-folded first and last 8 bytes of a name (which overlap if it is shorter than 16), and its length.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Folded {
    head: u64,
    tail: u64,
    len: usize,
}

impl Folded {
    #[inline]
    const fn new(name: &[u8]) -> Folded {
        let len = name.len();
        let (head, tail) = match len {
            8.. => (word_at(name, 0), word_at(name, len - 8)),
            4..8 => (half_at(name, 0), half_at(name, len - 4)),
            2..4 => (name[0] as u64 | (name[1] as u64) << 8, name[len - 1] as u64),
            1 => (name[0] as u64, 0),
            _ => (0, 0),
        };
        Folded {
            head: fold(head),
            tail: fold(tail),
            len,
        }
    }

    #[inline]
    const fn bucket(&self) -> usize {
        let mixed =
            (self.head ^ self.tail.rotate_left(29) ^ self.len as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> (u64::BITS - BUCKET_BITS)) as usize
    }

    /// Whether `name`, whose folded form is that of `known`, is `known`: the words say it all up to 16 bytes.
    #[inline]
    fn settles(&self, known: &str, name: &[u8]) -> bool {
        self.len <= 16 || known.as_bytes().eq_ignore_ascii_case(name)
    }
}

/// Eight bytes from `at` on.
#[inline]
const fn word_at(name: &[u8], at: usize) -> u64 {
    let (_, rest) = name.split_at(at);
    match rest.first_chunk::<8>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => 0,
    }
}

/// Four bytes from `at` on.
#[inline]
const fn half_at(name: &[u8], at: usize) -> u64 {
    let (_, rest) = name.split_at(at);
    match rest.first_chunk::<4>() {
        Some(bytes) => u32::from_le_bytes(*bytes) as u64,
        None => 0,
    }
}

/// Makes the ASCII capitals among eight bytes small, and changes no other byte.
#[inline]
const fn fold(word: u64) -> u64 {
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    // With the top bits out of the way no sum carries into the next byte, and the top bit of each sum says "from A on"
    // and "after Z".
    let low = word & each(0x7f);
    let from_a = low + each(0x80 - b'A');
    let after_z = low + each(0x7f - b'Z');
    let capital = from_a & !after_z & !word & each(0x80);
    word | capital >> 2
}

const BUCKET_BITS: u32 = 10;
const BUCKET_COUNT: usize = 1 << BUCKET_BITS;
const EMPTY: usize = u16::MAX as usize;

/// Folded names by command id.
static NAMES: [Folded; COMMAND_COUNT] = {
    let mut names = [Folded {
        head: 0,
        tail: 0,
        len: 0,
    }; COMMAND_COUNT];
    let mut i = 0;
    while i < COMMAND_COUNT {
        names[i] = Folded::new(table::ROWS[i].name.as_bytes());
        i += 1;
    }
    names
};

/// Open addressing with linear probing: ids of containers and plain commands.
static BUCKETS: [u16; BUCKET_COUNT] = {
    let mut buckets = [EMPTY as u16; BUCKET_COUNT];
    let mut i = 0;
    while i < COMMAND_COUNT {
        if table::ROWS[i].container.is_none() {
            let mut bucket = Folded::new(table::ROWS[i].name.as_bytes()).bucket();
            while buckets[bucket] as usize != EMPTY {
                bucket = (bucket + 1) % BUCKET_COUNT;
            }
            buckets[bucket] = table::ROWS[i].id.index() as u16;
        }
        i += 1;
    }
    buckets
};

const _: () = assert!(
    COMMAND_COUNT < EMPTY && COMMAND_COUNT * 2 < BUCKET_COUNT,
    "the hash table is too full"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::all_with_subcommands;
    use crate::resp::ArgRange;
    use proptest::prelude::*;

    #[test]
    fn every_name_is_found_in_any_case() {
        for spec in all_with_subcommands() {
            let upper = spec.name.to_ascii_uppercase();
            let mixed: String = spec
                .name
                .chars()
                .enumerate()
                .map(|(i, c)| if i % 2 == 0 { c.to_ascii_uppercase() } else { c })
                .collect();
            for name in [spec.name, &upper, &mixed] {
                let found = match spec.container {
                    None => lookup(name.as_bytes()),
                    Some(container) => lookup_subcommand(super::super::spec(container), name.as_bytes()),
                };
                assert_eq!(found.map(|found| found.id), Some(spec.id), "{}", spec.full_name);
            }
            assert_eq!(
                lookup_full_name(spec.full_name.as_bytes()).map(|found| found.id),
                Some(spec.id)
            );
        }
    }

    #[test]
    fn only_letters_are_folded() {
        // '_' and DEL, '-' and CR, '@' and '`' differ by the bit that makes capitals small.
        for name in [
            &b"eval\x7fro"[..],
            b"restore\rasking",
            b"",
            b"ge",
            b"gett",
            b"g\xc5t",
            b"\0get",
        ] {
            assert!(lookup(name).is_none(), "{name:?}");
        }
        assert!(lookup(b"config|get").is_none());
        for name in [&b"config|"[..], b"|get", b"config|get|x", b"get|config"] {
            assert!(lookup_full_name(name).is_none(), "{name:?}");
        }
        // The same first and last 8 bytes and the same length as georadiusbymember_ro.
        assert!(lookup(b"georadiu____ember_ro").is_none());
    }

    #[test]
    fn errors_are_those_of_stock() {
        let message = |request: &str| {
            let mut buf = Vec::new();
            let mut ranges = Vec::new();
            for word in request.split(' ') {
                let start = buf.len() as u32;
                buf.extend_from_slice(word.as_bytes());
                ranges.push(ArgRange {
                    start,
                    end: buf.len() as u32,
                });
            }
            let args = Args::new(&buf, &ranges);
            String::from_utf8(lookup_request(&args).unwrap_err().message(&args)).unwrap()
        };
        assert_eq!(
            message("foo"),
            "ERR unknown command 'foo', with args beginning with: "
        );
        assert_eq!(
            message("FOO a b"),
            "ERR unknown command 'FOO', with args beginning with: 'a' 'b' "
        );
        assert_eq!(
            message("config foo"),
            "ERR unknown subcommand 'foo'. Try CONFIG HELP."
        );
        let long = "x".repeat(200);
        let cut = "x".repeat(128);
        assert_eq!(message(&format!("{long} {long} y")), {
            format!("ERR unknown command '{cut}', with args beginning with: '{cut}' ")
        });
    }

    proptest! {
        #[test]
        fn folding_is_that_of_ascii(bytes in any::<[u8; 8]>()) {
            let folded = fold(u64::from_le_bytes(bytes)).to_le_bytes();
            prop_assert_eq!(folded, bytes.map(|b| b.to_ascii_lowercase()));
        }

        #[test]
        fn any_bytes_are_looked_up(name in proptest::collection::vec(any::<u8>(), 0..40)) {
            let found = lookup(&name);
            let expected = crate::command::all().find(|spec| spec.name.as_bytes().eq_ignore_ascii_case(&name));
            prop_assert_eq!(found.map(|spec| spec.id), expected.map(|spec| spec.id));
        }
    }
}
