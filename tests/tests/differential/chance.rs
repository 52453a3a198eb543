//! What cannot be compared with another server, since chance or an order of our own decides: what is drawn and scanned is
//! of the collection, as often as it was asked for.

use std::collections::HashSet;

use e2e::{Client, Server};
use slotcore::resp::Reply;

fn texts(reply: &Reply) -> Vec<String> {
    let (Reply::Array(elements) | Reply::Set(elements)) = reply else {
        panic!("{reply:?}")
    };
    elements
        .iter()
        .map(|element| element.as_str().expect("text").to_owned())
        .collect()
}

/// A hash `h` and a set `s` with so many elements.
fn fill(client: &mut Client, len: usize) {
    client.cmd(&["FLUSHALL"]);
    for number in 0..len {
        let name = format!("e{number}");
        client.cmd(&["HSET", "h", &name, &format!("v{number}")]);
        client.cmd(&["SADD", "s", &name]);
    }
}

#[test]
fn what_is_drawn_is_of_the_collection() {
    let node = Server::slotmark(super::NODE, &[]);
    let mut client = node.client();
    for len in [20, 1500] {
        fill(&mut client, len);
        let all: HashSet<String> = (0..len).map(|number| format!("e{number}")).collect();
        for command in [["HRANDFIELD", "h"], ["SRANDMEMBER", "s"]] {
            let one = client.cmd(&command);
            assert!(all.contains(one.as_str().expect("an element")), "{one:?}");
            for count in [0, 1, 5, len / 2, len - 1, len, len + 5] {
                let drawn = texts(&client.cmd(&[command[0], command[1], &count.to_string()]));
                let unique: HashSet<_> = drawn.iter().cloned().collect();
                assert_eq!(drawn.len(), count.min(len));
                assert!(unique.len() == drawn.len() && unique.is_subset(&all));
            }
            let drawn = texts(&client.cmd(&[command[0], command[1], "-4000"]));
            let unique: HashSet<_> = drawn.iter().cloned().collect();
            assert_eq!(drawn.len(), 4000);
            assert!(unique.len() > 15 && unique.is_subset(&all));
        }
        let pairs = texts(&client.cmd(&["HRANDFIELD", "h", "7", "WITHVALUES"]));
        assert!(pairs.chunks(2).all(|pair| pair[0].replace('e', "v") == pair[1]));
        assert_eq!(pairs.len(), 14);

        let popped: HashSet<String> = texts(&client.cmd(&["SPOP", "s", "9"])).into_iter().collect();
        let left: HashSet<String> = texts(&client.cmd(&["SMEMBERS", "s"])).into_iter().collect();
        assert!(popped.len() == 9 && popped.is_disjoint(&left));
        assert_eq!(popped.union(&left).cloned().collect::<HashSet<_>>(), all);
    }
    let refused = client.cmd(&["SRANDMEMBER", "s", "-9000000000000000000"]);
    assert!(refused.as_error().is_some(), "{refused:?}");
}

#[test]
fn a_scan_step_by_step_finds_all_that_stays() {
    let node = Server::slotmark(super::NODE, &[]);
    let mut client = node.client();
    for (command, key, group) in [("HSCAN", "h", 2), ("SSCAN", "s", 1)] {
        fill(&mut client, 1500);
        let (mut cursor, mut found, mut steps) = ("0".to_owned(), HashSet::new(), 0);
        loop {
            let Reply::Array(parts) = client.cmd(&[command, key, &cursor, "COUNT", "20", "MATCH", "e*"])
            else {
                panic!("a cursor and elements")
            };
            cursor = parts[0].as_str().expect("a cursor").to_owned();
            found.extend(texts(&parts[1]).chunks(group).map(|element| element[0].clone()));
            // It shrinks and grows meanwhile, and the first thousand stay.
            for number in 0..10 {
                let (old, new) = (1000 + (steps * 10 + number) % 500, 5000 + steps * 10 + number);
                client.cmd(&["HDEL", "h", &format!("e{old}")]);
                client.cmd(&["SREM", "s", &format!("e{old}")]);
                client.cmd(&["HSET", "h", &format!("x{new}"), "v"]);
                client.cmd(&["SADD", "s", &format!("x{new}")]);
            }
            steps += 1;
            if cursor == "0" {
                break;
            }
        }
        assert!(steps > 20 && steps < 400, "{steps} steps");
        assert!((0..1000).all(|number| found.contains(&format!("e{number}"))));
        assert!(found.iter().all(|element| element.starts_with('e')), "MATCH");
    }
}
