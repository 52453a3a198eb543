//! What an engine gets before a round, and whether the event came to pass.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow};
use slotcore::resp::encode_command;
use workloads::Workload;

use super::event::{self, BYSTANDERS, Event, HASH};
use super::{TailBench, round};
use crate::driver::admin::{Admin, field};
use crate::driver::prepare;
use crate::driver::progress::Progress;
use crate::driver::session::SessionError;
use crate::driver::signals::StopFlag;
use crate::driver::subject::Subject;

/// The slowest of what is asked, removing millions of keys, is over by then.
const ASK_TIMEOUT: Duration = Duration::from_secs(120);
/// Fields of one HSET, and commands of one write.
const FIELDS_AT_ONCE: u64 = 100;
const COMMANDS_AT_ONCE: u64 = 50;
/// Keys to expire are given time to be stored: so much, and as many times what as many others took.
const STORE_AT_LEAST: Duration = Duration::from_secs(1);
const STORE_FACTOR: f64 = 1.5;
const ATTEMPTS: u32 = 4;
const QUIET_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// A connection to the only node.
pub fn admin(subject: &Subject) -> Result<Admin, SessionError> {
    let addr = &subject.target.seeds[0];
    let admin = Admin::connect(addr, subject.target.auth.as_ref(), ASK_TIMEOUT);
    Ok(admin.with_context(|| format!("cannot ask {}", subject.engine))?)
}

impl TailBench {
    /// Gives the engine what the event needs, and nothing else. Returns when keys will expire (unix time in
    /// milliseconds), if that is the event; the load is to begin at once then.
    pub(super) fn make_ready(
        &self,
        event: Event,
        number: u32,
        workload: &Arc<Workload>,
        subject: &Subject,
        stop: &StopFlag,
    ) -> Result<Option<u64>, SessionError> {
        if event == Event::Growth && number > 0 {
            return Ok(None);
        }
        let mut admin = admin(subject)?;
        let ask = |admin: &mut Admin, args: &[&str]| {
            let asked = admin.call(args).map(drop);
            asked.with_context(|| format!("{} does not take {}", subject.engine, args.join(" ")))
        };
        ask(&mut admin, &["FLUSHALL"])?;
        let began = Instant::now();
        self.store(workload, subject, stop)?;
        let each = began.elapsed().div_f64(workload.preload_len().max(1) as f64);
        if event.has_hash() {
            fill_hash(&mut admin, self.sizes.fields, stop)?;
        }
        let expire_at = match event {
            Event::Expiry => Some(self.store_expiring(each, subject, stop)?),
            _ => None,
        };
        await_quiet(&mut admin)?;
        Ok(expire_at)
    }

    pub(super) fn store(
        &self,
        workload: &Arc<Workload>,
        subject: &Subject,
        stop: &StopFlag,
    ) -> Result<(), SessionError> {
        if workload.preload_len() > 0 {
            prepare::preload(workload, std::slice::from_ref(subject), 1, stop, Progress::Silent)?;
        }
        Ok(())
    }

    /// Stores keys that expire at one moment, and waits until the load has to begin for that to be its event.
    fn store_expiring(
        &self,
        each: Duration,
        subject: &Subject,
        stop: &StopFlag,
    ) -> Result<u64, SessionError> {
        let lead = self.warmup + round::event_at(self.round);
        let mut patience = STORE_AT_LEAST + each.mul_f64(self.sizes.expiring as f64 * STORE_FACTOR);
        for _ in 0..ATTEMPTS {
            let begin = SystemTime::now() + patience;
            let expire_at = unix_ms(begin + lead);
            let workload = event::expiring(self.sizes, expire_at)?.compile(self.seed)?;
            self.store(&workload, subject, stop)?;
            if let Ok(left) = begin.duration_since(SystemTime::now()) {
                let until = Instant::now() + left;
                while Instant::now() < until && !stop.is_raised() {
                    thread::sleep(POLL.min(until.saturating_duration_since(Instant::now())));
                }
                return Ok(expire_at);
            }
            patience *= 2;
        }
        Err(anyhow!("{} took too long to store keys that expire", subject.engine).into())
    }
}

pub fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn fill_hash(admin: &mut Admin, fields: u64, stop: &StopFlag) -> Result<(), SessionError> {
    let mut next = 0;
    while next < fields {
        if stop.is_raised() {
            return Err(SessionError::Interrupted);
        }
        let mut frames = Vec::new();
        let mut count = 0;
        while count < COMMANDS_AT_ONCE && next < fields {
            let last = fields.min(next + FIELDS_AT_ONCE);
            frames.extend_from_slice(&hset(next..last));
            next = last;
            count += 1;
        }
        let replies = admin
            .call_many(&frames, count as usize)
            .context("filling a hash")?;
        if replies.iter().any(|reply| reply.as_integer().is_none()) {
            return Err(anyhow!("HSET was refused").into());
        }
    }
    Ok(())
}

fn hset(fields: std::ops::Range<u64>) -> Vec<u8> {
    let pairs: Vec<[String; 2]> = fields
        .map(|n| [format!("field:{n:08}"), format!("value:{n:08}")])
        .collect();
    let words = pairs.iter().flatten().map(|word| word.as_bytes());
    let args: Vec<&[u8]> = [b"HSET".as_slice(), HASH.as_bytes()]
        .into_iter()
        .chain(words)
        .collect();
    let mut frame = Vec::new();
    encode_command(&mut frame, &args);
    frame
}

/// Waits until the node has freed what it frees in the background, so that a round has only the event of its own.
fn await_quiet(admin: &mut Admin) -> Result<(), SessionError> {
    let deadline = Instant::now() + QUIET_WITHIN;
    while Instant::now() < deadline {
        let info = admin
            .text(&["INFO", "memory"])
            .context("asking what is pending")?;
        // Who does not tell has nothing of the kind.
        if field(&info, "lazyfree_pending_objects").is_none_or(|pending| pending.trim() == "0") {
            return Ok(());
        }
        thread::sleep(POLL);
    }
    Err(anyhow!(
        "a node still frees what it was to remove after {} s",
        QUIET_WITHIN.as_secs()
    )
    .into())
}

/// Whether the event came to pass: what is left is what was to be left.
pub fn check(event: Event, subject: &Subject) -> Result<(), SessionError> {
    let expected = match event {
        Event::Flush | Event::FlushAsync => 0,
        Event::HashDel | Event::HashUnlink | Event::HashExpire => BYSTANDERS,
        Event::ControlGet | Event::ControlSet | Event::Growth | Event::Expiry => return Ok(()),
    };
    let reply = admin(subject)?.call(&["DBSIZE"]).context("asking what is left")?;
    match reply.as_integer() {
        Some(left) if left as u64 == expected => Ok(()),
        left => Err(anyhow!(
            "{}: after {event} there are {left:?} keys, and there should be {expected}",
            subject.engine
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hset_has_its_fields() {
        let frame = hset(7..9);
        let text = String::from_utf8(frame).unwrap();
        assert!(text.starts_with("*6\r\n$4\r\nHSET\r\n$10\r\ntails:hash\r\n$14\r\nfield:00000007\r\n"));
        assert!(text.ends_with("$14\r\nfield:00000008\r\n$14\r\nvalue:00000008\r\n"));
    }
}
