//! One set of permissions: commands, the keys that they may touch, and the channels.

use super::commands::CommandSet;
use super::rule::RuleError;
use crate::glob;
use slotcore::command::{self, AclCategories};

bitflags::bitflags! {
    /// What may be done to a key.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Access: u8 {
        /// Its value may be read.
        const READ = 1;
        /// Its value may be changed.
        const WRITE = 2;
    }
}

/// Keys whose names match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPattern {
    pattern: Box<[u8]>,
    access: Access,
}

/// A user has one of its own, and may have others beside it: a command is allowed if one of them allows all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    pub(super) commands: CommandSet,
    /// All keys, whatever the patterns.
    pub(super) all_keys: bool,
    keys: Vec<KeyPattern>,
    pub(super) all_channels: bool,
    pub(super) channels: Vec<Box<[u8]>>,
}

impl Selector {
    /// It allows nothing, or no more than all channels.
    pub fn new(all_channels: bool) -> Self {
        Self {
            commands: CommandSet::none(),
            all_keys: false,
            keys: Vec::new(),
            all_channels,
            channels: Vec::new(),
        }
    }

    /// Everything is allowed.
    pub fn unrestricted() -> Self {
        Self {
            commands: CommandSet::all(),
            all_keys: true,
            keys: Vec::new(),
            all_channels: true,
            channels: Vec::new(),
        }
    }

    /// Does it allow everything?
    pub fn is_unrestricted(&self) -> bool {
        self.all_keys && self.all_channels && self.commands.is_all()
    }

    /// May this be done to the key?
    pub fn allows_key(&self, key: &[u8], wanted: Access) -> bool {
        self.all_keys
            || self
                .keys
                .iter()
                .any(|known| known.access.contains(wanted) && glob::matches(&known.pattern, key))
    }

    /// May one listen to everything?
    pub fn hears_all(&self) -> bool {
        self.all_channels
    }

    /// The patterns of the channels that one may listen to, if those are not all.
    pub fn channels(&self) -> impl Iterator<Item = &[u8]> {
        self.channels.iter().map(|pattern| &**pattern)
    }

    /// May this be done to all keys?
    pub fn allows_all_keys(&self, wanted: Access) -> bool {
        let is_all = |known: &KeyPattern| known.access.contains(wanted) && *known.pattern == *b"*";
        self.all_keys || self.keys.iter().any(is_all)
    }

    /// May one listen or publish to the channel? A pattern of channels must be one of the patterns here to the letter.
    pub fn allows_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        self.all_channels
            || self.channels.iter().any(|known| match is_pattern {
                true => **known == *channel,
                false => glob::matches(known, channel),
            })
    }

    /// Applies one rule of the kinds that a selector in parentheses may hold.
    pub fn apply(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        let is = |word: &str| rule.eq_ignore_ascii_case(word.as_bytes());
        match rule {
            [] => {}
            _ if is("allkeys") || rule == b"~*" => {
                self.all_keys = true;
                self.keys.clear();
            }
            _ if is("resetkeys") => {
                self.all_keys = false;
                self.keys.clear();
            }
            _ if is("allchannels") || rule == b"&*" => {
                self.all_channels = true;
                self.channels.clear();
            }
            _ if is("resetchannels") => {
                self.all_channels = false;
                self.channels.clear();
            }
            _ if is("allcommands") || is("+@all") => self.commands = CommandSet::all(),
            _ if is("nocommands") || is("-@all") => self.commands = CommandSet::none(),
            [b'~', pattern @ ..] => self.add_keys(Access::all(), pattern)?,
            [b'%', rest @ ..] => self.add_keys_with_access(rest)?,
            [b'&', pattern @ ..] => self.add_channels(pattern)?,
            [sign @ (b'+' | b'-'), b'@', name @ ..] => {
                let category = AclCategories::from_word(name).ok_or(RuleError::Unknown)?;
                self.commands.set_category(category, *sign == b'+');
            }
            [b'+', name @ ..] => self.allow(name)?,
            [b'-', name @ ..] => {
                let spec = command::lookup_full_name(name).ok_or(RuleError::Unknown)?;
                self.commands.set(spec, false);
            }
            _ => return Err(RuleError::Syntax),
        }
        Ok(())
    }

    fn add_keys_with_access(&mut self, rest: &[u8]) -> Result<(), RuleError> {
        if self.all_keys {
            return Err(RuleError::AfterAllKeys);
        }
        let mut access = Access::empty();
        for (place, letter) in rest.iter().enumerate() {
            let granted = match letter.to_ascii_uppercase() {
                b'R' => Access::READ,
                b'W' => Access::WRITE,
                b'~' if !access.is_empty() => return self.add_keys(access, &rest[place + 1..]),
                _ => return Err(RuleError::Syntax),
            };
            if access.contains(granted) {
                return Err(RuleError::Syntax);
            }
            access |= granted;
        }
        // Without a tilde, redis-server takes it for an empty pattern.
        match access.is_empty() {
            true => Err(RuleError::Syntax),
            false => self.add_keys(access, b""),
        }
    }

    fn add_keys(&mut self, access: Access, pattern: &[u8]) -> Result<(), RuleError> {
        if self.all_keys {
            return Err(RuleError::AfterAllKeys);
        }
        check_pattern(pattern)?;
        match self.keys.iter_mut().find(|known| *known.pattern == *pattern) {
            Some(known) => known.access |= access,
            None => self.keys.push(KeyPattern {
                pattern: pattern.into(),
                access,
            }),
        }
        Ok(())
    }

    fn add_channels(&mut self, pattern: &[u8]) -> Result<(), RuleError> {
        if self.all_channels {
            return Err(RuleError::AfterAllChannels);
        }
        check_pattern(pattern)?;
        if !self.channels.iter().any(|known| **known == *pattern) {
            self.channels.push(pattern.into());
        }
        Ok(())
    }

    /// `+command`, `+command|subcommand`, `+command|first-argument`.
    fn allow(&mut self, name: &[u8]) -> Result<(), RuleError> {
        let Some(bar) = name.iter().rposition(|byte| *byte == b'|') else {
            let spec = command::lookup(name).ok_or(RuleError::Unknown)?;
            self.commands.set(spec, true);
            return Ok(());
        };
        let (before, after) = (&name[..bar], &name[bar + 1..]);
        let spec = command::lookup_full_name(before).ok_or(RuleError::Unknown)?;
        if spec.container.is_some() {
            return Err(RuleError::FirstArgOfSubcommand);
        }
        if after.is_empty() {
            return Err(RuleError::Syntax);
        }
        // redis-server takes spaces and line ends here, and then writes files that it reads as something else.
        check_pattern(after)?;
        if spec.is_container() {
            let spec = command::lookup_subcommand(spec, after).ok_or(RuleError::Unknown)?;
            self.commands.set(spec, true);
        } else {
            self.commands.add_first_arg(spec, after);
        }
        Ok(())
    }

    /// Its commands as rules, separated by spaces.
    pub fn describe_commands(&self) -> Vec<u8> {
        self.commands.describe()
    }

    /// Its keys as rules, separated by spaces.
    pub fn describe_keys(&self) -> Vec<u8> {
        if self.all_keys {
            return b"~*".to_vec();
        }
        let each = self.keys.iter().map(|known| {
            let sign: &[u8] = match known.access {
                Access::READ => b"%R~",
                Access::WRITE => b"%W~",
                _ => b"~",
            };
            [sign, &known.pattern].concat()
        });
        each.collect::<Vec<_>>().join(&b' ')
    }

    /// Its channels as rules, separated by spaces.
    pub fn describe_channels(&self) -> Vec<u8> {
        if self.all_channels {
            return b"&*".to_vec();
        }
        let each = self.channels.iter().map(|pattern| [b"&", &**pattern].concat());
        each.collect::<Vec<_>>().join(&b' ')
    }

    /// All of it as rules that make it out of nothing.
    pub fn describe(&self) -> Vec<u8> {
        let mut rules = self.describe_keys();
        if !rules.is_empty() {
            rules.push(b' ');
        }
        if !self.all_channels {
            rules.extend_from_slice(b"resetchannels ");
        }
        let channels = self.describe_channels();
        if !channels.is_empty() {
            rules.extend_from_slice(&channels);
            rules.push(b' ');
        }
        rules.extend_from_slice(&self.commands.describe());
        rules
    }
}

/// What stands in a line of words cannot hold a space, or end early.
fn check_pattern(pattern: &[u8]) -> Result<(), RuleError> {
    match pattern
        .iter()
        .any(|byte| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x0b))
    {
        true => Err(RuleError::Syntax),
        false => Ok(()),
    }
}
