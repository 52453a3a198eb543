use super::*;
use crate::config::Config;
use std::fs;

fn load_line(line: &str) -> Result<Loaded, LoadError> {
    let args: Vec<_> = words::split(line.as_bytes())
        .unwrap()
        .into_iter()
        .map(|w| w.bytes)
        .collect();
    load(&args)
}

fn config(line: &str) -> Config {
    Config::from_values(&load_line(line).unwrap().values)
}

fn error(line: &str) -> String {
    load_line(line).unwrap_err().to_string()
}

#[test]
fn options_are_taken_in_any_of_stocks_shapes() {
    let c =
        config(r#"--port 7000 --cluster-enabled yes "--timeout 5" --bind 127.0.0.1 -::1 --save "" --hz 20"#);
    assert_eq!(
        (c.port, c.cluster_enabled, c.timeout_s, c.hz),
        (7000, true, 5, 20)
    );
    assert_eq!(c.bind, ["127.0.0.1", "-::1"]);
    assert!(!c.bind_is_default);
    assert_eq!(config("--save --port 7001").port, 7001);
    assert_eq!(config("--port 7000 --port 7001").port, 7001);
    assert_eq!(config("--requirepass --secret").requirepass.unwrap(), b"--secret");
}

#[test]
fn the_command_lines_of_tutorials_start() {
    let line =
        "--cluster-enabled yes --cluster-config-file nodes.conf --cluster-node-timeout 5000 --appendonly yes";
    let loaded = load_line(line).unwrap();
    assert_eq!(Config::from_values(&loaded.values).cluster_node_timeout_ms, 5000);
    let about_appendonly = loaded.warnings.iter().find(|w| w.contains("appendonly")).unwrap();
    assert!(about_appendonly.contains("in memory only"), "{about_appendonly}");
}

#[test]
fn a_mistake_has_stocks_shape_and_a_hint() {
    assert_eq!(
        error("--appendnoly yes"),
        "\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\nReading the configuration file, at line 2\n\
         >>> 'appendnoly \"yes\"'\nBad directive or wrong number of arguments\nThe nearest directive is 'appendonly'"
    );
    assert!(error("--port").ends_with(">>> 'port'\nwrong number of arguments"));
    assert!(error("--port 1 2").ends_with(">>> 'port \"1\" \"2\"'\nwrong number of arguments"));
    assert!(
        error("--save --port 99999")
            .contains("at line 3\n>>> 'port \"99999\"'\nargument must be between 0 and")
    );
    assert!(error("--dir /nonexistent").ends_with("No such file or directory"));
    assert!(error("--cluster-enabled yes --replicaof 1.1.1.1 9").contains("not allowed in cluster mode"));
    assert!(
        error("/nonexistent/x.conf")
            .starts_with("Fatal error, can't open config file '/nonexistent/x.conf': No such")
    );
}

#[test]
fn a_file_is_read_with_its_includes_and_options_win() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.conf");
    fs::write(dir.path().join("b.conf"), "timeout 9\nmaxclients 7\n").unwrap();
    let text = format!(
        "# comment\nport 7000\nbind 0.0.0.0 # Allow connections from any interface\n\ninclude {}/b.*\nmaxclients 8\n",
        dir.path().display()
    );
    fs::write(&file, text).unwrap();
    let loaded = load_line(&format!("{} --port 7009", file.display())).unwrap();
    let c = Config::from_values(&loaded.values);
    assert_eq!((c.port, c.timeout_s, c.maxclients), (7009, 9, 8));
    assert_eq!(c.bind, ["0.0.0.0"]);
    assert_eq!(loaded.file.unwrap(), file);
    assert!(
        loaded.warnings.iter().any(|w| w.contains("# Allow connections")),
        "{:?}",
        loaded.warnings
    );
}

#[test]
fn a_file_that_includes_itself_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.conf");
    fs::write(&file, format!("include {}\n", file.display())).unwrap();
    assert!(error(&file.display().to_string()).contains("nested too deeply"));
}

#[test]
fn save_points_replace_the_default_and_then_add_up() {
    let show = |line: &str| {
        let values = load_line(line).unwrap().values;
        String::from_utf8(values.by_name("save").show(Kind::SavePoints)).unwrap()
    };
    assert_eq!(show("--save 900 1 --save 300 10"), "900 1 300 10");
    assert_eq!(show(r#"--save "900 1 300 10""#), "900 1 300 10");
    assert_eq!(show(r#"--save 900 1 --save """#), "");
}

#[test]
fn users_are_taken_as_they_are_written() {
    let users = load_line("--user default on nopass ~* &* +@all --user bob on (+get ~x) +nobody-knows")
        .unwrap()
        .users;
    assert_eq!(users.len(), 2);
    assert_eq!((&*users[1].name, users[1].rules.len()), (&b"bob"[..], 4));
    assert!(error("--user bob off --user bob on").contains("'bob': Duplicate user found."));
    assert!(error("--user bob foo").contains("Error in user declaration 'foo': Syntax error"));
    assert!(error("--user bob on (+get").contains("'(+get': Unmatched parenthesis"));
    for secret in [
        "--user bob >hush foo",
        "--user bob \">hush hush\" foo",
        "--user bob <hush",
    ] {
        let said = error(secret);
        assert!(said.contains("(redacted)") && !said.contains("hush"), "{said}");
    }
}

#[test]
fn a_secret_is_not_in_the_warning() {
    let warnings = load_line("--tls-key-file-pass hunter2").unwrap().warnings;
    assert!(
        warnings[0].contains("tls-key-file-pass") && !warnings[0].contains("hunter2"),
        "{warnings:?}"
    );
}

#[test]
fn defaults_do_not_warn() {
    assert_eq!(
        load_line("--appendonly no --io-threads 1 --tls-port 0")
            .unwrap()
            .warnings,
        Vec::<String>::new()
    );
}
