//! Commands whose keys no specification describes, or whose flags depend on other arguments.
//!
//! Each rule reads the options the way the command itself does, so that an option's value is never mistaken for a
//! keyword. Where an option is repeated the last one counts.

use crate::command::flags::KeyFlags;
use crate::resp::Args;

/// Reports each key of a request; `None` if the arguments do not fit the command.
pub(super) type Rule = fn(&Args<'_>, &mut dyn FnMut(usize, KeyFlags)) -> Option<()>;

const READ: KeyFlags = KeyFlags::RO.union(KeyFlags::ACCESS);
const OVERWRITE: KeyFlags = KeyFlags::OW.union(KeyFlags::UPDATE);
const READ_AND_UPDATE: KeyFlags = KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE);
const MIGRATED: KeyFlags = KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE);

/// The rule of a command with movable keys, if its specifications do not do.
pub(super) const fn rule_for(full_name: &str) -> Option<Rule> {
    // `match` on a string is not `const`; on its bytes it is.
    match full_name.as_bytes() {
        b"sort" => Some(sort),
        b"sort_ro" => Some(sort_ro),
        b"georadius" => Some(georadius),
        b"georadiusbymember" => Some(georadiusbymember),
        b"migrate" => Some(migrate),
        b"xread" => Some(xread),
        b"xreadgroup" => Some(xreadgroup),
        _ => None,
    }
}

/// What a command whose specification says "variable_flags" does to its key in this call.
pub(super) fn variable_flags(name: &str, args: &Args<'_>) -> KeyFlags {
    match name {
        // The old value is read if it is asked for.
        "set" if (3..args.len()).any(|i| args.at(i).eq_ignore_ascii_case(b"get")) => READ_AND_UPDATE,
        "set" => OVERWRITE,
        "bitfield" if only_reads_bits(args) => READ,
        _ => READ_AND_UPDATE,
    }
}

/// Whether a BITFIELD has no SET and no INCRBY.
fn only_reads_bits(args: &Args<'_>) -> bool {
    let mut i = 2;
    while i < args.len() {
        let (operation, left) = (args.at(i), args.len() - i - 1);
        if operation.eq_ignore_ascii_case(b"get") && left >= 2 {
            i += 3;
        } else if operation.eq_ignore_ascii_case(b"overflow") && left >= 1 {
            i += 2;
        } else {
            return false;
        }
    }
    true
}

/// Options that are skipped with this many values.
type Options = &'static [(&'static [u8], usize)];

/// The index after the last `STORE`-like word of `words`, with the values of other options skipped.
fn destination(args: &Args<'_>, from: usize, words: &[&[u8]], options: Options) -> Option<usize> {
    let mut found = None;
    let mut i = from;
    while i < args.len() {
        let word = args.at(i);
        if i + 1 < args.len() && words.iter().any(|store| word.eq_ignore_ascii_case(store)) {
            found = Some(i + 1);
            i += 2;
        } else {
            i += 1 + values_of(word, options).unwrap_or(0);
        }
    }
    found
}

fn values_of(word: &[u8], options: Options) -> Option<usize> {
    options
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name))
        .map(|(_, values)| *values)
}

fn sort(args: &Args<'_>, visit: &mut dyn FnMut(usize, KeyFlags)) -> Option<()> {
    sort_ro(args, visit)?;
    if let Some(index) = destination(args, 2, &[b"store"], &[(b"limit", 2), (b"get", 1), (b"by", 1)]) {
        visit(index, OVERWRITE);
    }
    Some(())
}

/// The keys that BY and GET make from patterns depend on the data, and so are none that a request names.
fn sort_ro(args: &Args<'_>, visit: &mut dyn FnMut(usize, KeyFlags)) -> Option<()> {
    if args.len() < 2 {
        return None;
    }
    visit(1, READ);
    Some(())
}

fn georadius(args: &Args<'_>, visit: &mut dyn FnMut(usize, KeyFlags)) -> Option<()> {
    radius(args, 6, visit)
}

fn georadiusbymember(args: &Args<'_>, visit: &mut dyn FnMut(usize, KeyFlags)) -> Option<()> {
    radius(args, 5, visit)
}

fn radius(args: &Args<'_>, options_from: usize, visit: &mut dyn FnMut(usize, KeyFlags)) -> Option<()> {
    if args.len() < 2 {
        return None;
    }
    visit(1, READ);
    if let Some(index) = destination(args, options_from, &[b"store", b"storedist"], &[(b"count", 1)]) {
        visit(index, OVERWRITE);
    }
    Some(())
}

/// `MIGRATE host port key|"" db timeout [options] [KEYS key ...]`: the keys are at the end if the third argument is "".
/// KEYS with nothing behind it is no such word in stock.
fn migrate(args: &Args<'_>, visit: &mut dyn FnMut(usize, KeyFlags)) -> Option<()> {
    const OPTIONS: Options = &[(b"copy", 0), (b"replace", 0), (b"auth", 1), (b"auth2", 2)];
    if args.len() < 6 {
        return None;
    }
    let mut i = 6;
    while i < args.len() {
        let word = args.at(i);
        if word.eq_ignore_ascii_case(b"keys") && i + 1 < args.len() {
            if !args.at(3).is_empty() {
                return None;
            }
            (i + 1..args.len()).for_each(|index| visit(index, MIGRATED));
            return Some(());
        }
        i += 1 + values_of(word, OPTIONS).unwrap_or(0);
    }
    visit(3, MIGRATED);
    Some(())
}

fn xread(args: &Args<'_>, visit: &mut dyn FnMut(usize, KeyFlags)) -> Option<()> {
    streams(args, &[(b"block", 1), (b"count", 1)], visit)
}

fn xreadgroup(args: &Args<'_>, visit: &mut dyn FnMut(usize, KeyFlags)) -> Option<()> {
    streams(
        args,
        &[(b"group", 2), (b"block", 1), (b"count", 1), (b"noack", 0)],
        visit,
    )
}

/// The first half of what follows STREAMS; the other half are IDs.
fn streams(args: &Args<'_>, options: Options, visit: &mut dyn FnMut(usize, KeyFlags)) -> Option<()> {
    let mut i = 1;
    while i < args.len() && !args.at(i).eq_ignore_ascii_case(b"streams") {
        i += 1 + values_of(args.at(i), options)?;
    }
    let left = args.len().checked_sub(i + 1)?;
    if left == 0 || left % 2 != 0 {
        return None;
    }
    (i + 1..i + 1 + left / 2).for_each(|index| visit(index, READ));
    Some(())
}
