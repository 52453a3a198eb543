//! Whether this node is a primary or a replica.

/// What the node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// It owns its data.
    Primary,
    /// It copies this primary.
    Replica {
        /// The primary's address.
        host: String,
        /// The primary's client port.
        port: u16,
    },
}

impl Role {
    /// The word that HELLO uses.
    pub fn hello_name(&self) -> &'static str {
        match self {
            Role::Primary => "master",
            Role::Replica { .. } => "replica",
        }
    }
}

/// Whom a replica copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Following {
    /// The primary's address.
    pub host: String,
    /// The primary's client port.
    pub port: u16,
    /// Grows with every change of the role: what was begun for an older one is void.
    pub generation: u64,
}
