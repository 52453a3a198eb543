//! A plain blocking connection for the few questions the driver asks a node: is it up, what has it used.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use slotcore::resp::{Reply, ReplyLimits, encode_command, parse_reply};
use thiserror::Error;

use crate::load::{Auth, HostPort};

#[derive(Debug, Error)]
pub enum AdminError {
    #[error("{addr}: {cause}")]
    Io { addr: String, cause: io::Error },
    #[error("{addr} refused {command}: {text}")]
    Refused {
        addr: String,
        command: String,
        text: String,
    },
    #[error("{addr} does not speak the Redis protocol: {cause}")]
    Protocol { addr: String, cause: String },
}

/// One connection; every call waits for its reply, at most for the timeout it was opened with.
#[derive(Debug)]
pub struct Admin {
    addr: String,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Admin {
    /// Connects, and logs in if there is something to log in with.
    pub fn connect(addr: &HostPort, auth: Option<&Auth>, timeout: Duration) -> Result<Self, AdminError> {
        let name = addr.to_string();
        let stream = open(addr, timeout).map_err(|cause| AdminError::Io {
            addr: name.clone(),
            cause,
        })?;
        let mut admin = Self {
            addr: name,
            stream,
            buffer: Vec::new(),
        };
        match auth {
            Some(Auth {
                user: Some(user),
                password,
            }) => admin.call(&["AUTH", user, password]).map(drop)?,
            Some(Auth { user: None, password }) => admin.call(&["AUTH", password]).map(drop)?,
            None => {}
        }
        Ok(admin)
    }

    /// Sends one command and returns its reply; an error reply is an `Err`.
    pub fn call(&mut self, args: &[&str]) -> Result<Reply, AdminError> {
        let mut request = Vec::with_capacity(64);
        let bytes: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        encode_command(&mut request, &bytes);
        let reply = self.stream.write_all(&request).and_then(|()| self.read_reply());
        match reply {
            Ok(Ok(Reply::Error(text))) => Err(AdminError::Refused {
                addr: self.addr.clone(),
                // Never the arguments: one may be a password.
                command: args.first().copied().unwrap_or_default().to_owned(),
                text: String::from_utf8_lossy(&text).into_owned(),
            }),
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(cause)) => Err(AdminError::Protocol {
                addr: self.addr.clone(),
                cause,
            }),
            Err(cause) => Err(AdminError::Io {
                addr: self.addr.clone(),
                cause,
            }),
        }
    }

    /// Sends frames that hold `count` commands, and returns their replies; error replies are among them.
    pub fn call_many(&mut self, frames: &[u8], count: usize) -> Result<Vec<Reply>, AdminError> {
        let io_error = |cause| AdminError::Io {
            addr: self.addr.clone(),
            cause,
        };
        self.stream.write_all(frames).map_err(io_error)?;
        let mut replies = Vec::with_capacity(count);
        for _ in 0..count {
            match self.read_reply() {
                Ok(Ok(reply)) => replies.push(reply),
                Ok(Err(cause)) => {
                    return Err(AdminError::Protocol {
                        addr: self.addr.clone(),
                        cause,
                    });
                }
                Err(cause) => {
                    return Err(AdminError::Io {
                        addr: self.addr.clone(),
                        cause,
                    });
                }
            }
        }
        Ok(replies)
    }

    /// A command whose reply is a text.
    pub fn text(&mut self, args: &[&str]) -> Result<String, AdminError> {
        let reply = self.call(args)?;
        match reply.as_bytes() {
            Some(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
            None => Err(AdminError::Protocol {
                addr: self.addr.clone(),
                cause: format!("the reply to {} is not a text", args.join(" ")),
            }),
        }
    }

    fn read_reply(&mut self) -> io::Result<Result<Reply, String>> {
        let limits = ReplyLimits::default();
        let mut chunk = [0; 16 * 1024];
        loop {
            match parse_reply(&self.buffer, &limits) {
                Ok(Some((reply, consumed))) => {
                    self.buffer.drain(..consumed);
                    return Ok(Ok(reply));
                }
                Ok(None) => {}
                Err(error) => return Ok(Err(error.to_string())),
            }
            match self.stream.read(&mut chunk) {
                Ok(0) => {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "closed the connection",
                    ));
                }
                Ok(n) => self.buffer.extend_from_slice(&chunk[..n]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // What a read timeout is called differs between systems.
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(io::ErrorKind::TimedOut.into()),
                Err(e) => return Err(e),
            }
        }
    }
}

/// The value of a `name:value` line of INFO or CLUSTER INFO.
pub fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
}

fn open(addr: &HostPort, timeout: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
    for candidate in (addr.host.as_str(), addr.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&candidate, timeout) {
            Ok(stream) => {
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))?;
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// A server that reads one request and answers with `reply`, then closes.
    fn answering(reply: &'static [u8]) -> (HostPort, std::thread::JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = vec![0; 256];
            let n = stream.read(&mut buffer).unwrap();
            stream.write_all(reply).unwrap();
            buffer.truncate(n);
            buffer
        });
        (
            HostPort {
                host: "127.0.0.1".to_owned(),
                port,
            },
            thread,
        )
    }

    const SHORT: Duration = Duration::from_secs(5);

    #[test]
    fn a_text_comes_back() {
        let (addr, server) = answering(b"$18\r\ncluster_state:ok\r\n\r\n");
        let info = Admin::connect(&addr, None, SHORT)
            .unwrap()
            .text(&["CLUSTER", "INFO"])
            .unwrap();
        assert_eq!(field(&info, "cluster_state"), Some("ok"));
        assert_eq!(field(&info, "cluster"), None);
        assert_eq!(server.join().unwrap(), b"*2\r\n$7\r\nCLUSTER\r\n$4\r\nINFO\r\n");
    }

    #[test]
    fn refusals_do_not_repeat_the_password() {
        let (addr, _server) = answering(b"-WRONGPASS invalid username-password pair\r\n");
        let auth = Auth {
            user: None,
            password: "hunter2".to_owned(),
        };
        let error = Admin::connect(&addr, Some(&auth), SHORT).unwrap_err().to_string();
        assert!(
            error.contains("refused AUTH: WRONGPASS") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn strangers_are_recognised() {
        let (addr, _server) = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let error = Admin::connect(&addr, None, SHORT)
            .unwrap()
            .call(&["PING"])
            .unwrap_err();
        assert!(matches!(error, AdminError::Protocol { .. }), "{error}");
        let (addr, _server) = answering(b"$100\r\nhalf");
        let error = Admin::connect(&addr, None, SHORT)
            .unwrap()
            .call(&["PING"])
            .unwrap_err();
        assert!(error.to_string().contains("closed the connection"), "{error}");
    }
}
