//! A user as its sessions share it: the name, the rules in force, and what of them every command asks.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use arc_swap::{ArcSwap, Guard};

use super::user::{Defaults, User};

/// One name and its rules. A user that was deleted and made again is another account.
pub struct Account {
    name: Box<[u8]>,
    user: ArcSwap<User>,
    /// The user may do everything.
    unrestricted: AtomicBool,
    /// The user needs no password, and is on.
    open: AtomicBool,
}

impl Account {
    /// A new account.
    pub fn new(name: &[u8], user: User) -> Arc<Self> {
        let account = Self {
            name: name.into(),
            unrestricted: AtomicBool::new(user.is_unrestricted()),
            open: AtomicBool::new(user.is_open()),
            user: ArcSwap::from_pointee(user),
        };
        Arc::new(account)
    }

    /// The user's name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The rules in force.
    pub fn user(&self) -> Guard<Arc<User>> {
        self.user.load()
    }

    /// May the user do everything? All that a command of such a user pays.
    #[inline]
    pub fn is_unrestricted(&self) -> bool {
        self.unrestricted.load(Relaxed)
    }

    /// Is a new connection this user's without a word?
    #[inline]
    pub fn is_open(&self) -> bool {
        self.open.load(Relaxed)
    }

    /// Puts other rules in force. Returns those that were.
    pub(super) fn replace(&self, user: User) -> Arc<User> {
        let (unrestricted, open) = (user.is_unrestricted(), user.is_open());
        // What is taken away is gone before the new rules are there, and what is given comes after them.
        self.unrestricted.fetch_and(unrestricted, Relaxed);
        let before = self.user.swap(Arc::new(user));
        self.unrestricted.store(unrestricted, Relaxed);
        self.open.store(open, Relaxed);
        before
    }

    /// The user is no more: whoever still has the account may do nothing.
    pub(super) fn revoke(&self) {
        self.replace(User::new(Defaults::default()));
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.name.escape_ascii())
    }
}
