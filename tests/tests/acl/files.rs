//! Users in files: read, written, exchanged with stock, and refused.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use e2e::{Client, Process, Server, wait_for};
use slotcore::resp::Reply;

use crate::NODE;
use crate::canonical::canonical;

fn ok() -> Reply {
    Reply::Simple(b"OK".to_vec())
}

fn list(client: &mut Client) -> String {
    let args = [b"acl".to_vec(), b"list".to_vec()];
    canonical(&args, &client.cmd(&["acl", "list"]))
}

/// Each server with a file of users of its own.
fn with_file(program: &str, text: &str) -> Server {
    let prepare = |dir: &Path| fs::write(dir.join("users.acl"), text).expect("a file");
    Server::start(Path::new(program), &["--aclfile", "users.acl"], prepare)
}

const TEXTS: &[&str] = &[
    "foo bar\n",
    "user\n",
    "user a on\nuser a off\n",
    "user a on +foo >x +bar @@ zz\n",
    "user a (+get ~x) on\n",
    "\n  user b on   \n\tuser c on\t\n",
    "user d +get|x +config|\n",
    "user e (+foo)\n",
    "user default on nopass ~* +@all\nuser z on >p\n",
    "USER x on\n",
    "# c\n",
    "user a on )\n",
    "user a on #abc\n",
    "user a on ~a ~* ~b\n",
    "",
];

#[test]
fn texts_are_taken_and_refused_alike() {
    if !e2e::have("redis-server") {
        e2e::skip("redis-server is not on PATH");
        return;
    }
    let servers = [NODE, "redis-server"].map(|program| with_file(program, ""));
    let mut clients = servers.each_ref().map(Server::client);
    for text in TEXTS {
        let said: Vec<(String, String)> = servers
            .iter()
            .zip(&mut clients)
            .map(|(server, client)| {
                fs::write(server.dir().join("users.acl"), text).expect("a file");
                (format!("{:?}", client.cmd(&["acl", "load"])), list(client))
            })
            .collect();
        assert_eq!(said[0], said[1], "{text:?}");
    }
    for (server, client) in servers.iter().zip(&mut clients) {
        fs::remove_file(server.dir().join("users.acl")).expect("it is there");
        let Reply::Error(text) = client.cmd(&["acl", "load"]) else {
            panic!("no file")
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(
            text.starts_with("ERR Error loading ACLs, opening file 'users.acl': No such file"),
            "{text}"
        );
    }
}

#[test]
fn a_parenthesis_that_nobody_closes_is_told() {
    let server = with_file(NODE, "");
    fs::write(server.dir().join("users.acl"), "user a on (+get\n").expect("a file");
    let Reply::Error(text) = server.client().cmd(&["acl", "load"]) else {
        panic!("taken")
    };
    assert!(text.starts_with(b"ERR users.acl:1: Unmatched parentheses in selector definition."));
}

#[test]
fn files_are_exchanged_with_stock_both_ways() {
    if !e2e::have("redis-server") {
        e2e::skip("redis-server is not on PATH");
        return;
    }
    let servers = [NODE, "redis-server"].map(|program| with_file(program, ""));
    let mut clients = servers.each_ref().map(Server::client);
    let users: &[&[&str]] = &[
        &[
            "a",
            "on",
            ">p",
            ">q",
            "~x*",
            "%R~r",
            "%W~w",
            "&c*",
            "+@read",
            "-get",
            "+config|get",
            "+select|0",
        ],
        &[
            "b",
            "on",
            "nopass",
            "allkeys",
            "allchannels",
            "+@all",
            "-@admin",
            "-debug",
            "(+set ~s)",
            "(+get &z %R~*)",
        ],
        &["c", "skip-sanitize-payload"],
        &["default", "+@all", "-keys", ">secret"],
    ];
    for client in &mut clients {
        for user in users {
            assert_eq!(client.cmd(&[&["acl", "setuser"], *user].concat()), ok());
        }
        assert_eq!(client.cmd(&["acl", "save"]), ok());
    }
    let [ours, stocks] = servers
        .each_ref()
        .map(|server| fs::read(server.dir().join("users.acl")).expect("saved"));
    fs::write(servers[0].dir().join("users.acl"), &stocks).expect("a file");
    fs::write(servers[1].dir().join("users.acl"), &ours).expect("a file");
    let mut before = list(&mut clients[0]);
    assert_eq!(before, list(&mut clients[1]));
    for client in &mut clients {
        assert_eq!(client.cmd(&["acl", "load"]), ok());
        assert_eq!(list(client), before);
    }
    // Connections of users go when the file is read again, and the default user's stay.
    for (server, client) in servers.iter().zip(&mut clients) {
        let mut user = server.client();
        assert_eq!(user.cmd(&["auth", "b", ""]), ok());
        assert_eq!(client.cmd(&["acl", "load"]), ok());
        assert!(user.try_cmd_bytes(&[b"ping"]).is_err());
        before = list(client);
    }
    assert!(before.contains("user b on nopass"));
    // What can be seen of the file is whole, and nothing is left beside it.
    let beside: Vec<_> = fs::read_dir(servers[0].dir())
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.starts_with("users.acl"))
        .collect();
    assert_eq!(beside, ["users.acl"]);
}

/// Starts a server with a configuration that it must refuse, and returns what it said last.
fn refused(program: &str, text: &str) -> String {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("users.acl"), "user a on\nuser b +nope\n").expect("a file");
    let file = dir.path().join("a.conf");
    let port = e2e::server::free_port();
    fs::write(&file, format!("port {port}\n{text}")).expect("a file");
    let mut command = Command::new(program);
    command.current_dir(dir.path()).arg(&file);
    let mut process = Process::start(&mut command, &dir.path().join("log"));
    wait_for("the server to end", Duration::from_secs(20), || process.ended());
    process.log()
}

#[test]
fn configurations_are_refused_alike() {
    if !e2e::have("redis-server") {
        e2e::skip("redis-server is not on PATH");
        return;
    }
    for (text, said) in [
        (
            "user a on +foo\n",
            "Error loading ACL rule '+foo' for the user named 'a': Unknown command or category name in ACL",
        ),
        (
            "user a on\nuser a off\n",
            "Error in user declaration 'a': Duplicate user found. A user can only be defined once in config files",
        ),
        ("user a foo\n", "': Syntax error"),
        ("user \"a b\" on\n", "Spaces not allowed in ACL usernames"),
        (
            "user a on\naclfile users.acl\n",
            "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is invalid.",
        ),
        (
            "aclfile none.acl\n",
            "Aborting Redis startup because of ACL errors: Error loading ACLs, opening file 'none.acl': No such file or directory",
        ),
        (
            "aclfile users.acl\n",
            "Aborting Redis startup because of ACL errors: users.acl:2: Error in applying operation '+nope': Unknown command or category name in ACL.",
        ),
    ] {
        for program in [NODE, "redis-server"] {
            let log = refused(program, text);
            assert!(log.contains(said), "{program}: {text} {log}");
        }
    }
}

#[test]
fn a_rewritten_configuration_makes_the_same_users_in_both() {
    if !e2e::have("redis-server") {
        e2e::skip("redis-server is not on PATH");
        return;
    }
    let start = |program: &str, dir: &Path, port: u16| {
        let mut command = Command::new(program);
        command
            .current_dir(dir)
            .arg("a.conf")
            .args(["--port", &port.to_string()]);
        Process::start(&mut command, &dir.join("log"))
    };
    let connect = |port: u16| {
        let mut client = wait_for("the server to answer", Duration::from_secs(20), || {
            Client::try_connect(port).ok()
        });
        client.cmd(&["auth", "pw"]);
        client
    };
    for (first, second) in [(NODE, "redis-server"), ("redis-server", NODE)] {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("a.conf");
        fs::write(&file, "save \"\"\nrequirepass pw\nuser old on >x +get ~k\n").expect("a file");
        let port = e2e::server::free_port();
        let process = start(first, dir.path(), port);
        let mut client = connect(port);
        assert_eq!(
            client.cmd(&["acl", "setuser", "new", "on", ">y", "~a*", "+@read", "(+set ~b)"]),
            ok()
        );
        assert_eq!(client.cmd(&["acl", "setuser", "old", "-get", "+set"]), ok());
        assert_eq!(client.cmd(&["config", "rewrite"]), ok());
        // A default user that comes from a line has said so of payloads, in both.
        let users = list(&mut client).replace("default on #", "default on sanitize-payload #");
        drop(process);
        let port = e2e::server::free_port();
        let _process = start(second, dir.path(), port);
        assert_eq!(
            list(&mut connect(port)),
            users,
            "{}",
            fs::read_to_string(&file).expect("text")
        );
    }
}
