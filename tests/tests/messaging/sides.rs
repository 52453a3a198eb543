//! The same commands from several clients to our node and to stock: what every client has received must be the same.

use std::time::Duration;

use e2e::{Client, Server, wait_for};
use slotcore::resp::{Reply, ReplyLimits, encode_command, parse_reply};

/// One server with its clients.
struct Side {
    clients: Vec<Client>,
    /// Whoever has its answer knows that stock is through with what was sent before.
    witness: Client,
    steps: usize,
}

/// Our node and stock, with as many clients each.
pub struct Sides {
    ours: Side,
    stock: Side,
    history: Vec<String>,
    servers: (Server, Server),
}

impl Side {
    fn new(server: &Server, protocols: &[&str]) -> Self {
        let connect = |proto: &&str| {
            let mut client = server.client();
            client.cmd(&["HELLO", proto]);
            client
        };
        Self {
            clients: protocols.iter().map(connect).collect(),
            witness: server.client(),
            steps: 0,
        }
    }

    /// Sends commands as one piece, and returns what every client has got until a PING after them is answered.
    fn step(&mut self, who: usize, commands: &[&[&[u8]]]) -> Vec<Vec<u8>> {
        self.steps += 1;
        let mut bytes = Vec::new();
        commands.iter().for_each(|args| encode_command(&mut bytes, args));
        self.clients[who].send(&bytes);
        self.witness.cmd(&["PING"]);
        let mark = format!("end-of-step-{}", self.steps);
        let mut order: Vec<usize> = (0..self.clients.len()).collect();
        order.swap(0, who);
        let mut got = vec![Vec::new(); order.len()];
        for client in order {
            let mut ping = Vec::new();
            encode_command(&mut ping, &[b"PING", mark.as_bytes()]);
            self.clients[client].send(&ping);
            got[client] = self.clients[client].read_until(format!("{mark}\r\n").as_bytes());
        }
        got
    }
}

impl Sides {
    /// Starts both; one client for each protocol. `None`: the test was told to skip.
    pub fn start(directives: &[&str], protocols: &[&str]) -> Option<Self> {
        let stock = Server::stock(directives)?;
        let ours = Server::slotmark(crate::NODE, directives);
        align(&ours, &stock);
        Some(Self {
            ours: Side::new(&ours, protocols),
            stock: Side::new(&stock, protocols),
            history: Vec::new(),
            servers: (ours, stock),
        })
    }

    /// New clients on the same servers.
    pub fn reconnect(&mut self, protocols: &[&str]) {
        self.ours.clients.clear();
        self.stock.clients.clear();
        for server in [&self.servers.0, &self.servers.1] {
            let mut asker = server.client();
            wait_for("the old clients to be gone", Duration::from_secs(5), || {
                let list = asker.cmd(&["CLIENT", "LIST", "TYPE", "pubsub"]);
                list.as_str()?.is_empty().then_some(())
            });
        }
        align(&self.servers.0, &self.servers.1);
        self.ours = Side::new(&self.servers.0, protocols);
        self.stock = Side::new(&self.servers.1, protocols);
        self.history.clear();
    }

    fn both(&mut self, who: usize, commands: &[&[&str]]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let words: Vec<String> = commands.iter().map(|words| words.join(" ")).collect();
        self.history.push(format!("client {who}: {}", words.join("; ")));
        let commands: Vec<Vec<&[u8]>> = commands
            .iter()
            .map(|words| words.iter().map(|word| word.as_bytes()).collect())
            .collect();
        let commands: Vec<&[&[u8]]> = commands.iter().map(Vec::as_slice).collect();
        (self.ours.step(who, &commands), self.stock.step(who, &commands))
    }

    /// Client `who` sends commands as one piece; afterwards all clients must have got the same bytes.
    #[track_caller]
    pub fn same(&mut self, who: usize, commands: &[&[&str]]) {
        let got = self.both(who, commands);
        self.assert_same(got);
    }

    /// As [`Sides::same`], for arguments of any bytes.
    #[track_caller]
    pub fn same_bytes(&mut self, who: usize, commands: &[&[&[u8]]]) {
        self.history.push(format!("client {who}: {commands:?}"));
        let got = (self.ours.step(who, commands), self.stock.step(who, commands));
        self.assert_same(got);
    }

    /// Words of the text that a command replies, those that begin with one of these, are the same.
    #[track_caller]
    pub fn same_fields(&mut self, who: usize, command: &[&str], fields: &[&str]) {
        let words = |reply: &Reply| -> Vec<String> {
            let text = reply.as_str().unwrap_or_else(|| panic!("no text: {reply:?}"));
            let is_asked = |word: &&str| fields.iter().any(|field| word.starts_with(field));
            text.split_ascii_whitespace()
                .filter(is_asked)
                .map(str::to_owned)
                .collect()
        };
        let (ours, stock) = self.replies(who, command);
        assert_eq!(words(&ours), words(&stock), "after:\n{}", self.history.join("\n"));
    }

    /// The next messages that a client gets on both sides, which must be the same.
    #[track_caller]
    pub fn next_messages(&mut self, who: usize, count: usize) -> Vec<String> {
        let next = |side: &mut Side| -> Vec<String> {
            (0..count)
                .map(|_| match side.clients[who].reply() {
                    Reply::Array(parts) | Reply::Push(parts) => show_parts(&parts),
                    other => panic!("no message: {other:?}"),
                })
                .collect()
        };
        let (ours, stock) = (next(&mut self.ours), next(&mut self.stock));
        assert_eq!(ours, stock);
        ours
    }

    #[track_caller]
    fn assert_same(&self, (ours, stock): (Vec<Vec<u8>>, Vec<Vec<u8>>)) {
        let show = |got: Vec<Vec<u8>>| -> Vec<String> {
            got.iter().map(|bytes| bytes.escape_ascii().to_string()).collect()
        };
        assert_eq!(
            show(ours),
            show(stock),
            "left is ours, right is stock's, to the last of these:\n{}",
            self.history.join("\n")
        );
    }

    /// As [`Sides::same`], with the frames of each client in any order, and each turned into text by `show`.
    #[track_caller]
    pub fn same_frames(&mut self, who: usize, commands: &[&[&str]], show: impl Fn(&Reply) -> String) {
        let (ours, stock) = self.both(who, commands);
        let sorted = |got: Vec<Vec<u8>>| -> Vec<Vec<String>> {
            got.iter()
                .map(|bytes| {
                    let mut shown: Vec<String> = frames(bytes).iter().map(&show).collect();
                    shown.sort();
                    shown
                })
                .collect()
        };
        assert_eq!(
            sorted(ours),
            sorted(stock),
            "left is ours, right is stock's, to the last of these:\n{}",
            self.history.join("\n")
        );
    }

    /// Has client `who` begin a command that waits, and waits until both servers say that it does. Its reply is among what
    /// it gets in a later step.
    pub fn wait_in(&mut self, who: usize, words: &[&str]) {
        self.history
            .push(format!("client {who} waits: {}", words.join(" ")));
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let mut bytes = Vec::new();
        encode_command(&mut bytes, &words);
        for side in [&mut self.ours, &mut self.stock] {
            side.clients[who].send(&bytes);
            wait_for("the client to wait", Duration::from_secs(5), || {
                let info = side.witness.cmd(&["INFO", "clients"]);
                info.as_str()?.contains("blocked_clients:1\r\n").then_some(())
            });
        }
    }

    /// The number of a client, the same on both sides.
    pub fn id(&mut self, who: usize) -> String {
        match self.replies(who, &["CLIENT", "ID"]) {
            (Reply::Integer(ours), Reply::Integer(stock)) if ours == stock => ours.to_string(),
            other => panic!("the numbers differ: {other:?}"),
        }
    }

    /// Ends a client's connections, and waits until both servers have noticed.
    pub fn close(&mut self, who: usize, id: &str) {
        for (side, server) in [
            (&mut self.ours, &self.servers.0),
            (&mut self.stock, &self.servers.1),
        ] {
            side.clients[who] = server.client();
            let mut other = server.client();
            wait_for("the connection to be gone", Duration::from_secs(5), || {
                let list = other.cmd(&["CLIENT", "LIST", "ID", id]);
                list.as_str()?.is_empty().then_some(())
            });
        }
    }

    /// What client `who` of ours, and of stock, gets as the reply to a command.
    pub fn replies(&mut self, who: usize, words: &[&str]) -> (Reply, Reply) {
        (
            self.ours.clients[who].cmd(words),
            self.stock.clients[who].cmd(words),
        )
    }
}

fn show_parts(parts: &[Reply]) -> String {
    let words = parts.iter().map(|part| match part {
        Reply::Array(parts) => show_parts(parts),
        part => part.as_str().map_or_else(|| format!("{part:?}"), str::to_owned),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Has the next connections of both servers get the same numbers.
fn align(ours: &Server, stock: &Server) {
    let number = |server: &Server| match server.client().cmd(&["CLIENT", "ID"]) {
        Reply::Integer(number) => number,
        other => panic!("no number: {other:?}"),
    };
    let (mut a, mut b) = (number(ours), number(stock));
    while a != b {
        match a < b {
            true => a = number(ours),
            false => b = number(stock),
        }
    }
}

/// All replies and messages in these bytes.
pub fn frames(mut bytes: &[u8]) -> Vec<Reply> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (frame, used) = parse_reply(bytes, &ReplyLimits::default())
            .expect("well-formed")
            .expect("whole");
        found.push(frame);
        bytes = &bytes[used..];
    }
    found
}
