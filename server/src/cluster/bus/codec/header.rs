//! What every message begins with: who sends it, and what it says of itself.
//!
//! ```text
//!   0 "RCmb" │ 4 u32 length │ 8 u16 version │ 10 u16 port │ 12 u16 type │ 14 u16 entries of gossip
//!   16 u64 current epoch │ 24 u64 configuration epoch │ 32 u64 offset │ 40 sender[40] │ 80 slots[2048]
//!   2128 primary[40] │ 2168 ip[46] │ 2214 u16 extensions │ 2216 reserved[30]
//!   2246 u16 port without TLS │ 2248 u16 bus port │ 2250 u16 flags │ 2252 u8 state │ 2253 u8 message flags[3]
//! ```

use slotcore::SLOT_COUNT;
use slotcore::topology::{NodeFlags, NodeId};

use super::body;
use super::error::{CodecError, Malformed};
use super::{HEADER_LEN, SIGNATURE, VERSION};
use crate::cluster::message::{Header, Message, SlotBitmap};

pub(super) type Head = [u8; HEADER_LEN];

/// Bytes of an address: the text, and zeros.
pub(super) const IP_LEN: usize = 46;

pub(super) const TOTAL_LEN: usize = 4;
const VERSION_AT: usize = 8;
const PORT: usize = 10;
const TYPE: usize = 12;
const GOSSIP_COUNT: usize = 14;
const CURRENT_EPOCH: usize = 16;
const CONFIG_EPOCH: usize = 24;
const OFFSET: usize = 32;
const SENDER: usize = 40;
const SLOTS: usize = 80;
const PRIMARY: usize = SLOTS + SLOT_COUNT / 8;
const IP: usize = PRIMARY + NodeId::LEN;
const EXTENSION_COUNT: usize = IP + IP_LEN;
const RESERVED: usize = EXTENSION_COUNT + 2;
const PLAIN_PORT: usize = RESERVED + 30;
const BUS_PORT: usize = PLAIN_PORT + 2;
const FLAGS: usize = BUS_PORT + 2;
const STATE: usize = FLAGS + 2;
const MESSAGE_FLAGS: usize = STATE + 1;
const _: () = assert!(MESSAGE_FLAGS + 3 == HEADER_LEN);

/// The first byte of the message's own flags.
const PAUSED: u8 = 1;
const FORCE_ACK: u8 = 2;
const HAS_EXTENSIONS: u8 = 4;

/// The `N` bytes at a place of the header; every place above leaves room for what it holds.
fn bytes<const N: usize>(head: &Head, at: usize) -> [u8; N] {
    let mut found = [0; N];
    found.copy_from_slice(&head[at..at + N]);
    found
}

fn u16_at(head: &Head, at: usize) -> u16 {
    u16::from_be_bytes(bytes(head, at))
}

fn u64_at(head: &Head, at: usize) -> u64 {
    u64::from_be_bytes(bytes(head, at))
}

pub(super) fn version(head: &Head) -> u16 {
    u16_at(head, VERSION_AT)
}

/// The number of the message's type.
pub(super) fn kind(head: &Head) -> u16 {
    u16_at(head, TYPE)
}

pub(super) fn gossip_count(head: &Head) -> usize {
    usize::from(u16_at(head, GOSSIP_COUNT))
}

/// As stock does, the number is not looked at without the flag.
pub(super) fn extension_count(head: &Head) -> usize {
    match head[MESSAGE_FLAGS] & HAS_EXTENSIONS {
        0 => 0,
        _ => usize::from(u16_at(head, EXTENSION_COUNT)),
    }
}

pub(super) fn read(head: &Head) -> Result<Header, CodecError> {
    let no_name = |at| CodecError::new(at, Malformed::Name);
    let primary: [u8; NodeId::LEN] = bytes(head, PRIMARY);
    let primary = match primary.iter().all(|byte| *byte == 0) || primary.iter().all(|byte| *byte == b'0') {
        true => None,
        false => Some(NodeId::parse(&primary).map_err(|_| no_name(PRIMARY))?),
    };
    Ok(Header {
        sender: NodeId::parse(&head[SENDER..][..NodeId::LEN]).map_err(|_| no_name(SENDER))?,
        flags: NodeFlags::from_bits_truncate(u16_at(head, FLAGS)),
        current_epoch: u64_at(head, CURRENT_EPOCH),
        config_epoch: u64_at(head, CONFIG_EPOCH),
        offset: u64_at(head, OFFSET),
        slots: SlotBitmap::from_bytes(&bytes(head, SLOTS)),
        primary,
        ip: read_ip(&bytes(head, IP)).ok_or(CodecError::new(IP, Malformed::Address))?,
        port: u16_at(head, PORT),
        bus_port: u16_at(head, BUS_PORT),
        cluster_ok: head[STATE] == 0,
        paused: head[MESSAGE_FLAGS] & PAUSED != 0,
        force_ack: head[MESSAGE_FLAGS] & FORCE_ACK != 0,
    })
}

/// Appends the header, all but the length, which is not known yet.
pub(super) fn write(message: &Message, out: &mut Vec<u8>) {
    let header = &message.header;
    let extensions = body::extension_count(&message.body);
    let mut head: Head = [0; HEADER_LEN];
    let mut put = |at: usize, bytes: &[u8]| head[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, SIGNATURE);
    put(VERSION_AT, &VERSION.to_be_bytes());
    put(PORT, &header.port.to_be_bytes());
    put(TYPE, &message.body.type_number().to_be_bytes());
    put(GOSSIP_COUNT, &body::gossip_count(&message.body).to_be_bytes());
    put(CURRENT_EPOCH, &header.current_epoch.to_be_bytes());
    put(CONFIG_EPOCH, &header.config_epoch.to_be_bytes());
    put(OFFSET, &header.offset.to_be_bytes());
    put(SENDER, header.sender.as_bytes());
    put(SLOTS, header.slots.as_bytes());
    if let Some(primary) = &header.primary {
        put(PRIMARY, primary.as_bytes());
    }
    put(IP, &ip_bytes(&header.ip));
    put(EXTENSION_COUNT, &extensions.to_be_bytes());
    put(BUS_PORT, &header.bus_port.to_be_bytes());
    put(FLAGS, &header.flags.bits().to_be_bytes());
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let flags = flag(header.paused, PAUSED)
        | flag(header.force_ack, FORCE_ACK)
        | flag(extensions > 0, HAS_EXTENSIONS);
    put(STATE, &[u8::from(!header.cluster_ok), flags]);
    out.extend_from_slice(&head);
}

/// The text before the first zero; like stock, no more than leaves room for one. `None`: what is not printable ASCII.
/// Whether it can be dialled is for the rules to judge: a node may announce what is no IP address.
pub(super) fn read_ip(field: &[u8; IP_LEN]) -> Option<String> {
    let len = field[..IP_LEN - 1]
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(IP_LEN - 1);
    let text = std::str::from_utf8(&field[..len]).ok()?;
    text.bytes()
        .all(|byte| byte.is_ascii_graphic())
        .then(|| text.into())
}

/// An address that does not fit is left out, since half of it would be another one.
pub(super) fn ip_bytes(ip: &str) -> [u8; IP_LEN] {
    let mut field = [0; IP_LEN];
    if ip.len() < IP_LEN {
        field[..ip.len()].copy_from_slice(ip.as_bytes());
    }
    field
}
