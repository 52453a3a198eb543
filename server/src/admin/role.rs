//! Whether this node is a primary or a replica, as INFO, ROLE and HELLO tell it.

use crate::cluster::Cluster;

/// What the node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// It owns its data.
    Primary,
    /// Its nodes.conf says that it follows this primary.
    Replica {
        /// The primary's address.
        host: String,
        /// The primary's client port.
        port: u16,
    },
}

impl Role {
    /// The role of a node with this view of its cluster, or of one without a cluster.
    pub fn of(cluster: Option<&Cluster>) -> Role {
        let Some(cluster) = cluster else {
            return Role::Primary;
        };
        let view = cluster.view();
        match view.me().primary {
            Some(primary) => {
                let primary = view.data().node(primary);
                Role::Replica {
                    host: primary.ip.clone(),
                    port: primary.port,
                }
            }
            None => Role::Primary,
        }
    }

    /// The word that HELLO uses.
    pub fn hello_name(&self) -> &'static str {
        match self {
            Role::Primary => "master",
            Role::Replica { .. } => "replica",
        }
    }
}
