//! A sorted array of integers, in redis-server's layout:
//!
//! ```text
//! | bytes an integer: 4 | count: 4 | integers, ascending, 2, 4 or 8 bytes each |       all little endian
//! ```

use super::super::size_class;

const HEADER: usize = 8;

/// The set. Integers are as wide as the widest has ever been.
#[derive(Clone, Debug)]
pub struct Intset {
    bytes: Vec<u8>,
}

impl Default for Intset {
    fn default() -> Self {
        Self {
            bytes: vec![2, 0, 0, 0, 0, 0, 0, 0],
        }
    }
}

impl Intset {
    /// Takes bytes that an RDB holds; `None` if they are no intset.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let width = u32::from_le_bytes(*bytes.first_chunk()?);
        let len = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?) as usize;
        let fits = matches!(width, 2 | 4 | 8) && bytes.len() == HEADER + len.checked_mul(width as usize)?;
        let set = Self { bytes };
        (fits && (1..len).all(|index| set.get(index - 1) < set.get(index))).then_some(set)
    }

    /// The layout, as an RDB holds it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Integers in it.
    pub fn len(&self) -> usize {
        (self.bytes.len() - HEADER) / self.width()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes allocated.
    pub fn footprint(&self) -> usize {
        size_class::round_up(self.bytes.capacity())
    }

    pub fn contains(&self, number: i64) -> bool {
        self.search(number).is_ok()
    }

    /// Integer number `index` in ascending order.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn get(&self, index: usize) -> i64 {
        let width = self.width();
        let at = HEADER + index * width;
        read(&self.bytes[at..at + width])
    }

    pub fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        self.bytes[HEADER..].chunks_exact(self.width()).map(read)
    }

    /// False if it is there already.
    pub fn insert(&mut self, number: i64) -> bool {
        let Err(index) = self.search(number) else {
            return false;
        };
        let width = self.width().max(width_of(number));
        if width > self.width() {
            self.widen(width);
        }
        let at = HEADER + index * width;
        self.reserve(width);
        self.bytes
            .splice(at..at, number.to_le_bytes()[..width].iter().copied());
        self.write_len();
        true
    }

    /// False if it is not there.
    pub fn remove(&mut self, number: i64) -> bool {
        let Ok(index) = self.search(number) else {
            return false;
        };
        let width = self.width();
        let at = HEADER + index * width;
        self.bytes.drain(at..at + width);
        self.write_len();
        if self.bytes.capacity() > 2 * self.bytes.len() {
            self.bytes.shrink_to(size_class::round_up(self.bytes.len()));
        }
        true
    }

    fn width(&self) -> usize {
        usize::from(self.bytes[0])
    }

    /// Where the integer is, or would be.
    fn search(&self, number: i64) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            match self.get(middle).cmp(&number) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }

    fn widen(&mut self, width: usize) {
        let mut wider = Vec::with_capacity(size_class::round_up(HEADER + (self.len() + 1) * width));
        wider.extend_from_slice(&self.bytes[..HEADER]);
        wider[0] = width as u8;
        for number in self.iter() {
            wider.extend_from_slice(&number.to_le_bytes()[..width]);
        }
        self.bytes = wider;
    }

    fn reserve(&mut self, more: usize) {
        let wanted = self.bytes.len() + more;
        if wanted > self.bytes.capacity() {
            self.bytes
                .reserve_exact(size_class::round_up(wanted + wanted / 8) - self.bytes.len());
        }
    }

    fn write_len(&mut self) {
        let len = self.len() as u32;
        self.bytes[4..HEADER].copy_from_slice(&len.to_le_bytes());
    }
}

/// Bytes that an integer takes.
fn width_of(number: i64) -> usize {
    if i16::try_from(number).is_ok() {
        2
    } else if i32::try_from(number).is_ok() {
        4
    } else {
        8
    }
}

fn read(bytes: &[u8]) -> i64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    let shift = 64 - 8 * bytes.len() as u32;
    i64::from_le_bytes(wide) << shift >> shift
}
