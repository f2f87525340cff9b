//! `docs/preview/index.html`, the page that shows alerts as chat shows them, shows what is sent now.
//!
//! `make preview` takes the messages from here and draws the page anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use trailhound::notify::Notification;

use crate::channels::sample_alerts;
use crate::docs::{page, tutorial_rule};
use crate::limits::told::summaries;
use crate::notifier::{HOOK, Post, TEAM};
use crate::receivers::{SLACK, TEAMS};
use crate::support::{World, compile, events, record, sample_rules, sqs, trail_file, with};

const PAGE: &str = "docs/preview/index.html";

/// One alert of the page.
struct Shown {
    /// In links to it.
    id: &'static str,
    name: &'static str,
    /// What to look at.
    about: &'static str,
    /// By channel.
    messages: Vec<(&'static str, Value)>,
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What the notifier sends to Slack and Teams for one invocation.
async fn told(payload: &str) -> Vec<(&'static str, Value)> {
    let post = Post::new(&[HOOK, TEAM]);
    let outcome = post.handle(payload, None).await;
    assert!(outcome.failures.is_empty(), "{outcome:?}");
    let one = |channel, to| {
        let mut seen = post.receivers.seen(to);
        assert_eq!(seen.len(), 1, "{channel}");
        (channel, seen.remove(0).body)
    };
    vec![one("slack", SLACK), one("teams", TEAMS)]
}

async fn shown(id: &'static str, name: &'static str, about: &'static str, alert: &Notification) -> Shown {
    let mut messages = told(&sqs(std::slice::from_ref(&alert.ocsf))).await;
    messages.push(("chat", parsed(&alert.chat)));
    Shown { id, name, about, messages }
}

/// What the page shows, from top to bottom.
async fn all() -> Vec<Shown> {
    let samples = sample_alerts().await;
    let sample = |title: &str| titled(&samples, title);
    let findings: Vec<String> = samples.iter().map(|alert| alert.ocsf.clone()).collect();
    let alarm = fs::read_to_string(events().join("notifier/sns.json")).unwrap();
    vec![
        shown(
            "high",
            "High",
            "A single call. Other findings about the same caller stand under “What is known”.",
            sample("KMS key scheduled for deletion"),
        )
        .await,
        shown(
            "critical",
            "Critical",
            "The gravest level.",
            sample("Root user signed in to the console without MFA"),
        )
        .await,
        shown(
            "first-seen",
            "Never seen before",
            "A first-seen rule: the line New says what is new for whom, and how far back the memory reaches.",
            sample("Principal used a new source IP address"),
        )
        .await,
        shown(
            "correlation",
            "Several events add up",
            "A correlation: the line Why says what was counted, and the events stand under “What adds up”.",
            &correlation().await,
        )
        .await,
        shown(
            "summary",
            "What was held back",
            "A summary: what came in a rule's quiet hours, or was more than its cap lets out, is told in one message.",
            &summaries().await[1].1,
        )
        .await,
        shown(
            "hostile",
            "Hostile text",
            "Whoever made these calls chose names and user agent so as to mention everybody, to link, to forge lines and to turn \
             the direction of text. It arrives as text.",
            &hostile().await,
        )
        .await,
        shown(
            "cut",
            "Cut to fit",
            "60 calls, each with 40 resources, and a rule whose author has much to say. What doesn't fit is cut or left out, the \
             least important first.",
            &cut().await,
        )
        .await,
        shown(
            "own",
            "About trailhound itself",
            "Something in a log file is no record, so trailhound could not hold it against its rules.",
            sample("trailhound cannot read what it was sent"),
        )
        .await,
        Shown {
            id: "burst",
            name: "Many at once",
            about: "Too many alerts to send one by one come as one message, the gravest first.",
            messages: told(&sqs(&findings)).await,
        },
        Shown {
            id: "alarm",
            name: "An alarm of CloudWatch",
            about: "The stack's alarms go to the same topic, and the notifier tells of them too.",
            messages: told(&alarm).await,
        },
    ]
}

fn titled<'a>(alerts: &'a [Notification], title: &str) -> &'a Notification {
    alerts.iter().find(|alert| alert.story.rule.title == title).unwrap()
}

fn config() -> String {
    fs::read_to_string(events().join("trailhound.yaml")).unwrap()
}

/// The shipped rules, and what the sample company knows.
fn shipped() -> World {
    World::new(sample_rules().rules)
}

/// What the tutorial's correlation finds in the sample events.
async fn correlation() -> Notification {
    let (rules, errors) = compile(&tutorial_rule("my-rules/key_then_policy.yml"), &config());
    assert!(errors.is_empty(), "{}", errors[0]);
    let world = World::new(rules);
    let name = "111122223333_CloudTrail_us-east-1_20261105T0655Z_fV4MJ99Ezvpff6eP";
    let below = "objects/example-trail-logs/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/05";
    let file = fs::read(events().join(below).join(format!("{name}.json.gz"))).unwrap();
    world.notify(&[&world.put(name, &file)]).await;
    world.alerts().remove(0)
}

async fn hostile() -> Notification {
    let session = "<!channel> `ops` *urgent* <https://evil.example|Approve>";
    let caller = json!({
        "type": "AssumedRole", "principalId": format!("AROAEXAMPLEROLEID001:{session}"),
        "arn": format!("arn:aws:sts::111122223333:assumed-role/deploy/{session}"), "accountId": "111122223333",
        "accessKeyId": "ASIAEXAMPLEKEYID0001",
        "sessionContext": {"sessionIssuer": {
            "type": "Role", "principalId": "AROAEXAMPLEROLEID001", "arn": "arn:aws:iam::111122223333:role/deploy",
            "accountId": "111122223333", "userName": "deploy",
        }},
    });
    let trail =
        "org-trail\r\nWho    root\u{202e}liart\u{202c} <@U0EXAMPLE> [click](https://evil.example) **x** &lt;!here&gt;";
    let agent = format!("aws-cli/2.31.4 ``` www.evil.example <at>everyone</at> \u{1b}[31m{}", "A".repeat(2000));
    let call = |id: &str, minute: &str| {
        let time = format!("2026-11-05T10:{minute}:00Z");
        let changes = [
            ("/userIdentity", caller.clone()),
            ("/requestParameters/name", json!(trail)),
            ("/userAgent", json!(agent)),
            ("/eventTime", json!(time)),
        ];
        with(record("StopLogging", id), &changes)
    };
    let world = shipped();
    let records = [call("<!here> e1", "00"), call("<!here> e2", "01")];
    world.notify(&[&world.put("hostile", &trail_file(&records))]).await;
    titled(&world.alerts(), "CloudTrail logging stopped").clone()
}

async fn cut() -> Notification {
    let sentences = |what: &str, count: usize| {
        (1..=count).map(|number| format!("Sentence {number} of the {what}.")).collect::<Vec<_>>().join(" ")
    };
    let list = |what: &str| {
        (1..=10).fold(String::new(), |mut list, number| {
            write!(list, "\n  - {}", sentences(&format!("{what} {number}"), 12)).unwrap();
            list
        })
    };
    let rule = format!(
        "title: Objects of a bucket deleted\nid: 2f1d6c0e-6a39-4a1b-9d7e-0c5b8f4e7a10\nlevel: high\nlogsource: {{product: aws, service: cloudtrail}}\n\
         description: {}\ndetection: {{sel: {{eventName: DeleteObjects}}, condition: sel}}\nfalsepositives:{}\ntrailhound:\n alert:\n  runbook:{}\n",
        sentences("description", 90),
        list("harmless case").replace("\n  ", "\n "),
        list("step").replace("\n  ", "\n   "),
    );
    let (rules, errors) = compile(&rule, &config());
    assert!(errors.is_empty(), "{}", errors[0]);
    let world = World::new(rules);
    let call = |number: usize| {
        let key = |object: usize| {
            format!("arn:aws:s3:::example-data/exports/2026/11/05/{number:02}/part-{object:05}-of-00040.snappy.parquet")
        };
        let resources: Vec<_> = (0..40).map(|object| json!({"type": "AWS::S3::Object", "ARN": key(object)})).collect();
        let changes = [
            ("/eventTime", json!(format!("2026-11-05T10:00:{number:02}Z"))),
            ("/eventSource", json!("s3.amazonaws.com")),
            ("/resources", json!(resources)),
            ("/requestParameters", json!({"bucketName": "example-data", "delete": "x".repeat(8000)})),
        ];
        with(record("DeleteObjects", &format!("e{number}")), &changes)
    };
    let records: Vec<_> = (0..60).map(call).collect();
    world.notify(&[&world.put("cut", &trail_file(&records))]).await;
    world.alerts().remove(0)
}

/// Where `scripts/preview` finds them.
#[tokio::test]
async fn the_messages_of_the_page_are_written() {
    let one = |Shown { id, name, about, messages }| {
        let messages: BTreeMap<_, _> = messages.into_iter().collect();
        json!({"id": id, "name": name, "about": about, "messages": messages})
    };
    let all: Vec<Value> = all().await.into_iter().map(one).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("preview");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("messages.json"), json!(all).to_string()).unwrap();
}

/// The texts of the elements that have an attribute, by its value.
fn elements(page: &str, attribute: &str) -> Vec<(String, String)> {
    let element = |rest: &str| {
        let (value, rest) = rest.split_once("\">").unwrap();
        let (text, _) = rest.split_once("</").unwrap();
        (value.to_owned(), text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    };
    page.split(&format!(" {attribute}=\"")).skip(1).map(element).collect()
}

#[tokio::test]
async fn the_page_shows_what_is_sent_now() {
    let page = page(PAGE);
    let about = elements(&page, "data-about");
    let mut shown: BTreeMap<String, Value> =
        elements(&page, "data-message").into_iter().map(|(name, text)| (name, parsed(&text))).collect();
    for alert in all().await {
        for (channel, message) in &alert.messages {
            let name = format!("{}/{channel}", alert.id);
            assert!(shown.remove(&name).as_ref() == Some(message), "{PAGE} shows another {name}: run `make preview`");
        }
        let said: Vec<&str> = about.iter().filter(|(id, _)| id == alert.id).map(|(_, text)| &**text).collect();
        assert_eq!(
            said,
            vec![alert.about; alert.messages.len()],
            "{PAGE} says else of {}: run `make preview`",
            alert.id
        );
    }
    assert!(shown.is_empty(), "{PAGE} shows too much: {:?}", shown.keys());
}

/// From a disk, without a network, in a reasonable size.
#[test]
fn the_page_needs_nothing_else() {
    let page = page(PAGE);
    for fetches in ["<script", "<link", "<img", "<iframe", " src=", "url(", "@import", " onclick="] {
        assert!(!page.contains(fetches), "{PAGE} has {fetches}");
    }
    assert!(page.len() < 400 * 1024, "{PAGE} has {} bytes", page.len());
}
