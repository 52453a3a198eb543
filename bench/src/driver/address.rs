//! Reading an address. IPv6 goes in brackets: `[::1]:6379`.

use crate::load::HostPort;

/// `HOST:PORT`, or `HOST` alone for port 6379.
pub fn parse(text: &str) -> Result<HostPort, String> {
    let text = text.trim();
    let complaint = || format!("'{text}' is not HOST:PORT");
    let (host, port) = if let Some(inner) = text.strip_prefix('[') {
        let (host, tail) = inner.split_once(']').ok_or_else(complaint)?;
        match tail {
            "" => (host, None),
            _ => (host, Some(tail.strip_prefix(':').ok_or_else(complaint)?)),
        }
    } else {
        match text.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err(format!("'{text}': write an IPv6 address in brackets, [::1]:6379"));
            }
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let port = match port {
        Some(port) => port.parse().ok().filter(|&p| p != 0).ok_or_else(complaint)?,
        None => 6379,
    };
    if host.is_empty() {
        return Err(complaint());
    }
    Ok(HostPort {
        host: host.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_every_kind() {
        let a = |host: &str, port| {
            Ok(HostPort {
                host: host.to_owned(),
                port,
            })
        };
        assert_eq!(parse("10.0.0.1:7000"), a("10.0.0.1", 7000));
        assert_eq!(parse("cache.local"), a("cache.local", 6379));
        assert_eq!(parse("[::1]:7001"), a("::1", 7001));
        assert_eq!(parse("[::1]"), a("::1", 6379));
        for bad in ["", ":7000", "h:", "h:0", "h:70000", "::1", "[::1", "[::1]7000"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            parse("[::1]:7001").map(|a| a.to_string()),
            Ok("[::1]:7001".to_owned())
        );
    }
}
