use std::sync::Arc;

use super::*;
use crate::sigma::{Level, Shape};
use crate::yaml::{Diagnostic, SourceFile};

fn parsed<T>(
    yaml: &str,
    read: impl Fn(Shape<'_>, &crate::yaml::Node) -> Result<T, Diagnostic>,
) -> Result<T, Diagnostic> {
    let file: Arc<SourceFile> = SourceFile::new("trailhound.yaml", yaml);
    read(Shape::new(&file), &file.documents().remove(0)?)
}

fn error(yaml: &str) -> String {
    parsed(yaml, channels).unwrap_err().to_string()
}

fn alert() -> Facets {
    Facets {
        level: Level::High,
        rule: "rule-1".into(),
        tags: vec!["attack.impact".into(), "attack.t1485.001".into()],
        places: vec![place("111122223333", "payments-team")],
    }
}

fn place(account: &str, owner: &str) -> Place {
    Place { account: account.to_owned(), owner: owner.to_owned() }
}

fn when(yaml: &str) -> When {
    parsed(&format!("c: {{security_hub: {{}}, when: {yaml}}}"), channels).unwrap().remove(0).when
}

#[test]
fn every_kind_of_channel_is_read() {
    let yaml = "
hook: {slack: {webhook: ssm:/trailhound/slack}, burst: 3}
app: {slack: {token: 'secretsmanager:trailhound/slack#bot_token', channel: C0EXAMPLE}}
teams: {teams: {webhook: ssm:teams}}
oncall: {pagerduty: {routing_key: ssm:pd, region: eu}}
siem: {webhook: {url: https://siem.example.com/hook, secret: ssm:key, form: story}}
hidden: {webhook: {url: ssm:/trailhound/url}}
hub: {security_hub: {}}
bus: {eventbridge: {bus: arn:aws:events:eu-west-1:111122223333:event-bus/alerts}}
";
    let channels = parsed(yaml, channels).unwrap();
    let parameter = |name: &str| SecretRef::Parameter(name.into());
    let kinds: Vec<&ChannelKind> = channels.iter().map(|channel| &channel.kind).collect();
    let token = SecretRef::Secret { id: "trailhound/slack".into(), member: Some("bot_token".into()) };
    assert_eq!(
        kinds,
        [
            &ChannelKind::SlackWebhook { webhook: parameter("/trailhound/slack"), burst: 3 },
            &ChannelKind::SlackApp { token, channel: "C0EXAMPLE".into(), burst: 5 },
            &ChannelKind::Teams { webhook: parameter("teams"), burst: 5 },
            &ChannelKind::PagerDuty { routing_key: parameter("pd"), region: PagerDutyRegion::Eu },
            &ChannelKind::Webhook {
                url: Address::Plain("https://siem.example.com/hook".into()),
                secret: Some(parameter("key")),
                form: Form::Story
            },
            &ChannelKind::Webhook {
                url: Address::Secret(parameter("/trailhound/url")),
                secret: None,
                form: Form::Ocsf
            },
            &ChannelKind::SecurityHub,
            &ChannelKind::EventBridge { bus: "arn:aws:events:eu-west-1:111122223333:event-bus/alerts".into() },
        ]
    );
    assert!(channels.iter().all(|channel| channel.when == When::default()));
}

#[test]
fn all_kinds_of_a_route_have_to_hold_and_any_value_of_each() {
    assert!(When::default().holds(&alert()));
    for (yaml, expected) in [
        ("{level: [critical, high]}", true),
        ("{level: critical}", false),
        ("{owner: Payments-*}", true),
        ("{owner: [other-team]}", false),
        ("{account: ['444455556666', '111122223333']}", true),
        ("{account: '444455556666'}", false),
        ("{tag: [attack.persistence, attack.t1485*]}", true),
        ("{tag: attack.t1485}", false),
        ("{rule: [rule-1]}", true),
        ("{rule: rule-10}", false),
        ("{level: high, owner: payments-team, tag: attack.impact}", true),
        ("{level: high, owner: payments-team, tag: attack.exfiltration}", false),
    ] {
        assert_eq!(when(yaml).holds(&alert()), expected, "{yaml}");
    }
    // What belongs to no account belongs to nobody's.
    let own = Facets { places: Vec::new(), tags: Vec::new(), ..alert() };
    assert!(
        !when("{account: '111122223333'}").holds(&own)
            && !when("{owner: p*}").holds(&own)
            && !when("{tag: '*'}").holds(&own)
    );
}

#[test]
fn what_is_of_several_accounts_goes_to_each_and_stays_unless_all_of_it_is_meant() {
    let summary =
        Facets { places: vec![place("111122223333", "payments-team"), place("444455556666", "web-team")], ..alert() };
    for (yaml, expected) in [
        ("{account: '444455556666'}", vec![None, Some("arn")]),
        ("{owner: '*-team'}", vec![Some("arn")]),
        // Of one and the same account both have to hold.
        ("{account: '444455556666', owner: payments-team}", vec![None]),
        ("{account: '123456789012'}", vec![None]),
        ("{level: high}", vec![Some("arn")]),
        ("{level: high, owner: web-team}", vec![None, Some("arn")]),
    ] {
        let topics = [Topic { arn: "arn".to_owned(), when: when(yaml), instead: true }];
        assert_eq!(destinations(&topics, &summary).collect::<Vec<_>>(), expected, "{yaml}");
    }
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    let address = "https://hooks.slack.com/services/T0EXAMPLE/B0EXAMPLE/abcdefghijkl";
    let told = error(&format!("security: {{slack: {{webhook: '{address}'}}}}"));
    assert!(told.starts_with("error[plain-secret]: `webhook` is a secret, and must not stand in this file"), "{told}");
    assert!(told.contains("--> trailhound.yaml:1:29") && told.contains("write `ssm:NAME`"), "{told}");
    assert!(!told.contains("hooks.slack.com") && told.contains("webhook: *****"), "{told}");
    // Neither when something else is wrong in its line.
    let told = error(&format!("security: {{slack: {{webhok: {address}}}}}"));
    assert!(told.contains("unknown-key") && told.contains("did you mean `webhook`?"), "{told}");
    assert!(!told.contains("hooks.slack.com") && !told.contains("abcdefghijkl"), "{told}");
    let told = error("soc: {slack: {token: xoxb-not-a-real-token, channel: '#soc'}}");
    assert!(told.contains("plain-secret") && !told.contains("xoxb"), "{told}");
    // Nor where a channel or all of them should be.
    for yaml in ["{}", "[{}]", "security: {}", "security: [{}]", "'{}': {slack: {}}"] {
        let told = error(&yaml.replacen("{}", address, 1));
        assert!(told.contains("error[") && !told.contains("hooks.slack.com"), "{told}");
    }
    let told = error("siem: {webhook: {url: 'https://me:not-a-password@siem.example.com/'}}");
    assert!(told.contains("a name and a password must not stand in it") && !told.contains("not-a-password"), "{told}");
}

#[test]
fn a_secret_is_never_printed() {
    let secret = Secret::new(" xoxb-not-a-real-token\n");
    assert_eq!(secret.expose(), "xoxb-not-a-real-token");
    assert_eq!(format!("{secret:?} {:#?}", Some(&secret)), "Secret(…) Some(\n    Secret(…),\n)");
}

#[test]
fn what_somebody_repeats_of_a_secret_is_hidden() {
    let hidden = |secret: &str, text: &str| Secret::new(secret).hide_in(text);
    let address = "https://hooks.example.com/services/T0EXAMPLE/abcdef?sig=ghijkl";
    for text in [address, "/services/T0EXAMPLE/abcdef?sig=ghijkl", "T0EXAMPLE and abcdef", "sig=ghijkl"] {
        let told = hidden(address, text);
        assert!(!["T0EXAMPLE", "abcdef", "ghijkl"].iter().any(|part| told.contains(part)), "{told}");
    }
    assert_eq!(hidden("xoxb-1", "token xoxb-1 is wrong"), "token … is wrong");
    assert_eq!(hidden("https://a.example/", "404 at a.example"), "404 at a.example");
    assert_eq!(hidden("", "as it is"), "as it is");
}

#[test]
fn where_a_secret_is_kept_is_written_as_it_is_read() {
    for text in
        ["ssm:/a/b", "ssm:arn:aws:ssm:eu-west-1:111122223333:parameter/a", "secretsmanager:a", "secretsmanager:a#b c"]
    {
        assert_eq!(SecretRef::parse(text).unwrap().to_string(), text);
    }
    for text in ["", "ssm:", "ssm:a b", "secretsmanager:", "secretsmanager:#a", "secretsmanager:a#", "SSM:a", "env:A"] {
        assert_eq!(SecretRef::parse(text), None, "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_channel_is_said_with_what_to_try() {
    for (yaml, message, advice) in [
        ("a: {slak: {webhook: ssm:a}}", "`slak` is not known here", "did you mean `slack`?"),
        ("a: {when: {level: high}}", "`a` doesn't say what it is", "one of slack, teams"),
        ("a: {security_hub: {}, teams: {webhook: ssm:a}}", "a channel is one thing", "of its own"),
        ("a b: {security_hub: {}}", "this is no channel's name", "1 to 64 letters"),
        ("a: {slack: {}}", "`token` is missing", "`webhook`, or `token`"),
        ("a: {slack: {token: ssm:a}}", "`channel` is missing", "begins with C"),
        ("a: {slack: {token: ssm:a, channel: security}}", "no id of a channel", "not its name"),
        ("a: {slack: {webhook: ssm:a, channel: C0EXAMPLE}}", "knows its channel", "`webhook` alone"),
        ("a: {slack: {webhook: 'ssm:'}}", "`webhook` names no secret", "`ssm:NAME`"),
        ("a: {pagerduty: {routing_key: ssm:a, region: asia}}", "`asia` is no region", "one of us, eu"),
        ("a: {webhook: {url: http://siem.example.com}}", "nothing is sent there", "has to begin with `https://`"),
        ("a: {webhook: {url: https://a.example, form: ocfs}}", "`ocfs` is no form", "did you mean `ocsf`?"),
        ("a: {eventbridge: {}}", "`bus` is missing", "`default` is there"),
        ("a: {eventbridge: {bus: 'arn:aws:sns:eu-west-1:111122223333:a'}}", "is no event bus", "event-bus/alerts"),
        ("a: {security_hub: {region: eu}}", "`region` is not known here", ""),
        ("a: {security_hub: {}, burst: 3}", "gets every alert by itself", "slack and teams"),
        ("a: {teams: {webhook: ssm:a}, burst: 0}", "`0` is no number of alerts", "from 1 to 50"),
        ("a: {security_hub: {}, when: {level: hihg}}", "`hihg` is no level", "did you mean `high`?"),
        ("a: {security_hub: {}, when: {level: []}}", "out of an empty list", "leave `level` out"),
        ("a: {security_hub: {}, when: {account: prod}}", "`prod` is no account id", "12 digits"),
        ("a: {security_hub: {}, when: {severity: high}}", "`severity` is not known here", "known: level"),
        ("a: {security_hub: {}, when: {tag: ['']}}", "an empty text is no tag", ""),
        ("[a]", "channels has to be a map", ""),
    ] {
        let told = error(yaml);
        assert!(told.contains(message) && told.contains(advice), "{yaml}\n{told}");
    }
}

#[test]
fn topics_are_read() {
    let arn = "arn:aws:sns:eu-west-1:111122223333:critical";
    let read = parsed(&format!("[{{arn: {arn}, when: {{level: critical}}, instead: true}}, {{arn: {arn}-2}}]"), topics)
        .unwrap();
    assert_eq!((read[0].arn.as_str(), read[0].instead, read[1].instead), (arn, true, false));
    assert!(!read[0].when.holds(&alert()) && read[1].when.holds(&alert()));
    for (yaml, message) in [
        (format!("[{{arn: {arn}, instead: true}}]"), "no alert at all would go to the usual topic"),
        (format!("[{{arn: {arn}}}, {{arn: {arn}}}]"), "this topic stands here twice"),
        (format!("[{{arn: {arn}.fifo}}]"), "is no ARN of a standard topic"),
        ("[{arn: critical}]".to_owned(), "is no ARN of a standard topic"),
        ("[{when: {level: high}}]".to_owned(), "`arn` is missing"),
        (format!("{{arn: {arn}}}"), "topics has to be a list"),
    ] {
        let told = parsed(&yaml, topics).unwrap_err().to_string();
        assert!(told.contains(message), "{told}");
    }
}
