//! The grammar of the object keys that CloudTrail writes.
//!
//! `[<prefix>/]AWSLogs/[<o-id>/]<account>/<folder>/<region>/YYYY/MM/DD/<file>.json.gz`
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>

/// What an object is, told by its key alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// A file of records: management, data, network activity, Insight or aggregated events.
    Log,
    /// An hourly digest, which lists log files and holds no records.
    Digest,
    /// Anything else: folder markers, other services' logs, foreign files in the same bucket.
    Foreign,
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
        parse(key).unwrap_or(Self::Foreign)
    }
}

fn parse(key: &str) -> Option<KeyKind> {
    let segments: Vec<&str> = key.split('/').collect();
    // The prefix is free text and may itself hold `AWSLogs`: the last one counts.
    let root = segments.iter().rposition(|segment| *segment == "AWSLogs")?;
    let mut rest = &segments[root + 1..];
    if rest.first()?.starts_with("o-") {
        rest = &rest[1..];
    }
    let [account, folder, _region, year, month, day, file] = rest else { return None };
    let dated = digits(year, 4) && digits(month, 2) && digits(day, 2);
    // `.json` is what is left when somebody unzips a file and puts it back.
    let named = [".json.gz", ".json"].iter().any(|end| file.strip_suffix(end).is_some_and(|stem| !stem.is_empty()));
    if !(digits(account, 12) && dated && named) {
        return None;
    }
    match *folder {
        "CloudTrail" | "CloudTrail-Insight" | "CloudTrail-NetworkActivity" | "CloudTrail-Aggregated" => {
            Some(KeyKind::Log)
        }
        "CloudTrail-Digest" => Some(KeyKind::Digest),
        _ => None,
    }
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
            ("AWSLogs/111122223333/", KeyKind::Foreign),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/", KeyKind::Foreign),
            ("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/05/.json.gz", KeyKind::Foreign),
            ("AWSLogs/1111/CloudTrail/eu-west-1/2026/11/05/f.json.gz", KeyKind::Foreign),
            ("AWSLogs/111122223333/Config/eu-west-1/2026/11/05/f.json.gz", KeyKind::Foreign),
            ("", KeyKind::Foreign),
        ] {
            assert_eq!(KeyKind::of(key), kind, "{key}");
        }
    }
}
