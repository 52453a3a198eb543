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

/// Appends `bytes`, which are to be read again soon: those who encode send. What glibc does with long ones is not always the
/// fastest way, on Zen 4 at least:
///
/// - a copy of more than 2 KiB at once is `rep movsb`, which takes five to thirty times as long where the target lies 1 to 31
///   bytes further on in its page than the source in its own. That happens to large values, which begin where a page does,
///   behind the header of a reply.
/// - a copy of about 1 MB goes past the caches, from where it would be sent.
#[inline]
fn append(out: &mut Vec<u8>, bytes: &[u8]) {
    const SHORT: usize = 2 * 1024;
    const LONG: usize = 256 * 1024;
    if bytes.len() <= SHORT {
        return out.extend_from_slice(bytes);
    }
    out.reserve(bytes.len());
    let target = out.as_ptr().addr() + out.len();
    let ahead = target.wrapping_sub(bytes.as_ptr().addr()) % 4096;
    let at_once = if (1..32).contains(&ahead) { SHORT / 2 } else { LONG };
    bytes
        .chunks(at_once)
        .for_each(|piece| out.extend_from_slice(piece));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_appended_wherever_they_lie() {
        let bytes: Vec<u8> = (0..600_000u32).map(|at| (at / 3) as u8).collect();
        for (before, from) in [(0, 0), (9, 0), (40, 9), (9, 40), (4096, 1), (4127, 0)] {
            let mut out = vec![b'-'; before];
            append(&mut out, &bytes[from..]);
            assert_eq!(out[..before], vec![b'-'; before]);
            assert_eq!(out[before..], bytes[from..]);
        }
    }

    #[test]
    fn a_request() {
        let mut out = Vec::new();
        encode_command(&mut out, &[b"SET", b"", &[b'x'; 123]]);
        let expected = format!("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$123\r\n{}\r\n", "x".repeat(123));
        assert_eq!(out, expected.into_bytes());
    }
}
