//! Requests as a client writes them: an array of bulk strings.

use super::number::push_number_line;

/// Appends a request of `args`, the command's name first.
pub fn encode_command(out: &mut Vec<u8>, args: &[&[u8]]) {
    encode_header(out, args.len());
    for arg in args {
        encode_bulk(out, arg);
    }
}

/// Appends the header of a request; `argc` calls of [`encode_bulk`] complete it.
#[inline]
pub fn encode_header(out: &mut Vec<u8>, argc: usize) {
    push_number_line(out, b'*', argc);
}

/// Appends one argument.
#[inline]
pub fn encode_bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    // The header is at most a type byte, twenty digits and CRLF, then there is the CRLF at the end.
    out.reserve(bytes.len() + 25);
    push_number_line(out, b'$', bytes.len());
    append(out, bytes);
    out.extend_from_slice(b"\r\n");
}

/// Appends `bytes`, long ones piece by piece. A copy of more than 2 KiB at once is `rep movsb` in glibc, which on Zen 4 takes
/// twice as long where the target lies a few bytes further on in its page than the source in its own: so do large values,
/// which begin where a page does, and buffers that begin with a header. For the largest it is the faster way all the same,
/// since it does not fetch what it overwrites.
#[inline]
fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    const PIECE: usize = 1024;
    const LARGEST: usize = 256 * 1024;
    if bytes.len() <= PIECE || bytes.len() > LARGEST {
        return out.extend_from_slice(bytes);
    }
    out.reserve(bytes.len());
    bytes.chunks(PIECE).for_each(|piece| out.extend_from_slice(piece));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request() {
        let mut out = Vec::new();
        encode_command(&mut out, &[b"SET", b"", &[b'x'; 123]]);
        let expected = format!("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$123\r\n{}\r\n", "x".repeat(123));
        assert_eq!(out, expected.into_bytes());
    }
}
