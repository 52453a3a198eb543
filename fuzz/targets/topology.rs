//! What describes a cluster, as text and as replies: nodes.conf that is taken is kept, and no reply confuses its reader.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slotcore::redirect;
use slotcore::resp::{ReplyLimits, parse_reply};
use slotcore::slot_map::SlotMap;
use slotcore::topology::nodes::{parse_conf, parse_nodes, write_conf, write_nodes};
use slotcore::topology::{shards::parse_shards, slots::parse_slots};

const LIMITS: ReplyLimits = ReplyLimits {
    max_bulk_len: 1 << 20,
    max_elements: 1 << 20,
};

fn text(text: &str) {
    if let Ok(conf) = parse_conf(text) {
        let written = write_conf(&conf);
        assert_eq!(parse_conf(&written).as_ref(), Ok(&conf), "what is saved is what is loaded");
    }
    if let Ok(topology) = parse_nodes(text) {
        let mut written = String::new();
        write_nodes(&topology, &mut written);
        assert_eq!(parse_nodes(&written).as_ref(), Ok(&topology));
        assert!(SlotMap::from_topology(&topology, "asked").coverage() <= topology.coverage());
    }
}

fuzz_target!(|input: &[u8]| {
    if let Ok(input) = std::str::from_utf8(input) {
        text(input);
    }
    if let Some(redirect) = redirect::parse(input) {
        assert_eq!(redirect::parse(redirect.to_string().as_bytes()), Some(redirect));
    }
    if let Ok(Some((reply, _))) = parse_reply(input, &LIMITS) {
        for topology in [parse_slots(&reply), parse_shards(&reply)].into_iter().flatten() {
            SlotMap::from_topology(&topology, "asked");
        }
    }
});
