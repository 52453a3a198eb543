//! The listening sockets, and the loop that accepts from them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::TcpListener;

use crate::log;
use crate::net::worker::Workers;
use crate::node::Node;

/// The bound sockets of a node, not yet accepting.
pub struct Listeners(Vec<std::net::TcpListener>);

/// Binds every address of the `bind` directive. An address with a `-` before it may be unavailable; any other
/// that fails is an error that names it. At least one must be bound.
pub fn bind(addresses: &[String], port: u16, backlog: i32) -> Result<Listeners, String> {
    let mut listeners = Vec::new();
    for text in addresses {
        let (name, optional) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text.as_str(), false),
        };
        match resolve(name, port).and_then(|address| listen(address, backlog)) {
            Ok(listener) => listeners.push(listener),
            Err(error) if optional && is_unavailable(&error) => {}
            Err(error) => {
                return Err(format!(
                    "Could not create server TCP listening socket {name}:{port}: {error}"
                ));
            }
        }
    }
    if listeners.is_empty() {
        return Err(format!(
            "none of the bind addresses is available: {}",
            addresses.join(" ")
        ));
    }
    Ok(Listeners(listeners))
}

fn resolve(name: &str, port: u16) -> io::Result<SocketAddr> {
    match name {
        "*" => Ok((Ipv4Addr::UNSPECIFIED, port).into()),
        "::*" => Ok((Ipv6Addr::UNSPECIFIED, port).into()),
        _ => match name.parse::<IpAddr>() {
            Ok(ip) => Ok((ip, port).into()),
            Err(_) => (name, port)
                .to_socket_addrs()?
                .next()
                .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address")),
        },
    }
}

fn is_unavailable(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, Unsupported};
    matches!(error.kind(), AddrNotAvailable | Unsupported)
        || matches!(
            error.raw_os_error().map(rustix::io::Errno::from_raw_os_error),
            Some(rustix::io::Errno::AFNOSUPPORT | rustix::io::Errno::PROTONOSUPPORT)
        )
}

fn listen(address: SocketAddr, backlog: i32) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

impl Listeners {
    /// The sockets, for another kind of peer than clients.
    pub fn into_inner(self) -> Vec<std::net::TcpListener> {
        self.0
    }

    /// Accepts until the process ends. Must run inside a tokio runtime.
    pub async fn accept(self, node: &'static Node, workers: &'static Workers) -> io::Result<()> {
        let mut tasks = tokio::task::JoinSet::new();
        for listener in self.0 {
            let listener = TcpListener::from_std(listener)?;
            tasks.spawn(accept_from(listener, node, workers));
        }
        while tasks.join_next().await.is_some() {}
        Ok(())
    }
}

async fn accept_from(listener: TcpListener, node: &'static Node, workers: &'static Workers) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Ok(stream) = stream.into_std() {
                    admit(stream, peer, node, workers);
                }
            }
            Err(error) => {
                // Out of file descriptors, or the peer was gone already: the next accept may succeed.
                log::warning(format_args!("Accepting client connection: {error}"));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

fn admit(stream: std::net::TcpStream, peer: SocketAddr, node: &'static Node, workers: &'static Workers) {
    let config = node.config.load();
    let protected =
        config.protected_mode && node.acl.default_account().user().has_nopass() && config.bind_is_default;
    let refusal = if node.clients.len() >= config.maxclients as usize {
        Some("-ERR max number of clients reached\r\n")
    } else if protected && !peer.ip().to_canonical().is_loopback() {
        Some(
            "-DENIED This node runs in protected mode: it has no password and no bind address, so it talks to \
             loopback only. Set requirepass, or bind addresses, or protected-mode no.\r\n",
        )
    } else {
        None
    };
    if let Some(text) = refusal {
        node.stats.rejected_connection();
        // The socket is new, its buffer is empty: the text fits or the peer is gone.
        let _ = SockRef::from(&stream).send(text.as_bytes());
        return;
    }
    let socket = SockRef::from(&stream);
    let _ = socket.set_tcp_nodelay(true);
    if config.tcp_keepalive_s > 0 {
        let idle = Duration::from_secs(config.tcp_keepalive_s);
        let keepalive = TcpKeepalive::new()
            .with_time(idle)
            .with_interval(idle / 3)
            .with_retries(3);
        let _ = socket.set_tcp_keepalive(&keepalive);
    }
    if let Ok(local) = stream.local_addr() {
        workers.assign(node, stream, peer, local);
    }
}
