//! The machine a run took place on, as far as it can be read without privileges, and how busy others kept it.

use std::path::Path;
use std::process::{Command, Stdio};

use super::admin::field;
use crate::report::model::Environment;

/// Everything but the noise, which is measured over the rounds.
pub fn describe() -> Environment {
    let kernel = output_of("uname", &["-sr"]).unwrap_or_else(|| std::env::consts::OS.to_owned());
    Environment {
        cpu: cpu_model().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        cores: cores(),
        memory_bytes: memory_bytes().unwrap_or(0),
        os: os_name().unwrap_or_else(|| kernel.clone()),
        kernel,
        virtualization: virtualization(),
        loadgen_version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: commit().unwrap_or_else(|| "unknown".to_owned()),
        build_profile: if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        }
        .to_owned(),
        noise: Default::default(),
    }
}

/// Cores this process may run on.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX))
}

/// One-minute load average.
pub fn load_average() -> Option<f64> {
    read("/proc/loadavg")?.split_whitespace().next()?.parse().ok()
}

/// Memory that new processes can have, in bytes.
pub fn available_bytes() -> Option<u64> {
    meminfo("MemAvailable")
}

/// CPU time of this process, ended threads included, in clock ticks.
pub fn own_ticks() -> Option<u64> {
    let stat = read("/proc/self/stat")?;
    // The name in parentheses may hold anything; user and system time are the 14th and 15th field.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Now, as RFC 3339 in UTC.
pub fn utc_now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Time of all cores together since boot, in clock ticks; a difference of two gives shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineTime {
    pub total: u64,
    /// Neither idle nor waiting for a disk nor stolen.
    pub busy: u64,
    /// Taken away by the hypervisor.
    pub steal: u64,
}

/// None where there is no /proc/stat.
pub fn machine_time() -> Option<MachineTime> {
    parse_machine_time(&read("/proc/stat")?)
}

fn parse_machine_time(stat: &str) -> Option<MachineTime> {
    let line = stat.lines().find_map(|l| l.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .take(8)
        .map(|t| t.parse().ok())
        .collect::<Option<_>>()?;
    let [user, nice, system, idle, iowait, irq, softirq, steal] = ticks.try_into().ok()?;
    let busy = user + nice + system + irq + softirq;
    Some(MachineTime {
        total: busy + idle + iowait + steal,
        busy,
        steal,
    })
}

fn cpu_model() -> Option<String> {
    let text = read("/proc/cpuinfo")?;
    let line = text
        .lines()
        .find(|l| l.starts_with("model name") || l.starts_with("Model"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory_bytes() -> Option<u64> {
    meminfo("MemTotal")
}

fn meminfo(name: &str) -> Option<u64> {
    let text = read("/proc/meminfo")?;
    let kib: u64 = field(&text, name)?.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024)
}

fn os_name() -> Option<String> {
    let text = read("/etc/os-release")?;
    let name = text.lines().find_map(|l| l.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}

fn virtualization() -> Option<String> {
    if Path::new("/.dockerenv").exists() {
        return Some("docker".to_owned());
    }
    let hypervisor = read("/proc/cpuinfo")?
        .lines()
        .any(|l| l.starts_with("flags") && l.contains(" hypervisor"));
    if !hypervisor {
        return None;
    }
    let maker = read("/sys/class/dmi/id/sys_vendor").unwrap_or_default();
    Some(if maker.trim().is_empty() {
        "virtual machine".to_owned()
    } else {
        maker.trim().to_owned()
    })
}

/// The commit of the source tree this was built from, if that tree is still there.
fn commit() -> Option<String> {
    let source = env!("CARGO_MANIFEST_DIR");
    let git = |args: &[&str]| output_of("git", &[&["-C", source], args].concat());
    let head = git(&["rev-parse", "--short=12", "HEAD"])?;
    let clean = git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if clean { head } else { format!("{head}-dirty") })
}

/// What a program prints, trimmed, if it is there and succeeds.
fn output_of(program: &str, args: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    let output = command
        .args(args)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_time_adds_up() {
        let stat = "cpu  10 1 5 100 4 0 2 3 0 0\ncpu0 10 1 5 100 4 0 2 3 0 0\n";
        assert_eq!(
            parse_machine_time(stat),
            Some(MachineTime {
                total: 125,
                busy: 18,
                steal: 3
            })
        );
        assert_eq!(parse_machine_time("intr 5"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_a_description() {
        let environment = describe();
        assert!(
            environment.cores >= 1 && environment.memory_bytes > 1 << 20,
            "{environment:?}"
        );
        assert!(
            !environment.cpu.is_empty() && environment.kernel.starts_with("Linux "),
            "{environment:?}"
        );
        assert!(load_average().is_some() && machine_time().is_some());
    }
}
