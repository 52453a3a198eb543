//! Random rules, and random commands under the users that come of them: both servers must describe those users alike,
//! let them do the same, and refuse them the rest in the same words.
//!
//! `SLOTMARK_SECONDS=180 cargo test -p e2e --test acl random` runs for as long as asked; a failure prints the seed, and
//! `SLOTMARK_SEED` replays it.

use std::time::Instant;

use e2e::chance;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use slotcore::command::{AclCategories, CommandSpec, all_with_subcommands};

use crate::sides::Sides;

const KEYS: [&str; 6] = ["a", "b", "ab", "abc", "x", "{a}1"];
const PATTERNS: [&str; 12] = [
    "*", "a", "a*", "?", "[ab]*", "x", "*c", "{a}*", "", "ab", "[^a]", "\\a",
];
const CHANNELS: [&str; 5] = ["a", "ab", "c", "a*", "*"];
const USERS: [&str; 3] = ["u", "v", "default-too"];
/// Words of many commands' options, so that keys are found where options say.
const WORDS: [&str; 36] = [
    "a",
    "b",
    "ab",
    "abc",
    "x",
    "{a}1",
    "1",
    "2",
    "3",
    "0",
    "-1",
    "store",
    "storedist",
    "by",
    "get",
    "limit",
    "keys",
    "streams",
    "count",
    "block",
    "group",
    "auth",
    "auth2",
    "copy",
    "replace",
    "asc",
    "withscores",
    "weights",
    "aggregate",
    "noack",
    "",
    "overflow",
    "#",
    "nosort",
    "set",
    "u8",
];

struct Dice(StdRng);

impl Dice {
    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(&mut self.0).expect("there is one")
    }

    fn spec(&mut self) -> &'static CommandSpec {
        loop {
            let all: Vec<&'static CommandSpec> = all_with_subcommands().collect();
            let spec = self.one(&all);
            if !matches!(spec.full_name, "client|setinfo" | "cluster|slot-stats") {
                return spec;
            }
        }
    }

    /// A rule that a selector may have.
    fn permission(&mut self) -> String {
        match self.0.random_range(0..22) {
            0..=3 => format!("+{}", self.spec().full_name),
            4..=6 => format!("-{}", self.spec().full_name),
            7..=9 => {
                let sign = self.one(&["+", "-"]);
                let words: Vec<&str> = AclCategories::all().words().collect();
                format!("{sign}@{}", self.one(&words))
            }
            10 => (self.one(&["+@all", "-@all", "allcommands", "nocommands", "+@ALL"])).into(),
            11..=13 => format!("~{}", self.one(&PATTERNS)),
            14 => format!("%R~{}", self.one(&PATTERNS)),
            15 => format!("%W~{}", self.one(&PATTERNS)),
            16 => format!(
                "{}{}",
                self.one(&["%RW~", "%WR~", "%", "%R", "%X~", "%RR~"]),
                self.one(&PATTERNS)
            ),
            17 => (self.one(&[
                "allkeys",
                "resetkeys",
                "allchannels",
                "resetchannels",
                "RESETKEYS",
            ]))
            .into(),
            18 | 19 => format!("&{}", self.one(&PATTERNS)),
            20 => format!("+{}|{}", self.spec().full_name, self.one(&WORDS)),
            _ => (self.one(&[
                "", "+nope", "-nope|x", "+@nope", "foo", "~a b", ")", "+", "-", "@", "+config|",
            ]))
            .into(),
        }
    }

    fn rule(&mut self) -> String {
        match self.0.random_range(0..30) {
            0 | 1 => "on".into(),
            2 => "off".into(),
            3 => "nopass".into(),
            4 => format!("{}{}", self.one(&[">", "<", "#", "!"]), self.one(&["p", "q"])),
            5 => (self.one(&[
                "resetpass",
                "clearselectors",
                "sanitize-payload",
                "skip-sanitize-payload",
            ]))
            .into(),
            6 if self.0.random_ratio(1, 4) => "reset".into(),
            7..=9 => {
                let inner: Vec<String> = (0..self.0.random_range(0..4))
                    .map(|_| self.permission())
                    .collect();
                format!("({})", inner.join(" "))
            }
            10 => (self.one(&["(+get", "~a)", "(", ")"])).into(),
            _ => self.permission(),
        }
    }

    /// A command with arguments that may or may not make sense.
    fn request(&mut self) -> Vec<String> {
        let spec = self.spec();
        let mut words: Vec<String> = spec.full_name.split('|').map(String::from).collect();
        let least = usize::from(spec.arity.unsigned_abs());
        let most = if spec.arity < 0 { least + 6 } else { least };
        let len = self.0.random_range(least..=most);
        while words.len() < len {
            let word = match spec.full_name.contains("subscribe") || spec.full_name.contains("publish") {
                true => self.one(&CHANNELS),
                false if words.len() < 3 && self.0.random_ratio(1, 2) => self.one(&KEYS),
                false => self.one(&WORDS),
            };
            words.push(word.into());
        }
        // Where a word is STREAMS and might as well be an option's value, stock takes it for the former, and we for what it
        // is. XREADGROUP without a group is refused by both, for other reasons.
        if spec.full_name == "xreadgroup" {
            words.splice(1..4, ["group", "g", "c"].map(String::from));
        }
        // KEYS beside a key is refused, too.
        if spec.full_name == "migrate" && !words[3].is_empty() {
            words.retain(|word| word != "keys");
        }
        if spec.full_name.starts_with("xread") {
            let mut seen = false;
            words.retain(|word| word != "streams" || !std::mem::replace(&mut seen, true));
        }
        // Of two destinations stock looks at both, and we at the one that counts, which is the last.
        if spec.full_name.starts_with("georadius") && words.iter().any(|word| word == "storedist") {
            words.retain(|word| word != "store");
        }
        words
    }

    /// A command that both servers run alike.
    fn harmless(&mut self) -> Vec<String> {
        let (k, other) = (self.one(&KEYS), self.one(&KEYS));
        let channel = self.one(&CHANNELS[..3]);
        let text: &str = self.one(&[
            "get K",
            "set K 1",
            "set K 2 get",
            "getdel K",
            "mget K L",
            "mset K 1 L 2",
            "del K L",
            "rename K L",
            "copy K L",
            "exists K",
            "incr K",
            "append K x",
            "getex K persist",
            "sort K",
            "sort K store L",
            "sort K by nosort get #",
            "sort K by w*",
            "sort_ro K",
            "lpush {a}1 x",
            "lpop {a}1",
            "lmove K L left right",
            "bitop and K L L",
            "bitfield K get u8 0",
            "bitfield K set u8 0 1",
            "bitfield_ro K get u8 0",
            "publish C m",
            "spublish C m",
            "acl whoami",
            "client getname",
            "client setname x",
            "config get maxclients",
            "ping",
            "echo K",
            "type K",
            "dbsize",
            "object encoding K",
            "expire K 100",
            "ttl K",
            "sinter K L",
            "sinterstore K L L",
            "zunionstore K 2 L L",
            "zrangestore K L 0 -1",
            "pfcount K L",
            "pfmerge K L",
            "georadius K 0 0 1 m store L",
            "setrange K 1 x",
            "multi",
            "exec",
            "discard",
            "watch K",
            "select 0",
            "command count x",
            "nope",
            "unlink K",
            "touch K",
            "dump K",
        ]);
        text.split(' ')
            .map(|word| match word {
                "K" => k.into(),
                "L" => other.into(),
                "C" => channel.into(),
                other => other.into(),
            })
            .collect()
    }
}

fn run(hello: &str, mut one_step: impl FnMut(&mut Dice, &mut Sides) -> Vec<Vec<String>>) {
    let mut seed = chance::seed();
    let Some(mut sides) = Sides::start(&[]) else {
        return;
    };
    let start = Instant::now();
    while start.elapsed() < chance::time() {
        let mut dice = Dice(StdRng::seed_from_u64(seed));
        let mut history = Vec::new();
        for (index, user) in USERS.iter().enumerate() {
            sides.same('1', &["acl", "deluser", user]);
            sides.drop_pair(char::from(b'A' + index as u8));
        }
        sides.same('1', &["hello", hello]);
        sides.same('1', &["flushall"]);
        sides.same('1', &["acl", "log", "reset"]);
        for _ in 0..40 {
            for said in one_step(&mut dice, &mut sides) {
                let who = said[0].chars().next().expect("a name");
                let args: Vec<Vec<u8>> = said[1..].iter().map(|word| word.clone().into_bytes()).collect();
                let (ours, stock) = sides.run(who, &args);
                history.push(format!("{said:?}"));
                assert_eq!(
                    ours,
                    stock,
                    "left is ours, right is stock's, to the last of these (SLOTMARK_SEED={seed}, RESP{hello}):\n{}",
                    history.join("\n")
                );
            }
        }
        seed = seed.wrapping_add(1);
    }
}

fn say(who: char, words: impl IntoIterator<Item = String>) -> Vec<String> {
    std::iter::once(who.to_string()).chain(words).collect()
}

fn told(text: &[&str]) -> Vec<String> {
    text.iter().map(|word| (*word).to_string()).collect()
}

/// Rules, then how both describe the user.
fn rules(dice: &mut Dice, user: &str) -> Vec<Vec<String>> {
    let mut words = told(&["acl", "setuser", user]);
    words.extend((0..dice.0.random_range(0..5)).map(|_| dice.rule()));
    vec![
        say('1', words),
        say('1', told(&["acl", "getuser", user])),
        say('1', told(&["acl", "list"])),
    ]
}

#[test]
fn random_rules_make_the_same_users_and_allow_the_same() {
    for hello in ["2", "3"] {
        run(hello, |dice, _| {
            let user = dice.one(&USERS);
            let mut said = rules(dice, user);
            for _ in 0..6 {
                let request = dice.request();
                said.push(say(
                    '1',
                    told(&["acl", "dryrun", user]).into_iter().chain(request),
                ));
            }
            said
        });
    }
}

#[test]
fn random_commands_of_random_users_are_judged_alike() {
    run("2", |dice, _| {
        let index = dice.0.random_range(0..USERS.len());
        let (who, user) = (char::from(b'A' + index as u8), USERS[index]);
        let mut said = Vec::new();
        if dice.0.random_ratio(1, 2) {
            said.extend(rules(dice, user));
            // Who is allowed next to nothing tells little.
            let more: &[&str] = dice.one(&[
                &["on", "nopass", "+@all"][..],
                &["on", "nopass", "allkeys", "+@all", "-@dangerous"],
                &["on", ">p", "+@all", "%R~a*", "&a"],
                &["on"],
            ]);
            said.push(say(
                '1',
                told(&["acl", "setuser", user]).into_iter().chain(told(more)),
            ));
        }
        said.push(say(who, told(&["auth", user, dice.one(&["p", "q"])])));
        for _ in 0..8 {
            said.push(say(who, dice.harmless()));
        }
        said.push(say('1', told(&["acl", "log", "20"])));
        said
    });
}
