//! Strings as arrays of bits.

use crate::command::keys::{key, range};
use crate::command::spec::{CommandSpec, command};

pub(super) const ROWS: &[CommandSpec] = &[
    command("bitcount", -2)
        .since("2.6.0")
        .flags("readonly")
        .acl("bitmap")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 [index: start:int end:int [index_unit: BYTE | BIT]]")
        .complexity("O(N)")
        .summary("Counts the one bits of a string or of a part of it"),
    command("bitfield", -2)
        .since("3.2.0")
        .flags("write denyoom")
        .acl("bitmap")
        .keys(&[key(1, "RW access update variable_flags")])
        .syntax(
            "key@0 [operation: GET (encoding_offset: encoding offset:int) | (write: [OVERFLOW \
             (wrap_sat_fail: WRAP | SAT | FAIL)] (write_operation: SET (encoding_offset_value: \
             encoding offset:int value:int) | INCRBY (encoding_offset_increment: encoding offset:int \
             increment:int)))]...",
        )
        .complexity("O(1) an operation")
        .summary("Reads and changes integers of any width inside a string"),
    command("bitfield_ro", -2)
        .since("6.0.0")
        .flags("readonly fast")
        .acl("bitmap")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 [GET (encoding_offset: encoding offset:int)]...")
        .complexity("O(1) an operation")
        .summary("Reads integers of any width inside a string"),
    command("bitop", -4)
        .since("2.6.0")
        .flags("write denyoom")
        .acl("bitmap")
        .keys(&[key(2, "OW update"), range(3, -1, 1, "RO access")])
        .syntax("operation destkey@0 key@1...")
        .complexity("O(N)")
        .summary("Combines strings bit by bit into another key"),
    command("bitpos", -3)
        .since("2.8.7")
        .flags("readonly")
        .acl("bitmap")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 bit:int [index: start:int [end_index: end:int [index_unit: BYTE | BIT]]]")
        .complexity("O(N)")
        .summary("Finds the first bit that is 0, or 1"),
    command("getbit", 3)
        .since("2.2.0")
        .flags("readonly fast")
        .acl("bitmap")
        .keys(&[key(1, "RO access")])
        .syntax("key@0 offset:int")
        .complexity("O(1)")
        .summary("Gives one bit of a string"),
    command("setbit", 4)
        .since("2.2.0")
        .flags("write denyoom")
        .acl("bitmap")
        .keys(&[key(1, "RW access update")])
        .syntax("key@0 offset:int value:int")
        .complexity("O(1)")
        .summary("Sets one bit of a string and gives the one before"),
];
