//! The grammar of the object keys that CloudTrail writes.
//!
//! `[<prefix>/]AWSLogs/[<o-id>/]<account>/<folder>/<region>/YYYY/MM/DD/<file>.json.gz`
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>

use jiff::Timestamp;

use super::EventKind;

/// What an object is, told by its key alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// A file of records: management, data, network activity, Insight or aggregated events.
    Log,
    /// An hourly digest, which lists log files and holds no records.
    Digest,
    /// Named like a file of records, in a place that CloudTrail doesn't write to: a copy under another key, or a kind of
    /// file that is newer than this program. What it is, only its content tells.
    Unknown,
    /// Anything else: folder markers, other services' logs, foreign files in the same bucket.
    Foreign,
}

/// What an object's key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectKey<'k> {
    /// What the object is.
    pub kind: KeyKind,
    /// The account that its events are about.
    pub account: Option<&'k str>,
    /// The Region that its events are about.
    pub region: Option<&'k str>,
    /// What kind of events it holds, if they are all of one kind.
    pub events: Option<EventKind>,
    /// When CloudTrail delivered it, by its name: to the minute.
    pub delivered: Option<Timestamp>,
}

/// `[<prefix>/]AWSLogs/[<o-id>/]<account>/<folder>/<rest>`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BelowAccount<'k> {
    /// What stands before the account.
    pub(crate) root: &'k str,
    pub(crate) account: &'k str,
    pub(crate) folder: &'k str,
    pub(crate) rest: &'k str,
}

impl KeyKind {
    /// Classifies a decoded object key.
    ///
    /// ```
    /// use trailhound::trail::KeyKind;
    ///
    /// let key = "team/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/111122223333_CloudTrail_eu-west-1_20261105T1015Z_UidgAgQekcWiqMu6.json.gz";
    /// assert_eq!(KeyKind::of(key), KeyKind::Log);
    /// assert_eq!(KeyKind::of("AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/11/05/a.log.gz"), KeyKind::Foreign);
    /// ```
    #[must_use]
    pub fn of(key: &str) -> Self {
        ObjectKey::parse(key).kind
    }
}

impl<'k> ObjectKey<'k> {
    /// Takes a decoded object key apart.
    #[must_use]
    pub fn parse(key: &'k str) -> Self {
        written_by_cloudtrail(key).unwrap_or_else(|| {
            let kind =
                if may_hold_records(key) && !is_of_another_service(key) { KeyKind::Unknown } else { KeyKind::Foreign };
            Self { kind, account: None, region: None, events: None, delivered: None }
        })
    }
}

fn written_by_cloudtrail(key: &str) -> Option<ObjectKey<'_>> {
    let BelowAccount { account, folder, rest, .. } = BelowAccount::of(key)?;
    let [region, year, month, day, file] = rest.split('/').collect::<Vec<_>>()[..] else { return None };
    let dated = digits(year, 4) && digits(month, 2) && digits(day, 2);
    // `.json` is what is left when somebody unzips a file and puts it back.
    let named = [".json.gz", ".json"].iter().any(|end| file.strip_suffix(end).is_some_and(|stem| !stem.is_empty()));
    if !(dated && named) {
        return None;
    }
    let (kind, events) = match folder {
        "CloudTrail" => (KeyKind::Log, None),
        "CloudTrail-Insight" => (KeyKind::Log, Some(EventKind::Insight)),
        "CloudTrail-NetworkActivity" => (KeyKind::Log, Some(EventKind::NetworkActivity)),
        "CloudTrail-Aggregated" => (KeyKind::Log, Some(EventKind::Aggregated)),
        "CloudTrail-Digest" => (KeyKind::Digest, None),
        _ => return None,
    };
    Some(ObjectKey { kind, account: Some(account), region: Some(region), events, delivered: delivered(file) })
}

/// `<account>_CloudTrail_<region>_<YYYYMMDDTHHMM>Z_<16 characters>.json.gz`
fn delivered(file: &str) -> Option<Timestamp> {
    let stamp = file.split('_').nth(3)?.strip_suffix('Z')?;
    let (date, time) = stamp.split_once('T').filter(|(date, time)| digits(date, 8) && digits(time, 4))?;
    let [year, month, day, hour, minute] = [&date[..4], &date[4..6], &date[6..], &time[..2], &time[2..]];
    format!("{year}-{month}-{day}T{hour}:{minute}:00Z").parse().ok()
}

/// Config, load balancers and others write below `AWSLogs/<account>/` too.
fn is_of_another_service(key: &str) -> bool {
    BelowAccount::of(key).is_some_and(|below| !below.folder.starts_with("CloudTrail"))
}

impl<'k> BelowAccount<'k> {
    /// Takes a key apart; `None` for one that names no account.
    pub(crate) fn of(key: &'k str) -> Option<Self> {
        // The prefix is free text and may itself hold `AWSLogs`: the last one counts.
        let start =
            key.rmatch_indices("AWSLogs/").map(|(at, _)| at).find(|at| *at == 0 || key[..*at].ends_with('/'))?;
        let mut at = start + "AWSLogs/".len();
        if key[at..].starts_with("o-") {
            at += key[at..].find('/')? + 1;
        }
        let (account, below) = key[at..].split_once('/')?;
        let (folder, rest) = below.split_once('/')?;
        digits(account, 12).then_some(Self { root: &key[..at], account, folder, rest })
    }
}

fn may_hold_records(key: &str) -> bool {
    let name = key.strip_suffix(".gz").unwrap_or(key);
    [".json", ".jsonl", ".ndjson"].iter().any(|end| name.strip_suffix(end).is_some_and(|stem| !stem.ends_with('/')))
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_by_their_grammar() {
        for (key, kind) in [
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/f.json.gz", KeyKind::Log),
            ("a b/c+d/AWSLogs/o-exampleorgid/111122223333/CloudTrail/us-gov-west-1/2026/11/05/f.json.gz", KeyKind::Log),
            ("AWSLogs/x/AWSLogs/111122223333/CloudTrail-NetworkActivity/eu-west-1/2026/11/05/f.json.gz", KeyKind::Log),
            ("AWSLogs/111122223333/CloudTrail-Insight/eu-west-1/2026/11/05/f.json.gz", KeyKind::Log),
            ("AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/11/05/f.json.gz", KeyKind::Digest),
            // Only reading tells.
            ("AWSLogs/111122223333/CloudTrail-Tomorrow/eu-west-1/2026/11/05/f.json.gz", KeyKind::Unknown),
            ("AWSLogs/1111/CloudTrail/eu-west-1/2026/11/05/f.json.gz", KeyKind::Unknown),
            ("copies/f.json", KeyKind::Unknown),
            ("f.jsonl.gz", KeyKind::Unknown),
            ("AWSLogs/111122223333/", KeyKind::Foreign),
            ("AWSLogs/", KeyKind::Foreign),
            ("AWSLogs/o-exampleorgid", KeyKind::Foreign),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/", KeyKind::Foreign),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/.json.gz", KeyKind::Foreign),
            ("AWSLogs/111122223333/Config/eu-west-1/2026/11/5/ConfigSnapshot/f.json.gz", KeyKind::Foreign),
            ("AWSLogs/111122223333/elasticloadbalancing/eu-west-1/2026/11/05/f.log.gz", KeyKind::Foreign),
            (
                "trailhound/damaged/logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/f.json.gz.raw",
                KeyKind::Foreign,
            ),
            ("", KeyKind::Foreign),
        ] {
            assert_eq!(KeyKind::of(key), kind, "{key}");
        }
    }

    #[test]
    fn a_key_says_whose_events_it_holds() {
        let key =
            ObjectKey::parse("o/AWSLogs/o-exampleorgid/111122223333/CloudTrail-Insight/eu-west-1/2026/11/05/f.json.gz");
        assert_eq!((key.account, key.region), (Some("111122223333"), Some("eu-west-1")));
        assert_eq!((key.events, key.delivered), (Some(EventKind::Insight), None));
        let name = "111122223333_CloudTrail_eu-west-1_20261105T1015Z_UidgAgQekcWiqMu6.json.gz";
        let key = format!("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/{name}");
        assert_eq!(ObjectKey::parse(&key).delivered.unwrap().to_string(), "2026-11-05T10:15:00Z");
    }
}
