//! Sorted sets.

use crate::command::keys::{counted, key, range};
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("bzmpop", -5)
        .since("7.0.0")
        .flags("write blocking")
        .acl("sortedset")
        .keys(&[counted(2, "RW access delete")])
        .syntax("timeout:double numkeys:int key@0... (where: MIN | MAX) [COUNT count:int]")
        .complexity("O(K)+O(M*log(N)), K keys, M members taken of N")
        .summary("Takes members from the first sorted set that has any, waiting if need be"),
    command("bzpopmax", -3)
        .since("5.0.0")
        .flags("write noscript blocking fast")
        .acl("sortedset")
        .keys(&[range(1, -2, 1, "RW access delete")])
        .syntax("key@0... timeout:double")
        .complexity("O(log(N))")
        .summary("Takes the highest member of the first sorted set that has any, waiting if need be"),
    command("bzpopmin", -3)
        .since("5.0.0")
        .flags("write noscript blocking fast")
        .acl("sortedset")
        .keys(&[range(1, -2, 1, "RW access delete")])
        .syntax("key@0... timeout:double")
        .complexity("O(log(N))")
        .summary("Takes the lowest member of the first sorted set that has any, waiting if need be"),
    command("zadd", -4)
        .since("1.2.0")
        .flags("write denyoom fast")
        .acl("sortedset")
        .keys(&[key(1, "RW update")])
        .syntax(
            "key@0 [condition: NX | XX] [comparison: GT | LT] [change=CH] [increment=INCR] \
             (score_member: score:double member)...",
        )
        .complexity("O(log(N)) a member, N members in the set")
        .summary("Adds members with scores, or changes their scores"),
    command("zcard", 2)
        .since("1.2.0")
        .flags("readonly fast")
        .acl("sortedset")
        .keys(&[key(1, "RO")])
        .syntax("key@0")
        .complexity("O(1)")
        .summary("Counts the members of a sorted set"),
    command("zcount", 4)
        .since("2.0.0")
        .flags("readonly fast")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 min:double max:double")
        .complexity("O(log(N))")
        .summary("Counts the members between two scores"),
    command("zdiff", -3)
        .since("6.2.0")
        .flags("readonly")
        .acl("sortedset")
        .keys(&[counted(1, "RO access")])
        .syntax("numkeys:int key@0... [WITHSCORES]")
        .complexity("O(L+(N-K)*log(N)), L members in all sets, N in the first, K in the result")
        .summary("Gives the members of the first sorted set that no other has"),
    command("zdiffstore", -4)
        .since("6.2.0")
        .flags("write denyoom")
        .acl("sortedset")
        .keys(&[key(1, "OW update"), counted(2, "RO access")])
        .syntax("destination@0 numkeys:int key@1...")
        .complexity("O(L+(N-K)*log(N)), L members in all sets, N in the first, K in the result")
        .summary("Stores the members of the first sorted set that no other has"),
    command("zincrby", 4)
        .since("1.2.0")
        .flags("write denyoom fast")
        .acl("sortedset")
        .keys(&[key(1, "RW access update")])
        .syntax("key@0 increment:int member")
        .complexity("O(log(N))")
        .summary("Adds a number to the score of a member"),
    command("zinter", -3)
        .since("6.2.0")
        .flags("readonly")
        .acl("sortedset")
        .keys(&[counted(1, "RO access")])
        .syntax(
            "numkeys:int key@0... [WEIGHTS weight:int...] [AGGREGATE (aggregate: SUM | MIN | MAX)] \
             [WITHSCORES]",
        )
        .complexity("O(N*K)+O(M*log(M)), N members in the smallest of K sets, M in the result")
        .summary("Gives the members that all sorted sets have"),
    command("zintercard", -3)
        .since("7.0.0")
        .flags("readonly")
        .acl("sortedset")
        .keys(&[counted(1, "RO access")])
        .syntax("numkeys:int key@0... [LIMIT limit:int]")
        .complexity("O(N*K), N members in the smallest of K sets")
        .summary("Counts the members that all sorted sets have"),
    command("zinterstore", -4)
        .since("2.0.0")
        .flags("write denyoom")
        .acl("sortedset")
        .keys(&[key(1, "OW update"), counted(2, "RO access")])
        .syntax(
            "destination@0 numkeys:int key@1... [WEIGHTS weight:int...] [AGGREGATE (aggregate: SUM | \
             MIN | MAX)]",
        )
        .complexity("O(N*K)+O(M*log(M)), N members in the smallest of K sets, M in the result")
        .summary("Stores the members that all sorted sets have"),
    command("zlexcount", 4)
        .since("2.8.9")
        .flags("readonly fast")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 min max")
        .complexity("O(log(N))")
        .summary("Counts the members between two texts, scores being equal"),
    command("zmpop", -4)
        .since("7.0.0")
        .flags("write")
        .acl("sortedset")
        .keys(&[counted(1, "RW access delete")])
        .syntax("numkeys:int key@0... (where: MIN | MAX) [COUNT count:int]")
        .complexity("O(K)+O(M*log(N)), K keys, M members taken of N")
        .summary("Takes the lowest or highest members of the first sorted set that has any"),
    command("zmscore", -3)
        .since("6.2.0")
        .flags("readonly fast")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 member...")
        .complexity("O(N), N members asked for")
        .summary("Gives the scores of several members"),
    command("zpopmax", -2)
        .since("5.0.0")
        .flags("write fast")
        .acl("sortedset")
        .keys(&[key(1, "RW access delete")])
        .syntax("key@0 [count:int]")
        .complexity("O(M*log(N)), M members taken of N")
        .summary("Takes the members with the highest scores"),
    command("zpopmin", -2)
        .since("5.0.0")
        .flags("write fast")
        .acl("sortedset")
        .keys(&[key(1, "RW access delete")])
        .syntax("key@0 [count:int]")
        .complexity("O(M*log(N)), M members taken of N")
        .summary("Takes the members with the lowest scores"),
    command("zrandmember", -2)
        .since("6.2.0")
        .flags("readonly")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 [options: count:int [WITHSCORES]]")
        .complexity("O(N), N members returned")
        .summary("Picks members of a sorted set at random")
        .tips(&["nondeterministic_output"]),
    command("zrange", -4)
        .since("1.2.0")
        .flags("readonly")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax(
            "key@0 start stop [sortby: BYSCORE | BYLEX] [REV] [LIMIT (offset_count: offset:int \
             count:int)] [WITHSCORES]",
        )
        .complexity("O(log(N)+M), M members returned of N")
        .summary("Gives members by rank, score or text"),
    command("zrangebylex", -4)
        .since("2.8.9")
        .flags("readonly")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 min max [LIMIT (offset_count: offset:int count:int)]")
        .complexity("O(log(N)+M), M members returned of N")
        .summary("Gives the members between two texts, scores being equal")
        .deprecated("6.2.0", "ZRANGE ... BYLEX"),
    command("zrangebyscore", -4)
        .since("1.0.5")
        .flags("readonly")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 min:double max:double [WITHSCORES] [LIMIT (offset_count: offset:int count:int)]")
        .complexity("O(log(N)+M), M members returned of N")
        .summary("Gives the members between two scores")
        .deprecated("6.2.0", "ZRANGE ... BYSCORE"),
    command("zrangestore", -5)
        .since("6.2.0")
        .flags("write denyoom")
        .acl("sortedset")
        .keys(&[key(1, "OW update"), key(2, "RO access")])
        .syntax(
            "dst@0 src@1 min max [sortby: BYSCORE | BYLEX] [REV] [LIMIT (offset_count: offset:int \
             count:int)]",
        )
        .complexity("O(log(N)+M), M members stored of N")
        .summary("Stores members picked by rank, score or text"),
    command("zrank", 3)
        .since("2.0.0")
        .flags("readonly fast")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 member")
        .complexity("O(log(N))")
        .summary("Tells how many members have a lower score"),
    command("zrem", -3)
        .since("1.2.0")
        .flags("write fast")
        .acl("sortedset")
        .keys(&[key(1, "RW delete")])
        .syntax("key@0 member...")
        .complexity("O(M*log(N)), M members removed of N")
        .summary("Removes members from a sorted set"),
    command("zremrangebylex", 4)
        .since("2.8.9")
        .flags("write")
        .acl("sortedset")
        .keys(&[key(1, "RW delete")])
        .syntax("key@0 min max")
        .complexity("O(log(N)+M), M members removed of N")
        .summary("Removes the members between two texts, scores being equal"),
    command("zremrangebyrank", 4)
        .since("2.0.0")
        .flags("write")
        .acl("sortedset")
        .keys(&[key(1, "RW delete")])
        .syntax("key@0 start:int stop:int")
        .complexity("O(log(N)+M), M members removed of N")
        .summary("Removes the members between two ranks"),
    command("zremrangebyscore", 4)
        .since("1.2.0")
        .flags("write")
        .acl("sortedset")
        .keys(&[key(1, "RW delete")])
        .syntax("key@0 min:double max:double")
        .complexity("O(log(N)+M), M members removed of N")
        .summary("Removes the members between two scores"),
    command("zrevrange", -4)
        .since("1.2.0")
        .flags("readonly")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 start:int stop:int [WITHSCORES]")
        .complexity("O(log(N)+M), M members returned of N")
        .summary("Gives the members between two ranks, highest first")
        .deprecated("6.2.0", "ZRANGE ... REV"),
    command("zrevrangebylex", -4)
        .since("2.8.9")
        .flags("readonly")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 max min [LIMIT (offset_count: offset:int count:int)]")
        .complexity("O(log(N)+M), M members returned of N")
        .summary("Gives the members between two texts, last first")
        .deprecated("6.2.0", "ZRANGE ... BYLEX REV"),
    command("zrevrangebyscore", -4)
        .since("2.2.0")
        .flags("readonly")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 max:double min:double [WITHSCORES] [LIMIT (offset_count: offset:int count:int)]")
        .complexity("O(log(N)+M), M members returned of N")
        .summary("Gives the members between two scores, highest first")
        .deprecated("6.2.0", "ZRANGE ... BYSCORE REV"),
    command("zrevrank", 3)
        .since("2.0.0")
        .flags("readonly fast")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 member")
        .complexity("O(log(N))")
        .summary("Tells how many members have a higher score"),
    command("zscan", -3)
        .since("2.8.0")
        .flags("readonly")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 cursor:int [MATCH pattern:pattern] [COUNT count:int]")
        .complexity("O(1) a call, O(N) for all N members")
        .summary("Walks over the members of a sorted set, some at a time")
        .tips(&["nondeterministic_output"]),
    command("zscore", 3)
        .since("1.2.0")
        .flags("readonly fast")
        .acl("sortedset")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 member")
        .complexity("O(1)")
        .summary("Gives the score of one member"),
    command("zunion", -3)
        .since("6.2.0")
        .flags("readonly")
        .acl("sortedset")
        .keys(&[counted(1, "RO access")])
        .syntax(
            "numkeys:int key@0... [WEIGHTS weight:int...] [AGGREGATE (aggregate: SUM | MIN | MAX)] \
             [WITHSCORES]",
        )
        .complexity("O(N)+O(M*log(M)), N members in all sets, M in the result")
        .summary("Gives the members that any of the sorted sets has"),
    command("zunionstore", -4)
        .since("2.0.0")
        .flags("write denyoom")
        .acl("sortedset")
        .keys(&[key(1, "OW update"), counted(2, "RO access")])
        .syntax(
            "destination@0 numkeys:int key@1... [WEIGHTS weight:int...] [AGGREGATE (aggregate: SUM | \
             MIN | MAX)]",
        )
        .complexity("O(N)+O(M*log(M)), N members in all sets, M in the result")
        .summary("Stores the members that any of the sorted sets has"),
];
