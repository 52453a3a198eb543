//! Hosts of a test's own: network namespaces on one bridge, so that nodes can be cut off from each other one way or both.
//!
//! ```text
//!   hub (bridge, 10.99.0.254) ── 10.99.0.1   each node in a namespace of its own
//!    │ the test's thread      ── 10.99.0.2
//! ```
//!
//! A cut is a wrong hardware address for the other host: packets leave, and nobody takes them, without any error.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The hosts of one test. They go with it; processes in them must have ended by then.
pub struct Hosts {
    prefix: String,
    count: u8,
}

impl Hosts {
    /// So many hosts, numbered from 0. `None`: only root may make network namespaces.
    pub fn new(count: u8) -> Option<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: network namespaces need root");
            return None;
        }
        if !crate::have("ip") {
            crate::skip("ip is not on PATH (Debian: apt-get install iproute2)");
            return None;
        }
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let hosts = Self {
            prefix: format!("smk{}-{number}", std::process::id()),
            count,
        };
        let hub = hosts.hub();
        ip(&["netns", "add", &hub]);
        in_ns(&hub, &["link", "add", "br0", "type", "bridge"]);
        in_ns(&hub, &["addr", "add", "10.99.0.254/24", "dev", "br0"]);
        in_ns(&hub, &["link", "set", "br0", "up"]);
        for host in 0..count {
            hosts.plug_in(host);
        }
        Some(hosts)
    }

    fn plug_in(&self, host: u8) {
        let (name, hub, port) = (self.name(host), self.hub(), format!("v{host}"));
        ip(&["netns", "add", &name]);
        let pair = [
            "link", "add", &port, "netns", &hub, "type", "veth", "peer", "name", "eth0", "netns", &name,
        ];
        ip(&pair);
        in_ns(&hub, &["link", "set", &port, "master", "br0", "up"]);
        let address = format!("{}/24", Self::address(host));
        in_ns(&name, &["addr", "add", &address, "dev", "eth0"]);
        in_ns(&name, &["link", "set", "eth0", "up"]);
        in_ns(&name, &["link", "set", "lo", "up"]);
    }

    fn hub(&self) -> String {
        format!("{}-hub", self.prefix)
    }

    fn name(&self, host: u8) -> String {
        format!("{}-{host}", self.prefix)
    }

    /// A host's address.
    pub fn address(host: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 99, 0, host + 1)
    }

    /// A port of a host.
    pub fn socket(host: u8, port: u16) -> SocketAddr {
        (Self::address(host), port).into()
    }

    /// A command that runs on a host.
    pub fn command(&self, host: u8, program: &str) -> Command {
        exec(&self.name(host), program)
    }

    /// A command that runs beside the bridge, where all hosts are reached whatever is cut.
    pub fn command_at_hub(&self, program: &str) -> Command {
        exec(&self.hub(), program)
    }

    /// The calling thread's sockets are the hub's from here on.
    pub fn enter_hub(&self) {
        let file = File::open(format!("/run/netns/{}", self.hub())).expect("the namespace exists");
        use std::os::fd::AsFd;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .expect("root may enter a namespace");
    }

    /// Nothing that `from` sends reaches `to` any more.
    pub fn cut(&self, from: u8, to: u8) {
        let address = Self::address(to).to_string();
        let arguments = [
            "neigh",
            "replace",
            &address,
            "lladdr",
            "02:00:00:00:00:01",
            "dev",
            "eth0",
            "nud",
            "permanent",
        ];
        in_ns(&self.name(from), &arguments);
    }

    /// Ends [`Hosts::cut`].
    pub fn mend(&self, from: u8, to: u8) {
        let address = Self::address(to).to_string();
        in_ns(&self.name(from), &["neigh", "del", &address, "dev", "eth0"]);
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        // Whatever was not made cannot be removed; what was goes.
        for name in (0..self.count).map(|host| self.name(host)).chain([self.hub()]) {
            let _ = Command::new("ip").args(["netns", "del", &name]).output();
        }
    }
}

fn exec(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace, program]);
    command
}

fn in_ns(namespace: &str, arguments: &[&str]) {
    ip(&[&["-n", namespace], arguments].concat());
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().expect("ip runs");
    assert!(
        output.status.success(),
        "ip {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
}
