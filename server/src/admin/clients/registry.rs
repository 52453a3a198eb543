//! All connections by id.

use super::shared::{ClientFlags, ClientKind, ClientShared};
use super::wait::Unblock;
use crate::acl::Account;
use crate::config::OutputLimit;
use crate::log;
use crate::node::unix_ms;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// The connections that are open now.
#[derive(Debug, Default)]
pub struct ClientRegistry {
    open: Mutex<BTreeMap<u64, Arc<ClientShared>>>,
    count: AtomicUsize,
    last_id: AtomicU64,
    /// Connections before CONFIG RESETSTAT, which ids do not forget.
    forgotten: AtomicU64,
    peaks: Mutex<Peaks>,
}

/// The largest buffers of the last seconds: a place a second.
#[derive(Debug, Default)]
struct Peaks {
    input: [usize; PEAK_SECONDS],
    output: [usize; PEAK_SECONDS],
}

/// As many seconds as redis-server looks back.
const PEAK_SECONDS: usize = 8;

/// Which connections CLIENT KILL means: those for which all that is given is true.
#[derive(Clone, Debug, Default)]
pub struct KillFilter {
    /// This id.
    pub id: Option<u64>,
    /// This address of the client, as CLIENT LIST prints it.
    pub addr: Option<Vec<u8>>,
    /// This address of the node.
    pub laddr: Option<Vec<u8>>,
    /// This kind.
    pub kind: Option<ClientKind>,
    /// This user's.
    pub account: Option<Arc<Account>>,
    /// Not this connection.
    pub except: Option<u64>,
}

impl KillFilter {
    /// Whether it means this connection.
    pub fn matches(&self, client: &ClientShared) -> bool {
        let is = |wanted: &Option<Vec<u8>>, address: SocketAddr| {
            wanted
                .as_ref()
                .is_none_or(|wanted| address.to_string().as_bytes() == wanted.as_slice())
        };
        self.id.is_none_or(|id| id == client.id())
            && is(&self.addr, client.peer())
            && is(&self.laddr, client.local())
            && self.kind.is_none_or(|kind| kind == client.kind())
            && self
                .account
                .as_ref()
                .is_none_or(|account| client.account().is_some_and(|its| Arc::ptr_eq(&its, account)))
            && self.except.is_none_or(|id| id != client.id())
    }
}

impl ClientRegistry {
    /// Takes up a connection that was just accepted.
    pub fn register(&self, peer: SocketAddr, local: SocketAddr, socket: &impl AsRawFd) -> Arc<ClientShared> {
        let id = self.last_id.fetch_add(1, Relaxed) + 1;
        let client = Arc::new(ClientShared::new(id, peer, local, socket.as_raw_fd(), unix_ms()));
        let mut open = self.open.lock();
        open.insert(id, client.clone());
        self.count.store(open.len(), Relaxed);
        client
    }

    /// Forgets a connection that has ended.
    pub fn remove(&self, id: u64) {
        let mut open = self.open.lock();
        open.remove(&id);
        self.count.store(open.len(), Relaxed);
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many wait in a blocking command.
    pub fn blocked(&self) -> usize {
        self.open
            .lock()
            .values()
            .filter(|client| client.flags().contains(ClientFlags::BLOCKED))
            .count()
    }

    /// How many of these wait for a limited time.
    pub fn blocked_with_timeout(&self) -> usize {
        let open = self.open.lock();
        open.values().filter(|client| client.waits_with_timeout()).count()
    }

    /// Ends all waits in blocking commands: this node is another one than they began at.
    pub fn unblock_all(&self) {
        for client in self.all() {
            client.unblock(Unblock::RoleChanged);
        }
    }

    /// How many there ever were, or since the last reset.
    pub fn accepted(&self) -> u64 {
        self.last_id.load(Relaxed) - self.forgotten.load(Relaxed)
    }

    /// CONFIG RESETSTAT.
    pub fn reset_stats(&self) {
        self.forgotten.store(self.last_id.load(Relaxed), Relaxed);
    }

    /// The connection with this id.
    pub fn get(&self, id: u64) -> Option<Arc<ClientShared>> {
        self.open.lock().get(&id).cloned()
    }

    /// All connections, the oldest first.
    pub fn all(&self) -> Vec<Arc<ClientShared>> {
        self.open.lock().values().cloned().collect()
    }

    /// Ends those that the filter means; returns which. They are none of the open ones from here on, though their
    /// sockets are closed a little later, each by its own worker.
    pub fn kill(&self, filter: &KillFilter) -> Vec<u64> {
        let victims: Vec<_> = self
            .all()
            .into_iter()
            .filter(|client| filter.matches(client))
            .collect();
        for client in &victims {
            client.kill();
            self.remove(client.id());
        }
        victims.iter().map(|client| client.id()).collect()
    }

    /// Ends clients that have left more unread than the soft limit of their kind for too long. `limits` are those of
    /// normal clients, replicas and subscribers; of replicas their feeds take care.
    pub fn enforce_soft_limit(&self, now_ms: u64, limits: &[OutputLimit; 3]) {
        for client in self.all() {
            let limit = match client.kind() {
                ClientKind::Normal => &limits[0],
                ClientKind::Pubsub => &limits[2],
                ClientKind::Primary | ClientKind::Replica => continue,
            };
            if client.stays_over(now_ms, limit) {
                log::warning(format_args!(
                    "Client {} closed for overcoming of output buffer limits.",
                    client.describe()
                ));
                client.kill();
            }
        }
    }

    /// Called every second: remembers the largest buffers.
    pub fn sample_peaks(&self, now_ms: u64) {
        let held: Vec<_> = self.all().iter().map(|client| client.held()).collect();
        let place = (now_ms / 1000) as usize % PEAK_SECONDS;
        let mut peaks = self.peaks.lock();
        peaks.input[place] = held.iter().map(|held| held.0).max().unwrap_or(0);
        peaks.output[place] = held.iter().map(|held| held.1).max().unwrap_or(0);
    }

    /// The largest buffers of requests, and of replies and messages, of the last seconds, in bytes.
    pub fn recent_peaks(&self) -> (usize, usize) {
        let peaks = self.peaks.lock();
        let largest = |sizes: &[usize]| sizes.iter().copied().max().unwrap_or(0);
        (largest(&peaks.input), largest(&peaks.output))
    }

    /// Ends those that have sent nothing for longer than the timeout. Subscribers may stay silent, and who waits.
    pub fn close_idle(&self, now_ms: u64, timeout_s: u64) {
        for client in self.all() {
            let idle_ms = now_ms.saturating_sub(client.active_ms());
            let may_stay_silent = client.kind() != ClientKind::Normal
                || client
                    .flags()
                    .intersects(ClientFlags::BLOCKED | ClientFlags::MONITOR);
            if !may_stay_silent && idle_ms / 1000 > timeout_s {
                client.kill();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::clients::Buffers;
    use slotcore::resp::Proto;

    fn registry() -> (ClientRegistry, Vec<Arc<ClientShared>>) {
        let registry = ClientRegistry::default();
        let clients = (0..3)
            .map(|i| {
                let peer: SocketAddr = format!("127.0.0.1:{}", 40_000 + i).parse().unwrap();
                registry.register(peer, "127.0.0.1:7000".parse().unwrap(), &std::io::stdin())
            })
            .collect();
        (registry, clients)
    }

    #[test]
    fn a_client_is_described_with_stocks_fields() {
        let (_, clients) = registry();
        let client = &clients[0];
        client.set_name(b"x");
        client.set_proto(Proto::Resp3);
        client.set_multi(Some(2));
        client.set_flag(ClientFlags::NO_EVICT, true);
        client.set_command(slotcore::command::lookup(b"ping").unwrap().id);
        let now = client.active_ms() + 5000;
        let line = client.describe_at(now).to_string();
        assert!(line.starts_with(
            "id=1 addr=127.0.0.1:40000 laddr=127.0.0.1:7000 fd=0 name=x age=5 idle=5 flags=xe db=0 "
        ));
        assert!(
            line.contains(" multi=2 ") && line.ends_with(" cmd=ping user=(superuser) redir=-1 resp=3"),
            "{line}"
        );
        assert!(
            clients[1]
                .describe_at(now)
                .to_string()
                .contains(" flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 ")
        );
        assert!(clients[1].describe_at(now).to_string().contains(" cmd=NULL "));
    }

    #[test]
    fn a_kill_needs_all_that_is_given() {
        let (registry, clients) = registry();
        let by = |filter: KillFilter| registry.kill(&filter);
        assert_eq!(
            by(KillFilter {
                id: Some(9),
                ..Default::default()
            }),
            [] as [u64; 0]
        );
        let filter = KillFilter {
            id: Some(2),
            addr: Some(b"127.0.0.1:40000".to_vec()),
            ..Default::default()
        };
        assert_eq!(by(filter), [] as [u64; 0]);
        assert_eq!(
            by(KillFilter {
                addr: Some(b"127.0.0.1:40001".to_vec()),
                ..Default::default()
            }),
            [2]
        );
        assert!(clients[1].is_killed() && !clients[0].is_killed());
        let filter = KillFilter {
            kind: Some(ClientKind::Normal),
            except: Some(1),
            ..Default::default()
        };
        assert_eq!(by(filter), [3], "the second has gone");
        assert_eq!(registry.len(), 1);
    }

    #[test]
    fn a_soft_limit_needs_time() {
        let (registry, clients) = registry();
        let limit = |soft| OutputLimit {
            hard: 0,
            soft,
            soft_seconds: 2,
        };
        let limits = [limit(100), limit(1), limit(1000)];
        let output = |bytes| {
            clients[0].set_buffers(Buffers {
                output: bytes,
                ..Buffers::default()
            })
        };
        let killed_at = |ms| {
            registry.enforce_soft_limit(ms, &limits);
            clients[0].is_killed()
        };
        output(100);
        assert!(!killed_at(1000) && !killed_at(3500));
        output(99);
        assert!(!killed_at(3900));
        output(100);
        assert!(!killed_at(4000) && !killed_at(6999) && killed_at(7000));
        assert!(!clients[1].is_killed());
        // A subscriber has a limit of its own, and what waits in its mailbox counts.
        clients[1].set_subscriptions(1, 0, 0);
        clients[1].queue(999);
        registry.enforce_soft_limit(20_000, &limits);
        clients[1].queue(1);
        registry.enforce_soft_limit(21_000, &limits);
        registry.enforce_soft_limit(23_999, &limits);
        assert!(!clients[1].is_killed());
        registry.enforce_soft_limit(24_000, &limits);
        assert!(clients[1].is_killed());
    }

    #[test]
    fn idle_clients_are_closed_and_the_gone_forgotten() {
        let (registry, clients) = registry();
        let now = clients[0].active_ms() + 10_000;
        clients[1].touched(now);
        clients[2].set_subscriptions(1, 0, 0);
        let ticket = clients[0].begin_wait(None, false);
        registry.close_idle(now, 5);
        assert!(!clients[0].is_killed(), "it waits");
        assert!(clients[0].end_wait(ticket, || Some(Unblock::Timeout)));
        registry.close_idle(now, 5);
        assert_eq!(
            clients.iter().map(|c| c.is_killed()).collect::<Vec<_>>(),
            [true, false, false]
        );
        registry.remove(1);
        assert_eq!((registry.len(), registry.accepted()), (2, 3));
        registry.reset_stats();
        assert_eq!(registry.accepted(), 0);
    }
}
