//! The decision table, told a second time as a list of conditions in order, and compared over every combination.

use std::cell::Cell;

use super::*;

/// A view in which one slot has these properties.
#[derive(Clone, Copy, Debug)]
struct View {
    owner: Option<u16>,
    myself: Option<u16>,
    my_primary: Option<u16>,
    migrating_to: Option<u16>,
    importing_from: Option<u16>,
    service: Service,
}

fn index(place: u16) -> NodeIndex {
    NodeIndex::new(usize::from(place)).unwrap()
}

impl RouteView for View {
    fn owner(&self, _: Slot) -> Option<NodeIndex> {
        self.owner.map(index)
    }
    fn myself(&self) -> Option<NodeIndex> {
        self.myself.map(index)
    }
    fn my_primary(&self) -> Option<NodeIndex> {
        self.my_primary.map(index)
    }
    fn migrating_to(&self, _: Slot) -> Option<NodeIndex> {
        self.migrating_to.map(index)
    }
    fn importing_from(&self, _: Slot) -> Option<NodeIndex> {
        self.importing_from.map(index)
    }
    fn service(&self) -> Service {
        self.service
    }
}

const ME: u16 = 0;
const OTHER: u16 = 1;
const SLOT: Slot = 77;

const MINE: View = View {
    owner: Some(ME),
    myself: Some(ME),
    my_primary: None,
    migrating_to: None,
    importing_from: None,
    service: Service::Full,
};
const THEIRS: View = View {
    owner: Some(OTHER),
    ..MINE
};
const DOWN: Service = Service::Down {
    allow_reads: false,
    allow_shard_channels: false,
};

fn ask(view: &View, request: RouteRequest) -> Decision {
    route(view, &request, || {
        panic!("no slot is open, the keys must not be looked up")
    })
}

fn ask_with(view: &View, request: RouteRequest, existing: usize, missing: usize) -> Decision {
    route(view, &request, || KeyPresence {
        existing,
        missing,
        several: existing + missing > 1,
    })
}

fn one_read() -> RouteRequest {
    RouteRequest::read(KeySlots::One(SLOT))
}

#[test]
fn key_slots_of_a_request() {
    assert_eq!(KeySlots::of([]), KeySlots::None);
    assert_eq!(KeySlots::of([5]), KeySlots::One(5));
    assert_eq!(KeySlots::of([5, 5, 5]), KeySlots::One(5));
    assert_eq!(KeySlots::of([5, 5, 6]), KeySlots::Several(5));
}

#[test]
fn plain_requests() {
    assert_eq!(ask(&MINE, one_read()), Decision::Local);
    assert_eq!(
        ask(&THEIRS, one_read()),
        Decision::Moved {
            slot: SLOT,
            node: index(OTHER)
        }
    );
    assert_eq!(ask(&THEIRS, RouteRequest::read(KeySlots::None)), Decision::NoKeys);
    assert_eq!(
        ask(&MINE, RouteRequest::write(KeySlots::Several(SLOT))),
        Decision::CrossSlot
    );
    let nobodys = View { owner: None, ..MINE };
    assert_eq!(
        ask(&nobodys, one_read()),
        Decision::ClusterDown(ClusterDownReason::Unbound)
    );
}

#[test]
fn an_unbound_slot_is_told_before_crossing_slots_and_both_before_the_state() {
    let several = RouteRequest::read(KeySlots::Several(SLOT));
    let nobodys = View {
        owner: None,
        service: DOWN,
        ..MINE
    };
    assert_eq!(
        ask(&nobodys, several),
        Decision::ClusterDown(ClusterDownReason::Unbound)
    );
    assert_eq!(
        ask(
            &View {
                service: DOWN,
                ..MINE
            },
            several
        ),
        Decision::CrossSlot
    );
    assert_eq!(
        ask(
            &View {
                service: DOWN,
                ..MINE
            },
            RouteRequest::read(KeySlots::None)
        ),
        Decision::NoKeys
    );
}

#[test]
fn a_cluster_that_is_down() {
    let down = View {
        service: DOWN,
        ..MINE
    };
    assert_eq!(
        ask(&down, one_read()),
        Decision::ClusterDown(ClusterDownReason::State)
    );
    let reads = View {
        service: Service::Down {
            allow_reads: true,
            allow_shard_channels: false,
        },
        ..MINE
    };
    assert_eq!(ask(&reads, one_read()), Decision::Local);
    let write = RouteRequest::write(KeySlots::One(SLOT));
    assert_eq!(
        ask(&reads, write),
        Decision::ClusterDown(ClusterDownReason::ReadOnlyState)
    );
    let publish = RouteRequest {
        shard_channel: true,
        ..write
    };
    assert_eq!(
        ask(&reads, publish),
        Decision::ClusterDown(ClusterDownReason::State)
    );
    let channels = View {
        service: Service::Down {
            allow_reads: false,
            allow_shard_channels: true,
        },
        ..MINE
    };
    assert_eq!(ask(&channels, publish), Decision::Local);
}

#[test]
fn a_slot_that_leaves() {
    let leaving = View {
        migrating_to: Some(OTHER),
        ..MINE
    };
    let gone = Decision::Ask {
        slot: SLOT,
        node: index(OTHER),
    };
    assert_eq!(ask_with(&leaving, one_read(), 1, 0), Decision::Local);
    assert_eq!(ask_with(&leaving, one_read(), 0, 1), gone);
    assert_eq!(ask_with(&leaving, one_read(), 0, 3), gone);
    assert_eq!(ask_with(&leaving, one_read(), 1, 1), Decision::TryAgain);
    assert_eq!(
        ask(
            &leaving,
            RouteRequest {
                migrate: true,
                ..one_read()
            }
        ),
        Decision::Local
    );
    assert_eq!(
        ask(
            &leaving,
            RouteRequest {
                shard_channel: true,
                ..one_read()
            }
        ),
        Decision::Local
    );
}

#[test]
fn a_slot_that_comes() {
    let coming = View {
        importing_from: Some(OTHER),
        ..THEIRS
    };
    let asking = RouteRequest {
        asking: true,
        ..one_read()
    };
    assert_eq!(
        ask_with(&coming, one_read(), 1, 0),
        Decision::Moved {
            slot: SLOT,
            node: index(OTHER)
        }
    );
    assert_eq!(ask_with(&coming, asking, 0, 1), Decision::Local);
    assert_eq!(ask_with(&coming, asking, 2, 0), Decision::Local);
    assert_eq!(ask_with(&coming, asking, 1, 1), Decision::TryAgain);
    let twice_the_same = route(&coming, &asking, || KeyPresence {
        existing: 0,
        missing: 2,
        several: false,
    });
    assert_eq!(twice_the_same, Decision::Local);
    assert_eq!(
        ask(&THEIRS, asking),
        Decision::Moved {
            slot: SLOT,
            node: index(OTHER)
        }
    );
    assert_eq!(
        ask(
            &coming,
            RouteRequest {
                migrate: true,
                ..one_read()
            }
        ),
        Decision::Local
    );
}

#[test]
fn a_replica_serves_its_primarys_slots_to_those_who_say_readonly() {
    let replica = View {
        my_primary: Some(OTHER),
        ..THEIRS
    };
    let moved = Decision::Moved {
        slot: SLOT,
        node: index(OTHER),
    };
    assert_eq!(ask(&replica, one_read()), moved);
    assert_eq!(
        ask(
            &replica,
            RouteRequest {
                readonly: true,
                ..one_read()
            }
        ),
        Decision::Local
    );
    assert_eq!(
        ask(
            &replica,
            RouteRequest {
                readonly: true,
                write: true,
                ..one_read()
            }
        ),
        moved
    );
    assert_eq!(
        ask(
            &replica,
            RouteRequest {
                shard_channel: true,
                ..one_read()
            }
        ),
        Decision::Local
    );
    let of_another = View {
        my_primary: Some(2),
        ..THEIRS
    };
    assert_eq!(
        ask(
            &of_another,
            RouteRequest {
                readonly: true,
                ..one_read()
            }
        ),
        moved
    );
}

/// The first condition that holds decides.
fn by_the_book(view: &View, request: &RouteRequest, here: KeyPresence) -> Decision {
    let down = view.service != Service::Full;
    let (reads, channels) = match view.service {
        Service::Full => (true, true),
        Service::Down {
            allow_reads,
            allow_shard_channels,
        } => (allow_reads, allow_shard_channels),
    };
    let here = if request.shard_channel {
        KeyPresence::default()
    } else {
        here
    };
    let mine = view.owner.is_some() && view.owner == view.myself;
    let leaves = mine && view.migrating_to.is_some();
    let comes = !leaves && view.importing_from.is_some();
    let reader = request.readonly || request.shard_channel;
    let copied = view.my_primary.is_some() && view.my_primary == view.owner;
    let to = |place: Option<u16>| index(place.unwrap_or(0));
    let down_because = |reason| Decision::ClusterDown(reason);
    [
        (request.slots == KeySlots::None, Decision::NoKeys),
        (view.owner.is_none(), down_because(ClusterDownReason::Unbound)),
        (matches!(request.slots, KeySlots::Several(_)), Decision::CrossSlot),
        (
            down && request.shard_channel && !channels,
            down_because(ClusterDownReason::State),
        ),
        (
            down && !request.shard_channel && !reads,
            down_because(ClusterDownReason::State),
        ),
        (
            down && !request.shard_channel && request.write,
            down_because(ClusterDownReason::ReadOnlyState),
        ),
        (request.migrate && (leaves || comes), Decision::Local),
        (
            leaves && here.missing > 0 && here.existing > 0,
            Decision::TryAgain,
        ),
        (
            leaves && here.missing > 0,
            Decision::Ask {
                slot: SLOT,
                node: to(view.migrating_to),
            },
        ),
        (
            comes && request.asking && here.several && here.missing > 0,
            Decision::TryAgain,
        ),
        (comes && request.asking, Decision::Local),
        (reader && copied && !request.write, Decision::Local),
        (mine, Decision::Local),
        (
            true,
            Decision::Moved {
                slot: SLOT,
                node: to(view.owner),
            },
        ),
    ]
    .into_iter()
    .find(|(holds, _)| *holds)
    .map(|(_, decision)| decision)
    .unwrap()
}

#[test]
fn every_combination_is_decided_by_the_book() {
    let services = [
        Service::Full,
        DOWN,
        Service::Down {
            allow_reads: true,
            allow_shard_channels: false,
        },
        Service::Down {
            allow_reads: false,
            allow_shard_channels: true,
        },
    ];
    let slots = [KeySlots::None, KeySlots::One(SLOT), KeySlots::Several(SLOT)];
    let here = [(0, 1), (1, 0), (1, 1), (0, 2), (2, 0)];
    let mut asked = 0;
    for place in 0..services.len() * slots.len() * here.len() * 32 * 48 {
        let (service, rest) = (services[place % 4], place / 4);
        let (slots, rest) = (slots[rest % 3], rest / 3);
        let ((existing, missing), rest) = (here[rest % 5], rest / 5);
        let (bit, rest) = (|at: usize| (rest >> at) & 1 == 1, rest >> 5);
        let request = RouteRequest {
            slots,
            write: bit(0),
            asking: bit(1),
            readonly: bit(2),
            migrate: bit(3),
            shard_channel: bit(4),
        };
        let view = View {
            owner: [None, Some(ME), Some(OTHER)][rest % 3],
            my_primary: [None, Some(OTHER)][rest / 3 % 2],
            migrating_to: [None, Some(2)][rest / 6 % 2],
            importing_from: [None, Some(2)][rest / 12 % 2],
            myself: [Some(ME), None][rest / 24 % 2],
            service,
        };
        let here = KeyPresence {
            existing,
            missing,
            several: existing + missing > 1,
        };
        let looked_up = Cell::new(false);
        let decision = route(&view, &request, || {
            looked_up.set(true);
            here
        });
        assert_eq!(
            decision,
            by_the_book(&view, &request, here),
            "{view:?} {request:?} {here:?}"
        );
        let open = view.migrating_to.is_some() || view.importing_from.is_some();
        assert!(open || !looked_up.get(), "keys of a settled slot were looked up");
        asked += 1;
    }
    assert!(asked > 90_000);
}
