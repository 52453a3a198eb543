//! MEMORY STATS.

use slotcore::resp::ReplyWriter;

use crate::admin::memory::MemoryFacts;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;

/// A field's value.
enum Figure {
    Bytes(u64),
    Signed(i64),
    Ratio(f64),
    /// The tables of the one database.
    Database(u64),
}

pub(super) fn stats(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let facts = MemoryFacts::gather(call.node, &call.node.config.load());
    let mut fields = fields(&facts);
    if call.node.cluster.is_some() {
        // There are links then, and they are not counted apart.
        fields.retain(|(name, _)| *name != "cluster.links");
    }
    call.out.map(fields.len());
    for (name, figure) in fields {
        call.out.bulk(name.as_bytes());
        write(&mut call.out, figure);
    }
    Ok(())
}

fn write(out: &mut ReplyWriter<'_>, figure: Figure) {
    match figure {
        Figure::Bytes(bytes) => out.integer(bytes as i64),
        Figure::Signed(bytes) => out.integer(bytes),
        Figure::Ratio(ratio) => out.double(ratio),
        Figure::Database(bytes) => {
            // The expiry is in the entry, and the slots are the tables.
            let parts = [("main", bytes), ("expires", 0), ("slot-to-keys", 0)];
            out.map(parts.len());
            for (part, bytes) in parts {
                out.bulk_display(format_args!("overhead.hashtable.{part}"));
                out.integer(bytes as i64);
            }
        }
    }
}

/// In stock's order.
fn fields(facts: &MemoryFacts) -> Vec<(&'static str, Figure)> {
    use Figure::{Bytes, Database, Ratio, Signed};
    let mut fields = vec![
        ("peak.allocated", Bytes(facts.peak)),
        ("total.allocated", Bytes(facts.used)),
        ("startup.allocated", Bytes(facts.startup)),
        (
            "replication.backlog",
            Bytes(facts.stream - facts.not_counted.min(facts.stream)),
        ),
        ("clients.slaves", Bytes(facts.replicas)),
        ("clients.normal", Bytes(facts.clients)),
        ("cluster.links", Bytes(0)),
        ("aof.buffer", Bytes(0)),
        ("lua.caches", Bytes(facts.scripts)),
        ("functions.caches", Bytes(facts.functions)),
    ];
    if facts.keys > 0 {
        fields.push(("db.0", Database(facts.tables)));
    }
    let per_key = facts.since_startup().checked_div(facts.keys).unwrap_or(0);
    let fragmentation = facts.fragmentation();
    let allocator = facts.allocator_fragmentation();
    let resident = facts.allocator_resident();
    let rss = facts.rss_overhead();
    fields.extend([
        ("overhead.total", Bytes(facts.overhead())),
        ("keys.count", Bytes(facts.keys)),
        ("keys.bytes-per-key", Bytes(per_key)),
        ("dataset.bytes", Bytes(facts.dataset())),
        ("dataset.percentage", Ratio(facts.dataset_percent())),
        ("peak.percentage", Ratio(facts.peak_percent())),
        ("allocator.allocated", Bytes(facts.used)),
        ("allocator.active", Bytes(facts.allocator.committed)),
        ("allocator.resident", Bytes(facts.allocator.resident)),
        ("allocator-fragmentation.ratio", Ratio(allocator.0)),
        ("allocator-fragmentation.bytes", Signed(allocator.1)),
        ("allocator-rss.ratio", Ratio(resident.0)),
        ("allocator-rss.bytes", Signed(resident.1)),
        ("rss-overhead.ratio", Ratio(rss.0)),
        ("rss-overhead.bytes", Signed(rss.1)),
        ("fragmentation", Ratio(fragmentation.0)),
        ("fragmentation.bytes", Signed(fragmentation.1)),
    ]);
    fields
}
