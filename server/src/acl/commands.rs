//! Which commands a selector allows: a bit a command, and first arguments of commands that it does not allow as a whole.

use std::collections::BTreeMap;

use slotcore::command::{self, AclCategories, COMMAND_COUNT, CommandId, CommandSpec};

const WORDS: usize = COMMAND_COUNT.div_ceil(64);

/// First arguments that one command may be called with.
type FirstArgs = Vec<Box<[u8]>>;

/// A set of commands and subcommands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSet {
    bits: [u64; WORDS],
    /// It began with all commands, so that those of a later version are in it, too.
    future: bool,
    first_args: BTreeMap<CommandId, FirstArgs>,
}

impl CommandSet {
    /// No command.
    pub fn none() -> Self {
        Self {
            bits: [0; WORDS],
            future: false,
            first_args: BTreeMap::new(),
        }
    }

    /// Every command.
    pub fn all() -> Self {
        let mut set = Self::none();
        command::all_with_subcommands().for_each(|spec| set.set_bit(spec.id, true));
        set.future = true;
        set
    }

    /// Is there no command that it lacks?
    pub fn is_all(&self) -> bool {
        self.future && command::all_with_subcommands().all(|spec| self.has(spec.id))
    }

    /// Is this command in it, whatever its arguments?
    #[inline]
    pub fn has(&self, id: CommandId) -> bool {
        self.bits[id.index() / 64] >> (id.index() % 64) & 1 != 0
    }

    fn set_bit(&mut self, id: CommandId, on: bool) {
        let bit = 1 << (id.index() % 64);
        match on {
            true => self.bits[id.index() / 64] |= bit,
            false => self.bits[id.index() / 64] &= !bit,
        }
    }

    /// Adds a command, or takes it away, with all its subcommands.
    pub fn set(&mut self, spec: &CommandSpec, on: bool) {
        for spec in std::iter::once(spec).chain(spec.subcommands()) {
            self.set_bit(spec.id, on);
            self.first_args.remove(&spec.id);
        }
    }

    /// Adds the commands of a category, or takes them away. A container brings its subcommands, of whatever category.
    pub fn set_category(&mut self, category: AclCategories, on: bool) {
        for spec in command::all_with_subcommands().filter(|spec| spec.acl.contains(category)) {
            self.set(spec, on);
        }
    }

    /// Allows a command with this first argument.
    pub fn add_first_arg(&mut self, spec: &CommandSpec, argument: &[u8]) {
        let known = self.first_args.entry(spec.id).or_default();
        if !known.iter().any(|one| one.eq_ignore_ascii_case(argument)) {
            known.push(argument.into());
        }
    }

    /// The first arguments with which a command is allowed.
    pub fn first_args(&self, id: CommandId) -> &[Box<[u8]>] {
        self.first_args.get(&id).map(Vec::as_slice).unwrap_or_default()
    }

    /// How many commands of a category are in it, and how many are not.
    fn count(&self, category: AclCategories) -> (usize, usize) {
        let of_category = command::all_with_subcommands()
            .filter(|spec| spec.acl.contains(category) && is_of_stock(spec))
            .map(|spec| self.has(spec.id));
        of_category.fold((0, 0), |(on, off), has| match has {
            true => (on + 1, off),
            false => (on, off + 1),
        })
    }

    /// A short row of rules that makes this set.
    ///
    /// Categories come first: at each step that one of which more commands are as they should be than are not, the fewest
    /// being wrong, and among equals the most being right. Single commands mend the rest. These are redis-server's
    /// choices, so that both describe a user alike.
    pub fn describe(&self) -> Vec<u8> {
        let adds = !self.future;
        let mut made = if adds { Self::none() } else { Self::all() };
        let mut rules = if adds {
            b"-@all".to_vec()
        } else {
            b"+@all".to_vec()
        };
        let mut left = self.clone();
        let mut untried: Vec<&'static str> = AclCategories::all().words().collect();
        loop {
            let mut best: Option<(usize, usize, usize)> = None;
            for (place, name) in untried.iter().enumerate() {
                let (on, off) = left.count(category(name));
                let (right, wrong) = if adds { (on, off) } else { (off, on) };
                let is_better =
                    best.is_none_or(|(_, least, most)| wrong < least || wrong == least && right > most);
                if right > wrong && is_better {
                    best = Some((place, wrong, right));
                }
            }
            let Some((place, ..)) = best else { break };
            let name = untried.remove(place);
            made.set_category(category(name), adds);
            left.set_category(category(name), !adds);
            rules.extend_from_slice(if adds { b" +@" } else { b" -@" });
            rules.extend_from_slice(name.as_bytes());
        }
        self.describe_singles(&mut made, &mut rules);
        rules
    }

    /// The commands in which `made` differs.
    fn describe_singles(&self, made: &mut Self, rules: &mut Vec<u8>) {
        for spec in command::all_with_subcommands() {
            let wanted = self.has(spec.id);
            if made.has(spec.id) != wanted {
                made.set(spec, wanted);
                rules.extend_from_slice(if wanted { b" +" } else { b" -" });
                rules.extend_from_slice(spec.full_name.as_bytes());
            }
            if !wanted {
                for argument in self.first_args(spec.id) {
                    for part in [b" +", spec.full_name.as_bytes(), b"|", argument] {
                        rules.extend_from_slice(part);
                    }
                }
            }
        }
    }
}

/// A category of which the name is one.
fn category(name: &str) -> AclCategories {
    AclCategories::from_word(name.as_bytes()).expect("the name came from the categories")
}

/// Commands that are ours alone do not tip the scales.
fn is_of_stock(spec: &CommandSpec) -> bool {
    !spec.since.starts_with("7.2") && !spec.since.starts_with('8')
}

#[cfg(test)]
mod tests {
    use super::*;
    use slotcore::command::{lookup, lookup_full_name};

    fn text(set: &CommandSet) -> String {
        String::from_utf8(set.describe()).unwrap()
    }

    #[test]
    fn few_rules_say_what_is_allowed() {
        let mut set = CommandSet::none();
        assert_eq!(text(&set), "-@all");
        set.set(lookup(b"get").unwrap(), true);
        assert_eq!(text(&set), "-@all +get");
        set.set_category(AclCategories::STRING, true);
        assert_eq!(text(&set), "-@all +@string");
        let mut set = CommandSet::all();
        assert!(set.is_all());
        set.set(lookup(b"debug").unwrap(), false);
        assert!(!set.is_all());
        assert_eq!(text(&set), "+@all -debug");
        set.set_category(AclCategories::DANGEROUS, false);
        set.set(lookup(b"flushall").unwrap(), true);
        assert!(text(&set).starts_with("+@all -@admin -"), "{}", text(&set));
    }

    #[test]
    fn subcommands_and_first_arguments_follow_their_command() {
        let (config, select) = (lookup(b"config").unwrap(), lookup(b"select").unwrap());
        let get = lookup_full_name(b"config|get").unwrap();
        let mut set = CommandSet::none();
        set.set(get, true);
        set.add_first_arg(select, b"0");
        set.add_first_arg(select, b"0");
        assert_eq!(text(&set), "-@all +select|0 +config|get");
        set.set(config, true);
        set.set(get, false);
        set.set(select, true);
        assert_eq!(text(&set), "-@all +select +config -config|get");
        set.set(select, false);
        assert_eq!(set.first_args(select.id).len(), 0);
    }
}
