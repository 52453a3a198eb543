//! Streams, in scripts: the limits of IDs, what every command refuses, and what groups count.

use e2e::Server;

use super::compare::{Order, canonical};

/// Each script runs on empty servers. Words are cut at blanks.
const SCRIPTS: &[&[&str]] = &[
    &[
        "XADD s 5-* a b",
        "XADD s 5-* a b",
        "XADD s 5-18446744073709551615 a b",
        "XADD s 5-* a b",
        "XADD s 18446744073709551614-* a b",
        "XADD s 18446744073709551615-18446744073709551615 a b",
        "XADD s 18446744073709551615-* a b",
        "XADD s * a b",
        "XRANGE s - +",
        "XRANGE s (18446744073709551615-18446744073709551615 +",
        "XRANGE s - (0-0",
        "XRANGE s - (5",
        "XREVRANGE s + (5",
        "XREVRANGE s + - COUNT 1",
        "XRANGE s - + COUNT -5",
        "XRANGE s - + COUNT",
        "XREAD STREAMS s 18446744073709551615-18446744073709551615",
        "XINFO STREAM s",
        "XINFO STREAM s FULL",
    ],
    &[
        "XADD n 0-0 a b",
        "XADD n 0 a b",
        "XADD n 5 a",
        "XADD n a b c",
        "XADD n MAXLEN 5 1-1 a b c",
        "XADD n NOMKSTREAM 1-1 a b",
        "EXISTS n",
        "XADD n 0-* a b",
        "XADD n 0-1 a b",
        "XTRIM n",
        "XTRIM n 1 2",
        "XTRIM n MAXLEN",
        "XTRIM n MAXLEN 4 LIMIT 5",
        "XTRIM n LIMIT 0",
        "XTRIM n MAXLEN 1 MINID 1",
        "XTRIM n MAXLEN -1",
        "XTRIM n MAXLEN ~ 3 LIMIT -1",
        "XADD n LIMIT 4 * a b",
        "XSETID nokey 1-1",
        "XSETID n 0-1 ENTRIESADDED -1",
        "XSETID n 3-1 MAXDELETEDID 4-1",
        "XSETID n 0-0",
        "XSETID n 3-1 ENTRIESADDED 0",
        "XSETID n 3-1 ENTRIESADDED 9 MAXDELETEDID 2-0",
        "XINFO STREAM n",
        "XSETID n 1-1",
    ],
    &[
        "XREAD STREAMS s",
        "XREAD COUNT 1",
        "XREAD GROUP a b STREAMS s >",
        "XREAD NOACK STREAMS s >",
        "XREAD STREAMS s >",
        "XREAD STREAMS s $",
        "XREAD BLOCK -1 STREAMS s 0",
        "XREAD BLOCK x STREAMS s 0",
        "XREAD BLOCK 1.5 STREAMS s 0",
        "XREADGROUP GROUP g c STREAMS s >",
        "XREADGROUP GROUP g c STREAMS a b c",
        "XREADGROUP STREAMS s a b c d >",
        "XGROUP CREATE s g 0",
        "XGROUP SETID s g 0",
        "XGROUP DESTROY s g",
        "XGROUP CREATE s g 0 MKSTREAM",
        "XGROUP CREATE s g 0 MKSTREAM",
        "XGROUP CREATE s h 0 ENTRIESREAD -2",
        "XGROUP CREATE s h 0 BOGUS",
        "XGROUP CREATE s h 0 MKSTREAM MKSTREAM MKSTREAM MKSTREAM",
        "XGROUP CREATE s h x MKSTREAM",
        "XGROUP SETID s nog 0",
        "XGROUP SETID s g 0 ENTRIESREAD 1 ENTRIESREAD 2",
        "XGROUP SETID s g + ENTRIESREAD 1",
        "XGROUP BOGUS s h",
        "XGROUP CREATE s",
        "XREADGROUP GROUP g c STREAMS s $",
        "XREADGROUP GROUP nog c STREAMS s >",
        "XREADGROUP GROUP g c STREAMS s >",
        "XREADGROUP GROUP g c STREAMS s 0",
        "XINFO BOGUS s",
        "XINFO STREAM no",
        "XINFO GROUPS no",
        "XINFO CONSUMERS s no",
        "XINFO CONSUMERS no no",
        "XINFO STREAM s BOGUS",
        "XINFO STREAM s FULL COUNT",
        "XINFO STREAM s FULL COUNT x",
        "XINFO STREAM s FULL COUNT -1",
        "XINFO STREAM s",
        "OBJECT ENCODING s",
        "TYPE s",
        "LPUSH s x",
        "SORT s",
    ],
    &[
        "XADD s 1-1 f v",
        "XADD s 2-1 f v",
        "XADD s 3-1 f v g w",
        "XADD s 3-2 f x",
        "XGROUP CREATE s g 0",
        "XREADGROUP GROUP g c COUNT 2 STREAMS s >",
        "XDEL s 2-1",
        "XINFO GROUPS s",
        "XREADGROUP GROUP g c STREAMS s 0",
        "XPENDING s g",
        "XPENDING s no",
        "XPENDING no g",
        "XPENDING s g - +",
        "XPENDING s g - + x",
        "XPENDING s g IDLE x - + 1",
        "XPENDING s g IDLE 1 - +",
        "XPENDING s g IDLE 0 - + 5",
        "XPENDING s g IDLE 1000000 - + 5",
        "XPENDING s g (18446744073709551615-18446744073709551615 + 1",
        "XPENDING s g - + 10 nobody",
        "XPENDING s g - + 10 c",
        "XCLAIM s g d x 1",
        "XCLAIM s g d 0 1 BOGUS",
        "XCLAIM s g d 0 1 IDLE x",
        "XCLAIM s g d 0 x 1-1",
        "XCLAIM no g d 0 1-1",
        "XCLAIM s g d 0 1-1 3-2 FORCE",
        "XPENDING s g - + 10",
        "XCLAIM s g d 1000000 1-1",
        "XCLAIM s g d 0 2-1",
        "XPENDING s g - + 10",
        "XCLAIM s g e 0 1-1 3-1 FORCE JUSTID RETRYCOUNT 7 LASTID 3-1",
        "XPENDING s g - + 10",
        "XINFO CONSUMERS s g",
        "XDEL s 1-1",
        "XAUTOCLAIM s g f 0 0 COUNT 0",
        "XAUTOCLAIM s g f x 0",
        "XAUTOCLAIM s g f 0 0 BOGUS",
        "XAUTOCLAIM s no f 0 0",
        "XAUTOCLAIM s g f 0 0 COUNT 1",
        "XAUTOCLAIM s g f 0 0 COUNT 1 JUSTID",
        "XAUTOCLAIM s g f 0 (3-1",
        "XACK s g 3-1 9-9 3-1",
        "XACK s g x",
        "XACK no g x",
        "XGROUP DELCONSUMER s g f",
        "XPENDING s g",
        "XINFO STREAM s FULL",
        "XREADGROUP GROUP g NEW NOACK STREAMS s >",
        "XREADGROUP GROUP g NEWER STREAMS s 0",
        "XINFO STREAM s FULL",
        "COPY s t",
        "XINFO STREAM t FULL",
        "DEBUG DIGEST-VALUE s t",
    ],
];

#[test]
fn scripts_get_the_same_replies() {
    let directives = ["--enable-debug-command", "yes"];
    let Some(stock) = Server::stock(&directives) else {
        return;
    };
    let node = Server::slotmark(super::NODE, &directives);
    for hello in ["2", "3"] {
        for script in SCRIPTS {
            let mut clients = [node.client(), stock.client()];
            for client in &mut clients {
                client.cmd(&["HELLO", hello]);
                client.cmd(&["FLUSHALL"]);
            }
            for line in *script {
                let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
                let order = match words[0] {
                    b"XPENDING" | b"XINFO" => Order::Times,
                    _ => Order::AsSent,
                };
                let [ours, theirs] = clients
                    .each_mut()
                    .map(|client| canonical(&client.raw(&words), order));
                assert_eq!(
                    ours, theirs,
                    "left is ours, right is stock's, RESP{hello}: {line}"
                );
            }
        }
    }
}
