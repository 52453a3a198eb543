//! Who waits for a key: the events and invalidations of being served, and messages that come in the meantime.

use std::time::Duration;

use e2e::{Server, wait_for};
use slotcore::resp::Reply;

use super::sides::Sides;
use crate::NODE;

#[test]
fn serving_has_stocks_events() {
    let directives = ["--notify-keyspace-events", "KEAnm"];
    let Some(mut sides) = Sides::start(&directives, &["2", "3", "2"]) else {
        return;
    };
    sides.same(1, &[&["PSUBSCRIBE", "__key*@*__:*"]]);
    for wait in [
        &["BLPOP", "k", "0"] as &[&str],
        &["BLPOP", "other", "k", "0"],
        &["BRPOP", "k", "other", "0"],
        &["BLMPOP", "0", "2", "other", "k", "LEFT", "COUNT", "2"],
        &["BLMOVE", "k", "dst", "LEFT", "RIGHT", "0"],
        &["BRPOPLPUSH", "k", "dst", "0"],
        &["BRPOPLPUSH", "k", "k", "0"],
    ] {
        for made in [
            &[&["RPUSH", "k", "a"] as &[&str]] as &[&[&str]],
            &[&["LPUSH", "k", "a", "b", "c"]],
            &[&["MULTI"], &["RPUSH", "k", "a"], &["SET", "x", "1"], &["EXEC"]],
            &[&["RPUSH", "src", "a"], &["RENAME", "src", "k"]],
            &[&["RPUSH", "src", "a"], &["LMOVE", "src", "k", "LEFT", "LEFT"]],
        ] {
            sides.wait_in(2, wait);
            sides.same(0, made);
            sides.same(0, &[&["DEL", "k", "dst", "src", "other"]]);
        }
    }
    for wait in [
        &["BZPOPMIN", "other", "z", "0"] as &[&str],
        &["BZPOPMAX", "z", "0"],
        &["BZMPOP", "0", "2", "other", "z", "MIN", "COUNT", "2"],
    ] {
        for made in [
            &[&["ZADD", "z", "1", "a"] as &[&str]] as &[&[&str]],
            &[&["ZADD", "z", "1", "a", "2", "b", "3", "c"]],
            &[&["ZADD", "src", "1", "a"], &["ZUNIONSTORE", "z", "1", "src"]],
            &[&["GEOADD", "z", "13", "38", "a"]],
        ] {
            sides.wait_in(2, wait);
            sides.same(0, made);
            sides.same(0, &[&["DEL", "z", "src", "other"]]);
        }
    }
    // A destination of another type.
    sides.same(0, &[&["SET", "string", "1"]]);
    sides.wait_in(2, &["BLMOVE", "k", "string", "LEFT", "LEFT", "0"]);
    sides.same(0, &[&["RPUSH", "k", "a"]]);
}

#[test]
fn serving_makes_copies_stale() {
    let Some(mut sides) = Sides::start(&[], &["3", "3", "2", "3"]) else {
        return;
    };
    sides.same(1, &[&["CLIENT", "TRACKING", "on"]]);
    for (wait, made) in [
        (
            &["BLPOP", "k", "0"] as &[&str],
            &[&["RPUSH", "k", "a"] as &[&str]] as &[&[&str]],
        ),
        (
            &["BLMOVE", "k", "dst", "LEFT", "RIGHT", "0"],
            &[&["RPUSH", "k", "a", "b"]],
        ),
        (
            &["BRPOPLPUSH", "k", "dst", "0"],
            &[&["MULTI"], &["RPUSH", "k", "a"], &["EXEC"]],
        ),
    ] {
        sides.same(1, &[&["LLEN", "k"], &["LRANGE", "dst", "0", "-1"]]);
        sides.wait_in(2, wait);
        sides.same(0, made);
        sides.same(1, &[&["LLEN", "k"], &["LRANGE", "dst", "0", "-1"]]);
        sides.same(0, &[&["DEL", "k", "dst"]]);
    }
    // Whoever waits may track, too: what serves it is a change by another client.
    sides.same(
        3,
        &[&["CLIENT", "TRACKING", "on"], &["LLEN", "k"], &["LLEN", "dst"]],
    );
    sides.wait_in(3, &["BLMOVE", "k", "dst", "LEFT", "RIGHT", "0"]);
    let kind = |reply: &Reply| format!("{reply:?}");
    sides.same_frames(0, &[&["RPUSH", "k", "a"]], kind);
}

/// Who listens to what serves it hears all of it. That its reply comes last is a difference
/// that is told of; stock puts events of BZPOPMIN within its reply.
#[test]
fn who_waits_hears_of_being_served() {
    let directives = ["--notify-keyspace-events", "KEA"];
    let Some(mut sides) = Sides::start(&directives, &["3", "3"]) else {
        return;
    };
    sides.same(1, &[&["PSUBSCRIBE", "__keyevent*"]]);
    for wait in [
        &["BLPOP", "k", "0"] as &[&str],
        &["BLMOVE", "k", "dst", "LEFT", "RIGHT", "0"],
    ] {
        sides.wait_in(1, wait);
        sides.same_frames(0, &[&["RPUSH", "k", "a"]], |frame| format!("{frame:?}"));
    }
}

/// A key that is told of by its prefix, not because it was read.
#[test]
fn serving_is_told_of_by_prefix() {
    let Some(mut sides) = Sides::start(&[], &["3", "3", "2"]) else {
        return;
    };
    sides.same(1, &[&["CLIENT", "TRACKING", "on", "BCAST", "PREFIX", "dst"]]);
    sides.wait_in(2, &["BLMOVE", "k", "dst", "LEFT", "RIGHT", "0"]);
    sides.same(0, &[&["RPUSH", "k", "a"]]);
    sides.wait_in(2, &["BRPOPLPUSH", "k", "dst2", "0"]);
    sides.same(0, &[&["MULTI"], &["RPUSH", "k", "a"], &["EXEC"]]);
}

#[test]
fn messages_come_while_a_client_waits() {
    let Some(mut sides) = Sides::start(&[], &["2", "3"]) else {
        return;
    };
    let id = sides.id(1);
    sides.same(1, &[&["SUBSCRIBE", "news"], &["PSUBSCRIBE", "n*"]]);
    sides.wait_in(1, &["BLPOP", "k", "0"]);
    sides.same_fields(
        0,
        &["CLIENT", "LIST", "ID", &id],
        &["flags=", "sub=", "psub=", "cmd="],
    );
    let (ours, stock) = sides.replies(0, &["PUBLISH", "news", "first"]);
    assert_eq!((&ours, &stock), (&Reply::Integer(2), &Reply::Integer(2)));
    let messages = sides.next_messages(1, 2);
    assert_eq!(messages, ["message news first", "pmessage n* news first"]);
    sides.same(0, &[&["RPUSH", "k", "a"]]);
    for end in [
        &["CLIENT", "UNBLOCK", &id] as &[&str],
        &["CLIENT", "UNBLOCK", &id, "ERROR"],
    ] {
        sides.wait_in(1, &["BLPOP", "k", "0"]);
        sides.same(0, &[end]);
    }
    sides.same(0, &[&["PUBSUB", "NUMSUB", "news"], &["PUBSUB", "NUMPAT"]]);
}

/// However a client goes that waits, listens and tracks, nothing of it stays.
#[test]
fn nothing_stays_of_a_client_that_has_waited_and_listened() {
    let server = Server::slotmark(NODE, &[]);
    let mut asker = server.client();
    for how in ["kill", "close", "reset", "quit"] {
        let mut client = server.client();
        client.cmd(&["HELLO", "3"]);
        let Reply::Integer(id) = client.cmd(&["CLIENT", "ID"]) else {
            panic!("no number")
        };
        client.cmd(&["CLIENT", "TRACKING", "on"]);
        client.cmd(&["LLEN", "k"]);
        client.cmd(&["SUBSCRIBE", "news"]);
        client.send(b"BLPOP k other 0\r\n");
        wait_for("the client to wait", Duration::from_secs(5), || {
            info(&mut asker, "blocked_clients:1").then_some(())
        });
        match how {
            "kill" => drop(asker.cmd(&["CLIENT", "KILL", "ID", &id.to_string()])),
            "close" => drop(client),
            word => {
                client.send(format!("{word}\r\n").as_bytes());
                asker.cmd(&["CLIENT", "UNBLOCK", &id.to_string()]);
            }
        }
        wait_for(how, Duration::from_secs(5), || {
            let left = asker.cmd(&["PUBSUB", "NUMSUB", "news"]);
            let nobody = Reply::Array(vec![Reply::Bulk(b"news".to_vec()), Reply::Integer(0)]);
            let is_gone = left == nobody
                && info(&mut asker, "blocked_clients:0")
                && info(&mut asker, "tracking_clients:0");
            is_gone.then_some(())
        });
        // Nobody takes what comes.
        assert_eq!(asker.cmd(&["RPUSH", "k", "a"]), Reply::Integer(1));
        assert_eq!(asker.cmd(&["LPOP", "k"]), Reply::Bulk(b"a".to_vec()));
    }
}

fn info(asker: &mut e2e::Client, line: &str) -> bool {
    let text = asker.cmd(&["INFO", "clients"]);
    text.as_str()
        .is_some_and(|text| text.lines().any(|found| found == line))
}
