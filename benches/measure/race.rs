//! Work that takes turns, so that a busy moment hits all of it.

use std::time::{Duration, Instant};

use super::work::Counts;

pub(super) struct Entry<'a> {
    pub(super) name: String,
    work: Box<dyn FnMut() -> Counts + 'a>,
    /// The best of the rounds.
    pub(super) time: Duration,
    pub(super) counts: Counts,
}

impl<'a> Entry<'a> {
    pub(super) fn new(name: impl Into<String>, work: impl FnMut() -> Counts + 'a) -> Self {
        Self { name: name.into(), work: Box::new(work), time: Duration::MAX, counts: Counts::default() }
    }

    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    pub(super) fn ns_each(&self, number: usize) -> f64 {
        self.time.as_nanos() as f64 / number as f64
    }

    pub(super) fn ratio(&self, floor: &Entry<'_>) -> f64 {
        self.time.as_secs_f64() / floor.time.as_secs_f64()
    }
}

pub(super) fn run(rounds: usize, entries: &mut [Entry<'_>]) {
    (0..rounds).for_each(|_| turn(entries));
}

/// One turn of each.
pub(super) fn turn(entries: &mut [Entry<'_>]) {
    for entry in entries {
        let start = Instant::now();
        entry.counts = (entry.work)();
        entry.time = entry.time.min(start.elapsed());
    }
}
