//! An RDB on its way in: how its end is known.
//!
//! A primary that has a file announces its length (`$<bytes>`); one that writes as it goes announces a mark of forty
//! bytes (`$EOF:<mark>`), which follows the last byte.

use memchr::memmem;

use super::fault::Fault;

/// Bytes of the mark.
const MARK: usize = 40;

/// Where the RDB ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// After so many bytes more.
    Length(u64),
    /// Before these bytes.
    Mark([u8; MARK]),
}

/// What the next received bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// So many bytes belong to the RDB,
    pub data: usize,
    /// and so many behind them are its mark.
    pub mark: usize,
    /// The RDB has come whole.
    pub whole: bool,
}

impl Extent {
    /// From the line that announces the transfer.
    ///
    /// # Errors
    /// The primary has given up, or the line is something else.
    pub fn parse(line: &str) -> Result<Extent, Fault> {
        if let Some(error) = line.strip_prefix('-') {
            return Err(Fault::Aborted(error.to_owned()));
        }
        let announced = line
            .strip_prefix('$')
            .and_then(|text| match text.strip_prefix("EOF:") {
                Some(mark) => mark.as_bytes().try_into().ok().map(Extent::Mark),
                None => text.parse().ok().map(Extent::Length),
            });
        announced.ok_or_else(|| Fault::Transfer(line.to_owned()))
    }

    /// How many bytes will come, if that is known.
    pub fn total(&self) -> Option<u64> {
        match self {
            Extent::Length(bytes) => Some(*bytes),
            Extent::Mark(_) => None,
        }
    }

    /// What the bytes at hand are. The caller uses up `data + mark` of them and comes back with what remains and more.
    pub fn step(&mut self, received: &[u8]) -> Step {
        match self {
            Extent::Length(left) => {
                let data = usize::try_from(*left).map_or(received.len(), |left| left.min(received.len()));
                *left -= data as u64;
                Step {
                    data,
                    mark: 0,
                    whole: *left == 0,
                }
            }
            Extent::Mark(mark) => match memmem::find(received, &mark[..]) {
                Some(data) => Step {
                    data,
                    mark: MARK,
                    whole: true,
                },
                // The mark may have begun to come.
                None => Step {
                    data: received.len().saturating_sub(MARK - 1),
                    mark: 0,
                    whole: false,
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn announcements() {
        assert_eq!(Extent::parse("$175").unwrap(), Extent::Length(175));
        assert_eq!(
            Extent::parse(&format!("$EOF:{}", "m".repeat(40))).unwrap(),
            Extent::Mark([b'm'; 40])
        );
        assert!(matches!(Extent::parse("-ERR no room"), Err(Fault::Aborted(text)) if text == "ERR no room"));
        for wrong in ["", "$", "$-1", "$x", "$EOF:short", "+OK", "175"] {
            assert!(matches!(Extent::parse(wrong), Err(Fault::Transfer(_))), "{wrong}");
        }
    }

    /// Hands `wire` over in pieces; returns the RDB and what is behind it.
    fn receive(mut extent: Extent, wire: &[u8], pieces: &[usize]) -> Option<(Vec<u8>, Vec<u8>)> {
        let (mut rdb, mut buffer, mut at) = (Vec::new(), Vec::new(), 0);
        for piece in pieces.iter().copied().cycle() {
            let end = (at + piece).min(wire.len());
            buffer.extend_from_slice(&wire[at..end]);
            at = end;
            let step = extent.step(&buffer);
            rdb.extend(buffer.drain(..step.data));
            buffer.drain(..step.mark);
            if step.whole {
                buffer.extend_from_slice(&wire[at..]);
                return Some((rdb, buffer));
            }
            if at == wire.len() {
                return None;
            }
        }
        None
    }

    proptest! {
        #[test]
        fn an_rdb_ends_where_it_ends(
            rdb in proptest::collection::vec(any::<u8>(), 0..300),
            behind in proptest::collection::vec(any::<u8>(), 0..50),
            pieces in proptest::collection::vec(1usize..90, 1..10),
        ) {
            let mark: [u8; MARK] = std::array::from_fn(|i| b'a' + (i * 7 % 26) as u8);
            let with_mark = [&rdb[..], &mark, &behind].concat();
            prop_assert_eq!(
                receive(Extent::Mark(mark), &with_mark, &pieces),
                Some((rdb.clone(), behind.clone()))
            );
            prop_assert_eq!(receive(Extent::Mark(mark), &with_mark[..rdb.len() + 39], &pieces), None);
            let plain = [&rdb[..], &behind].concat();
            let whole = receive(Extent::Length(rdb.len() as u64), &plain, &pieces);
            prop_assert_eq!(whole, Some((rdb, behind)));
        }
    }
}
