//! One thread that keeps the slot map fresh for all generator threads.
//!
//! A generator that meets a MOVED, a broken connection or a cluster in trouble asks for a refresh and goes on; the
//! scout asks any node that answers, and publishes the new map. Requests that come while one is under way are one: there
//! is never more than one refresh at a time, and they keep a distance.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use slotcore::slot_map::SlotMap;

use super::discover::{self, AskError};
use super::plan::{HostPort, Target};

/// Between two refreshes.
const DISTANCE: Duration = Duration::from_millis(20);
/// For one node to answer.
const ASK_LIMIT: Duration = Duration::from_millis(700);
/// When no node could be reached for so long, the target is lost.
pub(super) const LOST_AFTER: Duration = Duration::from_secs(3);

/// The generator threads' side.
#[derive(Debug)]
pub(super) struct Scout {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// Counts published maps, so that looking for a new one costs a load.
    version: AtomicU64,
    lost: AtomicBool,
    /// A refresh has been asked for and not begun: in a storm of redirects, asking costs no more than this.
    pending: AtomicBool,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug)]
struct State {
    map: Arc<SlotMap>,
    wanted: bool,
    /// A node that is said to know better.
    hint: Option<HostPort>,
    lost: Option<String>,
    quit: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done under the lock, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scout {
    /// Gets the first map, from the first seed that gives one, and starts the thread.
    ///
    /// # Errors
    /// When no seed gives a map; the text names each seed and what was wrong.
    pub fn start(target: &Target, patience: Duration) -> anyhow::Result<Self> {
        let map = first_map(target)?;
        let state = State {
            map: Arc::new(map),
            wanted: false,
            hint: None,
            lost: None,
            quit: false,
        };
        let shared = Arc::new(Shared {
            version: AtomicU64::new(1),
            lost: AtomicBool::new(false),
            pending: AtomicBool::new(false),
            state: Mutex::new(state),
            wake: Condvar::new(),
        });
        let (target, for_thread) = (target.clone(), Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("scout".into())
            .spawn(move || patrol(&for_thread, &target, patience))
            .context("starting the thread that keeps the slot map")?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Number of the newest map.
    #[inline]
    pub fn version(&self) -> u64 {
        self.shared.version.load(Ordering::Acquire)
    }

    /// The newest map.
    pub fn map(&self) -> Arc<SlotMap> {
        Arc::clone(&self.shared.lock().map)
    }

    /// Asks for a refresh, from this node first if one is named.
    pub fn request(&self, hint: Option<HostPort>) {
        if self.shared.pending.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut state = self.shared.lock();
        state.wanted = true;
        if hint.is_some() {
            state.hint = hint;
        }
        drop(state);
        self.shared.wake.notify_one();
    }

    /// Why the target is lost, if it is.
    pub fn lost(&self) -> Option<String> {
        if !self.shared.lost.load(Ordering::Acquire) {
            return None;
        }
        self.shared.lock().lost.clone()
    }
}

impl Drop for Scout {
    fn drop(&mut self) {
        self.shared.lock().quit = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the scout has been reported on stderr; there is nothing to add.
            let _ = thread.join();
        }
    }
}

fn first_map(target: &Target) -> anyhow::Result<SlotMap> {
    let mut complaints = Vec::new();
    for seed in &target.seeds {
        match discover::ask(seed, target, Duration::from_secs(3)) {
            Ok(map) => return Ok(map),
            Err(error) => complaints.push(error.text().to_owned()),
        }
    }
    match complaints.as_slice() {
        [] => bail!("no target was named"),
        complaints => bail!("no node gave a slot map: {}", complaints.join("; ")),
    }
}

fn patrol(shared: &Shared, target: &Target, patience: Duration) {
    let mut dark_since: Option<Instant> = None;
    // The node that answered last: one that hangs costs a time limit, and is not asked first again.
    let mut friend: Option<HostPort> = None;
    while let Some(candidates) = next_errand(shared, target, friend.as_ref(), dark_since.is_some()) {
        let mut reached = false;
        let mut complaint = String::new();
        for node in &candidates {
            match discover::ask(node, target, ASK_LIMIT) {
                Ok(map) => {
                    publish(shared, map);
                    reached = true;
                    complaint.clear();
                    friend = Some(node.clone());
                    break;
                }
                Err(AskError::Refused(text)) => (reached, complaint) = (true, text),
                Err(AskError::Unreachable(text)) => complaint = text,
            }
            if shared.lock().quit {
                return;
            }
        }
        // A node that answers without a map is no reason to give up, and none to be content.
        if !complaint.is_empty() {
            shared.lock().wanted = true;
        }
        let since = *dark_since.get_or_insert_with(Instant::now);
        if reached {
            dark_since = None;
        } else if since.elapsed() >= patience {
            shared.lock().lost = Some(format!(
                "no node could be reached for {} s; last: {complaint}",
                patience.as_secs()
            ));
            shared.lost.store(true, Ordering::Release);
            return;
        }
        pause(shared, DISTANCE);
    }
}

/// Waits until a refresh is wanted, and lists whom to ask: the hinted node, those of the map, the seeds. `None` to quit.
fn next_errand(
    shared: &Shared,
    target: &Target,
    friend: Option<&HostPort>,
    dark: bool,
) -> Option<Vec<HostPort>> {
    let mut state = shared.lock();
    while !state.quit && !state.wanted && !dark {
        state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    if state.quit {
        return None;
    }
    state.wanted = false;
    shared.pending.store(false, Ordering::Release);
    let mut candidates: Vec<HostPort> = state.hint.take().into_iter().collect();
    if let Some(friend) = friend.filter(|friend| !candidates.contains(friend)) {
        candidates.push(friend.clone());
    }
    let known = state
        .map
        .nodes()
        .iter()
        .map(|node| HostPort::new(node.host.as_str(), node.port));
    for node in known.chain(target.seeds.iter().cloned()) {
        if !candidates.contains(&node) {
            candidates.push(node);
        }
    }
    Some(candidates)
}

fn publish(shared: &Shared, map: SlotMap) {
    let mut state = shared.lock();
    if *state.map != map {
        state.map = Arc::new(map);
        shared.version.fetch_add(1, Ordering::Release);
    }
}

fn pause(shared: &Shared, length: Duration) {
    let until = Instant::now() + length;
    let mut state = shared.lock();
    while !state.quit
        && let Some(left) = until.checked_duration_since(Instant::now())
    {
        state = shared
            .wake
            .wait_timeout(state, left)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
    }
}
