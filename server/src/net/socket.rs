//! A client's socket, and what is known of it. It is asked only when there may be something to get: the poller tells of
//! each change once (edge-triggered), and between two tellings a call that came up short has emptied or filled it.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Poll, ready};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use rustix::buffer::spare_capacity;
use rustix::net::RecvFlags;

/// A socket that never blocks: `Pending` says that the poller will tell when it is worth another try.
pub struct Socket {
    stream: TcpStream,
    readable: bool,
    writable: bool,
    /// The other side sends nothing any more: there is an end to be read, of which nobody will tell again.
    read_closed: bool,
}

impl Socket {
    /// One that was just accepted and does not block. From now on events of it bear the token.
    pub fn new(stream: std::net::TcpStream, registry: &Registry, token: Token) -> io::Result<Self> {
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            stream,
            readable: false,
            writable: true,
            read_closed: false,
        })
    }

    /// The poller has told this of it.
    pub fn told(&mut self, event: &Event) {
        self.readable |= event.is_readable() || event.is_error();
        self.writable |= event.is_writable() || event.is_error();
        self.read_closed |= event.is_read_closed();
    }

    /// Might there be something to read?
    pub fn is_readable(&self) -> bool {
        self.readable
    }

    /// Might there be room to write to?
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// The poller tells nothing of it any more. It may live on as a duplicate.
    pub fn forget(&mut self, registry: &Registry) -> io::Result<()> {
        registry.deregister(&mut self.stream)
    }

    /// Reads once. `Ready(0)`: the other side has ended.
    pub fn read(&mut self, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if !self.readable {
            return Poll::Pending;
        }
        let read = ready!(attempt(&mut self.readable, || self.stream.read(into)))?;
        self.readable = read == into.len() || self.read_closed;
        Poll::Ready(Ok(read))
    }

    /// Reads once, behind what is there, as much as there is room for without an allocation, which must be something.
    pub fn read_behind(&mut self, buf: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        if !self.readable {
            return Poll::Pending;
        }
        let room = buf.capacity() - buf.len();
        let call = || Ok(rustix::net::recv(&self.stream, spare_capacity(buf), RecvFlags::empty())?.0);
        let read = ready!(attempt(&mut self.readable, call))?;
        self.readable = read == room || self.read_closed;
        Poll::Ready(Ok(read))
    }

    /// Writes once; `Ready` with how much was taken, which is something.
    pub fn write(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write_with(bytes.len(), |mut stream| stream.write(bytes))
    }

    /// Writes the slices, of `len` bytes in all, once.
    pub fn write_vectored(&mut self, slices: &[IoSlice<'_>], len: usize) -> Poll<io::Result<usize>> {
        self.write_with(len, |mut stream| stream.write_vectored(slices))
    }

    fn write_with(
        &mut self,
        len: usize,
        call: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        if !self.writable {
            return Poll::Pending;
        }
        match ready!(attempt(&mut self.writable, || call(&self.stream)))? {
            0 if len > 0 => Poll::Ready(Err(ErrorKind::WriteZero.into())),
            taken => {
                self.writable = taken == len;
                Poll::Ready(Ok(taken))
            }
        }
    }
}

/// Makes the call, again if a signal interrupts it; `Pending`, and not `able` any more, if the socket is not.
fn attempt(able: &mut bool, mut call: impl FnMut() -> io::Result<usize>) -> Poll<io::Result<usize>> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                *able = false;
                return Poll::Pending;
            }
            result => return Poll::Ready(result),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }
}
