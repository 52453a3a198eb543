//! A client that writes one key to one node every millisecond, and notes when that first succeeded.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::bail;
use loadgen::load::HostPort;

/// Between two writes.
const PERIOD: Duration = Duration::from_millis(1);
/// Nobody on this machine needs longer to answer; a node that hangs never does.
const PATIENCE: Duration = Duration::from_millis(500);

/// A running client; it ends with this value.
pub struct Probe {
    first: Arc<Mutex<Option<Instant>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Probe {
    /// Starts to write `key` to the node at this address.
    pub fn start(address: &HostPort, key: &str) -> Self {
        let first = Arc::new(Mutex::new(None));
        let stop = Arc::new(AtomicBool::new(false));
        let address: SocketAddr = address
            .to_string()
            .parse()
            .expect("nodes are addressed by number");
        let request = format!("*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n$1\r\n1\r\n", key.len());
        let thread = {
            let (first, stop) = (first.clone(), stop.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    // Whatever goes wrong on one connection is tried again on the next.
                    let _ = write_until_it_fails(address, request.as_bytes(), &first, &stop);
                    std::thread::sleep(PERIOD);
                }
            })
        };
        Self {
            first,
            stop,
            thread: Some(thread),
        }
    }

    /// When the first write was acknowledged.
    pub fn first_success(&self) -> Option<Instant> {
        *self.first.lock().expect("no probe panics")
    }

    /// Waits for it.
    pub fn wait_for_success(&self, patience: Duration) -> anyhow::Result<Instant> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(first) = self.first_success() {
                return Ok(first);
            }
            if Instant::now() > deadline {
                bail!("no write was acknowledged within {patience:?}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic in there has shown itself as a missing success.
            let _ = thread.join();
        }
    }
}

fn write_until_it_fails(
    address: SocketAddr,
    request: &[u8],
    first: &Mutex<Option<Instant>>,
    stop: &AtomicBool,
) -> std::io::Result<()> {
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut reply = [0; 512];
    while !stop.load(Ordering::Relaxed) {
        socket.write_all(request)?;
        let len = socket.read(&mut reply)?;
        if len == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if reply.starts_with(b"+OK") {
            first
                .lock()
                .expect("no probe panics")
                .get_or_insert_with(Instant::now);
        }
        std::thread::sleep(PERIOD);
    }
    Ok(())
}
