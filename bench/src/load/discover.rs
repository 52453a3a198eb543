//! Asking a node who owns which slot: blocking, with time limits, on a connection of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use slotcore::redirect::{ErrorClass, classify};
use slotcore::resp::{Reply, ReplyLimits, ReplyScanner, encode_command, parse_reply};
use slotcore::slot_map::SlotMap;
use slotcore::topology::slots::parse_slots;

use super::plan::{Auth, HostPort, Target};

/// For each answer to somebody who has logged in.
const LOGIN_LIMIT: Duration = Duration::from_secs(10);

/// Why a node gave no slot map.
#[derive(Debug)]
pub(super) enum AskError {
    /// Nothing answered there.
    Unreachable(String),
    /// Something answers, but not with a map.
    Refused(String),
}

impl AskError {
    pub fn text(&self) -> &str {
        match self {
            AskError::Unreachable(text) | AskError::Refused(text) => text,
        }
    }
}

/// The addresses of a node, those of IPv4 first: a server that listens on `localhost` often does so on IPv4 alone.
pub(super) fn resolve(node: &HostPort) -> std::io::Result<Vec<SocketAddr>> {
    if let Ok(ip) = node.host.parse() {
        return Ok(vec![SocketAddr::new(ip, node.port)]);
    }
    let mut addresses: Vec<SocketAddr> = (node.host.as_str(), node.port).to_socket_addrs()?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    if addresses.is_empty() {
        return Err(std::io::Error::new(
            std::io::ErrorKind::NotFound,
            "the name has no address",
        ));
    }
    Ok(addresses)
}

/// Asks one node for its slot map. A server that is no cluster is a map with one node.
pub(super) fn ask(node: &HostPort, target: &Target, limit: Duration) -> Result<SlotMap, AskError> {
    let mut link = Link::dial(node, limit)?;
    if let Some(auth) = &target.auth {
        let reply = link.call(&auth_args(auth))?;
        if let Some(error) = reply.as_error() {
            return Err(refused(node, "AUTH", error));
        }
    }
    let reply = link.call(&[b"CLUSTER", b"SLOTS"])?;
    let Some(error) = reply.as_error() else {
        let topology = parse_slots(&reply).map_err(|error| AskError::Refused(format!("{node}: {error}")))?;
        let map = SlotMap::from_topology(&topology, &node.host);
        if map.coverage() == 0 {
            return Err(AskError::Refused(format!(
                "{node}: no slot of this cluster has an owner"
            )));
        }
        return Ok(map);
    };
    if matches!(
        classify(error),
        ErrorClass::NoAuth | ErrorClass::NoPerm | ErrorClass::Loading
    ) {
        return Err(refused(node, "CLUSTER SLOTS", error));
    }
    if contains(error, b"cluster support disabled") || is_standalone(&mut link)? {
        return Ok(SlotMap::standalone(&node.host, node.port));
    }
    Err(refused(node, "CLUSTER SLOTS", error))
}

/// Servers that know no CLUSTER command at all still say in INFO that they are no cluster.
fn is_standalone(link: &mut Link<'_>) -> Result<bool, AskError> {
    let reply = link.call(&[b"INFO", b"cluster"])?;
    let info = reply.as_bytes().unwrap_or_default();
    Ok(reply.as_error().is_some() || !contains(info, b"cluster_enabled:1"))
}

fn refused(node: &HostPort, what: &str, error: &[u8]) -> AskError {
    AskError::Refused(format!(
        "{node} answers {what} with: {}",
        String::from_utf8_lossy(error)
    ))
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word))
}

/// The arguments of AUTH.
pub(super) fn auth_args(auth: &Auth) -> Vec<&[u8]> {
    match &auth.user {
        Some(user) => vec![b"AUTH", user.as_bytes(), auth.password.as_bytes()],
        None => vec![b"AUTH", auth.password.as_bytes()],
    }
}

/// A connection for a few questions.
pub(super) struct Link<'a> {
    node: &'a HostPort,
    stream: TcpStream,
}

impl<'a> Link<'a> {
    /// Connects, and logs in if that is wanted.
    pub fn login(node: &'a HostPort, target: &Target) -> Result<Self, AskError> {
        let mut link = Self::dial(node, LOGIN_LIMIT)?;
        if let Some(auth) = &target.auth {
            let reply = link.call(&auth_args(auth))?;
            if let Some(error) = reply.as_error() {
                return Err(refused(node, "AUTH", error));
            }
        }
        Ok(link)
    }

    fn dial(node: &'a HostPort, limit: Duration) -> Result<Self, AskError> {
        let unreachable = |error: std::io::Error| AskError::Unreachable(format!("{node}: {error}"));
        let mut last = None;
        for address in resolve(node).map_err(unreachable)? {
            match TcpStream::connect_timeout(&address, limit) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(limit)).map_err(unreachable)?;
                    stream.set_write_timeout(Some(limit)).map_err(unreachable)?;
                    return Ok(Self { node, stream });
                }
                Err(error) => last = Some(error),
            }
        }
        Err(unreachable(
            last.unwrap_or_else(|| std::io::ErrorKind::NotFound.into()),
        ))
    }

    /// Asks one thing.
    pub fn call(&mut self, args: &[&[u8]]) -> Result<Reply, AskError> {
        // From here on something answers the phone, even if it says nothing.
        let silent = |error: std::io::Error| AskError::Refused(format!("{}: {error}", self.node));
        let mut frame = Vec::new();
        encode_command(&mut frame, args);
        self.stream.write_all(&frame).map_err(silent)?;
        let mut buf = Vec::new();
        let mut scanner = ReplyScanner::new();
        let mut chunk = [0u8; 16 * 1024];
        loop {
            let n = self.stream.read(&mut chunk).map_err(silent)?;
            if n == 0 {
                return Err(AskError::Unreachable(format!(
                    "{}: the connection was closed",
                    self.node
                )));
            }
            buf.extend_from_slice(&chunk[..n]);
            let garbled = |error| AskError::Refused(format!("{}: no Redis protocol: {error}", self.node));
            if scanner.scan(&buf).map_err(garbled)?.is_some()
                && let Some((reply, _)) = parse_reply(&buf, &ReplyLimits::default()).map_err(garbled)?
            {
                return Ok(reply);
            }
        }
    }
}
