//! docs/workload-format.md against the reader: its examples are read, its errors are the reader's, and its tables name
//! every key, command and bound there is.
#![allow(clippy::unwrap_used)]

use workloads::Spec;
use workloads::command;
use workloads::spec::{
    MAX_CLIENTS, MAX_KEY_SIZE, MAX_KEYS, MAX_KEYS_PER_COMMAND, MAX_MIX, MAX_PIPELINE, MAX_VALUE_SIZE,
};

const PAGE: &str = include_str!("../../docs/workload-format.md");

/// A fenced block: what stands behind the opening fence, and the text within.
struct Block {
    info: &'static str,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut inside = false;
    for line in PAGE.lines() {
        match line.strip_prefix("```") {
            Some(info) if !inside => {
                inside = true;
                found.push(Block {
                    info,
                    text: String::new(),
                });
            }
            Some(_) => inside = false,
            None if inside => {
                let block = found.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!inside, "every block is closed");
    found
}

fn parse(text: &str) -> Result<Spec, String> {
    Spec::parse("mine", "mine.toml", text).map_err(|error| error.to_string())
}

/// The list in an error that ends in `; known here: a, b` or `; there are A, B`.
fn listed(error: &str, before: &str) -> Vec<String> {
    let (_, list) = error.split_once(before).unwrap_or_else(|| panic!("{error}"));
    list.split(", ").map(str::to_owned).collect()
}

#[test]
fn examples_are_workloads() {
    let mut count = 0;
    for block in blocks().iter().filter(|block| block.info == "toml") {
        let spec = parse(&block.text).unwrap_or_else(|error| panic!("{error}\n{}", block.text));
        spec.compile(1).unwrap();
        count += 1;
    }
    assert!(count >= 5, "{count} examples");
}

#[test]
fn errors_are_those_of_the_reader() {
    let blocks = blocks();
    let mut count = 0;
    for pair in blocks.windows(2).filter(|pair| pair[0].info == "toml refused") {
        assert_eq!(pair[1].info, "text", "an error follows\n{}", pair[0].text);
        assert_eq!(
            parse(&pair[0].text).unwrap_err(),
            pair[1].text.trim_end(),
            "{}",
            pair[0].text
        );
        count += 1;
    }
    assert!(count >= 5, "{count} errors");
}

#[test]
fn the_defaults_are_an_empty_file() {
    let blocks = blocks();
    let defaults = blocks.iter().rfind(|block| block.info == "toml").unwrap();
    let shown = |text: &str| toml::to_string(&parse(text).unwrap()).unwrap();
    assert_eq!(shown(&defaults.text), shown(""));
}

#[test]
fn every_key_has_a_row() {
    const NONSENSE: &str = "absolutely_unknown_key = 1\n";
    let sections = listed(&parse(NONSENSE).unwrap_err(), "known here: ");
    assert!(sections.contains(&"keyspace".to_owned()));
    for section in sections {
        let header = match section.as_str() {
            "question" | "expectation" | "reading" => {
                assert!(
                    PAGE.contains(&format!("\n| `{section}` |")),
                    "{section} has a row"
                );
                continue;
            }
            "preload" | "mix" | "fault" => format!("[[{section}]]"),
            section => format!("[{section}]"),
        };
        assert!(
            PAGE.contains(&format!("\n## {header}: ")),
            "{header} has a heading"
        );
        let keys = listed(
            &parse(&format!("{header}\n{NONSENSE}")).unwrap_err(),
            "known here: ",
        );
        for key in keys {
            assert!(
                PAGE.contains(&format!("\n| `{section}.{key}` |")),
                "{section}.{key} has a row"
            );
        }
    }
}

#[test]
fn every_command_and_every_bound_is_named() {
    for name in command::names() {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
    for (low, high) in [
        (1, MAX_KEYS),
        (1, MAX_KEY_SIZE.into()),
        (1, MAX_KEYS_PER_COMMAND.into()),
        (0, MAX_VALUE_SIZE.into()),
        (1, MAX_CLIENTS.into()),
        (1, MAX_PIPELINE.into()),
    ] {
        let range = format!("| {low} to {} |", grouped(high));
        assert!(PAGE.contains(&range), "{range}");
    }
    assert!(PAGE.contains(&format!("1 to {MAX_MIX} of them")));
}

/// `1024` as `1_024`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap())
        .collect();
    groups.join("_")
}
