//! A few members in one room: messages arrive at once, unless a test cuts a node off.

use std::collections::{BTreeMap, VecDeque};

use slotcore::topology::{NodeFlags, NodeId};
use slotcore::{SLOT_COUNT, Slot};

use super::*;
use crate::cluster::message::SharedMessage;
use crate::cluster::{AdminError, Claim, ClusterData, ClusterNode, ClusterSettings};

const TIMEOUT_MS: u64 = 2000;

struct Node {
    member: Member,
    facts: Facts,
    /// Off: it neither runs nor listens. Deaf: it is there and does nothing.
    alive: bool,
    deaf: bool,
    role: Option<RoleChange>,
    paused_until: u64,
    dropped: Vec<Slot>,
    /// Our name of a link to whose link at whom.
    ends: BTreeMap<LinkId, (usize, LinkId)>,
    saves: usize,
}

struct Room {
    now: u64,
    nodes: Vec<Node>,
    queue: VecDeque<(usize, Input)>,
    accepted: u64,
    log: Vec<(u64, usize, String)>,
}

fn ip(node: usize) -> String {
    format!("10.0.0.{}", node + 1)
}

fn id(node: usize) -> NodeId {
    NodeId::from_random([node as u8 + 1; 20])
}

impl Room {
    fn new(count: usize) -> Self {
        let mut room = Self {
            now: 1_700_000_000_000,
            nodes: Vec::new(),
            queue: VecDeque::new(),
            accepted: 0,
            log: Vec::new(),
        };
        for node in 0..count {
            room.add(node);
        }
        room
    }

    fn add(&mut self, node: usize) {
        let settings = ClusterSettings {
            port: 7000,
            bus_port: 17000,
            node_timeout_ms: TIMEOUT_MS,
            ..ClusterSettings::default()
        };
        let data = ClusterData::alone(id(node), settings);
        self.nodes.push(Node {
            member: Member::new(data, self.now, node as u64),
            facts: Facts::default(),
            alive: true,
            deaf: false,
            role: None,
            paused_until: 0,
            dropped: Vec::new(),
            ends: BTreeMap::new(),
            saves: 0,
        });
    }

    /// Three primaries with all slots and a replica each, in this order, all good friends.
    fn three_with_replicas() -> Self {
        let mut room = Self::new(6);
        for node in 0..3 {
            let third = SLOT_COUNT / 3 + 1;
            let slots = (node * third) as Slot..((node + 1) * third).min(SLOT_COUNT) as Slot;
            room.command(node, |member, now, facts, out| {
                member.claim(now, facts, Claim::Add, slots.clone(), out).unwrap();
                member.set_config_epoch(now, facts, node as i64 + 1, out).unwrap();
            });
        }
        for node in 1..6 {
            room.meet(0, node);
        }
        room.run(3000);
        for node in 3..6 {
            room.command(node, |member, now, facts, out| {
                member
                    .replicate(now, facts, id(node - 3).as_bytes(), false, out)
                    .unwrap();
            });
        }
        room.run(3000);
        for node in 3..6 {
            room.nodes[node].facts.primary_link = PrimaryLink::Up { last_io_ms: room.now };
            room.nodes[node].facts.offset = 100;
            room.nodes[node - 3].facts.offset = 100;
        }
        room.run(1000);
        room
    }

    fn meet(&mut self, node: usize, other: usize) {
        self.command(node, |member, now, facts, out| {
            member
                .meet(now, facts, ip(other).parse().unwrap(), 7000, 17000, out)
                .unwrap();
        });
    }

    fn command<T>(&mut self, node: usize, run: impl FnOnce(&mut Member, u64, Facts, &mut Effects) -> T) -> T {
        let mut out = Effects::default();
        let (now, facts) = (self.now, self.nodes[node].facts);
        let outcome = run(&mut self.nodes[node].member, now, facts, &mut out);
        self.carry_out(node, out);
        outcome
    }

    fn carry_out(&mut self, at: usize, out: Effects) {
        let now = self.now;
        self.log
            .extend(out.log.into_iter().map(|(_, text)| (now, at, text)));
        let node = &mut self.nodes[at];
        node.saves += usize::from(out.save == Save::Synced);
        if out.role.is_some() {
            node.role = out.role;
        }
        node.paused_until = out.pause_writes_until.unwrap_or(node.paused_until);
        node.dropped.extend(out.drop_keys);
        for link in out.close {
            self.close(at, link);
        }
        for dial in out.dial {
            let to = (0..self.nodes.len()).find(|node| ip(*node) == dial.ip && dial.port == 17000);
            let Some(to) = to.filter(|to| self.nodes[*to].alive) else {
                let reason = CloseReason::Refused;
                self.queue.push_back((
                    at,
                    Input::Closed {
                        link: dial.link,
                        reason,
                    },
                ));
                continue;
            };
            self.accepted += 1;
            let there = LinkId::In(self.accepted);
            self.nodes[at].ends.insert(dial.link, (to, there));
            self.nodes[to].ends.insert(there, (at, dial.link));
            self.queue.push_back((at, Input::Connected { link: dial.link }));
            let (peer, local) = (ip(at).parse().unwrap(), ip(to).parse().unwrap());
            self.queue.push_back((
                to,
                Input::Accepted {
                    link: there,
                    peer,
                    local,
                },
            ));
        }
        for (link, message) in out.send {
            if let Some((to, link)) = self.nodes[at].ends.get(&link).copied() {
                let message = SharedMessage::unwrap_or_clone(message);
                self.queue.push_back((to, Input::Received { link, message }));
            }
        }
    }

    fn close(&mut self, at: usize, link: LinkId) {
        if let Some((to, link)) = self.nodes[at].ends.remove(&link) {
            self.nodes[to].ends.remove(&link);
            let reason = CloseReason::Reset;
            self.queue.push_back((to, Input::Closed { link, reason }));
        }
    }

    fn kill(&mut self, at: usize) {
        self.nodes[at].alive = false;
        for link in self.nodes[at].ends.keys().copied().collect::<Vec<_>>() {
            self.close(at, link);
        }
    }

    /// Starts a killed node again from what it would have saved.
    fn restart(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        let conf = node.member.data().to_conf();
        let settings = node.member.data().settings.clone();
        let data = ClusterData::from_conf(&conf, settings).unwrap();
        node.member = Member::new(data, self.now, 77);
        node.role = None;
        node.alive = true;
    }

    fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.now < end {
            self.settle();
            let due = self.nodes.iter().filter(|node| node.alive && !node.deaf);
            let next = due.map(|node| node.member.deadline()).min().unwrap_or(end);
            self.now = next.clamp(self.now, end);
            for at in 0..self.nodes.len() {
                if self.nodes[at].member.deadline() <= self.now {
                    self.step(at, Input::Tick);
                }
            }
        }
        self.settle();
    }

    fn settle(&mut self) {
        while let Some((at, input)) = self.queue.pop_front() {
            self.step(at, input);
        }
    }

    fn step(&mut self, at: usize, input: Input) {
        let node = &mut self.nodes[at];
        if !node.alive || node.deaf {
            return;
        }
        let mut out = Effects::default();
        node.member.step(self.now, node.facts, input, &mut out);
        self.carry_out(at, out);
    }

    fn data(&self, at: usize) -> &ClusterData {
        self.nodes[at].member.data()
    }

    fn seen(&self, at: usize, other: usize) -> &ClusterNode {
        let data = self.data(at);
        data.node(data.find(id(other).as_bytes()).expect("a known node"))
    }

    fn owner(&self, at: usize, slot: Slot) -> Option<NodeId> {
        let data = self.data(at);
        data.owners.get(slot).map(|owner| data.node(owner).id)
    }

    fn said(&self, at: usize, text: &str) -> Option<u64> {
        let mut lines = self.log.iter().rev();
        lines
            .find(|(_, node, line)| *node == at && line.contains(text))
            .map(|(when, ..)| *when)
    }
}

#[test]
fn who_meets_one_knows_all() {
    let mut room = Room::new(3);
    room.meet(0, 1);
    room.meet(1, 2);
    room.run(1000);
    for at in 0..3 {
        assert_eq!(room.data(at).nodes.len(), 3, "{:?}", room.data(at).nodes);
        assert_eq!(room.data(at).me().ip, ip(at), "learnt from a MEET or a PING");
        for other in (0..3).filter(|other| *other != at) {
            let node = room.seen(at, other);
            assert_eq!(
                (node.ip.as_str(), node.port, node.bus_port),
                (ip(other).as_str(), 7000, 17000)
            );
            assert_eq!(node.flags - NodeFlags::MIGRATE_TO, NodeFlags::PRIMARY);
            assert!(node.live.linked.load(std::sync::atomic::Ordering::Relaxed));
        }
    }
    let epochs: std::collections::BTreeSet<u64> = (0..3).map(|at| room.data(at).me().epoch).collect();
    assert_eq!(epochs.len(), 3, "equal epochs are made unequal: {epochs:?}");
}

#[test]
fn a_handshake_with_nobody_ends() {
    let mut room = Room::new(1);
    room.meet(0, 5);
    room.meet(0, 5);
    assert_eq!(room.data(0).nodes.len(), 2);
    room.run(TIMEOUT_MS + 200);
    assert_eq!(room.data(0).nodes.len(), 1);
    room.meet(0, 0);
    room.run(100);
    assert_eq!(room.data(0).nodes.len(), 1, "meeting oneself is no news");
}

#[test]
fn a_cluster_forms_and_serves() {
    let room = Room::three_with_replicas();
    for at in 0..6 {
        assert!(room.data(at).state_ok, "node {at}");
        assert_eq!(room.owner(at, 0), Some(id(0)));
        assert_eq!(room.owner(at, SLOT_COUNT as Slot - 1), Some(id(2)));
        for replica in 3..6 {
            let data = room.data(at);
            let primary = room
                .seen(at, replica)
                .primary
                .map(|primary| data.node(primary).id);
            assert_eq!(primary, Some(id(replica - 3)));
        }
    }
    let follow = RoleChange::Follow {
        id: id(0),
        host: ip(0),
        port: 7000,
    };
    assert_eq!(room.nodes[3].role, Some(follow));
}

#[test]
fn a_dead_primary_is_replaced_at_once_and_comes_back_as_a_replica() {
    let mut room = Room::three_with_replicas();
    let killed = room.now;
    room.kill(0);
    room.run(1000);
    let won = room.said(3, "Failover election won").expect("an election");
    assert!(won - killed < 400, "{} ms", won - killed);
    assert_eq!(room.nodes[3].role, Some(RoleChange::Promote));
    for at in [1, 2, 3, 4, 5] {
        assert_eq!(room.owner(at, 0), Some(id(3)), "node {at}");
        assert!(room.data(at).state_ok);
    }
    room.restart(0);
    room.run(3000);
    assert!(room.data(0).me().flags.contains(NodeFlags::REPLICA));
    assert!(matches!(&room.nodes[0].role, Some(RoleChange::Follow { id: of, .. }) if *of == id(3)));
    for at in 0..6 {
        assert!(
            !room
                .seen(at, 0)
                .flags
                .intersects(NodeFlags::FAIL | NodeFlags::PFAIL)
                || at == 0
        );
    }
    assert!(room.nodes[0].dropped.is_empty());
}

#[test]
fn a_hung_primary_is_replaced_after_the_timeout() {
    let mut room = Room::three_with_replicas();
    let hung = room.now;
    room.nodes[0].deaf = true;
    room.run(TIMEOUT_MS + 500);
    let won = room.said(3, "Failover election won").expect("an election");
    assert!(
        (TIMEOUT_MS..TIMEOUT_MS + 400).contains(&(won - hung)),
        "{} ms",
        won - hung
    );
    room.nodes[0].deaf = false;
    room.run(1000);
    assert!(
        room.data(0).me().flags.contains(NodeFlags::REPLICA),
        "it was told"
    );
}

#[test]
fn a_refusal_is_no_failure_where_that_is_switched_off() {
    let mut room = Room::three_with_replicas();
    for node in &mut room.nodes {
        node.member.data.settings.refused_means_failed = false;
    }
    let killed = room.now;
    room.kill(0);
    room.run(TIMEOUT_MS + 500);
    let won = room.said(3, "Failover election won").expect("an election");
    assert!(won - killed >= TIMEOUT_MS, "{} ms", won - killed);
}

#[test]
fn a_graceful_failover_waits_for_the_last_byte() {
    let mut room = Room::three_with_replicas();
    room.nodes[0].facts.offset = 500;
    room.command(3, |member, now, facts, out| {
        member.failover(now, facts, FailoverKind::Graceful, out).unwrap();
    });
    room.run(200);
    assert!(
        room.nodes[0].paused_until > room.now,
        "its primary holds writes back"
    );
    assert!(
        room.said(3, "offset for paused master manual failover: 500")
            .is_some()
    );
    assert!(room.data(3).me().flags.contains(NodeFlags::REPLICA));
    room.nodes[3].facts.offset = 500;
    room.run(20);
    assert!(room.data(3).me().flags.contains(NodeFlags::PRIMARY));
    assert!(room.data(0).me().flags.contains(NodeFlags::REPLICA));
    assert_eq!(room.nodes[0].paused_until, 0);
    // And back, with force, then without asking anybody.
    room.command(0, |member, now, facts, out| {
        member.failover(now, facts, FailoverKind::Force, out).unwrap();
    });
    room.run(2 * TIMEOUT_MS + 2000);
    assert_eq!(room.owner(5, 0), Some(id(0)));
    room.command(3, |member, now, facts, out| {
        member.failover(now, facts, FailoverKind::Takeover, out).unwrap();
    });
    room.run(200);
    assert_eq!(room.owner(5, 0), Some(id(3)));
}

#[test]
fn a_graceful_failover_that_does_not_come_to_an_end_ends() {
    let mut room = Room::three_with_replicas();
    room.nodes[0].facts.offset = 500;
    room.command(3, |member, now, facts, out| {
        member.failover(now, facts, FailoverKind::Graceful, out).unwrap();
    });
    room.run(5700);
    assert_eq!(room.nodes[0].paused_until, 0);
    assert!(room.said(3, "Manual failover timed out.").is_some());
    assert!(room.data(0).me().flags.contains(NodeFlags::PRIMARY));
}

#[test]
fn a_replica_moves_to_a_primary_that_has_lost_its_own() {
    let mut room = Room::three_with_replicas();
    room.command(4, |member, now, facts, out| {
        member.replicate(now, facts, id(0).as_bytes(), true, out).unwrap();
    });
    room.run(500);
    room.nodes[4].facts.primary_link = PrimaryLink::Up { last_io_ms: room.now };
    assert!(
        !room
            .data(3)
            .nodes
            .iter()
            .any(|node| node.id == id(1) && node.flags.contains(NodeFlags::MIGRATE_TO)),
        "who has let its last replica go is no orphan"
    );
    room.kill(5);
    room.run(TIMEOUT_MS + 7000);
    // Of the two replicas of 0 the one with the smaller name went to 2.
    let primary_of = |at: usize| room.data(at).node(room.data(at).me().primary.unwrap()).id;
    assert_eq!((primary_of(3), primary_of(4)), (id(2), id(0)));
}

#[test]
fn a_forgotten_node_stays_so_for_a_minute() {
    let mut room = Room::new(3);
    room.meet(0, 1);
    room.meet(1, 2);
    room.run(1000);
    let forget =
        |member: &mut Member, now, facts, out: &mut Effects| member.forget(now, facts, id(2).as_bytes(), out);
    assert_eq!(room.command(0, forget), Ok(()));
    room.run(50_000);
    assert_eq!(room.data(0).nodes.len(), 2);
    room.run(12_000);
    assert_eq!(room.data(0).nodes.len(), 3, "1 still talks of it");
    let unknown = room.command(0, |member, now, facts, out| member.forget(now, facts, b"zz", out));
    assert_eq!(unknown, Err(AdminError::UnknownNode("zz".into())));
    let me = room.command(0, |member, now, facts, out| {
        member.forget(now, facts, id(0).as_bytes(), out)
    });
    assert_eq!(me, Err(AdminError::ForgetMyself));
}

#[test]
fn the_last_slot_takes_its_owner_along() {
    let mut room = Room::new(2);
    room.command(0, |member, now, facts, out| {
        member.claim(now, facts, Claim::Add, [1, 2], out).unwrap();
    });
    room.meet(0, 1);
    room.run(1000);
    for slot in [1, 2] {
        room.command(1, |member, now, facts, out| {
            let from = SetSlot::Importing(id(0).as_bytes().to_vec());
            member.set_slot(now, facts, slot, from, 0, out).unwrap();
            let here = SetSlot::Node(id(1).as_bytes().to_vec());
            member.set_slot(now, facts, slot, here, 0, out).unwrap();
        });
        room.run(300);
        assert_eq!(room.owner(0, slot), Some(id(1)));
    }
    assert_eq!(
        room.nodes[0].dropped,
        [1],
        "of the first one the keys go, the second one brings them"
    );
    assert!(room.data(0).me().flags.contains(NodeFlags::REPLICA));
}

#[test]
fn reset_leaves_the_node_alone() {
    let mut room = Room::three_with_replicas();
    let new = NodeId::from_random([99; 20]);
    room.command(3, |member, now, facts, out| {
        member.reset(now, facts, Some(new), out)
    });
    let data = room.data(3);
    assert_eq!((data.nodes.len(), data.me().id, data.current_epoch), (1, new, 0));
    assert_eq!(room.nodes[3].role, Some(RoleChange::Promote));
    room.run(TIMEOUT_MS);
    assert_eq!(
        room.data(3).nodes.len(),
        1,
        "those that it knew do not bring it back"
    );
    assert!(
        room.seen(0, 3).flags.contains(NodeFlags::NOADDR),
        "its old name has no address"
    );
}

#[test]
fn a_primary_that_comes_back_under_another_name_is_replaced() {
    let mut room = Room::three_with_replicas();
    room.kill(0);
    let settings = room.data(0).settings.clone();
    room.nodes[0].member = Member::new(ClusterData::alone(id(50), settings), room.now, 50);
    room.nodes[0].alive = true;
    room.run(TIMEOUT_MS + 1000);
    assert!(room.seen(1, 0).flags.contains(NodeFlags::NOADDR));
    assert_eq!(room.owner(1, 0), Some(id(3)));
}

#[test]
fn a_graceful_failover_ends_with_the_stream() {
    let mut room = Room::three_with_replicas();
    room.nodes[0].facts.offset = 500;
    room.command(3, |member, now, facts, out| {
        member.failover(now, facts, FailoverKind::Graceful, out).unwrap();
    });
    room.run(200);
    // The primary may have started again meanwhile, and serve; what it has is more than what it had told.
    room.nodes[3].facts.offset = 500;
    room.nodes[3].facts.primary_link = PrimaryLink::Down { since_ms: room.now };
    room.run(300);
    assert!(room.data(3).me().flags.contains(NodeFlags::REPLICA));
    assert!(room.said(3, "Manual failover given up").is_some());
}

#[test]
fn a_shard_between_two_owners_counts() {
    let mut room = Room::three_with_replicas();
    let member = &mut room.nodes[5].member;
    let primary = member.lookup(&id(0)).unwrap();
    member.vacate(primary);
    assert_eq!(member.data.owners.get(0), None);
    assert_eq!((member.size(), member.quorum()), (3, 2));
    let slots = member.peer(primary).slots.clone();
    assert!(slots.is_empty());
}
