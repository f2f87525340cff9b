//! What operators count of the notifier: as [`super::METRICS`], by function and by channel.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::metrics::NAMESPACE;
use super::{ChannelCounts, NoticeCounts, NoticeOutcome, Sent};

/// A number of the notifier that operators see.
#[derive(Debug, Clone, Copy)]
pub struct NoticeMetric {
    /// Its name in `CloudWatch`.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// When it is sent.
    pub sent: Sent,
    of: Of,
}

/// What it is counted of.
#[derive(Debug, Clone, Copy)]
enum Of {
    Function(fn(&NoticeCounts) -> u64),
    Channel(fn(&ChannelCounts) -> u64),
}

macro_rules! metrics {
    ($($name:literal, $of:ident, $sent:ident, $meaning:literal, |$counts:ident| $value:expr;)+) => {
        /// Every metric of the notifier. `docs/operations.md` shows this table, and a test holds the two together.
        pub const NOTICE_METRICS: &[NoticeMetric] = &[$(NoticeMetric {
            name: $name, meaning: $meaning, sent: Sent::$sent, of: Of::$of(|$counts| $value),
        }),+];
    };
}

metrics! {
    "Messages", Function, Always, "messages that came from the topic", |it| it.messages;
    "MessagesFailed", Function, Always, "of these, returned to come again", |it| it.messages_failed;
    "MessagesUnrouted", Function, IfAny, "messages that no channel is meant to get", |it| it.unrouted;
    "NotifierStateFailures", Function, IfAny, "times the memory could not be asked or told; channels may be told twice", |it| it.state_failures;
    "Notified", Channel, Always, "messages that the channel was told", |it| it.told;
    "NotifyFailed", Channel, Always, "messages that it was not told; they come again", |it| it.not_told();
    "NotifyKnown", Channel, IfAny, "messages that came again and that it had been told", |it| it.known;
    "NotifyBursts", Channel, IfAny, "messages that spoke for many", |it| it.bursts;
}

impl NoticeMetric {
    /// The dimension besides `FunctionName`, if any.
    #[must_use]
    pub fn dimension(&self) -> Option<&'static str> {
        match self.of {
            Of::Function(_) => None,
            Of::Channel(_) => Some("Channel"),
        }
    }
}

/// An outcome in the embedded metric format: one line for the function, and one for each channel that was meant to get
/// something.
#[must_use]
pub fn notice_emf(outcome: &NoticeOutcome, function: &str, now: Timestamp) -> Vec<String> {
    let whole = values(|of| match of {
        Of::Function(value) => Some(value(&outcome.counts)),
        Of::Channel(_) => None,
    });
    let channels = outcome.counts.channels.iter().filter(|(_, counts)| counts.wanted > 0).map(|(name, counts)| {
        let values = values(|of| match of {
            Of::Channel(value) => Some(value(counts)),
            Of::Function(_) => None,
        });
        document(&values, &[("FunctionName", function), ("Channel", name)], now)
    });
    std::iter::once(document(&whole, &[("FunctionName", function)], now)).chain(channels).collect()
}

fn values(value: impl Fn(Of) -> Option<u64>) -> Vec<(&'static str, u64)> {
    let value = |metric: &NoticeMetric| Some((metric.name, metric.sent, value(metric.of)?));
    let sent = NOTICE_METRICS.iter().filter_map(value).filter(|(_, sent, value)| *sent == Sent::Always || *value > 0);
    sent.map(|(name, _, value)| (name, value)).collect()
}

fn document(values: &[(&str, u64)], dimensions: &[(&str, &str)], now: Timestamp) -> String {
    let definitions: Vec<Value> = values.iter().map(|(name, _)| json!({"Name": name, "Unit": "Count"})).collect();
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let directive = json!({"Namespace": NAMESPACE, "Dimensions": [names], "Metrics": definitions});
    let numbers = values.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    let texts = dimensions.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    let mut document: Map<String, Value> = numbers.chain(texts).collect();
    document.insert("_aws".to_owned(), json!({"Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive]}));
    Value::Object(document).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_has_a_line_of_its_own_once_it_is_meant_to_get_something() {
        let mut outcome = NoticeOutcome::default();
        outcome.counts.messages = 2;
        outcome.counts.channels.insert("quiet".into(), ChannelCounts::default());
        let told = ChannelCounts { wanted: 2, told: 2, ..ChannelCounts::default() };
        outcome.counts.channels.insert("security".into(), told);
        let lines: Vec<Value> = notice_emf(&outcome, "notifier", Timestamp::UNIX_EPOCH)
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[0]["Messages"], &lines[0]["MessagesUnrouted"]), (&json!(2), &Value::Null));
        let channel = &lines[1];
        assert_eq!(
            (&channel["Notified"], &channel["NotifyFailed"], &channel["Channel"]),
            (&json!(2), &json!(0), &json!("security"))
        );
        let directive = &channel["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["FunctionName", "Channel"]]));
        for metric in directive["Metrics"].as_array().unwrap() {
            assert!(channel[metric["Name"].as_str().unwrap()].is_u64(), "{metric}");
        }
    }
}
