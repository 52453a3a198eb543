//! PFDEBUG, PFSELFTEST.

use super::estimate::estimate;
use super::hash::place;
use super::layout::{
    HEADER, REGISTERS, Registers, check, corrupted, empty, is_sparse, make_dense, raise_all, raise_register,
};
use super::sparse::runs;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::command::string::text;
use crate::keyspace::Expire;

pub fn pfdebug(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let key = &call.keys[0];
    let mut place = call.held.table(key.slot).find(key, call.now);
    let Some(string) = text(place.entry())? else {
        return Err(ErrorReply::fixed("ERR The specified key does not exist"));
    };
    check(string)?;
    let mut string = string.to_vec();
    let was_sparse = is_sparse(&string);
    match call.args.at(1).to_ascii_lowercase().as_slice() {
        b"getreg" => {
            let registers = registers(&string)?;
            if was_sparse {
                make_dense(&mut string)?;
                place.set_raw(string, Expire::Keep);
            }
            call.out.array(REGISTERS);
            for register in registers {
                call.out.integer(i64::from(register));
            }
        }
        b"decode" if was_sparse => call.out.bulk(decoded(&string[HEADER..])?.as_bytes()),
        b"decode" => return Err(ErrorReply::fixed("ERR HLL encoding is not sparse")),
        b"encoding" => call.out.simple(if was_sparse { "sparse" } else { "dense" }),
        b"todense" => {
            if was_sparse {
                make_dense(&mut string)?;
                place.set_raw(string, Expire::Keep);
            }
            call.out.integer(i64::from(was_sparse));
        }
        _ => {
            let mut text = b"ERR Unknown PFDEBUG subcommand '".to_vec();
            text.extend_from_slice(call.args.at(1));
            text.push(b'\'');
            return Err(ErrorReply::from_bytes(text));
        }
    }
    Ok(())
}

fn registers(string: &[u8]) -> Result<Registers, ErrorReply> {
    let mut registers = [0; REGISTERS];
    raise_all(string, &mut registers)?;
    Ok(registers)
}

/// Runs as text: `z` and `Z` for zeros in one byte and in two, `v` for another value.
fn decoded(bytes: &[u8]) -> Result<String, ErrorReply> {
    let runs = runs(bytes).map(|run| {
        let run = run.ok_or(corrupted())?;
        Ok(match (run.value, run.bytes) {
            (0, 1) => format!("z:{}", run.len),
            (0, _) => format!("Z:{}", run.len),
            (value, _) => format!("v:{value},{}", run.len),
        })
    });
    Ok(runs.collect::<Result<Vec<_>, ErrorReply>>()?.join(" "))
}

/// Adds numbers to a sparse and a dense one: both must say the same, and be right within four standard errors.
pub fn pfselftest(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    const ELEMENTS: u64 = 20_000;
    let sparse_max = call.node.config.load().hll_sparse_max_bytes;
    let (mut sparse, mut dense) = (empty(), empty());
    make_dense(&mut dense)?;
    for number in 1..=ELEMENTS {
        let (index, value) = place(&number.to_le_bytes());
        raise_register(&mut sparse, index, value, sparse_max)?;
        raise_register(&mut dense, index, value, sparse_max)?;
        if number.is_power_of_two() || number == ELEMENTS {
            let estimates = [estimate(&registers(&sparse)?), estimate(&registers(&dense)?)];
            let error = estimates[0].abs_diff(number) as f64;
            let bearable = 4.0 * 1.04 / (REGISTERS as f64).sqrt() * number as f64 + 1.0;
            if estimates[0] != estimates[1] || error > bearable {
                return Err(ErrorReply::new(format!(
                    "ERR TESTFAILED {number} elements are estimated as {estimates:?}"
                )));
            }
        }
    }
    call.out.ok();
    Ok(())
}
