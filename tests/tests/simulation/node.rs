//! One node: its member, its disk, its machine, and its data as simply as can be.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use slotcore::topology::NodeId;
use slotmark_server::cluster::message::SlotBitmap;
use slotmark_server::cluster::protocol::{Facts, Input, LinkId, Member, PrimaryLink, RoleChange};
use slotmark_server::cluster::{ClusterData, ClusterSettings};

use super::world::World;

/// Where in the effects of a step that saves its process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    BeforeSave,
    AfterSave,
}

/// Whose data a node has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    Primary,
    Replica { of: NodeId, ip: String },
}

/// The data side: an offset, and where it comes from.
pub struct DataSide {
    pub role: Role,
    pub offset: u64,
    pub link: PrimaryLink,
    /// Up to when (simulated ms) the offset of a primary has been counted.
    counted_at: u64,
    /// Until when (the node's clock) writes are held back.
    pub paused_until: u64,
    /// When the copy of a new primary's data is complete, and which life of the primary it copies.
    copied_at: Option<u64>,
    pub copied_life: u64,
    lag_ms: u64,
}

impl DataSide {
    fn new(offset: u64, now: u64, lag_ms: u64) -> Self {
        Self {
            role: Role::Primary,
            offset,
            link: PrimaryLink::None,
            counted_at: now,
            paused_until: 0,
            copied_at: None,
            copied_life: 0,
            lag_ms,
        }
    }

    pub fn change(&mut self, role: RoleChange, now: u64) {
        match role {
            RoleChange::Promote => {
                self.role = Role::Primary;
                self.link = PrimaryLink::None;
                self.counted_at = now;
            }
            RoleChange::Follow { id, host, .. } => {
                let same = matches!(&self.role, Role::Replica { of, .. } if *of == id);
                self.role = Role::Replica { of: id, ip: host };
                if !same {
                    self.link = PrimaryLink::Never;
                    self.copied_at = None;
                }
            }
        }
    }

    /// Time in which nothing ran is no time in which anything was written.
    pub fn skip_to(&mut self, now: u64) {
        self.counted_at = now;
    }
}

pub struct Node {
    pub ip: String,
    pub id: NodeId,
    pub settings: ClusterSettings,
    /// `None`: the process does not run.
    pub member: Option<Member>,
    /// Counts the starts of the process.
    pub life: u64,
    pub machine_up: bool,
    /// How many faults have stopped the process; what comes in meanwhile waits.
    pub stopped: u32,
    pub inbox: VecDeque<Input>,
    /// By how much (ms) its clock is ahead.
    pub skew_ms: i64,
    /// nodes.conf, as far as it is on the disk.
    pub disk: Option<ClusterData>,
    /// Where in its next synced save the process dies.
    pub crash: Option<CrashPoint>,
    /// When the next wake event comes (simulated ms).
    pub wake_at: Option<u64>,
    /// Ticks in a row without any progress of time.
    pub spins: u32,
    pub links: BTreeMap<LinkId, (usize, usize)>,
    pub side: DataSide,
    /// What its last message as a primary claimed.
    pub claim: Option<(u64, SlotBitmap)>,
    /// Whether that was any slot at all.
    pub claims_slots: bool,
    /// It was told to take its primary's place without losing anything, and may ask for votes that need no failure in
    /// this epoch.
    pub graceful: bool,
    pub forced_epoch: u64,
    /// Whom it holds to be down by a majority's verdict, and whom it knows.
    pub failed: BTreeSet<NodeId>,
    pub known: BTreeSet<NodeId>,
}

impl Node {
    pub fn new(place: usize, id: NodeId, settings: ClusterSettings, lag_ms: u64, now: u64) -> Self {
        Self {
            ip: format!("10.0.0.{}", place + 1),
            id,
            settings,
            member: None,
            life: 0,
            machine_up: true,
            stopped: 0,
            inbox: VecDeque::new(),
            skew_ms: 0,
            disk: None,
            crash: None,
            wake_at: None,
            spins: 0,
            links: BTreeMap::new(),
            side: DataSide::new(0, now, lag_ms),
            claim: None,
            claims_slots: false,
            graceful: false,
            forced_epoch: 0,
            failed: BTreeSet::new(),
            known: BTreeSet::new(),
        }
    }

    pub fn address(&self) -> IpAddr {
        self.ip.parse().expect("the simulator's own addresses are some")
    }

    pub fn runs(&self) -> bool {
        self.member.is_some() && self.stopped == 0 && self.machine_up
    }

    pub fn data(&self) -> Option<&ClusterData> {
        self.member.as_ref().map(Member::data)
    }

    pub fn is_primary(&self) -> bool {
        self.data().is_some_and(|data| data.me().primary.is_none())
    }

    pub fn owns_slots(&self) -> bool {
        self.claim.is_some() && self.claims_slots
    }
}

impl World {
    /// The time by a node's clock.
    pub fn clock(&self, at: usize) -> u64 {
        self.now.saturating_add_signed(self.nodes[at].skew_ms)
    }

    pub fn start(&mut self, at: usize, keep_conf: bool) {
        let now = self.clock(at);
        let seed = self.chance.next();
        if self.nodes[at].member.is_some() {
            return;
        }
        if !keep_conf {
            if let Some(disk) = self.nodes[at].disk.take() {
                self.judge.moved.extend(disk.owners.slots_of(disk.myself).slots());
            }
            self.nodes[at].id = self.chance.id();
        }
        let keep_data = self.chance.one_in(2);
        let node = &mut self.nodes[at];
        let data = match &node.disk {
            Some(disk) => ClusterData::from_conf(&disk.to_conf(), node.settings.clone()),
            None => Some(ClusterData::alone(node.id, node.settings.clone())),
        };
        let Some(data) = data else {
            self.fail(format!("node {at} cannot read its own nodes.conf"));
            return;
        };
        node.disk = Some(data.clone());
        node.member = Some(Member::new(data, now, seed));
        node.life += 1;
        node.machine_up = true;
        let offset = if keep_data { node.side.offset } else { 0 };
        node.side = DataSide::new(offset, self.now, node.side.lag_ms);
        node.wake_at = None;
        self.judge_start(at);
        self.note(|world| format!("node {at} starts as {}", world.nodes[at].id));
        self.set_wake(at);
        self.unstick();
    }

    /// The process dies, or the machine with it. Of the former the others hear at once, if anything can reach them.
    pub fn kill(&mut self, at: usize, machine: bool) {
        if self.nodes[at].member.is_none() {
            return;
        }
        self.note(|_| format!("node {at} dies{}", if machine { " with its machine" } else { "" }));
        let links: Vec<(usize, usize)> = self.nodes[at].links.values().copied().collect();
        for (conn, side) in links {
            match machine {
                true => self.net.conns[conn].ends[side].open = false,
                false => self.close(conn, side),
            }
        }
        let node = &mut self.nodes[at];
        node.links.clear();
        node.member = None;
        node.inbox.clear();
        node.claim = None;
        node.crash = None;
        node.graceful = false;
        node.machine_up = !machine;
    }

    /// What a member is told of the data side.
    pub fn facts(&mut self, at: usize) -> Facts {
        let clock = self.clock(at);
        let now = self.now;
        match self.nodes[at].side.role.clone() {
            Role::Primary => {
                let node = &self.nodes[at];
                let serves = node.owns_slots() && node.data().is_some_and(|data| data.state_ok);
                let side = &mut self.nodes[at].side;
                if serves && clock >= side.paused_until {
                    side.offset += (now - side.counted_at) * 10;
                }
                side.counted_at = now;
            }
            Role::Replica { ip, .. } => self.replicate(at, &ip),
        }
        let side = &self.nodes[at].side;
        Facts {
            offset: side.offset,
            primary_link: side.link,
        }
    }

    /// The replication link of a replica: it breaks with the primary's process, stands still while that cannot be
    /// reached, and takes its time to copy everything anew.
    fn replicate(&mut self, at: usize, ip: &str) {
        let clock = self.clock(at);
        let Some(to) = self.nodes.iter().position(|node| node.ip == ip) else {
            return;
        };
        let reached = self.net.open(at, to) && self.net.open(to, at) && self.nodes[to].runs();
        let (life, runs) = (self.nodes[to].life, self.nodes[to].member.is_some());
        let copy_ms = self.chance.between(20, 500);
        let theirs = self.nodes[to].side.offset;
        let side = &mut self.nodes[at].side;
        match side.link {
            PrimaryLink::Up { last_io_ms } if !runs || life != side.copied_life => {
                side.link = PrimaryLink::Down { since_ms: last_io_ms };
                side.copied_at = None;
            }
            PrimaryLink::Up { last_io_ms } => {
                if reached && clock >= last_io_ms + side.lag_ms {
                    side.offset = theirs;
                    side.link = PrimaryLink::Up { last_io_ms: clock };
                }
            }
            _ if !reached => side.copied_at = None,
            _ => {
                let done = *side.copied_at.get_or_insert(self.now + copy_ms);
                if self.now >= done {
                    side.offset = theirs;
                    side.copied_life = life;
                    side.link = PrimaryLink::Up { last_io_ms: clock };
                }
            }
        }
    }
}
