//! One row of the command table, and the builder that rows are written with.

use super::flags::{AclCategories, CommandFlags, Group};
use super::keys::{self, KeyPlan, KeySpec, LegacyRange};
use super::table;

/// Number of a command in the table: dense, from 0 up, containers, plain commands and subcommands alike.
///
/// It is the index for whatever a program keeps per command: handlers, counters, histograms. It is not stable
/// between versions, so it never leaves the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub(super) u16);

impl CommandId {
    /// The number itself, below [`COMMAND_COUNT`](super::COMMAND_COUNT).
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The id with this number, if there is one.
    pub fn from_index(index: usize) -> Option<CommandId> {
        u16::try_from(index)
            .ok()
            .filter(|_| index < super::COMMAND_COUNT)
            .map(CommandId)
    }
}

/// Since when a command is deprecated, and what to call instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// First version in which it was deprecated.
    pub since: &'static str,
    /// What to call instead.
    pub replaced_by: &'static str,
}

/// Everything that is known about one command or subcommand.
#[derive(Clone, Copy, Debug)]
pub struct CommandSpec {
    /// Place in the table.
    pub id: CommandId,
    /// Lowercase name as the client sends it: "get", or for a subcommand the second word, "get" of `CONFIG GET`.
    pub name: &'static str,
    /// Name with its container: "get", "config|get".
    pub full_name: &'static str,
    /// Number of arguments with the name (and subcommand) included; negative: at least so many.
    pub arity: i16,
    /// What it may do and when it may run.
    pub flags: CommandFlags,
    /// ACL categories, those that follow from the flags included.
    pub acl: AclCategories,
    /// Where its keys are and what it does to them.
    pub keys: &'static [KeySpec],
    /// Legacy triple: index of the first key, 0 without keys.
    pub first_key: i16,
    /// Legacy triple: index of the last key; negative counts from the end, -1 being the last argument.
    pub last_key: i16,
    /// Legacy triple: distance of two keys.
    pub step: i16,
    /// Family in the documentation.
    pub group: Group,
    /// First version that had it.
    pub since: &'static str,
    /// Time it takes; empty if nobody can say.
    pub complexity: &'static str,
    /// What it does, one line.
    pub summary: &'static str,
    /// Its arguments in the notation of [`syntax`](super::syntax), without its name.
    pub syntax: &'static str,
    /// Hints to clients about routing and about how far replies can be relied upon.
    pub tips: &'static [&'static str],
    /// Set if something newer replaces it.
    pub deprecated: Option<Deprecation>,
    /// Meant for servers, not for people.
    pub internal: bool,
    /// The container of a subcommand.
    pub container: Option<CommandId>,
    pub(super) key_plan: KeyPlan,
    pub(super) subcommand_count: u16,
}

impl CommandSpec {
    /// Its subcommands, none unless it is a container.
    #[inline]
    pub fn subcommands(&self) -> &'static [CommandSpec] {
        // They follow their container in the table.
        let first = self.id.index() + 1;
        &table::rows()[first..first + self.subcommand_count as usize]
    }

    /// Whether it has subcommands.
    #[inline]
    pub const fn is_container(&self) -> bool {
        self.subcommand_count > 0
    }

    /// Whether a call of it can have keys at all, shard channels included.
    #[inline]
    pub const fn can_have_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Whether it is flagged as a write.
    #[inline]
    pub const fn is_write(&self) -> bool {
        self.flags.contains(CommandFlags::WRITE)
    }
}

/// Whether `argc` arguments, the name included, fit the command.
#[inline]
pub fn arity_ok(spec: &CommandSpec, argc: usize) -> bool {
    let least = usize::from(spec.arity.unsigned_abs());
    if spec.arity >= 0 {
        argc == least
    } else {
        argc >= least
    }
}

/// Starts a row: a command, or with a name such as "config|get" a subcommand.
pub(super) const fn command(full_name: &'static str, arity: i16) -> CommandSpec {
    CommandSpec {
        id: CommandId(0),
        name: last_part(full_name),
        full_name,
        arity,
        flags: CommandFlags::empty(),
        acl: AclCategories::empty(),
        keys: &[],
        first_key: 0,
        last_key: 0,
        step: 0,
        group: Group::Generic,
        since: "",
        complexity: "",
        summary: "",
        syntax: "",
        tips: &[],
        deprecated: None,
        internal: false,
        container: None,
        key_plan: KeyPlan::None,
        subcommand_count: 0,
    }
}

impl CommandSpec {
    pub(super) const fn since(mut self, version: &'static str) -> Self {
        self.since = version;
        self
    }

    pub(super) const fn flags(mut self, words: &str) -> Self {
        self.flags = CommandFlags::from_words(words);
        self
    }

    /// Categories beside those that follow from the flags.
    pub(super) const fn acl(mut self, words: &str) -> Self {
        self.acl = AclCategories::from_words(words);
        self
    }

    pub(super) const fn keys(mut self, specs: &'static [KeySpec]) -> Self {
        self.keys = specs;
        self
    }

    pub(super) const fn complexity(mut self, text: &'static str) -> Self {
        self.complexity = text;
        self
    }

    pub(super) const fn summary(mut self, text: &'static str) -> Self {
        self.summary = text;
        self
    }

    pub(super) const fn syntax(mut self, text: &'static str) -> Self {
        self.syntax = text;
        self
    }

    pub(super) const fn tips(mut self, tips: &'static [&'static str]) -> Self {
        self.tips = tips;
        self
    }

    pub(super) const fn deprecated(mut self, since: &'static str, replaced_by: &'static str) -> Self {
        self.deprecated = Some(Deprecation { since, replaced_by });
        self
    }

    pub(super) const fn internal(mut self) -> Self {
        self.internal = true;
        self
    }

    /// Fills in what follows from the row itself and from its place in the table.
    pub(super) const fn placed(mut self, id: u16, group: Group) -> Self {
        self.id = CommandId(id);
        self.group = group;
        let (range, movable) = keys::legacy_range(self.keys);
        let LegacyRange { first, last, step } = range;
        (self.first_key, self.last_key, self.step) = (first, last, step);
        if movable {
            self.flags = self.flags.union(CommandFlags::MOVABLEKEYS);
        }
        self.acl = self.acl.union(implied_categories(self.flags, self.acl));
        self.key_plan = keys::plan(self.full_name, range, movable);
        self
    }
}

/// The categories that a command is in because of its flags.
const fn implied_categories(flags: CommandFlags, named: AclCategories) -> AclCategories {
    const PAIRS: &[(CommandFlags, AclCategories)] = &[
        (CommandFlags::WRITE, AclCategories::WRITE),
        (
            CommandFlags::ADMIN,
            AclCategories::ADMIN.union(AclCategories::DANGEROUS),
        ),
        (CommandFlags::PUBSUB, AclCategories::PUBSUB),
        (CommandFlags::FAST, AclCategories::FAST),
        (CommandFlags::BLOCKING, AclCategories::BLOCKING),
    ];
    let mut categories = AclCategories::empty();
    let mut i = 0;
    while i < PAIRS.len() {
        if flags.contains(PAIRS[i].0) {
            categories = categories.union(PAIRS[i].1);
        }
        i += 1;
    }
    // A read-only script reads whatever its commands read: the category is for commands that name what they read.
    if flags.contains(CommandFlags::READONLY) && !named.contains(AclCategories::SCRIPTING) {
        categories = categories.union(AclCategories::READ);
    }
    if !flags.contains(CommandFlags::FAST) {
        categories = categories.union(AclCategories::SLOW);
    }
    categories
}

/// What follows the `|` of a full name; all of it without one.
const fn last_part(full_name: &'static str) -> &'static str {
    let bytes = full_name.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == b'|' {
            return full_name.split_at(i + 1).1;
        }
        i += 1;
    }
    full_name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::lookup;

    #[test]
    fn arity_is_exact_or_a_minimum() {
        let get = lookup(b"get").unwrap();
        assert!(arity_ok(get, 2));
        assert!(!arity_ok(get, 1) && !arity_ok(get, 3));
        let mget = lookup(b"mget").unwrap();
        assert!(arity_ok(mget, 2) && arity_ok(mget, 1_000_000));
        assert!(!arity_ok(mget, 1));
    }

    #[test]
    fn categories_follow_from_flags() {
        let get = lookup(b"get").unwrap();
        assert_eq!(
            get.acl,
            AclCategories::READ | AclCategories::STRING | AclCategories::FAST
        );
        let eval_ro = lookup(b"eval_ro").unwrap();
        assert_eq!(eval_ro.acl, AclCategories::SCRIPTING | AclCategories::SLOW);
    }

    #[test]
    fn a_subcommand_has_its_own_name() {
        assert_eq!(last_part("config|get"), "get");
        assert_eq!(last_part("get"), "get");
    }
}
