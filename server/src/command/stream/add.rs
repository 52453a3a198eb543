//! XADD.

use super::id;
use super::trim::Options;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{AppendError, NewId, Stream, StreamId};

pub fn xadd(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let now = call.now;
    let parse = |text: &[u8]| match text {
        b"*" => Ok(NewId::Auto { now }),
        text => id::new_entry(text).map(|(id, is_exact)| match is_exact {
            true => NewId::Exact(id),
            false => NewId::Within { ms: id.ms },
        }),
    };
    let (options, wanted) = Options::of_xadd(call, parse)?;
    let content = options.end + 1;
    let given = call.args.len().saturating_sub(content);
    let (Some(wanted), true) = (wanted, given >= 2 && given.is_multiple_of(2)) else {
        return Err(ErrorReply::wrong_arity(call.spec.full_name));
    };
    if wanted == NewId::Exact(StreamId::MIN) {
        return Err(ErrorReply::fixed(
            "ERR The ID specified in XADD must be greater than 0-0",
        ));
    }
    let (content, limits) = (call.args.from(content), call.limits());
    let mut told: Option<Vec<Vec<u8>>> = call
        .is_recorded()
        .then(|| call.args.iter().map(<[u8]>::to_vec).collect());
    let added = call.edit(0, |stream: &mut Stream| {
        if options.must_exist && stream.is_absent() {
            return (Ok(None), false);
        }
        let id = match stream.entries_mut().append(wanted, content.iter(), &limits) {
            Ok(id) => id,
            Err(error) => return (Err(refusal(error)), false),
        };
        stream.begin();
        let trimmed = options.trim.map_or(0, |trim| trim.apply(stream.entries_mut()));
        if let Some(told) = &mut told {
            told[options.end] = id.to_string().into_bytes();
            if let Some(trim) = &options.trim {
                trim.rewrite(told, stream.entries());
            }
        }
        (Ok(Some((id, trimmed))), true)
    })??;
    let Some((id, trimmed)) = added else {
        call.out.nil();
        return Ok(());
    };
    if let Some(mut told) = told {
        if let NewId::Exact(_) = wanted {
            // As the client wrote it.
            told[options.end] = call.args.at(options.end).to_vec();
        }
        let told: Vec<&[u8]> = told.iter().map(Vec::as_slice).collect();
        call.effect_instead(&told);
    }
    call.notify(EventClass::STREAM, "xadd", &call.keys[0]);
    if trimmed > 0 {
        call.notify(EventClass::STREAM, "xtrim", &call.keys[0]);
    }
    call.out.bulk_display(id);
    Ok(())
}

fn refusal(error: AppendError) -> ErrorReply {
    ErrorReply::fixed(match error {
        AppendError::NotGreater => {
            "ERR The ID specified in XADD is equal or smaller than the target stream top item"
        }
        AppendError::Exhausted => {
            "ERR The stream has exhausted the last possible ID, unable to add more items"
        }
        AppendError::TooLarge => "ERR Elements are too large to be stored",
    })
}
