//! 64 bytes of JSON at a time: where quotes and brackets stand, as bits.

use wide::u8x16;

pub(super) const BLOCK: usize = 64;

/// One bit a byte, the first byte lowest.
#[derive(Clone, Copy)]
pub(super) struct Masks {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    /// `{` and `[`.
    pub(super) opens: u64,
    /// `}` and `]`.
    pub(super) closes: u64,
}

impl Masks {
    #[inline]
    pub(super) fn of(block: &[u8; BLOCK]) -> Self {
        let parts = parts(block);
        // A bracket and a brace differ in this bit alone.
        let folded = parts.map(|part| part | u8x16::splat(0x20));
        Self {
            quotes: equal(&parts, b'"'),
            backslashes: equal(&parts, b'\\'),
            opens: equal(&folded, b'{'),
            closes: equal(&folded, b'}'),
        }
    }
}

/// White space and control characters.
#[inline]
pub(super) fn spaces(block: &[u8; BLOCK]) -> u64 {
    let first = u8x16::splat(b'!');
    let bits = parts(block).map(|part| u64::from(part.max(first).simd_eq(part).to_bitmask()));
    !gathered(bits)
}

/// The block at `at`, filled up with zeros behind the end.
#[inline]
pub(super) fn block(bytes: &[u8], at: usize) -> [u8; BLOCK] {
    if let Some(Ok(block)) = bytes.get(at..at + BLOCK).map(TryInto::try_into) {
        return block;
    }
    let mut block = [0; BLOCK];
    let rest = bytes.get(at..).unwrap_or_default();
    block[..rest.len()].copy_from_slice(rest);
    block
}

#[inline]
fn parts(block: &[u8; BLOCK]) -> [u8x16; 4] {
    let (parts, _) = block.as_chunks::<16>();
    [parts[0], parts[1], parts[2], parts[3]].map(u8x16::new)
}

#[inline]
fn equal(parts: &[u8x16; 4], byte: u8) -> u64 {
    let wanted = u8x16::splat(byte);
    gathered(parts.map(|part| u64::from(part.simd_eq(wanted).to_bitmask())))
}

#[inline]
fn gathered(bits: [u64; 4]) -> u64 {
    bits[0] | bits[1] << 16 | bits[2] << 32 | bits[3] << 48
}

/// Bytes behind a backslash that counts: of a run of them every second one is itself escaped. `carry` is whether the
/// first byte of this block is escaped, and afterwards whether that of the next one is.
#[inline]
pub(super) fn escaped(backslashes: u64, carry: &mut bool) -> u64 {
    let mut rest = backslashes & !u64::from(*carry);
    let mut escaped = u64::from(*carry);
    *carry = false;
    while rest != 0 {
        let behind = rest & rest.wrapping_neg();
        *carry = behind == 1 << 63;
        let byte = behind << 1;
        escaped |= byte;
        rest &= !(behind | byte);
    }
    escaped
}

/// Bit by bit, whether the number of set bits up to and including it is odd.
#[inline]
pub(super) fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bits(bytes: &[u8], wanted: &[u8]) -> u64 {
        bytes.iter().enumerate().filter(|(_, byte)| wanted.contains(byte)).map(|(place, _)| 1 << place).sum()
    }

    proptest! {
        #[test]
        fn masks_are_what_a_look_at_each_byte_finds(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..200) {
            let block = block(&bytes, at);
            let rest = bytes.get(at..).unwrap_or_default();
            prop_assert!(block.starts_with(&rest[..rest.len().min(BLOCK)]));
            prop_assert!(block.iter().skip(rest.len()).all(|byte| *byte == 0));
            let masks = Masks::of(&block);
            prop_assert_eq!(masks.quotes, bits(&block, b"\""));
            prop_assert_eq!(masks.backslashes, bits(&block, b"\\"));
            prop_assert_eq!(masks.opens, bits(&block, b"{["));
            prop_assert_eq!(masks.closes, bits(&block, b"}]"));
            let low: Vec<u8> = (0..=b' ').collect();
            prop_assert_eq!(spaces(&block), bits(&block, &low));
        }

        #[test]
        fn a_backslash_takes_the_next_byte_with_it(text in prop::collection::vec(prop::sample::select(b"\\\\\\a".to_vec()), 192)) {
            let (mut carry, mut escape) = (false, false);
            for part in text.chunks(BLOCK) {
                let found = escaped(bits(part, b"\\"), &mut carry);
                for (place, byte) in part.iter().enumerate() {
                    prop_assert_eq!(found >> place & 1 == 1, escape);
                    escape = *byte == b'\\' && !escape;
                }
            }
        }

        #[test]
        fn parity_counts(all in any::<u64>()) {
            let odd = |place: u32| (all << (63 - place)).count_ones() % 2 == 1;
            prop_assert!((0..64).all(|place| (parity(all) >> place & 1 == 1) == odd(place)));
        }
    }
}
