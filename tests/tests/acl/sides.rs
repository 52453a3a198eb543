//! Our node and stock, and connections to both that do the same.

use std::collections::BTreeMap;

use e2e::{Client, Server};
use slotcore::resp::Reply;

use crate::NODE;
use crate::canonical::canonical;

/// A connection to each.
pub struct Pair {
    ours: Client,
    stock: Client,
}

/// Both servers, and pairs of connections by name.
pub struct Sides {
    pub node: Server,
    pub stock: Server,
    pairs: BTreeMap<char, Pair>,
}

impl Sides {
    /// Starts both with the same directives.
    pub fn start(directives: &[&str]) -> Option<Self> {
        let stock = Server::stock(directives)?;
        Some(Self {
            node: Server::slotmark(NODE, directives),
            stock,
            pairs: BTreeMap::new(),
        })
    }

    /// The replies of ours and of stock to the same command, from the connections of this name.
    pub fn run(&mut self, who: char, args: &[Vec<u8>]) -> (String, String) {
        let (node, stock) = (&self.node, &self.stock);
        let pair = self.pairs.entry(who).or_insert_with(|| Pair {
            ours: node.client(),
            stock: stock.client(),
        });
        let slices: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let show = |reply: std::io::Result<Reply>| match reply {
            Ok(reply) => canonical(args, &reply),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => "nothing".into(),
            Err(_) => "closed".into(),
        };
        (
            show(pair.ours.try_cmd_bytes(&slices)),
            show(pair.stock.try_cmd_bytes(&slices)),
        )
    }

    /// As [`Sides::run`], for words; both must reply alike.
    pub fn same(&mut self, who: char, words: &[&str]) -> String {
        let args: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        let (ours, stock) = self.run(who, &args);
        assert_eq!(ours, stock, "left is ours, right is stock's: {who}: {words:?}");
        ours
    }

    /// The connections of this name are new ones from here on.
    pub fn drop_pair(&mut self, who: char) {
        self.pairs.remove(&who);
    }
}

/// A command as one would type it: words, or quoted with `"`.
pub fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
