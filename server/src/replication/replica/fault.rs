//! Why a link to a primary ended.

use std::io;
use std::time::Duration;

/// What ended an attempt, or a link that worked. Displayed as what the log says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Nobody listens at the primary's address.
    #[error("Error condition on socket for SYNC: Connection refused")]
    Refused,
    /// The connection could not be made, or broke.
    #[error("Error condition on socket for SYNC: {0}")]
    Io(io::Error),
    /// The primary closed the connection.
    #[error("Connection with master lost.")]
    Closed,
    /// Somebody here ended it: CLIENT KILL.
    #[error("The link to the master was killed by a client")]
    Killed,
    /// Nothing came for so long.
    #[error("MASTER timeout: no data nor PING received for {} seconds", .0.as_secs())]
    Silent(Duration),
    /// No connection came about for so long.
    #[error("Timeout connecting to the MASTER ({} seconds)", .0.as_secs())]
    Unreachable(Duration),
    /// The primary answered PING with an error that is not about authentication.
    #[error("Error reply to PING from master: '{0}'")]
    Ping(String),
    /// The primary does not take our credentials.
    #[error("Unable to AUTH to MASTER: {0}")]
    Auth(String),
    /// The primary cannot serve us now, and says so.
    #[error("Master is currently unable to PSYNC but should be in the future: {0}")]
    Later(String),
    /// The primary refuses PSYNC.
    #[error(
        "Master does not support PSYNC or is in error state (reply: {0}); this node does not fall back to SYNC, which \
         only primaries older than 2.8 need"
    )]
    NoPsync(String),
    /// An answer to PSYNC that means nothing.
    #[error("Unexpected reply to PSYNC from master: {0}")]
    PsyncReply(String),
    /// The primary gave up in the middle of a full synchronisation.
    #[error("MASTER aborted replication with an error: {0}")]
    Aborted(String),
    /// Where the length of the RDB should stand, there is something else.
    #[error(
        "Bad protocol from MASTER, the first byte is not '$' (we received '{0}'), are you sure the host and port are right?"
    )]
    Transfer(String),
    /// The file for the RDB.
    #[error("Failed to keep the RDB of the master in a temporary file: {0}")]
    Spool(io::Error),
    /// The RDB cannot be loaded: it is damaged, or holds what this version does not.
    #[error("Failed trying to load the MASTER synchronization DB, the data set here stays as it was: {0}")]
    Load(String),
    /// As before, and the old data were gone already.
    #[error(
        "Failed trying to load the MASTER synchronization DB after it was checked, the data set here is empty now: {0}"
    )]
    LoadAfterCheck(String),
    /// The stream is not one of commands.
    #[error("The stream of the master cannot be understood ({0}): a full synchronisation follows")]
    Rubbish(String),
    /// The primary writes to a database that is not here.
    #[error(
        "The master writes to database {0}, and slotmark-server has database 0 only: it cannot be its replica"
    )]
    OtherDatabase(String),
}

impl Fault {
    /// Whether what we hold is no longer a part of the primary's history, so that only a full synchronisation helps.
    pub fn voids_history(&self) -> bool {
        matches!(
            self,
            Fault::Rubbish(_) | Fault::OtherDatabase(_) | Fault::LoadAfterCheck(_)
        )
    }

    /// Whether the next attempt will cost the primary a whole RDB and most likely end in the same way.
    pub fn is_costly(&self) -> bool {
        matches!(
            self,
            Fault::Spool(_)
                | Fault::Load(_)
                | Fault::LoadAfterCheck(_)
                | Fault::Rubbish(_)
                | Fault::OtherDatabase(_)
        )
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Fault::Refused,
            io::ErrorKind::UnexpectedEof => Fault::Closed,
            _ => Fault::Io(error),
        }
    }
}
