//! A node's process, from its start to its certain end.
//!
//! A node is started through a second life of this binary (`loadgen exec-child`), which asks the kernel to kill
//! it when its parent dies, or puts it into a session of its own when it shall outlive us, and then becomes the
//! node by exec: the process id stays the same, and no unsafe code between fork and exec is needed.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// What happens to a node when the process that started it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bond {
    /// It ends too, however we end.
    DiesWithUs,
    /// It lives on.
    Outlives,
}

/// How long a node may take to end after SIGTERM before SIGKILL ends it.
const GRACE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(5);

/// The name of the hidden command that becomes a node.
pub const EXEC_CHILD: &str = "exec-child";
/// In the place of a core's number: the node runs where the kernel likes.
const ANY_CORE: &str = "any";

#[derive(Debug)]
pub struct NodeProcess {
    child: Child,
    log: PathBuf,
    bond: Bond,
}

impl NodeProcess {
    /// Starts `command` (program first), output into the file `log`.
    ///
    /// The kernel ties the node to the thread that calls this, not to the whole process: call it from a thread
    /// that lives as long as the node shall. With a `core` all its threads stay on that one.
    pub fn spawn(
        loadgen: &Path,
        command: &[OsString],
        log: PathBuf,
        bond: Bond,
        core: Option<usize>,
    ) -> io::Result<Self> {
        let out = File::create(&log)?;
        let mode = match bond {
            Bond::DiesWithUs => std::process::id().to_string(),
            Bond::Outlives => "detached".to_owned(),
        };
        let child = Command::new(loadgen)
            .arg(EXEC_CHILD)
            .arg(mode)
            .arg(core.map_or(ANY_CORE.to_owned(), |core| core.to_string()))
            .args(command)
            .stdin(Stdio::null())
            .stderr(out.try_clone()?)
            .stdout(out)
            // Ctrl-C in a terminal goes to the whole foreground group; the nodes must still answer while the
            // load is brought to its end.
            .process_group(0)
            .spawn()?;
        Ok(Self { child, log, bond })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The last lines it wrote, to say why it would not start.
    pub fn last_words(&self) -> String {
        tail(&self.log, 2_048).unwrap_or_default()
    }

    /// Ends it with SIGKILL and waits for that.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        // A child that was not waited for keeps its id, so this cannot reach a stranger.
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        if self.bond == Bond::DiesWithUs && self.ended().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Ends all of them together: SIGTERM, and SIGKILL for those that are still there after a grace period.
pub fn end_all(nodes: &mut [NodeProcess]) {
    let mut running: Vec<&mut NodeProcess> = nodes
        .iter_mut()
        .filter_map(|n| n.ended().is_none().then_some(n))
        .collect();
    for node in &running {
        node.signal(Signal::TERM);
        // A stopped process does not see it before it goes on.
        node.signal(Signal::CONT);
    }
    let deadline = Instant::now() + GRACE;
    while !running.is_empty() && Instant::now() < deadline {
        running.retain_mut(|node| node.ended().is_none());
        std::thread::sleep(POLL);
    }
    for node in running {
        node.kill();
    }
}

/// The body of `loadgen exec-child MODE CORE PROGRAM ARGS...`; returns only when it failed.
pub fn exec_child(mut args: impl Iterator<Item = OsString>) -> io::Error {
    let misuse = || io::Error::new(io::ErrorKind::InvalidInput, "exec-child is for loadgen's own use");
    let (Some(mode), Some(core), Some(program)) = (args.next(), args.next(), args.next()) else {
        return misuse();
    };
    let placed = match core.to_str().map(|core| (core, core.parse())) {
        Some((ANY_CORE, _)) => Ok(()),
        Some((_, Ok(core))) => stay_on(core),
        _ => return misuse(),
    };
    let tied = match mode.to_str().map(|mode| (mode, mode.parse::<i32>())) {
        Some(("detached", _)) => rustix::process::setsid().map(drop).or(Ok(())),
        Some((_, Ok(parent))) => die_with(parent),
        _ => return misuse(),
    };
    match placed.and(tied) {
        Ok(()) => Command::new(program).args(args).exec(),
        Err(error) => error,
    }
}

/// Binds this thread, those that it starts, and the program it becomes, to a core.
#[cfg(target_os = "linux")]
pub fn stay_on(core: usize) -> io::Result<()> {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(core);
    Ok(rustix::thread::sched_setaffinity(None, &cores)?)
}

#[cfg(not(target_os = "linux"))]
pub fn stay_on(_core: usize) -> io::Result<()> {
    Err(io::Error::other("a thread can be bound to a core only on Linux"))
}

#[cfg(target_os = "linux")]
fn die_with(parent: i32) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have died before it was asked for; then nobody would ever send the signal.
    if rustix::process::getppid().is_none_or(|now| now.as_raw_nonzero().get() != parent) {
        return Err(io::Error::other("the parent is gone"));
    }
    Ok(())
}

/// Elsewhere a node is ended by its parent only, which is certain for every end but SIGKILL.
#[cfg(not(target_os = "linux"))]
fn die_with(_parent: i32) -> io::Result<()> {
    Ok(())
}

/// The last `limit` bytes of a text file, from the beginning of a line.
pub fn tail(path: &Path, limit: u64) -> io::Result<String> {
    let mut file = OpenOptions::new().read(true).open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(limit);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let whole = if from == 0 {
        0
    } else {
        text.find('\n').map_or(0, |at| at + 1)
    };
    Ok(text[whole..].trim_end().to_owned())
}
