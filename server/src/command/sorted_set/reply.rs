//! Members with their scores in replies: one after the other, or, in RESP3, pairs.

use slotcore::resp::{Proto, ReplyWriter};

/// The header of so many members.
pub fn write_header(out: &mut ReplyWriter<'_>, members: usize, with_scores: bool) {
    let flat = with_scores && out.proto == Proto::Resp2;
    out.array(if flat { members * 2 } else { members });
}

/// A member, with its score if that was asked for.
pub fn write_member(out: &mut ReplyWriter<'_>, member: &[u8], score: f64, with_scores: bool) {
    if with_scores && out.proto == Proto::Resp3 {
        out.array(2);
    }
    out.bulk(member);
    if with_scores {
        out.double(score);
    }
}
