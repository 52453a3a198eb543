//! What SORT is asked for.

use crate::acl;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;

/// The words behind the key.
#[derive(Default)]
pub(super) struct Options<'a> {
    /// The pattern of the keys to sort by; one without `*` keeps the order as it is.
    pub by: Option<&'a [u8]>,
    /// First element, and how many; the latter negative: all.
    limit: Option<(i64, i64)>,
    /// Patterns of what is replied for each element.
    pub get: Vec<&'a [u8]>,
    pub descending: bool,
    pub alpha: bool,
    pub store: Option<&'a [u8]>,
}

/// May the caller read keys that only the patterns name?
fn reaches_any_key(call: &Call<'_>) -> bool {
    let session = &*call.session;
    session.account.is_unrestricted()
        || session.is_primary_link
        || acl::reaches_all_keys(&session.account.user(), call.spec, &call.args, acl::Access::READ)
}

impl<'a> Options<'a> {
    pub fn parse(call: &Call<'a>, may_store: bool) -> Result<Self, ErrorReply> {
        let mut options = Self::default();
        let in_cluster = call.node.cluster.is_some();
        let args = call.args;
        let mut at = 2;
        while at < args.len() {
            let values = args.len() - at - 1;
            if call.arg_is(at, "asc") {
                options.descending = false;
            } else if call.arg_is(at, "desc") {
                options.descending = true;
            } else if call.arg_is(at, "alpha") {
                options.alpha = true;
            } else if call.arg_is(at, "limit") && values >= 2 {
                options.limit = Some((call.int_arg(at + 1)?, call.int_arg(at + 2)?));
                at += 2;
            } else if may_store && call.arg_is(at, "store") && values >= 1 {
                options.store = Some(args.at(at + 1));
                at += 1;
            } else if call.arg_is(at, "by") && values >= 1 {
                options.by = Some(args.at(at + 1));
                if in_cluster && !options.keeps_order() {
                    return Err(ErrorReply::fixed("ERR BY option of SORT denied in Cluster mode."));
                }
                if !options.keeps_order() && !reaches_any_key(call) {
                    return Err(ErrorReply::fixed(
                        "ERR BY option of SORT denied due to insufficient ACL permissions.",
                    ));
                }
                at += 1;
            } else if call.arg_is(at, "get") && values >= 1 {
                if in_cluster {
                    return Err(ErrorReply::fixed(
                        "ERR GET option of SORT denied in Cluster mode.",
                    ));
                }
                if !reaches_any_key(call) {
                    return Err(ErrorReply::fixed(
                        "ERR GET option of SORT denied due to insufficient ACL permissions.",
                    ));
                }
                options.get.push(args.at(at + 1));
                at += 1;
            } else {
                return Err(ErrorReply::SYNTAX);
            }
            at += 1;
        }
        Ok(options)
    }

    /// Nothing is to be sorted.
    pub fn keeps_order(&self) -> bool {
        self.by.is_some_and(|pattern| !pattern.contains(&b'*'))
    }

    /// The first of so many elements that are wanted, and how many of them.
    pub fn window(&self, len: usize) -> (usize, usize) {
        let Some((start, count)) = self.limit else {
            return (0, len);
        };
        let start = usize::try_from(start.max(0)).unwrap_or(usize::MAX).min(len);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        (start, count.min(len - start))
    }
}
