//! How the cores of this machine are divided between the generator and the nodes it launches.

/// Threads of the generator, and of each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division {
    pub generator: u32,
    pub each_node: u32,
}

/// Nodes get half the cores, but a thread each at least; the generator gets what they leave, one at least. What the
/// user asked for stays as it is. Every engine gets the same, or a comparison would compare numbers of threads.
pub fn divide(cores: u32, nodes: u32, generator: Option<u32>, each_node: Option<u32>) -> Division {
    let nodes = nodes.max(1);
    let for_nodes = cores.saturating_sub(generator.unwrap_or(cores / 2));
    let each_node = each_node.unwrap_or((for_nodes / nodes).max(1));
    let left = cores.saturating_sub(each_node.saturating_mul(nodes)).max(1);
    Division {
        generator: generator.unwrap_or(left),
        each_node,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_machines() {
        for (cores, nodes, generator, each_node) in [
            (1, 3, 1, 1),
            (2, 3, 1, 1),
            (2, 1, 1, 1),
            (4, 3, 1, 1),
            (8, 3, 5, 1),
            (16, 3, 10, 2),
            (64, 3, 34, 10),
        ] {
            assert_eq!(
                divide(cores, nodes, None, None),
                Division { generator, each_node },
                "{cores} cores"
            );
        }
        assert_eq!(
            divide(8, 3, Some(2), None),
            Division {
                generator: 2,
                each_node: 2
            }
        );
        assert_eq!(
            divide(8, 1, None, Some(6)),
            Division {
                generator: 2,
                each_node: 6
            }
        );
    }
}
