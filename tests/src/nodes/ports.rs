//! Ports that stay a node's own while it is down.

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

/// Below the range from which the kernel draws ports for outgoing connections (32768 and up on Linux): one of those
/// would keep a node from coming back to its port. The bus listens 10000 above.
const FIRST: u16 = 11_000;
const COUNT: u16 = 10_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that no other test takes while this lives, whether or not anybody listens there.
pub struct Port {
    number: u16,
    /// Nobody speaks UDP there: the socket is the claim that other tests respect, in whichever process they run.
    _claim: UdpSocket,
}

impl Port {
    /// Claims a port on which, as on the one for the bus, nobody listens.
    pub fn claim() -> Self {
        // Processes begin at different places, so that they rarely compete.
        let start = (std::process::id().wrapping_mul(131) % u32::from(COUNT)) as u16;
        for _ in 0..COUNT {
            let number = FIRST + (start + NEXT.fetch_add(1, Relaxed) % COUNT) % COUNT;
            let Ok(claim) = UdpSocket::bind(("127.0.0.1", number)) else {
                continue;
            };
            let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
            if free(number) && free(number + 10_000) {
                return Self {
                    number,
                    _claim: claim,
                };
            }
        }
        panic!("no free pair of ports");
    }

    /// The number.
    pub fn number(&self) -> u16 {
        self.number
    }
}
