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
    /// How large one listpack of a list may become: `list-max-listpack-size`.
    pub list_node: NodeLimit,
    /// Bytes of a node of a stream: `stream-node-max-bytes`; 0: as many as there can be.
    pub stream_node_bytes: usize,
    /// Entries of one: `stream-node-max-entries`; 0: any number.
    pub stream_node_entries: u64,
}

/// What one listpack of a list may hold. An element that is larger has a listpack of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLimit {
    bytes: usize,
    elements: usize,
}

impl NodeLimit {
    /// More than an element takes beside its text, as redis-server reckons it, in bytes.
    const OVERHEAD: usize = 8;
    /// The largest limit, in bytes.
    pub const BYTES_MAX: usize = 64 * 1024;

    /// From the directive: so many elements, or -1 for 4 kB up to -5 for 64 kB.
    pub const fn new(size: i32) -> Self {
        match size {
            0.. => Self {
                bytes: 8192,
                elements: if size == 0 {
                    1
                } else if size > 32_767 {
                    32_767
                } else {
                    size as usize
                },
            },
            _ => Self {
                bytes: 4096 << if size < -5 { 4 } else { -1 - size },
                elements: u16::MAX as usize - 1,
            },
        }
    }

    /// Whether a listpack may have so many bytes, without what its last element takes beside its text, and so many
    /// elements.
    pub fn allows(self, bytes: usize, elements: usize) -> bool {
        elements <= self.elements && bytes + Self::OVERHEAD <= self.bytes
    }

    /// The same bytes, and one element more.
    pub fn one_more(self) -> Self {
        Self {
            elements: self.elements + 1,
            ..self
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hash_max_entries: 512,
            hash_max_value: 64,
            set_max_intset_entries: 512,
            list_node: NodeLimit::new(-2),
            zset_max_entries: 128,
            zset_max_value: 64,
            stream_node_bytes: 4096,
            stream_node_entries: 100,
        }
    }
}
