//! How long to wait before a request is made again, and whether there is time for it.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

/// Tries of one request, the first included.
pub(super) const MAX_TRIES: u32 = 5;
/// Before the second try; twice as long before each that follows.
const FIRST: Duration = Duration::from_millis(500);
/// A receiver that asks for nothing gets at least this.
const LEAST: Duration = Duration::from_millis(100);

/// A request that is begun has at least so long to be answered.
pub(super) const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
pub(super) const OUT_OF_TIME: &str = "the invocation's time was nearly over";

/// How long a request may take, if there is time for one.
pub(super) fn left(now: Timestamp, until: Timestamp) -> Option<Duration> {
    let left = until.duration_since(now);
    (left >= SHORTEST).then(|| Duration::try_from(left).unwrap_or(Duration::MAX))
}

/// Reads `Retry-After`: seconds, or a date.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.max(LEAST));
    }
    let date = DateTimeParser::new().parse_timestamp(value).ok()?;
    let wait = date.duration_since(now).max(SignedDuration::ZERO);
    Some(Duration::try_from(wait).ok()?.max(LEAST))
}

/// When the receiver doesn't say: twice as long each time, and not the same for all who wait.
pub(super) fn backoff(tries: u32) -> Duration {
    let longest = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(10));
    // A number that no two processes come by.
    let chance = u32::try_from(RandomState::new().hash_one(tries) % 1001).unwrap_or_default();
    longest / 2 + longest / 2000 * chance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_says_seconds_or_a_date() {
        let now: Timestamp = "2026-11-05T10:00:00Z".parse().unwrap();
        for (value, seconds) in [
            ("30", Some(30.0)),
            (" 1.5 ", Some(1.5)),
            ("0", Some(0.1)),
            ("Thu, 05 Nov 2026 10:00:20 GMT", Some(20.0)),
            ("Thu, 05 Nov 2026 09:00:00 GMT", Some(0.1)),
            ("-1", None),
            ("soon", None),
            ("1e300", None),
            ("", None),
        ] {
            let wait = retry_after(value, now).map(|wait| wait.as_secs_f64());
            assert_eq!(wait, seconds, "{value}");
        }
    }

    #[test]
    fn a_request_needs_a_second() {
        let now: Timestamp = "2026-11-05T10:00:00Z".parse().unwrap();
        let ends = |millis| left(now, now + SignedDuration::from_millis(millis)).map(|left| left.as_millis());
        assert_eq!([ends(2500), ends(1000), ends(999), ends(-5)], [Some(2500), Some(1000), None, None]);
    }

    #[test]
    fn each_wait_is_about_twice_the_one_before() {
        for (tries, longest) in [(1, 500), (2, 1000), (3, 2000), (4, 4000)] {
            let wait = backoff(tries).as_millis();
            assert!(wait >= longest / 2 && wait <= longest, "{tries}: {wait}");
        }
        assert!(backoff(u32::MAX) < Duration::from_secs(1000));
    }
}
