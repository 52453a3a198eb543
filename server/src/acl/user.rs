//! A user: whether it may come in, by which passwords, and its selectors.

use super::password::Hash;
use super::rule::{RuleError, Unmatched, join_selectors};
use super::selector::{Access, Selector};

/// How a new user begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// `acl-pubsub-default allchannels`.
    pub all_channels: bool,
}

/// Whether payloads of this user are to be checked in full. Every payload is, here; the rule is kept and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sanitize {
    Unsaid,
    Yes,
    Skip,
}

/// A user as it stands; a change makes another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    enabled: bool,
    nopass: bool,
    sanitize: Sanitize,
    passwords: Vec<Hash>,
    /// Its own permissions.
    root: Selector,
    /// Those of its selectors in parentheses.
    others: Vec<Selector>,
}

/// A row of rules of which one is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulesError {
    /// A parenthesis that nobody closes, by the place of its word.
    Unmatched(usize),
    /// This rule is wrong.
    Rule(Vec<u8>, RuleError),
}

impl From<Unmatched> for RulesError {
    fn from(Unmatched(place): Unmatched) -> Self {
        RulesError::Unmatched(place)
    }
}

impl User {
    /// A user who may do nothing.
    pub fn new(defaults: Defaults) -> Self {
        Self {
            enabled: false,
            nopass: false,
            sanitize: Sanitize::Unsaid,
            passwords: Vec::new(),
            root: Selector::new(defaults.all_channels),
            others: Vec::new(),
        }
    }

    /// The user that connections have who have not said who they are, as long as nobody changes it.
    pub fn all_powerful() -> Self {
        Self {
            enabled: true,
            nopass: true,
            sanitize: Sanitize::Unsaid,
            passwords: Vec::new(),
            root: Selector::unrestricted(),
            others: Vec::new(),
        }
    }

    /// Applies a row of words, all or none.
    pub fn with_rules(&self, words: &[&[u8]], defaults: Defaults) -> Result<Self, RulesError> {
        let mut user = self.clone();
        for rule in join_selectors(words)? {
            if let Err(error) = user.apply(&rule, defaults) {
                return Err(RulesError::Rule(rule.into_owned(), error));
            }
        }
        Ok(user)
    }

    /// Applies one rule; a selector in parentheses is one.
    pub fn apply(&mut self, rule: &[u8], defaults: Defaults) -> Result<(), RuleError> {
        let is = |word: &str| rule.eq_ignore_ascii_case(word.as_bytes());
        match rule {
            _ if is("on") => self.enabled = true,
            _ if is("off") => self.enabled = false,
            _ if is("nopass") => {
                self.nopass = true;
                self.passwords.clear();
            }
            _ if is("resetpass") => self.reset_passwords(),
            _ if is("skip-sanitize-payload") => self.sanitize = Sanitize::Skip,
            _ if is("sanitize-payload") => self.sanitize = Sanitize::Yes,
            _ if is("clearselectors") => self.others.clear(),
            _ if is("reset") => {
                *self = Self::new(defaults);
                self.sanitize = Sanitize::Yes;
            }
            [b'>', password @ ..] => self.add_password(Hash::of(password)),
            [b'#', hash @ ..] => self.add_password(Hash::parse(hash)?),
            [b'<', password @ ..] => self.remove_password(Hash::of(password))?,
            [b'!', hash @ ..] => self.remove_password(Hash::parse(hash)?)?,
            [b'(', inner @ .., b')'] => {
                let mut selector = Selector::new(defaults.all_channels);
                for rule in inner.split(|byte| *byte == b' ') {
                    selector.apply(rule)?;
                }
                self.others.push(selector);
            }
            _ => self.root.apply(rule)?,
        }
        Ok(())
    }

    fn reset_passwords(&mut self) {
        self.nopass = false;
        self.passwords.clear();
    }

    fn add_password(&mut self, hash: Hash) {
        if !self.passwords.contains(&hash) {
            self.passwords.push(hash);
        }
        self.nopass = false;
    }

    fn remove_password(&mut self, hash: Hash) -> Result<(), RuleError> {
        let before = self.passwords.len();
        self.passwords.retain(|known| *known != hash);
        match self.passwords.len() < before {
            true => Ok(()),
            false => Err(RuleError::NoSuchPassword),
        }
    }

    /// `requirepass`: one password, or none at all is asked for.
    pub fn set_only_password(&mut self, password: Option<&[u8]>) {
        self.reset_passwords();
        match password {
            Some(password) => self.add_password(Hash::of(password)),
            None => self.nopass = true,
        }
    }

    /// May it come in with this password?
    pub fn admits(&self, password: &[u8]) -> bool {
        if !self.enabled || self.nopass {
            return self.enabled;
        }
        let hash = Hash::of(password);
        // All are compared, so that the time does not tell which one it was.
        let same = |found: bool, known: &Hash| known.is_same(&hash) | found;
        self.passwords.iter().fold(false, same)
    }

    /// Does it come in without saying who it is, as the default user may?
    pub fn is_open(&self) -> bool {
        self.enabled && self.nopass
    }

    /// Is no password asked for?
    pub fn has_nopass(&self) -> bool {
        self.nopass
    }

    /// May it do everything?
    pub fn is_unrestricted(&self) -> bool {
        self.selectors().any(Selector::is_unrestricted)
    }

    /// Its own selector, then those in parentheses.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        std::iter::once(&self.root).chain(&self.others)
    }

    /// Its selectors in parentheses.
    pub fn other_selectors(&self) -> &[Selector] {
        &self.others
    }

    /// Its own selector.
    pub fn root(&self) -> &Selector {
        &self.root
    }

    /// May it do this to every key, with a command that `allows` allows?
    pub fn allows_all_keys(&self, wanted: Access, allows: impl Fn(&Selector) -> bool) -> bool {
        self.selectors()
            .any(|selector| selector.allows_all_keys(wanted) && allows(selector))
    }

    /// The words that show its state, passwords and permissions aside.
    pub fn flags(&self) -> Vec<&'static str> {
        let mut flags = vec![if self.enabled { "on" } else { "off" }];
        flags.extend(self.nopass.then_some("nopass"));
        match self.sanitize {
            Sanitize::Unsaid => {}
            Sanitize::Yes => flags.push("sanitize-payload"),
            Sanitize::Skip => flags.push("skip-sanitize-payload"),
        }
        flags
    }

    /// The hashes of its passwords.
    pub fn passwords(&self) -> &[Hash] {
        &self.passwords
    }

    /// The line of a file that makes it, without its line end.
    pub fn describe(&self, name: &[u8]) -> Vec<u8> {
        let mut line = [b"user ", name].concat();
        for flag in self.flags() {
            line.push(b' ');
            line.extend_from_slice(flag.as_bytes());
        }
        for hash in &self.passwords {
            line.extend_from_slice(b" #");
            line.extend_from_slice(hash.as_bytes());
        }
        line.push(b' ');
        line.extend_from_slice(&self.root.describe());
        for selector in &self.others {
            line.extend_from_slice(b" (");
            line.extend_from_slice(&selector.describe());
            line.push(b')');
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn user(rules: &str) -> Result<User, RulesError> {
        let words: Vec<&[u8]> = rules.split(' ').map(str::as_bytes).collect();
        User::new(Defaults::default()).with_rules(&words, Defaults::default())
    }

    #[test]
    fn a_line_shows_the_user() {
        let text = |rules: &str| String::from_utf8(user(rules).unwrap().describe(b"a")).unwrap();
        assert_eq!(text(""), "user a off resetchannels -@all");
        assert_eq!(
            text("on nopass ~x* %R~y &c +get (~z +set)"),
            "user a on nopass ~x* %R~y resetchannels &c -@all +get (~z resetchannels -@all +set)"
        );
        assert_eq!(
            String::from_utf8(User::all_powerful().describe(b"default")).unwrap(),
            "user default on nopass ~* &* +@all"
        );
    }

    #[test]
    fn a_wrong_rule_changes_nothing() {
        assert_eq!(user("on (+get"), Err(RulesError::Unmatched(1)));
        assert_eq!(
            user("on +nope"),
            Err(RulesError::Rule(b"+nope".to_vec(), RuleError::Unknown))
        );
        assert_eq!(
            user("%~a"),
            Err(RulesError::Rule(b"%~a".to_vec(), RuleError::Syntax))
        );
    }

    #[test]
    fn passwords_let_in() {
        let user = user("on >a >b").unwrap();
        assert!(user.admits(b"a") && user.admits(b"b") && !user.admits(b"c"));
        let off = user.with_rules(&[b"off"], Defaults::default()).unwrap();
        assert!(!off.admits(b"a"));
        let open = user.with_rules(&[b"nopass"], Defaults::default()).unwrap();
        assert!(open.admits(b"c"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_a_panic(words in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..12), 0..8)) {
            let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
            let _ = User::new(Defaults::default()).with_rules(&words, Defaults::default());
        }

        #[test]
        fn a_described_user_comes_back(rules in proptest::collection::vec(
            "(on|off|nopass|reset|resetkeys|allkeys|allchannels|resetchannels|clearselectors|>[a-c]|<[a-c]|[+-]@(all|read|write|\
             admin|fast|slow|dangerous|string|keyspace|connection)|[+-](get|set|config|config[|]get|client|client[|]id|acl|xinfo)|\
             [+]select[|][0-9]|~[a-c*]{1,3}|%R~[a-c]|%W~[a-c]|&[a-c*]{1,2}|\\([+]@read ~x\\)|\\(~y [+]@all -get\\))",
            0..16)) {
            let defaults = Defaults::default();
            let mut user = User::new(defaults);
            for rule in &rules {
                let _ = user.apply(rule.as_bytes(), defaults);
            }
            let line = user.describe(b"u");
            let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').skip(2).collect();
            let again = User::new(defaults).with_rules(&words, defaults).expect("what is described is a user");
            prop_assert_eq!(again.describe(b"u"), line);
            for spec in slotcore::command::all_with_subcommands() {
                prop_assert_eq!(again.root.commands.has(spec.id), user.root.commands.has(spec.id));
            }
        }
    }
}
