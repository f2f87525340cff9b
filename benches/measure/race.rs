//! Work that takes turns, so that a busy moment hits all of it.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

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
        let start = cpu_time();
        entry.counts = (entry.work)();
        entry.time = entry.time.min(cpu_time().saturating_sub(start));
    }
}

/// What this thread has worked, without the time in which others had the processor.
fn cpu_time() -> Duration {
    // OK because the clock counts from the thread's start.
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}
