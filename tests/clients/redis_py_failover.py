"""redis-py's cluster client, told to be patient, through the failure of a primary.

It waits between attempts when it is told CLUSTERDOWN, but not when a connection is refused: so it needs many attempts for
the quarter of a second that nobody serves the slots of a primary that was killed.

Usage: redis_py_failover.py PORT. Counts on keys of all shards, says "ready" when it has begun, and on a line at its
standard input counts on for a second and says what was counted. A count that the client gives up on ends it with 1.
"""

import select
import sys
import time

from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry

KEYS = [f"count:{i}" for i in range(64)]


def main(port):
    client = RedisCluster(
        startup_nodes=[ClusterNode("127.0.0.1", port)], decode_responses=True, retry=Retry(NoBackoff(), 10_000)
    )
    counted = 0
    end = None
    said = False
    while end is None or time.monotonic() < end:
        for key in KEYS:
            client.incr(key)
            counted += 1
        if not said:
            print("ready", flush=True)
            said = True
        if end is None and select.select([sys.stdin], [], [], 0)[0]:
            end = time.monotonic() + 1
    held = sum(int(client.get(key)) for key in KEYS)
    print(counted, held, flush=True)


main(int(sys.argv[1]))
