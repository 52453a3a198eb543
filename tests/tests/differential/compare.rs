//! What of a reply must be the same.

use slotcore::resp::{Reply, ReplyLimits, parse_reply};

/// A later instant than this is one of now, unix time in milliseconds.
const LONG_AGO_MS: i64 = 1_500_000_000_000;

const REFUSALS: [&[u8]; 2] = [
    b"ERR Elements are too large to be stored",
    b"ERR The ID specified in XADD is equal or smaller than the target stream top item",
];

/// What the order of the elements of a reply means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// The very bytes must be the same.
    AsSent,
    /// Elements come in any order, so many belonging together.
    Unordered { group: usize },
    /// A cursor, and elements in any order.
    Scan { group: usize },
    /// Elements are drawn at random: only their type and number must be the same.
    Drawn,
    /// A long time that is running out: it is asked for a little later of one than of the other.
    About,
    /// Why an entry was refused: where the ID's sequence would go past its end, stock says what a command before it had
    /// left behind as the reason.
    EntryRefused,
    /// Times are in it, of clocks that are a little apart: when something was, or how long it is since then.
    Times,
}

/// The reply to a command, without what may differ.
pub fn canonical(reply: &[u8], order: Order) -> String {
    if order == Order::AsSent {
        return reply.escape_ascii().to_string();
    }
    let (reply, _) = parse_reply(reply, &ReplyLimits::default())
        .expect("a well-formed reply")
        .expect("a whole reply");
    shown(&reply, order)
}

/// The reply to EXEC, for the commands that were queued.
pub fn canonical_exec(reply: &[u8], orders: &[Order]) -> String {
    let parsed = parse_reply(reply, &ReplyLimits::default()).expect("a well-formed reply");
    match parsed {
        Some((Reply::Array(replies), _)) if replies.len() == orders.len() => replies
            .iter()
            .zip(orders)
            .map(|(reply, order)| shown(reply, *order) + "; ")
            .collect(),
        _ => reply.escape_ascii().to_string(),
    }
}

fn shown(reply: &Reply, order: Order) -> String {
    match (order, reply) {
        (Order::Unordered { group }, Reply::Array(elements)) => format!("array {}", sorted(elements, group)),
        (Order::Unordered { group }, Reply::Set(elements)) => format!("set {}", sorted(elements, group)),
        (Order::Unordered { .. }, Reply::Map(pairs)) => {
            let mut pairs: Vec<String> = pairs.iter().map(|pair| format!("{pair:?}")).collect();
            pairs.sort();
            format!("map {pairs:?}")
        }
        (Order::Scan { group }, Reply::Array(parts)) => match &parts[..] {
            [cursor, Reply::Array(elements)] => format!("{cursor:?} {}", sorted(elements, group)),
            _ => format!("{parts:?}"),
        },
        (Order::Drawn, Reply::Array(elements)) => {
            let kinds: Vec<String> = elements
                .iter()
                .map(|element| shown(element, Order::Drawn))
                .collect();
            format!("array {kinds:?}")
        }
        (Order::Times, Reply::Integer(time)) if *time > LONG_AGO_MS => "a time".into(),
        // A pending entry: its ID, its consumer, milliseconds since it was delivered, how often it was.
        (Order::Times, Reply::Array(parts)) => match &parts[..] {
            [
                id @ Reply::Bulk(_),
                consumer @ Reply::Bulk(_),
                Reply::Integer(_),
                count @ Reply::Integer(_),
            ] => {
                format!("{id:?} {consumer:?} {count:?}")
            }
            _ => format!("{:?}", without_idle(parts)),
        },
        (Order::Times, Reply::Map(pairs)) => {
            let parts: Vec<Reply> = pairs
                .iter()
                .flat_map(|(name, value)| [name.clone(), value.clone()])
                .collect();
            format!("map {:?}", without_idle(&parts))
        }
        (Order::About, Reply::Integer(time)) if *time > 100 => format!("about {}", (time + 50) / 100),
        (Order::EntryRefused, Reply::Error(text)) if REFUSALS.contains(&&text[..]) => "refused".into(),
        (Order::Drawn, Reply::Bulk(_)) => "bulk".into(),
        (Order::Drawn, Reply::Double(_)) => "double".into(),
        _ => format!("{reply:?}"),
    }
}

/// Names and values, or any elements, without the value that follows `idle`.
fn without_idle(parts: &[Reply]) -> Vec<String> {
    let idle = Reply::Bulk(b"idle".to_vec());
    let is_told = |at: usize| at == 0 || parts[at - 1] != idle;
    let told = (0..parts.len()).filter(|at| is_told(*at));
    told.map(|at| shown(&parts[at], Order::Times)).collect()
}

/// Elements in groups, the groups in the order of their texts. Elements that are arrays are groups already.
fn sorted(elements: &[Reply], group: usize) -> String {
    let grouped = elements.iter().any(|element| matches!(element, Reply::Array(_)));
    let mut groups: Vec<String> = elements
        .chunks(if grouped { 1 } else { group })
        .map(|group| format!("{group:?}"))
        .collect();
    groups.sort();
    groups.concat()
}
