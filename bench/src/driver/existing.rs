//! A target that runs already: which server it is, and which primaries it has.

use std::time::Duration;

use anyhow::{Result, bail};
use slotcore::resp::Reply;
use slotcore::slot_map::{Role, SlotMap};
use slotcore::topology::ShapeError;
use slotcore::topology::slots::parse_slots;

use super::admin::{Admin, AdminError, field};
use crate::load::{Auth, HostPort};

/// What an existing target says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Existing {
    /// "redis", "valkey", "slotmark".
    pub engine: String,
    pub version: String,
    pub cluster: bool,
    /// Nodes that own slots; the server itself when it is no cluster.
    pub primaries: Vec<HostPort>,
    /// Replicas that the primaries have between them.
    pub replicas: u32,
}

const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the first of the seeds that answers.
pub fn inspect(seeds: &[HostPort], auth: Option<&Auth>) -> Result<Existing> {
    let mut failures = Vec::new();
    for seed in seeds {
        match Admin::connect(seed, auth, TIMEOUT).and_then(|admin| ask(admin, seed)) {
            Ok(existing) if existing.primaries.is_empty() => {
                bail!(
                    "{seed} is a cluster node, but nobody owns a slot: assign slots first (redis-cli --cluster create)"
                )
            }
            Ok(existing) => return Ok(existing),
            Err(error) => failures.push(explain(&error)),
        }
    }
    bail!("cannot reach the target: {}", failures.join("; "))
}

fn explain(error: &AdminError) -> String {
    match error {
        AdminError::Refused { text, .. } if text.starts_with("NOAUTH") => {
            format!("{error} (give --pass, or set REDISCLI_AUTH)")
        }
        other => other.to_string(),
    }
}

fn ask(mut admin: Admin, seed: &HostPort) -> Result<Existing, AdminError> {
    let info = admin.text(&["INFO", "server"])?;
    let (engine, version) = identify(&info);
    let slots = match admin.call(&["CLUSTER", "SLOTS"]) {
        Ok(slots) => slots,
        // "This instance has cluster support disabled", or a server that knows no CLUSTER at all.
        Err(AdminError::Refused { .. }) => {
            let primaries = vec![seed.clone()];
            return Ok(Existing {
                engine,
                version,
                cluster: false,
                primaries,
                replicas: 0,
            });
        }
        Err(error) => return Err(error),
    };
    let (primaries, replicas) = nodes_of(&slots, seed).map_err(|error| AdminError::Protocol {
        addr: seed.to_string(),
        cause: error.to_string(),
    })?;
    Ok(Existing {
        engine,
        version,
        cluster: true,
        primaries,
        replicas,
    })
}

/// The server and its version. Others than redis also give the version of redis they resemble, so theirs goes first.
fn identify(info: &str) -> (String, String) {
    for engine in ["slotmark", "valkey", "redis"] {
        if let Some(version) = field(info, &format!("{engine}_version")) {
            return (engine.to_owned(), version.to_owned());
        }
    }
    ("target".to_owned(), "unknown".to_owned())
}

/// The primaries in the order of their first slots, and how many replicas there are.
fn nodes_of(slots: &Reply, seed: &HostPort) -> Result<(Vec<HostPort>, u32), ShapeError> {
    let map = SlotMap::from_topology(&parse_slots(slots)?, &seed.host);
    let owners = map.owners();
    let replicas = map
        .nodes()
        .iter()
        .filter(|node| node.role == Role::Replica)
        .count();
    let address = |&primary| HostPort::new(&map.node(primary).host, map.node(primary).port);
    Ok((
        owners.iter().map(address).collect(),
        u32::try_from(replicas).unwrap_or(u32::MAX),
    ))
}

/// Whether the target shares this machine's cores with the generator.
pub fn is_local(seeds: &[HostPort]) -> bool {
    seeds
        .iter()
        .all(|s| s.host == "localhost" || s.host == "::1" || s.host.starts_with("127."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use slotcore::resp::{ReplyLimits, parse_reply};

    #[test]
    fn the_server_is_who_it_says_it_is() {
        let is = |info: &str| identify(info).0;
        assert_eq!(is("# Server\r\nredis_version:7.0.15\r\n"), "redis");
        assert_eq!(
            is("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0\r\n"),
            "valkey"
        );
        assert_eq!(
            is("redis_version:7.0.15\r\nslotmark_version:0.1.0\r\n"),
            "slotmark"
        );
        assert_eq!(identify("hello"), ("target".to_owned(), "unknown".to_owned()));
    }

    #[test]
    fn primaries_come_from_cluster_slots() {
        let text = "*3\r\n\
            *4\r\n:0\r\n:99\r\n*2\r\n$8\r\n10.0.0.1\r\n:7000\r\n*2\r\n$8\r\n10.0.0.4\r\n:7003\r\n\
            *3\r\n:100\r\n:16000\r\n*2\r\n$0\r\n\r\n:7001\r\n\
            *3\r\n:16001\r\n:16383\r\n*2\r\n$8\r\n10.0.0.1\r\n:7000\r\n";
        let (slots, _) = parse_reply(text.as_bytes(), &ReplyLimits::default())
            .unwrap()
            .unwrap();
        let (primaries, replicas) = nodes_of(&slots, &HostPort::new("seed", 1)).unwrap();
        assert_eq!(
            primaries,
            [HostPort::new("10.0.0.1", 7000), HostPort::new("seed", 7001)]
        );
        assert_eq!(replicas, 1);
    }
}
