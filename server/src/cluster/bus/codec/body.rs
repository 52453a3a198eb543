//! What follows the header.
//!
//! | type | body |
//! |---|---|
//! | 0 PING, 1 PONG, 2 MEET | gossip of 104 bytes each {name[40], u32 ping, u32 pong, ip[46], u16 port, bus port, flags, port without TLS, 0}, then extensions {u32 length, u16 type, u16 0, data} padded to 8 |
//! | 3 FAIL | name[40] |
//! | 4 PUBLISH, 10 PUBLISHSHARD | u32 length of the channel, u32 of the message, both |
//! | 5 AUTH_REQUEST, 6 AUTH_ACK, 8 MFSTART | none |
//! | 7 UPDATE | u64 configuration epoch, name[40], slots[2048] |
//! | 9 MODULE | ignored |

use slotcore::SLOT_COUNT;
use slotcore::topology::{NodeFlags, NodeId};

use super::HEADER_LEN;
use super::error::{CodecError, Malformed};
use super::header::{self, Head, IP_LEN};
use crate::cluster::message::{Body, Gossip, Heartbeat, SlotBitmap};

const GOSSIP_LEN: usize = 104;
const EXTENSION_HEAD_LEN: usize = 8;
const HOSTNAME: u16 = 0;
/// Bytes of the longest hostname, as in stock.
const HOSTNAME_MAX: usize = 255;

/// How many entries of gossip are sent; the field for the number holds no more.
pub(super) fn gossip_count(body: &Body) -> u16 {
    match body {
        Body::Heartbeat { gossip, .. } => u16::try_from(gossip.len()).unwrap_or(u16::MAX),
        _ => 0,
    }
}

pub(super) fn extension_count(body: &Body) -> u16 {
    match body {
        Body::Heartbeat {
            hostname: Some(hostname),
            ..
        } => u16::from(is_hostname(hostname.as_bytes())),
        _ => 0,
    }
}

/// Takes `N` bytes off the front. `at` is where they are in the message, for the error.
fn take<'a, const N: usize>(rest: &mut &'a [u8], at: usize) -> Result<&'a [u8; N], CodecError> {
    let (first, after) = rest
        .split_first_chunk()
        .ok_or(CodecError::new(at, Malformed::Length))?;
    *rest = after;
    Ok(first)
}

fn name(bytes: &[u8], at: usize) -> Result<NodeId, CodecError> {
    NodeId::parse(bytes).map_err(|_| CodecError::new(at, Malformed::Name))
}

/// Reads what follows this header: all of `rest`, or it is malformed.
pub(super) fn read(head: &Head, mut rest: &[u8]) -> Result<Option<Body>, CodecError> {
    let total = HEADER_LEN + rest.len();
    let rest = &mut rest;
    let body = match header::kind(head) {
        0 => read_heartbeat(Heartbeat::Ping, head, rest)?,
        1 => read_heartbeat(Heartbeat::Pong, head, rest)?,
        2 => read_heartbeat(Heartbeat::Meet, head, rest)?,
        3 => Body::Fail(name(take::<{ NodeId::LEN }>(rest, HEADER_LEN)?, HEADER_LEN)?),
        4 => read_publish(false, rest)?,
        5 => Body::AuthRequest,
        6 => Body::AuthAck,
        7 => read_update(rest)?,
        8 => Body::ManualStart,
        10 => read_publish(true, rest)?,
        _ => return Ok(None),
    };
    match rest.is_empty() {
        true => Ok(Some(body)),
        false => Err(CodecError::new(total - rest.len(), Malformed::Length)),
    }
}

fn read_heartbeat(kind: Heartbeat, head: &Head, rest: &mut &[u8]) -> Result<Body, CodecError> {
    let count = header::gossip_count(head);
    let (entries, mut extensions) = rest
        .split_at_checked(count * GOSSIP_LEN)
        .ok_or(CodecError::new(HEADER_LEN, Malformed::Length))?;
    let gossip = entries.chunks_exact(GOSSIP_LEN).filter_map(read_gossip).collect();
    let mut hostname = None;
    let mut at = HEADER_LEN + entries.len();
    for _ in 0..header::extension_count(head) {
        let before = extensions.len();
        if let Some(text) = read_extension(&mut extensions, at)? {
            hostname = Some(text);
        }
        at += before - extensions.len();
    }
    *rest = extensions;
    Ok(Body::Heartbeat {
        kind,
        gossip,
        hostname,
    })
}

/// `None`: a node whose name is none. Such an entry tells nothing; the other ones do.
fn read_gossip(entry: &[u8]) -> Option<Gossip> {
    let (node, rest) = entry.split_first_chunk::<{ NodeId::LEN }>()?;
    let (ping, rest) = rest.split_first_chunk()?;
    let (pong, rest) = rest.split_first_chunk()?;
    let (ip, rest) = rest.split_first_chunk::<IP_LEN>()?;
    let (port, rest) = rest.split_first_chunk()?;
    let (bus_port, rest) = rest.split_first_chunk()?;
    let (flags, _) = rest.split_first_chunk()?;
    Some(Gossip {
        node: NodeId::parse(node).ok()?,
        ping_s: u32::from_be_bytes(*ping),
        pong_s: u32::from_be_bytes(*pong),
        // What is told of the node's health holds even if nobody could dial this address.
        ip: header::read_ip(ip).unwrap_or_default(),
        port: u16::from_be_bytes(*port),
        bus_port: u16::from_be_bytes(*bus_port),
        flags: NodeFlags::from_bits_truncate(u16::from_be_bytes(*flags)),
    })
}

/// Takes one extension off the front. `None`: it is not known, or it is a hostname that is none.
fn read_extension(rest: &mut &[u8], at: usize) -> Result<Option<String>, CodecError> {
    let wrong = CodecError::new(at, Malformed::Length);
    let [a, b, c, d, high, low, _, _] = *take::<EXTENSION_HEAD_LEN>(rest, at)?;
    let len = u32::from_be_bytes([a, b, c, d]) as usize;
    let data_len = len
        .checked_sub(EXTENSION_HEAD_LEN)
        .filter(|_| len.is_multiple_of(8))
        .ok_or(wrong)?;
    let (data, after) = rest.split_at_checked(data_len).ok_or(wrong)?;
    *rest = after;
    if u16::from_be_bytes([high, low]) != HOSTNAME {
        return Ok(None);
    }
    let text = data.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(is_hostname(text).then(|| String::from_utf8_lossy(text).into_owned()))
}

/// What `cluster-announce-hostname` takes; anything else could not be told from the rest of a line of nodes.conf.
fn is_hostname(text: &[u8]) -> bool {
    (1..=HOSTNAME_MAX).contains(&text.len())
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

fn read_publish(shard: bool, rest: &mut &[u8]) -> Result<Body, CodecError> {
    let channel_len = u32::from_be_bytes(*take(rest, HEADER_LEN)?) as usize;
    let payload_len = u32::from_be_bytes(*take(rest, HEADER_LEN + 4)?) as usize;
    let (channel, payload) = rest
        .split_at_checked(channel_len)
        .ok_or(CodecError::new(HEADER_LEN, Malformed::Length))?;
    if payload.len() != payload_len {
        return Err(CodecError::new(HEADER_LEN + 4, Malformed::Length));
    }
    *rest = &[];
    Ok(Body::Publish {
        shard,
        channel: channel.to_vec(),
        payload: payload.to_vec(),
    })
}

fn read_update(rest: &mut &[u8]) -> Result<Body, CodecError> {
    let config_epoch = u64::from_be_bytes(*take(rest, HEADER_LEN)?);
    let at = HEADER_LEN + 8;
    let node = name(take::<{ NodeId::LEN }>(rest, at)?, at)?;
    let slots = take::<{ SLOT_COUNT / 8 }>(rest, at + NodeId::LEN)?;
    Ok(Body::Update {
        config_epoch,
        node,
        slots: SlotBitmap::from_bytes(slots),
    })
}

/// Appends what follows the header.
pub(super) fn write(body: &Body, out: &mut Vec<u8>) {
    match body {
        Body::Heartbeat { gossip, hostname, .. } => {
            for entry in &gossip[..usize::from(gossip_count(body))] {
                write_gossip(entry, out);
            }
            if let (Some(hostname), 1..) = (hostname, extension_count(body)) {
                write_hostname(hostname, out);
            }
        }
        Body::Fail(node) => out.extend_from_slice(node.as_bytes()),
        Body::Publish { channel, payload, .. } => {
            out.extend_from_slice(&(channel.len() as u32).to_be_bytes());
            out.extend_from_slice(&(payload.len() as u32).to_be_bytes());
            out.extend_from_slice(channel);
            out.extend_from_slice(payload);
        }
        Body::AuthRequest | Body::AuthAck | Body::ManualStart => {}
        Body::Update {
            config_epoch,
            node,
            slots,
        } => {
            out.extend_from_slice(&config_epoch.to_be_bytes());
            out.extend_from_slice(node.as_bytes());
            out.extend_from_slice(slots.as_bytes());
        }
    }
}

fn write_gossip(entry: &Gossip, out: &mut Vec<u8>) {
    out.extend_from_slice(entry.node.as_bytes());
    out.extend_from_slice(&entry.ping_s.to_be_bytes());
    out.extend_from_slice(&entry.pong_s.to_be_bytes());
    out.extend_from_slice(&header::ip_bytes(&entry.ip));
    out.extend_from_slice(&entry.port.to_be_bytes());
    out.extend_from_slice(&entry.bus_port.to_be_bytes());
    out.extend_from_slice(&entry.flags.bits().to_be_bytes());
    // The port without TLS, and two bytes that mean nothing.
    out.extend_from_slice(&[0; 4]);
}

/// With at least one zero behind it, since stock reads up to the zero.
fn write_hostname(hostname: &str, out: &mut Vec<u8>) {
    let padded = (hostname.len() + 1).next_multiple_of(8);
    out.extend_from_slice(&((EXTENSION_HEAD_LEN + padded) as u32).to_be_bytes());
    out.extend_from_slice(&HOSTNAME.to_be_bytes());
    out.extend_from_slice(&[0; 2]);
    out.extend_from_slice(hostname.as_bytes());
    out.resize(out.len() + padded - hostname.len(), 0);
}
