//! One full copy of the data: cut at an exact place of the stream, written as RDB, for all replicas that wait for it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::copies::{Start, Step, Waiting};
use crate::log;
use crate::memory;
use crate::node::{Node, random_hex_40, unix_ms};
use crate::persistence::rdb::{RdbAux, RdbHistory};
use crate::persistence::snapshot;

/// Bytes of a piece on its way to the sockets.
const PIECE: usize = 64 * 1024;
/// How often it is tried to begin while another snapshot is being written.
const RETRY: Duration = Duration::from_millis(20);

/// Makes the copy; `diskless`: for sockets, else through a file. Runs on a thread of its own.
pub fn make(node: &'static Node, waiting: Vec<Waiting>, diskless: bool) {
    let target = if diskless { "replicas sockets" } else { "disk" };
    log::notice(format_args!(
        "Starting a copy for {} with target: {target}",
        if waiting.len() == 1 {
            "one replica".to_owned()
        } else {
            format!("{} replicas", waiting.len())
        },
    ));
    let replication = &node.replication;
    let (mut snapshot, ((readers, position, id), functions)) = loop {
        // Between the run of a command of our primary and the growth of the log there is no cut.
        let apply = replication.apply_lock.lock();
        let begun = snapshot::begin(&node.keyspace, || {
            (
                replication.log.cut(waiting.len()),
                node.scripts.functions.catalog(),
            )
        });
        drop(apply);
        match begun {
            Ok(begun) => break begun,
            Err(_busy) => thread::sleep(RETRY),
        }
    };
    let codes = functions.libraries.values();
    snapshot.set_functions(codes.map(|library| library.code.clone()).collect());
    let mut replicas = Vec::with_capacity(waiting.len());
    for (one, reader) in waiting.into_iter().zip(readers) {
        let start = Start::new(&replication.log, reader, position, id.clone());
        if one.steps.blocking_send(Step::Cut(start)).is_ok() {
            replicas.push(one);
        }
    }
    let config = node.config.load();
    let aux = RdbAux {
        now_ms: unix_ms(),
        used_memory: memory::used(),
        history: Some(RdbHistory { id, offset: position }),
        compress: config.rdb_compression,
        checksum: config.rdb_checksum,
        policy: config.eviction.policy,
    };
    drop(config);
    let mut sockets = Sockets {
        replicas,
        piece: Vec::with_capacity(PIECE),
    };
    let outcome = if diskless {
        to_sockets(&mut sockets, |sink| snapshot.write(&aux, sink).map(drop))
    } else {
        to_file(&mut sockets, |sink| snapshot.write(&aux, sink).map(drop))
    };
    match outcome {
        Ok(bytes) => log::notice(format_args!(
            "The copy of offset {position} is done, {bytes} bytes for {}",
            sockets.replicas.len()
        )),
        Err(error) => {
            log::warning(format_args!("A copy for replicas has failed: {error}"));
            sockets.tell(|| Step::Failed);
        }
    }
}

fn to_sockets(
    sockets: &mut Sockets,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<u64> {
    let mut mark = [0; 40];
    mark.copy_from_slice(random_hex_40().as_bytes());
    sockets.tell(|| Step::Marked(mark));
    let mut counted = Counted {
        sink: sockets,
        bytes: 0,
    };
    write(&mut counted)?;
    counted.flush()?;
    let bytes = counted.bytes;
    sockets.tell(|| Step::End);
    Ok(bytes)
}

/// Through a file that has no name any more once it is open: whatever happens, nothing is left of it.
fn to_file(sockets: &mut Sockets, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<u64> {
    let name = format!("temp-repl-{}.{}.rdb", std::process::id(), &random_hex_40()[..8]);
    let file = OpenOptions::new()
        .create_new(true)
        .read(true)
        .write(true)
        .open(&name)?;
    fs::remove_file(&name)?;
    let mut buffered = BufWriter::with_capacity(PIECE, &file);
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    let bytes = file.metadata()?.len();
    let copies: Vec<io::Result<File>> = sockets.replicas.iter().map(|_| file.try_clone()).collect();
    for (one, copy) in sockets.replicas.iter().zip(copies) {
        let step = copy.map_or(Step::Failed, |file| Step::File(file, bytes));
        // Who is gone needs no file.
        let _ = one.steps.blocking_send(step);
    }
    Ok(bytes)
}

/// Everything that is written goes to every replica that is still there; the slowest sets the pace.
struct Sockets {
    replicas: Vec<Waiting>,
    piece: Vec<u8>,
}

impl Sockets {
    /// The same step for all. Who is gone is forgotten.
    fn tell(&mut self, step: impl Fn() -> Step) {
        self.replicas
            .retain(|one| one.steps.blocking_send(step()).is_ok());
    }

    fn send_piece(&mut self) -> io::Result<()> {
        let piece = Arc::new(std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE)));
        self.tell(|| Step::Piece(piece.clone()));
        if self.replicas.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                "every replica that waited for it is gone",
            ));
        }
        Ok(())
    }
}

impl Write for Sockets {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.send_piece()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            Ok(())
        } else {
            self.send_piece()
        }
    }
}

struct Counted<'a> {
    sink: &'a mut Sockets,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.sink.write(bytes)?;
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
