//! Operations that are several commands: complete when the last part is.

use super::worker::ReplyClass;

/// A split operation under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    left: u32,
    start_ns: u64,
    error: Option<&'static str>,
    /// What the reply to its first part was.
    reply: ReplyClass,
}

/// Split operations under way, by number. Numbers are used again.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: Vec<Group>,
    free: Vec<u32>,
}

/// How a split operation ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// When its first part was sent.
    pub start_ns: u64,
    /// What was wrong with the first part that failed.
    pub error: Option<&'static str>,
    /// What the reply to its first part was.
    pub reply: ReplyClass,
}

impl Groups {
    /// Begins an operation of so many parts.
    pub fn open(&mut self, parts: usize) -> u32 {
        let group = Group {
            left: parts as u32,
            start_ns: u64::MAX,
            error: None,
            reply: ReplyClass::default(),
        };
        match self.free.pop() {
            Some(number) => {
                self.groups[number as usize] = group;
                number
            }
            None => {
                self.groups.push(group);
                self.groups.len() as u32 - 1
            }
        }
    }

    /// Notes what the reply to the first part of an operation was.
    pub fn replied(&mut self, number: u32, reply: ReplyClass) {
        self.groups[number as usize].reply = reply;
    }

    /// One part has ended; the whole operation, if it was the last.
    pub fn part_done(&mut self, number: u32, start_ns: u64, error: Option<&'static str>) -> Option<Ended> {
        let group = &mut self.groups[number as usize];
        group.left -= 1;
        group.start_ns = group.start_ns.min(start_ns);
        group.error = group.error.or(error);
        if group.left > 0 {
            return None;
        }
        let ended = Ended {
            start_ns: group.start_ns,
            error: group.error,
            reply: group.reply,
        };
        self.free.push(number);
        Some(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_ends_with_its_last_part_and_starts_with_its_first() {
        let mut groups = Groups::default();
        let (a, b) = (groups.open(2), groups.open(1));
        assert_eq!(groups.part_done(a, 20, Some("TRYAGAIN")), None);
        assert_eq!(
            groups.part_done(b, 5, None),
            Some(Ended {
                start_ns: 5,
                error: None,
                reply: ReplyClass::default()
            })
        );
        assert_eq!(groups.open(1), b);
        let ended = groups.part_done(a, 10, Some("LOADING"));
        assert_eq!(
            ended,
            Some(Ended {
                start_ns: 10,
                error: Some("TRYAGAIN"),
                reply: ReplyClass::default()
            })
        );
    }
}
