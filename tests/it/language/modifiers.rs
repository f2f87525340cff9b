//! Modifiers of text, one by one and together.

use serde_json::json;

use super::{refused, table};
use crate::support::matches;

#[test]
fn contains_startswith_and_endswith_compare_a_part() {
    let record = json!({"name": "arn:aws:iam::111122223333:role/Admin", "empty": "", "nothing": null});
    table(
        &record,
        &[
            ("name|contains: ROLE/ad", true),
            ("name|contains: role/b", false),
            ("name|contains: 'iam::*:role'", true),
            ("name|contains: 'role?Admin'", true),
            (r"name|contains: 'role\*'", false),
            ("name|contains: ''", true),
            ("empty|contains: ''", true),
            ("nothing|contains: ''", false),
            ("absent|contains: ''", false),
            ("name|startswith: ARN:aws", true),
            ("name|startswith: aws", false),
            ("name|startswith: 'a?n:'", true),
            ("name|endswith: admin", true),
            ("name|endswith: Admin/", false),
            ("name|endswith: 'role/*'", true),
            ("name|contains: [x, role]", true),
            ("name|contains: [x, y]", false),
        ],
    );
    refused(&[("name|contains: null", "null can't be compared in part"), ("name|contains|startswith: x", "keep one")]);
}

#[test]
fn all_asks_for_every_value() {
    let record = json!({"text": "-a -b", "list": ["one", "two"], "object": {"x": 1, "y": 2}});
    table(
        &record,
        &[
            ("text|contains|all: ['-a', '-b']", true),
            ("text|all|contains: ['-a', '-b']", true),
            ("text|contains|all: ['-a', '-c']", false),
            ("text|all: ['-a*', '*-b']", true),
            ("list|all: [two, one]", true),
            ("list|all: [two, three]", false),
            ("list|re|all: ['^o', 'o$']", true),
            ("list|contains|all: [tw]", true),
            (r#"object|contains|all: ['"x":1', '"y":2']"#, true),
            ("absent|all: [null, one]", false),
        ],
    );
}

#[test]
fn cased_tells_upper_from_lower_case() {
    let record = json!({"name": "StopLogging", "list": ["a", "B"]});
    table(
        &record,
        &[
            ("name: stoplogging", true),
            ("name|cased: stoplogging", false),
            ("name|cased: StopLogging", true),
            ("name|cased: 'Stop*'", true),
            ("name|cased: 'stop*'", false),
            ("name|contains|cased: pLo", true),
            ("name|cased|contains: plo", false),
            ("name|startswith|cased: Stop", true),
            ("name|startswith|cased: stop", false),
            ("name|endswith|cased: Logging", true),
            ("name|endswith|cased: logging", false),
            ("name|re|cased: '^Stop'", true),
            ("name|re|cased: '^stop'", false),
            ("list|cased|all: [a, B]", true),
            ("list|cased: b", false),
            ("name|cased|neq: stoplogging", true),
        ],
    );
    refused(&[("name|cidr|cased: 10.0.0.0/8", "means nothing"), ("name|cased|gt: 5", "means nothing")]);
}

#[test]
fn neq_is_the_opposite_of_the_whole_item() {
    let record =
        json!({"name": "alice", "n": 5, "list": ["a", "b"], "nothing": null, "twin": "ALICE", "ip": "10.1.2.3"});
    table(
        &record,
        &[
            ("name|neq: bob", true),
            ("name|neq: alice", false),
            ("name|neq: [alice, bob]", false),
            ("name|neq: [carol, bob]", true),
            ("absent|neq: bob", true),
            ("nothing|neq: bob", true),
            ("absent|neq: null", false),
            ("name|neq: null", true),
            ("list|neq: a", false),
            ("list|neq: c", true),
            ("list|all|neq: [a, c]", true),
            ("list|all|neq: [a, b]", false),
            ("n|neq: 5.0", false),
            ("n|neq: 6", true),
            ("name|contains|neq: lic", false),
            ("name|startswith|neq: lic", true),
            ("name|re|neq: '^b'", true),
            ("n|gt|neq: 5", true),
            ("ip|cidr|neq: 10.0.0.0/8", false),
            ("name|fieldref|neq: twin", false),
            ("name|fieldref|neq: ip", true),
            ("name|fieldref|neq: absent", true),
        ],
    );
    refused(&[("name|neq|neq: x", "stands here twice"), ("name|exists|neq: true", "stands alone")]);
}

#[test]
fn exists_asks_for_the_field_whatever_is_in_it() {
    let record = json!({"name": "x", "nothing": null, "empty": "", "none": [], "o": {"in": {}}});
    table(
        &record,
        &[
            ("name|exists: true", true),
            ("name|exists: false", false),
            ("nothing|exists: true", true),
            ("empty|exists: true", true),
            ("none|exists: true", true),
            ("o.in|exists: 'TRUE'", true),
            ("o.out|exists: true", false),
            ("o.out|exists: false", true),
            ("derived.principal|exists: false", true),
            ("derived.outcome|exists: true", true),
        ],
    );
    refused(&[
        ("name|exists: maybe", "true or false"),
        ("name|exists: [true, false]", "true or false"),
        ("name|exists: null", "true or false"),
        ("name|exists|all: true", "stands alone"),
        ("name|exists|cased: true", "means nothing"),
        ("'|exists': true", "needs a field"),
    ]);
}

#[test]
fn windash_varies_the_dash_in_front_of_a_word() {
    let dashes = ["-", "/", "\u{2013}", "\u{2014}", "\u{2015}"];
    for written in dashes {
        for recorded in dashes {
            let record = json!({"command": format!("cmd {recorded}param-name")});
            let found = |modifiers: &str, value: &str| {
                matches(&super::selecting(&format!("'command|{modifiers}': '{value}'")), &record)
            };
            assert!(found("windash", &format!("cmd {written}param-name")));
            assert!(found("windash|contains", &format!("{written}PARAM-name")));
            assert!(found("contains|windash", &format!("{written}param")));
            assert!(found("windash|endswith|cased", &format!("{written}param-name")));
            assert!(!found("windash|contains", &format!("{written}other")));
        }
    }
    table(
        &json!({"command": "cmd \u{2013}a /b a-b - c"}),
        &[
            ("command|windash|contains|all: ['-a', '-b']", true),
            ("command|contains: '-a'", false),
            ("command|windash|contains: 'a/b'", false),
            ("command|windash|contains: 'b / c'", false),
            ("command|windash: 'cmd -a*- c'", true),
            ("command|windash|startswith: 'cmd /a'", true),
            ("command|windash|neq: 'cmd -a*'", false),
        ],
    );
    refused(&[
        ("command|windash: '-a -a -a -a -a'", "more than 1,000 forms"),
        ("command|re|windash: x", "goes first"),
        ("command|windash|re: x", "encoded value"),
    ]);
}

#[test]
fn re_looks_anywhere_and_minds_case() {
    let record = json!({"agent": "Boto3/1.40 md/Botocore", "lines": "first\nsecond line", "list": ["x1", "y"], "n": 42, "empty": ""});
    table(
        &record,
        &[
            (r"agent|re: 'Boto3/\d+\.\d+'", true),
            ("agent|re: '^Boto3'", true),
            ("agent|re: '^md'", false),
            ("agent|re: 'boto3'", false),
            ("agent|re: '(Curl|Boto)[0-9]{1,2}'", true),
            ("agent|re: ['^x', 'core$']", true),
            ("agent|re|all: ['^Boto', 'core$']", true),
            ("agent|re|all: ['^Boto', 'x$']", false),
            ("agent|re|contains: 'md/'", true),
            ("list|re: '^x[0-9]$'", true),
            ("n|re: '^4'", true),
            ("empty|re: '^$'", true),
            ("absent|re: ''", false),
            (r"agent|re: 'Boto3\\/'", false),
            ("agent|re: 'Boto*'", true),
            ("lines|re: 'first$'", false),
        ],
    );
    refused(&[
        ("agent|re: 'a(?=b)'", "look-around"),
        (r"agent|re: '(a)\1'", "backreferences are not supported"),
        ("agent|re: '('", "not a regular expression"),
        ("agent|re|startswith: x", "anchor the expression"),
        ("agent|contains|re: x", "keep one"),
        ("agent|re: '\\w{1000}{1000}'", "not a regular expression"),
    ]);
}

#[test]
fn i_m_and_s_change_an_expression() {
    let record = json!({"agent": "Boto3/1.40", "lines": "first\nsecond line"});
    table(
        &record,
        &[
            ("agent|re|i: '^boto3'", true),
            ("agent|re|ignorecase: 'BOTO'", true),
            ("lines|re: '^second'", false),
            ("lines|re|m: '^second'", true),
            ("lines|re|multiline: 'first$'", true),
            ("lines|re: 'first.second'", false),
            ("lines|re|s: 'first.second'", true),
            ("lines|re|dotall: 'FIRST.second'", false),
            ("lines|re|i|m|s: '^FIRST.SECOND LINE$'", true),
            ("lines|re|i|all: [FIRST, Line]", true),
            ("agent|re|i|neq: boto", false),
            ("agent|re: '(?i)^boto3'", true),
        ],
    );
    refused(&[
        ("agent|i: x", "stands behind `re` only"),
        ("agent|contains|m: x", "stands behind `re` only"),
        ("agent|s|re: x", "stands behind `re` only"),
    ]);
}

#[test]
fn base64_and_base64offset_look_for_what_is_encoded() {
    // "xx net user yy" at three offsets, and "net user" by itself.
    let record = json!({"alone": "bmV0IHVzZXI=", "folded": "BMV0IHVZZXI=", "zero": "bmV0IHVzZXIgeHg=", "one": "eG5ldCB1c2VyIHl5", "two": "eHhuZXQgdXNlciB5"});
    table(
        &record,
        &[
            ("alone|base64: net user", true),
            ("alone|base64: net usex", false),
            ("alone|base64: Net user", false),
            ("folded|base64: net user", true),
            ("folded|base64|cased: net user", false),
            ("zero|base64: net user", false),
            ("zero|base64|startswith: net us", true),
            ("zero|base64offset|contains: net user", true),
            ("one|base64offset|contains: net user", true),
            ("two|base64offset|contains: net user", true),
            ("one|base64|contains: net user", false),
            ("one|base64offset: net user", false),
            ("one|base64offset|contains: [nothing, net user]", true),
            ("one|base64offset|contains|all: [net, user]", true),
            ("one|base64offset|contains|all: [net, power]", false),
            (r"alone|base64: 'net user\*'", false),
            ("alone|base64|neq: net user", false),
            ("one|base64offset|contains|cased: net user", true),
        ],
    );
    refused(&[
        ("alone|base64: 'net*'", "wildcards can't be encoded"),
        ("alone|base64offset|contains: n", "too short"),
        ("alone|contains|base64: x", "goes first"),
        ("alone|base64|re: x", "encoded value"),
        ("alone|base64: null", "null can't be"),
        ("alone|base64|gt: 5", "encoded value"),
        ("alone|windash|contains: '-a*-b*-c*-d*-e*-f*-g*-h*-i*-j*-k*-l*-m*-n*-o*'", "1,000 forms"),
    ]);
}

#[test]
fn utf16_in_its_forms_comes_before_base64() {
    let record = json!({
        "little": "cABpAG4AZwA=", "big": "AHAAaQBuAGc=", "marked": "//5wAGkAbgBnAA==", "inside": "eAB4AHAAaQBuAGcA",
        "raw": "p\u{0}i\u{0}n\u{0}g\u{0}",
    });
    table(
        &record,
        &[
            ("little|wide|base64: ping", true),
            ("little|utf16le|base64: ping", true),
            ("little|utf16be|base64: ping", false),
            ("big|utf16be|base64: ping", true),
            ("marked|utf16|base64: ping", true),
            ("marked|wide|base64: ping", false),
            ("inside|wide|base64offset|contains: ping", true),
            ("inside|wide|base64offset|contains: pong", false),
            ("raw|wide: ping", true),
            ("raw|wide|contains: in", true),
            ("raw|utf16be: ping", false),
            ("little|wide|base64|neq: ping", false),
        ],
    );
    refused(&[
        ("raw|wide: Ä", "no text"),
        ("raw|base64|wide|re: x", "encoded value"),
        ("raw|wide|base64: 'p*'", "wildcards can't be encoded"),
    ]);
}
