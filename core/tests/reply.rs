//! Replies: the scanner and the tree parser agree on all bytes, whole or in pieces, and read what the writer wrote.
#![allow(clippy::unwrap_used, reason = "a test ends where its premise does not hold")]

use std::time::{Duration, Instant};

use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
use slotcore::limits::MAX_REPLY_DEPTH;
use slotcore::resp::{
    Proto, Reply, ReplyError, ReplyKind, ReplyLimits, ReplyScanner, ReplyWriter, Scanned, parse_reply,
};

const LIMITS: ReplyLimits = ReplyLimits {
    max_bulk_len: 2000,
    max_elements: 2000,
};

/// Each reply's type and length, then what came behind: nothing whole, or an error at an offset in its reply.
type Outline = (Vec<(ReplyKind, usize)>, Result<(), ReplyError>);

fn kind_of(reply: &Reply) -> ReplyKind {
    match reply {
        Reply::Simple(_) => ReplyKind::Simple,
        Reply::Error(_) => ReplyKind::Error,
        Reply::Integer(_) => ReplyKind::Integer,
        Reply::Bulk(_) => ReplyKind::Bulk,
        Reply::Nil => ReplyKind::Nil,
        Reply::Array(_) => ReplyKind::Array,
        Reply::Map(_) => ReplyKind::Map,
        Reply::Set(_) => ReplyKind::Set,
        Reply::Double(_) => ReplyKind::Double,
        Reply::Boolean(_) => ReplyKind::Boolean,
        Reply::BigNumber(_) => ReplyKind::BigNumber,
        Reply::Verbatim(_) => ReplyKind::Verbatim,
        Reply::Push(_) => ReplyKind::Push,
    }
}

fn error_in(reply: &Reply) -> Option<&[u8]> {
    reply.as_error().or_else(|| first_nested_error(reply))
}

fn first_nested_error(reply: &Reply) -> Option<&[u8]> {
    match reply {
        Reply::Map(pairs) => pairs
            .iter()
            .find_map(|(key, value)| error_in(key).or_else(|| error_in(value))),
        reply => reply.as_array()?.iter().find_map(error_in),
    }
}

/// What the scanner tells must be what the tree holds.
fn check_scanned(scanned: &Scanned<'_>, reply: &Reply, has_attributes: bool) {
    assert_eq!(scanned.kind, kind_of(reply));
    match reply {
        Reply::Error(text) => assert_eq!((scanned.line, scanned.body), (&text[..], &text[..])),
        Reply::Simple(text) | Reply::BigNumber(text) => assert_eq!(scanned.line, text),
        Reply::Bulk(bytes) | Reply::Verbatim(bytes) => assert_eq!(scanned.body, bytes),
        Reply::Array(elements) | Reply::Set(elements) | Reply::Push(elements) => {
            assert_eq!(scanned.line, elements.len().to_string().as_bytes());
        }
        Reply::Map(pairs) => assert_eq!(scanned.line, pairs.len().to_string().as_bytes()),
        Reply::Integer(_) | Reply::Double(_) | Reply::Boolean(_) | Reply::Nil => {}
    }
    // The scanner tells errors within attributes, which the tree does not keep.
    if !has_attributes {
        assert_eq!(scanned.nested_error, first_nested_error(reply));
    }
}

fn parse_all(stream: &[u8]) -> Outline {
    let (mut at, mut replies) = (0, Vec::new());
    loop {
        match parse_reply(&stream[at..], &LIMITS) {
            Ok(Some((reply, consumed))) => {
                let scanned = ReplyScanner::with_limits(LIMITS)
                    .scan(&stream[at..])
                    .unwrap()
                    .unwrap();
                check_scanned(&scanned, &reply, stream[at..at + consumed].contains(&b'|'));
                replies.push((kind_of(&reply), consumed));
                at += consumed;
            }
            Ok(None) => return (replies, Ok(())),
            Err(error) => return (replies, Err(error)),
        }
    }
}

/// The same by one scanner, as the stream arrives in pieces of the given sizes, over and over.
fn scan_all(stream: &[u8], sizes: &[usize]) -> Outline {
    let mut scanner = ReplyScanner::with_limits(LIMITS);
    let (mut at, mut arrived, mut replies) = (0, 0, Vec::new());
    let mut sizes = sizes.iter().cycle();
    while arrived < stream.len() {
        arrived += (*sizes.next().unwrap()).clamp(1, stream.len() - arrived);
        loop {
            match scanner.scan(&stream[at..arrived]) {
                Ok(Some(scanned)) => {
                    replies.push((scanned.kind, scanned.consumed));
                    at += scanned.consumed;
                }
                Ok(None) => break,
                Err(error) => return (replies, Err(error)),
            }
        }
    }
    (replies, Ok(()))
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(
        any::<u8>().prop_filter("no line end", |b| !b"\r\n".contains(b)),
        0..40,
    )
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => proptest::collection::vec(any::<u8>(), 0..30), 1 => (90usize..1200).prop_map(|len| vec![b'\r'; len])]
}

/// Replies that mean the same after a round trip in RESP3. The writer makes errors one line and blobs bulk strings.
fn replies() -> impl Strategy<Value = Reply> {
    let leaf = prop_oneof![
        proptest::string::string_regex("[A-Z]{0,12}")
            .unwrap()
            .prop_map(|text| Reply::Simple(text.into_bytes())),
        line().prop_map(Reply::Error),
        any::<i64>().prop_map(Reply::Integer),
        (-3i64..200).prop_map(Reply::Integer),
        bytes().prop_map(Reply::Bulk),
        Just(Reply::Nil),
        any::<f64>()
            .prop_filter("is itself", |value| !value.is_nan())
            .prop_map(Reply::Double),
        any::<bool>().prop_map(Reply::Boolean),
        any::<i128>().prop_map(|value| Reply::BigNumber(value.to_string().into_bytes())),
        bytes().prop_map(Reply::Verbatim),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let elements = proptest::collection::vec(inner.clone(), 0..6);
        prop_oneof![
            elements.clone().prop_map(Reply::Array),
            elements.clone().prop_map(Reply::Set),
            elements.prop_map(Reply::Push),
            proptest::collection::vec((inner.clone(), inner), 0..3).prop_map(Reply::Map),
        ]
    })
}

fn write(writer: &mut ReplyWriter<'_>, reply: &Reply) {
    match reply {
        Reply::Simple(text) => writer.simple(std::str::from_utf8(text).unwrap()),
        Reply::Error(text) => writer.error(text),
        Reply::Integer(value) => writer.integer(*value),
        Reply::Bulk(bytes) => writer.bulk(bytes),
        Reply::Nil => writer.nil(),
        Reply::Double(value) => writer.double(*value),
        Reply::Boolean(value) => writer.boolean(*value),
        Reply::BigNumber(digits) => writer.big_number(digits),
        Reply::Verbatim(text) => writer.verbatim(text),
        Reply::Map(pairs) => {
            writer.map(pairs.len());
            for (key, value) in pairs {
                write(writer, key);
                write(writer, value);
            }
        }
        Reply::Array(elements) | Reply::Set(elements) | Reply::Push(elements) => {
            match reply {
                Reply::Set(_) => writer.set(elements.len()),
                Reply::Push(_) => writer.push(elements.len()),
                _ => writer.array(elements.len()),
            }
            elements.iter().for_each(|element| write(writer, element));
        }
    }
}

/// The same reply as a connection in RESP2 sees it.
fn in_resp2(reply: &Reply) -> Reply {
    let all = |elements: &[Reply]| Reply::Array(elements.iter().map(in_resp2).collect());
    match reply {
        Reply::Set(elements) | Reply::Push(elements) | Reply::Array(elements) => all(elements),
        Reply::Map(pairs) => Reply::Array(
            pairs
                .iter()
                .flat_map(|(k, v)| [in_resp2(k), in_resp2(v)])
                .collect(),
        ),
        Reply::Boolean(value) => Reply::Integer(i64::from(*value)),
        Reply::BigNumber(bytes) | Reply::Verbatim(bytes) => Reply::Bulk(bytes.clone()),
        Reply::Double(value) => {
            let text = slotcore::resp::format_double(*value);
            Reply::Bulk(text.as_bytes().to_vec())
        }
        reply => reply.clone(),
    }
}

/// Bytes that get deep into the parsers.
fn near_replies() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&[u8]> = vec![
        b"+OK\r\n",
        b"-ERR x\r\n",
        b":1\r\n",
        b":-12\r\n",
        b"$-1\r\n",
        b"_\r\n",
        b"#t\r\n",
        b",1.5\r\n",
        b"(12\r\n",
        b"*-1\r\n",
        b"$3\r\nabc\r\n",
        b"$12\r\nabcdefghijkl\r\n",
        b"!5\r\nERR a\r\n",
        b"=5\r\ntxt:a\r\n",
        b"*2\r\n",
        b"%1\r\n",
        b"~1\r\n",
        b">2\r\n",
        b"|1\r\n",
        b"*0\r\n",
        b"*?\r\n",
        b"$?\r\n",
        b"$2001\r\n",
        b"%1001\r\n",
        b"$100\r\n",
        b"*1\r\n*1\r\n*1\r\n",
    ];
    let piece = prop_oneof![
        12 => proptest::sample::select(known).prop_map(<[u8]>::to_vec),
        2 => proptest::collection::vec(proptest::sample::select(b"+-:$*_#,(!=~>%|;.?019\r\ntx\xff".to_vec()), 1..6),
        1 => proptest::collection::vec(any::<u8>(), 1..20),
        1 => (1..=MAX_REPLY_DEPTH + 1).prop_map(|depth| b"*1\r\n".repeat(depth)),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn written_replies_read_back(replies in proptest::collection::vec(replies(), 1..5)) {
        for proto in [Proto::Resp2, Proto::Resp3] {
            let mut stream = Vec::new();
            replies.iter().for_each(|reply| write(&mut ReplyWriter::new(&mut stream, proto), reply));
            let mut at = 0;
            for reply in &replies {
                let expected = if proto == Proto::Resp2 { in_resp2(reply) } else { reply.clone() };
                let (read, consumed) = parse_reply(&stream[at..], &LIMITS).unwrap().unwrap();
                prop_assert_eq!(read, expected);
                at += consumed;
            }
            prop_assert_eq!(at, stream.len());
        }
    }

    #[test]
    fn scanner_and_tree_agree_on_replies(
        replies in proptest::collection::vec(replies(), 1..6),
        sizes in proptest::collection::vec(1usize..60, 1..6),
    ) {
        let mut stream = Vec::new();
        replies.iter().for_each(|reply| write(&mut ReplyWriter::new(&mut stream, Proto::Resp3), reply));
        let outline = parse_all(&stream);
        prop_assert_eq!(outline.0.len(), replies.len());
        prop_assert_eq!(&scan_all(&stream, &sizes), &outline);
        prop_assert_eq!(&scan_all(&stream, &[1]), &outline);
    }

    #[test]
    fn scanner_and_tree_agree_on_anything(
        stream in near_replies(),
        sizes in proptest::collection::vec(1usize..30, 1..6),
    ) {
        let outline = parse_all(&stream);
        prop_assert_eq!(&scan_all(&stream, &[usize::MAX]), &outline);
        prop_assert_eq!(&scan_all(&stream, &sizes), &outline);
        prop_assert_eq!(&scan_all(&stream, &[1]), &outline);
    }
}

/// If every byte made the scanner look at the reply from its start, this would take hours.
#[test]
fn one_byte_at_a_time_is_linear() {
    let started = Instant::now();
    let mut stream = b"*300000\r\n".to_vec();
    stream.extend(b"$12\r\nabcdefghijkl\r\n".repeat(300_000));
    stream.extend(
        format!(
            "$4000000\r\n{}\r\n+{}\r\n",
            "x".repeat(4_000_000),
            "y".repeat(60_000)
        )
        .into_bytes(),
    );
    let mut scanner = ReplyScanner::new();
    let (mut at, mut kinds) = (0, Vec::new());
    for arrived in 0..=stream.len() {
        if let Some(scanned) = scanner.scan(&stream[at..arrived]).unwrap() {
            kinds.push(scanned.kind);
            at += scanned.consumed;
        }
    }
    assert_eq!(
        (kinds, at),
        (
            vec![ReplyKind::Array, ReplyKind::Bulk, ReplyKind::Simple],
            stream.len()
        )
    );
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
}
