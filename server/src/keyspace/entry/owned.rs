//! Owning and changing an entry.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::Arc;

use super::super::size_class;
use super::super::value::{Collection, lazy_free, make_mut};
use super::header::{Encoding, Header, Kind};
use super::layout::{self, Content, Draft, INLINE_MAX, Large};
use super::view::Entry;

/// A large value doubles while it is shorter than this, and grows by a quarter afterwards.
const DOUBLE_BELOW: usize = 1 << 20;

/// An entry that is in no table, or whose table acts through it. Dropping it frees key and value.
pub struct OwnedEntry {
    at: NonNull<u8>,
}

// SAFETY: the entry owns its memory alone: plain bytes, or a share of a collection, which is Send and Sync.
unsafe impl Send for OwnedEntry {}
// SAFETY: a shared reference only reads.
unsafe impl Sync for OwnedEntry {}

impl OwnedEntry {
    pub(in super::super) fn new(draft: Draft<'_>) -> Self {
        let layout = draft.layout();
        let at = layout::allocate(layout.size);
        // SAFETY: the block is fresh and at least layout.size long.
        unsafe { draft.write(at, layout) };
        Self { at }
    }

    /// # Safety
    /// `at` came from [`OwnedEntry::into_raw`], and nobody else owns it.
    #[inline]
    pub(in super::super) unsafe fn from_raw(at: NonNull<u8>) -> Self {
        Self { at }
    }

    #[inline]
    pub(in super::super) fn into_raw(self) -> NonNull<u8> {
        ManuallyDrop::new(self).at
    }

    #[inline]
    pub fn view(&self) -> Entry<'_> {
        // SAFETY: self owns a live entry, and changes need &mut self.
        unsafe { Entry::from_raw(self.at) }
    }

    /// Replaces the whole content. `draft.key` must be this entry's key. The old value is returned if it was large:
    /// the caller decides where the time to free it is spent. An old collection is released.
    #[inline]
    pub(in super::super) fn replace(&mut self, draft: Draft<'_>) -> Option<Vec<u8>> {
        let layout = draft.layout();
        let old_block = self.view().block_size();
        let old_value = self.take_large();
        self.release_collection();
        if size_class::round_up(layout.size) != old_block {
            let at = layout::allocate(layout.size);
            let old = std::mem::replace(&mut self.at, at);
            // SAFETY: old is a block of old_block bytes, and its large value, if any, has been taken.
            unsafe { free_block(old, old_block) };
        }
        // SAFETY: the block has the class of the layout, the draft borrows nothing from an entry that we hold by
        // &mut, and the old large value has been taken.
        unsafe { draft.write(self.at, layout) };
        old_value
    }

    /// Sets or removes the expiry (unix time in milliseconds), the value untouched.
    pub(in super::super) fn set_expiry(&mut self, expiry: Option<u64>) {
        let view = self.view();
        if let (true, Some(expiry)) = (view.header().has_expiry(), expiry) {
            // SAFETY: the flag says that the eight bytes are there.
            unsafe { self.at.add(Header::SIZE).cast::<u64>().write_unaligned(expiry) };
            return;
        }
        let old_header = view.header();
        if old_header.has_expiry() == expiry.is_some() {
            return;
        }
        // Everything behind the expiry moves by eight bytes; a large value's parts move like any others.
        let header = old_header.with_expiry(expiry.is_some());
        let (old_start, start) = (old_header.fixed_len(), header.fixed_len());
        let (key_offset, key_len) = view.key_span();
        let tail = key_offset - old_start + key_len + old_header.val_len();
        let old_block = view.block_size();
        if size_class::round_up(start + tail) == old_block {
            // SAFETY: the block holds start + tail bytes as well as old_start + tail; copy allows the overlap.
            unsafe { self.at.add(start).copy_from(self.at.add(old_start), tail) };
        } else {
            let at = layout::allocate(start + tail);
            // SAFETY: two distinct blocks, each long enough for its own start and the same tail.
            unsafe {
                at.add(start)
                    .copy_from_nonoverlapping(self.at.add(old_start), tail)
            };
            let old = std::mem::replace(&mut self.at, at);
            // SAFETY: what the old block owned has moved with its bytes.
            unsafe { free_block(old, old_block) };
        }
        self.write_header(header);
        if let Some(expiry) = expiry {
            // SAFETY: the tail begins behind these eight bytes.
            unsafe { self.at.add(Header::SIZE).cast::<u64>().write_unaligned(expiry) };
        }
    }

    /// Makes the string at least `len` bytes long, new bytes zero. The encoding becomes raw,
    /// as stock's does for a value that was written in part.
    pub(in super::super) fn grow_string(&mut self, len: usize) {
        let current = self.view().string().map_or(0, <[u8]>::len);
        if len > current {
            self.resize_string(current, len);
        }
        let header = self.view().header().with_encoding(Encoding::Raw);
        self.write_header(header);
    }

    /// The bytes of the string, for writing.
    pub(in super::super) fn string_mut(&mut self) -> &mut [u8] {
        // SAFETY: this entry is alive, and borrowed for as long as the slice.
        unsafe { Self::string_mut_at(self.at) }
    }

    fn resize_string(&mut self, current: usize, len: usize) {
        let view = self.view();
        if view.header().kind() == Kind::Large {
            let mut value = self.take_value();
            grow(&mut value, len);
            self.put_large(value);
            return;
        }
        let (key_offset, key_len) = view.key_span();
        let value_offset = key_offset + key_len;
        if len <= INLINE_MAX {
            let old_block = view.block_size();
            let block = size_class::round_up(value_offset + len);
            if block != old_block {
                let at = layout::allocate(value_offset + len);
                // SAFETY: the new block is larger, and the two are distinct.
                unsafe { at.copy_from_nonoverlapping(self.at, value_offset + current) };
                let old = std::mem::replace(&mut self.at, at);
                // SAFETY: the old block holds an inline value, copied: nothing else is owned by it.
                unsafe { free_block(old, old_block) };
            }
            // SAFETY: the block holds value_offset + len bytes.
            unsafe { self.at.add(value_offset + current).write_bytes(0, len - current) };
            let header = self.view().header().with_val_len(len as u16);
            self.write_header(header);
            return;
        }
        let (key, clock, mark, encoding, expiry) = (
            view.key().to_vec(),
            view.clock(),
            view.mark(),
            view.encoding_hint(),
            view.expiry(),
        );
        let mut value = self.take_value();
        grow(&mut value, len);
        let freed = self.replace(Draft {
            key: &key,
            content: Content::Owned(value),
            expiry,
            encoding,
            clock,
            mark,
        });
        debug_assert!(
            freed.is_none_or(|old| old.capacity() == 0),
            "take_value has taken it"
        );
    }

    /// The bytes of the string in the entry at `at`, for writing.
    ///
    /// # Safety
    /// `at` came from [`OwnedEntry::into_raw`], and for `'a` nobody else reads or writes the entry.
    pub(in super::super) unsafe fn string_mut_at<'a>(at: NonNull<u8>) -> &'a mut [u8] {
        // SAFETY: a live entry, by the caller's promise.
        let view = unsafe { Entry::from_raw(at) };
        let (data, len) = match view.large() {
            Some(large) => (large.data, large.len),
            None => {
                let (offset, len) = view.key_span();
                // SAFETY: the value follows the key in the same block.
                (unsafe { at.as_ptr().add(offset + len) }, view.header().val_len())
            }
        };
        // SAFETY: the bytes are initialised, and for 'a nobody else uses them.
        unsafe { std::slice::from_raw_parts_mut(data, len) }
    }

    /// Lets `change` set the bits that tell of accesses of the entry at `at`.
    ///
    /// # Safety
    /// `at` came from [`OwnedEntry::into_raw`], and nobody else reads or writes the entry meanwhile.
    #[inline]
    pub(in super::super) unsafe fn update_clock_at(at: NonNull<u8>, change: impl FnOnce(u32) -> u32) {
        // SAFETY: a live entry begins with its header; the clock says nothing about the layout.
        unsafe {
            let header = Entry::from_raw(at).header();
            let clock = change(header.clock());
            if header.clock() != clock {
                at.cast::<u64>().write_unaligned(header.with_clock(clock).0);
            }
        }
    }

    /// Sets the mark of the entry at `at`.
    ///
    /// # Safety
    /// `at` came from [`OwnedEntry::into_raw`], and nobody else reads or writes the entry meanwhile.
    pub(in super::super) unsafe fn set_mark_at(at: NonNull<u8>, mark: bool) {
        // SAFETY: a live entry begins with its header; the mark says nothing about the layout.
        unsafe {
            let header = Entry::from_raw(at).header();
            at.cast::<u64>().write_unaligned(header.with_mark(mark).0);
        }
    }

    #[inline]
    fn write_header(&mut self, header: Header) {
        // SAFETY: an entry begins with its header; callers change no field that says where the parts lie, except the
        // value's length after the value itself.
        unsafe { self.at.cast::<u64>().write_unaligned(header.0) };
    }

    /// Takes a large value out; the entry is left with an empty one in its place.
    fn take_large(&mut self) -> Option<Vec<u8>> {
        let large = self.view().large()?;
        self.write_large(Large::from_vec(Vec::new()));
        // SAFETY: the entry forgot these parts on the line above.
        Some(unsafe { large.into_vec() })
    }

    /// The value for putting it elsewhere: a large one is taken out, a small one copied, a collection shared.
    pub(in super::super) fn take_content(&mut self) -> Content<'static> {
        match self.view().share_collection() {
            Some(collection) => Content::Collection(collection),
            None => Content::Owned(self.take_value()),
        }
    }

    /// The collection for writing; None if the value is a string.
    pub(in super::super) fn collection_mut(&mut self) -> Option<&mut Collection> {
        let at = self.view().collection_at()?;
        // SAFETY: the entry owns this share, and hands it back below before anybody else can see the entry.
        let mut collection = ManuallyDrop::new(unsafe { Arc::from_raw(at) });
        make_mut(&mut collection);
        let at = Arc::as_ptr(&collection);
        self.write_pointer(at);
        // SAFETY: make_mut left this as the only share, self is borrowed mutably for as long as the reference lives.
        Some(unsafe { &mut *at.cast_mut() })
    }

    /// Gives the share of a collection up. The entry must not be read again before it is written.
    #[inline]
    fn release_collection(&mut self) {
        if let Some(at) = self.view().collection_at() {
            // SAFETY: the share came from Arc::into_raw, and the entry does not use it any more.
            lazy_free::release(unsafe { Arc::from_raw(at) });
        }
    }

    fn write_pointer(&mut self, collection: *const Collection) {
        debug_assert!(self.view().header().kind() == Kind::Collection);
        let (offset, len) = self.view().key_span();
        // SAFETY: the entry's kind is Collection, so a pointer follows the key.
        unsafe {
            self.at
                .as_ptr()
                .add(offset + len)
                .cast::<*const Collection>()
                .write_unaligned(collection)
        };
    }

    /// Takes the value out if it is large, copies it if it is inline.
    pub(in super::super) fn take_value(&mut self) -> Vec<u8> {
        match self.take_large() {
            Some(vec) => vec,
            None => self.view().string().unwrap_or_default().to_vec(),
        }
    }

    /// Puts a value back that [`OwnedEntry::take_large`] took out.
    fn put_large(&mut self, value: Vec<u8>) {
        self.write_large(Large::from_vec(value));
    }

    fn write_large(&mut self, large: Large) {
        debug_assert!(self.view().header().kind() == Kind::Large);
        let (offset, len) = self.view().key_span();
        // SAFETY: the entry's kind is Large, so a Large follows the key. The one overwritten is either empty or has
        // been taken.
        unsafe {
            self.at
                .as_ptr()
                .add(offset + len)
                .cast::<Large>()
                .write_unaligned(large)
        };
    }
}

/// Lengthens with zeros; capacity grows by a factor, so that appending is linear in all.
fn grow(value: &mut Vec<u8>, len: usize) {
    if len > value.capacity() {
        let spare = if len < DOUBLE_BELOW { len } else { len / 4 };
        value.reserve_exact(len + spare - value.len());
    }
    value.resize(len, 0);
}

impl Drop for OwnedEntry {
    #[inline]
    fn drop(&mut self) {
        let block = self.view().block_size();
        drop(self.take_large());
        self.release_collection();
        // SAFETY: the block is ours, and its large value or collection is gone.
        unsafe { free_block(self.at, block) };
    }
}

/// # Safety
/// `at` is a block of the class `size` from `layout::allocate` that nobody uses any more.
#[inline]
unsafe fn free_block(at: NonNull<u8>, size: usize) {
    // SAFETY: allocate used this very layout, since a class rounds to itself.
    unsafe { std::alloc::dealloc(at.as_ptr(), layout::block_layout(size)) };
}

impl std::fmt::Debug for OwnedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnedEntry")
            .field("key", &self.view().key().escape_ascii().to_string())
            .field("expiry", &self.view().expiry())
            .finish_non_exhaustive()
    }
}
