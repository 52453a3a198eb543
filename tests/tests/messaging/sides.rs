//! The same commands from several clients to our node and to stock: what every client has received must be the same.

use e2e::{Client, Server};
use slotcore::resp::{Reply, ReplyLimits, encode_command, parse_reply};

/// One server with its clients.
struct Side {
    clients: Vec<Client>,
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
            steps: 0,
        }
    }

    /// Sends commands as one piece, and returns what every client has got until a PING after them is answered.
    fn step(&mut self, who: usize, commands: &[&[&str]]) -> Vec<Vec<u8>> {
        self.steps += 1;
        let mut bytes = Vec::new();
        for words in commands {
            let args: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
            encode_command(&mut bytes, &args);
        }
        self.clients[who].send(&bytes);
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
        Some(Self {
            ours: Side::new(&ours, protocols),
            stock: Side::new(&stock, protocols),
            history: Vec::new(),
            servers: (ours, stock),
        })
    }

    /// New clients on the same servers.
    pub fn reconnect(&mut self, protocols: &[&str]) {
        self.ours = Side::new(&self.servers.0, protocols);
        self.stock = Side::new(&self.servers.1, protocols);
        self.history.clear();
    }

    fn both(&mut self, who: usize, commands: &[&[&str]]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let words: Vec<String> = commands.iter().map(|words| words.join(" ")).collect();
        self.history.push(format!("client {who}: {}", words.join("; ")));
        (self.ours.step(who, commands), self.stock.step(who, commands))
    }

    /// Client `who` sends commands as one piece; afterwards all clients must have got the same bytes.
    #[track_caller]
    pub fn same(&mut self, who: usize, commands: &[&[&str]]) {
        let (ours, stock) = self.both(who, commands);
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

    /// What client `who` of ours, and of stock, gets as the reply to a command.
    pub fn replies(&mut self, who: usize, words: &[&str]) -> (Reply, Reply) {
        (
            self.ours.clients[who].cmd(words),
            self.stock.clients[who].cmd(words),
        )
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
