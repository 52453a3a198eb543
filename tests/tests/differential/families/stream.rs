//! Streams. No entry has an ID of the clock here.

use super::super::compare::Order;
use super::super::generator::{Args, Generator};
use super::Family;

pub const FAMILY: Family = Family {
    shapes: SHAPES,
    extend,
    order,
};

const SHAPES: &[&[&str]] = &[
    &["XADD", "<key>", "<new id>", "f", "<value>"],
    &["XADD", "<key>", "<new id>", "f", "1", "g", "2"],
    &["XADD", "<key>", "<new id>", "f", "<number>", "g", "<element>"],
    &["XADD", "<key>", "<new id>", "<element>", "<value>", "<element>", "<number>"],
    &["XADD", "<key>", "NOMKSTREAM", "<new id>", "f", "1"],
    &["XADD", "<key>", "MAXLEN", "<few>", "<new id>", "f", "1"],
    &["XADD", "<key>", "maxlen", "~", "<few>", "<new id>", "f", "1"],
    &["XADD", "<key>", "MINID", "=", "<id>", "<new id>", "f", "1"],
    &["XADD", "<key>", "MINID", "~", "<id>", "LIMIT", "<few>", "<new id>", "f", "1"],
    &["XADD", "<key>", "LIMIT", "<few>", "nomkstream", "<new id>", "f", "1"],
    &["XADD", "<key>", "<new id>", "f", "1"],
    &["XADD", "<key>", "<new id>", "f", "1"],
    &["XLEN", "<key>"],
    &["XRANGE", "<key>", "-", "+"],
    &["XRANGE", "<key>", "<id bound>", "<id bound>"],
    &["XRANGE", "<key>", "<id bound>", "+", "COUNT", "<few>"],
    &["XREVRANGE", "<key>", "+", "-"],
    &["XREVRANGE", "<key>", "<id bound>", "<id bound>", "COUNT", "<few>"],
    &["XDEL", "<key>", "<id>"],
    &["XDEL", "<key>", "<id>", "<id>", "<id>"],
    &["XTRIM", "<key>", "MAXLEN", "<few>"],
    &["XTRIM", "<key>", "MAXLEN", "~", "<few>", "LIMIT", "<few>"],
    &["XTRIM", "<key>", "MINID", "<id>"],
    &["XTRIM", "<key>", "MINID", "~", "<id>"],
    &["XTRIM", "<key>", "MAXLEN", "=", "<number>", "MINID", "<id>"],
    &["XTRIM", "<key>", "LIMIT", "<few>"],
    &["XSETID", "<key>", "<id>"],
    &["XSETID", "<key>", "<id>", "ENTRIESADDED", "<number>", "MAXDELETEDID", "<id>"],
    &["XREAD", "STREAMS", "<key>", "<id>"],
    &["XREAD", "COUNT", "<few>", "STREAMS", "<key>", "<key>", "<id>", "<id>"],
    &["XREAD", "BLOCK", "1", "STREAMS", "<key>", "$"],
    &["XREAD", "STREAMS", "<key>", ">"],
    &["XREAD", "NOACK", "STREAMS", "<key>", "0"],
    &["XGROUP", "CREATE", "<key>", "<group>", "<id>"],
    &["XGROUP", "CREATE", "<key>", "<group>", "0", "MKSTREAM"],
    &["XGROUP", "CREATE", "<key>", "g", "$", "ENTRIESREAD", "<number>"],
    &["XGROUP", "CREATE", "<key>", "<group>", "<id>", "MKSTREAM", "ENTRIESREAD", "<few>"],
    &["XGROUP", "SETID", "<key>", "<group>", "<id>"],
    &["XGROUP", "SETID", "<key>", "<group>", "$", "ENTRIESREAD", "<number>"],
    &["XGROUP", "DESTROY", "<key>", "<group>"],
    &["XGROUP", "CREATECONSUMER", "<key>", "<group>", "<consumer>"],
    &["XGROUP", "DELCONSUMER", "<key>", "<group>", "<consumer>"],
    &["XREADGROUP", "GROUP", "<group>", "<consumer>", "STREAMS", "<key>", ">"],
    &["XREADGROUP", "GROUP", "g", "<consumer>", "COUNT", "<few>", "STREAMS", "<key>", ">"],
    &["XREADGROUP", "GROUP", "g", "<consumer>", "NOACK", "STREAMS", "<key>", ">"],
    &["XREADGROUP", "GROUP", "g", "<consumer>", "STREAMS", "<key>", "<id>"],
    &["XREADGROUP", "GROUP", "g", "<consumer>", "COUNT", "2", "STREAMS", "<key>", "<key>", ">", "<id>"],
    &["XREADGROUP", "GROUP", "g", "alice", "BLOCK", "1", "STREAMS", "<key>", ">"],
    &["XACK", "<key>", "<group>", "<id>"],
    &["XACK", "<key>", "g", "<id>", "<id>", "<id>"],
    &["XPENDING", "<key>", "<group>"],
    &["XPENDING", "<key>", "g", "-", "+", "10"],
    &["XPENDING", "<key>", "g", "<id bound>", "<id bound>", "<few>", "<consumer>"],
    &["XPENDING", "<key>", "g", "IDLE", "<idle>", "-", "+", "10"],
    &["XCLAIM", "<key>", "<group>", "<consumer>", "<idle>", "<id>"],
    &["XCLAIM", "<key>", "g", "<consumer>", "<idle>", "<id>", "<id>", "<id>", "JUSTID"],
    &["XCLAIM", "<key>", "g", "<consumer>", "0", "<id>", "<id>", "FORCE", "IDLE", "5000000"],
    &["XCLAIM", "<key>", "g", "<consumer>", "0", "<id>", "RETRYCOUNT", "<number>", "TIME", "1000"],
    &["XCLAIM", "<key>", "g", "<consumer>", "0", "<id>", "FORCE", "LASTID", "<id>"],
    &["XAUTOCLAIM", "<key>", "<group>", "<consumer>", "<idle>", "<id bound>"],
    &["XAUTOCLAIM", "<key>", "g", "<consumer>", "0", "0", "COUNT", "<few>"],
    &["XAUTOCLAIM", "<key>", "g", "<consumer>", "<idle>", "<id>", "JUSTID"],
    &["XINFO", "STREAM", "<key>"],
    &["XINFO", "STREAM", "<key>", "FULL"],
    &["XINFO", "STREAM", "<key>", "FULL", "COUNT", "<few>"],
    &["XINFO", "GROUPS", "<key>"],
    &["XINFO", "CONSUMERS", "<key>", "<group>"],
    &["SORT", "<key>"],
    &["SCAN", "0", "COUNT", "1000", "TYPE", "stream"],
];

/// Keys and IDs are few: most commands of groups meet the group of one stream.
fn extend(generator: &mut Generator, args: &mut Args) {
    if args[0].starts_with(b"X") && generator.number_of(2) == 0 {
        for arg in args.iter_mut().skip(1) {
            if matches!(&arg[..], b"b" | b"c" | b"{t}1" | b"{t}2" | b"k\r\n") {
                *arg = b"a".to_vec();
            }
        }
    }
}

fn order(args: &Args) -> Order {
    match &args[0][..] {
        b"XPENDING" | b"XINFO" => Order::Times,
        _ => Order::AsSent,
    }
}
