//! What a generator thread has to do later.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::connection::Sent;

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub(super) enum Task {
    /// Connect this connection.
    Connect(usize),
    /// Give up on connecting it, if this still is the attempt of that number.
    GiveUp(usize, u32),
    /// Send this command of this client again.
    Resend(u32, Sent),
}

#[derive(Debug)]
struct Timer {
    due_ns: u64,
    task: Task,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.due_ns == other.due_ns
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    /// The earliest is the greatest, as a `BinaryHeap` wants it.
    fn cmp(&self, other: &Self) -> Ordering {
        other.due_ns.cmp(&self.due_ns)
    }
}

/// Tasks by the time when they are due.
#[derive(Debug, Default)]
pub(super) struct Timers(BinaryHeap<Timer>);

impl Timers {
    pub fn add(&mut self, due_ns: u64, task: Task) {
        self.0.push(Timer { due_ns, task });
    }

    /// When the next one is due.
    pub fn next_due_ns(&self) -> Option<u64> {
        self.0.peek().map(|timer| timer.due_ns)
    }

    /// Takes a task that is due.
    pub fn pop(&mut self, now_ns: u64) -> Option<Task> {
        if self.next_due_ns()? > now_ns {
            return None;
        }
        self.0.pop().map(|timer| timer.task)
    }

    /// Drops all tasks but connecting, and returns the commands among them.
    pub fn take_resends(&mut self) -> Vec<(u32, Sent)> {
        let mut resends = Vec::new();
        for timer in std::mem::take(&mut self.0) {
            match timer.task {
                Task::Resend(client, sent) => resends.push((client, sent)),
                _ => self.0.push(timer),
            }
        }
        resends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_none_before_its_time() {
        let mut timers = Timers::default();
        for due in [30, 10, 20] {
            timers.add(due, Task::Connect(due as usize));
        }
        assert!(timers.pop(9).is_none());
        let mut order = Vec::new();
        while let Some(Task::Connect(n)) = timers.pop(25) {
            order.push(n);
        }
        assert_eq!((order, timers.next_due_ns()), (vec![10, 20], Some(30)));
    }
}
