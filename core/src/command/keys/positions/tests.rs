use super::{KeyError, key_positions, key_uses};
use crate::command::flags::KeyFlags;
use crate::command::{all_with_subcommands, lookup_request};
use crate::resp::{ArgRange, Args};
use proptest::prelude::*;

/// Arguments from words, in a buffer as a parser would leave it.
fn with_args<T>(words: &[&[u8]], run: impl FnOnce(&Args<'_>) -> T) -> T {
    let mut buf = Vec::new();
    let mut ranges = Vec::new();
    for word in words {
        let start = buf.len() as u32;
        buf.extend_from_slice(word);
        ranges.push(ArgRange {
            start,
            end: buf.len() as u32,
        });
    }
    run(&Args::new(&buf, &ranges))
}

fn positions(request: &str) -> Result<Vec<u32>, KeyError> {
    // `""` stands for an empty argument.
    let words: Vec<&[u8]> = request
        .split(' ')
        .map(|word| if word == "\"\"" { &b""[..] } else { word.as_bytes() })
        .collect();
    with_args(&words, |args| {
        let mut out = vec![u32::MAX];
        let spec = lookup_request(args).unwrap();
        let result = key_positions(spec, args, &mut out);
        assert_eq!(out.remove(0), u32::MAX, "what was there stays");
        if result.is_err() {
            assert!(out.is_empty());
        }
        result.map(|()| out)
    })
}

#[test]
fn fixed_positions() {
    for (request, expected) in [
        ("PING", &[][..]),
        ("GET k", &[1]),
        ("CONFIG GET save", &[]),
        ("mget a b c", &[1, 2, 3]),
        ("MSET a 1 b 2", &[1, 3]),
        ("MSET a 1 b", &[1, 3]),
        ("RENAME a b", &[1, 2]),
        ("BITOP AND d a b", &[2, 3, 4]),
        ("BLPOP a b 0", &[1, 2]),
        ("LMOVE a b LEFT RIGHT", &[1, 2]),
        ("OBJECT ENCODING k", &[2]),
        ("MEMORY USAGE k SAMPLES 5", &[2]),
        ("XGROUP CREATE s g $", &[2]),
        ("XINFO STREAM s", &[2]),
        ("SUBSCRIBE c", &[]),
        ("SSUBSCRIBE c d", &[1, 2]),
        ("SPUBLISH c hello", &[1]),
        ("SUNSUBSCRIBE c", &[1]),
        ("DEBUG OBJECT k", &[]),
        ("WATCH a b", &[1, 2]),
    ] {
        assert_eq!(positions(request), Ok(expected.to_vec()), "{request}");
    }
}

#[test]
fn movable_positions() {
    for (request, expected) in [
        ("ZUNIONSTORE d 2 a b WEIGHTS 1 2", &[1, 3, 4][..]),
        ("ZDIFFSTORE d 1 a", &[1, 3]),
        ("ZINTER 2 a b WITHSCORES", &[2, 3]),
        ("SINTERCARD 2 a b LIMIT 1", &[2, 3]),
        ("LMPOP 2 a b LEFT", &[2, 3]),
        ("BLMPOP 0 1 a LEFT", &[3]),
        ("ZMPOP 1 a MIN", &[2]),
        ("BZMPOP 0 2 a b MIN", &[3, 4]),
        ("EVAL s 0", &[]),
        ("EVAL s 0 arg", &[]),
        ("EVALSHA s 2 a b c", &[3, 4]),
        ("FCALL f 1 a b", &[3]),
        ("XREAD STREAMS a b 0 0", &[2, 3]),
        ("XREAD COUNT 1 BLOCK 5 streams a 0", &[6]),
        ("XREADGROUP GROUP streams c NOACK STREAMS a >", &[6]),
        ("SORT k", &[1]),
        ("SORT k BY store GET store LIMIT 0 1 STORE d", &[1, 10]),
        ("SORT k STORE d STORE e", &[1, 5]),
        ("SORT_RO k BY w_*", &[1]),
        ("GEORADIUS k 1 2 3 m", &[1]),
        ("GEORADIUS k 1 2 3 m COUNT 1 STORE d", &[1, 9]),
        ("GEORADIUS k 1 2 3 m STORE d STOREDIST e", &[1, 9]),
        ("GEORADIUSBYMEMBER k store 3 m STOREDIST d", &[1, 6]),
        ("MIGRATE h 1 k 0 1000", &[3]),
        ("MIGRATE h 1 k 0 1000 COPY REPLACE", &[3]),
        // With nothing behind it KEYS is no keyword.
        ("MIGRATE h 1 k 0 1000 KEYS", &[3]),
        ("MIGRATE h 1 \"\" 0 1000 KEYS", &[3]),
        ("MIGRATE h 1 \"\" 0 1000 AUTH keys KEYS a b", &[9, 10]),
        ("MIGRATE h 1 \"\" 0 1000 AUTH2 u keys KEYS a", &[10]),
    ] {
        assert_eq!(positions(request), Ok(expected.to_vec()), "{request}");
    }
}

#[test]
fn what_does_not_fit_has_no_keys() {
    for request in [
        "GET",
        "BLPOP 0",
        "ZUNIONSTORE d 3 a b",
        "ZUNIONSTORE d 0 a",
        "ZUNION two a b",
        "ZUNION 2",
        "ZUNION 18446744073709551617 a",
        "ZUNION -1 a",
        "SINTERCARD",
        "XREAD COUNT 1",
        "XREAD STREAMS",
        "XREAD STREAMS a b 0",
        "XREAD STREAM a 0",
        "MIGRATE h 1 k 0 1000 KEYS a",
        "SORT",
    ] {
        assert_eq!(positions(request), Err(KeyError::InvalidArguments), "{request}");
    }
}

#[test]
fn uses_depend_on_the_arguments() {
    let uses = |request: &str| {
        let words: Vec<&[u8]> = request.split(' ').map(str::as_bytes).collect();
        with_args(&words, |args| {
            let mut out = Vec::new();
            key_uses(lookup_request(args).unwrap(), args, &mut out).map(|()| {
                out.iter()
                    .map(|key| (key.index, key.flags.words().collect::<Vec<_>>().join(" ")))
                    .collect::<Vec<_>>()
            })
        })
    };
    let one = |index: u32, flags: &str| Ok(vec![(index, flags.to_owned())]);
    assert_eq!(uses("SET k v"), one(1, "OW update"));
    assert_eq!(uses("SET k v NX get"), one(1, "RW access update"));
    assert_eq!(uses("SET get get"), one(1, "OW update"));
    assert_eq!(uses("BITFIELD k GET u8 0 OVERFLOW SAT"), one(1, "RO access"));
    assert_eq!(
        uses("BITFIELD k GET u8 0 INCRBY u8 0 1"),
        one(1, "RW access update")
    );
    assert_eq!(uses("EVAL s 9 k"), Ok(vec![]));
    assert_eq!(uses("PING"), Err(KeyError::NoKeys));
    assert_eq!(uses("SPUBLISH c hello"), Err(KeyError::NoKeys));
    assert_eq!(uses("ZUNION 3 a"), Err(KeyError::InvalidArguments));
    assert_eq!(
        uses("SORT k STORE d"),
        Ok(vec![(1, "RO access".to_owned()), (3, "OW update".to_owned())])
    );
}

#[test]
fn no_row_needs_a_rule_that_is_missing() {
    for spec in all_with_subcommands() {
        let keys_told = spec.keys.iter().all(|key| {
            !matches!(key.begin, super::Begin::Unknown) && !key.flags.contains(KeyFlags::INCOMPLETE)
        });
        assert!(
            keys_told || matches!(spec.key_plan, super::KeyPlan::Rule(_)),
            "{}",
            spec.full_name
        );
        if let super::KeyPlan::Range(range) = spec.key_plan {
            assert!(range.first > 0 && range.step > 0, "{}", spec.full_name);
        }
    }
}

/// Words that steer the search, small counts among them, and anything else.
fn word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::sample::select(
            &[
                "",
                "0",
                "1",
                "2",
                "3",
                "-1",
                "99999999999999999999",
                "9999999999",
                "4294967296",
                "k",
                "STORE",
                "streams",
                "KEYS",
                "get",
                "BY",
                "LIMIT",
                "count",
                "BLOCK",
                "GROUP",
                "STOREDIST",
                "AUTH2",
                "OVERFLOW",
            ][..]
        )
        .prop_map(|word| word.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_arguments_give_positions_within_them(words in proptest::collection::vec(word(), 0..14)) {
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        with_args(&words, |args| -> Result<(), TestCaseError> {
            for spec in all_with_subcommands() {
                let (mut indexes, mut uses) = (Vec::new(), Vec::new());
                let positions = key_positions(spec, args, &mut indexes);
                let known = key_uses(spec, args, &mut uses);
                prop_assert!(indexes.iter().all(|&index| index > 0 && (index as usize) < words.len()));
                prop_assert!(positions.is_ok() || indexes.is_empty());
                prop_assert!(known.is_ok() || uses.is_empty());
                // The two ways agree, except that a range takes what it finds and leaves the rest to the command.
                if known.is_ok() && positions.is_ok() {
                    prop_assert_eq!(uses.iter().map(|key| key.index).collect::<Vec<_>>(), indexes, "{}", spec.full_name);
                }
            }
            Ok(())
        })?;
    }
}
