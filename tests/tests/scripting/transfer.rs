//! Libraries of functions on their way: in full copies, in the stream, and as the bytes of FUNCTION DUMP.

use std::time::Duration;

use e2e::{Client, Server, wait_for};
use slotcore::resp::Reply;

use super::NODE;

const FIRST: &str = "#!lua name=first\nredis.register_function('one', function() return 1 end)";
const SECOND: &str = "#!lua name=second\nredis.register_function{function_name='two', description='d', \
                      callback=function(keys, args) return {keys[1], args[1]} end, flags={'no-writes'}}";

fn libraries(client: &mut Client) -> Vec<String> {
    let Reply::Array(libraries) = client.cmd(&["FUNCTION", "LIST", "WITHCODE"]) else {
        return Vec::new();
    };
    let mut shown: Vec<_> = libraries.iter().map(|library| format!("{library:?}")).collect();
    shown.sort_unstable();
    shown
}

fn follows(primary: &Server, replica: &Server) {
    let (mut of_primary, mut of_replica) = (primary.client(), replica.client());
    of_primary.cmd(&["FUNCTION", "LOAD", FIRST]);
    of_replica.cmd(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]);
    let mut agree = |what: &str, count: usize| {
        wait_for(what, Duration::from_secs(60), || {
            let wanted = libraries(&mut of_primary);
            (wanted.len() == count && libraries(&mut of_replica) == wanted).then_some(())
        });
    };
    agree("the copy", 1);
    let mut writer = primary.client();
    writer.cmd(&["FUNCTION", "LOAD", SECOND]);
    agree("the second library", 2);
    writer.cmd(&["FUNCTION", "DELETE", "first"]);
    agree("the first library to go", 1);
    assert_eq!(
        replica.client().cmd(&["FCALL_RO", "two", "1", "k", "v"]),
        Reply::Array(vec![Reply::Bulk(b"k".to_vec()), Reply::Bulk(b"v".to_vec())])
    );
    writer.cmd(&["FUNCTION", "FLUSH"]);
    agree("all to go", 0);
}

#[test]
fn replicas_have_the_functions_of_their_primary() {
    let Some(stock) = Server::stock(&[]) else { return };
    follows(&stock, &Server::slotmark(NODE, &[]));
    follows(&Server::slotmark(NODE, &[]), &Server::slotmark(NODE, &[]));
    let Some(other) = Server::stock(&[]) else { return };
    follows(&Server::slotmark(NODE, &[]), &other);
}

#[test]
fn dumps_of_functions_are_stocks_and_restore_everywhere() {
    let Some(stock) = Server::stock(&[]) else { return };
    let node = Server::slotmark(NODE, &[]);
    let (mut ours, mut theirs) = (node.client(), stock.client());
    for client in [&mut ours, &mut theirs] {
        client.cmd(&["FUNCTION", "LOAD", SECOND]);
    }
    let dumps = [&mut ours, &mut theirs].map(|client| match client.cmd(&["FUNCTION", "DUMP"]) {
        Reply::Bulk(payload) => payload,
        other => panic!("{other:?}"),
    });
    assert_eq!(dumps[0], dumps[1]);
    let foreign = |client: &mut Client| match client.cmd_bytes(&[b"DUMP", b"k"]) {
        Reply::Bulk(payload) => payload,
        other => panic!("{other:?}"),
    };
    ours.cmd(&["SET", "k", "v"]);
    let value = foreign(&mut ours);
    let mut damaged = dumps[0].clone();
    damaged[3] ^= 1;
    for (payload, policy) in [
        (&dumps[0], "APPEND"),
        (&dumps[0], "REPLACE"),
        (&dumps[0], "FLUSH"),
        (&value, "APPEND"),
        (&damaged, "APPEND"),
    ] {
        let [a, b] = [&mut ours, &mut theirs]
            .map(|client| client.cmd_bytes(&[b"FUNCTION", b"RESTORE", payload, policy.as_bytes()]));
        assert_eq!(a, b, "{policy}");
        assert_eq!(libraries(&mut ours), libraries(&mut theirs));
    }
}
