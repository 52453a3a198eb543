//! A stream of requests means the same however it is cut into pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slotcore::resp::{Args, Progress, ProtocolErrorKind, RequestLimits, RequestParser};

type Outcome = (Vec<Vec<Vec<u8>>>, Option<ProtocolErrorKind>);

fn read_all(stream: &[u8], piece: usize, limits: &RequestLimits) -> Outcome {
    let mut parser = RequestParser::new();
    let (mut buf, mut pos) = (Vec::new(), 0);
    let (mut requests, mut ranges) = (Vec::new(), Vec::new());
    for arrived in stream.chunks(piece) {
        buf.drain(..pos);
        pos = 0;
        buf.extend_from_slice(arrived);
        loop {
            ranges.clear();
            match parser.parse(&mut buf, pos, limits, &mut ranges) {
                Ok(Progress::Complete { consumed }) => {
                    assert!(consumed > pos && consumed <= buf.len());
                    requests.push(Args::new(&buf, &ranges).iter().map(<[u8]>::to_vec).collect());
                    pos = consumed;
                }
                Ok(Progress::Incomplete { need }) => {
                    assert!(need > 0 && ranges.is_empty());
                    break;
                }
                Err(error) => {
                    assert!(error.offset <= buf.len() && ranges.is_empty());
                    return (requests, Some(error.kind));
                }
            }
        }
    }
    (requests, None)
}

fuzz_target!(|input: &[u8]| {
    let [choice, stream @ ..] = input else { return };
    let limits = RequestLimits {
        max_bulk_len: 1 << 20,
        authenticated: choice & 1 == 0,
    };
    let whole = read_all(stream, usize::MAX, &limits);
    assert_eq!(
        read_all(stream, 1 + usize::from(choice >> 1) % 40, &limits),
        whole
    );
});
