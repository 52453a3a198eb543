//! What replicas say once they get the stream: how far they are.

use slotcore::resp::{Args, Progress, RequestLimits, RequestParser, parse_i64};

/// A replica has nothing longer to say than this.
const MAX_PENDING: usize = 64 * 1024;

/// The replica does not keep to the protocol.
#[derive(Debug, thiserror::Error)]
#[error("a replica sent what is no command, or a command of more than {MAX_PENDING} bytes")]
pub struct BadReplica;

/// Finds acknowledgements in what a replica sends.
pub struct Acks {
    parser: RequestParser,
    pending: Vec<u8>,
}

impl Acks {
    /// Begins with bytes that came before.
    pub fn new(pending: Vec<u8>) -> Self {
        Self {
            parser: RequestParser::new(),
            pending,
        }
    }

    /// Takes bytes in. Returns the last offset that is acknowledged in them, if any.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Option<u64>, BadReplica> {
        self.pending.extend_from_slice(bytes);
        let limits = RequestLimits {
            max_bulk_len: MAX_PENDING,
            authenticated: true,
        };
        let (mut acked, mut pos) = (None, 0);
        let mut ranges = Vec::new();
        while pos < self.pending.len() {
            ranges.clear();
            match self.parser.parse(&mut self.pending, pos, &limits, &mut ranges) {
                Ok(Progress::Complete { consumed }) => {
                    acked = ack(Args::new(&self.pending, &ranges)).or(acked);
                    pos = consumed;
                }
                Ok(Progress::Incomplete { .. }) => break,
                Err(_) => return Err(BadReplica),
            }
        }
        self.pending.drain(..pos);
        if pos > 0 {
            // The parser counts from where the request began.
            self.parser = RequestParser::new();
        }
        if self.pending.len() > MAX_PENDING {
            return Err(BadReplica);
        }
        Ok(acked)
    }
}

/// The offset of a REPLCONF ACK. Whatever else a replica says is not for its primary to act on.
fn ack(args: Args<'_>) -> Option<u64> {
    let is = |i: usize, word: &[u8]| args.get(i).is_some_and(|arg| arg.eq_ignore_ascii_case(word));
    if is(0, b"replconf") && is(1, b"ack") {
        parse_i64(args.get(2)?).and_then(|offset| u64::try_from(offset).ok())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slotcore::resp::encode_command;

    #[test]
    fn the_last_ack_counts_however_it_is_cut() {
        let mut bytes = Vec::new();
        encode_command(&mut bytes, &[b"REPLCONF", b"ACK", b"14"]);
        encode_command(&mut bytes, &[b"PING"]);
        encode_command(&mut bytes, &[b"replconf", b"ack", b"28"]);
        assert_eq!(Acks::new(Vec::new()).take(&bytes).unwrap(), Some(28));
        for cut in 0..bytes.len() {
            let mut acks = Acks::new(bytes[..cut].to_vec());
            let first = acks.take(b"").unwrap();
            let last = acks.take(&bytes[cut..]).unwrap();
            assert_eq!(last.or(first), Some(28), "cut at {cut}");
        }
        assert_eq!(Acks::new(Vec::new()).take(b"\r\n\r\n").unwrap(), None);
    }

    #[test]
    fn nonsense_ends_the_replica() {
        assert!(Acks::new(Vec::new()).take(b"*1\r\n+x\r\n").is_err());
        let mut acks = Acks::new(Vec::new());
        assert!(acks.take(b"*2\r\n$99999999\r\n").is_err());
    }
}
