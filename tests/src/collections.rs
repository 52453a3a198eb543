//! Values of every type that the node holds beside strings, in every form, for tests that carry them from one server to
//! another. A new type adds its rows to [`fill`].

use crate::Client;

/// Enough that a collection is large, in stock and here.
const LARGE: usize = 6000;

/// Writes them.
pub fn fill(client: &mut Client) {
    let mut say = |words: &[&str]| {
        let reply = client.cmd(words);
        assert!(reply.as_error().is_none(), "{words:?}: {reply:?}");
    };
    say(&[
        "HSET",
        "hash:small",
        "sum",
        "1.5",
        "number",
        "-70000",
        "text",
        "hello",
    ]);
    say(&["HSET", "hash:expiring", "f", "v"]);
    say(&["PEXPIREAT", "hash:expiring", "4000000000000"]);
    say(&["HSET", "hash:long", "f", &"v".repeat(5000)]);
    say(&[
        "SADD",
        "set:numbers",
        "1",
        "-2",
        "300",
        "70000",
        "9223372036854775807",
    ]);
    say(&["SADD", "set:texts", "a", "b", "1", ""]);
    say(&["RPUSH", "list:small", "a", "-7", "", "a", "9223372036854775807"]);
    say(&["RPUSH", "list:long", &"v".repeat(20_000), "x"]);
    say(&["LPUSH", "list:expiring", "x"]);
    say(&["PEXPIREAT", "list:expiring", "4000000000000"]);
    say(&[
        "ZADD",
        "zset:small",
        "1.5",
        "a",
        "-70000",
        "b",
        "1e17",
        "c",
        "inf",
        "d",
    ]);
    let long = ["x".repeat(200), "x".repeat(201)];
    say(&[
        "ZADD",
        "zset:long",
        "-0",
        &long[0],
        "-inf",
        &long[1],
        "5e-324",
        "short",
    ]);
    say(&[
        "XADD",
        "stream:small",
        "1-1",
        "number",
        "-7",
        "text",
        "",
        "long",
        &"v".repeat(500),
    ]);
    say(&["XADD", "stream:small", "1-2", "other", "field"]);
    say(&["XGROUP", "CREATE", "stream:empty", "group", "0", "MKSTREAM"]);
    say(&["PEXPIREAT", "stream:empty", "4000000000000"]);
    for number in 1..LARGE / 4 {
        say(&[
            "XADD",
            "stream:large",
            &format!("{number}-*"),
            "number",
            &number.to_string(),
        ]);
    }
    say(&["XGROUP", "CREATE", "stream:large", "group", "0"]);
    for consumer in ["alice", "bob"] {
        say(&[
            "XREADGROUP",
            "GROUP",
            "group",
            consumer,
            "COUNT",
            "400",
            "STREAMS",
            "stream:large",
            ">",
        ]);
    }
    say(&["XDEL", "stream:large", "700-0"]);
    for from in (0..LARGE).step_by(500) {
        let fields: Vec<String> = (from..from + 500)
            .flat_map(|number| [format!("field:{number}"), number.to_string()])
            .collect();
        let mut words = vec!["HSET", "hash:large"];
        words.extend(fields.iter().map(String::as_str));
        say(&words);
        words[0] = "SADD";
        words[1] = "set:large";
        say(&words);
        words[0] = "RPUSH";
        words[1] = "list:large";
        say(&words);
        let scored: Vec<String> = (from..from + 500)
            .flat_map(|number| [format!("{}.5", number % 700), format!("member:{number}")])
            .collect();
        let mut words = vec!["ZADD", "zset:large"];
        words.extend(scored.iter().map(String::as_str));
        say(&words);
    }
}
