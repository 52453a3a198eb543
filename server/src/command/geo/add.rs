//! GEOADD.

use super::geohash::{Cell, LATITUDES, STEP_MAX};
use super::unit::point_arg;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::command::sorted_set::add::{Options, add_scored};

/// It is a ZADD of scores, and replicas are told of that.
pub fn geoadd(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (mut options, mut first) = (Options::default(), 2);
    while first < call.args.len() {
        let option = match call.args.at(first).to_ascii_lowercase().as_slice() {
            b"nx" => &mut options.only_new,
            b"xx" => &mut options.only_present,
            b"ch" => &mut options.count_changed,
            _ => break,
        };
        *option = true;
        first += 1;
    }
    let rest = call.args.len() - first;
    if rest == 0 || !rest.is_multiple_of(3) || (options.only_new && options.only_present) {
        return Err(ErrorReply::SYNTAX);
    }
    let mut scored = Vec::with_capacity(rest / 3);
    for at in (first..call.args.len()).step_by(3) {
        let point = point_arg(call, at)?;
        let bits = Cell::of(point, LATITUDES, STEP_MAX).bits();
        scored.push((bits, call.args.at(at + 2)));
    }
    if call.is_recorded() {
        let texts: Vec<String> = scored.iter().map(|(bits, _)| bits.to_string()).collect();
        let mut effect: Vec<&[u8]> = vec![b"zadd"];
        effect.extend((1..first).map(|i| call.args.at(i)));
        for (text, (_, member)) in texts.iter().zip(&scored) {
            effect.extend([text.as_bytes(), member]);
        }
        call.effect_instead(&effect);
    }
    let scored: Vec<(f64, &[u8])> = scored
        .into_iter()
        .map(|(bits, member)| (bits as f64, member))
        .collect();
    add_scored(call, options, &scored)
}
