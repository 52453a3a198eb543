//! Making a workload's scripts known to the nodes, so that they can be called by their SHA1.

use anyhow::bail;
use workloads::Workload;

use super::discover::Link;
use super::plan::{HostPort, Target};
use super::scout::Scout;

/// Sends every script of the mix to every owner of slots. A node that comes later is told when it says NOSCRIPT.
///
/// # Errors
/// When a node does not take one: the text says what it answered.
pub(super) fn load(scout: &Scout, target: &Target, workload: &Workload) -> anyhow::Result<()> {
    let scripts: Vec<&str> = workload
        .commands()
        .iter()
        .filter_map(|command| command.script())
        .collect();
    if scripts.is_empty() {
        return Ok(());
    }
    let map = scout.map();
    for owner in map.owners() {
        let node = map.node(owner);
        let node = HostPort::new(node.host.as_str(), node.port);
        let says = |error: super::discover::AskError| anyhow::anyhow!("{}", error.text());
        let mut link = Link::login(&node, target).map_err(says)?;
        for script in &scripts {
            let reply = link
                .call(&[b"SCRIPT", b"LOAD", script.as_bytes()])
                .map_err(says)?;
            if let Some(error) = reply.as_error() {
                let error = String::from_utf8_lossy(error);
                bail!("{node} does not take a script of the workload: {error}");
            }
        }
    }
    Ok(())
}
