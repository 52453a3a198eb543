//! Small readers over a parsed reply, for the replies that describe a cluster.

use crate::resp::Reply;

/// A reply of CLUSTER SLOTS or CLUSTER SHARDS that is not shaped as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{command} did not hold {expected}")]
pub struct ShapeError {
    /// The command that was asked.
    pub command: &'static str,
    /// What should have been there.
    pub expected: &'static str,
}

/// A number, also one that some servers write as text.
pub(super) fn number<N: TryFrom<i64>>(reply: &Reply) -> Option<N> {
    let number = match reply.as_integer() {
        Some(number) => number,
        None => reply.as_str()?.parse().ok()?,
    };
    N::try_from(number).ok()
}

/// Calls `each` with every named field of a map, or of RESP2's array of names and values. `None` when it is neither.
pub(super) fn fields<'a>(
    reply: &'a Reply,
    mut each: impl FnMut(&'a str, &'a Reply) -> Option<()>,
) -> Option<()> {
    reply
        .pairs()?
        .into_iter()
        .try_for_each(|(name, value)| each(name.as_str()?, value))
}
