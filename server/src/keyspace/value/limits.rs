//! Up to what size a collection stays in its compact form.

/// The `*-max-*` directives of the encodings. A collection that exceeds one is converted, and never back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fields of a hash in a listpack: `hash-max-listpack-entries`.
    pub hash_max_entries: usize,
    /// Bytes of each of their names and values: `hash-max-listpack-value`.
    pub hash_max_value: usize,
    /// Members of a set of integers in an intset: `set-max-intset-entries`.
    pub set_max_intset_entries: usize,
    /// Members of a sorted set in a listpack: `zset-max-listpack-entries`.
    pub zset_max_entries: usize,
    /// Bytes of each of them: `zset-max-listpack-value`.
    pub zset_max_value: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hash_max_entries: 512,
            hash_max_value: 64,
            set_max_intset_entries: 512,
            zset_max_entries: 128,
            zset_max_value: 64,
        }
    }
}
