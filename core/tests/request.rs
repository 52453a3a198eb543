//! Requests: whatever the pieces they arrive in, and whatever the bytes.
#![allow(clippy::unwrap_used, reason = "a test ends where its premise does not hold")]

use std::time::{Duration, Instant};

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use slotcore::limits::{MAX_BULK_LEN, MAX_INLINE_LEN};
use slotcore::resp::{Args, Progress, ProtocolErrorKind, RequestLimits, RequestParser, encode_command};

type Request = Vec<Vec<u8>>;

const LIMITS: RequestLimits = RequestLimits {
    max_bulk_len: MAX_BULK_LEN,
    authenticated: true,
};

/// What a node does with a stream that arrives in pieces of the given sizes, over and over: every request, the error
/// that ended it, and how many bytes were left over. Every other piece finds the buffer compacted.
fn read_all(
    stream: &[u8],
    sizes: &[usize],
    limits: &RequestLimits,
) -> (Vec<Request>, Option<ProtocolErrorKind>, usize) {
    let mut parser = RequestParser::new();
    let (mut buf, mut pos) = (Vec::new(), 0);
    let (mut requests, mut ranges) = (Vec::new(), Vec::new());
    let mut sizes = sizes.iter().cycle();
    let (mut arrived, mut compact) = (0, false);
    while arrived < stream.len() {
        let size = (*sizes.next().unwrap()).clamp(1, stream.len() - arrived);
        buf.extend_from_slice(&stream[arrived..arrived + size]);
        arrived += size;
        loop {
            ranges.truncate(1);
            let before = ranges.len();
            match parser.parse(&mut buf, pos, limits, &mut ranges) {
                Ok(Progress::Complete { consumed }) => {
                    assert!(consumed > pos && consumed <= buf.len() && !parser.is_midway());
                    pos = consumed;
                    requests.push(
                        Args::new(&buf, &ranges[before..])
                            .iter()
                            .map(<[u8]>::to_vec)
                            .collect(),
                    );
                }
                Ok(Progress::Incomplete { need }) => {
                    assert!(need > 0 && ranges.len() == before);
                    break;
                }
                Err(error) => {
                    assert!(error.offset >= pos && error.offset <= buf.len() && ranges.len() == before);
                    return (requests, Some(error.kind), 0);
                }
            }
        }
        compact = !compact;
        if compact {
            buf.drain(..pos);
            pos = 0;
        }
    }
    (requests, None, buf.len() - pos)
}

fn error_of(stream: &[u8]) -> Option<ProtocolErrorKind> {
    read_all(stream, &[usize::MAX], &LIMITS).1
}

#[test]
fn refused_as_stock_refuses() {
    use ProtocolErrorKind as Kind;
    let ones = "1".repeat(MAX_INLINE_LEN);
    let lines = [
        (
            "*abc\r\n",
            Kind::InvalidMultibulkLength,
            "invalid multibulk length",
        ),
        (
            "*2147483648\r\n",
            Kind::InvalidMultibulkLength,
            "invalid multibulk length",
        ),
        ("*\r\n", Kind::InvalidMultibulkLength, "invalid multibulk length"),
        (
            "*01\r\n",
            Kind::InvalidMultibulkLength,
            "invalid multibulk length",
        ),
        (
            "*+1\r\n",
            Kind::InvalidMultibulkLength,
            "invalid multibulk length",
        ),
        ("*1\r\nfoo\r\n", Kind::ExpectedBulk(b'f'), "expected '$', got 'f'"),
        ("*1\r\n\r\n", Kind::ExpectedBulk(b'\r'), "expected '$', got '\r'"),
        ("*1\r\n$abc\r\n", Kind::InvalidBulkLength, "invalid bulk length"),
        ("*1\r\n$-1\r\n", Kind::InvalidBulkLength, "invalid bulk length"),
        (
            "*1\r\n$01\r\nx\r\n",
            Kind::InvalidBulkLength,
            "invalid bulk length",
        ),
        (
            "*1\r\n$536870913\r\n",
            Kind::InvalidBulkLength,
            "invalid bulk length",
        ),
        (
            "ECHO \"a\n",
            Kind::UnbalancedQuotes,
            "unbalanced quotes in request",
        ),
        (
            &format!("*{ones}"),
            Kind::MultibulkLineTooLong,
            "too big mbulk count string",
        ),
        (
            &format!("*1\r\n${ones}"),
            Kind::BulkLineTooLong,
            "too big bulk count string",
        ),
        (&format!("a{ones}"), Kind::InlineTooLong, "too big inline request"),
    ];
    for (line, kind, text) in lines {
        let mut buf = line.as_bytes().to_vec();
        let error = RequestParser::new()
            .parse(&mut buf, 0, &LIMITS, &mut Vec::new())
            .unwrap_err();
        assert_eq!(
            (error.kind, error.to_string().as_str()),
            (kind, text),
            "{:.40}",
            line
        );
    }
    for open in [
        "*2147483647\r\n",
        "*1\r\n$536870912\r\n",
        &ones,
        &format!("*{}", &ones[1..]),
    ] {
        assert_eq!(error_of(open.as_bytes()), None, "{open:.40}");
    }
}

#[test]
fn strangers_may_send_little() {
    use ProtocolErrorKind as Kind;
    let stranger = RequestLimits {
        authenticated: false,
        ..LIMITS
    };
    let error = |stream: &str| read_all(stream.as_bytes(), &[usize::MAX], &stranger).1;
    assert_eq!(error("*11\r\n"), Some(Kind::UnauthenticatedMultibulkLength));
    assert_eq!(error("*10\r\n$16385\r\n"), Some(Kind::UnauthenticatedBulkLength));
    assert_eq!(error("*10\r\n$16384\r\n"), None);
    assert_eq!(error("*1\r\n$536870913\r\n"), Some(Kind::InvalidBulkLength));
}

#[test]
fn as_lenient_as_stock() {
    let requests = |stream: &[u8]| read_all(stream, &[usize::MAX], &LIMITS).0;
    let ping = vec![b"PING".to_vec()];
    assert_eq!(requests(b"*1\r\n$4\r\nPINGxx"), std::slice::from_ref(&ping));
    assert_eq!(requests(b"*1\rx$4\rxPING\r\n"), std::slice::from_ref(&ping));
    assert_eq!(
        requests(b"\r\n\n  \r\n*0\r\n*-5\r\nPING\n"),
        [vec![], vec![], vec![], vec![], vec![], ping.clone()]
    );
    assert_eq!(requests(b"PING\r\r\n\r\r\n"), [ping, vec![]]);
}

#[test]
fn a_small_limit_holds_for_short_arguments_too() {
    let limits = RequestLimits {
        max_bulk_len: 3,
        authenticated: true,
    };
    assert_eq!(read_all(b"*1\r\n$3\r\nabc\r\n", &[100], &limits).0.len(), 1);
    assert_eq!(
        read_all(b"*1\r\n$4\r\n", &[100], &limits).1,
        Some(ProtocolErrorKind::InvalidBulkLength)
    );
    assert_eq!(
        read_all(b"*1\r\n$10\r\n", &[100], &limits).1,
        Some(ProtocolErrorKind::InvalidBulkLength)
    );
}

#[test]
fn need_is_exact_within_an_argument() {
    let mut parser = RequestParser::new();
    let mut buf = b"*1\r\n$10\r\nabc".to_vec();
    let progress = parser.parse(&mut buf, 0, &LIMITS, &mut Vec::new());
    assert_eq!(progress, Ok(Progress::Incomplete { need: 9 }));
}

/// If every byte made the parser look at the request from its start, or at its argument from its start, this would
/// take hours.
#[test]
fn one_byte_at_a_time_is_linear() {
    let started = Instant::now();
    let value = [b'v'; 20];
    let million: Vec<&[u8]> = std::iter::repeat_n(&value[..], 300_000).collect();
    let mut stream = Vec::new();
    encode_command(&mut stream, &million);
    let large = vec![b'x'; 4 << 20];
    encode_command(&mut stream, &[b"SET", &large]);
    stream.extend_from_slice(&[b'a'; MAX_INLINE_LEN]);
    stream.push(b'\n');

    let mut parser = RequestParser::new();
    let mut ranges = Vec::new();
    let (mut pos, mut len, mut counts) = (0, 0, Vec::new());
    while len < stream.len() {
        len += 1;
        match parser
            .parse(&mut stream[..len], pos, &LIMITS, &mut ranges)
            .unwrap()
        {
            Progress::Incomplete { .. } => {}
            Progress::Complete { consumed } => {
                counts.push(ranges.len());
                ranges.clear();
                pos = consumed;
            }
        }
    }
    assert_eq!(counts, [300_000, 2, 1]);
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let arg = prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..30),
        1 => (90usize..1200).prop_map(|len| vec![b'\r'; len]),
    ];
    let request = prop_oneof![
        8 => proptest::collection::vec(arg.clone(), 1..6),
        1 => proptest::collection::vec(arg, 9..120),
    ];
    proptest::collection::vec(request, 1..8)
}

/// Bytes that get deep into the parser.
fn near_requests() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n".to_vec()),
        2 => Just(b"*1\r\n$12\r\nabcdefghijkl\r\n".to_vec()),
        2 => Just(b"SET \"a b\" 'c'\r\n".to_vec()),
        1 => Just(b"*0\r\n".to_vec()),
        2 => Just(b"*3\r\n".to_vec()),
        2 => Just(b"$4\r\nabcd\r\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        3 => proptest::collection::vec(proptest::sample::select(b"*$019-\r\n\"'\\x \t\x00\xffab".to_vec()), 1..6),
        1 => proptest::collection::vec(any::<u8>(), 1..20),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn encoded_requests_read_back(requests in requests(), sizes in proptest::collection::vec(1usize..40, 1..6)) {
        let mut stream = Vec::new();
        for request in &requests {
            encode_command(&mut stream, &request.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
        prop_assert_eq!(read_all(&stream, &[usize::MAX], &LIMITS), (requests.clone(), None, 0));
        prop_assert_eq!(read_all(&stream, &sizes, &LIMITS), (requests, None, 0));
    }

    #[test]
    fn pieces_make_no_difference(
        stream in near_requests(),
        sizes in proptest::collection::vec(1usize..20, 1..6),
        authenticated in any::<bool>(),
    ) {
        let limits = RequestLimits { max_bulk_len: 1000, authenticated };
        let whole = read_all(&stream, &[usize::MAX], &limits);
        prop_assert_eq!(&read_all(&stream, &sizes, &limits), &whole);
        prop_assert_eq!(&read_all(&stream, &[1], &limits), &whole);
    }

    #[test]
    fn announcements_are_free(count in 1u32..2_000_000_000, given in 0usize..50) {
        let mut stream = format!("*{count}\r\n").into_bytes();
        stream.extend(b"$0\r\n\r\n".repeat(given.min(count as usize - 1)));
        let mut ranges = Vec::new();
        let progress = RequestParser::new().parse(&mut stream, 0, &LIMITS, &mut ranges);
        prop_assert_eq!(progress, Ok(Progress::Incomplete { need: 1 }));
        prop_assert!(ranges.capacity() <= 128, "{}", ranges.capacity());
    }
}
