//! The stream of effects: one sequence of bytes for everybody who copies this data set.
//!
//! ```text
//!  writers ── append, under their slot's lock ──► [sealed block][sealed block]...[tail]
//!                                                  ▲ first()                        ▲ end()
//!                     reader (a replica) at 7 MB ──┘          reader at 9 MB ───────┘
//! ```
//!
//! Positions count the bytes of the stream since the data set's history began: position `n` lies behind byte number
//! `n`, so `end()` is what INFO calls `master_repl_offset`. Blocks are kept while they are within `repl-backlog-size`
//! or while an attached reader still needs them, and are shared by all readers. One mutex, held for a memcpy, gives
//! every write its exact place.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::history::History;

/// Bytes of a block. Also the unit in which the backlog is trimmed.
const BLOCK: usize = 32 * 1024;

/// What every stream says before its first command: there is one database.
const SELECT_0: &[u8] = b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n";
const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
const EXEC: &[u8] = b"*1\r\n$4\r\nEXEC\r\n";

/// The bytes that a reader wants are no longer, or not, in this log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stream does not hold these bytes")]
pub struct Gone;

/// Who reads: blocks that it has not read yet are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderId(u64);

/// The log. All positions are in bytes of the stream.
#[derive(Debug)]
pub struct Log {
    inner: Mutex<Inner>,
    /// A reader waits for `appended`.
    wanted: AtomicBool,
    appended: Notify,
    /// Bytes that the slowest reader has not taken yet, as of the last full block.
    behind: AtomicU64,
    /// The end, for those who only want to know it.
    end: AtomicU64,
}

#[derive(Debug)]
struct Inner {
    history: History,
    /// Whether anything is kept: true once somebody has followed this node, or this node somebody.
    active: bool,
    sealed: VecDeque<Arc<Vec<u8>>>,
    tail: Vec<u8>,
    /// The position of the first byte held.
    first: u64,
    end: u64,
    /// repl-backlog-size.
    limit: u64,
    readers: Vec<Reader>,
    last_reader: u64,
    /// The stream has named its database since the last full copy was cut.
    selected: bool,
    /// A block was filled since `behind` was published.
    grown: bool,
}

#[derive(Debug)]
struct Reader {
    id: ReaderId,
    position: u64,
}

/// What INFO says of the backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Whether there is one.
    pub active: bool,
    /// The number of the first byte held, counted from 1.
    pub first_byte: u64,
    /// Bytes held.
    pub len: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            inner: Mutex::new(Inner {
                history: History::fresh(),
                active: false,
                sealed: VecDeque::new(),
                tail: Vec::new(),
                first: 0,
                end: 0,
                limit: 1 << 20,
                readers: Vec::new(),
                last_reader: 0,
                selected: false,
                grown: false,
            }),
            wanted: AtomicBool::new(false),
            appended: Notify::new(),
            behind: AtomicU64::new(0),
            end: AtomicU64::new(0),
        }
    }
}

impl Log {
    /// Appends bytes as they are and returns the new end. A log that is not active stays as it is.
    pub fn append(&self, bytes: &[u8]) -> u64 {
        let mut inner = self.inner.lock();
        inner.push(bytes);
        self.measure(&mut inner);
        inner.end
    }

    /// Appends what one command or transaction did: `commands` encoded commands that belong together. Several are
    /// wrapped into MULTI and EXEC; the first ones of a stream are preceded by SELECT, as in stock.
    pub fn append_commands(&self, bytes: &[u8], commands: u32) -> u64 {
        let mut inner = self.inner.lock();
        if !std::mem::replace(&mut inner.selected, true) {
            inner.push(SELECT_0);
        }
        if commands > 1 {
            inner.push(MULTI);
        }
        inner.push(bytes);
        if commands > 1 {
            inner.push(EXEC);
        }
        self.measure(&mut inner);
        inner.end
    }

    /// Appends a command of the stream's own (PING, REPLCONF GETACK) if `may` still holds once nobody else appends.
    pub fn append_if(&self, bytes: &[u8], may: impl FnOnce() -> bool) -> u64 {
        let mut inner = self.inner.lock();
        if may() {
            inner.push(bytes);
            self.measure(&mut inner);
        }
        inner.end
    }

    /// The position behind the last byte. Takes no lock.
    pub fn end(&self) -> u64 {
        self.end.load(Relaxed)
    }

    /// The position of the oldest byte held.
    pub fn first(&self) -> u64 {
        self.inner.lock().first
    }

    /// Whether the stream is kept.
    pub fn is_active(&self) -> bool {
        self.inner.lock().active
    }

    /// What INFO says.
    pub fn backlog(&self) -> Backlog {
        let inner = self.inner.lock();
        Backlog {
            active: inner.active,
            first_byte: if inner.active { inner.first + 1 } else { 0 },
            len: inner.end - inner.first,
        }
    }

    /// Names and end of this stream, of one moment.
    pub fn history(&self) -> History {
        self.inner.lock().history.clone()
    }

    /// repl-backlog-size, in bytes.
    pub fn set_limit(&self, limit: u64) {
        let mut inner = self.inner.lock();
        inner.limit = limit.max(1);
        inner.trim();
    }

    /// Starts to keep the stream. A primary whose past was not kept gets a new name, since nobody can resume there.
    pub fn activate(&self, rename: bool) {
        let mut inner = self.inner.lock();
        if !inner.active {
            inner.active = true;
            inner.selected = false;
            if rename {
                inner.history = History::fresh();
            }
        }
    }

    /// Forgets the stream (repl-backlog-ttl): nobody can resume, so the data set gets a new name. Not while somebody
    /// reads; returns whether it was done.
    pub fn deactivate(&self) -> bool {
        let mut inner = self.inner.lock();
        if !inner.active || !inner.readers.is_empty() {
            return false;
        }
        inner.active = false;
        inner.history = History::fresh();
        let end = inner.end;
        inner.empty(end);
        true
    }

    /// A full copy of another data set has taken the place of ours: the stream goes on from there. Readers are gone.
    pub fn restart(&self, id: &str, offset: u64) {
        let mut inner = self.inner.lock();
        inner.history = History::of(id);
        inner.active = true;
        inner.empty(offset);
        inner.end_readers();
        self.end.store(offset, Relaxed);
        drop(inner);
        self.wake();
    }

    /// We are a primary from here on: a new name, under which the old one's past can be resumed. Readers must hear of
    /// it, so they are gone.
    pub fn new_history(&self) {
        self.rename(crate::node::random_hex_40());
    }

    /// Our primary goes on under a new name (`+CONTINUE <id>`). Readers must hear of it, so they are gone.
    pub fn continue_as(&self, id: &str) {
        self.rename(id.into());
    }

    fn rename(&self, id: String) {
        let mut inner = self.inner.lock();
        let end = inner.end;
        inner.history.rename(id, end);
        inner.active = true;
        inner.selected = false;
        inner.end_readers();
        drop(inner);
        self.wake();
    }

    /// Can one who has the stream `id` up to `position` go on from here?
    pub fn can_continue(&self, id: &[u8], position: u64) -> bool {
        self.inner.lock().can_continue(id, position)
    }

    /// Attaches a reader that goes on from `position` of the stream `id`, if that is possible. Returns the present
    /// name of the stream.
    pub fn resume(&self, id: &[u8], position: u64) -> Option<(ReaderId, String)> {
        let mut inner = self.inner.lock();
        if !inner.can_continue(id, position) {
            return None;
        }
        Some((inner.attach(position), inner.history.id.clone()))
    }

    /// Attaches `count` readers at the end, for copies that are cut at this moment. The stream will name its database
    /// anew. To be called while all slot locks are held. Returns their names, the position and the stream's name.
    pub fn cut(&self, count: usize) -> (Vec<ReaderId>, u64, String) {
        let mut inner = self.inner.lock();
        let end = inner.end;
        inner.selected = false;
        let readers = (0..count).map(|_| inner.attach(end)).collect();
        (readers, end, inner.history.id.clone())
    }

    /// Appends up to `max` bytes behind `from` to `into` and returns how many: 0 if there are no more yet.
    ///
    /// # Errors
    /// The reader was detached by a change of the stream's name.
    pub fn read_for(
        &self,
        reader: ReaderId,
        from: u64,
        into: &mut Vec<u8>,
        max: usize,
    ) -> Result<usize, Gone> {
        self.read_if(from, into, max, |inner| {
            inner.readers.iter().any(|known| known.id == reader)
        })
    }

    /// Appends up to `max` bytes behind `from` to `into` and returns how many: 0 if there are no more yet.
    ///
    /// # Errors
    /// These bytes are not held.
    pub fn read(&self, from: u64, into: &mut Vec<u8>, max: usize) -> Result<usize, Gone> {
        self.read_if(from, into, max, |_| true)
    }

    fn read_if(
        &self,
        from: u64,
        into: &mut Vec<u8>,
        max: usize,
        may: impl FnOnce(&Inner) -> bool,
    ) -> Result<usize, Gone> {
        let inner = self.inner.lock();
        if !may(&inner) || from < inner.first || from > inner.end {
            return Err(Gone);
        }
        let (block, at) = locate(from - inner.first);
        if block >= inner.sealed.len() {
            let rest = &inner.tail[at.min(inner.tail.len())..];
            let taken = rest.len().min(max);
            into.extend_from_slice(&rest[..taken]);
            return Ok(taken);
        }
        // Sealed blocks never change: they are copied without the lock.
        let blocks: Vec<Arc<Vec<u8>>> = inner
            .sealed
            .range(block..)
            .take(max.div_ceil(BLOCK) + 1)
            .cloned()
            .collect();
        drop(inner);
        let mut skip = at;
        let mut left = max;
        for block in blocks {
            let rest = &block[skip..];
            let taken = rest.len().min(left);
            into.extend_from_slice(&rest[..taken]);
            left -= taken;
            skip = 0;
        }
        Ok(max - left)
    }

    /// The reader has handed everything up to `position` on.
    pub fn advance(&self, reader: ReaderId, position: u64) {
        let mut inner = self.inner.lock();
        if let Some(known) = inner.readers.iter_mut().find(|known| known.id == reader) {
            known.position = position;
            inner.trim();
            self.behind.store(inner.behind(), Relaxed);
        }
    }

    /// The reader reads no more.
    pub fn detach(&self, reader: ReaderId) {
        let mut inner = self.inner.lock();
        inner.readers.retain(|known| known.id != reader);
        inner.trim();
        self.behind.store(inner.behind(), Relaxed);
    }

    /// Detaches all readers: each of them finds out at its next read.
    pub fn end_readers(&self) {
        self.inner.lock().end_readers();
        self.wake();
    }

    /// Wakes the readers that sleep. Writers call it once a batch.
    #[inline]
    pub fn wake(&self) {
        if self.wanted.load(Relaxed) {
            self.wanted.store(false, Relaxed);
            self.appended.notify_waiters();
        }
    }

    /// Waits until there is something behind `position`, or until readers are woken for another reason.
    pub async fn wait(&self, position: u64) {
        let appended = self.appended.notified();
        tokio::pin!(appended);
        // Registered first, then announced, then looked: who appends after the look sees the announcement, since both
        // took the lock; and who takes the announcement back wakes all who are registered.
        appended.as_mut().enable();
        self.wanted.store(true, Relaxed);
        if self.inner.lock().end > position {
            return;
        }
        appended.await;
    }

    /// Bytes that the slowest reader has not taken yet.
    pub fn behind(&self) -> u64 {
        self.behind.load(Relaxed)
    }

    /// How long a writer should hold back so that the slowest reader, which is more than `limit` bytes behind, can
    /// catch up. Grows with the distance.
    #[inline]
    pub fn back_pressure(&self, limit: u64) -> Option<Duration> {
        let behind = self.behind();
        if limit == 0 || behind <= limit {
            return None;
        }
        let over = (behind - limit) as f64 / limit as f64;
        Some(Duration::from_secs_f64(0.001 + 0.099 * over.min(1.0)))
    }

    /// Publishes the end, and how far behind readers are; for the latter once a block is exact enough.
    fn measure(&self, inner: &mut Inner) {
        self.end.store(inner.end, Relaxed);
        if std::mem::take(&mut inner.grown) {
            self.behind.store(inner.behind(), Relaxed);
        }
    }
}

/// The block that holds the byte at this distance from the first, and where in it.
fn locate(distance: u64) -> (usize, usize) {
    let distance = distance as usize;
    (distance / BLOCK, distance % BLOCK)
}

impl Inner {
    fn push(&mut self, mut bytes: &[u8]) {
        if !self.active {
            return;
        }
        self.end += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.tail.capacity() < BLOCK {
                self.tail.reserve_exact(BLOCK);
            }
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.tail.len()));
            self.tail.extend_from_slice(now);
            bytes = later;
            if self.tail.len() == BLOCK {
                self.sealed.push_back(Arc::new(std::mem::take(&mut self.tail)));
                self.grown = true;
                self.trim();
            }
        }
    }

    /// Drops blocks that neither the backlog nor a reader needs.
    fn trim(&mut self) {
        let needed = self
            .readers
            .iter()
            .map(|reader| reader.position)
            .fold(self.end.saturating_sub(self.limit), u64::min);
        while !self.sealed.is_empty() && self.first + BLOCK as u64 <= needed {
            self.sealed.pop_front();
            self.first += BLOCK as u64;
        }
    }

    fn behind(&self) -> u64 {
        self.readers
            .iter()
            .map(|reader| self.end.saturating_sub(reader.position))
            .max()
            .unwrap_or(0)
    }

    fn attach(&mut self, position: u64) -> ReaderId {
        self.last_reader += 1;
        let id = ReaderId(self.last_reader);
        self.readers.push(Reader { id, position });
        id
    }

    fn end_readers(&mut self) {
        self.readers.clear();
        self.trim();
    }

    fn empty(&mut self, end: u64) {
        self.sealed.clear();
        self.tail = Vec::new();
        (self.first, self.end) = (end, end);
        self.selected = false;
    }

    fn can_continue(&self, id: &[u8], position: u64) -> bool {
        self.active && (self.first..=self.end).contains(&position) && self.history.covers(id, position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn active(limit: u64) -> Log {
        let log = Log::default();
        log.set_limit(limit);
        log.activate(true);
        log
    }

    fn all(log: &Log, from: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while log.read(from + bytes.len() as u64, &mut bytes, 10_000).unwrap() > 0 {}
        bytes
    }

    #[test]
    fn nothing_is_kept_before_somebody_follows() {
        let log = Log::default();
        assert_eq!(log.append(b"SET"), 0);
        assert_eq!(
            log.backlog(),
            Backlog {
                active: false,
                first_byte: 0,
                len: 0
            }
        );
        let before = log.history().id;
        log.activate(true);
        assert_ne!(log.history().id, before, "an unkept past has another name");
        assert_eq!(log.append(b"SET"), 3);
        assert_eq!(log.backlog().first_byte, 1);
    }

    #[test]
    fn commands_are_preceded_and_wrapped() {
        let log = active(1 << 20);
        log.append_commands(b"A", 1);
        log.append_commands(b"BC", 2);
        log.cut(1);
        log.append_commands(b"DE", 2);
        let text = String::from_utf8(all(&log, 0)).unwrap();
        let short = text
            .replace("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n", "s")
            .replace("*1\r\n$5\r\nMULTI\r\n", "(")
            .replace("*1\r\n$4\r\nEXEC\r\n", ")");
        assert_eq!(short, "sA(BC)s(DE)");
    }

    #[test]
    fn what_was_appended_is_read_whatever_the_sizes() {
        let log = active(u64::MAX);
        let bytes: Vec<u8> = (0..200_000u32).map(|i| (i % 251) as u8).collect();
        let mut at = 0;
        for size in [1, 31 * 1024, 5, 32 * 1024, 70_000].into_iter().cycle() {
            let next = (at + size).min(bytes.len());
            log.append(&bytes[at..next]);
            at = next;
            if at == bytes.len() {
                break;
            }
        }
        assert_eq!(log.end(), 200_000);
        for from in [0, 1, 32_767, 32_768, 32_769, 199_999, 200_000] {
            assert!(all(&log, from) == bytes[from as usize..], "from {from}");
        }
        assert_eq!(log.read(200_001, &mut Vec::new(), 1), Err(Gone));
    }

    #[test]
    fn the_backlog_is_trimmed_by_blocks_and_a_reader_holds_it() {
        let log = active(100_000);
        let (readers, at, _) = log.cut(1);
        assert_eq!(at, 0);
        log.append(&vec![b'x'; 500_000]);
        assert_eq!(log.first(), 0, "the reader still needs it");
        assert!(log.behind() > 400_000);
        log.advance(readers[0], 450_000);
        let first = log.first();
        assert!((400_000 - BLOCK as u64..=400_000).contains(&first), "{first}");
        log.detach(readers[0]);
        assert_eq!(log.read(0, &mut Vec::new(), 1), Err(Gone));
        assert_eq!(log.behind(), 0);
    }

    #[test]
    fn who_has_the_same_past_goes_on() {
        let log = active(1 << 20);
        log.append(&[b'x'; 100]);
        let old = log.history().id;
        assert!(log.can_continue(old.as_bytes(), 100) && log.can_continue(old.as_bytes(), 0));
        assert!(!log.can_continue(old.as_bytes(), 101) && !log.can_continue(b"?", 0));
        let (reader, _) = log.resume(old.as_bytes(), 50).unwrap();
        log.new_history();
        assert_eq!(log.read_for(reader, 50, &mut Vec::new(), 1), Err(Gone));
        log.append(&[b'y'; 100]);
        let new = log.history();
        assert_eq!((new.previous_id.as_str(), new.second_offset), (old.as_str(), 101));
        assert!(log.can_continue(old.as_bytes(), 100), "up to the change");
        assert!(!log.can_continue(old.as_bytes(), 101), "but not behind it");
        assert!(log.can_continue(new.id.as_bytes(), 200));
        log.restart("0123456789012345678901234567890123456789", 5000);
        assert!(!log.can_continue(new.id.as_bytes(), 200));
        assert_eq!((log.first(), log.end()), (5000, 5000));
    }

    #[test]
    fn a_forgotten_stream_cannot_be_resumed() {
        let log = active(1 << 20);
        log.append(b"abc");
        let id = log.history().id;
        let (reader, _) = log.resume(id.as_bytes(), 0).unwrap();
        assert!(!log.deactivate(), "somebody reads");
        log.detach(reader);
        assert!(log.deactivate());
        assert_eq!(log.append(b"d"), 3);
        assert_ne!(log.history().id, id);
        log.activate(true);
        assert!(!log.can_continue(id.as_bytes(), 3));
    }

    #[test]
    fn pressure_grows_with_the_distance() {
        let log = active(1);
        let (readers, _, _) = log.cut(1);
        log.append(&vec![b'x'; 3 * BLOCK]);
        assert_eq!(log.back_pressure(0), None);
        assert_eq!(log.back_pressure(10 << 20), None);
        let some = log.back_pressure(3 * BLOCK as u64 - 100).unwrap();
        let much = log.back_pressure(1000).unwrap();
        assert!(some < much && much <= Duration::from_millis(100));
        log.detach(readers[0]);
        assert_eq!(log.back_pressure(1000), None);
    }
}
