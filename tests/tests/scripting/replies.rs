//! The same scripts and commands to both, one after the other: the same bytes come back.

use e2e::{Client, Server};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::NODE;

/// One script a line.
const LANGUAGE: &str = include_str!("language.txt");
const LIBRARIES: &str = include_str!("libraries.txt");
/// One command a line, its words apart by tabs, with `\n` and `\\` for what a line cannot have.
const COMMANDS: &str = include_str!("commands.txt");

/// Addresses of tables and functions are of the process alone.
fn without_addresses(reply: &[u8]) -> String {
    let text = String::from_utf8_lossy(reply);
    let mut parts = text.split(": 0x");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(": ADDRESS");
        plain.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    // The length in front of such a text is that of the address, too.
    if plain.contains("ADDRESS") {
        plain.retain(|c| !c.is_ascii_digit());
    }
    plain
}

fn unescaped(word: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            c => c,
        };
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    bytes
}

/// Sends all to both, and counts how many were compared.
fn compare(commands: &[Vec<Vec<u8>>], resp3: bool) -> usize {
    let Some(stock) = Server::stock(&[]) else { return 0 };
    let ours = Server::slotmark(NODE, &["--slotmark-workers", "1"]);
    let mut clients: [Client; 2] = [stock.client(), ours.client()];
    if resp3 {
        clients.iter_mut().for_each(|client| {
            client.raw(&[b"HELLO", b"3"]);
        });
    }
    let mut differences = Vec::new();
    for command in commands {
        let args: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
        let [theirs, mine] = clients
            .each_mut()
            .map(|client| without_addresses(&client.raw(&args)));
        if theirs != mine {
            let shown: Vec<_> = args.iter().map(|arg| arg.escape_ascii().to_string()).collect();
            differences.push(format!("{shown:?}\n  stock {theirs:?}\n  ours  {mine:?}"));
        }
    }
    assert!(
        differences.is_empty(),
        "{} of {} differ:\n{}",
        differences.len(),
        commands.len(),
        differences.join("\n")
    );
    commands.len()
}

fn scripts(text: &str) -> Vec<Vec<Vec<u8>>> {
    text.lines()
        .map(|line| vec![b"EVAL".to_vec(), line.as_bytes().to_vec(), b"0".to_vec()])
        .collect()
}

#[test]
fn the_language_and_its_sandbox_are_stocks() {
    for resp3 in [false, true] {
        compare(&scripts(LANGUAGE), resp3);
    }
}

#[test]
fn the_libraries_are_stocks() {
    compare(&scripts(LIBRARIES), false);
}

/// Decoders of bytes that come from anywhere.
const DECODERS: &[&str] = &[
    "local r = {pcall(cmsgpack.unpack, ARGV[1])} for i = 1, #r do r[i] = type(r[i]) == 'table' and cjson.encode(#r[i]) or tostring(r[i]) end return r",
    "local ok, v = pcall(cjson.decode, ARGV[1]) return {tostring(ok), type(v) == 'table' and #v or tostring(v)}",
    "local r = {pcall(struct.unpack, ARGV[2], ARGV[1])} for i = 1, #r do r[i] = tostring(r[i]) end return r",
    "local r = {pcall(cmsgpack.unpack_limit, ARGV[1], 2, 1)} for i = 1, #r do r[i] = type(r[i]) end return r",
];

#[test]
fn random_bytes_are_decoded_as_in_stock() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let json: &[&str] = &[
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"a\"",
        "1",
        "-0.5e1",
        "null",
        "true",
        " ",
        "\"\\u00e9\"",
        "x",
        "\"",
        "0x1",
        "nan",
    ];
    let formats: &[&str] = &[
        "b", "B", "h", ">", "<", "!", "!4", "i3", "I5", "d", "f", "s", "c0", "c2", "l", "x", " ", "q",
    ];
    let mut commands = Vec::new();
    for i in 0..600 {
        let decoder = DECODERS[i % DECODERS.len()];
        let bytes: Vec<u8> = if i % DECODERS.len() == 1 {
            let words = (0..rng.random_range(1..9)).map(|_| json[rng.random_range(0..json.len())]);
            words.collect::<String>().into_bytes()
        } else {
            (0..rng.random_range(0..20))
                .map(|_| match rng.random_range(0..4) {
                    0 => rng.random_range(0x80..=0xff),
                    1 => rng.random_range(0..4),
                    _ => rng.random(),
                })
                .collect()
        };
        let format: String = (0..rng.random_range(1..5))
            .map(|_| formats[rng.random_range(0..formats.len())])
            .collect();
        commands.push(vec![
            b"EVAL".to_vec(),
            decoder.as_bytes().to_vec(),
            b"0".to_vec(),
            bytes,
            format.into_bytes(),
        ]);
    }
    compare(&commands, false);
}

#[test]
fn commands_of_scripts_and_functions_are_stocks() {
    let commands: Vec<Vec<Vec<u8>>> = COMMANDS
        .lines()
        .map(|line| line.split('\t').map(unescaped).collect())
        .collect();
    for resp3 in [false, true] {
        compare(&commands, resp3);
    }
}
