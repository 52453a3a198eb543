//! Runs this program once more, under callgrind, and reads how many instructions each operation took.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

/// The first argument of that second life; the second is a folder for its files.
pub const COUNT: &str = "count-in";

/// An operation and its figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    pub operation: String,
    /// Of one operation, on average.
    pub instructions: f64,
}

/// Counts all operations, in one process.
pub fn count() -> anyhow::Result<Vec<Count>> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let parts = folder.path().join("parts");
    let output = Command::new("valgrind")
        .args([
            "--quiet",
            "--tool=callgrind",
            "--combine-dumps=yes",
            "--collect-atstart=no",
            // Each function here is named once: of two options for one pattern callgrind heeds one.
            "--toggle-collect=*instructions_are_collected_here*",
            "--dump-before=*a_part_is_complete*",
        ])
        .arg(format!("--callgrind-out-file={}", parts.display()))
        .arg(std::env::current_exe().context("cannot find this program")?)
        .args([Path::new(COUNT), folder.path()])
        .stderr(Stdio::inherit())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("there is no valgrind (Debian: apt-get install valgrind)")
        }
        Err(error) => return Err(error).context("cannot run valgrind"),
    };
    ensure!(output.status.success(), "under callgrind: {}", output.status);
    let names = String::from_utf8(output.stdout).context("the names of the operations")?;
    let parts = std::fs::read_to_string(&parts).context("cannot read callgrind's output")?;
    per_operation(&names, &parts)
}

/// Brings what was counted together with what it was: in `names` a line for each operation, with how often it was done; in
/// `parts` callgrind's output, a part for each, and one for the rest of the process, in which nothing was to be collected.
fn per_operation(names: &str, parts: &str) -> anyhow::Result<Vec<Count>> {
    let totals: Result<Vec<u64>, _> = parts
        .lines()
        .filter_map(|line| line.strip_prefix("totals: "))
        .map(|total| total.trim().parse())
        .collect();
    let totals = totals.context("callgrind's totals are no numbers")?;
    let operations: Vec<&str> = names.lines().collect();
    let Some((&rest, totals)) = totals.split_last() else {
        bail!("callgrind wrote no totals");
    };
    ensure!(
        totals.len() == operations.len() && rest == 0 && !totals.contains(&0),
        "{} operations, and callgrind counted {totals:?} and {rest} outside of them",
        operations.len()
    );
    operations
        .iter()
        .zip(totals)
        .map(|(line, &total)| {
            let (operation, times) = line.split_once(' ').context("an operation without times")?;
            let times: u32 = times.parse().context("times are no number")?;
            Ok(Count {
                operation: operation.to_owned(),
                instructions: total as f64 / f64::from(times),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(totals: &[u64]) -> String {
        totals
            .iter()
            .enumerate()
            .map(|(at, total)| {
                format!(
                    "part: {}\n\nevents: Ir\nsummary: {total}\n\nfn=(1) f\n0 7\n\ntotals: {total}\n",
                    at + 1
                )
            })
            .collect()
    }

    #[test]
    fn a_part_belongs_to_the_operation_of_its_place() {
        let counts = per_operation("get 10\nset 4\n", &parts(&[25, 6, 0])).expect("two operations");
        let expected = [("get", 2.5), ("set", 1.5)].map(|(operation, instructions)| Count {
            operation: operation.to_owned(),
            instructions,
        });
        assert_eq!(counts, expected);
    }

    /// A function that callgrind did not find, or found twice, must not give some operation another's figure.
    #[test]
    fn parts_that_do_not_fit_are_refused() {
        for totals in [
            &[][..],
            &[31],
            &[0],
            &[25, 6],
            &[25, 6, 1],
            &[25, 0, 0],
            &[25, 6, 2, 0],
        ] {
            per_operation("get 10\nset 4\n", &parts(totals)).expect_err("they do not fit");
        }
        per_operation("get\n", &parts(&[25, 0])).expect_err("how often?");
    }
}
