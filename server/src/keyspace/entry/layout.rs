//! Where the parts of an entry lie, and the one function that writes them all.

use std::ptr::NonNull;
use std::sync::Arc;

use super::super::size_class;
use super::super::value::Collection;
use super::header::{Encoding, Header, Kind};

/// The longest value that is stored inside its entry, in bytes.
pub const INLINE_MAX: usize = 4096;

/// Keys from this length on store it in four bytes of their own.
const LONG_KEY_FROM: usize = u16::MAX as usize;

/// The parts of a `Vec<u8>` that holds a large value.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Large {
    pub data: *mut u8,
    pub len: usize,
    pub capacity: usize,
}

impl Large {
    pub const SIZE: usize = size_of::<Self>();

    pub fn from_vec(vec: Vec<u8>) -> Self {
        let mut vec = std::mem::ManuallyDrop::new(vec);
        Self {
            data: vec.as_mut_ptr(),
            len: vec.len(),
            capacity: vec.capacity(),
        }
    }

    /// # Safety
    /// The parts came from [`Large::from_vec`], and this is the only use of them as an owner.
    pub unsafe fn into_vec(self) -> Vec<u8> {
        // SAFETY: by the caller's promise these are the parts of one vector.
        unsafe { Vec::from_raw_parts(self.data, self.len, self.capacity) }
    }
}

/// Bytes of the pointer to a collection.
pub(super) const POINTER_SIZE: usize = size_of::<*const Collection>();

/// A value that an entry is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    Bytes(&'a [u8]),
    /// Moved, not copied.
    Owned(Vec<u8>),
    Collection(Arc<Collection>),
}

/// Everything that an entry is made of, before it is laid out.
pub(in super::super) struct Draft<'a> {
    pub key: &'a [u8],
    pub content: Content<'a>,
    /// Unix time in milliseconds.
    pub expiry: Option<u64>,
    pub encoding: Encoding,
    pub clock: u32,
    /// See [`super::Entry::mark`].
    pub mark: bool,
}

/// How many bytes the parts take and in which form.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub header: Header,
    /// Bytes used, without the rounding to a size class.
    pub size: usize,
}

impl Draft<'_> {
    #[inline]
    pub(super) fn layout(&self) -> Layout {
        let string = |len| {
            if len <= INLINE_MAX {
                (Kind::Inline, len)
            } else {
                (Kind::Large, Large::SIZE)
            }
        };
        let (kind, val_len) = match &self.content {
            Content::Bytes(bytes) => string(bytes.len()),
            Content::Owned(vec) => string(vec.len()),
            Content::Collection(_) => (Kind::Collection, POINTER_SIZE),
        };
        let long_key = self.key.len() >= LONG_KEY_FROM;
        let key_len = if long_key { 0 } else { self.key.len() as u16 };
        let header = Header::new(
            kind,
            self.expiry.is_some(),
            long_key,
            self.encoding,
            key_len,
            val_len as u16,
        )
        .with_clock(self.clock)
        .with_mark(self.mark);
        let size = header.fixed_len() + if long_key { 4 } else { 0 } + self.key.len() + val_len;
        Layout { header, size }
    }

    /// Writes the whole entry.
    ///
    /// # Safety
    /// `at` is valid for writes of `layout.size` bytes, `layout` is this draft's, and no part of the draft lies in the
    /// memory written to. What was there before is overwritten, not dropped.
    pub(super) unsafe fn write(self, at: NonNull<u8>, layout: Layout) {
        let base = at.as_ptr();
        let Layout { header, .. } = layout;
        let mut offset = Header::SIZE;
        // SAFETY: the offsets below add up to layout.size, see Draft::layout, and the sources do not overlap the
        // target by the caller's promise.
        unsafe {
            base.cast::<u64>().write_unaligned(header.0);
            if let Some(expiry) = self.expiry {
                base.add(offset).cast::<u64>().write_unaligned(expiry);
                offset += 8;
            }
            if header.long_key() {
                let len = u32::try_from(self.key.len()).expect("a key is shorter than 4 GiB: requests are");
                base.add(offset).cast::<u32>().write_unaligned(len);
                offset += 4;
            }
            base.add(offset)
                .copy_from_nonoverlapping(self.key.as_ptr(), self.key.len());
            offset += self.key.len();
            match (header.kind(), self.content) {
                (Kind::Inline, Content::Bytes(value)) => {
                    base.add(offset)
                        .copy_from_nonoverlapping(value.as_ptr(), value.len());
                }
                (Kind::Inline, Content::Owned(value)) => {
                    base.add(offset)
                        .copy_from_nonoverlapping(value.as_ptr(), value.len());
                }
                (_, Content::Collection(collection)) => {
                    base.add(offset)
                        .cast::<*const Collection>()
                        .write_unaligned(Arc::into_raw(collection));
                }
                (_, Content::Bytes(value)) => {
                    base.add(offset)
                        .cast::<Large>()
                        .write_unaligned(Large::from_vec(value.to_vec()));
                }
                (_, Content::Owned(vec)) => {
                    base.add(offset)
                        .cast::<Large>()
                        .write_unaligned(Large::from_vec(vec));
                }
            }
        }
    }
}

/// Allocates a block of the size class of `size` bytes.
pub(super) fn allocate(size: usize) -> NonNull<u8> {
    let layout = block_layout(size);
    // SAFETY: the layout's size is never zero, since a header always fits.
    let at = unsafe { std::alloc::alloc(layout) };
    let Some(at) = NonNull::new(at) else {
        std::alloc::handle_alloc_error(layout)
    };
    assert!(
        at.as_ptr() as usize & 7 == 0,
        "allocators align blocks of 8 bytes and more to 8"
    );
    at
}

/// Alignment 1 is asked for because mimalloc adds padding for any other to sizes that are no power of two; that
/// blocks are aligned to 8 all the same is checked where they are allocated.
pub(super) fn block_layout(size: usize) -> std::alloc::Layout {
    std::alloc::Layout::from_size_align(size_class::round_up(size), 1)
        .expect("entry sizes stay far below isize::MAX, since requests do")
}
