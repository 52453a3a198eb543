//! Whatever the arguments, the keys of a command lie among them, and both ways to ask give the same ones.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slotcore::command::{COMMAND_COUNT, CommandId, key_positions, key_uses, spec};
use slotcore::resp::{ArgRange, Args};

fuzz_target!(|input: &[u8]| {
    let [low, high, words @ ..] = input else { return };
    let number = usize::from(u16::from_le_bytes([*low, *high])) % COMMAND_COUNT;
    let spec = spec(CommandId::from_index(number).expect("below the count"));
    // Words are what lies between zero bytes; the name comes first and does not matter.
    let mut ranges = vec![ArgRange { start: 0, end: 0 }];
    let mut start = 0;
    for word in words.split(|&byte| byte == 0) {
        let end = start + word.len();
        ranges.push(ArgRange { start: start as u32, end: end as u32 });
        start = end + 1;
    }
    let args = Args::new(words, &ranges);
    let (mut indexes, mut uses) = (Vec::new(), Vec::new());
    let positions = key_positions(spec, &args, &mut indexes);
    let described = key_uses(spec, &args, &mut uses);
    assert!(indexes.iter().all(|&index| index > 0 && (index as usize) < args.len()));
    if positions.is_ok() && described.is_ok() {
        assert!(uses.iter().map(|key| key.index).eq(indexes));
    }
});
