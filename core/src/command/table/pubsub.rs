//! Publish and subscribe.

use crate::command::keys::{key, range};
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("psubscribe", -2)
        .since("2.0.0")
        .flags("pubsub noscript loading stale")
        .syntax("(pattern: pattern:pattern)...")
        .complexity("O(N), N patterns of this client")
        .summary("Subscribes to all channels that match patterns"),
    command("publish", 3)
        .since("2.0.0")
        .flags("pubsub loading stale fast")
        .syntax("channel message")
        .complexity("O(N+M), N subscribers, M patterns")
        .summary("Sends a message to all who listen to a channel"),
    command("pubsub", -2)
        .since("2.8.0")
        .summary("Who listens to what"),
    command("pubsub|channels", -2)
        .since("2.8.0")
        .flags("pubsub loading stale")
        .syntax("[pattern:pattern]")
        .complexity("O(N), N channels")
        .summary("Names the channels that somebody listens to"),
    command("pubsub|help", 2)
        .since("6.2.0")
        .flags("loading stale")
        .complexity("O(1)")
        .summary("Lists these subcommands"),
    command("pubsub|numpat", 2)
        .since("2.8.0")
        .flags("pubsub loading stale")
        .complexity("O(1)")
        .summary("Counts the different patterns subscribed to"),
    command("pubsub|numsub", -2)
        .since("2.8.0")
        .flags("pubsub loading stale")
        .syntax("[channel...]")
        .complexity("O(N), N channels asked for")
        .summary("Counts the subscribers of channels"),
    command("pubsub|shardchannels", -2)
        .since("7.0.0")
        .flags("pubsub loading stale")
        .syntax("[pattern:pattern]")
        .complexity("O(N), N channels")
        .summary("Names the shard channels that somebody listens to"),
    command("pubsub|shardnumsub", -2)
        .since("7.0.0")
        .flags("pubsub loading stale")
        .syntax("[shardchannel...]")
        .complexity("O(N), N channels asked for")
        .summary("Counts the subscribers of shard channels"),
    command("punsubscribe", -1)
        .since("2.0.0")
        .flags("pubsub noscript loading stale")
        .syntax("[pattern:pattern...]")
        .complexity("O(N), N patterns")
        .summary("Ends subscriptions to patterns"),
    command("spublish", 3)
        .since("7.0.0")
        .flags("pubsub loading stale fast")
        .keys(&[key(1, "not_key")])
        .syntax("shardchannel message")
        .complexity("O(N), N subscribers")
        .summary("Sends a message to all who listen to a shard channel"),
    command("ssubscribe", -2)
        .since("7.0.0")
        .flags("pubsub noscript loading stale")
        .keys(&[range(1, -1, 1, "not_key")])
        .syntax("shardchannel...")
        .complexity("O(N), N channels")
        .summary("Subscribes to shard channels"),
    command("subscribe", -2)
        .since("2.0.0")
        .flags("pubsub noscript loading stale")
        .syntax("channel...")
        .complexity("O(N), N channels")
        .summary("Subscribes to channels"),
    command("sunsubscribe", -1)
        .since("7.0.0")
        .flags("pubsub noscript loading stale")
        .keys(&[range(1, -1, 1, "not_key")])
        .syntax("[shardchannel...]")
        .complexity("O(N), N channels")
        .summary("Ends subscriptions to shard channels"),
    command("unsubscribe", -1)
        .since("2.0.0")
        .flags("pubsub noscript loading stale")
        .syntax("[channel...]")
        .complexity("O(N), N channels")
        .summary("Ends subscriptions to channels"),
];
