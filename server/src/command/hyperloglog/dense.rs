//! Registers of six bits one after the other, the lowest bits of a byte first.

use super::layout::REGISTERS;

const BITS: usize = 6;
const MAX: u16 = (1 << BITS) - 1;

/// Bytes of all registers.
pub const BYTES: usize = REGISTERS * BITS / 8;

pub fn get(registers: &[u8], index: usize) -> u8 {
    let (byte, shift) = (index * BITS / 8, index * BITS % 8);
    (pair(registers, byte) >> shift & MAX) as u8
}

pub fn set(registers: &mut [u8], index: usize, value: u8) {
    let (byte, shift) = (index * BITS / 8, index * BITS % 8);
    let pair = pair(registers, byte) & !(MAX << shift) | u16::from(value) << shift;
    registers[byte] = pair as u8;
    if let Some(next) = registers.get_mut(byte + 1) {
        *next = (pair >> 8) as u8;
    }
}

/// Two bytes; behind the last one is nothing that a register would need.
fn pair(registers: &[u8], byte: usize) -> u16 {
    let next = registers.get(byte + 1).copied().unwrap_or(0);
    u16::from_le_bytes([registers[byte], next])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_do_not_touch_each_other() {
        let mut registers = vec![0; BYTES];
        let value = |index: usize| (index * 7 % 64) as u8;
        for index in (0..REGISTERS).rev() {
            set(&mut registers, index, 63);
            set(&mut registers, index, value(index));
        }
        assert!((0..REGISTERS).all(|index| get(&registers, index) == value(index)));
        assert_eq!(registers[..3], [0xc0, 0xe1, 0x54], "0, 7, 14 and 21");
    }
}
