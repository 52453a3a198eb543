//! Publish and subscribe.

use crate::command::keys::{key, range};
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("psubscribe", -2)
        .since("2.0.0")
        .flags("pubsub noscript loading stale")
        .syntax("(pattern: pattern:pattern)..."),
    command("publish", 3)
        .since("2.0.0")
        .flags("pubsub loading stale fast")
        .syntax("channel message"),
    command("pubsub", -2).since("2.8.0"),
    command("pubsub|channels", -2)
        .since("2.8.0")
        .flags("pubsub loading stale")
        .syntax("[pattern:pattern]"),
    command("pubsub|help", 2).since("6.2.0").flags("loading stale"),
    command("pubsub|numpat", 2)
        .since("2.8.0")
        .flags("pubsub loading stale"),
    command("pubsub|numsub", -2)
        .since("2.8.0")
        .flags("pubsub loading stale")
        .syntax("[channel...]"),
    command("pubsub|shardchannels", -2)
        .since("7.0.0")
        .flags("pubsub loading stale")
        .syntax("[pattern:pattern]"),
    command("pubsub|shardnumsub", -2)
        .since("7.0.0")
        .flags("pubsub loading stale")
        .syntax("[shardchannel...]"),
    command("punsubscribe", -1)
        .since("2.0.0")
        .flags("pubsub noscript loading stale")
        .syntax("[pattern:pattern...]"),
    command("spublish", 3)
        .since("7.0.0")
        .flags("pubsub loading stale fast")
        .keys(&[key(1, "not_key")])
        .syntax("shardchannel message"),
    command("ssubscribe", -2)
        .since("7.0.0")
        .flags("pubsub noscript loading stale")
        .keys(&[range(1, -1, 1, "not_key")])
        .syntax("shardchannel..."),
    command("subscribe", -2)
        .since("2.0.0")
        .flags("pubsub noscript loading stale")
        .syntax("channel..."),
    command("sunsubscribe", -1)
        .since("7.0.0")
        .flags("pubsub noscript loading stale")
        .keys(&[range(1, -1, 1, "not_key")])
        .syntax("[shardchannel...]"),
    command("unsubscribe", -1)
        .since("2.0.0")
        .flags("pubsub noscript loading stale")
        .syntax("[channel...]"),
];
