"""redis-py's cluster client against a cluster: routing, pipelines, hash tags, errors, messages, both protocols.

Usage: redis_py.py PORT. Exits with 0 when everything was as expected.
"""

import sys
import time

from redis.cluster import ClusterNode, RedisCluster
from redis.exceptions import ResponseError


def check(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: got {got!r}, wanted {wanted!r}")


def exercise(protocol, port):
    client = RedisCluster(
        startup_nodes=[ClusterNode("127.0.0.1", port)], protocol=protocol, decode_responses=True
    )
    client.flushall(target_nodes=RedisCluster.PRIMARIES)
    check("nodes", len(client.get_primaries()), 3)
    for i in range(500):
        client.set(f"key:{i}", f"value:{i}", ex=1000)
    for i in range(500):
        check("get", client.get(f"key:{i}"), f"value:{i}")
    check("expiry", 900 < client.ttl("key:1") <= 1000, True)

    client.mset({"{user:101}:profile": "profile", "{user:101}:cart": "cart"})
    check("mget", client.mget(["{user:101}:profile", "{user:101}:cart"]), ["profile", "cart"])
    client.mset_nonatomic({f"spread:{i}": str(i) for i in range(50)})
    check("mget_nonatomic", client.mget_nonatomic([f"spread:{i}" for i in range(50)]), [str(i) for i in range(50)])

    pipe = client.pipeline()
    for i in range(200):
        pipe.incr(f"counter:{i % 20}")
    check("pipeline", len(pipe.execute()), 200)
    check("counter", client.get("counter:7"), "10")

    check("dbsize", client.dbsize(target_nodes=RedisCluster.PRIMARIES) >= 500, True)
    check("scan", len(set(client.scan_iter(match="key:*", count=100))), 500)
    check("keyslot", client.cluster_keyslot("foo"), 12182)
    check("delete", client.delete(*[f"key:{i}" for i in range(500)]), 500)
    try:
        client.execute_command("INCR", "{user:101}:cart")
        sys.exit("INCR of text must fail")
    except ResponseError as error:
        check("error", str(error), "value is not an integer or out of range")
    messages(client)
    client.flushall(target_nodes=RedisCluster.PRIMARIES)
    check("flushed", client.dbsize(target_nodes=RedisCluster.PRIMARIES), 0)
    client.close()


def received(read, count):
    """So many messages, confirmations left out, within ten seconds."""
    found, deadline = [], time.monotonic() + 10
    while len(found) < count:
        if time.monotonic() > deadline:
            sys.exit(f"only these messages came: {found!r}")
        message = read()
        if message and message["type"].endswith("message"):
            found.append((message["type"], message["channel"], message["data"]))
    return found


def confirmed(read, count):
    """Waits until so many subscriptions are in force."""
    deadline = time.monotonic() + 10
    while count > 0:
        if time.monotonic() > deadline:
            sys.exit("a subscription was not confirmed")
        message = read()
        count -= bool(message and message["type"].endswith("subscribe"))


def messages(client):
    listener = client.pubsub()
    listener.subscribe("news")
    listener.psubscribe("sport.*")
    read = lambda: listener.get_message(timeout=0.1)
    confirmed(read, 2)
    for node in client.get_primaries():
        client.publish("news", node.port, target_nodes=node)
    check("news", sorted(received(read, 3)), sorted(("message", "news", str(node.port)) for node in client.get_primaries()))
    client.publish("sport.chess", "e4")
    check("sport", received(read, 1), [("pmessage", "sport.chess", "e4")])
    listener.close()

    channels = [f"shard:{i}" for i in range(12)]
    listener = client.pubsub()
    read = lambda: listener.get_sharded_message(timeout=0.01)
    for channel in channels:
        listener.ssubscribe(channel)
        confirmed(read, 1)
    for channel in channels:
        check("receivers", client.spublish(channel, "to " + channel), 1)
    wanted = [("smessage", channel, "to " + channel) for channel in channels]
    check("shard channels", sorted(received(read, len(channels))), sorted(wanted))
    listener.sunsubscribe(channels[0])
    confirmed(read, 1)
    check("nobody", client.spublish(channels[0], "gone"), 0)
    listener.close()


for protocol in (2, 3):
    exercise(protocol, int(sys.argv[1]))
print("ok")
