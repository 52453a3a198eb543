//! A full synchronisation: the primary's data set comes in and takes the place of ours, at once or not at all.
//!
//! ```text
//! repl-diskless-load disabled   socket ─► file ─► check ─► our data go ─► load ─┐
//!                    swapdb     socket ─► load, beside our data ────────────────┴─► under every lock: swap, and the
//!                    on-empty-db  as swapdb if there are no keys, else as disabled    log goes on from there
//! ```
//!
//! The link's thread receives; another one reads the RDB, so that the primary goes on hearing from us meanwhile.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::channel::channel;
use super::fault::Fault;
use super::handshake::Place;
use super::loading::LoadingState;
use super::spool::Spool;
use super::transfer::Extent;
use super::wire::Wire;
use crate::config::DisklessLoad;
use crate::keyspace::Keyspace;
use crate::log;
use crate::node::{Node, unix_ms};
use crate::persistence::rdb;
use crate::replication::{Following, LinkPhase};
use crate::scripting::functions::Catalog;
use crate::scripting::run;

/// How often the primary sees that we live, while we load.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// Receives the RDB that the primary is about to send and makes it our data set, as of `place`. May be dropped at any
/// time: then the data stay what they are at that moment.
///
/// # Errors
/// The link ended, or the RDB cannot be loaded. Our data are untouched, unless the error says otherwise.
pub async fn synchronise(
    node: &'static Node,
    target: &Following,
    wire: &mut Wire,
    place: &Place,
) -> Result<(), Fault> {
    let link = &node.replication.link;
    link.sync_total.store(-1, Relaxed);
    link.sync_read.store(0, Relaxed);
    link.set_phase(LinkPhase::Sync);
    link.last_io_ms.store(unix_ms(), Relaxed);
    let extent = Extent::parse(&wire.line().await?)?;
    if let Some(total) = extent.total() {
        link.sync_total
            .store(i64::try_from(total).unwrap_or(i64::MAX), Relaxed);
    }
    let direct = match node.config.load().replica.diskless_load {
        DisklessLoad::Disabled => false,
        DisklessLoad::OnEmptyDb => node.keyspace.key_count() == 0,
        DisklessLoad::SwapDb => true,
    };
    log::notice(format_args!(
        "MASTER <-> REPLICA sync: receiving {} to {}",
        match extent.total() {
            Some(bytes) => format!("{bytes} bytes from master"),
            None => "streamed RDB from master with EOF".into(),
        },
        if direct { "parser" } else { "disk" }
    ));
    let loaded = if direct {
        load_as_it_comes(node, wire, extent, place).await?
    } else {
        load_from_file(node, target, wire, extent).await?
    };
    wire.forgive_silence();
    take_over(node, target, loaded, place)?;
    log::notice(format_args!("MASTER <-> REPLICA sync: Finished with success"));
    Ok(())
}

/// What an RDB holds: keys, and the codes of libraries of functions.
type Contents = (Keyspace, Vec<Vec<u8>>);

/// Bytes of the RDB as they come: `each` gets every piece.
async fn receive(
    node: &Node,
    wire: &mut Wire,
    mut extent: Extent,
    mut each: impl AsyncFnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let link = &node.replication.link;
    loop {
        let step = extent.step(wire.unused());
        if step.data > 0 {
            each(&wire.unused()[..step.data]).await?;
            link.sync_read.fetch_add(step.data as u64, Relaxed);
        }
        wire.consume(step.data + step.mark);
        if step.whole {
            return Ok(());
        }
        wire.fill().await?;
        link.last_io_ms.store(unix_ms(), Relaxed);
    }
}

async fn load_as_it_comes(
    node: &'static Node,
    wire: &mut Wire,
    extent: Extent,
    place: &Place,
) -> Result<Contents, Fault> {
    // Old data of the same history may be served meanwhile; those of another primary are of no use to anybody.
    let state = if node.replication.history().id == place.id && node.keyspace.key_count() > 0 {
        LoadingState::Serving
    } else {
        LoadingState::Refusing
    };
    let _loading = node.loading.begin(state, extent.total().unwrap_or(0));
    log::notice(format_args!("MASTER <-> REPLICA sync: Loading DB in memory"));
    let (feed, mut source) = channel();
    let loader = spawn_blocking(move || {
        let staging = Keyspace::new();
        rdb::load(&mut source, &staging, &options(node))
            .map(|loaded| (staging, loaded.functions))
            .map_err(|error| error.to_string())
    });
    let received = receive(node, wire, extent, async |piece| {
        node.loading.advance(piece.len() as u64);
        // A loader that has failed takes no more; its own error says why.
        if feed.push(piece).await {
            Ok(())
        } else {
            Err(Fault::Load("the loader has stopped".into()))
        }
    })
    .await;
    if received.is_ok() {
        feed.end().await;
    }
    drop(feed);
    match received {
        Ok(()) | Err(Fault::Load(_)) => with_signs_of_life(wire, loader).await?.map_err(Fault::Load),
        Err(fault) => Err(fault),
    }
}

async fn load_from_file(
    node: &'static Node,
    target: &Following,
    wire: &mut Wire,
    extent: Extent,
) -> Result<Contents, Fault> {
    let mut spool = Spool::new().map_err(Fault::Spool)?;
    let mut bytes = 0;
    receive(node, wire, extent, async |piece| {
        bytes += piece.len() as u64;
        spool.push(piece).map_err(Fault::Spool)
    })
    .await?;
    let abort = Abort::default();
    let flag = abort.0.clone();
    let checker = spawn_blocking(move || {
        let checked = spool
            .rewind(flag)
            .map_err(|error| error.to_string())
            .and_then(|mut file| rdb::check(&mut file, &options(node)).map_err(|error| error.to_string()));
        checked.map(|_| spool)
    });
    let mut spool = with_signs_of_life(wire, checker).await?.map_err(Fault::Load)?;

    let _loading = node.loading.begin(LoadingState::Refusing, bytes);
    log::notice(format_args!("MASTER <-> REPLICA sync: Flushing old data"));
    empty(node, target);
    log::notice(format_args!("MASTER <-> REPLICA sync: Loading DB in memory"));
    let flag = abort.0.clone();
    let loader = spawn_blocking(move || {
        let staging = Keyspace::new();
        let file = spool.rewind(flag).map_err(|error| error.to_string())?;
        let mut counted = Counted { source: file, node };
        rdb::load(&mut counted, &staging, &options(node))
            .map(|loaded| (staging, loaded.functions))
            .map_err(|error| error.to_string())
    });
    with_signs_of_life(wire, loader)
        .await?
        .map_err(Fault::LoadAfterCheck)
}

/// A replica keeps what has expired until its primary says that it is gone.
fn options(node: &Node) -> rdb::LoadOptions {
    rdb::LoadOptions {
        keep_expired: true,
        limits: node.config.load().limits,
        ..rdb::LoadOptions::default()
    }
}

/// The old data go before the new ones are loaded, so that two data sets need not fit into the memory. They leave the
/// history with them: nobody can go on from where they were.
fn empty(node: &'static Node, target: &Following) {
    let _lock = node.replication.apply_lock.lock();
    if node.replication.generation() == target.generation {
        node.replication.link.lost_data();
        node.keyspace.clear();
        node.scripts.functions.set(Catalog::default());
        node.replication.log.restart(&crate::node::random_hex_40(), 0);
    }
}

/// The loaded data become ours, as of `place`.
fn take_over(
    node: &'static Node,
    target: &Following,
    (loaded, codes): Contents,
    place: &Place,
) -> Result<(), Fault> {
    let mut catalog = Catalog::default();
    for code in codes {
        run::load_library(node, &code)
            .and_then(|library| catalog.add(&Arc::new(library), false))
            .map_err(|error| Fault::Load(String::from_utf8_lossy(error.as_bytes()).into_owned()))?;
    }
    let _lock = node.replication.apply_lock.lock();
    if node.replication.generation() == target.generation {
        node.keyspace.replace_contents(loaded);
        node.scripts.functions.set(catalog);
        node.replication.log.restart(&place.id, place.offset);
    }
    Ok(())
}

/// Waits for work on another thread, and tells the primary every second that we live.
async fn with_signs_of_life<T>(
    wire: &Wire,
    work: impl Future<Output = Result<T, tokio::task::JoinError>>,
) -> Result<T, Fault> {
    tokio::pin!(work);
    loop {
        match tokio::time::timeout(SIGN_OF_LIFE, &mut work).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => return Err(Fault::Load(format!("the loader failed: {error}"))),
            // A primary that is gone shows when we read from it again.
            Err(_) => {
                let _ = wire.stream().try_write(b"\n");
            }
        }
    }
}

/// Stops the reading of a file when it is dropped.
#[derive(Default)]
struct Abort(Arc<AtomicBool>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Counts what is read for INFO.
struct Counted<R> {
    source: R,
    node: &'static Node,
}

impl<R: std::io::Read> std::io::Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.source.read(into)?;
        self.node.loading.advance(read as u64);
        Ok(read)
    }
}
