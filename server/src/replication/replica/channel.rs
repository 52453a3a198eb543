//! An RDB on its way from the socket to the thread that loads it, without a file in between.

use std::io::{self, Read};

use tokio::sync::mpsc;

/// Pieces on the way: with the size of a read this bounds what they hold to a few megabytes.
const PIECES: usize = 8;

/// The socket's end. Dropped before [`Feed::end`], it makes reading fail: the RDB is not whole.
#[derive(Debug)]
pub struct Feed(mpsc::Sender<Option<Vec<u8>>>);

/// The loader's end.
#[derive(Debug)]
pub struct Source {
    pieces: mpsc::Receiver<Option<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
    ended: bool,
}

/// Both ends.
pub fn channel() -> (Feed, Source) {
    let (sender, pieces) = mpsc::channel(PIECES);
    let source = Source {
        pieces,
        piece: Vec::new(),
        at: 0,
        ended: false,
    };
    (Feed(sender), source)
}

impl Feed {
    /// Hands a piece over, as soon as there is room. False if nobody reads any more.
    pub async fn push(&self, piece: &[u8]) -> bool {
        self.0.send(Some(piece.to_vec())).await.is_ok()
    }

    /// The RDB has come whole.
    pub async fn end(&self) {
        // A loader that has failed says so itself.
        let _ = self.0.send(None).await;
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Some(piece)) => (self.piece, self.at) = (piece, 0),
                Some(None) => self.ended = true,
                None => {
                    return Err(io::Error::new(
                        io::ErrorKind::ConnectionAborted,
                        "the link to the master ended before the RDB did",
                    ));
                }
            }
        }
        let rest = &self.piece[self.at..];
        let read = rest.len().min(into.len());
        into[..read].copy_from_slice(&rest[..read]);
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn read_all(pieces: &'static [&[u8]], whole: bool) -> io::Result<Vec<u8>> {
        let (feed, mut source) = channel();
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            source.read_to_end(&mut bytes).map(|_| bytes)
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for piece in pieces {
                assert!(feed.push(piece).await);
            }
            if whole {
                feed.end().await;
            }
        });
        drop(feed);
        reader.join().unwrap()
    }

    #[test]
    fn an_rdb_is_whole_only_if_somebody_says_so() {
        assert_eq!(read_all(&[b"RED", b"", b"IS"], true).unwrap(), b"REDIS");
        assert_eq!(read_all(&[], true).unwrap(), b"");
        let error = read_all(&[b"RED"], false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    }
}
