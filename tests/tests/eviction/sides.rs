//! A server of ours and one of stock, and what is asked of them.

use e2e::{Client, Server};
use slotcore::resp::{Reply, encode_command};

use super::NODE;

/// Both, with the same directives; `None` if stock is not installed and may be missing.
pub fn both(directives: &[&str]) -> Option<[(&'static str, Server); 2]> {
    let stock = Server::stock(directives)?;
    Some([("slotmark", Server::slotmark(NODE, directives)), ("stock", stock)])
}

pub fn text(reply: Reply) -> String {
    match reply {
        Reply::Bulk(bytes) | Reply::Verbatim(bytes) | Reply::Simple(bytes) | Reply::Error(bytes) => {
            String::from_utf8(bytes).unwrap()
        }
        other => panic!("{other:?} is no text"),
    }
}

/// A field of INFO.
pub fn info(client: &mut Client, field: &str) -> u64 {
    let all = text(client.cmd(&["INFO", "all"]));
    let line = all
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {field} in {all}"))
        .parse()
        .unwrap()
}

pub fn set(client: &mut Client, directive: &str, value: &str) {
    let reply = client.cmd(&["CONFIG", "SET", directive, value]);
    assert_eq!(reply, Reply::Simple("OK".into()), "{directive} {value}");
}

/// Sends commands in one go, and returns their replies.
pub fn all(client: &mut Client, commands: &[Vec<Vec<u8>>]) -> Vec<Reply> {
    let mut replies = Vec::with_capacity(commands.len());
    for batch in commands.chunks(100) {
        let mut out = Vec::new();
        for command in batch {
            let args: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
            encode_command(&mut out, &args);
        }
        client.send(&out);
        replies.extend(batch.iter().map(|_| client.reply()));
    }
    replies
}

pub fn words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// How many of these keys there are.
pub fn count(client: &mut Client, keys: impl Iterator<Item = String>) -> usize {
    let asked: Vec<_> = keys.map(|key| words(&["EXISTS", &key])).collect();
    let there = |reply: &Reply| *reply == Reply::Integer(1);
    all(client, &asked).iter().filter(|reply| there(reply)).count()
}
