use proptest::collection::vec;
use proptest::prelude::*;
use slotcore::topology::{NodeFlags, NodeId};

use super::{CodecError, HEADER_LEN, MAX_FRAME, Malformed, decode, encode, frame_len};
use crate::cluster::message::{Body, Gossip, Header, Heartbeat, Message, SlotBitmap};

fn ids() -> impl Strategy<Value = NodeId> {
    any::<[u8; 20]>()
        .prop_filter("zeros stand for none", |bytes| *bytes != [0; 20])
        .prop_map(NodeId::from_random)
}

fn flags() -> impl Strategy<Value = NodeFlags> {
    any::<u16>().prop_map(NodeFlags::from_bits_truncate)
}

fn slots() -> impl Strategy<Value = SlotBitmap> {
    vec(0..16384u16, 0..50).prop_map(SlotBitmap::from_iter)
}

fn ips() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        any::<std::net::IpAddr>().prop_map(|ip| ip.to_string()),
        "[!-~]{0,45}",
    ]
}

fn headers() -> impl Strategy<Value = Header> {
    let numbers = (
        any::<u64>(),
        any::<u64>(),
        any::<u64>(),
        any::<u16>(),
        any::<u16>(),
    );
    let switches = (any::<bool>(), any::<bool>(), any::<bool>());
    (
        ids(),
        flags(),
        slots(),
        proptest::option::of(ids()),
        ips(),
        numbers,
        switches,
    )
        .prop_map(|(sender, flags, slots, primary, ip, numbers, switches)| Header {
            sender,
            flags,
            current_epoch: numbers.0,
            config_epoch: numbers.1,
            offset: numbers.2,
            slots,
            primary,
            ip,
            port: numbers.3,
            bus_port: numbers.4,
            cluster_ok: switches.0,
            paused: switches.1,
            force_ack: switches.2,
        })
}

fn gossip() -> impl Strategy<Value = Gossip> {
    let numbers = (any::<u32>(), any::<u32>(), any::<u16>(), any::<u16>());
    (ids(), ips(), flags(), numbers).prop_map(|(node, ip, flags, numbers)| Gossip {
        node,
        ping_s: numbers.0,
        pong_s: numbers.1,
        ip,
        port: numbers.2,
        bus_port: numbers.3,
        flags,
    })
}

fn bodies() -> impl Strategy<Value = Body> {
    let kind = prop_oneof![
        Just(Heartbeat::Ping),
        Just(Heartbeat::Pong),
        Just(Heartbeat::Meet)
    ];
    let hostname = proptest::option::of("[a-zA-Z0-9.-]{1,255}");
    prop_oneof![
        4 => (kind, vec(gossip(), 0..8), hostname)
            .prop_map(|(kind, gossip, hostname)| Body::Heartbeat { kind, gossip, hostname }),
        1 => ids().prop_map(Body::Fail),
        2 => (any::<bool>(), vec(any::<u8>(), 0..50), vec(any::<u8>(), 0..50))
            .prop_map(|(shard, channel, payload)| Body::Publish { shard, channel, payload }),
        1 => Just(Body::AuthRequest),
        1 => Just(Body::AuthAck),
        1 => Just(Body::ManualStart),
        2 => (any::<u64>(), ids(), slots())
            .prop_map(|(config_epoch, node, slots)| Body::Update { config_epoch, node, slots }),
    ]
}

fn messages() -> impl Strategy<Value = Message> {
    (headers(), bodies()).prop_map(|(header, body)| Message { header, body })
}

fn encoded(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    encode(message, &mut out);
    out
}

fn set_len(frame: &mut [u8]) {
    let len = frame.len() as u32;
    frame[4..8].copy_from_slice(&len.to_be_bytes());
}

fn ping(gossip: Vec<Gossip>, hostname: Option<&str>) -> Message {
    let id = NodeId::from_random([7; 20]);
    Message {
        header: Header {
            sender: id,
            flags: NodeFlags::PRIMARY | NodeFlags::MYSELF,
            current_epoch: 1,
            config_epoch: 2,
            offset: 3,
            slots: SlotBitmap::from_iter([0, 9, 16383]),
            primary: None,
            ip: String::new(),
            port: 6379,
            bus_port: 16379,
            cluster_ok: true,
            paused: false,
            force_ack: false,
        },
        body: Body::Heartbeat {
            kind: Heartbeat::Ping,
            gossip,
            hostname: hostname.map(str::to_owned),
        },
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(before in vec(any::<u8>(), 0..10), message in messages()) {
        let mut out = before.clone();
        encode(&message, &mut out);
        prop_assert!(out.starts_with(&before));
        let frame = &out[before.len()..];
        prop_assert_eq!(frame_len(frame), Ok(Some(frame.len())));
        prop_assert_eq!(frame_len(&frame[..8]), Ok(Some(frame.len())));
        prop_assert_eq!(decode(frame), Ok(Some(message)));
    }

    #[test]
    fn a_part_of_a_message_is_none(message in messages(), cut in any::<prop::sample::Index>()) {
        let whole = encoded(&message);
        let mut frame = whole[..cut.index(whole.len())].to_vec();
        let expected = if frame.len() < 8 { None } else { Some(whole.len()) };
        prop_assert_eq!(frame_len(&frame), Ok(expected));
        prop_assert!(decode(&frame).is_err());
        if frame.len() >= 8 {
            set_len(&mut frame);
            prop_assert!(decode(&frame).is_err(), "{} of {} bytes", frame.len(), whole.len());
        }
        let mut more = whole;
        more.extend_from_slice(&[0; 8]);
        prop_assert!(decode(&more).is_err());
        set_len(&mut more);
        prop_assert!(decode(&more).is_err());
    }

    #[test]
    fn random_bytes_do_no_harm(mut bytes in vec(any::<u8>(), 0..6000), kind in 0..12u16) {
        let _ = (frame_len(&bytes), decode(&bytes));
        if bytes.len() >= HEADER_LEN {
            bytes[..4].copy_from_slice(b"RCmb");
            set_len(&mut bytes);
            let _ = decode(&bytes);
            bytes[8..10].copy_from_slice(&[0, 1]);
            bytes[12..14].copy_from_slice(&kind.to_be_bytes());
            let _ = decode(&bytes);
        }
    }

    /// What is decoded from a message that was tampered with is, encoded, a message of the same meaning.
    #[test]
    fn changed_bytes_do_no_harm(
        message in messages(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        near_end in any::<bool>(),
    ) {
        let mut frame = encoded(&message);
        for (at, byte) in changes {
            // Most of a header is slots, where every byte will do.
            let from = if near_end { 2128.min(frame.len() - 1) } else { 0 };
            let at = from + at.index(frame.len() - from);
            frame[at] = byte;
        }
        if let Ok(Some(read)) = decode(&frame) {
            prop_assert_eq!(decode(&encoded(&read)), Ok(Some(read)));
        }
    }
}

#[test]
fn fields_are_where_stock_has_them() {
    let mut message = ping(Vec::new(), Some("a.example"));
    message.header.primary = Some(NodeId::from_random([0xab; 20]));
    message.header.ip = "10.0.0.1".into();
    message.header.cluster_ok = false;
    message.header.force_ack = true;
    let frame = encoded(&message);
    assert_eq!(frame.len(), 2256 + 8 + 16);
    assert_eq!(frame[..16], *b"RCmb\0\0\x08\xe8\0\x01\x18\xeb\0\0\0\0");
    assert_eq!(
        frame[16..40],
        [
            [0, 0, 0, 0, 0, 0, 0, 1],
            [0, 0, 0, 0, 0, 0, 0, 2],
            [0, 0, 0, 0, 0, 0, 0, 3]
        ]
        .concat()
    );
    assert_eq!(frame[40..80], *b"07".repeat(20));
    assert_eq!((frame[80], frame[81], frame[2127]), (1, 2, 128));
    assert_eq!(frame[2128..2168], *b"ab".repeat(20));
    assert_eq!(frame[2168..2177], *b"10.0.0.1\0");
    assert_eq!(frame[2214..2216], [0, 1]);
    assert_eq!(frame[2246..2256], [0, 0, 0x3f, 0xfb, 0, 17, 1, 2 | 4, 0, 0]);
    assert_eq!(frame[2256..], *b"\0\0\0\x18\0\0\0\0a.example\0\0\0\0\0\0\0");
}

#[test]
fn lengths_have_bounds() {
    let error = |offset, reason| Err(CodecError { offset, reason });
    let with = |len: usize| [b"RCmb".as_slice(), &(len as u32).to_be_bytes()].concat();
    assert_eq!(frame_len(b""), Ok(None));
    assert_eq!(frame_len(b"RCmb\0\0\x08"), Ok(None));
    assert_eq!(frame_len(b"PING"), error(0, Malformed::Signature));
    assert_eq!(frame_len(b"RCm\r\n\r\n\r\n"), error(0, Malformed::Signature));
    assert_eq!(frame_len(&with(HEADER_LEN)), Ok(Some(HEADER_LEN)));
    assert_eq!(frame_len(&with(HEADER_LEN - 1)), error(4, Malformed::Length));
    assert_eq!(frame_len(&with(MAX_FRAME)), Ok(Some(MAX_FRAME)));
    assert_eq!(frame_len(&with(MAX_FRAME + 1)), error(4, Malformed::Length));
    assert_eq!(
        frame_len(&with(1)).unwrap_err().to_string(),
        "a wrong length at byte 4 of a message of the cluster bus"
    );
}

#[test]
fn what_is_unknown_is_skipped() {
    let message = ping(Vec::new(), Some("here"));
    let mut frame = encoded(&message);
    let known = frame[HEADER_LEN..].to_vec();
    // A node name of 7.2 around the hostname.
    let unknown = b"\0\0\0\x10\0\x01\0\0nodename".as_slice();
    frame.truncate(HEADER_LEN);
    frame.extend_from_slice(&[unknown, &known, unknown].concat());
    frame[2215] = 3;
    // Extensions are supported, of Valkey.
    frame[2250] |= 4;
    set_len(&mut frame);
    assert_eq!(decode(&frame), Ok(Some(message)));

    let changed = |at: usize, byte: u8| {
        let mut frame = encoded(&ping(Vec::new(), None));
        frame[at] = byte;
        decode(&frame)
    };
    assert_eq!(changed(13, 9), Ok(None), "a message for modules");
    assert_eq!(changed(13, 200), Ok(None), "a type of the future");
    assert_eq!(changed(9, 2), Ok(None), "a version of the future");
    // The number of extensions means nothing without the flag.
    assert!(matches!(changed(2215, 5), Ok(Some(_))));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let error = |offset, reason| Err(CodecError { offset, reason });
    let entry = Gossip {
        node: NodeId::from_random([9; 20]),
        ping_s: 0,
        pong_s: 1,
        ip: "::1".into(),
        port: 1,
        bus_port: 2,
        flags: NodeFlags::PRIMARY,
    };
    let frame = encoded(&ping(vec![entry.clone(), entry], Some("here")));
    let changed = |at: usize, byte: u8| {
        let mut frame = frame.clone();
        frame[at] = byte;
        decode(&frame)
    };
    assert_eq!(changed(40, b'G'), error(40, Malformed::Name));
    assert_eq!(changed(2128, b'a'), error(2128, Malformed::Name));
    assert_eq!(changed(2168, 0x80), error(2168, Malformed::Address));
    assert_eq!(changed(15, 3), error(HEADER_LEN, Malformed::Length));
    assert_eq!(changed(15, 1), error(HEADER_LEN + 104, Malformed::Length));
    assert_eq!(changed(2215, 2), error(frame.len(), Malformed::Length));
    assert_eq!(changed(2253, 0), error(HEADER_LEN + 208, Malformed::Length));
    for len in [0, 7, 8, 15, 24, 255] {
        assert!(
            changed(HEADER_LEN + 208 + 3, len).is_err(),
            "an extension of {len} bytes"
        );
    }
    // An entry of gossip that cannot be used does not take the others with it.
    let Ok(Some(Message {
        body: Body::Heartbeat { gossip, .. },
        ..
    })) = changed(HEADER_LEN, b'?')
    else {
        panic!("a ping")
    };
    assert_eq!(gossip.len(), 1);
    let Ok(Some(Message {
        body: Body::Heartbeat { gossip, .. },
        ..
    })) = changed(HEADER_LEN + 48, 7)
    else {
        panic!("a ping")
    };
    assert_eq!((gossip.len(), gossip[0].ip.as_str()), (2, ""));
}
