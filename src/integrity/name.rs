//! What the keys of digest files and log files say: whose they are, which trail's, of what time.
//!
//! `[<prefix>/]AWSLogs/[<o-id>/]<account>/CloudTrail-Digest/<region>/YYYY/MM/DD/
//! <account>_CloudTrail-Digest_<region>_<trail>_<home region>_<YYYYMMDDTHHMMSSZ>[_backfill].json.gz`
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::trail::BelowAccount;

/// Digest files that follow one another: those of one trail, account and Region. Back-fill digests follow one another apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chain {
    /// What stands before the account in keys: `[<prefix>/]AWSLogs/[<o-id>/]`.
    pub root: String,
    /// Whose log files it lists.
    pub account: String,
    /// Where they came from.
    pub region: String,
    /// The trail's name.
    pub trail: String,
    /// Where the trail was made.
    pub home_region: String,
    /// Whether it lists log files that the hourly digests left out.
    pub is_backfill: bool,
}

/// A digest file, by its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DigestName {
    /// What it belongs to.
    pub chain: Chain,
    /// When the time ended that it covers, to the second.
    pub end: Timestamp,
}

impl DigestName {
    /// Reads the key of a digest file; `None` for any other.
    ///
    /// ```
    /// use trailhound::integrity::DigestName;
    ///
    /// let key = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/11/05/\
    ///            111122223333_CloudTrail-Digest_eu-west-1_my_trail_us-east-1_20261105T100131Z.json.gz";
    /// let name = DigestName::of(key).unwrap();
    /// assert_eq!((name.chain.trail.as_str(), name.chain.home_region.as_str()), ("my_trail", "us-east-1"));
    /// assert_eq!(name.end.to_string(), "2026-11-05T10:01:31Z");
    /// ```
    #[must_use]
    pub fn of(key: &str) -> Option<Self> {
        let below = BelowAccount::of(key)?;
        let BelowAccount { root, account, folder: "CloudTrail-Digest", rest } = below else { return None };
        let mut segments = rest.split('/');
        let region = segments.next()?;
        let [_year, _month, _day, file] = segments.collect::<Vec<_>>()[..] else { return None };
        let stem = file.strip_suffix(".json.gz")?;
        let (stem, is_backfill) = stem.strip_suffix("_backfill").map_or((stem, false), |stem| (stem, true));
        let name = stem.strip_prefix(account)?.strip_prefix("_CloudTrail-Digest_")?;
        let name = name.strip_prefix(region)?.strip_prefix('_')?;
        // A trail's name may hold `_`; Regions and times don't.
        let (name, end) = name.rsplit_once('_')?;
        let (trail, home_region) = name.rsplit_once('_')?;
        let end = time("%Y%m%dT%H%M%SZ", end)?;
        if !(is_region(region) && is_region(home_region)) {
            return None;
        }
        let [root, account, region, trail, home_region] =
            [root, account, region, trail, home_region].map(str::to_owned);
        Some(Self { chain: Chain { root, account, region, trail, home_region, is_backfill }, end })
    }
}

/// Whether it may be a Region's name. It becomes part of the name of the host that is asked for public keys, and anybody who can
/// write to the bucket chooses it.
fn is_region(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

impl Chain {
    /// Below it stand the digests of this account and Region, whichever trail's.
    #[must_use]
    pub fn digests(&self) -> String {
        format!("{}{}/CloudTrail-Digest/{}/", self.root, self.account, self.region)
    }

    /// Below it stand those of them whose time ended on a day.
    #[must_use]
    pub fn digests_of(&self, day: Timestamp) -> String {
        self.digests() + &day_path(day)
    }

    /// Below it stand the log files that were delivered on a day, whichever trail's.
    #[must_use]
    pub fn logs_of(&self, day: Timestamp) -> String {
        format!("{}{}/CloudTrail/{}/{}", self.root, self.account, self.region, day_path(day))
    }

    /// What the key of a log file that was delivered in this minute begins with.
    #[must_use]
    pub fn log_at(&self, minute: Timestamp) -> String {
        let Self { account, region, .. } = self;
        format!("{}{account}_CloudTrail_{region}_{}", self.logs_of(minute), minute.strftime("%Y%m%dT%H%M"))
    }

    /// When a log file was delivered, as its key says, to the minute.
    ///
    /// `None` where it has another name than `CloudTrail` gives to files of this account and Region.
    #[must_use]
    pub fn log_time(&self, key: &str) -> Option<Timestamp> {
        let (_, file) = key.rsplit_once('/')?;
        let name = file.strip_prefix(self.account.as_str())?.strip_prefix("_CloudTrail_")?;
        let name = name.strip_prefix(self.region.as_str())?.strip_prefix('_')?;
        time("%Y%m%dT%H%M", name.get(..13)?)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, region, trail, home_region, is_backfill, .. } = self;
        let backfill = if *is_backfill { ", back-fill" } else { "" };
        write!(f, "trail {trail} of {home_region}, account {account}, {region}{backfill}")
    }
}

fn day_path(day: Timestamp) -> String {
    day.strftime("%Y/%m/%d/").to_string()
}

fn time(format: &str, text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime(format, text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: &str = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/11/05";
    const FILE: &str = "111122223333_CloudTrail-Digest_eu-west-1_t_us-east-1_20261105T100131Z";

    #[test]
    fn digests_under_any_prefix_are_known_by_their_names() {
        for (root, end) in [("", ""), ("team/", ""), ("AWSLogs/x/", "_backfill")] {
            let name = DigestName::of(&format!("{root}{DAY}/{FILE}{end}.json.gz")).unwrap();
            assert_eq!(name.chain.root, format!("{root}AWSLogs/"));
            assert_eq!(name.chain.is_backfill, end == "_backfill");
            assert_eq!(name.chain.digests_of(name.end), format!("{root}{DAY}/"));
        }
        let org = DAY.replace("AWSLogs/", "AWSLogs/o-exampleorgid/");
        assert_eq!(DigestName::of(&format!("{org}/{FILE}.json.gz")).unwrap().chain.root, "AWSLogs/o-exampleorgid/");
    }

    #[test]
    fn what_is_no_digest_has_no_name() {
        for key in [
            String::new(),
            format!("{DAY}/"),
            format!("{DAY}/{FILE}.json"),
            format!("{DAY}/{FILE}.json.gz.metadata.json"),
            format!("{DAY}/x/{FILE}.json.gz"),
            format!("{DAY}/{FILE}Z.json.gz"),
            format!("{DAY}/{}.json.gz", FILE.replace("eu-west-1", "eu-west-2")),
            format!("{DAY}/{}.json.gz", FILE.replace("1111", "2222")),
            format!("{DAY}/{FILE}.json.gz").replace("eu-west-1", "evil.example?"),
            format!("{DAY}/{FILE}.json.gz").replace("us-east-1", ""),
            format!("{DAY}/{FILE}.json.gz").replace("CloudTrail-Digest/", "CloudTrail/"),
        ] {
            assert_eq!(DigestName::of(&key), None, "{key}");
        }
    }

    #[test]
    fn log_files_tell_the_minute_of_their_delivery() {
        let chain = DigestName::of(&format!("{DAY}/{FILE}.json.gz")).unwrap().chain;
        let minute = "2026-11-05T10:15:00Z".parse().unwrap();
        let start = chain.log_at(minute);
        assert_eq!(
            start,
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/111122223333_CloudTrail_eu-west-1_20261105T1015"
        );
        assert_eq!(chain.log_time(&format!("{start}Z_UidgAgQekcWiqMu6.json.gz")), Some(minute));
        // One example of the documentation has no `Z_`.
        assert_eq!(chain.log_time(&format!("{start}_UidgAgQekcWiqMu6.json.gz")), Some(minute));
        assert_eq!(chain.log_time("AWSLogs/x/evil.json.gz"), None);
    }
}
