//! LATENCY LATEST, HISTORY, RESET, HISTOGRAM, GRAPH, DOCTOR.

use crate::admin::latency;
use crate::admin::stats::Distribution;
use crate::command::call::{Binding, Call, Locks};
use crate::command::help::help;
use crate::command::reply_error::ErrorReply;
use crate::node::unix_ms;
use slotcore::command::{self, CommandSpec};

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("latency|latest", latest, Locks::None),
    ("latency|history", history, Locks::None),
    ("latency|reset", reset, Locks::None),
    ("latency|histogram", histogram, Locks::None),
    ("latency|graph", graph, Locks::None),
    ("latency|doctor", doctor, Locks::None),
    ("latency|help", help, Locks::None),
];

fn latest(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let events = call.node.latency.latest();
    call.out.array(events.len());
    for event in events {
        call.out.array(4);
        call.out.bulk(event.event.as_bytes());
        call.out.integer(event.last.time_s as i64);
        call.out.integer(event.last.latency_ms as i64);
        call.out.integer(event.max_ms as i64);
    }
    Ok(())
}

fn history(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let samples = call.node.latency.history(call.args.at(2));
    call.out.array(samples.len());
    for sample in samples {
        call.out.array(2);
        call.out.integer(sample.time_s as i64);
        call.out.integer(sample.latency_ms as i64);
    }
    Ok(())
}

fn graph(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let name = call.args.at(2);
    let monitor = &call.node.latency;
    let event = monitor
        .latest()
        .into_iter()
        .find(|event| event.event.as_bytes() == name);
    let Some(event) = event else {
        let text = [b"ERR No samples available for event '", name, b"'"];
        return Err(ErrorReply::from_bytes(text.concat()));
    };
    let text = latency::graph(
        event.event,
        &monitor.history(name),
        event.max_ms,
        unix_ms() / 1000,
    );
    call.out.verbatim(text.as_bytes());
    Ok(())
}

fn doctor(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let text = latency::report(&call.node.latency, &call.node.config.load(), unix_ms() / 1000);
    call.out.verbatim(text.as_bytes());
    Ok(())
}

fn reset(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let named: Vec<_> = call.args.from(2).iter().collect();
    let forgotten = call.node.latency.reset(named.into_iter());
    call.out.integer(forgotten as i64);
    Ok(())
}

fn histogram(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let wanted: Vec<&'static CommandSpec> = if call.args.len() == 2 {
        command::all_with_subcommands().collect()
    } else {
        call.args.from(2).iter().flat_map(named).collect()
    };
    let found: Vec<(&CommandSpec, Distribution)> = wanted
        .into_iter()
        .map(|spec| (spec, call.node.stats.latency(spec.id)))
        .filter(|(_, latencies)| latencies.total() > 0)
        .collect();
    call.out.map(found.len());
    for (spec, latencies) in found {
        let steps = latencies.steps();
        call.out.bulk(spec.full_name.as_bytes());
        call.out.map(2);
        call.out.bulk(b"calls");
        call.out.integer(latencies.total() as i64);
        call.out.bulk(b"histogram_usec");
        call.out.map(steps.len());
        for (usec, count) in steps {
            call.out.integer(usec as i64);
            call.out.integer(count as i64);
        }
    }
    Ok(())
}

/// The command `get`, the subcommand `config|get`, or all subcommands of `config`. Unknown names mean none.
fn named(name: &[u8]) -> Vec<&'static CommandSpec> {
    if let Some(bar) = name.iter().position(|b| *b == b'|') {
        let container = command::lookup(&name[..bar]);
        let sub = container.and_then(|container| command::lookup_subcommand(container, &name[bar + 1..]));
        return sub.into_iter().collect();
    }
    let Some(spec) = command::lookup(name) else {
        return Vec::new();
    };
    std::iter::once(spec).chain(spec.subcommands()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_commands() {
        let names = |name: &str| {
            named(name.as_bytes())
                .iter()
                .map(|s| s.full_name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names("GET"), ["get"]);
        assert_eq!(names("config|GET"), ["config|get"]);
        assert!(names("config").contains(&"config|set"));
        assert_eq!(names("nope"), [""; 0]);
        assert_eq!(names("config|nope"), [""; 0]);
    }
}
