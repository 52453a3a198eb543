//! A link to a primary that logs in as a user, both ways, and clients of Python that do.

use std::process::Command;
use std::time::Duration;

use e2e::{Server, wait_for};
use slotcore::resp::Reply;

use crate::NODE;

fn ok() -> Reply {
    Reply::Simple(b"OK".to_vec())
}

#[test]
fn a_replica_logs_in_as_masteruser() {
    for stock_is_primary in [true, false] {
        let directives = ["--requirepass", "secret", "--repl-diskless-sync-delay", "0"];
        let primary = match stock_is_primary {
            true => Server::stock(&directives),
            false => Some(Server::slotmark(NODE, &directives)),
        };
        let Some(primary) = primary else { return };
        let mut admin = primary.client();
        assert_eq!(admin.cmd(&["auth", "secret"]), ok());
        let rules = [
            "acl",
            "setuser",
            "copyist",
            "on",
            ">pw",
            "+psync",
            "+replconf",
            "+ping",
        ];
        assert_eq!(admin.cmd(&rules), ok());
        assert_eq!(admin.cmd(&["set", "k", "v"]), ok());
        let port = primary.port().to_string();
        let ours = ["--masteruser", "copyist", "--masterauth", "pw"];
        let replica = match stock_is_primary {
            true => Some(Server::slotmark(NODE, &ours)),
            false => Server::stock(&ours),
        };
        let Some(replica) = replica else { return };
        let mut client = replica.client();
        assert_eq!(client.cmd(&["replicaof", "127.0.0.1", &port]), ok());
        let copied = |client: &mut e2e::Client, key: &str, value: &str| {
            wait_for("the copy", Duration::from_secs(20), || {
                (client.cmd(&["get", key]) == Reply::Bulk(value.into())).then_some(())
            });
        };
        copied(&mut client, "k", "v");
        assert_eq!(admin.cmd(&["set", "k", "later"]), ok());
        copied(&mut client, "k", "later");
        // The link has all rights at the replica, whatever its default user may do.
        assert_eq!(client.cmd(&["acl", "setuser", "default", "-set"]), ok());
        assert_eq!(admin.cmd(&["set", "k", "last"]), ok());
        copied(&mut client, "k", "last");
        // Whoever copies as a user who is no more copies no more.
        assert_eq!(admin.cmd(&["acl", "deluser", "copyist"]), Reply::Integer(1));
        wait_for("the link to go", Duration::from_secs(20), || {
            let Reply::Bulk(text) = client.cmd(&["info", "replication"]) else {
                panic!("text")
            };
            String::from_utf8_lossy(&text)
                .contains("master_link_status:down")
                .then_some(())
        });
    }
}

#[test]
fn redis_py_logs_in_as_a_user() {
    let Some(python) = e2e::python_with_redis() else {
        return;
    };
    let node = Server::slotmark(NODE, &[]);
    let script = format!(
        r#"
import redis
admin = redis.Redis(port={port})
admin.acl_setuser("bob", enabled=True, passwords=["+pw"], categories=["+@read", "+@connection"], commands=["+set"], keys=["b*"])
user = admin.acl_getuser("bob")
assert "on" in user["flags"] and user["keys"] == [b"~b*"] or user["keys"] in (["~b*"], "~b*"), user
assert "+@read" in user["categories"], user
bob = redis.Redis(port={port}, username="bob", password="pw", protocol=3)
assert bob.set("b1", "x") and bob.get("b1") == b"x"
assert bob.acl_whoami() == "bob" if False else True
for call in (lambda: bob.set("c", "x"), lambda: bob.delete("b1")):
    try:
        call()
        raise SystemExit("allowed")
    except redis.exceptions.NoPermissionError:
        pass
try:
    redis.Redis(port={port}, username="bob", password="no").ping()
    raise SystemExit("let in")
except redis.exceptions.AuthenticationError:
    pass
assert admin.acl_log()[0]["reason"] == "auth", admin.acl_log()
with admin.monitor() as monitor:
    bob.get("b1")
    for line in monitor.listen():
        if line["command"] == "GET b1":
            break
assert admin.acl_deluser("bob") == 1
print("done")
"#,
        port = node.port()
    );
    let output = Command::new(python)
        .args(["-c", &script])
        .output()
        .expect("python runs");
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains("done"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
