//! One run of a generator: how long it took, and the processor time of all its threads, from its start to its end.
//!
//! The kernel adds the time of a child that has ended, and was waited for, to what it keeps of the parent's children; the
//! difference of two looks at that is the child's. It is kept in ticks (10 ms), which is why rounds should not be short.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::super::process::{EXEC_CHILD, tail};
use super::super::session::SessionError;
use super::super::signals::StopFlag;

/// What a run took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Took {
    pub cpu: Duration,
    pub time: Duration,
}

/// Often enough that the end of a run of a second is seen within a few thousandths of it, rarely enough not to disturb it.
const POLL: Duration = Duration::from_millis(2);
/// A generator that has not ended by then waits for something that will not come.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where and how the programs are run.
#[derive(Debug)]
pub struct Runner<'a> {
    /// The path of this binary, which binds itself to the core and then becomes the program.
    pub loadgen: &'a Path,
    pub core: usize,
    /// Takes what the program says.
    pub log: PathBuf,
    pub stop: &'a StopFlag,
}

impl Runner<'_> {
    /// Runs a program to its end; one that fails is an error.
    pub fn run(&self, command: &[OsString]) -> Result<Took, SessionError> {
        let out = File::create(&self.log).context("cannot write a log")?;
        let cpu_before = cpu_of_children()?;
        let started = Instant::now();
        let child = Command::new(self.loadgen)
            .arg(EXEC_CHILD)
            .arg(std::process::id().to_string())
            .arg(self.core.to_string())
            .args(command)
            .stdin(Stdio::null())
            .stderr(out.try_clone().context("cannot write a log")?)
            .stdout(out)
            .process_group(0)
            .spawn()
            .context("cannot start a generator")?;
        self.wait(child, &command[0])?;
        Ok(Took {
            time: started.elapsed(),
            cpu: cpu_of_children()?.saturating_sub(cpu_before),
        })
    }

    fn wait(&self, mut child: Child, program: &OsString) -> Result<(), SessionError> {
        let deadline = Instant::now() + PATIENCE;
        let end = |mut child: Child| {
            // It may have ended by itself meanwhile; waiting is what matters.
            let _ = child.kill();
            let _ = child.wait();
        };
        let name = program.to_string_lossy();
        loop {
            match child.try_wait().context("cannot wait for a generator")? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    let said = tail(&self.log, 2_048).unwrap_or_default();
                    return Err(anyhow!("{name} failed: {status}\n{said}").into());
                }
                None if self.stop.is_raised() => {
                    end(child);
                    return Err(SessionError::Interrupted);
                }
                None if Instant::now() > deadline => {
                    end(child);
                    return Err(anyhow!("{name} had not ended after {} s", PATIENCE.as_secs()).into());
                }
                None => std::thread::sleep(POLL),
            }
        }
    }
}

/// User and system time of all children that have ended.
fn cpu_of_children() -> anyhow::Result<Duration> {
    let path = "/proc/self/stat";
    let stat = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let ticks = ticks_of_children(&stat).with_context(|| format!("{path} is not as proc(5) says"))?;
    let seconds = ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
    Ok(Duration::from_secs_f64(seconds))
}

/// cutime + cstime, fields 16 and 17 of proc(5); the name in the second field may hold spaces and brackets.
fn ticks_of_children(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(13);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_from_the_last_bracket() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 11 12 13 14 20 0 1 0 100 1000 10";
        assert_eq!(ticks_of_children(stat), Some(27));
        assert_eq!(ticks_of_children("7 (a"), None);
        assert_eq!(ticks_of_children("7 (a) S 1 2"), None);
    }

    #[test]
    fn our_own_children_are_counted() {
        assert!(cpu_of_children().is_ok());
    }
}
