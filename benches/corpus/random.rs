//! Numbers that look random and never change: no crate whose next version could draw others.

/// `SplitMix64`: <https://prng.di.unimi.it/splitmix64.c>.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must not be 0. Its bias is far below what a corpus shows.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // OK because the rest of a division by a `usize` is one.
        usize::try_from(self.bits() % bound as u64).unwrap()
    }

    pub(crate) fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Draws the n-th of a list in proportion to 1/n, as callers, calls and clients are distributed.
pub(super) struct Zipf(Vec<u64>);

impl Zipf {
    pub(super) fn new(length: usize) -> Self {
        // Whole numbers: floating point may differ from one machine to the next.
        Self::of((1..=length as u64).map(|rank| 1_000_000 / rank))
    }

    /// Draws each as likely.
    pub(super) fn flat(length: usize) -> Self {
        Self::of((0..length).map(|_| 1))
    }

    fn of(weights: impl Iterator<Item = u64>) -> Self {
        let mut sum = 0;
        Self(
            weights
                .map(|weight| {
                    sum += weight;
                    sum
                })
                .collect(),
        )
    }

    pub(super) fn draw(&self, random: &mut Random) -> usize {
        let all = self.0.last().copied().unwrap_or(1);
        let at = random.bits() % all;
        self.0.partition_point(|sum| *sum <= at)
    }
}
