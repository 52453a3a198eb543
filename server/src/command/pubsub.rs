//! SUBSCRIBE, PUBLISH and their kin, and PUBSUB.
//!
//! A confirmation is in the reply buffer before its subscription can bring the first message, and a subscription's last
//! messages are there before the confirmation of its end.

use slotcore::command::CommandSpec;
use slotcore::slot_of;

use crate::cluster::PublishError;
use crate::command::call::{Binding, Call, Locks};
use crate::command::help::help;
use crate::command::reply_error::ErrorReply;
use crate::pubsub::{Kind, Moved};
use crate::session::ReplyMode;

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("subscribe", subscribe, Locks::None),
    ("unsubscribe", unsubscribe, Locks::None),
    ("psubscribe", subscribe, Locks::None),
    ("punsubscribe", unsubscribe, Locks::None),
    ("ssubscribe", subscribe, Locks::None),
    ("sunsubscribe", unsubscribe, Locks::None),
    ("publish", publish, Locks::None),
    ("spublish", publish, Locks::None),
    ("pubsub|channels", channels, Locks::None),
    ("pubsub|numsub", numsub, Locks::None),
    ("pubsub|numpat", numpat, Locks::None),
    ("pubsub|shardchannels", channels, Locks::None),
    ("pubsub|shardnumsub", numsub, Locks::None),
    ("pubsub|help", help, Locks::None),
];

/// What a client of RESP2 may run while it is subscribed to something: there, a message looks like a reply.
pub fn check_subscribed_mode(spec: &CommandSpec) -> Result<(), ErrorReply> {
    if is_subscription(spec) || matches!(spec.name, "ping" | "quit" | "reset") {
        return Ok(());
    }
    Err(ErrorReply::new(format!(
        "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this \
         context",
        spec.full_name
    )))
}

fn is_subscription(spec: &CommandSpec) -> bool {
    spec.name.ends_with("subscribe")
}

/// Messages that came before or while the command ran stand before its reply, as one thread would have written them; so
/// do those that it has caused itself. Within a transaction they wait for the end of EXEC's reply, which a client could
/// not read with others' messages in it.
#[cold]
pub fn put_messages_first(call: &mut Call<'_>, before: usize) {
    let session = &*call.session;
    let Some(subscriber) = &session.subscriber else {
        return;
    };
    let held_back =
        session.in_exec || matches!(call.spec.name, "exec" | "monitor") || is_subscription(call.spec);
    if subscriber.client().queued() == 0 || held_back || session.reply_mode != ReplyMode::On {
        return;
    }
    if subscriber.client().queued() > MAX_COPIED {
        call.session.messages_first = true;
        return;
    }
    let reply = call.out.out.split_off(before);
    subscriber.flush(call.out.proto, call.out.out);
    call.out.out.extend_from_slice(&reply);
}

/// So many bytes of messages are copied to where they belong among replies. More, which only slow readers have waiting,
/// come before all replies of the turn.
const MAX_COPIED: usize = 64 * 1024;

fn kind_of(spec: &CommandSpec) -> Kind {
    match spec.name.as_bytes()[0] {
        b'p' => Kind::Pattern,
        b's' if spec.name != "subscribe" => Kind::Shard,
        _ => Kind::Channel,
    }
}

fn subscribe(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let kind = kind_of(call.spec);
    let Some(subscriber) = call.session.listen().cloned() else {
        return Ok(()); // its connection has ended
    };
    let before = call.out.out.len();
    for i in 1..call.args.len() {
        let name = call.args.at(i);
        let count = subscriber.count(kind) + usize::from(!subscriber.has(kind, name));
        confirm(call, Some(name), count);
        match kind {
            Kind::Channel => call.node.pubsub.subscribe(name, &subscriber),
            Kind::Pattern => call.node.pubsub.subscribe_pattern(name, &subscriber),
            Kind::Shard => {
                if subscribe_shard(call, name).is_err() {
                    // The slot has moved since the command was judged: what was done of it is taken back.
                    call.out.out.truncate(before);
                    for name in call.args.from(1).iter().take(i) {
                        call.node.pubsub.unsubscribe(kind, name, &subscriber);
                    }
                    call.session.retry = true;
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

fn subscribe_shard(call: &Call<'_>, channel: &[u8]) -> Result<(), Moved> {
    let session = &*call.session;
    let Some(subscriber) = &session.subscriber else {
        return Ok(());
    };
    call.node.pubsub.subscribe_shard(channel, subscriber, || {
        let Some(cluster) = &call.node.cluster else {
            return Ok(None);
        };
        let view = cluster.view();
        let slot = slot_of(channel);
        let is_judged = view.version() == session.routed.view || session.in_exec;
        match is_judged || view.is_of_my_shard(slot) {
            true => Ok(view.owner_id(slot)),
            false => Err(Moved),
        }
    })
}

fn unsubscribe(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let kind = kind_of(call.spec);
    let Some(subscriber) = call.session.subscriber.clone() else {
        for i in 1..call.args.len() {
            confirm(call, Some(call.args.at(i)), 0);
        }
        if call.args.len() == 1 {
            confirm(call, None, 0);
        }
        return Ok(());
    };
    let end = |call: &mut Call<'_>, name: &[u8]| {
        call.node.pubsub.unsubscribe(kind, name, &subscriber);
        if subscriber.client().queued() > MAX_COPIED {
            call.session.messages_first = true;
        } else if !call.session.in_exec && call.session.reply_mode == ReplyMode::On {
            subscriber.flush(call.out.proto, call.out.out);
        }
        confirm(call, Some(name), subscriber.count(kind));
    };
    if call.args.len() > 1 {
        for name in call.args.from(1).iter() {
            end(call, name);
        }
        return Ok(());
    }
    let names = subscriber.names(kind);
    for name in &names {
        end(call, name);
    }
    if names.is_empty() {
        confirm(call, None, subscriber.count(kind));
    }
    Ok(())
}

/// Says that a subscription has begun or ended, and how many there are.
fn confirm(call: &mut Call<'_>, name: Option<&[u8]>, count: usize) {
    call.session.confirmed = call.session.reply_mode != ReplyMode::On && !call.session.in_exec;
    call.out.push(3);
    call.out.bulk(call.spec.name.as_bytes());
    match name {
        Some(name) => call.out.bulk(name),
        None => call.out.nil(),
    }
    call.out.integer(count as i64);
}

/// PUBLISH and SPUBLISH. The number in the reply is of this node's receivers, as in stock.
fn publish(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (channel, payload) = (call.args.at(1), call.args.at(2));
    let is_shard = call.spec.name == "spublish";
    if let Some(cluster) = &call.node.cluster
        && !call.session.is_primary_link
    {
        call.session.bus_is_full |= cluster.spread(is_shard, channel, payload)?;
    }
    let receivers = if is_shard {
        call.node.pubsub.publish_shard(channel, payload)
    } else {
        call.node.pubsub.publish(channel, payload)
    };
    if call.node.cluster.is_none() {
        call.effect_always();
    }
    call.out.integer(receivers as i64);
    Ok(())
}

impl From<PublishError> for ErrorReply {
    fn from(error: PublishError) -> Self {
        Self::new(format!("ERR {error}"))
    }
}

fn is_shard(call: &Call<'_>) -> Kind {
    match call.spec.name.starts_with("shard") {
        true => Kind::Shard,
        false => Kind::Channel,
    }
}

/// CHANNELS and SHARDCHANNELS.
fn channels(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let pattern = match call.args.len() {
        2 => None,
        3 => Some(call.args.at(2)),
        _ => {
            let given = call.args.at(1);
            let given = &given[..given.len().min(128)];
            let mut text = b"ERR unknown subcommand or wrong number of arguments for '".to_vec();
            text.extend_from_slice(given);
            text.extend_from_slice(b"'. Try PUBSUB HELP.");
            return Err(ErrorReply::from_bytes(text));
        }
    };
    let names = call.node.pubsub.names(is_shard(call), pattern);
    call.out.array(names.len());
    names.iter().for_each(|name| call.out.bulk(name));
    Ok(())
}

/// NUMSUB and SHARDNUMSUB.
fn numsub(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let kind = is_shard(call);
    let names = call.args.from(2);
    call.out.array(names.len() * 2);
    for name in names.iter() {
        let listeners = call.node.pubsub.listeners(kind, name);
        call.out.bulk(name);
        call.out.integer(listeners as i64);
    }
    Ok(())
}

fn numpat(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let patterns = call.node.pubsub.counts().patterns;
    call.out.integer(patterns as i64);
    Ok(())
}
