//! One call of a member: what it is told, and where it puts what it wants.

use super::effects::{Effects, Save};
use super::input::Facts;
use crate::log::Level;

/// The time, the facts and the effects of one call.
pub(super) struct Turn<'a> {
    /// Unix ms.
    pub now: u64,
    pub facts: Facts,
    pub out: &'a mut Effects,
}

impl Turn<'_> {
    /// nodes.conf has to be written, at least like this.
    pub fn save(&mut self, save: Save) {
        self.out.save = self.out.save.max(save);
    }

    /// Clients can see a difference, and nodes.conf has to be written.
    pub fn changed(&mut self, save: Save) {
        self.out.publish = true;
        self.save(save);
    }

    /// What an operator must know.
    pub fn warn(&mut self, text: String) {
        self.out.log.push((Level::Warning, text));
    }

    /// What an operator wants to know.
    pub fn notice(&mut self, text: String) {
        self.out.log.push((Level::Notice, text));
    }

    /// What is rarely of use.
    pub fn verbose(&mut self, text: String) {
        self.out.log.push((Level::Verbose, text));
    }
}
