//! Files of users: whatever is taken, written again, makes the same users.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slotmark_server::acl::{Defaults, parse_file};

fn written(text: &[u8], defaults: Defaults) -> Option<Vec<u8>> {
    let users = parse_file(text, "fuzz", defaults).ok()?;
    let lines: Vec<Vec<u8>> = users.iter().map(|(name, user)| user.describe(name)).collect();
    Some(lines.join(&b'\n'))
}

fn check(text: &[u8]) {
    for all_channels in [false, true] {
        // What is written does not say "all channels" of those who begin with them and lost them, but what they have.
        let Some(first) = written(text, Defaults { all_channels }) else { continue };
        assert_eq!(written(&first, Defaults { all_channels }).as_ref(), Some(&first));
    }
}

fuzz_target!(|input: &[u8]| {
    check(input);
    check(&[b"user a ", input].concat());
});
