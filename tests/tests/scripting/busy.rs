//! A script that does not end: who is told what, and how it is stopped. One worker, which it holds up.

use std::time::Duration;

use e2e::{Client, Server, wait_for};
use slotcore::resp::Reply;

use super::NODE;

const PATIENCE: Duration = Duration::from_secs(20);
const DIRECTIVES: [&str; 4] = ["--slotmark-workers", "1", "--busy-reply-threshold", "50"];

fn error_of(client: &mut Client, words: &[&str]) -> String {
    match client.cmd(words) {
        Reply::Error(text) => String::from_utf8_lossy(&text).into_owned(),
        other => panic!("{words:?}: {other:?}"),
    }
}

/// A connection that came when the script was slow.
fn client_while_busy(server: &Server) -> Client {
    wait_for("the script to be slow", PATIENCE, || {
        let mut client = Client::try_connect(server.port()).ok()?;
        client.set_patience(Duration::from_millis(200));
        match client.try_cmd(&["PING"]) {
            Ok(Reply::Error(_)) => {
                client.set_patience(PATIENCE);
                Some(client)
            }
            _ => None,
        }
    })
}

fn send(client: &mut Client, words: &[&[u8]]) {
    let mut bytes = Vec::new();
    slotcore::resp::encode_command(&mut bytes, words);
    client.send(&bytes);
}

#[test]
fn a_script_that_only_reads_is_killed() {
    let server = Server::slotmark(NODE, &DIRECTIVES);
    let mut runner = server.client();
    runner.set_patience(PATIENCE);
    assert_eq!(
        error_of(&mut runner, &["SCRIPT", "KILL"]),
        "NOTBUSY No scripts in execution right now."
    );
    for body in [
        &b"while true do end"[..],
        b"while true do pcall(function() while true do end end) end",
        b"local function f() return f() end return f()",
        b"coroutine.wrap(function() while true do end end)()",
    ] {
        send(&mut runner, &[b"EVAL", body, b"0"]);
        let mut other = client_while_busy(&server);
        let busy = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
        assert_eq!(error_of(&mut other, &["GET", "k"]), busy);
        assert_eq!(error_of(&mut other, &["FUNCTION", "STATS"]), busy);
        assert_eq!(other.cmd(&["MULTI"]), Reply::Simple(b"OK".to_vec()));
        assert_eq!(error_of(&mut other, &["GET", "k"]), busy);
        assert!(
            error_of(&mut other, &["EXEC"]).starts_with("EXECABORT Transaction discarded because of: BUSY")
        );
        assert_eq!(other.cmd(&["SCRIPT", "KILL"]), Reply::Simple(b"OK".to_vec()));
        match runner.reply() {
            Reply::Error(text) => {
                assert!(text.starts_with(b"ERR Script killed by user with SCRIPT KILL... script: "))
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(runner.cmd(&["SET", "k", "v"]), Reply::Simple(b"OK".to_vec()));
        assert_eq!(other.cmd(&["GET", "k"]), Reply::Bulk(b"v".to_vec()));
    }
}

#[test]
fn a_function_is_killed_by_its_own_command() {
    let server = Server::slotmark(NODE, &DIRECTIVES);
    let mut runner = server.client();
    runner.set_patience(PATIENCE);
    let code = "#!lua name=l\nredis.register_function('spin', function() while true do end end)";
    assert_eq!(
        runner.cmd(&["FUNCTION", "LOAD", code]),
        Reply::Bulk(b"l".to_vec())
    );
    send(&mut runner, &[b"FCALL", b"spin", b"0"]);
    let mut other = client_while_busy(&server);
    let busy = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
    assert_eq!(error_of(&mut other, &["SCRIPT", "KILL"]), busy);
    let stats = other.raw(&[b"FUNCTION", b"STATS"]);
    let shown = b"$7\r\ncommand\r\n*3\r\n$5\r\nFCALL\r\n$4\r\nspin\r\n$1\r\n0\r\n";
    assert!(
        stats.windows(shown.len()).any(|part| part == shown),
        "{}",
        stats.escape_ascii()
    );
    assert_eq!(other.cmd(&["FUNCTION", "KILL"]), Reply::Simple(b"OK".to_vec()));
    assert!(matches!(runner.reply(), Reply::Error(_)));
}

#[test]
fn a_script_that_has_written_is_not_killed_but_the_server_may_be() {
    let mut server = Server::slotmark(NODE, &DIRECTIVES);
    let mut runner = server.client();
    send(
        &mut runner,
        &[b"EVAL", b"redis.call('set', 'k', 'v') while true do end", b"0"],
    );
    let mut other = client_while_busy(&server);
    assert!(error_of(&mut other, &["SCRIPT", "KILL"]).starts_with("UNKILLABLE "));
    send(&mut other, &[b"SHUTDOWN", b"NOSAVE"]);
    server.process().wait(PATIENCE);
}
