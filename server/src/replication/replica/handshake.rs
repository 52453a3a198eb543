//! The first words to a primary: PING, AUTH, REPLCONF, PSYNC.

use slotcore::resp::encode_command;

use super::fault::Fault;
use super::wire::Wire;
use crate::config::Config;
use crate::log;

/// The largest offset at which a primary may stand: a stream that never reaches 2^63 in its life.
const OFFSET_MAX: i64 = i64::MAX / 2;

/// Who we are, to the primary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    user: Option<Vec<u8>>,
    password: Option<Vec<u8>>,
    listening_port: u16,
    announce_ip: Option<String>,
}

/// A place in a history: its name, and how many bytes of it we have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The replication id.
    pub id: String,
    /// The offset behind the last byte applied.
    pub offset: u64,
}

/// What the primary answers to PSYNC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its whole data set comes, as of this place in its history.
    Full(Place),
    /// The stream goes on where we are, under this id if it has a new one.
    Continue(Option<String>),
}

impl Introduction {
    /// From the configuration.
    pub fn of(config: &Config) -> Self {
        let replica = &config.replica;
        Self {
            user: replica.masteruser.clone(),
            password: replica.masterauth.clone(),
            listening_port: match replica.announce_port {
                0 => config.port,
                port => port,
            },
            announce_ip: replica.announce_ip.clone(),
        }
    }
}

/// Says who we are. As stock, it insists on AUTH, and takes it in good part if a primary does not know an option.
///
/// # Errors
/// The connection ended, the primary refuses PING or our password.
pub async fn introduce(wire: &mut Wire, me: &Introduction) -> Result<(), Fault> {
    send(wire, &[b"PING"]).await?;
    let answer = wire.line().await?;
    // A primary that wants a password first may say so to PING as well.
    let tolerated = ["+", "-NOAUTH", "-NOPERM", "-ERR operation not permitted"];
    if !tolerated.iter().any(|start| answer.starts_with(start)) {
        return Err(match answer.strip_prefix('-') {
            Some(busy) if is_passing(busy) => Fault::Later(answer),
            _ => Fault::Ping(answer),
        });
    }
    log::notice(format_args!(
        "Master replied to PING, replication can continue..."
    ));
    if let Some(password) = &me.password {
        match &me.user {
            Some(user) => send(wire, &[b"AUTH", user, password]).await?,
            None => send(wire, &[b"AUTH", password]).await?,
        }
        let answer = wire.line().await?;
        if answer.starts_with('-') {
            return Err(Fault::Auth(answer));
        }
    }
    let port = me.listening_port.to_string();
    option(wire, &[b"listening-port", port.as_bytes()]).await?;
    if let Some(ip) = &me.announce_ip {
        option(wire, &[b"ip-address", ip.as_bytes()]).await?;
    }
    option(wire, &[b"capa", b"eof", b"capa", b"psync2"]).await
}

async fn option(wire: &mut Wire, words: &[&[u8]]) -> Result<(), Fault> {
    let mut args: Vec<&[u8]> = vec![b"REPLCONF"];
    args.extend(words);
    send(wire, &args).await?;
    let answer = wire.line().await?;
    if answer.starts_with('-') {
        log::notice(format_args!(
            "(Non critical) Master does not understand REPLCONF {}: {answer}",
            String::from_utf8_lossy(words[0])
        ));
    }
    Ok(())
}

/// Asks for the stream: from our place in the history on, if we have one.
///
/// # Errors
/// The connection ended, or the primary refuses, now or for good.
pub async fn psync(wire: &mut Wire, place: Option<&Place>) -> Result<Answer, Fault> {
    let (id, from) = match place {
        Some(place) => {
            let from = (place.offset + 1).to_string();
            log::notice(format_args!(
                "Trying a partial resynchronization (request {}:{from}).",
                place.id
            ));
            (place.id.as_str(), from)
        }
        None => {
            log::notice(format_args!(
                "Partial resynchronization not possible (no cached master)"
            ));
            ("?", "-1".to_owned())
        }
    };
    send(wire, &[b"PSYNC", id.as_bytes(), from.as_bytes()]).await?;
    understand(wire.line().await?)
}

fn understand(answer: String) -> Result<Answer, Fault> {
    let mut words = answer.split_ascii_whitespace();
    match words.next() {
        Some("+FULLRESYNC") => {
            let place = match (words.next(), words.next().map(str::parse::<i64>)) {
                // Offsets are signed in stock, and what is added to this one must not wrap around.
                (Some(id), Some(Ok(offset @ 0..=OFFSET_MAX))) if is_replication_id(id) => Place {
                    id: id.to_owned(),
                    offset: offset.unsigned_abs(),
                },
                _ => return Err(Fault::PsyncReply(answer)),
            };
            log::notice(format_args!(
                "Full resync from master: {}:{}",
                place.id, place.offset
            ));
            Ok(Answer::Full(place))
        }
        Some("+CONTINUE") => match words.next() {
            None => Ok(Answer::Continue(None)),
            Some(id) if is_replication_id(id) => Ok(Answer::Continue(Some(id.to_owned()))),
            Some(_) => Err(Fault::PsyncReply(answer)),
        },
        _ => Err(match answer.strip_prefix('-') {
            Some(busy) if is_passing(busy) => Fault::Later(answer),
            Some(_) => Fault::NoPsync(answer),
            None => Fault::PsyncReply(answer),
        }),
    }
}

/// An error that goes away by itself: the primary loads, or has no link to its own primary.
fn is_passing(error: &str) -> bool {
    ["NOMASTERLINK", "LOADING", "BUSY", "MASTERDOWN"]
        .iter()
        .any(|code| error.starts_with(code))
}

fn is_replication_id(id: &str) -> bool {
    id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

async fn send(wire: &mut Wire, words: &[&[u8]]) -> Result<(), Fault> {
    let mut request = Vec::new();
    encode_command(&mut request, words);
    wire.send(&request).await
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Step, dialogue};
    use super::*;
    use Step::{Expect, Say};

    const ID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn me(password: Option<&str>) -> Introduction {
        Introduction {
            user: None,
            password: password.map(|password| password.into()),
            listening_port: 7001,
            announce_ip: None,
        }
    }

    #[test]
    fn a_primary_that_knows_everything() {
        let steps = vec![
            Expect("PING"),
            Say("+PONG\r\n"),
            Expect("AUTH pw"),
            Say("+OK\r\n"),
            Expect("REPLCONF listening-port 7001"),
            Say("+OK\r\n"),
            Expect("REPLCONF capa eof capa psync2"),
            Say("+OK\r\n"),
            Expect("PSYNC ? -1"),
            Say("\n\n+FULLRESYNC 0123456789abcdef0123456789abcdef01234567 42\r\n"),
        ];
        let answer = dialogue(steps, async |wire| {
            introduce(wire, &me(Some("pw"))).await?;
            psync(wire, None).await
        });
        let place = Place {
            id: ID.into(),
            offset: 42,
        };
        assert_eq!(answer.unwrap(), Answer::Full(place));
    }

    #[test]
    fn a_primary_that_knows_little_is_good_enough() {
        let steps = vec![
            Expect("PING"),
            Say("-NOAUTH Authentication required.\r\n"),
            Expect("REPLCONF listening-port 7001"),
            Say("-ERR unknown command\r\n"),
            Expect("REPLCONF ip-address 10.0.0.1"),
            Say("-ERR unknown command\r\n"),
            Expect("REPLCONF capa eof capa psync2"),
            Say("-ERR unknown command\r\n"),
            Expect("PSYNC 0123456789abcdef0123456789abcdef01234567 43"),
            Say("+CONTINUE\r\n"),
        ];
        let answer = dialogue(steps, async |wire| {
            let me = Introduction {
                announce_ip: Some("10.0.0.1".into()),
                ..me(None)
            };
            introduce(wire, &me).await?;
            let place = Place {
                id: ID.into(),
                offset: 42,
            };
            psync(wire, Some(&place)).await
        });
        assert_eq!(answer.unwrap(), Answer::Continue(None));
    }

    #[test]
    fn a_password_that_is_wrong_is_the_end() {
        let steps = vec![
            Expect("PING"),
            Say("+PONG\r\n"),
            Expect("AUTH pw"),
            Say("-WRONGPASS no\r\n"),
        ];
        let fault = dialogue(steps, async |wire| introduce(wire, &me(Some("pw"))).await).unwrap_err();
        assert!(
            matches!(&fault, Fault::Auth(text) if text == "-WRONGPASS no"),
            "{fault}"
        );
    }

    #[test]
    fn answers_to_psync() {
        let full = |id: &str, rest: &str| understand(format!("+FULLRESYNC {id}{rest}"));
        assert!(matches!(full(ID, " 0"), Ok(Answer::Full(place)) if place.offset == 0));
        for rest in [
            "",
            " -1",
            " x",
            " 18446744073709551616",
            " 18446744073709551615",
            " 9223372036854775807",
        ] {
            assert!(matches!(full(ID, rest), Err(Fault::PsyncReply(_))), "{rest}");
        }
        assert!(matches!(full("short", " 1"), Err(Fault::PsyncReply(_))));
        let renamed = understand(format!("+CONTINUE {ID}")).unwrap();
        assert_eq!(renamed, Answer::Continue(Some(ID.into())));
        assert!(matches!(
            understand("+CONTINUE x".into()),
            Err(Fault::PsyncReply(_))
        ));
        for later in ["-NOMASTERLINK Can't SYNC", "-LOADING Redis is loading"] {
            assert!(
                matches!(understand(later.into()), Err(Fault::Later(_))),
                "{later}"
            );
        }
        assert!(matches!(
            understand("-ERR unknown command".into()),
            Err(Fault::NoPsync(_))
        ));
        assert!(matches!(understand("+OK".into()), Err(Fault::PsyncReply(_))));
    }
}
