//! The generators that can be compared: where the binary is, which version it is, and how each is told to do the same.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use super::super::engine::on_path;
use super::super::peers::Mix;
use crate::load::HostPort;
use crate::report::generators::Mode;

/// Whose options a generator understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Loadgen,
    /// redis-benchmark, and valkey-benchmark, which has the same options.
    RedisBenchmark,
    Memtier,
}

impl Family {
    /// What a program belongs to that calls itself so.
    fn of(name: &str) -> Option<Self> {
        match name {
            "loadgen" => Some(Self::Loadgen),
            "redis-benchmark" | "valkey-benchmark" => Some(Self::RedisBenchmark),
            "memtier_benchmark" => Some(Self::Memtier),
            _ => None,
        }
    }
}

/// A generator that was found and asked for its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generator {
    family: Family,
    name: String,
    version: String,
    program: PathBuf,
}

/// Those that are looked for on PATH.
const KNOWN: [&str; 3] = ["redis-benchmark", "memtier_benchmark", "valkey-benchmark"];

/// What each of them is to do.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    pub server: &'a HostPort,
    pub mode: Mode,
    pub mix: Mix,
    pub pipeline: u32,
    pub clients: u32,
    pub keys: u64,
    pub value_bytes: u32,
    pub operations: u64,
    /// Where it may write its results.
    pub scratch: &'a Path,
}

impl Generator {
    /// This very binary.
    pub fn loadgen(path: &Path) -> Self {
        Self {
            family: Family::Loadgen,
            name: "loadgen".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            program: path.to_owned(),
        }
    }

    /// Finds a generator by its name, on PATH, or by the path of its binary.
    pub fn find(selector: &str) -> Result<Self> {
        let path = match selector.contains('/') {
            true => PathBuf::from(selector),
            false => on_path(selector).with_context(|| {
                format!(
                    "no generator '{selector}' on PATH: choose {}, or the path of one (with a /)",
                    KNOWN.join(", ")
                )
            })?,
        };
        let output = Command::new(&path)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("{} cannot be run", path.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let (family, name, version) = introduction(&text).with_context(|| {
            format!(
                "{} is no generator known here: it answers --version neither as loadgen does nor as {}",
                path.display(),
                KNOWN.join(", ")
            )
        })?;
        Ok(Self {
            family,
            name,
            version,
            program: std::path::absolute(path)?,
        })
    }

    /// Every generator but ours that is on PATH.
    pub fn others() -> Vec<Result<Self>> {
        let found = KNOWN.into_iter().filter(|name| on_path(name).is_some());
        found.map(Self::find).collect()
    }

    pub fn title(&self) -> String {
        format!("{} {}", self.name, self.version)
    }

    /// The program and its arguments.
    pub fn command(&self, job: &Job<'_>) -> Result<Vec<OsString>> {
        let args = match self.family {
            Family::Loadgen => loadgen_args(job),
            Family::RedisBenchmark => redis_benchmark_args(job),
            Family::Memtier => memtier_args(job),
        }?;
        let mut command: Vec<OsString> = vec![self.program.clone().into()];
        command.extend(args.into_iter().map(OsString::from));
        if self.family == Family::Loadgen {
            command.extend(["--output".into(), job.scratch.into()]);
        }
        Ok(command)
    }
}

/// `redis-benchmark 7.0.15`, `memtier_benchmark 2.1.0` and a notice after it, `loadgen 0.1.0 (...)`.
fn introduction(text: &str) -> Option<(Family, String, String)> {
    let mut words = text.split_whitespace();
    let name = words.next()?;
    let version = words.next()?;
    Some((Family::of(name)?, name.to_owned(), version.to_owned()))
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

fn loadgen_args(job: &Job<'_>) -> Result<Vec<String>> {
    let ratio = match job.mix {
        Mix::Get => "0:1",
        Mix::Set => "1:0",
        other => return Err(unknown(other)),
    };
    let Job {
        server,
        pipeline,
        clients,
        keys,
        value_bytes,
        operations,
        ..
    } = job;
    Ok(words(&format!(
        "--target {server} --workload uniform --ratio {ratio} --no-preload --warmup 0s -n {operations} -c {clients} --threads 1 \
         -P {pipeline} -r {keys} -d {value_bytes} --quiet"
    )))
}

/// It calls a cluster of one node invalid (`--cluster`), and needs no map for one.
fn redis_benchmark_args(job: &Job<'_>) -> Result<Vec<String>> {
    let test = match job.mix {
        Mix::Get => "get",
        Mix::Set => "set",
        other => return Err(unknown(other)),
    };
    let HostPort { host, port } = job.server;
    let Job {
        pipeline,
        clients,
        keys,
        value_bytes,
        operations,
        ..
    } = job;
    Ok(words(&format!(
        "-h {host} -p {port} -c {clients} -n {operations} -P {pipeline} -d {value_bytes} -r {keys} -t {test}"
    )))
}

/// It counts its operations client by client, so that they are rounded up to a multiple of the clients.
fn memtier_args(job: &Job<'_>) -> Result<Vec<String>> {
    let ratio = match job.mix {
        Mix::Get => "0:1",
        Mix::Set => "1:0",
        other => return Err(unknown(other)),
    };
    let HostPort { host, port } = job.server;
    let Job {
        pipeline,
        clients,
        keys,
        value_bytes,
        ..
    } = job;
    let each = job.operations.div_ceil(u64::from(*clients));
    let mut args = words(&format!(
        "-s {host} -p {port} -t 1 -c {clients} -n {each} --pipeline {pipeline} -d {value_bytes} --ratio {ratio} \
         --key-minimum 1 --key-maximum {keys} --key-pattern R:R --hide-histogram"
    ));
    if job.mode == Mode::Cluster {
        args.push("--cluster-mode".to_owned());
    }
    Ok(args)
}

fn unknown(mix: Mix) -> anyhow::Error {
    anyhow!("generators are compared by GET and SET, which all of them have, not by {mix}")
}

/// Says no to a load that not every generator has.
pub fn check(mix: Mix) -> Result<()> {
    match mix {
        Mix::Get | Mix::Set => Ok(()),
        other => bail!(unknown(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(family: Family, mode: Mode, mix: Mix) -> Result<String> {
        let generator = Generator {
            family,
            name: "x".to_owned(),
            version: "1".to_owned(),
            program: PathBuf::from("/bin/x"),
        };
        let job = Job {
            server: &HostPort::new("127.0.0.1", 7000),
            mode,
            mix,
            pipeline: 16,
            clients: 50,
            keys: 1_000,
            value_bytes: 64,
            operations: 1_001,
            scratch: Path::new("/tmp/y"),
        };
        let words: Vec<String> = generator
            .command(&job)?
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        Ok(words.join(" "))
    }

    #[test]
    fn each_is_told_the_same_in_its_own_words() {
        assert_eq!(
            command(Family::Loadgen, Mode::Cluster, Mix::Get).unwrap(),
            "/bin/x --target 127.0.0.1:7000 --workload uniform --ratio 0:1 --no-preload --warmup 0s -n 1001 -c 50 --threads 1 \
             -P 16 -r 1000 -d 64 --quiet --output /tmp/y"
        );
        assert_eq!(
            command(Family::RedisBenchmark, Mode::Standalone, Mix::Set).unwrap(),
            "/bin/x -h 127.0.0.1 -p 7000 -c 50 -n 1001 -P 16 -d 64 -r 1000 -t set"
        );
        assert_eq!(
            command(Family::RedisBenchmark, Mode::Standalone, Mix::Get).unwrap(),
            command(Family::RedisBenchmark, Mode::Cluster, Mix::Get).unwrap()
        );
        assert_eq!(
            command(Family::Memtier, Mode::Cluster, Mix::Set).unwrap(),
            "/bin/x -s 127.0.0.1 -p 7000 -t 1 -c 50 -n 21 --pipeline 16 -d 64 --ratio 1:0 --key-minimum 1 \
             --key-maximum 1000 --key-pattern R:R --hide-histogram --cluster-mode"
        );
    }

    #[test]
    fn loads_that_not_all_have_are_refused() {
        for family in [Family::Loadgen, Family::RedisBenchmark, Family::Memtier] {
            assert!(command(family, Mode::Cluster, Mix::Mget).is_err());
        }
        assert!(check(Mix::Get).is_ok() && check(Mix::ReadsOf100(80)).is_err());
    }

    #[test]
    fn generators_introduce_themselves() {
        let said = |text| introduction(text).map(|(family, _, version)| (family, version));
        assert_eq!(
            said("redis-benchmark 7.0.15\n"),
            Some((Family::RedisBenchmark, "7.0.15".to_owned()))
        );
        assert_eq!(
            said("memtier_benchmark 2.1.0\nCopyright (C) 2011-2024 Redis Labs Ltd.\n"),
            Some((Family::Memtier, "2.1.0".to_owned()))
        );
        assert_eq!(said("ls (GNU coreutils) 9.1"), None);
        assert_eq!(said(""), None);
        assert!(Generator::find("wrk").is_err() && Generator::find("/bin/true").is_err());
    }
}
