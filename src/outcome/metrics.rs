//! What operators count: one table of names and units, for CloudWatch and for the terminal.
//!
//! CloudWatch reads a line of the log that is one JSON document in its embedded metric format:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Cause, Outcome};

/// What all metrics belong to.
pub(super) const NAMESPACE: &str = "trailhound";
/// What CloudWatch takes as the values of one metric.
const MAX_VALUES: usize = 100;

/// A number that operators see.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name in CloudWatch.
    pub name: &'static str,
    /// What it counts in.
    pub unit: Unit,
    /// What it means.
    pub meaning: &'static str,
    /// When it is sent: a metric costs as long as it is.
    pub sent: Sent,
    value: fn(&Outcome) -> u64,
}

/// What a metric counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Time.
    Milliseconds,
}

/// When a metric is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// With each invocation, so that an alarm can tell 0 from silence.
    Always,
    /// When it is not 0.
    IfAny,
}

impl Unit {
    /// As CloudWatch writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
        }
    }
}

impl Sent {
    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::IfAny => "if not 0",
        }
    }
}

macro_rules! metrics {
    ($($name:literal, $sent:ident, $meaning:literal, |$outcome:ident| $value:expr;)+) => {
        /// Every metric but [`LAG`]. `docs/operations.md` shows this table, and a test holds the two together.
        pub const METRICS: &[Metric] = &[$(Metric {
            name: $name, unit: Unit::Count, meaning: $meaning, sent: Sent::$sent, value: |$outcome| $value,
        }),+];
    };
}

metrics! {
    "Deliveries", Always, "SQS messages, Kinesis records, or 1 for a direct invocation", |it| it.counts.deliveries;
    "DeliveriesFailed", Always, "of these, returned to come again", |it| it.counts.deliveries_failed;
    "Ignored", IfAny, "notifications that ask for nothing", |it| it.counts.ignored;
    "Files", Always, "log files read to their end; 0 for an hour means that a trail or a notification has stopped", |it| it.counts.files;
    "Digests", IfAny, "digest files", |it| it.counts.digests;
    "LogFilesProven", IfAny, "log files that hold what a digest file says", |it| it.counts.proven;
    "IntegrityDamage", IfAny, "what digest files show to be missing, altered or added", |it| it.counts.damage;
    "ObjectsForeign", IfAny, "objects that are not CloudTrail's", |it| it.counts.foreign;
    "ObjectsUnwanted", IfAny, "objects that the settings leave to others", |it| it.counts.unwanted;
    "ObjectsGone", IfAny, "objects deleted before they were read", |it| it.counts.gone;
    "ObjectsFailed", Always, "objects that could not be read, or not to their end", |it| it.counts.objects_failed;
    "Quarantined", IfAny, "objects and payloads put aside", |it| it.counts.put_aside;
    "Records", Always, "records held against the rules", |it| it.counts.records;
    "BadRecords", IfAny, "records that could not be read, or not to their end", |it| it.counts.bad_records;
    "RecordsUnwanted", IfAny, "records that the settings leave to others", |it| it.counts.records_unwanted;
    "Matches", Always, "rule met record", |it| it.counts.matches;
    "Findings", Always, "what was decided on", |it| it.counts.findings;
    "Alerts", Always, "alerts published", |it| it.counts.alerts;
    "FindingsHeld", IfAny, "findings held back: known, learning, repeated, told before, dry run, quiet, capped, below the level that people are told of", |it| it.counts.held_back();
    "Summaries", IfAny, "alerts about what quiet hours and caps had held back; not in `Alerts`", |it| it.counts.summaries;
    "FindingsFailed", IfAny, "findings that could not be decided on or told", |it| it.counts.findings_failed;
    "StateCalls", IfAny, "calls of the memory", |it| it.counts.state_calls;
    "StateFailures", IfAny, "times the memory could not be asked or told", |it| it.counts.state_failures;
    "RulesLoaded", Always, "rules that records are held against", |it| it.rules.loaded;
    "RulesRejected", Always, "rules that don't load; each is named in the log at the start", |it| it.rules.rejected;
    "RulesWithoutData", IfAny, "of the loaded rules, those that ask for data about addresses that is not there; each is named in the log at the start", |it| it.rules.without_data;
    "EnrichmentFailed", IfAny, "places and files of data about addresses that can't be used; each is named in the log at the start", |it| it.rules.data_failed;
    "FiltersExpired", IfAny, "filters past their last day; each is named in the log at the start", |it| it.rules.expired_filters;
    "FailedNotChecked", IfAny, "digest files that could not be checked in three tries", |it| failed(it, Cause::NotChecked);
    "FailedDenied", IfAny, "S3 or KMS refused", |it| failed(it, Cause::Denied);
    "FailedUnavailable", IfAny, "throttled, timed out, interrupted", |it| failed(it, Cause::Unavailable);
    "FailedDamaged", IfAny, "log files that are none", |it| failed(it, Cause::Damaged);
    "FailedTooLarge", IfAny, "log files that inflate to more than one may", |it| failed(it, Cause::TooLarge);
    "FailedNotUnderstood", IfAny, "payloads of no known shape", |it| failed(it, Cause::NotUnderstood);
    "FailedNotPutAside", IfAny, "what could not be put into quarantine", |it| failed(it, Cause::NotPutAside);
    "FailedPublish", IfAny, "alerts that could not be handed on", |it| failed(it, Cause::PublishFailed);
    "FailedState", IfAny, "findings that need the memory while it can't be asked", |it| failed(it, Cause::StateFailed);
    "FailedClaimed", IfAny, "findings that wait for another process's alert", |it| failed(it, Cause::Claimed);
    "FailedOutOfTime", IfAny, "what there was no time for", |it| failed(it, Cause::OutOfTime);
}

/// From event time to publishing; CloudWatch makes percentiles of the values.
pub const LAG: (&str, Unit) = ("DeliveryLag", Unit::Milliseconds);

fn failed(outcome: &Outcome, cause: Cause) -> u64 {
    outcome.counts.failed.get(&cause).copied().unwrap_or_default()
}

/// An outcome in the embedded metric format: one line, to be written by itself. `function` is a dimension, because an account may
/// have more than one trailhound.
#[must_use]
pub fn emf(outcome: &Outcome, function: Option<&str>, now: Timestamp) -> String {
    let sent = METRICS.iter().filter(|metric| metric.sent == Sent::Always || (metric.value)(outcome) > 0);
    let mut document = Map::new();
    let mut definitions = Vec::new();
    for metric in sent {
        definitions.push(json!({"Name": metric.name, "Unit": metric.unit.as_str()}));
        document.insert(metric.name.to_owned(), (metric.value)(outcome).into());
    }
    if !outcome.lags.is_empty() {
        definitions.push(json!({"Name": LAG.0, "Unit": LAG.1.as_str()}));
        document.insert(LAG.0.to_owned(), json!(sample(&outcome.lags, MAX_VALUES)));
    }
    document.extend(function.map(|function| ("FunctionName".to_owned(), Value::from(function))));
    let dimensions: Vec<&str> = function.iter().map(|_| "FunctionName").collect();
    let directive = json!({"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": definitions});
    document.insert("_aws".to_owned(), json!({"Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive]}));
    Value::Object(document).to_string()
}

/// The same for people: a name, a number and what it means on each line.
#[must_use]
pub fn table(outcome: &Outcome) -> String {
    let row = |name: &str, value: u64, meaning: &str| format!("{name:<20}{value:>12}  {meaning}\n");
    let mut text: String = METRICS
        .iter()
        .filter(|metric| metric.sent == Sent::Always || (metric.value)(outcome) > 0)
        .map(|metric| row(metric.name, (metric.value)(outcome), metric.meaning))
        .collect();
    if !outcome.lags.is_empty() {
        for (name, percent) in [("p50", 50), ("p99", 99)] {
            let name = format!("{} {name}", LAG.0);
            text += &row(&name, percentile(&outcome.lags, percent), "milliseconds from event time to publishing");
        }
    }
    text
}

/// The value that so many in a hundred don't exceed.
fn percentile(values: &[u64], percent: usize) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

/// At most so many values, spread evenly over their order, so that percentiles stay what they are.
fn sample(values: &[u64], most: usize) -> Vec<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    if sorted.len() <= most {
        return sorted;
    }
    // OK because `place` is below `most`.
    (0..most).map(|place| sorted[place * (sorted.len() - 1) / (most - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_names_what_it_holds() {
        let mut outcome = Outcome { lags: (0..1000).collect(), ..Outcome::default() };
        outcome.counts.files = 3;
        outcome.counts.fail(Cause::Denied);
        let document: Value = serde_json::from_str(&emf(&outcome, Some("hound"), Timestamp::UNIX_EPOCH)).unwrap();
        let directive = &document["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(
            (&directive["Dimensions"], &document["FunctionName"]),
            (&json!([["FunctionName"]]), &json!("hound"))
        );
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(!document[metric["Name"].as_str().unwrap()].is_null(), "{metric}");
        }
        assert_eq!(
            (&document["Files"], &document["FailedDenied"], &document["FailedState"]),
            (&json!(3), &json!(1), &Value::Null)
        );
        let lags = document["DeliveryLag"].as_array().unwrap();
        assert_eq!((lags.len(), &lags[0], &lags[99]), (100, &json!(0), &json!(999)));
    }

    #[test]
    fn without_a_function_there_is_no_dimension() {
        let document = emf(&Outcome::default(), None, Timestamp::UNIX_EPOCH);
        assert!(document.contains(r#""Dimensions":[[]]"#) && !document.contains("FunctionName"), "{document}");
    }

    #[test]
    fn percentiles_are_of_the_values_that_are_there() {
        let values: Vec<u64> = (1..=200).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99), percentile(&[7], 99)), (100, 198, 7));
        let text = table(&Outcome { lags: values, ..Outcome::default() });
        assert!(text.contains("DeliveryLag p50              100  milliseconds"), "{text}");
    }

    #[test]
    fn each_cause_is_counted_by_a_metric_that_there_is() {
        for cause in Cause::ALL {
            let metric = cause.fate().metric;
            assert!(METRICS.iter().any(|known| known.name == metric), "{metric}");
        }
    }
}
