//! One element of a listpack.

use slotcore::resp::parse_i64;

/// An element as it is read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Item<'a> {
    Int(i64),
    Text(&'a [u8]),
}

impl<'a> Item<'a> {
    /// The text of it; `buffer` is where an integer is printed.
    pub fn text<'b>(self, buffer: &'b mut itoa::Buffer) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Self::Int(number) => buffer.format(number).as_bytes(),
            Self::Text(text) => text,
        }
    }

    /// Whether it is this text, which is `number` if it reads as an integer.
    #[inline]
    pub fn is(self, text: &[u8], number: Option<i64>) -> bool {
        match self {
            Self::Int(own) => number == Some(own),
            Self::Text(own) => own == text,
        }
    }

    /// Bytes of its text.
    pub fn text_len(self) -> usize {
        self.text(&mut itoa::Buffer::new()).len()
    }
}

/// How an element is written: the bytes before its data, and whether the data are the text.
pub(super) struct Encoded {
    head: [u8; 9],
    head_len: usize,
    text_len: usize,
}

impl Encoded {
    pub fn new(text: &[u8]) -> Self {
        let number = if text.len() <= 20 { parse_i64(text) } else { None };
        let mut head = [0; 9];
        let (head_len, text_len) = match number {
            Some(number) => (int_head(number, &mut head), 0),
            None => (text_head(text.len(), &mut head), text.len()),
        };
        Self {
            head,
            head_len,
            text_len,
        }
    }

    /// Bytes of the whole element.
    pub fn len(&self) -> usize {
        let body = self.head_len + self.text_len;
        body + back_len(body)
    }

    /// Writes the element of `text` into `to`, which is as long as it.
    pub fn write(&self, text: &[u8], to: &mut [u8]) {
        let body = self.head_len + self.text_len;
        to[..self.head_len].copy_from_slice(&self.head[..self.head_len]);
        to[self.head_len..body].copy_from_slice(&text[..self.text_len]);
        write_back(body, &mut to[body..]);
    }
}

fn int_head(number: i64, head: &mut [u8; 9]) -> usize {
    let bytes = number.to_le_bytes();
    let mut wide = |tag: u8, len: usize| {
        head[0] = tag;
        head[1..=len].copy_from_slice(&bytes[..len]);
        1 + len
    };
    match number {
        0..=127 => {
            head[0] = bytes[0];
            1
        }
        -4096..=4095 => {
            head[0] = 0xc0 | bytes[1] & 0x1f;
            head[1] = bytes[0];
            2
        }
        -0x8000..=0x7fff => wide(0xf1, 2),
        -0x80_0000..=0x7f_ffff => wide(0xf2, 3),
        -0x8000_0000..=0x7fff_ffff => wide(0xf3, 4),
        _ => wide(0xf4, 8),
    }
}

fn text_head(len: usize, head: &mut [u8; 9]) -> usize {
    if len < 64 {
        head[0] = 0x80 | len as u8;
        1
    } else if len < 4096 {
        head[0] = 0xe0 | (len >> 8) as u8;
        head[1] = len as u8;
        2
    } else {
        head[0] = 0xf0;
        head[1..5].copy_from_slice(&(len as u32).to_le_bytes());
        5
    }
}

/// Bytes that the length at the end of an element takes.
fn back_len(body: usize) -> usize {
    match body {
        0..=127 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    }
}

fn write_back(body: usize, to: &mut [u8]) {
    let len = back_len(body);
    for (place, byte) in to[..len].iter_mut().enumerate() {
        let shift = 7 * (len - 1 - place);
        *byte = (body >> shift) as u8 & 0x7f | if place > 0 { 0x80 } else { 0 };
    }
}

/// Bytes before the data, and bytes of data; `None` if the first byte begins no element, or it is cut off.
fn spans(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let first = *bytes.get(at)?;
    Some(match first {
        0..0x80 => (1, 0),
        0x80..0xc0 => (1, usize::from(first & 0x3f)),
        0xc0..0xe0 => (2, 0),
        0xe0..0xf0 => (
            2,
            usize::from(first & 0x0f) << 8 | usize::from(*bytes.get(at + 1)?),
        ),
        0xf0 => (
            5,
            u32::from_le_bytes(*bytes.get(at + 1..)?.first_chunk()?) as usize,
        ),
        0xf1 => (3, 0),
        0xf2 => (4, 0),
        0xf3 => (5, 0),
        0xf4 => (9, 0),
        _ => return None,
    })
}

/// Where the element at `at` ends, after checking all of it; `None` if it is none.
pub(super) fn entry_end(bytes: &[u8], at: usize) -> Option<usize> {
    let (head, data) = spans(bytes, at)?;
    let body = head.checked_add(data)?;
    let back = back_len(body);
    let stored = bytes.get(at.checked_add(body)?..)?.get(..back)?;
    let mut expected = [0; 5];
    write_back(body, &mut expected);
    (stored == &expected[..back]).then_some(at + body + back)
}

/// The element at `at`, and where the next one begins.
///
/// # Panics
/// If there is none: offsets come from a list that was checked.
#[inline]
pub(super) fn decode(bytes: &[u8], at: usize) -> (Item<'_>, usize) {
    let (head, data) = spans(bytes, at).expect("an offset names an element");
    let body = head + data;
    let next = at + body + back_len(body);
    let first = bytes[at];
    let wide = |len: usize| {
        let mut wide = [0; 8];
        wide[..len].copy_from_slice(&bytes[at + 1..=at + len]);
        let shift = 64 - 8 * len as u32;
        Item::Int(i64::from_le_bytes(wide) << shift >> shift)
    };
    let item = match first {
        0..0x80 => Item::Int(i64::from(first)),
        0xc0..0xe0 => {
            let raw = i64::from(first & 0x1f) << 8 | i64::from(bytes[at + 1]);
            Item::Int(raw << 51 >> 51)
        }
        0xf1 => wide(2),
        0xf2 => wide(3),
        0xf3 => wide(4),
        0xf4 => wide(8),
        _ => Item::Text(&bytes[at + head..at + body]),
    };
    (item, next)
}

/// Where the element begins that ends before `end`.
///
/// # Panics
/// If there is none.
pub(super) fn entry_start(bytes: &[u8], end: usize) -> usize {
    let mut body = 0_usize;
    let mut back = 0;
    loop {
        let byte = bytes[end - 1 - back];
        body |= usize::from(byte & 0x7f) << (7 * back);
        back += 1;
        if byte & 0x80 == 0 {
            return end - back - body;
        }
    }
}
