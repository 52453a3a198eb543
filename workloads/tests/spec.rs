//! The workload format: what it accepts, and how it says what is wrong.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use workloads::spec::{Overrides, Size, Traffic};
use workloads::{BUILTINS, Spec, load};

fn parse(text: &str) -> Spec {
    Spec::parse("mine", "mine.toml", text).unwrap()
}

fn error(text: &str) -> String {
    Spec::parse("mine", "mine.toml", text).unwrap_err().to_string()
}

#[test]
fn built_ins_open_with_prose_and_compile() {
    for builtin in BUILTINS {
        let spec = load(builtin.name).unwrap();
        for prose in [&spec.question, &spec.expectation, &spec.reading] {
            assert!(prose.len() > 60, "{} explains itself", builtin.name);
        }
        assert!(spec.question.contains('?'));
        let workload = spec.compile(1).unwrap();
        assert_eq!(workload.spec().name, builtin.name);
        // Every value is what a file with the defaults left out would say, or is written out: nothing hides.
        assert!(serde_json_like(&spec).contains("duration_s"));
    }
    assert_eq!(
        load("pipeline-sweep").unwrap().run.pipeline,
        [1, 2, 4, 8, 16, 32, 64, 128]
    );
    assert_eq!(load("reconnect-storm").unwrap().calm_share(), Some(0.5));
    assert_eq!(load("noisy-neighbor").unwrap().calm_share(), Some(0.5));
    assert!(matches!(
        load("hotslot").unwrap().traffic,
        Traffic::Hotslot { slot: 7777, .. }
    ));
}

fn serde_json_like(spec: &Spec) -> String {
    toml::to_string(spec).unwrap()
}

#[test]
fn a_cache_is_filled_by_a_set_of_the_mix() {
    let spec = parse(
        "[[mix]]\ncommand = 'GET'\nfill = true\n[[mix]]\ncommand = 'SET'\nweight = 0\n[cluster]\nconfig = ['maxmemory 1mb']\n",
    );
    assert!(spec.mix[0].fill && !spec.mix[1].fill);
    assert_eq!(spec.cluster.config, ["maxmemory 1mb"]);
    let workload = spec.compile(1).unwrap();
    let mut stream = workload.client_stream(0);
    for _ in 0..100 {
        let read = stream.next_op();
        assert!(workload.has_fills() && workload.fills(&read));
        let fill = workload.fill_op(&read);
        assert_eq!(
            (fill.key(), fill.slot(), fill.command()),
            (read.key(), read.slot(), 1)
        );
        assert!(workload.is_write(&fill) && !workload.fills(&fill) && fill == workload.fill_op(&read));
    }
    for (text, wanted) in [
        ("[[mix]]\ncommand = 'GET'\nfill = true\n", "mix[0].fill"),
        (
            "[[mix]]\ncommand = 'STRLEN'\nfill = true\n[[mix]]\ncommand = 'SET'\n",
            "only a GET",
        ),
        (
            "arrival.rate = 10\n[[mix]]\ncommand = 'GET'\nfill = true\n[[mix]]\ncommand = 'SET'\n",
            "closed loop",
        ),
        ("[cluster]\nconfig = 'maxmemory 1mb'\n", "a list of texts"),
    ] {
        assert!(error(text).contains(wanted), "{}", error(text));
    }
}

#[test]
fn an_empty_file_is_a_workload() {
    let spec = parse("");
    assert_eq!(spec.mix[0].command, "GET");
    assert_eq!(spec.traffic, Traffic::Uniform);
    assert_eq!(spec.values.size, Size::Fixed(64));
    assert_eq!(spec.run.clients, 50);
}

#[test]
fn numbers_may_be_written_as_people_write_them() {
    let spec = parse(
        "keyspace.keys = '10k'\nrun.duration = 3\nrun.warmup = '250ms'\nvalues.size = { min = 0x10, max = '1k' }\n",
    );
    assert_eq!(spec.keyspace.keys, 10_000);
    assert_eq!(spec.run.duration, Duration::from_secs(3));
    assert_eq!(spec.run.warmup, Duration::from_millis(250));
    assert_eq!(spec.values.size, Size::Range { min: 16, max: 1000 });
}

#[test]
fn errors_name_file_line_and_key() {
    let cases = [
        ("a = 1\nb = ", "mine.toml:2:"),
        (
            "\n[keyspace]\nkeyz = 5\n",
            "mine.toml:3: keyspace.keyz: unknown key; did you mean `keys`?",
        ),
        (
            "[keyspaces]\nkeys = 5\n",
            "mine.toml:1: keyspaces: unknown key; did you mean `keyspace`?",
        ),
        (
            "[keyspace]\nkeys = 0\n",
            "mine.toml:2: keyspace.keys: 0 is out of range",
        ),
        (
            "[keyspace]\nkeys = -5\n",
            "mine.toml:2: keyspace.keys: a whole number is wanted, e.g. 1000 or \"10k\", not -5",
        ),
        (
            "keyspace = 5\n",
            "mine.toml:1: keyspace: a section [keyspace] is wanted",
        ),
        (
            "[keyspace]\nkeys = 1000\nkeys_per_tag = 7\n",
            "mine.toml:2: keyspace.keys: 1000 keys are no multiple",
        ),
        (
            "[keyspace]\nkeys = 100_000\nkey_size = 4\n",
            "mine.toml:3: keyspace.key_size: 4 bytes are too few",
        ),
        (
            "\n[[mix]]\nweight = 1\n",
            "mine.toml:2: mix[0].command: is missing",
        ),
        (
            "[[mix]]\ncommand = 'GET'\n[[mix]]\ncommand = 'MGTE'\n",
            "did you mean MGET?",
        ),
        (
            "[[mix]]\ncommand = 'GET'\nkeys = 3\n",
            "mine.toml:3: mix[0].keys: GET takes one key",
        ),
        (
            "[[mix]]\ncommand = 'GET'\nweight = 0\n",
            "the weights add up to nothing",
        ),
        (
            "[[mix]]\ncommand = 'MGET'\nkeys = 5\n",
            "mine.toml:3: mix[0].keys: 5 keys of one MGET must lie in one slot",
        ),
        (
            "[[mix]]\ncommand = 'MGET'\nkeys = 1000\nsplit = true\n",
            "mine.toml:3: mix[0].keys: 1000 is out of range",
        ),
        (
            "[[mix]]\ncommand = 'SET'\nargs = [1]\n",
            "mine.toml:3: mix[0].args: a list of texts is wanted",
        ),
        (
            "[traffic]\ndistribution = 'zipfian'\n",
            "mine.toml:2: traffic.distribution: unknown distribution \"zipfian\"",
        ),
        (
            "[traffic]\ndistribution = 'zipf'\ntheta = 0.0\n",
            "mine.toml:3: traffic.theta: 0 is out of range",
        ),
        (
            "[traffic]\ndistribution = 'zipf'\nshare = 0.5\n",
            "mine.toml:3: traffic.share: means nothing to distribution \"zipf\"",
        ),
        (
            "[traffic]\ndistribution = 'hotslot'\nslot = 16384\n",
            "mine.toml:3: traffic.slot: 16384 is out of range",
        ),
        (
            "[traffic]\ndistribution = 'hotslot'\nshare = 25\n",
            "mine.toml:3: traffic.share: 25 is out of range; 0 to 1",
        ),
        (
            "[values]\nkind = 'zeros'\n",
            "mine.toml:2: values.kind: unknown kind \"zeros\"",
        ),
        (
            "[values]\nsize = { min = 5, max = 4 }\n",
            "mine.toml:2: values.size: min is larger than max",
        ),
        (
            "[values]\nsize = { min = 5 }\n",
            "mine.toml:2: values.size: min and max are both wanted",
        ),
        (
            "[arrival]\nmode = 'constant'\n",
            "mine.toml:1: arrival.rate: is missing",
        ),
        (
            "[arrival]\nrate = 1000\nshape = 'ramp'\n",
            "mine.toml:1: arrival.to: is missing",
        ),
        (
            "[arrival]\nrate = 0\n",
            "mine.toml:2: arrival.rate: at this rate nothing is ever sent",
        ),
        (
            "[arrival]\nrate = 10\nshape = 'burst'\nto = 20\nevery = '1s'\nlength = '1s'\n",
            "mine.toml:6: arrival.length: a burst is longer than nothing and shorter than every",
        ),
        (
            "[arrival]\nrate = 10\nshape = 'ramp'\nto = 20\n[run]\nrequests = 5\n",
            "mine.toml:3: arrival.shape: a ramp or steps need a run that is bounded by time",
        ),
        (
            "[run]\nduration = 'soon'\n",
            "mine.toml:2: run.duration: a duration is wanted",
        ),
        (
            "[run]\npipeline = [1, 0]\n",
            "mine.toml:2: run.pipeline: 0 is out of range; 1 to 65536",
        ),
        (
            "[run]\nclients = 0\n",
            "mine.toml:2: run.clients: 0 is out of range",
        ),
        (
            "[check]\nhot_share_points = 1\n",
            "mine.toml:2: check.hot_share_points: there is no hot slot",
        ),
    ];
    for (text, expected) in cases {
        let error = error(text);
        assert!(
            error.contains(expected),
            "{text:?}\n  says   {error}\n  wanted {expected}"
        );
        assert!(
            error.starts_with("mine.toml:") || error.contains("mix"),
            "{error}"
        );
    }
}

#[test]
fn a_wrong_override_names_its_flag() {
    let mut spec = parse("[keyspace]\nkeys_per_tag = 10\n");
    let error = spec
        .apply(&Overrides {
            keys: Some(15),
            ..Overrides::default()
        })
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "--keyspace: 15 keys are no multiple of keys_per_tag, 10"
    );
    let mut spec = parse("[run]\nclients = 5\n");
    let error = spec
        .apply(&Overrides {
            clients: Some(0),
            ..Overrides::default()
        })
        .unwrap_err();
    assert!(error.to_string().starts_with("--clients: 0 is out of range"));
}

#[test]
fn a_ratio_keeps_proportions_within_writes_and_within_reads() {
    let ratio = |text: &str, ratio| {
        let mut spec = parse(text);
        spec.apply(&Overrides {
            ratio: Some(ratio),
            ..Overrides::default()
        })
        .unwrap();
        let total: u64 = spec.mix.iter().map(|entry| entry.weight).sum();
        spec.mix
            .iter()
            .map(|e| format!("{} {:.3}", e.command, e.weight as f64 / total as f64))
            .collect::<Vec<_>>()
    };
    let mixed = "[[mix]]\ncommand='GET'\nweight=3\n[[mix]]\ncommand='STRLEN'\nweight=1\n[[mix]]\ncommand='SET'\nweight=9\n";
    assert_eq!(ratio(mixed, (1, 1)), ["GET 0.375", "STRLEN 0.125", "SET 0.500"]);
    assert_eq!(ratio(mixed, (0, 1)), ["GET 0.750", "STRLEN 0.250"]);
    assert_eq!(ratio(mixed, (1, 0)), ["SET 1.000"]);
    assert_eq!(ratio("", (1, 9)), ["GET 0.900", "SET 0.100"]);
    assert_eq!(ratio("[[mix]]\ncommand='SET'\n", (0, 1)), ["GET 1.000"]);
}

#[test]
fn overrides_replace_what_the_file_says() {
    let mut spec = load("pipeline-sweep").unwrap();
    let overrides = Overrides {
        clients: Some(3),
        pipeline: Some(vec![16]),
        keys: Some(5000),
        value_size: Some(Size::Fixed(1024)),
        requests: Some(100),
        warmup: Some(Duration::ZERO),
        ..Overrides::default()
    };
    spec.apply(&overrides).unwrap();
    assert_eq!(
        (spec.run.clients, spec.run.pipeline.as_slice(), spec.keyspace.keys),
        (3, [16].as_slice(), 5000)
    );
    assert_eq!(
        (spec.values.size.clone(), spec.run.requests),
        (Size::Fixed(1024), Some(100))
    );
    spec.apply(&Overrides {
        duration: Some(Duration::from_secs(1)),
        ..Overrides::default()
    })
    .unwrap();
    assert_eq!(spec.run.requests, None);
}

#[test]
fn an_unknown_workload_names_the_nearest() {
    let error = load("hotslots").unwrap_err().to_string();
    assert!(error.contains("did you mean hotslot?"), "{error}");
    assert!(
        load("no/such/file.toml")
            .unwrap_err()
            .to_string()
            .starts_with("no/such/file.toml: ")
    );
}

#[test]
fn company_is_bounded_and_comes_alone() {
    let refused = |text: &str| Spec::parse("t", "t.toml", text).unwrap_err().to_string();
    for (text, expected) in [
        ("[storm]\nrate = 0\n", "storm.rate: 0 is out of range"),
        ("[storm]\nfrom = 1.0\n", "storm.from: 1 is out of range"),
        ("[storm]\ncommand = 'FLUSHALL'\n", "there are PING and GET"),
        ("[neighbor]\nkind = 'sett'\n", "did you mean \"set\"?"),
        ("[neighbor]\nelements = 5\n", "means nothing to kind \"string\""),
        ("[neighbor]\nslot = 16384\n", "16384 is out of range"),
        ("[neighbor]\nclients = 65\n", "1 to 64 is possible"),
        ("[storm]\n[neighbor]\n", "one at a time"),
        ("[storm]\n[run]\nrequests = 5\n", "bounded by time"),
    ] {
        let error = refused(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
    let mut spec = load("reconnect-storm").unwrap();
    let overrides = Overrides {
        requests: Some(5),
        ..Overrides::default()
    };
    let error = spec.apply(&overrides).unwrap_err().to_string();
    assert!(
        error.starts_with("--requests: ") && error.contains("bounded by time"),
        "{error}"
    );
}

#[test]
fn commands_that_are_spelled_out_are_checked() {
    let refused = |text: &str| Spec::parse("mine", "mine.toml", text).unwrap_err().to_string();
    for (text, expected) in [
        (
            "[[mix]]\nsend = ['GET', 'a']\n",
            "has no $key in it: where it lies would be unknown; write \"a:$key\"",
        ),
        (
            "[[mix]]\nsend = ['GETT', '$key']\n",
            "mine.toml:2: mix[0].send: unknown command \"GETT\"",
        ),
        (
            "[[mix]]\nsend = ['GET', '$key', 'x']\n",
            "3 words are the wrong number for GET",
        ),
        (
            "[[mix]]\nsend = ['BLPOP', '$key', '0']\n",
            "a section [receivers] has connections for that",
        ),
        ("[[mix]]\nsend = ['MULTI']\n", "MULTI changes its connection"),
        (
            "[[mix]]\nsend = ['GET', '$kye']\n",
            "unknown placeholder $kye; there are $key",
        ),
        (
            "[[mix]]\nsend = 'GET $key'\n",
            "a list of texts is wanted, e.g. [\"HGET\"",
        ),
        ("[[mix]]\nsend = []\n", "a command has 1 to 256 words"),
        (
            "[[mix]]\nsend = [['GET', '$key'], 'x']\n",
            "a list of words is wanted, or a list of such lists",
        ),
        (
            "[[mix]]\nsend = ['GET', '$key']\nkeys = 1\n",
            "mix[0].keys: means nothing beside send",
        ),
        (
            "[[mix]]\nsend = ['SET', '$key', '$token', 'EX', '$value']\n",
            "room for one of them",
        ),
        (
            "[[mix]]\ncommand = 'GET'\ncount = { hit = 'yes' }\n",
            "unknown condition \"yes\"; there are any, nil",
        ),
        (
            "[[mix]]\ncommand = 'GET'\ncount = 5\n",
            "a table of counters and conditions is wanted",
        ),
        (
            "[[mix]]\ncommand = 'GET'\nafter = '1s'\n",
            "mix[0].after: means nothing without then",
        ),
        (
            "[[mix]]\nsend = ['GET', '$key']\nthen = 'x'\n",
            "no entry of the mix has name = \"x\"",
        ),
        (
            "[[mix]]\nname = 'x'\nsend = ['GET', '$key']\nthen = 'x'\n",
            "one step is possible",
        ),
        (
            "[[mix]]\nsend = ['EVALSHA', '$script', '1', '$key']\n",
            "mix[0].script: is missing",
        ),
        (
            "[[mix]]\nsend = ['GET', '$key']\nscript = 'x'\n",
            "as the only command of an entry",
        ),
        (
            "[[preload]]\nsend = ['SET', 'x', '$value']\n",
            "preload[0].send: the key \"x\" of SET has no $key",
        ),
        (
            "[[preload]]\nsend = ['SET', '$key', '$value']\ntimes = 0\n",
            "preload[0].times: 0 is out of range",
        ),
        (
            "[receivers]\nfrom = 'q:$key'\n",
            "receivers.command: is missing: one of BRPOP",
        ),
        (
            "[receivers]\ncommand = 'BRPOPP'\nfrom = 'q:$key'\n",
            "did you mean BRPOP?",
        ),
        (
            "[receivers]\ncommand = 'BRPOP'\nfrom = 'q'\n[keyspace]\nkeys = 5\n",
            "receivers.from: has no $key in it",
        ),
        (
            "[receivers]\ncommand = 'BRPOP'\nfrom = 'q:$key'\n",
            "10000 are possible: lower keyspace.keys",
        ),
        (
            "keyspace.keys = 5\nreceivers = { command = 'BRPOP', from = 'q:$key' }\n",
            "nothing is sent to \"q:$key\": an entry of the mix needs a send that ends in \"$value\"",
        ),
        (
            "keyspace.keys = 5\nvalues.size = 10\nreceivers = { command = 'BRPOP', from = 'q:$key' }\n[[mix]]\n\
             send = ['LPUSH', 'q:$key', '$value']\n",
            "values.size: 16 bytes of each value say which one it is",
        ),
        ("keyspace.key_size = { scale = 5 }\n", "location is missing"),
        (
            "[keyspace]\nspread = 'even'\nkey_size = { location = 30, scale = 8, shape = 0.1, min = 16, max = 90 }\n",
            "cannot be spread evenly",
        ),
        (
            "values.size = { small = [0.6, 0.6], scale = 5, shape = 0.1 }\n",
            "1 at most together, not 1.2",
        ),
        (
            "values.size = { small = [0.6, 0.2], location = 1, scale = 5, shape = 0.1 }\n",
            "the tail begins behind them",
        ),
        ("values.size = { scale = 5 }\n", "shape is missing"),
    ] {
        let error = refused(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn a_ratio_keeps_what_follows() {
    let mut spec = load("lock").unwrap();
    spec.apply(&Overrides {
        ratio: Some((1, 1)),
        ..Overrides::default()
    })
    .unwrap();
    assert!(
        spec.mix
            .iter()
            .any(|entry| entry.name.as_deref() == Some("release"))
    );
    assert!(spec.mix.iter().any(|entry| entry.command == "GET"));
}
