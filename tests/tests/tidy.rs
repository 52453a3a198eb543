//! The shape of the source tree: dependencies point one way, files stay rooms with one purpose.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines that a file may have, unless it is a table or a test.
const MAX_LINES: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the workspace")
        .into()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let name = path
            .file_name()
            .expect("an entry has a name")
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn dependencies_point_one_way() {
    let allowed: &[(&str, &[&str])] = &[
        ("slotcore", &[]),
        ("workloads", &["slotcore"]),
        ("slotmark-server", &["slotcore"]),
        ("loadgen", &["slotcore", "workloads", "slotmark-server"]),
        ("e2e", &["slotcore", "workloads", "slotmark-server", "loadgen"]),
    ];
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let names: Vec<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    assert_eq!(
        names.len(),
        allowed.len(),
        "a package is missing from this test's table: {names:?}"
    );
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let (_, may) = allowed
            .iter()
            .find(|(allowed, _)| *allowed == name)
            .expect("a known package");
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let other = dependency["name"].as_str().expect("a name");
            assert!(
                !names.contains(&other) || may.contains(&other),
                "{name} must not depend on {other}: see ARCHITECTURE.md"
            );
        }
    }
}

#[test]
fn files_stay_readable() {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    assert!(
        files.len() > 50,
        "the tree was not found from {}",
        root().display()
    );
    let mut long = Vec::new();
    for file in files {
        let shown = file
            .strip_prefix(root())
            .expect("below the root")
            .display()
            .to_string();
        let table_or_test = ["/tests/", "/tests.rs", "core/src/command/table/", "/benches/"]
            .iter()
            .any(|part| shown.contains(part))
            || shown.starts_with("tests/");
        let text = std::fs::read_to_string(&file).expect("UTF-8");
        // Unit tests at the end of a file do not count.
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        if code.lines().count() > MAX_LINES && !table_or_test {
            long.push(format!("{shown}: {} lines", code.lines().count()));
        }
    }
    assert!(long.is_empty(), "split these by purpose:\n{}", long.join("\n"));
}

/// docs/method.md names the tests that hold its promises: they are there.
#[test]
fn tests_named_in_the_method_exist() {
    let page = std::fs::read_to_string(root().join("docs/method.md")).expect("docs/method.md");
    let (_, table) = page
        .split_once("### Where that is held")
        .expect("the section is there");
    let names: Vec<&str> = table
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.matches('_').count() > 2)
        .collect();
    assert!(names.len() > 10, "{names:?}");
    let mut files = Vec::new();
    sources(&root(), &mut files);
    let code: String = files
        .iter()
        .map(|file| std::fs::read_to_string(file).expect("UTF-8"))
        .collect();
    for name in names {
        assert!(code.contains(&format!("fn {name}(")), "no test {name}");
    }
}

#[test]
fn the_core_has_no_unsafe_code_and_no_io() {
    let mut files = Vec::new();
    sources(&root().join("core/src"), &mut files);
    let lib = std::fs::read_to_string(root().join("core/src/lib.rs")).expect("core/src/lib.rs");
    assert!(lib.contains("#![forbid(unsafe_code)]"));
    for file in files {
        let text = std::fs::read_to_string(&file).expect("UTF-8");
        for banned in ["std::net", "std::fs", "std::time", "tokio"] {
            let used = text
                .lines()
                .any(|line| line.contains(banned) && !line.trim_start().starts_with("//"));
            assert!(!used, "{} uses {banned}", file.display());
        }
    }
}
