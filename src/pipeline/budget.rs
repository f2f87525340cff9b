//! What an invocation's time is for.

use jiff::{SignedDuration, Timestamp};

/// Until when things may begin. Each leaves time for what follows: a kill takes the whole batch back, what was told included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Objects may be opened.
    pub(super) starting: Timestamp,
    /// Objects that were opened may be read on, and what can't be read may be put aside.
    pub(super) reading: Timestamp,
    /// Alerts may be decided on and published; after that, what was told is written down.
    pub(super) telling: Timestamp,
}

/// For the last alert to be answered, and for what was told to be written down.
const CLOSING: SignedDuration = SignedDuration::from_secs(20);
/// For what was found to be told.
const TELLING: SignedDuration = SignedDuration::from_secs(5);
/// For an object that was opened to be read to its end.
const READING: SignedDuration = SignedDuration::from_secs(10);

impl Budget {
    /// Of a minute, a function begins to read objects for 25 s. Of less time, everything gets its share.
    pub(super) fn new(now: Timestamp, ends: Option<Timestamp>) -> Self {
        let Some(ends) = ends else {
            let ends = Timestamp::MAX;
            return Self { starting: ends, reading: ends, telling: ends };
        };
        let all = ends.duration_since(now).max(SignedDuration::ZERO);
        let telling = ends - CLOSING.min(all / 3);
        let reading = telling - TELLING.min(all / 12);
        Self { starting: reading - READING.min(all / 6), reading, telling }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(ends: i64) -> [i64; 3] {
        let now = Timestamp::UNIX_EPOCH;
        let Budget { starting, reading, telling } = Budget::new(now, Some(now + SignedDuration::from_secs(ends)));
        [starting, reading, telling].map(Timestamp::as_second)
    }

    #[test]
    fn each_step_leaves_time_for_the_next() {
        assert_eq!(seconds(60), [25, 35, 40]);
        assert_eq!(seconds(900), [865, 875, 880]);
        assert_eq!(seconds(12), [5, 7, 8]);
        assert_eq!(seconds(-3), [-3, -3, -3]);
    }
}
