//! 64 bytes of JSON at a time: where quotes and brackets stand, as bits.

use wide::u8x16;

pub(super) const BLOCK: usize = 64;

/// Follows strings from one block to the next. One bit a byte, the first byte lowest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Strings {
    /// Where strings begin and end.
    pub(super) quotes: u64,
    /// What lies inside of them, with the quote that they begin with.
    pub(super) inside: u64,
    /// Bytes behind a backslash that counts.
    pub(super) escaped: u64,
    /// Whether the first byte of the next block is one.
    escape: bool,
}

impl Strings {
    /// Goes on to the block behind the one before; the first begins outside of strings.
    #[inline]
    pub(super) fn next(&mut self, block: &[u8; BLOCK]) {
        let parts = parts(block);
        let backslashes = equal(&parts, b'\\');
        self.escaped = if backslashes == 0 && !self.escape { 0 } else { escaped(backslashes, &mut self.escape) };
        self.quotes = equal(&parts, b'"') & !self.escaped;
        let was_inside = 0_u64.wrapping_sub(self.inside >> 63);
        self.inside = parity(self.quotes) ^ was_inside;
    }
}

/// Where `{` and `[`, and where `}` and `]` stand, be it inside of strings.
#[inline]
pub(super) fn brackets(block: &[u8; BLOCK]) -> (u64, u64) {
    // A bracket and a brace differ in this bit alone.
    let folded = parts(block).map(|part| part | u8x16::splat(0x20));
    (equal(&folded, b'{'), equal(&folded, b'}'))
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
fn escaped(backslashes: u64, carry: &mut bool) -> u64 {
    const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    let first = u64::from(*carry);
    let runs = backslashes & !first;
    // Taking a run from the odd places behind it borrows its way through: of each run it leaves every second bit changed, counted
    // from where the run begins.
    let effective = ((runs << 1 | ODD).wrapping_sub(runs)) ^ ODD;
    *carry = (effective & backslashes) >> 63 == 1;
    effective ^ (backslashes | first)
}

/// Bit by bit, whether the number of set bits up to and including it is odd.
#[inline]
fn parity(mut bits: u64) -> u64 {
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
            prop_assert_eq!(brackets(&block), (bits(&block, b"{["), bits(&block, b"}]")));
            let low: Vec<u8> = (0..=b' ').collect();
            prop_assert_eq!(spaces(&block), bits(&block, &low));
        }

        #[test]
        fn strings_are_followed_over_blocks(text in prop::collection::vec(prop::sample::select(b"\\\\\\\"a".to_vec()), 192)) {
            let mut strings = Strings::default();
            let (mut inside, mut escape) = (false, false);
            for part in text.chunks(BLOCK) {
                strings.next(part.try_into().unwrap());
                for (place, byte) in part.iter().enumerate() {
                    let bit = |bits: u64| bits >> place & 1 == 1;
                    let quote = *byte == b'"' && !escape;
                    inside ^= quote;
                    prop_assert_eq!((bit(strings.escaped), bit(strings.quotes), bit(strings.inside)), (escape, quote, inside));
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
