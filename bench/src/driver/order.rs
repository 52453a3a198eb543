//! The order of the rounds: A B B A A B B A ..., so that whatever drifts on the machine (its clock, its neighbours,
//! its temperature) falls on both engines alike.

/// Which subject (an index below `subjects`) runs which round, in order; every subject runs every round once.
pub fn interleaved(subjects: usize, rounds: u32) -> impl Iterator<Item = (u32, usize)> {
    (0..rounds).flat_map(move |round| {
        let forward = round % 2 == 0;
        (0..subjects).map(move |i| (round, if forward { i } else { subjects - 1 - i }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_engines_alternate_who_goes_first() {
        let order: String = interleaved(2, 4)
            .map(|(_, s)| if s == 0 { 'A' } else { 'B' })
            .collect();
        assert_eq!(order, "ABBAABBA");
        let rounds: Vec<u32> = interleaved(2, 2).map(|(round, _)| round).collect();
        assert_eq!(rounds, [0, 0, 1, 1]);
    }

    #[test]
    fn one_engine_just_runs() {
        assert_eq!(interleaved(1, 3).collect::<Vec<_>>(), [(0, 0), (1, 0), (2, 0)]);
    }
}
