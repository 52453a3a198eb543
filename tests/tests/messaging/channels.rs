//! SUBSCRIBE and its kin on one node.

use e2e::chance;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use slotcore::resp::Reply;

use super::sides::Sides;

#[test]
fn subscriptions_and_messages_are_stocks_in_both_protocols() {
    let Some(mut sides) = Sides::start(&[], &["2", "3", "2"]) else {
        return;
    };
    for who in [0, 1] {
        sides.same(who, &[&["SUBSCRIBE", "a", "b", "a"]]);
        sides.same(who, &[&["PSUBSCRIBE", "x*"]]);
        sides.same(who, &[&["SSUBSCRIBE", "q", "q2"]]);
        sides.same(who, &[&["PING"], &["PING", "hi"], &["PING", "a", "b"]]);
        for words in [
            &["GET", "k"] as &[&str],
            &["ECHO", "hello"],
            &["CLIENT", "LIST", "TYPE"],
            &["PUBLISH", "c", "d"],
            &["SPUBLISH", "c", "d"],
            &["SUBSCRIBE"],
            &["UNSUBSCRIBE", "never"],
            &["PUBSUB", "NUMSUB", "a", "q", "never"],
            &["PUBSUB", "SHARDNUMSUB", "a", "q", "never"],
            &["PUBSUB", "NUMPAT"],
        ] {
            sides.same(who, &[words]);
        }
        for words in [
            &["PUBLISH", "a", "to a"] as &[&str],
            &["PUBLISH", "xyz", "to a pattern"],
            &["PUBLISH", "nobody", "there"],
            &["SPUBLISH", "q", "to q"],
            &["SPUBLISH", "a", "not to a"],
            &["PUBLISH", "q", "not to q"],
            &["PUBLISH", "a", ""],
            &["PUBLISH", "a"],
        ] {
            sides.same(2, &[words]);
        }
    }
    sides.same(1, &[&["PUBLISH", "a", "to myself as well"], &["GET", "k"]]);
    for who in [0, 1] {
        sides.same(who, &[&["UNSUBSCRIBE", "b"], &["UNSUBSCRIBE"], &["UNSUBSCRIBE"]]);
        sides.same(who, &[&["PUNSUBSCRIBE"], &["PUNSUBSCRIBE", "x*"], &["GET", "k"]]);
        sides.same(who, &[&["SUNSUBSCRIBE", "q2"], &["SUNSUBSCRIBE"], &["GET", "k"]]);
        sides.same(
            who,
            &[
                &["SUBSCRIBE", "a"],
                &["PUBLISH", "a", "b"],
                &["RESET"],
                &["GET", "k"],
            ],
        );
    }
    sides.same(2, &[&["PUBLISH", "a", "nobody is left"]]);
    // A client that never subscribed.
    sides.same(
        2,
        &[
            &["UNSUBSCRIBE"],
            &["UNSUBSCRIBE", "a", "b"],
            &["SUNSUBSCRIBE", "a"],
        ],
    );
    sides.same(2, &[&["PUNSUBSCRIBE"], &["SUNSUBSCRIBE"], &["GET", "k"]]);
}

#[test]
fn transactions_may_hold_subscriptions_and_messages() {
    let Some(mut sides) = Sides::start(&[], &["2", "3", "3"]) else {
        return;
    };
    sides.same(1, &[&["SUBSCRIBE", "a"]]);
    sides.same(
        2,
        &[
            &["MULTI"],
            &["PUBLISH", "a", "1"],
            &["SET", "k", "v"],
            &["PUBLISH", "a", "2"],
            &["EXEC"],
        ],
    );
    sides.same(
        0,
        &[
            &["MULTI"],
            &["SUBSCRIBE", "a", "b"],
            &["PING"],
            &["GET", "k"],
            &["EXEC"],
            &["GET", "k"],
        ],
    );
    sides.same(
        2,
        &[
            &["MULTI"],
            &["SUBSCRIBE", "z"],
            &["UNSUBSCRIBE"],
            &["PSUBSCRIBE", "z"],
            &["EXEC"],
        ],
    );
    sides.same(2, &[&["MULTI"], &["PUBLISH", "a"], &["EXEC"]]);
    sides.same(
        0,
        &[
            &["UNSUBSCRIBE", "a"],
            &["UNSUBSCRIBE", "b"],
            &["MULTI"],
            &["PUBLISH", "a", "3"],
            &["DISCARD"],
        ],
    );
}

#[test]
fn clients_without_replies_get_confirmations_and_messages() {
    let Some(mut sides) = Sides::start(&[], &["3", "2"]) else {
        return;
    };
    sides.same(
        0,
        &[
            &["CLIENT", "REPLY", "OFF"],
            &["SUBSCRIBE", "a"],
            &["GET", "k"],
            &["UNSUBSCRIBE", "b"],
            &["CLIENT", "REPLY", "ON"],
            &["CLIENT", "REPLY", "SKIP"],
            &["SUBSCRIBE", "b"],
            &["CLIENT", "REPLY", "SKIP"],
            &["GET", "k"],
        ],
    );
    sides.same(1, &[&["PUBLISH", "a", "m"]]);
}

#[test]
fn pubsub_and_the_descriptions_of_clients_are_stocks() {
    let Some(mut sides) = Sides::start(&[], &["3", "2"]) else {
        return;
    };
    for words in [
        &["PUBSUB"] as &[&str],
        &["PUBSUB", "CHANNELS"],
        &["PUBSUB", "CHANNELS", "a", "b"],
        &["PUBSUB", "channels", "a", "b"],
        &["PUBSUB", "NUMSUB"],
        &["PUBSUB", "NUMPAT", "x"],
        &["PUBSUB", "SHARDNUMSUB"],
        &["PUBSUB", "SHARDCHANNELS", "a", "b"],
        &["PUBSUB", "NOSUCH"],
    ] {
        sides.same(0, &[words]);
    }
    sides.same(1, &[&["SUBSCRIBE", "news.art"]]);
    sides.same(0, &[&["PSUBSCRIBE", "n*"], &["SSUBSCRIBE", "news.art"]]);
    for pattern in ["*", "n*", "x*", "news.art", "NEWS*", ""] {
        sides.same(
            0,
            &[
                &["PUBSUB", "CHANNELS", pattern],
                &["PUBSUB", "SHARDCHANNELS", pattern],
            ],
        );
    }
    let fields = |reply: &Reply, names: &[&str]| -> Vec<String> {
        let text = reply.as_str().expect("text");
        let has_name = |word: &&str| names.iter().any(|name| word.starts_with(name));
        text.split_ascii_whitespace()
            .filter(has_name)
            .map(str::to_owned)
            .collect()
    };
    let names = ["flags=", "sub=", "psub=", "ssub=", "resp="];
    for kind in ["pubsub", "normal", "master"] {
        let (ours, stock) = sides.replies(0, &["CLIENT", "LIST", "TYPE", kind]);
        assert_eq!(fields(&ours, &names), fields(&stock, &names), "{kind}");
    }
    let (ours, stock) = sides.replies(0, &["INFO", "stats"]);
    assert_eq!(fields(&ours, &["pubsub"]), fields(&stock, &["pubsub"]));
    assert_eq!(fields(&ours, &["pubsub"]).len(), 3);
    let (ours, stock) = sides.replies(0, &["CLIENT", "KILL", "TYPE", "pubsub"]);
    assert_eq!((ours, stock), (Reply::Integer(1), Reply::Integer(1)));
}

/// `CLIENT PAUSE WRITE` holds messages back: they may have to be replicated.
#[test]
fn a_pause_of_writes_holds_messages_back() {
    let Some(mut sides) = Sides::start(&[], &["3", "2"]) else {
        return;
    };
    sides.same(0, &[&["SUBSCRIBE", "a"], &["CLIENT", "PAUSE", "300", "WRITE"]]);
    let start = std::time::Instant::now();
    sides.same(1, &[&["PUBLISH", "a", "late"]]);
    assert!(start.elapsed().as_millis() >= 200);
}

/// A cluster that lacks slots: what it serves of messages, and the order of the reasons why it does not.
#[test]
fn a_cluster_that_is_down_serves_what_stock_serves() {
    let Some(mut sides) = Sides::start(&["--cluster-enabled", "yes"], &["3", "2"]) else {
        return;
    };
    // "b" and "c" are of these slots, "a" is not.
    sides.same(0, &[&["CLUSTER", "ADDSLOTSRANGE", "0", "8000"]]);
    let commands: &[&[&[&str]]] = &[
        &[&["GET", "b"]],
        &[&["SUBSCRIBE", "a", "b"]],
        &[&["PUBLISH", "a", "m"]],
        &[&["SSUBSCRIBE", "b"]],
        &[&["SSUBSCRIBE", "a"]],
        &[&["SSUBSCRIBE", "a", "b"]],
        &[&["SSUBSCRIBE", "b", "c"]],
        &[&["SSUBSCRIBE", "{b}1", "{b}2"]],
        &[&["SPUBLISH", "b", "m"]],
        &[&["SPUBLISH", "a", "m"]],
        &[&["SUNSUBSCRIBE", "a"]],
        &[
            &["MULTI"],
            &["SPUBLISH", "{b}nobody", "m"],
            &["SSUBSCRIBE", "{b}3"],
            &["EXEC"],
        ],
        &[
            &["MULTI"],
            &["SPUBLISH", "{b}nobody", "m"],
            &["SSUBSCRIBE", "c"],
            &["EXEC"],
        ],
        &[&["MULTI"], &["PUBLISH", "nobody", "m"], &["EXEC"]],
        &[&["MULTI"], &["PUBLISH", "nobody", "m"], &["GET", "b"], &["EXEC"]],
        &[&["SUNSUBSCRIBE"]],
    ];
    for down in ["yes", "no"] {
        sides.same(
            1,
            &[&["CONFIG", "SET", "cluster-allow-pubsubshard-when-down", down]],
        );
        for commands in commands {
            sides.same_frames(0, commands, |frame| match frame {
                Reply::Push(parts) if parts[0].as_str() == Some("sunsubscribe") => format!("{:?}", parts[2]),
                frame => format!("{frame:?}"),
            });
        }
    }
}

#[test]
fn random_subscriptions_and_messages_have_stocks_effects() {
    let Some(mut sides) = Sides::start(&[], &["2"]) else {
        return;
    };
    let seed = chance::seed();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    eprintln!("SLOTMARK_SEED={seed}");
    let names = ["a", "b", "ab", "news", "", "a\r\nb"];
    let patterns = ["a*", "*", "n[ea]ws", "?", "a"];
    for _ in 0..6 {
        sides.reconnect(&["2", "3", "3", "2"]);
        for _ in 0..60 {
            // The last client only publishes.
            let who = rng.random_range(0..4);
            let verb = match who {
                3 => "PUBLISH",
                _ => *[
                    "SUBSCRIBE",
                    "SUBSCRIBE",
                    "UNSUBSCRIBE",
                    "PSUBSCRIBE",
                    "PUNSUBSCRIBE",
                    "SSUBSCRIBE",
                    "SUNSUBSCRIBE",
                    "PUBLISH",
                    "SPUBLISH",
                    "RESET",
                ]
                .choose(&mut rng)
                .expect("a verb"),
            };
            let verb = if who == 3 && rng.random_ratio(1, 3) {
                "SPUBLISH"
            } else {
                verb
            };
            let mut words = vec![verb];
            let pool: &[&str] = if verb.starts_with('P') && verb.ends_with("SCRIBE") {
                &patterns
            } else {
                &names
            };
            match verb {
                "RESET" if who != 0 => continue,
                "RESET" => {}
                "PUBLISH" | "SPUBLISH" => words.extend([*pool.choose(&mut rng).expect("a name"), "text"]),
                _ => {
                    let least = usize::from(!verb.contains("UNSUB"));
                    let count = rng.random_range(least..3);
                    (0..count).for_each(|_| words.push(pool.choose(&mut rng).expect("a name")));
                }
            }
            let nameless = words.len() == 1;
            sides.same_frames(who, &[&words], |frame| match frame {
                // Which of several subscriptions ends first is the hash table's choice.
                Reply::Push(parts) | Reply::Array(parts)
                    if nameless && parts[0].as_str().is_some_and(|verb| verb.contains("unsub")) =>
                {
                    format!("{:?} {:?}", parts[0], parts[2])
                }
                frame => format!("{frame:?}"),
            });
        }
    }
}

/// `PUBSUB CHANNELS` shows how patterns are understood; so do KEYS, SCAN and PSUBSCRIBE, by the same code.
#[test]
fn random_patterns_match_what_they_match_in_stock() {
    let Some(mut sides) = Sides::start(&[], &["3"]) else {
        return;
    };
    let seed = chance::seed();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    eprintln!("SLOTMARK_SEED={seed}");
    let mut word = |letters: &[&str], len: usize| -> String {
        let count = rng.random_range(0..=len);
        (0..count)
            .map(|_| *letters.choose(&mut rng).expect("a letter"))
            .collect()
    };
    let names: Vec<String> = (0..150)
        .map(|_| word(&["a", "b", "c", "-", "]", "[", "^", "\\", "*"], 5))
        .collect();
    let mut subscribe = vec!["SUBSCRIBE"];
    subscribe.extend(names.iter().map(String::as_str));
    sides.same(0, &[&subscribe]);
    let sorted = |reply: &Reply| match reply {
        Reply::Array(names) => {
            let mut names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
            names.sort();
            names.join(" ")
        }
        other => format!("{other:?}"),
    };
    for _ in 0..1500 {
        let pattern = word(
            &[
                "a", "b", "c", "-", "]", "[", "^", "\\", "*", "*", "?", "[a-b]", "[^a",
            ],
            7,
        );
        sides.same_frames(0, &[&["PUBSUB", "CHANNELS", &pattern]], sorted);
    }
}
