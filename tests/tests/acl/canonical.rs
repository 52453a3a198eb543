//! What of a reply must be the same.

use slotcore::resp::Reply;

/// Commands that stock does not have.
const OURS: [&str; 2] = ["client|setinfo", "cluster|slot-stats"];

/// A reply to `args`, without what may differ: the order of single commands among rules and in a category, ages, and
/// most of a client's line.
pub fn canonical(args: &[Vec<u8>], reply: &Reply) -> String {
    let is = |index: usize, word: &str| {
        args.get(index)
            .is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    };
    match reply {
        Reply::Array(names) if is(0, "acl") && is(1, "cat") => {
            let mut names: Vec<String> = names.iter().map(shown).collect();
            names.retain(|name| !OURS.iter().any(|ours| name.contains(ours)));
            names.sort();
            format!("{names:?}")
        }
        _ if is(0, "acl") && is(1, "genpass") && !matches!(reply, Reply::Error(_)) => {
            format!("{} digits", reply.as_bytes().map_or(0, <[u8]>::len))
        }
        _ if is(0, "hello") && !matches!(reply, Reply::Error(_)) => "hello".into(),
        _ => shown(reply),
    }
}

fn shown(reply: &Reply) -> String {
    match reply {
        Reply::Array(parts) => {
            let mut parts: Vec<String> = parts.iter().map(shown).collect();
            for place in 1..parts.len() {
                if parts[place - 1] == "age-seconds" {
                    parts[place] = "*".into();
                }
            }
            format!("[{}]", parts.join(", "))
        }
        Reply::Map(pairs) => {
            let each = pairs.iter().map(|(name, value)| match (shown(name), value) {
                (name, Reply::Double(_)) if name == "age-seconds" => name,
                (name, value) => format!("{name}: {}", shown(value)),
            });
            format!("{{{}}}", each.collect::<Vec<_>>().join(", "))
        }
        Reply::Bulk(text) if text.starts_with(b"id=") => client_line(&String::from_utf8_lossy(text)),
        Reply::Bulk(text) => rules(&text.escape_ascii().to_string()),
        Reply::Error(text) => format!("-{}", text.escape_ascii()),
        other => format!("{other:?}"),
    }
}

fn client_line(text: &str) -> String {
    let is_same = |field: &&str| {
        ["name=", "user=", "cmd=", "db="]
            .iter()
            .any(|name| field.starts_with(name))
    };
    let fields: Vec<&str> = text.split_whitespace().filter(is_same).collect();
    fields.join(" ")
}

/// Rules with each run of single commands sorted.
fn rules(text: &str) -> String {
    if !text.contains("@all") {
        return text.into();
    }
    let apart = text.replace('(', "( ").replace(')', " )");
    let is_single = |word: &str| word.starts_with(['+', '-']) && !word[1..].starts_with('@');
    let mut words: Vec<&str> = apart.split(' ').collect();
    words.retain(|word| !OURS.iter().any(|ours| word.ends_with(ours)));
    words
        .chunk_by_mut(|a, b| is_single(a) && is_single(b))
        .for_each(<[&str]>::sort_unstable);
    words.join(" ")
}
