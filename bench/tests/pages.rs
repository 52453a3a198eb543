//! README and docs/ against the program: every command line they show is one that is understood.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use loadgen::cli::args::Cli;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn pages() -> Vec<(String, String)> {
    let docs = fs::read_dir(root().join("docs")).unwrap();
    let mut paths: Vec<PathBuf> = docs.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.extend(["README.md", "results/README.md"].map(|page| root().join(page)));
    let read = |path: PathBuf| (path.display().to_string(), fs::read_to_string(&path).unwrap());
    paths.into_iter().map(read).collect()
}

/// The lines of the shell blocks of a page, without their comments.
fn shell_lines(page: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(language) => inside = language == "sh",
            None if inside => lines.push(line.split(" #").next().unwrap().trim().to_owned()),
            None => {}
        }
    }
    lines
}

/// The arguments of a line that starts loadgen; none for other lines.
fn loadgen_args(line: &str) -> Option<Vec<String>> {
    let args = line
        .strip_prefix("loadgen ")
        .or_else(|| line.strip_prefix("cargo run --release -- "))?;
    let args = args.split(" > ").next().unwrap();
    // Quoted words have no blanks in them here, so that the quotes are all that the shell takes away.
    let words = args.split_whitespace().map(|word| word.trim_matches('\''));
    Some(words.map(str::to_owned).collect())
}

#[test]
fn commands_are_understood() {
    let mut count = 0;
    for (page, text) in pages() {
        for line in shell_lines(&text) {
            let Some(args) = loadgen_args(&line) else { continue };
            let parsed = Cli::try_parse_from(std::iter::once("loadgen".to_owned()).chain(args));
            if let Err(error) = parsed {
                panic!("{page}: {line}\n{error}");
            }
            count += 1;
        }
    }
    assert!(count > 10, "{count} commands were found");
}

#[test]
fn links_lead_somewhere() {
    for (page, text) in pages() {
        let folder = Path::new(&page).parent().unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if file.is_empty() || link.starts_with("http") {
                continue;
            }
            assert!(folder.join(file).exists(), "{page}: {link}");
        }
    }
}

/// Codes are the first argument of `warning(...)`.
#[test]
fn every_warning_has_a_row() {
    let source = include_str!("../src/stats/warn.rs");
    let method = fs::read_to_string(root().join("docs/method.md")).unwrap();
    let (code, _tests) = source.split_once("#[cfg(test)]").unwrap();
    let calls = code.split("warning(").skip(1).map(str::trim_start);
    let codes: Vec<&str> = calls
        .filter_map(|call| call.strip_prefix('"')?.split('"').next())
        .collect();
    assert!(codes.len() >= 8, "{codes:?}");
    let of_searches = include_str!("../src/stats/found.rs").split("add(\"").skip(1);
    let of_searches: Vec<&str> = of_searches.filter_map(|call| call.split('"').next()).collect();
    assert_eq!(of_searches.len(), 3, "{of_searches:?}");
    for code in codes.into_iter().chain(of_searches) {
        assert!(method.contains(&format!("\n| `{code}` |")), "{code}");
    }
}
