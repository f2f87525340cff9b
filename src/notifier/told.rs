//! What a message of the topic says, as a [`Story`]: an alert of trailhound, an alarm of CloudWatch, or a text of anybody.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::finding::fingerprint;
use crate::notify::{Fact, More, Story, StoryAccount, StoryEvent, StoryRule, line, logged};
use crate::sigma::Level;

use super::incoming::Message;

const MAX_TITLE: usize = 150;
const MAX_TEXT: usize = 2000;

/// What kind of message it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// An alert of trailhound.
    Alert,
    /// An alarm of CloudWatch.
    Alarm,
    /// Anything else.
    Other,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) sort: Sort,
    pub(super) story: Story,
    /// The message itself, if it is JSON.
    pub(super) document: Option<String>,
}

#[derive(Deserialize)]
struct Finding {
    unmapped: Unmapped,
}

#[derive(Deserialize)]
struct Unmapped {
    story: Story,
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alarm {
    #[serde(rename = "AlarmName")]
    name: String,
    #[serde(rename = "AlarmDescription")]
    description: Option<String>,
    #[serde(rename = "AWSAccountId")]
    account: Option<String>,
    new_state_value: String,
    new_state_reason: Option<String>,
    state_change_time: Option<String>,
    #[serde(rename = "AlarmArn")]
    arn: Option<String>,
}

/// Reads a message; none is dropped. `now` is when it came.
pub(super) fn read(message: &Message, now: Timestamp) -> Told {
    let document = serde_json::from_str::<Value>(&message.text).is_ok_and(|value| value.is_object());
    let document = document.then(|| message.text.clone());
    if let Ok(Finding { unmapped: Unmapped { story } }) = serde_json::from_str(&message.text) {
        return Told { sort: Sort::Alert, story, document };
    }
    if let Ok(alarm) = serde_json::from_str::<Alarm>(&message.text) {
        return Told { sort: Sort::Alarm, story: alarm.story(now), document };
    }
    // A finding whose story can't be read: of another version. Its own words say what it is about.
    if let Some(story) = document.as_deref().and_then(|text| of_finding(text, message, now)) {
        return Told { sort: Sort::Alert, story, document };
    }
    Told { sort: Sort::Other, story: of_anybody(message, now), document }
}

impl Alarm {
    fn story(self, now: Timestamp) -> Story {
        let Self { name, description, account, new_state_value, new_state_reason, .. } = self;
        let (level, state) = match new_state_value.as_str() {
            "ALARM" => (Level::High, "is in alarm"),
            "OK" => (Level::Informational, "is over"),
            _ => (Level::Low, "lacks data"),
        };
        let arn = self.arn.as_deref().unwrap_or(&name);
        let changed = self.state_change_time.unwrap_or_default();
        // `2026-01-03T17:43:27.123+0000`
        let time = changed.parse().or_else(|_| changed.replace("+0000", "Z").parse()).unwrap_or(now);
        let title = line(&format!("CloudWatch alarm {name} {state}"), MAX_TITLE);
        let what = description.filter(|text| !text.is_empty()).or(new_state_reason.clone());
        let region = arn.split(':').nth(3).unwrap_or_default();
        let mut story =
            plain("alarm", [arn, &new_state_value, &changed], level, title, &what.unwrap_or_default(), time);
        story.thread = fingerprint("alarm", [arn]);
        story.account.id = line(&account.unwrap_or_default(), 40);
        story.region = line(region, 40);
        let when = time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        let place = format!("{}, {}", story.account.id, story.region);
        let alarm = [("Alarm", Some(arn.to_owned())), ("State", Some(new_state_value)), ("Reason", new_state_reason)];
        story.facts = [("When", Some(when)), ("Where", Some(place))]
            .into_iter()
            .chain(alarm)
            .filter_map(|(name, value)| Some(Fact { name: name.to_owned(), value: line(&value?, MAX_TEXT) }))
            .collect();
        story
    }
}

fn of_finding(text: &str, message: &Message, now: Timestamp) -> Option<Story> {
    let finding: Value = serde_json::from_str(text).ok()?;
    if finding["class_uid"] != 2004 || finding["metadata"]["product"]["name"] != "trailhound" {
        return None;
    }
    let (info, cloud, written) = (&finding["finding_info"], &finding["cloud"], &finding["unmapped"]["story"]);
    // What routes it, and what it is known by, stands in a story of any version.
    let either = |story: &Value, other: &Value, max| logged(story.as_str().or(other.as_str()).unwrap_or_default(), max);
    let level = Level::WORDS.iter().find(|(word, _)| finding["unmapped"]["level"] == *word).map(|(_, level)| *level);
    let title = either(&written["title"], &info["title"], MAX_TITLE);
    let said = either(&written["sentence"], &finding["message"], MAX_TEXT);
    let name = [finding["metadata"]["uid"].as_str().unwrap_or(&message.name), &info["first_seen_time"].to_string()];
    let mut story = plain("alert", name, level.unwrap_or(Level::High), title, &said, now);
    let own = [
        (&mut story.id, either(&written["id"], &Value::Null, 100)),
        (&mut story.thread, either(&written["thread"], &finding["metadata"]["correlation_uid"], 100)),
        (&mut story.finding, either(&written["finding"], &info["uid"], 100)),
    ];
    own.into_iter().filter(|(_, said)| !said.is_empty()).for_each(|(place, said)| *place = said);
    let tags = written["rule"]["tags"].as_array();
    story.rule = StoryRule {
        id: either(&written["rule"]["id"], &info["analytic"]["uid"], 80),
        title: either(&written["rule"]["title"], &info["analytic"]["name"], MAX_TITLE),
        tags: tags.into_iter().flatten().filter_map(Value::as_str).map(|tag| logged(tag, 100)).collect(),
    };
    story.account = StoryAccount {
        id: either(&written["account"]["id"], &cloud["account"]["uid"], 40),
        name: either(&written["account"]["name"], &cloud["account"]["name"], 100),
        owner: either(&written["account"]["owner"], &Value::Null, 100),
    };
    story.region = either(&written["region"], &cloud["region"], 40);
    story.notes =
        vec!["The alert comes from another version of trailhound: only part of it could be read here.".to_owned()];
    Some(story)
}

fn of_anybody(message: &Message, now: Timestamp) -> Story {
    let subject = message.subject.as_deref().unwrap_or("Message on the alert topic");
    let name = if message.name.is_empty() { &message.text } else { &message.name };
    plain("message", [name.as_str()], Level::Informational, line(subject, MAX_TITLE), &message.text, now)
}

/// A story of these words alone.
fn plain<'t>(
    kind: &'t str,
    name: impl IntoIterator<Item = &'t str>,
    level: Level,
    title: String,
    text: &str,
    time: Timestamp,
) -> Story {
    let id = fingerprint(kind, name);
    Story {
        thread: id.clone(),
        finding: id.clone(),
        id,
        level,
        rule: StoryRule { id: kind.to_owned(), title: title.clone(), tags: Vec::new() },
        title,
        sentence: line(text, MAX_TEXT),
        actor: String::new(),
        account: StoryAccount::default(),
        elsewhere: Vec::new(),
        region: String::new(),
        facts: Vec::new(),
        known: Vec::new(),
        more: Vec::new(),
        more_is: More::Same,
        notes: Vec::new(),
        why: String::new(),
        benign: Vec::new(),
        steps: Vec::new(),
        commands: Vec::new(),
        console: None,
        silence: None,
        references: Vec::new(),
        resources: Vec::new(),
        event: StoryEvent { id: String::new(), name: String::new(), source: String::new(), origin: String::new() },
        first: time,
        last: time,
        count: 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(text: &str, subject: Option<&str>) -> Told {
        let message = Message {
            id: None,
            name: "m-1".into(),
            attempt: 1,
            subject: subject.map(str::to_owned),
            text: text.to_owned(),
        };
        read(&message, Timestamp::UNIX_EPOCH)
    }

    fn alarm(state: &str) -> Told {
        told(
            &json!({"AlarmName": "trailhound-Silence", "AlarmDescription": "trailhound has got\nno log file.", "AWSAccountId": "111122223333",
                "NewStateValue": state, "NewStateReason": "no datapoints", "StateChangeTime": "2026-01-03T17:43:27.123+0000",
                "AlarmArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:trailhound-Silence"})
            .to_string(),
            None,
        )
    }

    #[test]
    fn an_alarm_is_told_with_what_it_says() {
        let Told { sort, story, document } = alarm("ALARM");
        assert_eq!((sort, story.level, document.is_some()), (Sort::Alarm, Level::High, true));
        assert_eq!(story.title, "CloudWatch alarm trailhound-Silence is in alarm");
        assert_eq!(story.sentence, "trailhound has got no log file.");
        assert_eq!((story.account.id.as_str(), story.region.as_str()), ("111122223333", "eu-west-1"));
        assert_eq!(story.first.to_string(), "2026-01-03T17:43:27.123Z");
        let over = alarm("OK").story;
        assert_eq!((over.level, over.thread == story.thread, over.id == story.id), (Level::Informational, true, false));
        assert_eq!(alarm("INSUFFICIENT_DATA").story.level, Level::Low);
    }

    #[test]
    fn an_alert_of_another_version_goes_where_it_belongs_and_is_known_again() {
        let finding = |story: Value| {
            let text = json!({"class_uid": 2004, "metadata": {"product": {"name": "trailhound"}, "uid": "u1"},
                "finding_info": {"title": "see https://evil.example", "uid": "f1", "analytic": {"uid": "rule-1", "name": "A rule"}},
                "cloud": {"account": {"uid": "111122223333"}}, "unmapped": {"level": "high", "story": story}});
            told(&text.to_string(), None).story
        };
        let written = json!({"id": "s1", "thread": "t1", "finding": "f1", "rule": {"id": "rule-1", "title": "A rule", "tags": ["a.b"]},
            "account": {"id": "111122223333", "name": "prod", "owner": "payments"}, "level": {"of": "tomorrow"}});
        let story = finding(written);
        assert_eq!([story.id.as_str(), &story.thread, &story.finding], ["s1", "t1", "f1"]);
        assert_eq!((story.rule.tags.as_slice(), story.account.owner.as_str()), (&["a.b".to_owned()][..], "payments"));
        let story = finding(Value::Null);
        assert_eq!([story.rule.id.as_str(), &story.rule.title], ["rule-1", "A rule"]);
        assert_eq!((story.level, story.title.as_str()), (Level::High, "see https[:]//evil.example"));
        assert_ne!(story.title, story.rule.title, "what a log says is not the rule's");
    }

    #[test]
    fn what_anybody_says_is_cleaned_and_told() {
        let Told { sort, story, document } = told("hello\r\n\u{202e}there", Some("A\nsubject"));
        assert_eq!((sort, story.level, document), (Sort::Other, Level::Informational, None));
        assert_eq!((story.title.as_str(), story.sentence.as_str()), ("A subject", "hello there"));
        assert_eq!(told("", None).story.title, "Message on the alert topic");
        assert_eq!(told(&"x".repeat(9000), None).story.sentence.chars().count(), MAX_TEXT);
        assert_eq!(told(r#"{"a": 1}"#, None).document.as_deref(), Some(r#"{"a": 1}"#));
    }

    #[test]
    fn a_finding_of_another_version_is_still_an_alert() {
        let finding = json!({"class_uid": 2004, "message": "Trail stopped in account 111122223333",
            "metadata": {"product": {"name": "trailhound"}}, "cloud": {"account": {"uid": "111122223333"}, "region": "eu-west-1"},
            "finding_info": {"title": "Trail stopped", "analytic": {"uid": "rule-1"}}, "unmapped": {"level": "critical", "story": {"id": 1}}});
        let Told { sort, story, .. } = told(&finding.to_string(), None);
        assert_eq!((sort, story.level, story.rule.id.as_str()), (Sort::Alert, Level::Critical, "rule-1"));
        assert_eq!((story.title.as_str(), story.account.id.as_str()), ("Trail stopped", "111122223333"));
        let of_others = finding.to_string().replace("trailhound", "other");
        assert_eq!(told(&of_others, None).sort, Sort::Other);
    }
}
