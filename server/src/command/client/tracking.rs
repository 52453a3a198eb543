//! CLIENT TRACKING, CACHING, TRACKINGINFO and GETREDIR.

use std::sync::Arc;

use slotcore::topology::SlotRange;

use crate::admin::clients::ClientFlags;
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::node::Node;
use crate::session::Session;
use crate::tracking::{Choice, Mode};

/// What the arguments of CLIENT TRACKING say.
#[derive(Default)]
struct Options<'a> {
    redirect: Option<u64>,
    bcast: bool,
    optin: bool,
    optout: bool,
    noloop: bool,
    prefixes: Vec<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(call: &Call<'a>) -> Result<Self, ErrorReply> {
        let mut options = Self::default();
        let mut at = 3;
        while at < call.args.len() {
            let has_value = at + 1 < call.args.len();
            if call.arg_is(at, "redirect") && has_value {
                at += 1;
                if options.redirect.is_some() {
                    return Err(ErrorReply::fixed(
                        "ERR A client can only redirect to a single other client",
                    ));
                }
                let id = u64::try_from(call.int_arg(at)?).ok();
                let exists = id.filter(|id| call.node.clients.get(*id).is_some());
                options.redirect = Some(exists.ok_or(ErrorReply::fixed(
                    "ERR The client ID you want redirect to does not exist",
                ))?);
            } else if call.arg_is(at, "prefix") && has_value {
                at += 1;
                options.prefixes.push(call.args.at(at));
            } else if call.arg_is(at, "bcast") {
                options.bcast = true;
            } else if call.arg_is(at, "optin") {
                options.optin = true;
            } else if call.arg_is(at, "optout") {
                options.optout = true;
            } else if call.arg_is(at, "noloop") {
                options.noloop = true;
            } else {
                return Err(ErrorReply::SYNTAX);
            }
            at += 1;
        }
        Ok(options)
    }

    /// Do they make sense, beside what is in force? In stock's order.
    fn check(&self, current: Option<&Mode>) -> Result<(), ErrorReply> {
        let refused = |text| Err(ErrorReply::fixed(text));
        if !self.bcast && !self.prefixes.is_empty() {
            return refused("ERR PREFIX option requires BCAST mode to be enabled");
        }
        if current.is_some_and(|current| current.bcast != self.bcast) {
            return refused(
                "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then \
                 re-enabling it with a different mode.",
            );
        }
        if self.bcast && (self.optin || self.optout) {
            return refused("ERR OPTIN and OPTOUT are not compatible with BCAST");
        }
        if self.optin && self.optout {
            return refused("ERR You can't specify both OPTIN mode and OPTOUT mode");
        }
        let choice = current.map_or(Choice::All, |current| current.choice);
        if self.optin && choice == Choice::OptOut || self.optout && choice == Choice::OptIn {
            return refused(
                "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then \
                 re-enabling it with a different mode.",
            );
        }
        if self.bcast {
            self.check_overlaps(current)?;
        }
        Ok(())
    }

    fn check_overlaps(&self, current: Option<&Mode>) -> Result<(), ErrorReply> {
        let overlap = |prefix: &[u8], what: &str, other: &[u8]| {
            Err(ErrorReply::from_bytes(
                [
                    b"ERR Prefix '",
                    prefix,
                    b"' overlaps with ",
                    what.as_bytes(),
                    b" '",
                    other,
                    b"'. Prefixes for a single client must not overlap.",
                ]
                .concat(),
            ))
        };
        let meet = |a: &[u8], b: &[u8]| a.starts_with(b) || b.starts_with(a);
        for (i, prefix) in self.prefixes.iter().enumerate() {
            let known = current.map(|current| &*current.prefixes).unwrap_or_default();
            if let Some(other) = known.iter().find(|other| meet(other, prefix)) {
                return overlap(prefix, "an existing prefix", other);
            }
            if let Some(other) = self.prefixes[i + 1..].iter().find(|other| meet(other, prefix)) {
                return overlap(prefix, "another provided prefix", other);
            }
        }
        Ok(())
    }

    /// What is in force from now on.
    fn mode(&self, current: Option<&Mode>) -> Mode {
        let mut prefixes = current
            .map(|current| current.prefixes.clone())
            .unwrap_or_default();
        prefixes.extend(self.prefixes.iter().map(|prefix| Arc::from(*prefix)));
        if self.bcast && self.prefixes.is_empty() {
            prefixes.push(Arc::from(&b""[..]));
        }
        prefixes.sort();
        prefixes.dedup();
        Mode {
            redirect: self.redirect,
            bcast: self.bcast,
            noloop: self.noloop,
            choice: match (self.optin, self.optout) {
                (true, _) => Choice::OptIn,
                (_, true) => Choice::OptOut,
                _ => Choice::All,
            },
            prefixes,
        }
    }
}

pub(super) fn tracking(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let options = Options::parse(call)?;
    let reports_changed = if call.arg_is(2, "on") {
        let current = call.session.tracking.as_deref();
        options.check(current)?;
        let mode = options.mode(current);
        let client = &call.session.client;
        client.set_redirect(Some(mode.redirect.unwrap_or(0)));
        client.set_flag(ClientFlags::TRACKING, true);
        client.set_flag(ClientFlags::BCAST, mode.bcast);
        let changed = call.node.tracking.begin(client, mode.clone());
        call.session.tracking = Some(Box::new(mode));
        call.session.listen();
        changed
    } else if call.arg_is(2, "off") {
        end(call.node, call.session)
    } else {
        return Err(ErrorReply::SYNTAX);
    };
    if reports_changed {
        observe_slots(call);
    }
    call.out.ok();
    Ok(())
}

/// Ends tracking. Returns whether slots need no longer report changes.
pub fn end(node: &'static Node, session: &mut Session) -> bool {
    if session.tracking.take().is_none() {
        return false;
    }
    session.caching = false;
    session.client.set_redirect(None);
    session.client.set_flag(ClientFlags::TRACKING, false);
    session.client.set_flag(ClientFlags::BCAST, false);
    node.tracking.end(session.client.id())
}

/// Has every slot keep for others what they want to hear now. It is asked at each slot anew: whoever changes what they
/// want comes here afterwards, so that the last one to visit a slot has it right.
pub fn observe_slots(call: &mut Call<'_>) {
    let node = call.node;
    for slot in SlotRange::ALL.slots() {
        call.with_slot(slot, |table| {
            table.set_observed(node.events.wants_unnamed(), node.tracking.wants_reports());
        });
    }
}

pub(super) fn caching(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let Some(mode) = &call.session.tracking else {
        return Err(ErrorReply::fixed(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode \
             enabled",
        ));
    };
    if call.arg_is(2, "yes") {
        if mode.choice != Choice::OptIn {
            return Err(ErrorReply::fixed(
                "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
            ));
        }
    } else if call.arg_is(2, "no") {
        if mode.choice != Choice::OptOut {
            return Err(ErrorReply::fixed(
                "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
            ));
        }
    } else {
        return Err(ErrorReply::SYNTAX);
    }
    call.session.caching = true;
    call.out.ok();
    Ok(())
}

/// Whom the notices go to instead of the caller: 0 for nobody, -1 if it does not track.
fn shown_redirect(session: &Session) -> i64 {
    match &session.tracking {
        None => -1,
        Some(mode) => mode
            .redirect
            .map_or(0, |id| i64::try_from(id).unwrap_or(i64::MAX)),
    }
}

pub(super) fn getredir(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let redirect = shown_redirect(call.session);
    call.out.integer(redirect);
    Ok(())
}

pub(super) fn trackinginfo(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let session = &*call.session;
    let mode = session.tracking.as_deref();
    let mut flags = vec![if mode.is_some() { "on" } else { "off" }];
    if let Some(mode) = mode {
        let choice: &[&str] = match (mode.choice, session.caching) {
            (Choice::All, _) => &[],
            (Choice::OptIn, false) => &["optin"],
            (Choice::OptIn, true) => &["optin", "caching-yes"],
            (Choice::OptOut, false) => &["optout"],
            (Choice::OptOut, true) => &["optout", "caching-no"],
        };
        flags.extend(mode.bcast.then_some("bcast"));
        flags.extend(choice);
        flags.extend(mode.noloop.then_some("noloop"));
        let is_broken = session.client.flags().contains(ClientFlags::BROKEN_REDIRECT);
        flags.extend(is_broken.then_some("broken_redirect"));
    }
    let out = &mut call.out;
    out.map(3);
    out.bulk(b"flags");
    out.set(flags.len());
    flags.iter().for_each(|flag| out.bulk(flag.as_bytes()));
    out.bulk(b"redirect");
    out.integer(shown_redirect(session));
    out.bulk(b"prefixes");
    let prefixes = mode.map(|mode| &*mode.prefixes).unwrap_or_default();
    out.array(prefixes.len());
    prefixes.iter().for_each(|prefix| out.bulk(prefix));
    Ok(())
}
