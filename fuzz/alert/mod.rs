//! What an alert has to hold on every channel, whatever a log says. The fuzz target and the tests in `tests/it` both ask here.

use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Value, json};
use trailhound::alerting::{Acquaintance, Alert, Repetition};
use trailhound::engine::{Organisation, RuleSet};
use trailhound::notify::{self, Attribute, MAX_MESSAGE_BYTES, Notification, asff, pagerduty, slack, teams};
use trailhound::pipeline::Screen;
use trailhound::sigma;
use trailhound::trail::{Item, Record};
use trailhound::yaml::SourceFile;

/// Where the console's links may lead.
const CONSOLES: &[&str] = &[
    ".console.aws.amazon.com/cloudtrailv2/",
    ".console.amazonaws.cn/cloudtrailv2/",
    ".console.amazonaws-us-gov.com/cloudtrailv2/",
    ".console.amazonaws-eusc.eu/cloudtrailv2/",
];

/// Matches every record, and says as much of it as a rule can.
const RULE: &str = "
title: Anything
id: anything
level: high
logsource: {product: aws, service: cloudtrail}
detection: {any: {eventName|exists: true}, none: {eventName|exists: false}, condition: any or none}
trailhound:
  alert:
    title: 'Seen {eventName} of {requestParameters.name} by {derived.principal}'
    dedup: [eventSource]
    commands: ['aws ec2 describe-instances --region {awsRegion} --filters {requestParameters.name} {derived.resource}']
";

static RULES: LazyLock<RuleSet> = LazyLock::new(|| {
    let collection = sigma::parse(&SourceFile::new("rule.yml", RULE));
    let (rules, errors) = RuleSet::compile(&collection, &Organisation::default(), jiff::civil::date(2026, 11, 5));
    assert!(errors.is_empty(), "{}", errors[0]);
    rules
});

/// A record in which everything that a caller can choose is this text.
pub(crate) fn record(text: &str) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser", "principalId": text, "arn": format!("arn:aws:iam::111122223333:user/{text}"),
            "accountId": "111122223333", "accessKeyId": text, "userName": text,
            "sessionContext": {"sessionIssuer": {"arn": text, "userName": text}},
            "invokedBy": text,
        },
        "eventTime": "2026-11-05T10:00:00Z",
        "eventSource": text,
        "eventName": text,
        "awsRegion": text,
        "sourceIPAddress": text,
        "userAgent": text,
        "errorCode": text,
        "errorMessage": text,
        "requestParameters": {"name": text, "tags": [{"key": text, "value": text}], text: text},
        "responseElements": {"credentials": {"sessionToken": text}},
        "requestID": text,
        "eventID": text,
        "resources": [{"ARN": text}, {"ARN": format!("arn:aws:s3:::{text}")}],
        "recipientAccountId": text,
    })
}

/// Tells an alert about these records, and looks at it on every channel.
pub(crate) fn told(records: &[String]) -> Option<Notification> {
    let mut screen = Screen::new(&RULES, "s3://trail-logs/a.json.gz".into(), Timestamp::UNIX_EPOCH);
    let mut findings = Vec::new();
    for (index, text) in (0..).zip(records) {
        let Ok(record) = Record::parse(index, text.as_bytes()) else { continue };
        screen.item(Item::Record(record), &mut |told| findings.push(told.finding()));
    }
    let mut findings = findings.into_iter();
    let alert = Alert {
        finding: findings.next()?,
        more: findings.collect(),
        repetition: Repetition::HeldSince(2),
        acquaintance: Acquaintance { since: Some(Timestamp::UNIX_EPOCH), others: vec![("Another rule".into(), 2)] },
    };
    let notification = notify::render(&alert, Timestamp::UNIX_EPOCH);
    subject(&notification.subject);
    email(&notification.email());
    sns(&notification);
    chat(&parsed(&notification.chat));
    for message in
        [slack::message(&notification.story), slack::reduced(&notification.story), slack::burst(&[&notification.story])]
    {
        blocks(&parsed(&message));
    }
    for message in
        [teams::message(&notification.story), teams::reduced(&notification.story), teams::burst(&[&notification.story])]
    {
        assert!(message.len() <= 28 * 1024, "{} bytes", message.len());
        card(&parsed(&message));
    }
    incident(&parsed(&pagerduty::event(&notification.story, "KEY")));
    all_harmless(&asff::finding(&notification.story, &asff::Product::of_event(&notification.story)));
    parsed(&notification.ocsf);
    Some(notification)
}

/// An alert as the fuzzer makes it: a record, or a text for each place in one.
pub(crate) fn fuzzed_alert(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if Record::parse(0, input).is_ok() {
        told(&[text.clone().into_owned(), text.clone().into_owned()]);
    }
    told(&[record(&text).to_string()]);
}

fn parsed(form: &str) -> Value {
    serde_json::from_str(form).unwrap_or_else(|error| panic!("{error}: {form}"))
}

fn subject(subject: &str) {
    assert!(subject.len() <= 99 && subject.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{subject}");
    assert!(subject.starts_with("[HIGH] ") && subject.trim() == subject, "{subject:?}");
}

/// Text that a client shows: nothing that hides or turns text, and no links but ours.
fn harmless(text: &str) {
    let turns =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || turns(c)), "{text:?}");
    for (place, _) in text.match_indices("://") {
        let (before, after) = (&text[..place], &text[place..]);
        let console = CONSOLES.iter().any(|host| {
            let end = after.find(host).unwrap_or(usize::MAX);
            before.ends_with("https")
                && end < 40
                && after[3..end].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
        let queue = before.ends_with("--queue-url https") && after.starts_with("://sqs.");
        assert!(
            console || queue || before.ends_with("aws s3 cp s3") || after.starts_with("://trail-logs/a.json.gz"),
            "{text}"
        );
    }
    assert!(!text.to_lowercase().contains("www."), "{text}");
}

fn email(body: &str) {
    harmless(body);
    for row in ["Who ", "Where ", "File ", "HIGH: "] {
        assert!(body.lines().filter(|line| line.starts_with(row)).count() <= 1, "{row}: {body}");
    }
}

fn sns(notification: &Notification) {
    let message = notification.sns_message();
    assert!(notification.sns_bytes() <= MAX_MESSAGE_BYTES, "{} bytes", notification.sns_bytes());
    assert!(parsed(&message).as_object().is_some_and(|forms| forms.values().all(Value::is_string)));
    for (name, value) in &notification.attributes {
        let texts = match value {
            Attribute::Text(text) => std::slice::from_ref(text),
            Attribute::List(texts) => texts,
        };
        let is_fine =
            |text: &String| !text.is_empty() && !text.chars().any(|c| c.is_control() || u32::from(c) > 0xffff);
        assert!(!texts.is_empty() && texts.iter().all(is_fine), "{name}: {value}");
    }
}

/// Slack's markup: code spans that end, and no link or mention but the console's.
fn markup(text: &str) {
    harmless(text);
    assert!(text.matches('`').count().is_multiple_of(2), "{text}");
    for (place, _) in text.match_indices('<') {
        assert!(
            text[place..].starts_with("<https://") && text.ends_with("|The event in the CloudTrail console>"),
            "{text}"
        );
    }
}

fn all_harmless(value: &Value) {
    match value {
        Value::String(text) => harmless(text),
        Value::Array(items) => items.iter().for_each(all_harmless),
        Value::Object(members) => members.values().for_each(all_harmless),
        _ => {}
    }
}

fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

fn chat(message: &Value) {
    let content = &message["content"];
    assert!(length(&content["title"]) <= 250 && length(&content["description"]) <= 8000, "{message}");
    for text in [&content["title"], &content["description"], &message["metadata"]["summary"]] {
        markup(text.as_str().unwrap_or_default());
    }
}

fn blocks(message: &Value) {
    markup(message["text"].as_str().unwrap_or_default());
    let none = Vec::new();
    let blocks = message["blocks"].as_array().unwrap_or(&none);
    assert!(blocks.len() <= 50, "{message}");
    let mut all = 0;
    for block in blocks {
        let fields = block["fields"].as_array().unwrap_or(&none);
        let elements = block["elements"].as_array().unwrap_or(&none);
        assert!(fields.len() <= 10 && elements.len() <= 10, "{block}");
        for text in fields.iter().chain(elements).chain(block.get("text")) {
            let max = match block["type"].as_str() {
                Some("header") => 150,
                Some("section") if block.get("text").is_some() => 3000,
                _ => 2000,
            };
            let written = text["text"].as_str().unwrap_or_default();
            assert!((1..=max).contains(&written.chars().count()), "{block}");
            all += written.chars().count();
            match text["type"].as_str() {
                Some("mrkdwn") => markup(written),
                Some("plain_text") => harmless(written),
                other => panic!("{other:?} in {block}"),
            }
        }
    }
    assert!(all <= 13_200, "{all} characters");
}

/// What Teams reads no markup in.
fn card(message: &Value) {
    let card = &message["attachments"][0]["content"];
    let check = |element: &Value| match element["type"].as_str() {
        Some("RichTextBlock" | "Container" | "AdaptiveCard") => {}
        Some("TextRun") => harmless(element["text"].as_str().unwrap_or_default()),
        Some("Action.OpenUrl") => harmless(element["url"].as_str().unwrap_or_default()),
        other => panic!("{other:?} in {element}"),
    };
    each_element(card, &check);
}

fn each_element(value: &Value, check: &impl Fn(&Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| each_element(item, check)),
        Value::Object(members) => {
            if members.contains_key("type") {
                check(value);
            }
            members.values().for_each(|member| each_element(member, check));
        }
        _ => {}
    }
}

fn incident(event: &Value) {
    assert!(length(&event["dedup_key"]) <= 255 && length(&event["payload"]["summary"]) <= 1024, "{event}");
    assert!(event.to_string().len() <= 512 * 1024);
    let details = event["payload"]["custom_details"].as_object().cloned().unwrap_or_default();
    for (name, value) in &details {
        let value = value.as_str().unwrap_or_default();
        harmless(value);
        assert!(!value.starts_with(['=', '+', '-', '@']), "{name}: {value}");
    }
}
