//! What small strings really cost: resident memory as the system counts it, allocator and table included.

use slotmark_server::keyspace::{Expire, Key, Keyspace};

const KEYS: usize = 2_000_000;
/// Bytes over key and value that a 16-byte key with a 16-byte value may take.
const BUDGET: f64 = 24.0;
/// The same for one that expires.
const BUDGET_EXPIRING: f64 = 32.0;
const NOW: u64 = 1_800_000_000_000;

/// Resident bytes of this process; None where /proc is not.
fn resident() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<usize>()
        .ok()
        .map(|kib| kib * 1024)
}

/// Fills a keyspace and says what a key takes beyond its payload. The keyspace is returned so that its memory is not
/// used again by the next one.
fn fill(expire: Expire) -> Option<(Keyspace, f64)> {
    let keyspace = Keyspace::new();
    let before = resident()?;
    for number in 0..KEYS {
        let name = format!("key:{number:012}");
        let key = Key::new(name.as_bytes());
        keyspace.lock(key.slot).set_string(&key, &[b'v'; 16], expire, NOW);
    }
    let overhead = resident()?.saturating_sub(before) as f64 / KEYS as f64 - 32.0;
    let counted = (keyspace.footprint() - keyspace.base_footprint()) as f64 / KEYS as f64 - 32.0;
    println!("{expire:?}: {overhead:.2} bytes over key and value resident, {counted:.2} counted");
    // What is counted lacks the pages that the allocator keeps at hand, and nothing else.
    assert!(
        (overhead - counted).abs() < 5.0,
        "{overhead:.2} resident, {counted:.2} counted"
    );
    Some((keyspace, overhead))
}

#[test]
fn small_strings_stay_in_their_budget() {
    let (Some((_plain, plain)), Some((_expiring, expiring))) =
        (fill(Expire::Clear), fill(Expire::At(NOW + 1)))
    else {
        assert_ne!(std::env::consts::OS, "linux", "Linux has /proc");
        return;
    };
    assert!(plain <= BUDGET, "{plain:.2}");
    assert!(expiring <= BUDGET_EXPIRING, "{expiring:.2}");
}
