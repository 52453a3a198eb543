//! The connection itself: PING, ECHO, HELLO, AUTH, SELECT, QUIT, RESET.

use crate::acl::{Context, DEFAULT_USER};
use crate::admin::clients::ClientFlags;
use crate::command::call::{Binding, Call, Locks};
use crate::command::client::{check_name, end_tracking, observe_slots, set_name};
use crate::command::reply_error::ErrorReply;
use crate::command::transaction;
use crate::config::REDIS_VERSION;
use crate::session::ReplyMode;
use slotcore::resp::{Proto, parse_i64};

/// What this file implements.
pub const HANDLERS: &[Binding] = &[
    ("ping", ping, Locks::None),
    ("echo", echo, Locks::None),
    ("hello", hello, Locks::None),
    ("auth", auth, Locks::None),
    ("select", select, Locks::None),
    ("quit", quit, Locks::None),
    ("reset", reset, Locks::None),
];

const WRONG_PASS: ErrorReply =
    ErrorReply::fixed("WRONGPASS invalid username-password pair or user is disabled.");

fn ping(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    if call.args.len() <= 2 && call.session.in_subscribed_mode() {
        let text = if call.args.len() == 2 {
            call.args.at(1)
        } else {
            b""
        };
        call.out.array(2);
        call.out.bulk(b"pong");
        call.out.bulk(text);
        return Ok(());
    }
    match call.args.len() {
        1 => call.out.simple("PONG"),
        2 => call.out.bulk(call.args.at(1)),
        _ => return Err(ErrorReply::wrong_arity("ping")),
    }
    Ok(())
}

fn echo(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.out.bulk(call.args.at(1));
    Ok(())
}

fn auth(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let (user, password) = match call.args.len() {
        2 if call.node.acl.default_account().user().has_nopass() => {
            return Err(ErrorReply::fixed(
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
                 configuration is correct?",
            ));
        }
        2 => (DEFAULT_USER, call.args.at(1)),
        3 => (call.args.at(1), call.args.at(2)),
        _ => return Err(ErrorReply::SYNTAX),
    };
    log_in(call, user, password)?;
    call.out.ok();
    Ok(())
}

/// Makes the connection this user's.
fn log_in(call: &mut Call<'_>, user: &[u8], password: &[u8]) -> Result<(), ErrorReply> {
    let session = &mut *call.session;
    match call.node.acl.log_in(&session.client, user, password) {
        Some(account) => {
            session.account = account;
            session.authenticated = true;
            Ok(())
        }
        None => {
            let context = match session.in_multi() || session.in_exec {
                true => Context::Multi,
                false => Context::Toplevel,
            };
            session.shows(call.spec.id);
            let log = &call.node.acl.log;
            log.bad_login(context, call.args.at(0), user, &session.client, call.now);
            Err(WRONG_PASS)
        }
    }
}

fn hello(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let mut proto = None;
    if call.args.len() > 1 {
        proto = Some(match parse_i64(call.args.at(1)) {
            Some(2) => Proto::Resp2,
            Some(3) => Proto::Resp3,
            Some(_) => return Err(ErrorReply::fixed("NOPROTO unsupported protocol version")),
            None => {
                return Err(ErrorReply::fixed(
                    "ERR Protocol version is not an integer or out of range",
                ));
            }
        });
    }
    let mut credentials = None;
    let mut name = None;
    let mut at = 2;
    while at < call.args.len() {
        let left = call.args.len() - at - 1;
        if call.arg_is(at, "auth") && left >= 2 {
            credentials = Some((call.args.at(at + 1), call.args.at(at + 2)));
            at += 3;
        } else if call.arg_is(at, "setname") && left >= 1 {
            check_name(call.args.at(at + 1))?;
            name = Some(call.args.at(at + 1));
            at += 2;
        } else {
            let option = String::from_utf8_lossy(call.args.at(at)).into_owned();
            return Err(ErrorReply::new(format!(
                "ERR Syntax error in HELLO option '{option}'"
            )));
        }
    }
    if let Some((user, password)) = credentials {
        log_in(call, user, password)?;
    }
    if !call.session.authenticated {
        return Err(ErrorReply::fixed(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
             <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the \
             same time",
        ));
    }
    if let Some(proto) = proto {
        set_proto(call, proto);
    }
    if let Some(name) = name {
        set_name(call, name);
    }
    introduce(call);
    Ok(())
}

/// What HELLO replies.
fn introduce(call: &mut Call<'_>) {
    let cluster = call.node.cluster.is_some();
    let id = call.session.client.id() as i64;
    let role = call.node.replication.role();
    let proto = if call.session.proto == Proto::Resp3 { 3 } else { 2 };
    let out = &mut call.out;
    out.map(7);
    out.bulk(b"server");
    out.bulk(b"redis");
    out.bulk(b"version");
    out.bulk(REDIS_VERSION.as_bytes());
    out.bulk(b"proto");
    out.integer(proto);
    out.bulk(b"id");
    out.integer(id);
    out.bulk(b"mode");
    out.bulk(if cluster { b"cluster" } else { b"standalone" });
    out.bulk(b"role");
    out.bulk(role.hello_name().as_bytes());
    out.bulk(b"modules");
    out.array(0);
}

fn set_proto(call: &mut Call<'_>, proto: Proto) {
    call.session.proto = proto;
    call.session.client.set_proto(proto);
    call.out.proto = proto;
}

/// There is one database, number 0; the others of `databases` are refused rather than mixed up with it.
fn select(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    let index = call.int_arg(1)?;
    if index == 0 {
        call.out.ok();
        return Ok(());
    }
    if call.node.cluster.is_some() {
        return Err(ErrorReply::fixed("ERR SELECT is not allowed in cluster mode"));
    }
    if index < 0 || index >= i64::from(call.node.config.load().databases) {
        return Err(ErrorReply::fixed("ERR DB index is out of range"));
    }
    Err(ErrorReply::fixed(
        "ERR DB index is out of range: slotmark-server has database 0 only",
    ))
}

fn quit(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    call.session.closing = true;
    call.out.ok();
    Ok(())
}

fn reset(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    transaction::abandon(call.node, call.session);
    if call.session.client.flags().contains(ClientFlags::MONITOR) {
        call.node.monitors.end(call.session.client.id());
        call.session.client.set_flag(ClientFlags::MONITOR, false);
    }
    if let Some(subscriber) = &call.session.subscriber {
        call.node.pubsub.unsubscribe_all(subscriber);
    }
    if end_tracking(call.node, call.session) {
        observe_slots(call);
    }
    set_proto(call, Proto::Resp2);
    set_name(call, b"");
    let session = &mut *call.session;
    let account = call.node.acl.default_account();
    session.client.set_account(Some(account.clone()));
    session.authenticated = account.is_open();
    session.account = account.clone();
    session.asking = false;
    session.readonly = false;
    session.reply_mode = ReplyMode::On;
    call.out.simple("RESET");
    Ok(())
}
