//! A network of its own for a launched cluster: each node in a network namespace, so that one can be cut off from all
//! others and from the clients, without any of them being told.
//!
//! ```text
//!   hub: a bridge (10.98.0.254), and the generator ── 10.98.0.1  node 0
//!                                                  ── 10.98.0.2  node 1
//! ```
//!
//! The generator itself moves to the hub, so nothing outside of these namespaces is touched. They go with the network.

use std::ffi::OsString;
use std::io;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Nodes that fit; their addresses end in 1 to 250.
const MOST_NODES: u32 = 250;

/// The namespaces of one cluster.
#[derive(Debug)]
pub struct Network {
    prefix: String,
    nodes: u32,
}

impl Network {
    /// Whether namespaces can be made here: by root, with iproute2, on Linux.
    pub fn permitted() -> bool {
        cfg!(target_os = "linux")
            && rustix::process::geteuid().is_root()
            && Command::new("ip")
                .arg("netns")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
    }

    /// Makes the namespaces, and moves the calling thread (and those it starts from here on) to the hub.
    pub fn create(nodes: u32) -> io::Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        if nodes > MOST_NODES {
            return Err(io::Error::other(format!(
                "{nodes} nodes are too many to be cut off; {MOST_NODES} are possible"
            )));
        }
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let network = Self {
            prefix: format!("slotmark{}-{number}", std::process::id()),
            nodes,
        };
        let hub = network.hub();
        ip(&["netns", "add", &hub])?;
        inside(&hub, &["link", "set", "lo", "up"])?;
        inside(&hub, &["link", "add", "br0", "type", "bridge"])?;
        inside(&hub, &["addr", "add", "10.98.0.254/24", "dev", "br0"])?;
        inside(&hub, &["link", "set", "br0", "up"])?;
        for node in 0..nodes as usize {
            network.plug_in(node)?;
        }
        network.move_to_hub()?;
        Ok(network)
    }

    fn plug_in(&self, node: usize) -> io::Result<()> {
        let (name, hub, port) = (self.name(node), self.hub(), port(node));
        ip(&["netns", "add", &name])?;
        ip(&[
            "link", "add", &port, "netns", &hub, "type", "veth", "peer", "name", "eth0", "netns", &name,
        ])?;
        inside(&hub, &["link", "set", &port, "master", "br0", "up"])?;
        let address = format!("{}/24", self.address(node));
        inside(&name, &["addr", "add", &address, "dev", "eth0"])?;
        inside(&name, &["link", "set", "eth0", "up"])?;
        inside(&name, &["link", "set", "lo", "up"])
    }

    #[cfg(target_os = "linux")]
    pub fn move_to_hub(&self) -> io::Result<()> {
        use std::os::fd::AsFd;

        use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

        let file = std::fs::File::open(format!("/run/netns/{}", self.hub()))?;
        Ok(move_into_link_name_space(
            file.as_fd(),
            Some(LinkNameSpaceType::Network),
        )?)
    }

    #[cfg(not(target_os = "linux"))]
    pub fn move_to_hub(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// A node's address.
    pub fn address(&self, node: usize) -> String {
        format!("10.98.0.{}", node + 1)
    }

    /// What goes in front of a command so that it runs in a node's namespace.
    pub fn enter(&self, node: usize) -> Vec<OsString> {
        let name = self.name(node);
        ["ip", "netns", "exec", &name].map(OsString::from).into()
    }

    /// Nothing reaches a node any more, and nothing from it reaches anybody. Nobody gets an error.
    pub fn cut_off(&self, node: usize) -> io::Result<()> {
        inside(&self.hub(), &["link", "set", &port(node), "nomaster"])
    }

    /// Ends [`Network::cut_off`].
    pub fn reconnect(&self, node: usize) -> io::Result<()> {
        inside(&self.hub(), &["link", "set", &port(node), "master", "br0"])
    }

    fn hub(&self) -> String {
        format!("{}-hub", self.prefix)
    }

    fn name(&self, node: usize) -> String {
        format!("{}-{node}", self.prefix)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // What was never made, or is gone, cannot be removed: that is no news.
        for node in 0..self.nodes as usize {
            let _ = ip(&["netns", "del", &self.name(node)]);
        }
        let _ = ip(&["netns", "del", &self.hub()]);
    }
}

/// Removes the namespaces that a process has left behind.
pub fn remove_of(process: u32) {
    let prefix = format!("slotmark{process}-");
    let Ok(entries) = std::fs::read_dir("/run/netns") else {
        return;
    };
    for entry in entries.flatten() {
        if let Some(name) = entry
            .file_name()
            .to_str()
            .filter(|name| name.starts_with(&prefix))
        {
            // Nobody is left to be told.
            let _ = ip(&["netns", "del", name]);
        }
    }
}

/// The hub's end of a node's cable.
fn port(node: usize) -> String {
    format!("v{node}")
}

fn inside(namespace: &str, args: &[&str]) -> io::Result<()> {
    let mut all = vec!["-n", namespace];
    all.extend(args);
    ip(&all)
}

fn ip(args: &[&str]) -> io::Result<()> {
    let output = Command::new("ip").args(args).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!(
        "ip {}: {}",
        args.join(" "),
        text.trim()
    )))
}
