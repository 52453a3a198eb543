//! What the nodes say they have evicted, asked before and after a round.

use std::time::Duration;

use super::admin::{Admin, AdminError, field};
use crate::load::{Auth, HostPort};

const ASK_TIMEOUT: Duration = Duration::from_secs(2);

/// Keys that these nodes have evicted since they started; none if one of them cannot be asked.
pub fn evicted_keys(nodes: &[HostPort], auth: Option<&Auth>) -> Option<u64> {
    let counts = nodes.iter().map(|node| ask(node, auth).ok().flatten());
    counts.sum()
}

fn ask(node: &HostPort, auth: Option<&Auth>) -> Result<Option<u64>, AdminError> {
    let info = Admin::connect(node, auth, ASK_TIMEOUT)?.text(&["INFO", "stats"])?;
    Ok(field(&info, "evicted_keys").and_then(|keys| keys.trim().parse().ok()))
}
