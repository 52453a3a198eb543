//! Rows of the command table as replies: the ten fields of COMMAND INFO, the map of COMMAND DOCS.

use slotcore::command::syntax::{self, Argument};
use slotcore::command::{Begin, CommandSpec, Find, KeySpec};
use slotcore::resp::ReplyWriter;

use crate::command::dispatch::is_bound;

/// The subcommands that this node has.
fn subcommands(spec: &CommandSpec) -> Vec<&'static CommandSpec> {
    spec.subcommands().iter().filter(|spec| is_bound(spec)).collect()
}

/// An entry of COMMAND INFO.
pub fn write_info(out: &mut ReplyWriter<'_>, spec: &CommandSpec) {
    out.array(10);
    out.bulk(spec.full_name.as_bytes());
    out.integer(spec.arity.into());
    out.set(spec.flags.words().count());
    spec.flags.words().for_each(|word| out.simple(word));
    out.integer(spec.first_key.into());
    out.integer(spec.last_key.into());
    out.integer(spec.step.into());
    out.set(spec.acl.words().count());
    spec.acl.words().for_each(|word| out.simple(&format!("@{word}")));
    out.set(spec.tips.len());
    spec.tips.iter().for_each(|tip| out.bulk(tip.as_bytes()));
    out.set(spec.keys.len());
    spec.keys.iter().for_each(|keys| write_key_spec(out, keys));
    let subcommands = subcommands(spec);
    out.set(subcommands.len());
    subcommands.iter().for_each(|spec| write_info(out, spec));
}

fn write_key_spec(out: &mut ReplyWriter<'_>, keys: &KeySpec) {
    out.map(3);
    out.bulk(b"flags");
    out.set(keys.flags.words().count());
    keys.flags.words().for_each(|word| out.simple(word));
    out.bulk(b"begin_search");
    match keys.begin {
        Begin::Index(index) => write_search(out, "index", &[("index", index)]),
        Begin::Keyword { word, from } => {
            write_search_header(out, "keyword", 2);
            out.bulk(b"keyword");
            out.bulk(word.as_bytes());
            out.bulk(b"startfrom");
            out.integer(from.into());
        }
        Begin::Unknown => write_search(out, "unknown", &[]),
    }
    out.bulk(b"find_keys");
    match keys.find {
        Find::Range { last, step, limit } => {
            write_search(
                out,
                "range",
                &[("lastkey", last), ("keystep", step), ("limit", limit)],
            );
        }
        Find::Count { count, first, step } => {
            write_search(
                out,
                "keynum",
                &[("keynumidx", count), ("firstkey", first), ("keystep", step)],
            );
        }
        Find::Unknown => write_search(out, "unknown", &[]),
    }
}

fn write_search(out: &mut ReplyWriter<'_>, kind: &str, fields: &[(&str, i16)]) {
    write_search_header(out, kind, fields.len());
    for (name, value) in fields {
        out.bulk(name.as_bytes());
        out.integer((*value).into());
    }
}

fn write_search_header(out: &mut ReplyWriter<'_>, kind: &str, fields: usize) {
    out.map(2);
    out.bulk(b"type");
    out.bulk(kind.as_bytes());
    out.bulk(b"spec");
    out.map(fields);
}

/// The value of a command in COMMAND DOCS.
pub fn write_docs(out: &mut ReplyWriter<'_>, spec: &CommandSpec) {
    let arguments = syntax::parse(spec.syntax).expect("every row of the table is in the notation");
    let subcommands = subcommands(spec);
    let mut texts = vec![
        ("summary", spec.summary),
        ("since", spec.since),
        ("group", spec.group.name()),
    ];
    if !spec.complexity.is_empty() {
        texts.push(("complexity", spec.complexity));
    }
    let mut doc_flags = Vec::new();
    if spec.internal {
        doc_flags.push("syscmd");
    }
    let mut after_flags = Vec::new();
    if let Some(deprecated) = spec.deprecated {
        doc_flags.push("deprecated");
        after_flags.push(("deprecated_since", deprecated.since));
        after_flags.push(("replaced_by", deprecated.replaced_by));
    }
    let lists = [
        !doc_flags.is_empty(),
        !arguments.is_empty(),
        !subcommands.is_empty(),
    ];
    out.map(texts.len() + after_flags.len() + lists.into_iter().filter(|&there| there).count());
    write_texts(out, &texts);
    if !doc_flags.is_empty() {
        out.bulk(b"doc_flags");
        out.set(doc_flags.len());
        doc_flags.iter().for_each(|flag| out.simple(flag));
    }
    write_texts(out, &after_flags);
    if !arguments.is_empty() {
        out.bulk(b"arguments");
        write_arguments(out, &arguments);
    }
    if !subcommands.is_empty() {
        out.bulk(b"subcommands");
        out.map(subcommands.len());
        for spec in subcommands {
            out.bulk(spec.full_name.as_bytes());
            write_docs(out, spec);
        }
    }
}

fn write_texts(out: &mut ReplyWriter<'_>, texts: &[(&str, &str)]) {
    for (name, text) in texts {
        out.bulk(name.as_bytes());
        out.bulk(text.as_bytes());
    }
}

fn write_arguments(out: &mut ReplyWriter<'_>, arguments: &[Argument<'_>]) {
    out.array(arguments.len());
    arguments
        .iter()
        .for_each(|argument| write_argument(out, argument));
}

fn write_argument(out: &mut ReplyWriter<'_>, argument: &Argument<'_>) {
    let flags: Vec<_> = argument.flags().collect();
    let extras = [
        argument.key_spec.is_some(),
        argument.token.is_some(),
        !flags.is_empty(),
        !argument.arguments.is_empty(),
    ];
    out.map(2 + extras.into_iter().filter(|&there| there).count());
    write_texts(out, &[("name", &argument.name), ("type", argument.kind.name())]);
    if let Some(spec) = argument.key_spec {
        out.bulk(b"key_spec_index");
        out.integer(spec.into());
    }
    if let Some(token) = argument.token {
        write_texts(out, &[("token", token)]);
    }
    if !flags.is_empty() {
        out.bulk(b"flags");
        out.set(flags.len());
        flags.iter().for_each(|flag| out.simple(flag));
    }
    if !argument.arguments.is_empty() {
        out.bulk(b"arguments");
        write_arguments(out, &argument.arguments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slotcore::command::{all_with_subcommands, lookup};
    use slotcore::resp::{Proto, Reply, ReplyLimits, parse_reply};

    fn written(proto: Proto, write: impl FnOnce(&mut ReplyWriter<'_>)) -> Reply {
        let mut out = Vec::new();
        write(&mut ReplyWriter::new(&mut out, proto));
        let (reply, consumed) = parse_reply(&out, &ReplyLimits::default())
            .expect("well-formed")
            .expect("complete");
        assert_eq!(consumed, out.len(), "lengths do not fit what follows");
        reply
    }

    fn field<'a>(reply: &'a Reply, name: &str) -> Option<&'a Reply> {
        let Reply::Map(pairs) = reply else {
            panic!("no map: {reply:?}")
        };
        pairs
            .iter()
            .find(|(key, _)| key.as_str() == Some(name))
            .map(|(_, value)| value)
    }

    #[test]
    fn every_command_is_one_reply_in_either_protocol() {
        for spec in all_with_subcommands() {
            for proto in [Proto::Resp2, Proto::Resp3] {
                let info = written(proto, |out| write_info(out, spec));
                assert_eq!(info.as_array().map(<[_]>::len), Some(10), "{}", spec.full_name);
                let docs = written(proto, |out| write_docs(out, spec));
                assert!(docs.pairs().is_some(), "{}", spec.full_name);
            }
        }
    }

    #[test]
    fn documentation_nests_arguments() {
        let docs = written(Proto::Resp3, |out| {
            write_docs(out, lookup(b"getset").expect("known"))
        });
        let text = |name| field(&docs, name).and_then(Reply::as_str);
        assert_eq!(
            (text("since"), text("deprecated_since")),
            (Some("1.0.0"), Some("6.2.0"))
        );
        assert_eq!(
            field(&docs, "doc_flags"),
            Some(&Reply::Set(vec![Reply::Simple(b"deprecated".to_vec())]))
        );
        let docs = written(Proto::Resp3, |out| {
            write_docs(out, lookup(b"set").expect("known"))
        });
        let arguments = field(&docs, "arguments")
            .and_then(Reply::as_array)
            .expect("a list");
        let key = &arguments[0];
        assert_eq!(field(key, "key_spec_index"), Some(&Reply::Integer(0)));
        let condition = &arguments[2];
        assert_eq!(field(condition, "type").and_then(Reply::as_str), Some("oneof"));
        assert_eq!(
            field(condition, "flags"),
            Some(&Reply::Set(vec![Reply::Simple(b"optional".to_vec())]))
        );
        let choices = field(condition, "arguments")
            .and_then(Reply::as_array)
            .expect("a list");
        assert_eq!(field(&choices[0], "token").and_then(Reply::as_str), Some("NX"));
    }
}
