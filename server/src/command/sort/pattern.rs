//! Keys by a pattern and an element: `weight_*`, `object_*->field`, `#`.

use crate::command::call::Call;
use crate::keyspace::{Collection, Key, ValueRef};

/// What the key of an element holds: a string, or a field of a hash; `#` is the element itself.
pub(super) fn look_up(call: &mut Call<'_>, pattern: &[u8], element: &[u8]) -> Option<Vec<u8>> {
    if pattern == b"#" {
        return Some(element.to_vec());
    }
    let star = pattern.iter().position(|&byte| byte == b'*')?;
    let (before, behind) = (&pattern[..star], &pattern[star + 1..]);
    let arrow = behind.windows(2).position(|pair| pair == b"->");
    let (behind, field) = match arrow {
        // An arrow to nothing is a part of the key.
        Some(at) if at + 2 < behind.len() => (&behind[..at], Some(&behind[at + 2..])),
        _ => (behind, None),
    };
    let name = [before, element, behind].concat();
    let key = Key::new(&name);
    call.notify_miss(&key);
    let found = call.held.table(key.slot).get(&key, call.now);
    call.node.stats.worker(call.worker).looked_up(found.is_some());
    match (found?.value(), field) {
        (ValueRef::Str(text), None) => Some(text.to_vec()),
        (ValueRef::Collection(Collection::Hash(hash)), Some(field)) => {
            let value = hash.get(field)?;
            Some(value.text(&mut itoa::Buffer::new()).to_vec())
        }
        _ => None,
    }
}
