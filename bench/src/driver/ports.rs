//! Free ports on the loopback interface for nodes, whose bus port must be free too.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

use rand::RngExt;

use super::shape::bus_port;

/// Nodes get their ports from here. The range and that of the bus ports above it lie below the ports that
/// systems hand out to outgoing connections (32768 and up on Linux), so that no client of ours takes one
/// between the moment it was found free and the moment the node listens on it.
const NODE_PORTS: std::ops::Range<u16> = 11_000..22_000;
const ATTEMPTS: u32 = 2_000;

/// `count` different ports that were free a moment ago. Another process can still take one: a launch that
/// fails for that is tried again with others.
pub fn find_free(count: u32) -> io::Result<Vec<u16>> {
    let mut rng = rand::rng();
    let mut found = Vec::with_capacity(count as usize);
    for _ in 0..ATTEMPTS.saturating_add(count.saturating_mul(4)) {
        if found.len() == count as usize {
            // In order, so that a table sorted by address is sorted by slots too.
            found.sort_unstable();
            return Ok(found);
        }
        let port = rng.random_range(NODE_PORTS);
        if !found.contains(&port) && is_free(port) && is_free(bus_port(port)) {
            found.push(port);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AddrInUse,
        format!("{count} free ports were not found in {NODE_PORTS:?}"),
    ))
}

/// Whether a node could listen on this port now.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_ports_are_free_and_differ() {
        let ports = find_free(12).unwrap();
        let mut unique = ports.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), 12);
        assert!(ports.iter().all(|p| NODE_PORTS.contains(p)));
    }

    #[test]
    fn a_port_in_use_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }
}
