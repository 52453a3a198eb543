//! Positions, kept in sorted sets.

use crate::command::keys::{after, key};
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("geoadd", -5)
        .since("3.2.0")
        .flags("write denyoom")
        .acl("geo")
        .keys(&[key(1, "RW update")])
        .syntax(
            "key@0 [condition: NX | XX] [change=CH] (longitude_latitude_member: longitude:double \
             latitude:double member)...",
        )
        .complexity("O(log(N)) a member, N members in the set")
        .summary("Adds members with their positions, or moves them"),
    command("geodist", -4)
        .since("3.2.0")
        .flags("readonly")
        .acl("geo")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 member1 member2 [unit: M | KM | FT | MI]")
        .complexity("O(1)")
        .summary("Computes how far two members are apart"),
    command("geohash", -2)
        .since("3.2.0")
        .flags("readonly")
        .acl("geo")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 member...")
        .complexity("O(1) a member")
        .summary("Gives positions as geohash texts"),
    command("geopos", -2)
        .since("3.2.0")
        .flags("readonly")
        .acl("geo")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 member...")
        .complexity("O(1) a member")
        .summary("Gives positions as longitude and latitude"),
    command("georadius", -6)
        .since("3.2.0")
        .flags("write denyoom")
        .acl("geo")
        .keys(&[
            key(1, "RO access"),
            after("STORE", 6, 0, 0, "OW update"),
            after("STOREDIST", 6, 0, 0, "OW update"),
        ])
        .syntax(
            "key@0 longitude:double latitude:double radius:double (unit: M | KM | FT | MI) \
             [WITHCOORD] [WITHDIST] [WITHHASH] [count: COUNT count:int [ANY]] [order: ASC | DESC] \
             [STORE key@1] [STOREDIST key@2]",
        )
        .complexity("O(N+log(M)), N members near the circle, M in the set")
        .summary("Finds the members around a point, and can store them")
        .deprecated("6.2.0", "GEOSEARCH, GEOSEARCHSTORE ... BYRADIUS"),
    command("georadius_ro", -6)
        .since("3.2.10")
        .flags("readonly")
        .acl("geo")
        .keys(&[key(1, "RO access")])
        .syntax(
            "key@0 longitude:double latitude:double radius:double (unit: M | KM | FT | MI) \
             [WITHCOORD] [WITHDIST] [WITHHASH] [count: COUNT count:int [ANY]] [order: ASC | DESC]",
        )
        .complexity("O(N+log(M)), N members near the circle, M in the set")
        .summary("Finds the members around a point")
        .deprecated("6.2.0", "GEOSEARCH ... BYRADIUS"),
    command("georadiusbymember", -5)
        .since("3.2.0")
        .flags("write denyoom")
        .acl("geo")
        .keys(&[
            key(1, "RO access"),
            after("STORE", 5, 0, 0, "OW update"),
            after("STOREDIST", 5, 0, 0, "OW update"),
        ])
        .syntax(
            "key@0 member radius:double (unit: M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] \
             [count: COUNT count:int [ANY]] [order: ASC | DESC] [STORE key@1] [STOREDIST key@2]",
        )
        .complexity("O(N+log(M)), N members near the circle, M in the set")
        .summary("Finds the members around another one, and can store them")
        .deprecated("6.2.0", "GEOSEARCH, GEOSEARCHSTORE ... FROMMEMBER BYRADIUS"),
    command("georadiusbymember_ro", -5)
        .since("3.2.10")
        .flags("readonly")
        .acl("geo")
        .keys(&[key(1, "RO access")])
        .syntax(
            "key@0 member radius:double (unit: M | KM | FT | MI) [WITHCOORD] [WITHDIST] [WITHHASH] \
             [count: COUNT count:int [ANY]] [order: ASC | DESC]",
        )
        .complexity("O(N+log(M)), N members near the circle, M in the set")
        .summary("Finds the members around another one")
        .deprecated("6.2.0", "GEOSEARCH ... FROMMEMBER BYRADIUS"),
    command("geosearch", -7)
        .since("6.2.0")
        .flags("readonly")
        .acl("geo")
        .keys(&[key(1, "RO access")])
        .syntax(
            "key@0 (from: FROMMEMBER member | FROMLONLAT (longitude_latitude: longitude:double \
             latitude:double)) (by: (circle: BYRADIUS radius:double (unit: M | KM | FT | MI)) | \
             (box: BYBOX width:double height:double (unit: M | KM | FT | MI))) [order: ASC | DESC] \
             [count: COUNT count:int [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]",
        )
        .complexity("O(N+log(M)), N members near the shape, M in the set")
        .summary("Finds the members inside a circle or a box"),
    command("geosearchstore", -8)
        .since("6.2.0")
        .flags("write denyoom")
        .acl("geo")
        .keys(&[key(1, "OW update"), key(2, "RO access")])
        .syntax(
            "destination@0 source@1 (from: FROMMEMBER member | FROMLONLAT (longitude_latitude: \
             longitude:double latitude:double)) (by: (circle: BYRADIUS radius:double (unit: M | KM | \
             FT | MI)) | (box: BYBOX width:double height:double (unit: M | KM | FT | MI))) [order: \
             ASC | DESC] [count: COUNT count:int [ANY]] [STOREDIST]",
        )
        .complexity("O(N+log(M)), N members near the shape, M in the set")
        .summary("Finds the members inside a circle or a box and stores them"),
];
