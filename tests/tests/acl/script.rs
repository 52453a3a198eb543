//! Written-down dialogues of several connections, said to both servers.

use crate::sides::{Sides, words};

const CASES: &str = include_str!("cases.txt");

fn say(hello: &str) {
    let Some(mut sides) = Sides::start(&["--slowlog-log-slower-than", "0", "--enable-debug-command", "yes"])
    else {
        return;
    };
    for line in CASES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (who, line) = match line.split_once(": ") {
            Some((who, rest)) if who.len() == 1 => (who.chars().next().expect("one"), rest),
            _ => ('1', line),
        };
        if line == "hello" {
            sides.same(who, &["hello", hello]);
            continue;
        }
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        sides.same(who, &words);
    }
}

#[test]
fn dialogues_are_the_same_in_resp2() {
    say("2");
}

#[test]
fn dialogues_are_the_same_in_resp3() {
    say("3");
}
