use proptest::prelude::*;

use super::layout::INLINE_MAX;
use super::{Content, Draft, Encoding, OwnedEntry};

fn entry(key: &[u8], value: &[u8], expiry: Option<u64>) -> OwnedEntry {
    OwnedEntry::new(Draft {
        key,
        content: Content::Bytes(value),
        expiry,
        encoding: Encoding::Auto,
        clock: 7,
        mark: true,
    })
}

fn replace(entry: &mut OwnedEntry, value: &[u8], expiry: Option<u64>) {
    let key = entry.view().key().to_vec();
    let draft = Draft {
        key: &key,
        content: Content::Bytes(value),
        expiry,
        encoding: Encoding::Auto,
        clock: 8,
        mark: true,
    };
    entry.replace(draft);
}

#[test]
fn sixteen_and_sixteen_bytes_take_forty() {
    let small = entry(&[b'k'; 16], &[b'v'; 16], None);
    assert_eq!(small.view().footprint(), 40);
    let expiring = entry(&[b'k'; 16], &[b'v'; 16], Some(1));
    assert_eq!(expiring.view().footprint(), 48);
}

#[test]
fn every_form_of_key_and_value_reads_back() {
    for key_len in [0, 1, 16, 255, 65_534, 65_535, 65_536, 70_000] {
        for val_len in [0, 1, 20, INLINE_MAX - 1, INLINE_MAX, INLINE_MAX + 1, 100_000] {
            for expiry in [None, Some(u64::MAX), Some(0)] {
                let (key, value) = (vec![b'k'; key_len], vec![b'v'; val_len]);
                let entry = entry(&key, &value, expiry);
                assert_eq!(entry.view().key(), key);
                assert_eq!(entry.view().string(), Some(&value[..]));
                assert_eq!(entry.view().expiry(), expiry);
                assert_eq!(entry.view().clock(), 7);
                assert!(entry.view().footprint() >= key_len + val_len + 8);
            }
        }
    }
}

#[test]
fn encodings_are_stocks() {
    let cases: [(&[u8], &str); 16] = [
        (b"0", "int"),
        (b"-1", "int"),
        (b"9223372036854775807", "int"),
        (b"-9223372036854775808", "int"),
        (b"9223372036854775808", "embstr"),
        (b"-0", "embstr"),
        (b"00", "embstr"),
        (b"01", "embstr"),
        (b"+1", "embstr"),
        (b"-", "embstr"),
        (b"", "embstr"),
        (b" 1", "embstr"),
        (b"1.0", "embstr"),
        (&[b'x'; 44], "embstr"),
        (&[b'x'; 45], "raw"),
        (&[b'1'; 20], "embstr"),
    ];
    for (value, encoding) in cases {
        assert_eq!(
            entry(b"k", value, None).view().encoding(),
            encoding,
            "{}",
            value.escape_ascii()
        );
    }
    let mut grown = entry(b"k", b"1", None);
    grown.grow_string(1);
    assert_eq!(grown.view().encoding(), "raw");
}

#[test]
fn values_of_one_class_keep_their_block() {
    let mut entry = entry(&[b'k'; 16], &[b'1'; 10], None);
    let before = entry.view().address();
    replace(&mut entry, &[b'2'; 16], None);
    assert_eq!(entry.view().address(), before);
    replace(&mut entry, &[b'2'; 17], None);
    assert_ne!(entry.view().address(), before);
}

#[derive(Clone, Debug)]
enum Change {
    Replace(usize, Option<u64>),
    Expire(Option<u64>),
    Grow(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let len = prop_oneof![
        0_usize..80,
        0_usize..5000,
        Just(INLINE_MAX),
        Just(INLINE_MAX + 1),
        0_usize..200_000
    ];
    prop_oneof![
        (len.clone(), any::<Option<u64>>()).prop_map(|(len, expiry)| Change::Replace(len, expiry)),
        any::<Option<u64>>().prop_map(Change::Expire),
        len.prop_map(Change::Grow),
    ]
}

proptest! {
    #[test]
    fn changes_keep_everything_else(
        key in prop_oneof![prop::collection::vec(any::<u8>(), 0..40), Just(vec![3; 66_000])],
        changes in prop::collection::vec(change(), 0..20),
    ) {
        let mut entry = entry(&key, b"first", None);
        let (mut value, mut expiry) = (b"first".to_vec(), None);
        for (step, change) in changes.into_iter().enumerate() {
            match change {
                Change::Replace(len, new) => {
                    value = vec![step as u8; len];
                    expiry = new;
                    replace(&mut entry, &value, expiry);
                }
                Change::Expire(new) => {
                    expiry = new;
                    entry.set_expiry(expiry);
                }
                Change::Grow(len) => {
                    if len > value.len() {
                        value.resize(len, 0);
                    }
                    entry.grow_string(len);
                }
            }
            prop_assert_eq!(entry.view().key(), &key[..]);
            prop_assert_eq!(entry.view().string(), Some(&value[..]));
            prop_assert_eq!(entry.view().expiry(), expiry);
            prop_assert!(entry.view().mark());
        }
    }
}
