//! SORT and SORT_RO.

mod options;
mod order;
mod pattern;

use slotcore::resp::Args;

use super::call::{Binding, Call, Locks};
use super::random::{check_reply_elements, check_reply_len};
use super::reply_error::ErrorReply;
use crate::events::EventClass;
use crate::keyspace::{Collection, Expire, Limits, List, Side, SortedSet, ValueRef};
use options::Options;

pub const HANDLERS: &[Binding] = &[
    ("sort", sort, Locks::Patterns),
    ("sort_ro", sort_ro, Locks::Patterns),
];

/// Whether a request names keys by patterns: then any slot may be read, outside of a cluster.
pub fn names_patterns(args: &Args<'_>) -> bool {
    args.from(2)
        .iter()
        .any(|arg| arg.eq_ignore_ascii_case(b"by") || arg.eq_ignore_ascii_case(b"get"))
}

fn sort(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    run(call, true)
}

fn sort_ro(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    run(call, false)
}

/// What is sorted.
struct Elements {
    texts: Vec<Vec<u8>>,
    /// They have an order of their own.
    is_ordered: bool,
}

fn elements(call: &mut Call<'_>) -> Result<Elements, ErrorReply> {
    let key = &call.keys[0];
    call.notify_miss(key);
    let found = call.held.table(key.slot).get(key, call.now);
    call.node.stats.worker(call.worker).looked_up(found.is_some());
    let Some(entry) = found else {
        return Ok(Elements {
            texts: Vec::new(),
            is_ordered: true,
        });
    };
    let text = |item: crate::keyspace::Item<'_>| item.text(&mut itoa::Buffer::new()).to_vec();
    match entry.value() {
        ValueRef::Collection(Collection::List(list)) => Ok(Elements {
            texts: list.iter().map(text).collect(),
            is_ordered: true,
        }),
        ValueRef::Collection(Collection::Set(set)) => Ok(Elements {
            texts: set.iter().map(text).collect(),
            is_ordered: false,
        }),
        ValueRef::Collection(Collection::SortedSet(set)) => {
            let mut texts = Vec::with_capacity(set.len());
            set.for_each(&mut |member, _| texts.push(member.to_vec()));
            Ok(Elements {
                texts,
                is_ordered: true,
            })
        }
        ValueRef::Str(_) | ValueRef::Collection(Collection::Hash(_) | Collection::Stream(_)) => {
            Err(ErrorReply::WRONG_TYPE)
        }
    }
}

fn run(call: &mut Call<'_>, may_store: bool) -> Result<(), ErrorReply> {
    let mut options = Options::parse(call, may_store)?;
    let Elements {
        mut texts,
        is_ordered,
    } = elements(call)?;
    // A sorted set that is sorted leaves its listpack, as in stock; what is of another type stays as it is.
    let key = &call.keys[0];
    let mut place = call.held.table(key.slot).find_quietly(key, call.now);
    let _other_type = place.edit(|set: &mut SortedSet| {
        set.unpack();
        ((), false)
    });
    if options.keeps_order() && !is_ordered && options.store.is_some() {
        // What is stored must be the same everywhere.
        options.by = None;
        options.alpha = true;
    }
    let (start, count) = options.window(texts.len());
    if !options.keeps_order() {
        texts = order::sorted(call, texts, &options)?;
    } else if is_ordered && options.descending {
        texts.reverse();
    }
    let chosen = texts.into_iter().skip(start).take(count);
    if options.store.is_none() {
        let replies = count.saturating_mul(options.get.len().max(1));
        check_reply_elements(replies)?;
        let before = call.out.out.len();
        call.out.array(replies);
        for element in chosen {
            if options.get.is_empty() {
                call.out.bulk(&element);
            }
            for pattern in &options.get {
                match pattern::look_up(call, pattern, &element) {
                    Some(text) => call.out.bulk(&text),
                    None => call.out.nil(),
                }
                check_reply_len(call.out.out.len() - before)?;
            }
        }
        return Ok(());
    }
    let limits = call.limits();
    let mut list = List::default();
    for element in chosen {
        if options.get.is_empty() {
            list.push(Side::Right, &element, &limits);
        }
        for pattern in &options.get {
            let text = pattern::look_up(call, pattern, &element).unwrap_or_default();
            push_bounded(&mut list, &text, &limits)?;
        }
    }
    let len = list.len();
    // The last STORE counts, and is the last key.
    let [_, destination] = call.keys else {
        return Err(ErrorReply::SYNTAX);
    };
    let table = call.held.table(destination.slot);
    if len > 0 {
        table
            .find(destination, call.now)
            .set_collection(list, Expire::Clear);
        call.notify(EventClass::LIST, "sortstore", destination);
    } else if let Some(old) = table.remove(destination, 0) {
        // What was there goes as it is, also if its time is over: replicas are told of this command alone.
        table.discard(old);
        call.notify(EventClass::GENERIC, "del", destination);
    }
    call.out.integer(len as i64);
    Ok(())
}

fn push_bounded(list: &mut List, text: &[u8], limits: &Limits) -> Result<(), ErrorReply> {
    if text.len() > List::MAX_ELEMENT {
        return Err(ErrorReply::STRING_TOO_LONG);
    }
    list.push(Side::Right, text, limits);
    Ok(())
}
