//! HRANDFIELD.

use slotcore::resp::{Proto, ReplyWriter};

use crate::command::call::Call;
use crate::command::random::{check_reply_elements, check_reply_len, count_arg, distinct};
use crate::command::reply_error::ErrorReply;
use crate::keyspace::{Hash, HashForm, Item};

type Pair<'a> = (Item<'a>, Item<'a>);

pub fn hrandfield(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.args.len() == 2 {
        let (hash, out) = call.read::<Hash>(0)?;
        match hash {
            Some(hash) => hash.random(&mut |field, _| out.bulk(field)),
            None => out.nil(),
        }
        return Ok(());
    }
    let count = count_arg(call, 2)?;
    let with_values = match call.args.len() {
        3 => false,
        4 if call.arg_is(3, "withvalues") => true,
        _ => return Err(ErrorReply::SYNTAX),
    };
    // Twice the count is the length of a reply.
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(ErrorReply::OUT_OF_RANGE);
    }
    let (hash, out) = call.read::<Hash>(0)?;
    let Some(hash) = hash else {
        out.array(0);
        return Ok(());
    };
    // To find one pair of a listpack takes as long as to find them all.
    let listed: Vec<Pair<'_>> = match hash.form() {
        HashForm::Listpack(list) => list.pairs().map(|(_, field, value)| (field, value)).collect(),
        HashForm::Table(_) => Vec::new(),
    };
    let draw = || match hash.form() {
        HashForm::Listpack(_) => Some(listed[rand::random_range(0..listed.len())]),
        HashForm::Table(table) => table.random().map(text_pair),
    };
    let all = || match hash.form() {
        HashForm::Listpack(_) => listed.clone(),
        HashForm::Table(table) => table.iter().map(text_pair).collect(),
    };
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count >= 0 {
        let chosen = if wanted >= hash.len() {
            all()
        } else {
            distinct(hash.len(), wanted, all, draw)
        };
        write_header(out, chosen.len(), with_values);
        chosen
            .into_iter()
            .for_each(|pair| write_pair(out, pair, with_values));
        return Ok(());
    }
    check_reply_elements(wanted)?;
    let before = out.out.len();
    write_header(out, wanted, with_values);
    for pair in std::iter::repeat_with(draw).take(wanted).flatten() {
        write_pair(out, pair, with_values);
        check_reply_len(out.out.len() - before)?;
    }
    Ok(())
}

fn text_pair<'a>((field, value): (&'a [u8], &'a [u8])) -> Pair<'a> {
    (Item::Text(field), Item::Text(value))
}

fn write_header(out: &mut ReplyWriter<'_>, pairs: usize, with_values: bool) {
    let flat = with_values && out.proto == Proto::Resp2;
    out.array(if flat { pairs * 2 } else { pairs });
}

fn write_pair(out: &mut ReplyWriter<'_>, (field, value): Pair<'_>, with_values: bool) {
    if with_values && out.proto == Proto::Resp3 {
        out.array(2);
    }
    out.bulk(field.text(&mut itoa::Buffer::new()));
    if with_values {
        out.bulk(value.text(&mut itoa::Buffer::new()));
    }
}
