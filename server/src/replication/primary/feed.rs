//! One replica: from its request to the end of its connection.

use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::os::unix::fs::FileExt;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::acks::{Acks, BadReplica};
use super::copies::{Copies, Start, Step};
use super::{Arrival, ReplicaTerms, SyncRequest};
use crate::admin::clients::{Buffers, ClientFlags};
use crate::log;
use crate::node::{Node, unix_ms};
use crate::replication::{Gone, Replica, ReplicaPhase};

/// Bytes of the stream, or of a file, sent at once.
const CHUNK: usize = 64 * 1024;
/// How often a replica that waits is told that we are alive, and every replica is looked at.
const TICK: Duration = Duration::from_secs(1);

/// Why a replica's connection has ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("it closed the connection")]
    Closed,
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("somebody killed it")]
    Killed,
    #[error("it has been silent for longer than repl-timeout")]
    Silent,
    #[error("it is further behind than twice the limit of client-output-buffer-limit replica")]
    TooFarBehind,
    #[error("{0}")]
    Protocol(#[from] BadReplica),
    #[error("the stream goes on under another name, or no longer has what it lacks")]
    Renamed,
    #[error("there was no copy for it")]
    NoCopy,
    #[error("it wanted a copy and has it")]
    Done,
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        Self::Renamed
    }
}

/// Serves a replica until its connection ends.
pub async fn serve(node: &'static Node, arrival: Arrival, copies: Rc<Copies>) {
    let Arrival {
        stream,
        client,
        mut terms,
        request,
        rest,
    } = arrival;
    let ip = terms.ip.take().unwrap_or_else(|| client.peer().ip().to_string());
    let now = unix_ms();
    let replica = Arc::new(Replica::new(client.clone(), ip, terms.port, now));
    client.set_flag(ClientFlags::REPLICA, true);
    let replicas = &node.replication.replicas;
    replicas.add(replica.clone());
    terms.coming = None;
    let end = match TcpStream::from_std(stream) {
        Ok(stream) => {
            let mut feed = Feed {
                node,
                stream,
                replica: replica.clone(),
                acks: Acks::new(Vec::new()),
                terms,
                moved: Instant::now(),
                has_acked: false,
                acknowledges: request != SyncRequest::Sync,
                position: None,
            };
            feed.run(request, rest, &copies).await.err().unwrap_or(End::Done)
        }
        Err(error) => End::Io(error),
    };
    replicas.remove(&replica);
    node.clients.remove(client.id());
    let max_lag_s = node.config.load().primary.min_replicas_max_lag_s;
    replicas.count_good(unix_ms(), max_lag_s);
    let name = name(&replica);
    log::notice(format_args!("Connection with replica {name} lost: {end}"));
}

/// As the log names a replica.
fn name(replica: &Replica) -> String {
    format!("{}:{}", replica.ip, replica.port)
}

struct Feed {
    node: &'static Node,
    stream: TcpStream,
    replica: Arc<Replica>,
    acks: Acks,
    terms: ReplicaTerms,
    /// When its socket last took something.
    moved: Instant,
    has_acked: bool,
    /// It will acknowledge what it gets.
    acknowledges: bool,
    /// How much of the stream it has; None while there is no copy for it.
    position: Option<u64>,
}

impl Feed {
    async fn run(&mut self, request: SyncRequest, rest: Vec<u8>, copies: &Copies) -> Result<(), End> {
        self.heard(&rest)?;
        let config = self.node.config.load();
        if config.primary.disable_tcp_nodelay {
            SockRef::from(&self.stream).set_tcp_nodelay(false)?;
        }
        drop(config);
        log::notice(format_args!(
            "Replica {} asks for synchronization",
            name(&self.replica)
        ));
        let start = match self.try_to_resume(&request).await? {
            Some(start) => start,
            None => self.copy(&request, copies).await?,
        };
        if self.terms.rdb_only {
            return Err(End::Done);
        }
        self.replica.set_phase(ReplicaPhase::Online, unix_ms());
        let max_lag_s = self.node.config.load().primary.min_replicas_max_lag_s;
        self.node.replication.replicas.count_good(unix_ms(), max_lag_s);
        self.send_stream(start).await
    }

    /// A partial resynchronisation, if the log still has what the replica lacks.
    async fn try_to_resume(&mut self, request: &SyncRequest) -> Result<Option<Start>, End> {
        let replication = &self.node.replication;
        let SyncRequest::Psync { id, next } = request else {
            return Ok(None);
        };
        let position = next.checked_sub(1).and_then(|last| u64::try_from(last).ok());
        let resumed = position.and_then(|position| {
            let (reader, name) = replication.log.resume(id, position)?;
            Some(Start::new(&replication.log, reader, position, name))
        });
        let Some(start) = resumed else {
            if id != b"?" {
                replication.replicas.syncs.partial_err();
                log::notice(format_args!(
                    "Partial resynchronization not accepted: replica {} asked for {} from offset {next}",
                    name(&self.replica),
                    String::from_utf8_lossy(id)
                ));
            }
            return Ok(None);
        };
        replication.replicas.syncs.partial_ok();
        log::notice(format_args!(
            "Partial resynchronization request from {} accepted. Sending {} bytes of backlog starting from offset {next}.",
            name(&self.replica),
            replication.log.end().saturating_sub(start.position)
        ));
        let reply = if self.terms.psync2 {
            format!("+CONTINUE {}\r\n", start.id)
        } else {
            "+CONTINUE\r\n".to_owned()
        };
        self.send(reply.as_bytes()).await?;
        Ok(Some(start))
    }

    /// A full synchronisation; returns where the stream begins.
    async fn copy(&mut self, request: &SyncRequest, copies: &Copies) -> Result<Start, End> {
        let replication = &self.node.replication;
        replication.start_recording(self.node);
        replication.replicas.syncs.full();
        log::notice(format_args!(
            "Full resync requested by replica {}",
            name(&self.replica)
        ));
        let mut steps = copies.want(self.terms.eof);
        let Step::Cut(start) = self.next_step(&mut steps, true).await? else {
            return Err(self.no_copy().await);
        };
        self.position = Some(start.position);
        if matches!(request, SyncRequest::Psync { .. }) {
            let reply = format!("+FULLRESYNC {} {}\r\n", start.id, start.position);
            self.send(reply.as_bytes()).await?;
        }
        match self.next_step(&mut steps, true).await? {
            Step::Marked(mark) => self.send_marked(&mut steps, mark).await?,
            Step::File(file, len) => self.send_file(&file, len).await?,
            _ => return Err(self.no_copy().await),
        }
        log::notice(format_args!(
            "Synchronization with replica {} succeeded",
            name(&self.replica)
        ));
        Ok(start)
    }

    async fn no_copy(&mut self) -> End {
        // It is the last that it hears of us, if it does.
        let _ = self
            .send(b"-ERR BGSAVE failed, replication can't continue\r\n")
            .await;
        End::NoCopy
    }

    /// A copy in pieces, with a mark at its end. The stream must wait for the replica's first acknowledgement: it looks
    /// for the mark at the end of what it reads.
    async fn send_marked(&mut self, steps: &mut mpsc::Receiver<Step>, mark: [u8; 40]) -> Result<(), End> {
        self.replica.set_phase(ReplicaPhase::Sending, unix_ms());
        self.send(&[b"$EOF:".as_slice(), &mark, b"\r\n"].concat()).await?;
        loop {
            match self.next_step(steps, false).await? {
                Step::Piece(piece) => self.send(&piece).await?,
                Step::End => break,
                _ => return Err(End::NoCopy),
            }
        }
        self.send(&mark).await?;
        if self.terms.rdb_only {
            return Ok(());
        }
        self.has_acked = false;
        // From here on it has something to say: it loads.
        self.replica.heard(unix_ms());
        while !self.has_acked {
            self.idle(None, false).await?;
        }
        Ok(())
    }

    async fn send_file(&mut self, file: &File, len: u64) -> Result<(), End> {
        self.replica.set_phase(ReplicaPhase::Sending, unix_ms());
        self.send(format!("${len}\r\n").as_bytes()).await?;
        let (mut at, mut chunk) = (0, vec![0; CHUNK]);
        while at < len {
            let wanted = usize::try_from(len - at).unwrap_or(CHUNK).min(CHUNK);
            let read = file.read_at(&mut chunk[..wanted], at)?;
            if read == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            self.send(&chunk[..read]).await?;
            at += read as u64;
        }
        Ok(())
    }

    /// The stream, for as long as the connection lasts.
    async fn send_stream(&mut self, start: Start) -> Result<(), End> {
        let log = &self.node.replication.log;
        let mut position = start.position;
        self.position = Some(position);
        let mut chunk = Vec::with_capacity(CHUNK);
        loop {
            chunk.clear();
            log.read_for(start.reader, position, &mut chunk, CHUNK)?;
            if chunk.is_empty() {
                self.show(0);
                self.idle(Some(position), false).await?;
                continue;
            }
            let mut sent = 0;
            while sent < chunk.len() {
                let taken = self.send_some(&chunk[sent..]).await?;
                sent += taken;
                position += taken as u64;
                self.position = Some(position);
                log.advance(start.reader, position);
            }
        }
    }

    /// Sends all of it.
    async fn send(&mut self, mut bytes: &[u8]) -> Result<(), End> {
        while !bytes.is_empty() {
            let taken = self.send_some(bytes).await?;
            bytes = &bytes[taken..];
        }
        Ok(())
    }

    /// Sends what the socket takes, which may have to be waited for. Listens meanwhile.
    async fn send_some(&mut self, bytes: &[u8]) -> Result<usize, End> {
        loop {
            match self.stream.try_write(bytes) {
                Ok(0) => return Err(End::Closed),
                Ok(taken) => {
                    self.moved = Instant::now();
                    self.node.replication.replicas.syncs.sent(taken);
                    return Ok(taken);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
            self.idle(None, true).await?;
        }
    }

    /// The next step of a copy. Tells a replica that waits (`keep_alive`) now and then that we are alive.
    async fn next_step(&mut self, steps: &mut mpsc::Receiver<Step>, keep_alive: bool) -> Result<Step, End> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            tokio::select! {
                biased;
                step = steps.recv() => return Ok(step.unwrap_or(Step::Failed)),
                () = killed(&self.replica) => return Err(End::Killed),
                readable = self.stream.readable() => {
                    readable?;
                    self.listen()?;
                }
                _ = ticks.tick() => if keep_alive {
                    // To be taken for dead would be worse than to wait here for a moment.
                    self.stream.write_all(b"\n").await?;
                    self.replica.set_phase(self.replica.phase(), unix_ms());
                }
            }
        }
    }

    /// Waits for what comes first: something behind `position` in the log, room in the socket (`to_write`), something
    /// heard, or a second.
    async fn idle(&mut self, position: Option<u64>, to_write: bool) -> Result<(), End> {
        let log = &self.node.replication.log;
        tokio::select! {
            biased;
            () = killed(&self.replica) => return Err(End::Killed),
            readable = self.stream.readable() => {
                readable?;
                self.listen()?;
            }
            writable = self.stream.writable(), if to_write => writable?,
            () = log.wait(position.unwrap_or(u64::MAX)), if position.is_some() => {}
            () = tokio::time::sleep(TICK) => {}
        }
        self.check_silence(to_write)?;
        self.check_distance()
    }

    /// Takes in what the replica has sent.
    fn listen(&mut self) -> Result<(), End> {
        let mut bytes = [0; 1024];
        match self.stream.try_read(&mut bytes) {
            Ok(0) => Err(End::Closed),
            Ok(read) => self.heard(&bytes[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn heard(&mut self, bytes: &[u8]) -> Result<(), End> {
        let now = unix_ms();
        if !bytes.is_empty() {
            self.replica.heard(now);
        }
        if let Some(offset) = self.acks.take(bytes)? {
            self.has_acked = true;
            self.node.replication.replicas.ack(&self.replica, offset);
        }
        self.replica.client.touched(now);
        Ok(())
    }

    /// A replica that takes nothing, or says nothing, for repl-timeout is given up.
    fn check_silence(&self, to_write: bool) -> Result<(), End> {
        let limit = Duration::from_secs(self.node.config.load().primary.timeout_s);
        let stuck = to_write && self.moved.elapsed() > limit;
        // Who asked with SYNC acknowledges nothing.
        let mute =
            !to_write && self.acknowledges && Duration::from_secs(self.replica.lag_s(unix_ms())) > limit;
        if stuck || mute {
            return Err(End::Silent);
        }
        Ok(())
    }

    /// Its writers were slowed down from the limit on; at twice the limit, memory matters more than this replica.
    fn check_distance(&self) -> Result<(), End> {
        let Some(position) = self.position else {
            return Ok(());
        };
        let behind = self.node.replication.log.end().saturating_sub(position);
        self.show(behind);
        let limit = self.node.config.load().client_output_buffer_limit[1].hard;
        if limit > 0 && behind > 2 * limit {
            return Err(End::TooFarBehind);
        }
        Ok(())
    }

    fn show(&self, behind: u64) {
        self.replica.client.set_buffers(Buffers {
            output: usize::try_from(behind).unwrap_or(usize::MAX),
            ..Buffers::default()
        });
    }
}

/// Ends when the connection is killed.
async fn killed(replica: &Replica) {
    poll_fn(|cx| {
        replica.client.set_waker(cx.waker());
        if replica.client.is_killed() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}
