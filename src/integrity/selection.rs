//! Which digests of a bucket are looked at, and how to find them without listing everything else.

use jiff::{SignedDuration, Timestamp};

use super::later;
use crate::trail::BelowAccount;

use super::name::DigestName;

/// What follows a `/` in the order of keys: behind it stands nothing that begins with the folder.
const BEHIND_FOLDER: char = '0';
/// A digest covers an hour. What was late stands in the next one, whose check also looks for log files that were added.
const NEXT: SignedDuration = SignedDuration::from_hours(2);

/// Which digests are looked at. What isn't said takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those that end after this time.
    pub from: Option<Timestamp>,
    /// Those that begin before this time, and the next.
    pub to: Option<Timestamp>,
    /// Those of one account.
    pub account: Option<String>,
    /// Those of one Region.
    pub region: Option<String>,
    /// Those of one trail.
    pub trail: Option<String>,
}

/// What to do about a key of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seek {
    /// It is one of them.
    Take(DigestName),
    /// It isn't.
    Pass,
    /// It isn't, nor is any up to this one, which needn't exist.
    Skip(String),
}

impl Selection {
    /// Judges a key. A bucket holds a thousand times as many log files as digests: whole folders of others are skipped.
    #[must_use]
    pub fn judge(&self, key: &str) -> Seek {
        let Some(below) = BelowAccount::of(key) else { return Seek::Pass };
        let BelowAccount { root, account, folder, rest } = below;
        let skip = |upto: &[&str]| Seek::Skip(format!("{root}{account}{}{BEHIND_FOLDER}", upto.concat()));
        if !is(self.account.as_deref(), account) {
            return skip(&[]);
        }
        if folder != "CloudTrail-Digest" {
            return skip(&["/", folder]);
        }
        let Some((region, dated)) = rest.split_once('/') else { return Seek::Pass };
        if !is(self.region.as_deref(), region) || self.to.is_some_and(|to| dated > last_day(to).as_str()) {
            return skip(&["/", folder, "/", region]);
        }
        if let Some(day) = self.from.map(day).filter(|day| dated < day.as_str()) {
            return Seek::Skip(format!("{root}{account}/{folder}/{region}/{day}"));
        }
        match DigestName::of(key) {
            Some(name) if self.takes(&name) => Seek::Take(name),
            _ => Seek::Pass,
        }
    }

    fn takes(&self, name: &DigestName) -> bool {
        let late = self.to.is_some_and(|to| name.end >= later(to, NEXT));
        is(self.trail.as_deref(), &name.chain.trail) && self.from.is_none_or(|from| name.end > from) && !late
    }
}

fn is(wanted: Option<&str>, value: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == value)
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y/%m/%d/").to_string()
}

/// Behind everything of the last day that may be wanted.
fn last_day(to: Timestamp) -> String {
    let mut day = day(later(to, NEXT));
    day.pop();
    day.push(BEHIND_FOLDER);
    day
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "team/AWSLogs/o-exampleorgid/";

    fn digest(account: &str, region: &str, time: &str) -> String {
        let day = format!("{}/{}/{}", &time[..4], &time[4..6], &time[6..8]);
        let file = format!("{account}_CloudTrail-Digest_{region}_t_eu-west-1_{time}Z.json.gz");
        format!("{ROOT}{account}/CloudTrail-Digest/{region}/{day}/{file}")
    }

    #[test]
    fn folders_of_others_are_skipped() {
        let selection = Selection {
            from: Some("2026-11-05T10:00:00Z".parse().unwrap()),
            to: Some("2026-11-06T10:00:00Z".parse().unwrap()),
            account: Some("111122223333".to_owned()),
            region: Some("eu-west-1".to_owned()),
            trail: None,
        };
        let skip = |text: &str| Seek::Skip(format!("{ROOT}{text}"));
        let of = |account, region, time| selection.judge(&digest(account, region, time));
        assert_eq!(of("123456789012", "eu-west-1", "20261105T103000"), skip("1234567890120"));
        assert_eq!(
            of("111122223333", "us-east-1", "20261105T103000"),
            skip("111122223333/CloudTrail-Digest/us-east-10")
        );
        assert_eq!(
            of("111122223333", "eu-west-1", "20261104T103000"),
            skip("111122223333/CloudTrail-Digest/eu-west-1/2026/11/05/")
        );
        assert_eq!(
            of("111122223333", "eu-west-1", "20261107T103000"),
            skip("111122223333/CloudTrail-Digest/eu-west-10")
        );
        assert_eq!(
            selection.judge(&format!("{ROOT}111122223333/CloudTrail/eu-west-1/x")),
            skip("111122223333/CloudTrail0")
        );
        assert_eq!(selection.judge("something/else.json.gz"), Seek::Pass);
        for (time, taken) in [
            ("20261105T100000", false),
            ("20261105T100001", true),
            ("20261106T115959", true),
            ("20261106T120000", false),
        ] {
            let judged = of("111122223333", "eu-west-1", time);
            assert_eq!(matches!(judged, Seek::Take(_)), taken, "{time}: {judged:?}");
            assert!(taken || judged == Seek::Pass, "{time}: {judged:?}");
        }
    }

    #[test]
    fn without_wishes_all_digests_are_taken() {
        let all = Selection::default();
        assert!(matches!(all.judge(&digest("111122223333", "eu-west-1", "20261105T103000")), Seek::Take(_)));
        let other = Selection { trail: Some("other".to_owned()), ..all };
        assert_eq!(other.judge(&digest("111122223333", "eu-west-1", "20261105T103000")), Seek::Pass);
    }
}
