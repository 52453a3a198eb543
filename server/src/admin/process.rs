//! What the system knows of this process and this machine, read from /proc. What cannot be read is None.

use std::fs;

/// Memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Resident now.
    pub resident: u64,
    /// Resident at most so far.
    pub peak: u64,
}

/// Memory of this process.
pub fn memory() -> Option<Memory> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    Some(Memory {
        resident: kilobytes(&status, "VmRSS:")?,
        peak: kilobytes(&status, "VmHWM:")?,
    })
}

/// Memory of the machine in bytes.
pub fn total_memory() -> Option<u64> {
    kilobytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")
}

/// The bytes of a line such as `VmRSS:     1234 kB`.
fn kilobytes(text: &str, label: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(label))?;
    let number: u64 = rest.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(number * 1024)
}

/// Processor time in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CpuTimes {
    /// In user mode.
    pub user: f64,
    /// In the kernel.
    pub system: f64,
    /// In user mode by children that have ended.
    pub children_user: f64,
    /// In the kernel by children that have ended.
    pub children_system: f64,
}

/// Processor time of this process.
pub fn cpu_times() -> Option<CpuTimes> {
    parse_cpu_times(
        &fs::read_to_string("/proc/self/stat").ok()?,
        rustix::param::clock_ticks_per_second(),
    )
}

/// Processor time of the thread that accepts clients and waits for signals.
pub fn main_thread_times() -> Option<CpuTimes> {
    let path = format!("/proc/self/task/{}/stat", std::process::id());
    parse_cpu_times(
        &fs::read_to_string(path).ok()?,
        rustix::param::clock_ticks_per_second(),
    )
}

fn parse_cpu_times(stat: &str, ticks_per_second: u64) -> Option<CpuTimes> {
    // The second field, the program's name, may hold spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11);
    let mut next = || Some(times.next()?.parse::<u64>().ok()? as f64 / ticks_per_second as f64);
    Some(CpuTimes {
        user: next()?,
        system: next()?,
        children_user: next()?,
        children_system: next()?,
    })
}

/// Such as `Linux 6.1.0 x86_64`.
pub fn system_name() -> String {
    let read = |name: &str| fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    format!(
        "{} {} {}",
        read("ostype").trim(),
        read("osrelease").trim(),
        std::env::consts::ARCH
    )
}

/// A number of bytes for people: `1.50M`.
pub fn human(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "K", "M", "G", "T", "P"] {
        if value < 1024.0 || unit == "P" {
            return if unit == "B" {
                format!("{bytes}B")
            } else {
                format!("{value:.2}{unit}")
            };
        }
        value /= 1024.0;
    }
    format!("{bytes}B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_understood() {
        assert_eq!(
            kilobytes("Name: x\nVmRSS:\t    12 kB\n", "VmRSS:"),
            Some(12 * 1024)
        );
        let stat = "7 (a) b) c) S 1 7 7 0 -1 4 100 0 0 0 250 50 3 4 20 0 1 0 9 9 9";
        let times = parse_cpu_times(stat, 100).unwrap();
        assert_eq!(
            (
                times.user,
                times.system,
                times.children_user,
                times.children_system
            ),
            (2.5, 0.5, 0.03, 0.04)
        );
        assert!(memory().unwrap().peak >= memory().unwrap().resident / 2);
        assert!(cpu_times().is_some() && main_thread_times().is_some() && total_memory().unwrap() > 0);
        assert!(system_name().starts_with("Linux "));
    }

    #[test]
    fn bytes_for_people() {
        let shown: Vec<_> = [0, 1023, 1024, 1_572_864, 25_276_502_016].map(human).to_vec();
        assert_eq!(shown, ["0B", "1023B", "1.00K", "1.50M", "23.54G"]);
    }
}
