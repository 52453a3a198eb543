//! The rows, a file a group, and the one array that they become while compiling.
//!
//! A row says what cannot be derived: ACL categories that follow from flags, the "movablekeys" flag, the legacy key
//! triple, ids and groups are filled in by [`placed`](CommandSpec::placed). Subcommands follow their container.

use super::flags::Group;
use super::spec::{CommandId, CommandSpec};

mod bitmap;
mod cluster;
mod connection;
mod generic;
mod geo;
mod hash;
mod hyperloglog;
mod list;
mod pubsub;
mod scripting;
mod server;
mod set;
mod sorted_set;
mod stream;
mod string;
mod transactions;

const GROUPS: &[(Group, &[CommandSpec])] = &[
    (Group::String, string::ROWS),
    (Group::Generic, generic::ROWS),
    (Group::Hash, hash::ROWS),
    (Group::List, list::ROWS),
    (Group::Set, set::ROWS),
    (Group::SortedSet, sorted_set::ROWS),
    (Group::Stream, stream::ROWS),
    (Group::Bitmap, bitmap::ROWS),
    (Group::Hyperloglog, hyperloglog::ROWS),
    (Group::Geo, geo::ROWS),
    (Group::Pubsub, pubsub::ROWS),
    (Group::Transactions, transactions::ROWS),
    (Group::Scripting, scripting::ROWS),
    (Group::Connection, connection::ROWS),
    (Group::Server, server::ROWS),
    (Group::Cluster, cluster::ROWS),
];

/// How many commands the table has, subcommands included; every [`CommandId`] is below it.
pub const COMMAND_COUNT: usize = {
    let mut count = 0;
    let mut group = 0;
    while group < GROUPS.len() {
        count += GROUPS[group].1.len();
        group += 1;
    }
    count
};

/// All rows, by id, for what is computed while compiling.
#[expect(
    clippy::large_const_arrays,
    reason = "nothing at run time uses it but the static below"
)]
pub(super) const ROWS: [CommandSpec; COMMAND_COUNT] = {
    let mut rows = [GROUPS[0].1[0]; COMMAND_COUNT];
    let mut id = 0;
    let mut group = 0;
    while group < GROUPS.len() {
        let (name, members) = GROUPS[group];
        let mut i = 0;
        let mut container = 0;
        while i < members.len() {
            rows[id] = members[i].placed(id as u16, name);
            if rows[id].name.len() == rows[id].full_name.len() {
                container = id;
            } else {
                rows[id].container = Some(CommandId(container as u16));
                rows[container].subcommand_count += 1;
            }
            id += 1;
            i += 1;
        }
        group += 1;
    }
    rows
};

static TABLE: [CommandSpec; COMMAND_COUNT] = ROWS;

/// The rows in memory, by id.
#[inline]
pub(super) fn rows() -> &'static [CommandSpec; COMMAND_COUNT] {
    &TABLE
}

/// The row of a command.
#[inline]
pub fn spec(id: CommandId) -> &'static CommandSpec {
    &TABLE[id.index()]
}

/// Containers and plain commands, in the order of their ids.
pub fn all() -> impl Iterator<Item = &'static CommandSpec> {
    TABLE.iter().filter(|spec| spec.container.is_none())
}

/// Containers, plain commands and subcommands, in the order of their ids.
pub fn all_with_subcommands() -> impl Iterator<Item = &'static CommandSpec> {
    TABLE.iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_subcommands_follow_their_container() {
        let mut seen = HashSet::new();
        for (index, row) in all_with_subcommands().enumerate() {
            assert_eq!(row.id.index(), index);
            assert!(seen.insert(row.full_name), "{} twice", row.full_name);
            assert_eq!(row.full_name, row.full_name.to_ascii_lowercase());
            if let Some(container) = row.container {
                assert_eq!(row.full_name, format!("{}|{}", spec(container).name, row.name));
            }
        }
        let listed: usize = all().map(|row| 1 + row.subcommands().len()).sum();
        assert_eq!(listed, COMMAND_COUNT);
    }

    #[test]
    fn every_row_is_complete() {
        for row in all_with_subcommands() {
            assert!(
                row.arity != 0 && !row.since.is_empty() && !row.summary.is_empty(),
                "{}",
                row.full_name
            );
            assert!(
                row.summary.len() < 100 && !row.summary.ends_with('.'),
                "{}: {}",
                row.full_name,
                row.summary
            );
        }
    }
}
