//! How many nodes redis-server's radix tree of a stream would have, since XINFO tells of it.

use super::id::StreamId;

/// Bytes of a key.
const KEY_BYTES: usize = 16;

/// Nodes of a tree of these IDs, which come in order. A tree has a node where keys part, one for each stretch of bytes that
/// keys share, and one at the end of each key; an empty one has its root.
pub fn nodes(ids: impl Iterator<Item = StreamId>) -> usize {
    // Depths, in bytes, at which keys part on the way to the last one that was seen.
    let mut parts: Vec<usize> = Vec::new();
    let mut last: Option<[u8; KEY_BYTES]> = None;
    let mut nodes = 0;
    // From a depth to the one above it on the same way: is there a stretch in between?
    let stretch = |from: Option<usize>, to: usize| usize::from(from.map_or(0, |depth| depth + 1) < to);
    for id in ids {
        let key = id.to_bytes();
        if let Some(last) = last {
            let shared = key.iter().zip(last).take_while(|(a, b)| **a == *b).count();
            // What is below the place where this key leaves is finished.
            let mut below = KEY_BYTES;
            while let Some(depth) = parts.pop_if(|depth| *depth > shared) {
                nodes += 1 + stretch(Some(depth), below);
                below = depth;
            }
            nodes += 1 + stretch(Some(shared), below);
            if parts.last() != Some(&shared) {
                parts.push(shared);
            }
        }
        last = Some(key);
    }
    if last.is_none() {
        return 1;
    }
    let mut below = KEY_BYTES;
    while let Some(depth) = parts.pop() {
        nodes += 1 + stretch(Some(depth), below);
        below = depth;
    }
    nodes + 1 + stretch(None, below)
}
