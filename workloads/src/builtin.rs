//! The workloads that come with the program, and how a user's own is found.

use std::path::Path;

use crate::spec::{Spec, SpecError, nearest};

/// A workload that comes with the program.
#[derive(Debug, Clone, Copy)]
pub struct Builtin {
    pub name: &'static str,
    /// The file, comments and all: a good place to start a workload of one's own from.
    pub text: &'static str,
}

macro_rules! builtin {
    ($name:literal) => {
        Builtin {
            name: $name,
            text: include_str!(concat!("../", $name, ".toml")),
        }
    };
}

/// In the order in which a newcomer would want to see them.
pub const BUILTINS: &[Builtin] = &[
    builtin!("uniform"),
    builtin!("zipf"),
    builtin!("hotslot"),
    builtin!("hashtag-mget"),
    builtin!("hashtag-mget-split"),
    builtin!("pipeline-sweep"),
    builtin!("failover"),
    builtin!("replica-reads"),
    builtin!("reconnect-storm"),
    builtin!("noisy-neighbor"),
    builtin!("session-cache"),
    builtin!("rate-limiter"),
    builtin!("leaderboard"),
    builtin!("queue"),
    builtin!("lock"),
    builtin!("pubsub-fanout"),
    builtin!("pubsub-fanout-sharded"),
    builtin!("etc"),
    builtin!("eviction"),
];

/// Loads a built-in by name, or a file: anything that ends in `.toml` or has a slash in it.
pub fn load(name: &str) -> Result<Spec, SpecError> {
    if let Some(builtin) = BUILTINS.iter().find(|builtin| builtin.name == name) {
        return Spec::parse(name, &format!("built-in {name}"), builtin.text);
    }
    let error = |message: String| SpecError {
        file: name.to_owned(),
        line: None,
        key: String::new(),
        message,
    };
    if !name.ends_with(".toml") && !name.contains('/') {
        let names: Vec<&str> = BUILTINS.iter().map(|builtin| builtin.name).collect();
        let near = nearest(name, names.iter().copied());
        let hint = near
            .map(|near| format!("; did you mean {near}?"))
            .unwrap_or_default();
        let message = format!(
            "no such workload; there are {}{hint} (a file's name ends in .toml)",
            names.join(", ")
        );
        return Err(error(message));
    }
    let text = std::fs::read_to_string(name).map_err(|cause| error(cause.to_string()))?;
    let stem = Path::new(name)
        .file_stem()
        .map_or(name.into(), |stem| stem.to_string_lossy());
    Spec::parse(&stem, name, &text)
}
