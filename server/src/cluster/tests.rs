use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use slotcore::route::{Decision, KeyPresence, KeySlots, RouteRequest};
use slotcore::topology::nodes::{parse_conf, write_conf};
use slotcore::topology::{Endpoint, NodeFlags, NodeId};
use slotcore::{SLOT_COUNT, Slot};

use super::protocol::{Effects, Facts, Input, Member, RoleChange};
use super::*;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const C: &str = "cccccccccccccccccccccccccccccccccccccccc";

fn settings() -> ClusterSettings {
    ClusterSettings {
        port: 7000,
        bus_port: 17000,
        require_full_coverage: true,
        ..ClusterSettings::default()
    }
}

/// Three primaries: A (myself) 0-5460, B 5461-10922, C 10923-16383.
fn three() -> String {
    format!(
        "{A} 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-5460\n\
         {B} 127.0.0.1:7001@17001 master - 0 1700000000000 2 connected 5461-10922\n\
         {C} 127.0.0.1:7002@17002,c.example master,fail? - 0 1700000000000 3 disconnected 10923-16383\n\
         vars currentEpoch 3 lastVoteEpoch 2\n"
    )
}

fn data(conf: &str) -> ClusterData {
    ClusterData::from_conf(&parse_conf(conf).unwrap(), settings()).unwrap()
}

/// As it is when the rules of the protocol let the state follow at once.
fn view(mut data: ClusterData) -> ClusterView {
    data.state_ok = data.could_serve();
    ClusterView::new(data, 0)
}

fn refusal(view: &ClusterView, slot: Slot) -> Option<String> {
    let decision = view.route(&RouteRequest::read(KeySlots::One(slot)), KeyPresence::default);
    view.refusal(decision).map(String::from)
}

fn open(dir: &tempfile::TempDir) -> (Cluster, PathBuf) {
    let path = dir.path().join("nodes.conf");
    (Cluster::open(&path, settings()).unwrap(), path)
}

#[test]
fn a_new_node_is_alone_and_keeps_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let (cluster, path) = open(&dir);
    let id = cluster.view().me().id;
    assert_eq!(cluster.view().state(), ClusterState::Fail);
    assert_eq!(
        refusal(&cluster.view(), 5).as_deref(),
        Some("CLUSTERDOWN Hash slot not served")
    );
    let expected =
        format!("{id} :7000@17000 myself,master - 0 0 0 connected\nvars currentEpoch 0 lastVoteEpoch 0\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert!(
        Cluster::open(&path, settings())
            .unwrap_err()
            .to_string()
            .contains("already used by a different node")
    );
    drop(cluster);
    assert_eq!(open(&dir).0.view().me().id, id);
}

#[test]
fn a_change_is_on_the_disk_before_it_is_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let (cluster, path) = open(&dir);
    let before = cluster.view().version();
    let claim = |claim, slots: std::ops::Range<Slot>| {
        cluster.command(Facts::default, |member, now, facts, out| {
            member.claim(now, facts, claim, slots, out)
        })
    };
    claim(Claim::Add, 0..SLOT_COUNT as Slot).unwrap();
    assert_eq!(cluster.view().version(), before + 1);
    assert_eq!(cluster.view().state(), ClusterState::Ok);
    assert!(
        fs::read_to_string(&path)
            .unwrap()
            .contains(" connected 0-16383\n")
    );
    assert_eq!(refusal(&cluster.view(), 5), None);

    let refused = claim(Claim::Add, 5..6).unwrap_err();
    assert_eq!(refused.to_string(), "ERR Slot 5 is already busy");
    // The successor's name is taken by a directory: the change cannot be saved, so it does not happen.
    fs::create_dir(dir.path().join(format!("nodes.conf.tmp-{}", std::process::id()))).unwrap();
    let unsaved = claim(Claim::Delete, 5..6).unwrap_err().to_string();
    assert!(
        unsaved.starts_with("ERR error saving the cluster node config: cannot make"),
        "{unsaved}"
    );
    assert_eq!(cluster.view().version(), before + 1);
    assert_eq!(cluster.view().slot_counts().assigned, SLOT_COUNT);
    assert_eq!(cluster.ask(|member| member.data().owners.coverage()), SLOT_COUNT);
}

#[test]
fn no_view_says_primary_before_the_data_are_our_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nodes.conf");
    let conf = three().replace(
        &format!("{A} 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-5460"),
        &format!("{A} 127.0.0.1:7000@17000 myself,slave {B} 0 0 1 connected"),
    );
    fs::write(&path, conf).unwrap();
    let cluster = Cluster::open(&path, settings()).unwrap();
    cluster.step(Facts::default(), Input::Tick);
    while cluster.next_order().is_some() {
        cluster.order_done();
    }
    let is_primary = || cluster.view().me().primary.is_none();
    let reset = cluster.command(Facts::default, |member, now, facts, out| {
        member.reset(now, facts, None, out);
        Ok(())
    });
    reset.unwrap();
    assert!(!is_primary());
    // Whatever else happens before the bus thread has had its turn.
    let bump = |member: &mut Member, now, facts, out: &mut Effects| Ok(member.bump_epoch(now, facts, out));
    cluster.command(Facts::default, bump).unwrap();
    cluster.step(Facts::default(), Input::Tick);
    assert!(!is_primary());
    let order = cluster.next_order().unwrap();
    assert_eq!(order.role, Some(RoleChange::Promote));
    assert!(!is_primary());
    cluster.promoted();
    assert!(is_primary());
    assert_eq!(cluster.version(), cluster.view().version());
}

#[test]
fn directives_take_effect_and_announced_names_come_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let (cluster, path) = open(&dir);
    let announced = ClusterSettings {
        announce_ip: Some("10.1.1.1".into()),
        announce_hostname: Some("me.example".into()),
        port: 7777,
        ..settings()
    };
    cluster.reconfigure(Facts::default, announced).unwrap();
    assert!(
        fs::read_to_string(&path)
            .unwrap()
            .contains(" 10.1.1.1:7777@17000,me.example ")
    );
    let version = cluster.view().version();
    let same = cluster.view().data().settings.clone();
    cluster.reconfigure(Facts::default, same).unwrap();
    assert_eq!(cluster.view().version(), version, "nothing new, nothing written");
    cluster.reconfigure(Facts::default, settings()).unwrap();
    assert!(fs::read_to_string(&path).unwrap().contains(" :7000@17000 "));
}

#[test]
fn a_verdict_of_the_file_stands_and_a_suspicion_does_not() {
    let failed = view(data(&three().replace("fail?", "fail")));
    assert_eq!(failed.state(), ClusterState::Fail);
    assert_eq!(failed.size(), 3);
    assert_eq!(
        (failed.slot_counts().ok, failed.slot_counts().fail),
        (10923, 5461)
    );
    let view = view(data(&three()));
    assert_eq!(view.state(), ClusterState::Ok);
    assert_eq!(refusal(&view, 0), None);
    assert_eq!(refusal(&view, 5461).as_deref(), Some("MOVED 5461 127.0.0.1:7001"));
    let again = write_conf(&view.data().to_conf());
    assert_eq!(
        again,
        three()
            .replace("master,fail?", "master")
            .replace("2 connected", "2 disconnected"),
        "nobody is linked before the bus has linked us"
    );
}

#[test]
fn redirects_name_the_preferred_endpoint() {
    let mut data = data(&three());
    for (endpoint, b, c) in [
        (
            Endpoint::Ip,
            "MOVED 5461 127.0.0.1:7001",
            "MOVED 16383 127.0.0.1:7002",
        ),
        (
            Endpoint::Hostname,
            "MOVED 5461 ?:7001",
            "MOVED 16383 c.example:7002",
        ),
        (Endpoint::Unknown, "MOVED 5461 :7001", "MOVED 16383 :7002"),
    ] {
        data.settings.endpoint = endpoint;
        let view = view(data.clone());
        assert_eq!(refusal(&view, 5461).as_deref(), Some(b));
        assert_eq!(refusal(&view, 16383).as_deref(), Some(c));
    }
}

#[test]
fn coverage_and_quorum_decide_the_state() {
    let mut data = data(&three());
    data.claim(Claim::Delete, [16383]).unwrap();
    let state = |data: &ClusterData| view(data.clone()).state();
    assert_eq!(state(&data), ClusterState::Fail);
    assert_eq!(
        refusal(&view(data.clone()), 0).as_deref(),
        Some("CLUSTERDOWN The cluster is down")
    );
    data.settings.require_full_coverage = false;
    assert_eq!(state(&data), ClusterState::Ok);
    for node in &mut data.nodes[1..] {
        node.flags |= NodeFlags::PFAIL;
    }
    assert_eq!(
        state(&data),
        ClusterState::Fail,
        "one of three primaries is no majority"
    );
    data.flush_slots();
    assert_eq!(view(data.clone()).size(), 2);
    data.claim(Claim::Delete, 5461..16383).unwrap();
    assert_eq!(state(&data), ClusterState::Fail, "nobody owns anything");
}

#[test]
fn a_down_cluster_may_serve_reads() {
    let mut data = data(&three());
    data.claim(Claim::Delete, [16383]).unwrap();
    data.settings.allow_reads_when_down = true;
    let view = view(data);
    assert_eq!(refusal(&view, 0), None);
    let write = view.route(&RouteRequest::write(KeySlots::One(0)), KeyPresence::default);
    let text = view.refusal(write).unwrap();
    assert_eq!(
        text,
        "CLUSTERDOWN The cluster is down and only accepts read commands"
    );
}

#[test]
fn a_replica_serves_those_who_said_readonly() {
    let conf = three().replace("myself,", "").replace(
        "vars",
        &format!(
            "{} 127.0.0.1:7003@17003 myself,slave {A} 0 0 1 connected\nvars",
            "d".repeat(40)
        ),
    );
    let view = view(data(&conf));
    let read = RouteRequest {
        readonly: true,
        ..RouteRequest::read(KeySlots::One(0))
    };
    let decision = view.route(&read, KeyPresence::default);
    assert_eq!(decision, Decision::Local);
    let decision = view.route(&RouteRequest::read(KeySlots::One(0)), KeyPresence::default);
    assert!(
        matches!(decision, Decision::Moved { slot: 0, .. }),
        "{decision:?}"
    );
    assert!(view.is_of_my_shard(0) && !view.is_of_my_shard(5461));
}

#[test]
fn open_slots_of_the_file_are_honoured() {
    let conf = three().replace("0-5460\n", &format!("0-5460 [7->-{B}] [5461-<-{B}]\n"));
    let view = view(data(&conf));
    let missing = KeyPresence {
        existing: 0,
        missing: 1,
        several: false,
    };
    let ask = view.route(&RouteRequest::read(KeySlots::One(7)), || missing);
    assert_eq!(view.refusal(ask).unwrap(), "ASK 7 127.0.0.1:7001");
    let asking = RouteRequest {
        asking: true,
        ..RouteRequest::read(KeySlots::One(5461))
    };
    assert_eq!(view.route(&asking, || missing), Decision::Local);
    assert!(write_conf(&view.data().to_conf()).contains(&format!(" 0-5460 [7->-{B}] [5461-<-{B}]\n")));
}

#[test]
fn claims_are_whole_or_nothing_and_say_what_stock_says() {
    let mut data = ClusterData::alone(random_id(), settings());
    let mut claim = |claim, slots: &[Slot]| {
        data.claim(claim, slots.iter().copied())
            .map_err(|e| e.to_string())
    };
    assert_eq!(
        claim(Claim::Add, &[1, 2, 1]),
        Err("ERR Slot 1 specified multiple times".into())
    );
    assert_eq!(claim(Claim::Add, &[1, 2]), Ok(()));
    assert_eq!(
        claim(Claim::Add, &[3, 2]),
        Err("ERR Slot 2 is already busy".into())
    );
    assert_eq!(
        claim(Claim::Delete, &[3]),
        Err("ERR Slot 3 is already unassigned".into())
    );
    assert_eq!(
        claim(Claim::Delete, &[1, 1]),
        Err("ERR Slot 1 specified multiple times".into())
    );
    assert_eq!(claim(Claim::Delete, &[2, 1]), Ok(()));
}

#[test]
fn epochs() {
    let mut alone = ClusterData::alone(random_id(), settings());
    let error = |result: Result<(), AdminError>| result.unwrap_err().to_string();
    assert_eq!(
        error(alone.set_config_epoch(-1)),
        "ERR Invalid config epoch specified: -1"
    );
    alone.set_config_epoch(5).unwrap();
    assert_eq!((alone.me().epoch, alone.current_epoch), (5, 5));
    assert_eq!(
        error(alone.set_config_epoch(6)),
        "ERR Node config epoch is already non-zero"
    );
    assert_eq!(alone.bump_epoch(), Bump::Still(5));

    let mut three = data(&three());
    let many = "ERR The user can assign a config epoch only when the node does not know any other node.";
    assert_eq!(error(three.set_config_epoch(9)), many);
    assert_eq!(three.bump_epoch(), Bump::Bumped(4));
    assert_eq!((three.bump_epoch(), three.current_epoch), (Bump::Still(4), 4));
}

#[test]
fn reset_soft_and_hard() {
    let mut soft = data(&three());
    soft.reset(None);
    let text = write_conf(&soft.to_conf());
    assert_eq!(
        text,
        format!(
            "{A} 127.0.0.1:7000@17000 myself,master - 0 0 1 connected\nvars currentEpoch 3 lastVoteEpoch 2\n"
        )
    );
    let mut hard = data(&three());
    let id = random_id();
    hard.reset(Some(id));
    let text = write_conf(&hard.to_conf());
    assert_eq!(
        text,
        format!(
            "{id} 127.0.0.1:7000@17000 myself,master - 0 0 0 connected\nvars currentEpoch 0 lastVoteEpoch 0\n"
        )
    );
    hard.set_config_epoch(1).unwrap();
}

#[test]
fn forget_moves_the_others_up() {
    let id = |text: &str| text.parse::<NodeId>().unwrap();
    // Myself last, so that every index moves.
    let mut lines: Vec<String> = three()
        .replace("0-5460", &format!("0-5460 [7->-{B}] [9->-{C}]"))
        .lines()
        .map(String::from)
        .collect();
    lines.swap(0, 2);
    let mut data = data(&(lines.join("\n") + "\n"));
    let error = |data: &mut ClusterData, id: &str| data.forget(id.as_bytes()).unwrap_err().to_string();
    assert_eq!(error(&mut data, "zz"), "ERR Unknown node zz");
    assert_eq!(
        error(&mut data, A),
        "ERR I tried hard but I can't forget myself..."
    );
    data.forget(B.as_bytes()).unwrap();
    assert_eq!(error(&mut data, B), format!("ERR Unknown node {B}"));
    assert_eq!(data.me().id, id(A));
    assert_eq!(data.owners.coverage(), SLOT_COUNT - 5462);
    let topology = data.topology();
    assert_eq!(topology.node(id(A)).unwrap().slots.len(), 5461);
    assert_eq!(topology.node(id(C)).unwrap().slots.len(), 5461);
    let open: Vec<_> = topology
        .node(id(A))
        .unwrap()
        .migrating
        .iter()
        .map(|open| (open.slot, open.node))
        .collect();
    assert_eq!(open, [(9, id(C))]);
}

proptest! {
    /// Whatever administrators do, what is saved is what is loaded again.
    #[test]
    fn any_history_survives_a_restart(steps in prop::collection::vec((0..7u8, 0..SLOT_COUNT as Slot, 1..3000u16), 0..12)) {
        let mut data = data(&three());
        for (step, slot, count) in steps {
            let slots = slot..slot.saturating_add(count).min(SLOT_COUNT as Slot);
            let _ = match step {
                0 => data.claim(Claim::Add, slots).map(drop),
                1 => data.claim(Claim::Delete, slots).map(drop),
                2 => data.set_config_epoch(i64::from(slot)),
                3 => { data.bump_epoch(); Ok(()) }
                4 if count < 300 => { data.flush_slots(); Ok(()) }
                5 if count < 300 => { data.reset((count < 150).then(random_id)); Ok(()) }
                6 => data.forget(if slot % 2 == 0 { B } else { C }.as_bytes()),
                _ => Ok(()),
            };
        }
        let saved = write_conf(&data.to_conf());
        let again = ClusterData::from_conf(&parse_conf(&saved).unwrap(), settings()).unwrap();
        prop_assert_eq!(write_conf(&again.to_conf()), saved);
        prop_assert_eq!(ClusterView::new(again, 0).state(), ClusterView::new(data, 0).state());
    }
}
