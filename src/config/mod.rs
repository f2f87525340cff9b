//! Settings of the function, from environment variables. One table: name, default, unit, range, meaning.

mod enrichment;
mod notifier;
mod values;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::local::Stdout;
use crate::pipeline::{MAX_FOUND_BYTES, Quarantine};
use crate::rule_pack::RuleSource;
use crate::sigma::Level;
use crate::trail::{Limits, Scope};
use crate::yaml::suggest;

use enrichment::enrichment;
pub use enrichment::{EnrichmentFrom, MAX_ENRICHMENT_BYTES};
pub use notifier::NotifierSettings;
use values::{accounts, kinds, regions, rules, warm};
pub use values::{alerts, config, keys, level, objects, quarantine, state};

/// What every setting's name starts with.
pub const PREFIX: &str = "TRAILHOUND_";
/// What Lambda calls the size of the function's memory, in MB.
const MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";

/// A setting as the documentation shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Name of the environment variable.
    pub name: &'static str,
    /// What holds when it isn't set.
    pub default: &'static str,
    /// The unit, or what form the value has.
    pub unit: &'static str,
    /// The values it takes.
    pub range: &'static str,
    /// What it decides.
    pub meaning: &'static str,
}

macro_rules! settings {
    ($($name:literal, $default:literal, $unit:literal, $range:literal, $meaning:literal;)+) => {
        /// Every setting. `docs/configuration.md` shows this table, and a test holds the two together.
        pub const SETTINGS: &[Setting] = &[$(Setting { name: $name, default: $default, unit: $unit, range: $range, meaning: $meaning }),+];
    };
}

settings! {
    "TRAILHOUND_ALERTS", "none, required", "place", "`sns:ARN`, `stdout` or `stdout:json`", "where alerts go";
    "TRAILHOUND_OBJECTS", "`s3`", "place", "`s3` or `dir:PATH`", "where log files are; a folder is laid out as `<bucket>/<key>`";
    "TRAILHOUND_STATE", "`memory`", "place", "`memory`, `file:PATH` or `dynamodb:TABLE`", "what is remembered between invocations; `memory` lasts as long as the process";
    "TRAILHOUND_WARM", "none", "places", "`s3://BUCKET`, `alerts` and `state`, separated by commas", "what the function connects to while it starts, before the first event needs it";
    "TRAILHOUND_CONFIG", "none", "place", "`PATH` or `s3://BUCKET/KEY`", "the file of what the organisation knows";
    "TRAILHOUND_ENRICHMENT", "none", "place", "`PATH` or `s3://BUCKET/PREFIX`", "the folder of what is known of addresses: `ip-ranges.json` and `*.mmdb`";
    "TRAILHOUND_RULES", "`core`", "places", "`core`, `extended`, `compliance`, `data-events`, `self-protection`, `addresses`, `all`; folders or files of Sigma rules; separated by commas", "rules to use; see [packs](packs.md)";
    "TRAILHOUND_LEVEL", "`medium`", "level", "`informational`, `low`, `medium`, `high`, `critical`", "the mildest level that people are told of; see [levels](levels.md)";
    "TRAILHOUND_ACCOUNTS", "all", "list", "account ids, separated by commas", "whose events are taken; the others' are acknowledged and counted";
    "TRAILHOUND_REGIONS", "all", "list", "Regions, separated by commas", "which Regions' events are taken";
    "TRAILHOUND_KINDS", "all", "list", "`management`, `data`, `network-activity`, `insight`, `aggregated`", "which kinds of events are taken";
    "TRAILHOUND_QUARANTINE", "none", "place", "`s3://BUCKET/PREFIX`", "where what can't be read is put aside, with the reason beside it";
    "TRAILHOUND_KEYS", "`cloudtrail` if log files are in S3, else `none`", "place", "`cloudtrail`, `file:PATH` or `none`", "where CloudTrail's public keys are, with which digest files are checked; with `none` they are only counted";
    "TRAILHOUND_CONCURRENCY", "8", "requests", "1-64", "objects read, and alerts published, at the same time";
    "TRAILHOUND_MAX_FILE_BYTES", "1073741824", "bytes", "1000000-1000000000000", "what one log file may inflate to";
    "TRAILHOUND_MAX_RECORD_BYTES", "4194304", "bytes", "300000-100000000", "how large one record may be";
}

/// The settings, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where log files are.
    pub objects: ObjectsFrom,
    /// What is remembered.
    pub state: StateIn,
    /// Where alerts go.
    pub alerts: AlertsTo,
    /// What is connected to while starting.
    pub warm: Vec<Warm>,
    /// The file of what the organisation knows.
    pub config: Option<ConfigFrom>,
    /// Where what is known of addresses is.
    pub enrichment: Option<EnrichmentFrom>,
    /// Where rules come from.
    pub rules: Vec<RuleSource>,
    /// The mildest level that people are told of.
    pub level: Level,
    /// Which events are taken.
    pub scope: Scope,
    /// Where what can't be read is put aside.
    pub quarantine: Option<Quarantine>,
    /// Where CloudTrail's public keys are.
    pub keys: KeysFrom,
    /// Objects and alerts in flight.
    pub concurrency: usize,
    /// What one file may cost.
    pub limits: Limits,
    /// Memory that what rules find in one file may take, in bytes.
    pub max_found_bytes: usize,
    /// Memory that what is known of addresses may take, in bytes.
    pub max_enrichment_bytes: usize,
}

/// Where log files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectsFrom {
    /// Amazon S3, in the Region of the environment.
    S3,
    /// A folder laid out as `<bucket>/<key>`.
    Folder(PathBuf),
}

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateIn {
    /// As long as the process lasts.
    Memory,
    /// In an embedded database file.
    File(PathBuf),
    /// In an Amazon `DynamoDB` table, by its name.
    DynamoDb(String),
}

/// Where alerts go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertsTo {
    /// An SNS topic, by its ARN.
    Sns(String),
    /// The terminal.
    Stdout(Stdout),
}

/// Where CloudTrail's public keys are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysFrom {
    /// CloudTrail.
    CloudTrail,
    /// A file of them.
    File(PathBuf),
    /// Nowhere.
    Nowhere,
}

/// What is connected to while starting. On this machine there is nothing to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warm {
    /// A bucket of log files, by its name: S3 has a host for each.
    Bucket(String),
    /// Where alerts go.
    Alerts,
    /// What is remembered.
    State,
}

/// Where the organisation's file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigFrom {
    /// A file.
    Path(PathBuf),
    /// An object.
    S3 {
        /// Its bucket.
        bucket: String,
        /// Its key.
        key: String,
    },
}

/// A setting that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {why}")]
pub struct SettingError {
    /// The setting.
    pub name: String,
    /// What is wrong, and what to try.
    pub why: String,
}

impl Settings {
    /// Reads the settings among `variables`.
    ///
    /// # Errors
    /// Everything that is wrong, at once. An unknown `TRAILHOUND_` variable is an error too: it is a misspelt setting.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, Vec<SettingError>> {
        let given = given(variables);
        let mut source = Source { given: &given, errors: Vec::new() };
        source.reject_unknown();
        let from = source.parsed("TRAILHOUND_OBJECTS", objects).unwrap_or(ObjectsFrom::S3);
        let usual = if from == ObjectsFrom::S3 { KeysFrom::CloudTrail } else { KeysFrom::Nowhere };
        let memory = source.memory();
        let settings = Self {
            objects: from,
            keys: source.parsed("TRAILHOUND_KEYS", keys).unwrap_or(usual),
            state: source.parsed("TRAILHOUND_STATE", state).unwrap_or(StateIn::Memory),
            alerts: source.required("TRAILHOUND_ALERTS", alerts).unwrap_or(AlertsTo::Stdout(Stdout::Text)),
            warm: source.parsed("TRAILHOUND_WARM", warm).unwrap_or_default(),
            config: source.parsed("TRAILHOUND_CONFIG", config),
            enrichment: source.parsed("TRAILHOUND_ENRICHMENT", enrichment),
            rules: source
                .parsed("TRAILHOUND_RULES", |value| Ok(rules(value)))
                .unwrap_or_else(|| vec![RuleSource::CORE]),
            level: source.parsed("TRAILHOUND_LEVEL", level).unwrap_or(Level::TOLD),
            scope: Scope {
                accounts: source.parsed("TRAILHOUND_ACCOUNTS", accounts).unwrap_or_default(),
                regions: source.parsed("TRAILHOUND_REGIONS", regions).unwrap_or_default(),
                kinds: source.parsed("TRAILHOUND_KINDS", kinds).unwrap_or_default(),
            },
            quarantine: source.parsed("TRAILHOUND_QUARANTINE", quarantine),
            concurrency: source.number("TRAILHOUND_CONCURRENCY", 1..=64).unwrap_or(8),
            limits: source.limits(),
            max_found_bytes: memory.map_or(MAX_FOUND_BYTES, |bytes| bytes / 5),
            max_enrichment_bytes: memory.map_or(MAX_ENRICHMENT_BYTES, |bytes| bytes / 4),
        };
        if source.errors.is_empty() { Ok(settings) } else { Err(source.errors) }
    }
}

/// Reads what one file may cost from among `variables`: the settings that concern the command line too.
///
/// # Errors
/// Everything that is wrong with them.
pub fn limits(variables: impl IntoIterator<Item = (String, String)>) -> Result<Limits, Vec<SettingError>> {
    let given = given(variables);
    let mut source = Source { given: &given, errors: Vec::new() };
    let limits = source.limits();
    if source.errors.is_empty() { Ok(limits) } else { Err(source.errors) }
}

/// The settings that are set to something.
fn given(variables: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    let is_given =
        |(name, value): &(String, String)| (name.starts_with(PREFIX) || name == MEMORY) && !value.trim().is_empty();
    variables.into_iter().filter(is_given).collect()
}

struct Source<'v> {
    given: &'v [(String, String)],
    errors: Vec<SettingError>,
}

impl Source<'_> {
    fn reject_unknown(&mut self) {
        for (name, _) in self.given {
            if name != MEMORY && !SETTINGS.iter().any(|setting| setting.name == name) {
                let advice = suggest(name, SETTINGS.iter().map(|setting| setting.name));
                let advice = advice.unwrap_or_else(|| "docs/configuration.md lists the settings".to_owned());
                self.error(name, format!("there is no such setting; {advice}"));
            }
        }
    }

    fn parsed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let (_, value) = self.given.iter().find(|(given, _)| given == name)?;
        parse(value.trim()).map_err(|why| self.error(name, why)).ok()
    }

    fn required<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        if !self.given.iter().any(|(given, _)| given == name) {
            let range = SETTINGS.iter().find(|setting| setting.name == name).map_or("", |setting| setting.range);
            self.error(name, format!("is not set; it takes {range}"));
            return None;
        }
        self.parsed(name, parse)
    }

    fn number(&mut self, name: &str, range: RangeInclusive<usize>) -> Option<usize> {
        self.parsed(name, |value| {
            let number = value.parse().ok().filter(|number| range.contains(number));
            number.ok_or_else(|| format!("`{value}` is no whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// The function's memory, in bytes.
    fn memory(&mut self) -> Option<usize> {
        Some(self.number(MEMORY, 1..=1 << 20)? << 20)
    }

    fn limits(&mut self) -> Limits {
        let Limits { max_file_bytes, max_record_bytes } = Limits::default();
        let file = self.number("TRAILHOUND_MAX_FILE_BYTES", 1_000_000..=1_000_000_000_000);
        let record = self.number("TRAILHOUND_MAX_RECORD_BYTES", 300_000..=100_000_000);
        Limits {
            max_file_bytes: file.map_or(max_file_bytes, |bytes| bytes as u64),
            max_record_bytes: record.unwrap_or(max_record_bytes),
        }
    }

    fn error(&mut self, name: &str, why: String) {
        self.errors.push(SettingError { name: name.to_owned(), why });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::from_variables(owned).map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn defaults_hold_for_what_is_not_set() {
        let settings = read(&[("TRAILHOUND_ALERTS", "stdout"), ("TRAILHOUND_CONFIG", ""), ("PATH", "/bin")]).unwrap();
        assert_eq!(settings.objects, ObjectsFrom::S3);
        assert_eq!(settings.state, StateIn::Memory);
        assert_eq!((settings.config, settings.enrichment, settings.warm), (None, None, Vec::new()));
        assert_eq!((settings.concurrency, settings.limits), (8, Limits::default()));
        assert_eq!(settings.rules, [RuleSource::CORE]);
        let settings = read(&[("TRAILHOUND_ALERTS", "stdout"), ("TRAILHOUND_RULES", "ours, core")]).unwrap();
        assert_eq!(settings.rules, [RuleSource::Path("ours".into()), RuleSource::CORE]);
    }

    #[test]
    fn connections_are_named_by_what_is_behind_them() {
        let settings =
            read(&[("TRAILHOUND_ALERTS", "stdout"), ("TRAILHOUND_WARM", "s3://logs, alerts,state,s3://more")]);
        let bucket = |name: &str| Warm::Bucket(name.into());
        assert_eq!(settings.unwrap().warm, [bucket("logs"), Warm::Alerts, Warm::State, bucket("more")]);
    }

    #[test]
    fn what_is_taken_and_put_aside_is_read() {
        let settings = read(&[
            ("TRAILHOUND_ALERTS", "stdout"),
            ("TRAILHOUND_ACCOUNTS", "111122223333, 444455556666"),
            ("TRAILHOUND_REGIONS", "eu-west-1,us-gov-west-1"),
            ("TRAILHOUND_KINDS", "management,network-activity"),
            ("TRAILHOUND_QUARANTINE", "s3://logs/aside"),
            ("TRAILHOUND_KEYS", "file:keys.json"),
            ("TRAILHOUND_ENRICHMENT", "s3://data/addresses"),
        ])
        .unwrap();
        assert_eq!(settings.enrichment.unwrap().to_string(), "s3://data/addresses/");
        assert_eq!(
            (settings.scope.accounts.len(), settings.scope.regions.len(), settings.scope.kinds.len()),
            (2, 2, 2)
        );
        assert_eq!(settings.quarantine.unwrap().to_string(), "s3://logs/aside/");
        assert_eq!(settings.keys, KeysFrom::File("keys.json".into()));
        for (name, value, why) in [
            ("TRAILHOUND_ACCOUNTS", "prod", "`prod` is no account id, which has 12 digits"),
            ("TRAILHOUND_REGIONS", "europe", "`europe` is no Region; one looks like eu-west-1"),
            ("TRAILHOUND_KINDS", "insights", "`insights` is no kind of event; did you mean `insight`?"),
            ("TRAILHOUND_ENRICHMENT", "s3://", "`s3://` names no bucket; it takes `PATH` or `s3://BUCKET/PREFIX`"),
            ("TRAILHOUND_QUARANTINE", "logs", "`logs` is no place to put things aside; it takes `s3://BUCKET/PREFIX`"),
            (
                "TRAILHOUND_KEYS",
                "kms",
                "`kms` is no place for public keys; it takes `cloudtrail`, `file:PATH` or `none`",
            ),
        ] {
            let errors = read(&[("TRAILHOUND_ALERTS", "stdout"), (name, value)]).unwrap_err();
            assert_eq!(errors, [format!("{name}: {why}")]);
        }
        let folder = read(&[("TRAILHOUND_ALERTS", "stdout"), ("TRAILHOUND_OBJECTS", "dir:logs")]).unwrap();
        assert_eq!(folder.keys, KeysFrom::Nowhere);
    }

    #[test]
    fn everything_wrong_is_said_at_once_with_what_to_try() {
        let errors = read(&[
            ("TRAILHOUND_OBJECTS", "gcs"),
            ("TRAILHOUND_STATE", "file:"),
            ("TRAILHOUND_WARM", "alerts,s3://bucket/AWSLogs"),
            ("TRAILHOUND_CONFIG", "s3://bucket"),
            ("TRAILHOUND_CONCURRENCY", "0"),
            ("TRAILHOUND_ALERT", "stdout"),
        ])
        .unwrap_err();
        assert_eq!(
            errors,
            [
                "TRAILHOUND_ALERT: there is no such setting; did you mean `TRAILHOUND_ALERTS`?",
                "TRAILHOUND_OBJECTS: `gcs` is no place for log files; it takes `s3` or `dir:PATH`",
                "TRAILHOUND_STATE: `file:` is no place for the memory; it takes `memory`, `file:PATH` or `dynamodb:TABLE`",
                "TRAILHOUND_ALERTS: is not set; it takes `sns:ARN`, `stdout` or `stdout:json`",
                "TRAILHOUND_WARM: `s3://bucket/AWSLogs` is nothing to connect to; it takes `s3://BUCKET`, `alerts` and `state`",
                "TRAILHOUND_CONFIG: `s3://bucket` names no object; it takes `s3://BUCKET/KEY`",
                "TRAILHOUND_CONCURRENCY: `0` is no whole number from 1 to 64",
            ]
        );
    }

    #[test]
    fn a_topic_has_to_be_an_arn() {
        assert_eq!(
            alerts("sns:arn:aws:sns:eu-west-1:111122223333:a"),
            Ok(AlertsTo::Sns("arn:aws:sns:eu-west-1:111122223333:a".into()))
        );
        assert!(alerts("sns:alerts").unwrap_err().contains("looks like arn:aws:sns"));
    }
}
