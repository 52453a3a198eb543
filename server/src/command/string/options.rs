//! The options of SET and GETEX, and the times they carry.

use slotcore::resp::{Args, parse_i64};

use crate::command::reply_error::ErrorReply;

/// What is to happen to the expiry.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Lifetime<'a> {
    /// No option was given.
    #[default]
    Unsaid,
    /// KEEPTTL.
    Keep,
    /// PERSIST.
    Persist,
    /// EX, PX, EXAT, PXAT: the text of a number, its unit and whether it counts from now.
    Time {
        text: &'a [u8],
        unit: Unit,
        relative: bool,
    },
}

/// Unit of a time argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Seconds,
    Milliseconds,
}

/// Which command's options are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Set,
    GetEx,
}

/// The options of one call.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Options<'a> {
    /// NX: only if the key is absent.
    pub absent: bool,
    /// XX: only if the key is there.
    pub present: bool,
    /// GET: reply with the old value.
    pub old: bool,
    pub lifetime: Lifetime<'a>,
}

impl<'a> Options<'a> {
    /// Reads what follows the key (GETEX) or the value (SET). An option may be repeated, as in stock, and its last time
    /// counts; contradictions are syntax errors.
    pub fn parse(args: Args<'a>, of: Of) -> Result<Self, ErrorReply> {
        let mut options = Self::default();
        let mut i = 0;
        while i < args.len() {
            let word = args.at(i);
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            let time = [
                ("EX", Unit::Seconds, true),
                ("PX", Unit::Milliseconds, true),
                ("EXAT", Unit::Seconds, false),
                ("PXAT", Unit::Milliseconds, false),
            ]
            .into_iter()
            .find(|(name, ..)| is(name));
            if let Some((_, unit, relative)) = time {
                let text = args.get(i + 1).ok_or(ErrorReply::SYNTAX)?;
                match options.lifetime {
                    Lifetime::Unsaid => {}
                    Lifetime::Time {
                        unit: u, relative: r, ..
                    } if (u, r) == (unit, relative) => {}
                    _ => return Err(ErrorReply::SYNTAX),
                }
                options.lifetime = Lifetime::Time { text, unit, relative };
                i += 1;
            } else if of == Of::Set && is("NX") && !options.present {
                options.absent = true;
            } else if of == Of::Set && is("XX") && !options.absent {
                options.present = true;
            } else if of == Of::Set && is("GET") {
                options.old = true;
            } else if of == Of::Set && is("KEEPTTL") && !matches!(options.lifetime, Lifetime::Time { .. }) {
                options.lifetime = Lifetime::Keep;
            } else if of == Of::GetEx && is("PERSIST") && !matches!(options.lifetime, Lifetime::Time { .. }) {
                options.lifetime = Lifetime::Persist;
            } else {
                return Err(ErrorReply::SYNTAX);
            }
            i += 1;
        }
        Ok(options)
    }
}

/// A time argument as Unix time in milliseconds; refused unless positive and within range.
pub fn expiry(text: &[u8], unit: Unit, relative: bool, now: u64, command: &str) -> Result<u64, ErrorReply> {
    let number = parse_i64(text).ok_or(ErrorReply::NOT_INTEGER)?;
    let refused = || ErrorReply::new(format!("ERR invalid expire time in '{command}' command"));
    if number <= 0 {
        return Err(refused());
    }
    let factor = if unit == Unit::Seconds { 1000 } else { 1 };
    let base = if relative { now as i64 } else { 0 };
    let at = number
        .checked_mul(factor)
        .and_then(|ms| ms.checked_add(base))
        .ok_or_else(refused)?;
    Ok(at as u64)
}
