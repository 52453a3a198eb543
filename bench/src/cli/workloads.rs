//! `loadgen workloads [NAME]`.

use std::fmt::Write as _;

use super::{CommandResult, Exit, Failure, talk};
use crate::report::text::{WIDTH, wrap};

pub fn run(name: Option<&str>) -> CommandResult {
    let text = match name {
        None => list()?,
        Some(name) => match ::workloads::BUILTINS.iter().find(|b| b.name == name) {
            Some(builtin) => builtin.text.to_owned(),
            // The loader knows what to say about a name that is none.
            None => match ::workloads::load(name) {
                Ok(_) => std::fs::read_to_string(name)?,
                Err(error) => return Err(Failure::usage(error)),
            },
        },
    };
    talk::print(&text)?;
    Ok(Exit::Done)
}

fn list() -> Result<String, Failure> {
    let widest = ::workloads::BUILTINS
        .iter()
        .map(|b| b.name.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for builtin in ::workloads::BUILTINS {
        let spec = ::workloads::load(builtin.name).map_err(anyhow::Error::from)?;
        let mut name = builtin.name;
        for line in wrap(&spec.question, WIDTH - widest - 2) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name:widest$}  {line}");
            name = "";
        }
    }
    text.push_str("\nRun one with `loadgen --workload NAME`. `loadgen workloads NAME` prints its file\n");
    text.push_str("to make one of your own from, for `loadgen --workload FILE.toml`.\n");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_is_listed_within_a_terminals_width() {
        let text = list().map_err(|f| f.error).unwrap();
        for builtin in ::workloads::BUILTINS {
            assert!(
                text.lines()
                    .any(|l| l.split_whitespace().next() == Some(builtin.name)),
                "{text}"
            );
        }
        assert!(text.lines().all(|l| l.chars().count() <= WIDTH), "{text}");
    }
}
