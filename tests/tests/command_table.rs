//! The command table against stock redis-server 7.0: every fact of every command, and where the keys of requests are.

use std::collections::{BTreeMap, BTreeSet};

use e2e::{Client, Server};
use slotcore::command::syntax::{self, Argument};
use slotcore::command::{
    Begin, CommandFlags, CommandSpec, Find, KeyError, KeySpec, KeyUse, all, all_with_subcommands, arity_ok,
    key_positions, key_uses, lookup_request,
};
use slotcore::resp::{ArgRange, Args, Reply};

/// What our table has beyond 7.0, from later versions.
const ADDITIONS: &[&str] = &["client|setinfo", "cluster|slot-stats"];

const NODE: &str = env!("CARGO_BIN_EXE_e2e-slotmark-server");

/// Stock of the version that the table describes; none if the test is to be skipped.
fn stock() -> Option<Server> {
    let server = Server::stock(&[])?;
    let info = server.client().cmd(&["INFO", "server"]);
    let version = info
        .as_str()
        .and_then(|info| info.split("redis_version:").nth(1))
        .unwrap_or("?")
        .to_owned();
    if !version.starts_with("7.0.") {
        e2e::skip(&format!(
            "the table is that of 7.0, and redis-server is {:.10}",
            version.escape_debug()
        ));
        return None;
    }
    Some(server)
}

fn text(reply: &Reply) -> &str {
    reply.as_str().unwrap_or_else(|| panic!("no text: {reply:?}"))
}

fn texts(reply: &Reply) -> BTreeSet<&str> {
    list(reply).iter().map(text).collect()
}

fn list(reply: &Reply) -> &[Reply] {
    reply.as_array().unwrap_or_else(|| panic!("no list: {reply:?}"))
}

/// The pairs of a map by key.
fn map(reply: &Reply) -> BTreeMap<&str, &Reply> {
    let pairs = reply.pairs().unwrap_or_else(|| panic!("no map: {reply:?}"));
    pairs.into_iter().map(|(key, value)| (text(key), value)).collect()
}

/// Entries of COMMAND by full name, subcommands too.
fn flatten<'a>(entries: &'a [Reply], out: &mut BTreeMap<&'a str, &'a [Reply]>) {
    for entry in entries {
        let entry = list(entry);
        out.insert(text(&entry[0]), entry);
        flatten(list(&entry[9]), out);
    }
}

/// A key specification as stock prints it, in one line.
fn shown_spec(reply: &Reply) -> String {
    let spec = map(reply);
    let part = |name: &str| {
        let part = map(spec[name]);
        let fields = map(part["spec"]).into_iter().map(|(key, value)| match value {
            Reply::Integer(number) => format!(" {key}={number}"),
            other => format!(" {key}={}", text(other)),
        });
        format!("{}{}", text(part["type"]), fields.collect::<String>())
    };
    format!(
        "{:?} {} -> {}",
        texts(spec["flags"]),
        part("begin_search"),
        part("find_keys")
    )
}

/// Ours in the same form.
fn our_spec(spec: &KeySpec) -> String {
    let begin = match spec.begin {
        Begin::Index(index) => format!("index index={index}"),
        Begin::Keyword { word, from } => format!("keyword keyword={word} startfrom={from}"),
        Begin::Unknown => "unknown".to_owned(),
    };
    let find = match spec.find {
        Find::Range { last, step, limit } => format!("range keystep={step} lastkey={last} limit={limit}"),
        Find::Count { count, first, step } => {
            format!("keynum firstkey={first} keynumidx={count} keystep={step}")
        }
        Find::Unknown => "unknown".to_owned(),
    };
    format!(
        "{:?} {begin} -> {find}",
        spec.flags.words().collect::<BTreeSet<_>>()
    )
}

#[test]
fn every_command_is_that_of_stock() {
    let Some(server) = stock() else { return };
    let mut client = server.client();
    client.cmd(&["HELLO", "3"]);
    let reply = client.cmd(&["COMMAND"]);
    let mut stock = BTreeMap::new();
    flatten(list(&reply), &mut stock);

    let ours: BTreeMap<&str, &CommandSpec> = all_with_subcommands()
        .map(|spec| (spec.full_name, spec))
        .collect();
    let missing: Vec<_> = stock.keys().filter(|name| !ours.contains_key(*name)).collect();
    assert!(missing.is_empty(), "not in our table: {missing:?}");
    let added: Vec<_> = ours.keys().filter(|name| !stock.contains_key(*name)).collect();
    assert_eq!(added, ADDITIONS.iter().collect::<Vec<_>>());

    let mut differences = Vec::new();
    for (name, entry) in stock {
        let spec = ours[name];
        let ours = format!(
            "arity {} flags {:?} keys {} {} {} acl {:?} tips {:?} specs {:?}",
            spec.arity,
            spec.flags.words().collect::<BTreeSet<_>>(),
            spec.first_key,
            spec.last_key,
            spec.step,
            spec.acl
                .words()
                .map(|word| format!("@{word}"))
                .collect::<BTreeSet<_>>(),
            spec.tips.iter().collect::<BTreeSet<_>>(),
            spec.keys.iter().map(our_spec).collect::<Vec<_>>(),
        );
        let number = |at: usize| entry[at].as_integer().expect("a number");
        let stocks = format!(
            "arity {} flags {:?} keys {} {} {} acl {:?} tips {:?} specs {:?}",
            number(1),
            texts(&entry[2]),
            number(3),
            number(4),
            number(5),
            texts(&entry[6]),
            texts(&entry[7]),
            list(&entry[8]).iter().map(shown_spec).collect::<Vec<_>>(),
        );
        if ours != stocks {
            differences.push(format!("{name}\n  ours  {ours}\n  stock {stocks}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// An argument of COMMAND DOCS in one line.
fn shown_argument(reply: &Reply) -> String {
    let fields = map(reply);
    let mut line = format!("{}:{}", text(fields["name"]), text(fields["type"]));
    if let Some(token) = fields.get("token") {
        line += &format!(" token={:?}", text(token));
    }
    if let Some(spec) = fields.get("key_spec_index") {
        line += &format!(" spec={}", spec.as_integer().expect("a number"));
    }
    if let Some(flags) = fields.get("flags") {
        line += &format!(" {:?}", texts(flags));
    }
    if let Some(parts) = fields.get("arguments") {
        line += &format!(
            " {:?}",
            list(parts).iter().map(shown_argument).collect::<Vec<_>>()
        );
    }
    line
}

/// Ours in the same form.
fn our_argument(argument: &Argument<'_>) -> String {
    let mut line = format!("{}:{}", argument.name, argument.kind.name());
    if let Some(token) = argument.token {
        line += &format!(" token={token:?}");
    }
    if let Some(spec) = argument.key_spec {
        line += &format!(" spec={spec}");
    }
    let flags = argument.flags().collect::<BTreeSet<_>>();
    if !flags.is_empty() {
        line += &format!(" {flags:?}");
    }
    if !argument.arguments.is_empty() {
        line += &format!(
            " {:?}",
            argument.arguments.iter().map(our_argument).collect::<Vec<_>>()
        );
    }
    line
}

#[test]
fn documentation_has_the_facts_of_stock_and_words_of_its_own() {
    let Some(server) = stock() else { return };
    let mut client = server.client();
    client.cmd(&["HELLO", "3"]);
    let reply = client.cmd(&["COMMAND", "DOCS"]);
    let mut docs: BTreeMap<&str, BTreeMap<&str, &Reply>> = BTreeMap::new();
    for (name, doc) in map(&reply) {
        let doc = map(doc);
        if let Some(subcommands) = doc.get("subcommands") {
            docs.extend(map(subcommands).into_iter().map(|(name, doc)| (name, map(doc))));
        }
        docs.insert(name, doc);
    }
    for spec in all_with_subcommands().filter(|spec| !ADDITIONS.contains(&spec.full_name)) {
        let name = spec.full_name;
        let doc = &docs[name];
        assert_eq!(spec.since, text(doc["since"]), "{name}");
        assert_eq!(spec.group.name(), text(doc["group"]), "{name}");
        let doc_flags = doc.get("doc_flags").map(|flags| texts(flags)).unwrap_or_default();
        assert_eq!(spec.internal, doc_flags.contains("syscmd"), "{name}");
        assert_eq!(
            spec.deprecated.is_some(),
            doc_flags.contains("deprecated"),
            "{name}"
        );
        assert_eq!(
            spec.deprecated.map(|old| old.since),
            doc.get("deprecated_since").map(|since| text(since)),
            "{name}"
        );
        let bare = |summary: &str| summary.trim_end_matches('.').to_ascii_lowercase();
        assert_ne!(bare(spec.summary), bare(text(doc["summary"])), "{name}");

        let ours: Vec<_> = syntax::parse(spec.syntax)
            .expect(name)
            .iter()
            .map(our_argument)
            .collect();
        let stocks: Vec<_> = match doc.get("arguments") {
            Some(arguments) => list(arguments).iter().map(shown_argument).collect(),
            None => Vec::new(),
        };
        assert_eq!(ours, stocks, "{name}");
    }
}

/// Requests with keys in all kinds of places, and some that do not fit their command. `''` is an empty argument.
/// Not among them are requests for which stock's GETKEYS and stock's routing disagree, such as an XREAD with more streams
/// than IDs or a GEORADIUS with both STORE and STOREDIST: we follow the routing.
const REQUESTS: &str = "
get k|set k v|set k v get|set k v ex 10 get|set get get|mget a b c|mset a 1 b 2|msetnx a 1 b|del a b|rename a b
copy a b db 1|bitop and d a b|bitfield k get u8 0|bitfield k set u8 0 1|bitfield k overflow sat incrby u8 0 1
bitfield k get u8|bitfield_ro k get u8 0|getex k persist|lcs a b len|append k v|object encoding k|object freq k
memory usage k|memory usage k samples 5|xgroup create s g $ mkstream|xgroup destroy s g|xinfo stream s full
xinfo consumers s g|debug object k|watch a b|touch a|unlink a b c|wait 0 1|ping x|echo k|config get k|client list
blpop a b 0|brpop a 0|blmove a b left right 0|brpoplpush a b 0|lmove a b left right|smove a b m|sinterstore d a b
sdiff a b|sunionstore d a|pfcount a b|pfmerge d a b|pfadd a|geoadd k 1 2 m|geosearch k frommember m byradius 1 m asc
geosearchstore d s frommember m byradius 1 m|zrangestore d s 0 -1|zadd k 1 a|bzpopmin a b 0|hset k f v|sort_ro k by w
zunionstore d 2 a b|zunionstore d 2 a b weights 1 2|zinterstore d 1 a|zdiffstore d 1 a|zunionstore d 0 a
zunionstore d 3 a b|zunionstore d x a|zunionstore d -1 a|zunion 2 a b withscores|zinter 1 a|zdiff 2 a b|zintercard 1 a
zunion 3 a b|zunion 18446744073709551617 a|sintercard 2 a b limit 1|sintercard 3 a b|lmpop 2 a b left|lmpop 0 a left
lmpop 1 a left count 2|blmpop 0 2 a b right|zmpop 1 a min|bzmpop 0 2 a b max count 3|bzmpop 0 3 a b max
eval s 0|eval s 0 a|eval s 2 a b c|eval s 3 a b|eval s x a|eval s -1 a|evalsha s 1 a|eval_ro s 1 a|evalsha_ro s 0
fcall f 0|fcall f 1 a b|fcall_ro f 2 a b|xread streams a 0|xread streams a b 0 0|xread count 2 streams a b 0 0
xread block 0 count 2 streams a $|xread count 1 block 2|xreadgroup group g c streams a >
xreadgroup group g c count 1 block 0 noack streams a b > >|xreadgroup group streams c streams a >
sort k|sort k by w_* get #|sort k limit 0 5 asc alpha store d|sort k store d store e|sort k get store
sort k by nosort store d|georadius k 1 2 3 m|georadius k 1 2 3 m store d|georadius k 1 2 3 m count 2 storedist d
georadius k 1 2 3 m withdist|georadius_ro k 1 2 3 m|georadiusbymember k m 1 km
georadiusbymember k m 1 km store d|georadiusbymember k m 1 km asc storedist d|georadiusbymember_ro k m 1 km
migrate h 1 k 0 10|migrate h 1 k 0 10 copy replace|migrate h 1 '' 0 10 keys a|migrate h 1 '' 0 10 keys a b c
migrate h 1 '' 0 10 copy auth p keys a b|migrate h 1 '' 0 10 auth2 u p replace keys a|migrate h 1 '' 0 10 auth keys keys a
migrate h 1 k 0 10 keys a|migrate h 1 k 0 10 keys|migrate h 1 '' 0 10 keys|migrate h 1 '' 0 10 keys a keys
publish c m|spublish c m|subscribe c|ssubscribe c|sunsubscribe c|pubsub numsub c|cluster keyslot k
cluster getkeysinslot 1 1|restore k 0 v|restore-asking k 0 v|dump k|pexpireat k 1|scan 0|sscan k 0|randomkey x
";

#[test]
fn keys_are_where_stock_finds_them() {
    let Some(server) = stock() else { return };
    let mut client = server.client();
    client.cmd(&["HELLO", "3"]);
    let mut compared = 0;
    let mut differences = Vec::new();
    for request in REQUESTS.split(['|', '\n']).filter(|request| !request.is_empty()) {
        let words: Vec<&str> = request
            .split(' ')
            .map(|word| if word == "''" { "" } else { word })
            .collect();
        let stocks = client.cmd(&[&["COMMAND", "GETKEYSANDFLAGS"][..], &words].concat());
        let (ours, stocks) = (our_keys(&words), stocks_keys(&stocks));
        if ours != stocks {
            differences.push(format!("{request}\n  ours  {ours:?}\n  stock {stocks:?}"));
        }
        compared += 1;
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(compared > 100);
    for spec in all().filter(|spec| spec.flags.contains(CommandFlags::MOVABLEKEYS)) {
        assert!(
            REQUESTS.contains(&format!("{} ", spec.name)),
            "no sample of {}",
            spec.name
        );
    }
}

type Keys = Result<Vec<(String, BTreeSet<String>)>, String>;

fn stocks_keys(reply: &Reply) -> Keys {
    if let Some(error) = reply.as_error() {
        return Err(String::from_utf8_lossy(error)
            .trim_start_matches("ERR ")
            .to_owned());
    }
    let key = |pair: &Reply| {
        let pair = list(pair);
        (
            text(&pair[0]).to_owned(),
            texts(&pair[1]).into_iter().map(str::to_owned).collect(),
        )
    };
    Ok(list(reply).iter().map(key).collect())
}

/// What the table says, in the order of checks of COMMAND GETKEYSANDFLAGS.
fn our_keys(words: &[&str]) -> Keys {
    let mut buf = Vec::new();
    let mut ranges = Vec::new();
    for word in words {
        let start = buf.len() as u32;
        buf.extend_from_slice(word.as_bytes());
        ranges.push(ArgRange {
            start,
            end: buf.len() as u32,
        });
    }
    let args = Args::new(&buf, &ranges);
    let spec = lookup_request(&args).map_err(|_| "Invalid command specified".to_owned())?;
    let mut uses = Vec::new();
    let found = key_uses(spec, &args, &mut uses);
    if found == Err(KeyError::NoKeys) {
        return Err(KeyError::NoKeys.to_string());
    }
    if !arity_ok(spec, words.len()) {
        return Err("Invalid number of arguments specified for command".to_owned());
    }
    found.map_err(|error| error.to_string())?;
    let mut positions = Vec::new();
    if key_positions(spec, &args, &mut positions).is_ok() {
        let indexes: Vec<u32> = uses.iter().map(|key| key.index).collect();
        assert_eq!(positions, indexes, "{words:?}");
    }
    let key = |key: &KeyUse| {
        (
            words[key.index as usize].to_owned(),
            key.flags.words().map(str::to_owned).collect(),
        )
    };
    Ok(uses.iter().map(key).collect())
}

/// A reply without its order and without stock's notes, to compare what has no order: flags, categories, fields.
fn unordered(reply: &Reply) -> String {
    let join = |kind: &str, mut parts: Vec<String>| {
        parts.sort();
        format!("{kind}({})", parts.join(", "))
    };
    match reply {
        Reply::Map(pairs) => {
            let kept = pairs.iter().filter(|(key, _)| key.as_str() != Some("notes"));
            join(
                "map",
                kept.map(|(key, value)| format!("{} = {}", unordered(key), unordered(value)))
                    .collect(),
            )
        }
        Reply::Set(elements) => join("set", elements.iter().map(unordered).collect()),
        Reply::Array(elements) => {
            // A map of RESP2.
            let noted = elements.first().and_then(Reply::as_str) == Some("notes");
            join(
                "array",
                elements[if noted { 2 } else { 0 }..]
                    .iter()
                    .map(unordered)
                    .collect(),
            )
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn our_node_answers_command_as_stock_does() {
    let Some(stock) = stock() else { return };
    let node = Server::slotmark(NODE, &[]);
    for protocol in ["2", "3"] {
        let (mut ours, mut stocks) = (node.client(), stock.client());
        for client in [&mut ours, &mut stocks] {
            let hello = client.cmd(&["HELLO", protocol]);
            assert!(hello.as_error().is_none(), "{hello:?}");
        }
        compare_answers(ours, stocks);
    }
}

fn compare_answers(mut ours: Client, mut stocks: Client) {
    let names = ours.cmd(&["COMMAND", "LIST"]);
    let names: Vec<&str> = list(&names).iter().map(text).collect();
    assert!(names.contains(&"command|docs"), "{names:?}");
    let top_level = names.iter().filter(|name| !name.contains('|')).count();
    assert_eq!(ours.cmd(&["COMMAND", "COUNT"]), Reply::Integer(top_level as i64));
    assert_eq!(list(&ours.cmd(&["COMMAND"])).len(), top_level);
    let documented = ours.cmd(&["COMMAND", "DOCS"]);
    assert_eq!(documented.pairs().map(|pairs| pairs.len()), Some(top_level));

    for name in names.iter().filter(|name| !ADDITIONS.contains(name)) {
        // Which subcommands there are may differ; each is compared by its own name.
        let entry = |reply: Reply| {
            let Reply::Array(entries) = reply else {
                panic!("{reply:?}")
            };
            list(&entries[0])[..9].iter().map(unordered).collect::<Vec<_>>()
        };
        let asked = ["COMMAND", "INFO", name];
        assert_eq!(entry(ours.cmd(&asked)), entry(stocks.cmd(&asked)), "{name}");
    }
    for request in REQUESTS.split(['|', '\n']).filter(|request| !request.is_empty()) {
        let words: Vec<&str> = request
            .split(' ')
            .map(|word| if word == "''" { "" } else { word })
            .collect();
        for subcommand in ["GETKEYS", "GETKEYSANDFLAGS"] {
            let asked = [&["COMMAND", subcommand][..], &words].concat();
            assert_eq!(
                unordered(&ours.cmd(&asked)),
                unordered(&stocks.cmd(&asked)),
                "{asked:?}"
            );
        }
    }
    for asked in [
        &["COMMAND", "LIST", "FILTERBY", "COLOUR", "x"][..],
        &["COMMAND", "LIST", "FILTERBY", "PATTERN"],
        &["COMMAND", "LIST", "x"],
        &["COMMAND", "LIST", "FILTERBY", "MODULE", "json"],
        &["COMMAND", "LIST", "FILTERBY", "ACLCAT", "colour"],
        &["COMMAND", "LIST", "FILTERBY", "PATTERN", "colour*"],
        &["COMMAND", "LIST", "FILTERBY", "PATTERN", "ECH[xO]"],
        &["COMMAND", "DOCS", "colour", "config|colour"],
        &["COMMAND", "INFO", "colour", "config|colour", "|"],
        &["COMMAND", "GETKEYS", "colour", "x"],
        &["COMMAND", "GETKEYS", "config", "colour"],
        &["COMMAND", "GETKEYS"],
        &["COMMAND", "GETKEYS", "mget"],
        &["COMMAND", "GETKEYS", "set", "k"],
        &["COMMAND", "COLOUR"],
        &["COMMAND", "COUNT", "x"],
    ] {
        assert_eq!(ours.cmd(asked), stocks.cmd(asked), "{asked:?}");
    }
}
