//! Random arguments.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::families::Family;

pub type Args = Vec<Vec<u8>>;

/// One chance in so many that an argument too many is sent, or one too few.
const SLIP: u32 = 50;

pub struct Generator {
    pub rng: Xoshiro256PlusPlus,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
        }
    }

    pub fn one<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words.choose(&mut self.rng).expect("a choice")
    }

    pub fn key(&mut self) -> Vec<u8> {
        self.one(&["a", "b", "c", "{t}1", "{t}2", "", "a key with spaces", "k\r\n"])
            .into()
    }

    pub fn number(&mut self) -> Vec<u8> {
        match self.rng.random_range(0..12) {
            0 => "9223372036854775807".into(),
            1 => "-9223372036854775808".into(),
            2 => "9223372036854775808".into(),
            3 => self
                .one(&["", " 1", "1 ", "+1", "01", "-0", "1.0", "abc", "1e3", "0x10"])
                .into(),
            4 => "0".into(),
            5 => "-1".into(),
            _ => self.rng.random_range(-20i64..40).to_string().into(),
        }
    }

    pub fn float(&mut self) -> Vec<u8> {
        match self.rng.random_range(0..8) {
            0 => self
                .one(&["nan", "inf", "-inf", "1e400", "abc", "", " 1", "1 "])
                .into(),
            1 => self
                .one(&["1e10", "-1.5e-3", "3.0", "5.0e3", "0.1", "-0", "1e17"])
                .into(),
            _ => format!("{:.3}", self.rng.random_range(-100.0..100.0)).into(),
        }
    }

    pub fn value(&mut self) -> Vec<u8> {
        match self.rng.random_range(0..10) {
            0 => Vec::new(),
            1 => self.number(),
            2 => self.float(),
            3 => vec![b'x'; self.rng.random_range(40..50)],
            4 => vec![b'y'; self.rng.random_range(500..5000)],
            5 => {
                let mut bytes = vec![0; self.rng.random_range(0..40)];
                self.rng.fill_bytes(&mut bytes);
                bytes
            }
            6 => self.rng.random_range(-1000i64..1000).to_string().into(),
            _ => self.one(&["hello", "ohmytext", "mynewtext", "foo bar"]).into(),
        }
    }

    /// A time to live that cannot run out within the test, or an error.
    pub fn seconds(&mut self) -> Vec<u8> {
        self.one(&[
            "400000",
            "900000",
            "1000000",
            "0",
            "-1",
            "abc",
            "9223372036854775807",
        ])
        .into()
    }

    /// A unix time that is not over: when active expiry finds a key that is, differs.
    pub fn moment(&mut self) -> Vec<u8> {
        self.one(&[
            "4000000000000",
            "9000000000000",
            "0",
            "-1",
            "abc",
            "9223372036854775808",
        ])
        .into()
    }

    /// A field of a hash or a member of a set: few enough that they are met again.
    pub fn element(&mut self) -> Vec<u8> {
        match self.rng.random_range(0..10) {
            0 => self.value(),
            1 => self.number(),
            2..5 => self
                .one(&["f", "g", "h", "field with spaces", "", "x\r\n"])
                .into(),
            _ => self.rng.random_range(-5i64..12).to_string().into(),
        }
    }

    /// A score: few, so that many are equal, some at the ends of what a double holds, some that are none.
    pub fn score(&mut self) -> Vec<u8> {
        match self.rng.random_range(0..10) {
            0 => self.float(),
            1 => self.number(),
            2 => self
                .one(&[
                    "inf", "-inf", "+Inf", "-0", "1e308", "-1e308", "5e-324", "1e17", "1e19", "0x1p-3",
                ])
                .into(),
            3 => format!("{}.5", self.rng.random_range(-3..3)).into(),
            _ => self.rng.random_range(-2i64..4).to_string().into(),
        }
    }

    /// The end of a range of scores.
    pub fn bound(&mut self) -> Vec<u8> {
        let mut bound = match self.rng.random_range(0..12) {
            0 => self.one(&["(", "", " 1", "nan", "(inf", "1\0", "((1"]).into(),
            1..4 => self.one(&["-inf", "+inf"]).into(),
            _ => self.score(),
        };
        if self.rng.random_ratio(1, 4) {
            bound.insert(0, b'(');
        }
        bound
    }

    /// The end of a range of texts.
    pub fn text_bound(&mut self) -> Vec<u8> {
        let mut bound = match self.rng.random_range(0..6) {
            0 => return self.one(&["-", "+", "-", "+", "", "a", "-x", "+\0"]).into(),
            1 | 2 => return self.one(&["-", "+"]).into(),
            _ => self.element(),
        };
        bound.insert(0, if self.rng.random_ratio(1, 2) { b'[' } else { b'(' });
        bound
    }

    pub fn number_of(&mut self, below: u32) -> u32 {
        self.rng.random_range(0..below)
    }

    /// The offset of a bit: few are far behind.
    pub fn bit(&mut self) -> Vec<u8> {
        match self.rng.random_range(0..12) {
            0 => self
                .one(&["-1", "abc", "4294967296", "#1", "#", "#-1", "1000", "3001"])
                .into(),
            1 => format!("#{}", self.rng.random_range(0..5)).into(),
            _ => self.rng.random_range(0..70).to_string().into(),
        }
    }

    /// Degrees, mostly of a part of the globe, now and then near its ends.
    pub fn degrees(&mut self, end: i32) -> Vec<u8> {
        match self.rng.random_range(0..12) {
            0 => format!("{}", self.rng.random_range(-end..=end)).into(),
            1 => self
                .one(&["180", "-180", "85.05112878", "-85.05112878", "0", "x", "1000"])
                .into(),
            2 => format!("{:.4}", f64::from(self.rng.random_range(-end..end)) * 0.99).into(),
            _ => format!("{:.6}", self.rng.random_range(-60.0..60.0)).into(),
        }
    }

    /// The ID of an entry: few, so that they are met again, and some that are none.
    pub fn id(&mut self) -> Vec<u8> {
        match self.rng.random_range(0..14) {
            0 => self
                .one(&[
                    "",
                    "-",
                    "+",
                    "x",
                    "5-",
                    "-5",
                    "5-x",
                    "(3",
                    " 3",
                    "1-2-3",
                    "18446744073709551616",
                ])
                .into(),
            1 => self.one(&["0", "0-0", "0-1", "3-*", "7-*"]).into(),
            2 => self
                .one(&[
                    "18446744073709551615",
                    "18446744073709551615-18446744073709551615",
                    "3-18446744073709551615",
                ])
                .into(),
            3..6 => self.rng.random_range(0..30).to_string().into(),
            _ => format!("{}-{}", self.rng.random_range(0..30), self.rng.random_range(0..3)).into(),
        }
    }

    /// The ID of an entry that may be new: mostly a greater one than those before.
    pub fn new_id(&mut self) -> Vec<u8> {
        match self.rng.random_range(0..12) {
            0 => self.id(),
            1..6 => format!("{}-*", self.rng.random_range(0..30)).into(),
            _ => format!("{}-{}", self.rng.random_range(0..30), self.rng.random_range(0..3)).into(),
        }
    }

    /// An end of a range of IDs.
    pub fn id_bound(&mut self) -> Vec<u8> {
        let mut bound = match self.rng.random_range(0..4) {
            0 => self.one(&["-", "+"]).into(),
            _ => self.id(),
        };
        if self.rng.random_ratio(1, 5) {
            bound.insert(0, b'(');
        }
        bound
    }

    /// An argument for a placeholder, or the word itself.
    fn part(&mut self, part: &str) -> Vec<u8> {
        match part {
            "<key>" => self.key(),
            "<number>" => self.number(),
            "<float>" => self.float(),
            "<value>" => self.value(),
            "<seconds>" => self.seconds(),
            "<element>" => self.element(),
            "<score>" => self.score(),
            "<bound>" => self.bound(),
            "<text bound>" => self.text_bound(),
            "<bit>" => self.bit(),
            "<type>" => self
                .one(&["u8", "i8", "u1", "i5", "u63", "i64", "i16", "u64", "i0", "x8"])
                .into(),
            "<longitude>" => self.degrees(180),
            "<latitude>" => self.degrees(86),
            "<place>" => self
                .one(&[
                    "p1",
                    "p2",
                    "p3",
                    "p4",
                    "p5",
                    "p6",
                    "a place with a long name",
                    "1",
                ])
                .into(),
            "<length>" => self
                .one(&["0", "1", "100", "700.5", "2000", "9000", "30000", "-1", "x"])
                .into(),
            "<unit>" => self.one(&["m", "km", "KM", "ft", "mi", "mile"]).into(),
            "<id>" => self.id(),
            "<new id>" => self.new_id(),
            "<id bound>" => self.id_bound(),
            "<group>" => self.one(&["g", "g", "g", "h", "h", "", "none"]).into(),
            "<consumer>" => self.one(&["alice", "bob", "carol", ""]).into(),
            // Nothing was delivered a thousand seconds ago, unless XCLAIM says so.
            "<idle>" => self.one(&["0", "0", "0", "-1", "1000000", "x"]).into(),
            "<few>" => self.one(&["0", "1", "1", "2", "3", "5", "-1", "x"]).into(),
            "<hll>" => self.one(&["{hll}1", "{hll}2", "{hll}3"]).into(),
            "<pattern>" => self.one(&["*", "f*", "[0-5]", "?", "", "*1*", "\\"]).into(),
            word => word.into(),
        }
    }

    /// A command of a family.
    pub fn command(&mut self, family: &Family) -> Args {
        let shape: &[&str] = family.shapes.choose(&mut self.rng).expect("a shape");
        let mut args: Args = shape.iter().map(|part| self.part(part)).collect();
        if self.rng.random_ratio(1, SLIP) {
            args.push(b"extra".to_vec());
        }
        // SORT without its last word may sort by numbers, and that looks at an errno of stock's earlier commands.
        if self.rng.random_ratio(1, SLIP) && args.len() > 1 && args[0] != b"SORT" {
            args.pop();
        }
        (family.extend)(self, &mut args);
        args
    }

    /// The same command, called by a script that does not declare its keys.
    pub fn as_script(&mut self, args: Args) -> Args {
        let script = self.one(&[
            "return redis.call(unpack(ARGV))",
            "return redis.pcall(unpack(ARGV))",
            "redis.setresp(3) return redis.call(unpack(ARGV))",
        ]);
        let mut call: Args = ["EVAL", script, "0"].map(|word| word.as_bytes().to_vec()).into();
        call.extend(args);
        call
    }

    /// A few keys more.
    pub fn more_keys(&mut self, args: &mut Args) {
        for _ in 0..self.rng.random_range(0..3) {
            args.push(self.key());
        }
    }

    /// A few more of what a placeholder stands for.
    pub fn more(&mut self, args: &mut Args, part: &str) {
        for _ in 0..self.rng.random_range(0..4) {
            args.push(self.part(part));
        }
    }

    pub fn options(&mut self, args: &mut Args, words: &[&str]) {
        while self.rng.random_ratio(1, 2) {
            let word = self.one(words);
            args.push(word.into());
            match word {
                "EX" | "PX" => args.push(self.seconds()),
                "EXAT" | "PXAT" => args.push(self.moment()),
                "MINMATCHLEN" => args.push(self.number()),
                _ => {}
            }
        }
    }
}
