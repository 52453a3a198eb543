//! What a publisher has to do for its receivers once it holds no lock of the registry any more.

use std::sync::Arc;

use crate::admin::clients::ClientShared;
use crate::log;

/// Receivers that must be seen to. Dropping it does so.
#[derive(Default)]
pub struct Outcome {
    /// How many got the message.
    pub receivers: usize,
    /// Their mailboxes were empty.
    woken: Vec<Arc<ClientShared>>,
    /// They have left more unread than they may.
    ended: Vec<Arc<ClientShared>>,
}

impl Outcome {
    pub(super) fn wake(&mut self, client: &Arc<ClientShared>) {
        self.woken.push(client.clone());
    }

    pub(super) fn end(&mut self, client: &Arc<ClientShared>) {
        self.ended.push(client.clone());
    }
}

impl Drop for Outcome {
    fn drop(&mut self) {
        for client in &self.woken {
            client.wake();
        }
        for client in &self.ended {
            log::warning(format_args!(
                "Client {} closed for overcoming of output buffer limits.",
                client.describe()
            ));
            client.kill();
        }
    }
}
