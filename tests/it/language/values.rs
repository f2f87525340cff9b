//! What a value of a rule equals in a record.

use serde_json::json;

use super::{refusal, refused, table};
use crate::support::{matches, record};

#[test]
fn wildcards_and_escapes() {
    let record = json!({"text": "abc", "star": "a*c", "slash": r"C:\x", "two": r"\\host", "both": r"a\*", "empty": "", "lines": "a\nb"});
    table(
        &record,
        &[
            ("text: 'a*'", true),
            ("text: 'abc*'", true),
            ("text: 'a?c'", true),
            ("text: 'ab?c'", false),
            ("text: 'a??'", true),
            ("text: '?'", false),
            ("text: '*b*'", true),
            (r"star: 'a\*c'", true),
            (r"text: 'a\*c'", false),
            (r"text: 'a\?c'", false),
            (r"slash: 'C:\x'", true),
            (r"slash: 'C:\\x'", true),
            (r"slash: 'C:\\*'", true),
            (r"slash: 'C:\*'", false),
            (r"both: 'a\\\*'", true),
            (r"both: 'a\\*'", true),
            (r"text: 'a\\*'", false),
            (r"two: '\\\host'", true),
            (r"two: '\\\\host'", true),
            (r"two: '\\host'", false),
            ("empty: '*'", true),
            ("empty: '?*'", false),
            ("lines: 'a*b'", true),
            ("lines: 'a?b'", true),
        ],
    );
}

#[test]
fn case_folds_character_by_character() {
    let record =
        json!({"umlaut": "ÄRGER", "kelvin": "\u{212a}elvin", "sigma": "ΟΔΥΣΣΕΑΣ", "sharp": "STRASSE", "Name": "x"});
    table(
        &record,
        &[
            ("umlaut: ärger", true),
            ("umlaut: '?rger'", true),
            ("umlaut|cased: ärger", false),
            ("kelvin: kelvin", true),
            ("sigma: οδυσσεας", true),
            ("sharp: straße", false),
            ("umlaut|re|i: ärger", true),
            ("Name: X", true),
            ("name: x", false),
        ],
    );
}

#[test]
fn numbers_equal_by_value_unless_quoted() {
    let record = json!({"n": 5, "f": 5.0, "e": 1e3, "text": "5", "long": "5.0", "big": 9_007_199_254_740_993_u64, "yes": true, "list": [1, 5]});
    table(
        &record,
        &[
            ("n: 5", true),
            ("n: 5.0", true),
            ("f: 5", true),
            ("e: 1000", true),
            ("n: 5e0", true),
            ("n: 6", false),
            ("n: '5'", true),
            ("n: \"5.0\"", false),
            ("f: '5'", false),
            ("text: 5", true),
            ("text: 5.0", false),
            ("long: 5", false),
            ("big: 9007199254740993", true),
            ("big: 9007199254740992", false),
            ("list: 5.0", true),
            ("n: '5*'", true),
            ("yes: true", true),
            ("yes: 'True'", true),
            ("yes: 1", false),
        ],
    );
}

#[test]
fn yaml_scalars_keep_their_text() {
    let record = json!({"hex": "0x1F", "n": 31, "octal": "010", "eight": 8, "word": "yes", "flag": true, "id": "012345678901",
        "date": "2026-11-05", "time": "12:30:00", "sixty": 45000, "version": "1.10", "infinite": ".inf"});
    table(
        &record,
        &[
            ("hex: 0x1F", true),
            ("n: 0x1F", false),
            ("octal: 010", true),
            ("eight: 010", false),
            ("word: yes", true),
            ("flag: yes", false),
            ("id: 012345678901", true),
            ("date: 2026-11-05", true),
            ("time: 12:30:00", true),
            ("sixty: 12:30:00", false),
            ("version: 1.10", true),
            ("version: 1.1", false),
            ("infinite: .inf", true),
            ("word: !!str yes", true),
        ],
    );
}

#[test]
fn null_empty_and_absent_are_three_things() {
    let record = json!({"nothing": null, "empty": "", "none": [], "list": ["a", null], "name": "x", "word": "null"});
    table(
        &record,
        &[
            ("absent: null", true),
            ("absent:", true),
            ("absent: ~", true),
            ("nothing: null", true),
            ("list: null", true),
            ("empty: null", false),
            ("none: null", false),
            ("name: null", false),
            ("word: null", false),
            ("word: 'null'", true),
            ("absent: 'null'", false),
            ("empty: ''", true),
            ("absent: ''", false),
            ("nothing: ''", false),
            ("none: ''", false),
            ("name: ''", false),
            ("empty: '*'", true),
            ("nothing: '*'", false),
            ("none: '*'", false),
            ("name: [null, x]", true),
            ("absent: [null, x]", true),
            ("name: [null, y]", false),
            ("absent: []", true),
            ("name: []", false),
        ],
    );
}

#[test]
fn lists_and_objects_of_a_record() {
    let record =
        json!({"list": ["a", ["b", 3]], "object": {"b": 1, "a": [true, null]}, "objects": [{"k": "x"}, {"k": "y"}]});
    table(
        &record,
        &[
            ("list: A", true),
            ("list: b", true),
            ("list: 3", true),
            ("list: c", false),
            (r#"list: '["a",["b",3]]'"#, false),
            (r#"object: '{"b":1,"a":[true,null]}'"#, true),
            (r#"object: '{"a":[true,null],"b":1}'"#, false),
            (r#"object|contains: '"a":[true'"#, true),
            ("objects.k: y", true),
            ("objects.1.k: y", true),
            ("objects.0.k: y", false),
            (r#"objects: '{"k":"x"}'"#, true),
            ("object.b|exists: true", true),
            ("object.c|exists: true", false),
        ],
    );
}

#[test]
fn dotted_keys_are_read_in_every_way() {
    let record = json!({"a.b": {"c": "whole"}, "a": {"b": {"c": "nested"}, "b.c": "half"}, "tags": {"aws:x.y": "z"}});
    table(
        &record,
        &[
            ("a.b.c: whole", true),
            ("a.b.c: nested", true),
            ("a.b.c: half", true),
            ("a.b.c|all: [whole, nested, half]", true),
            ("a.b.c: other", false),
            ("tags.aws:x.y: z", true),
        ],
    );
}

#[test]
fn json_inside_strings_can_be_addressed() {
    let policy = r#"{"Statement":[{"Effect":"Allow","Principal":"*"}]}"#;
    let record = json!({"policy": policy, "encoded": "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%7D%5D%7D",
        "cut": r#"{"Statement":[{"Effect":"All"#, "twice": json!({"inner": policy}).to_string()});
    table(
        &record,
        &[
            ("policy.Statement.Effect: Allow", true),
            ("policy.Statement.0.Principal: '*'", true),
            ("policy.Statement.Effect: Deny", false),
            ("encoded.Statement.Effect: allow", true),
            ("twice.inner.Statement.Effect: Allow", true),
            ("cut.Statement.Effect|exists: true", false),
            (r#"policy|contains: '"Effect":"Allow"'"#, true),
            ("policy.Version|exists: false", true),
        ],
    );
}

#[test]
fn keywords_are_looked_for_in_the_whole_record() {
    let record = record("StopLogging", "e1");
    for (detection, expected) in [
        ("words: org-trail", true),
        ("words: [nothing, ORG-Trail]", true),
        ("words: [nothing]", false),
        ("words: ['org?trail']", true),
        (r"words: ['org\?trail']", false),
        ("words: ['aws-cli*']", true),
        ("words: [managementEvent]", true),
        ("words: [1.11]", true),
        ("words: [false]", true),
        ("words: ['StopLogging,eu-west-1']", false),
        ("words: {'|all': [org-trail, alice]}", true),
        ("words: {'|all': [org-trail, bob]}", false),
        ("words: {'|contains': trail}", true),
        ("words: {'|re': 'org-[a-z]+$'}", true),
        ("words: {'|re|i': '^STOP'}", true),
        ("words: {'|re': '^Logging'}", false),
        ("words: {'|cased': stoplogging}", false),
        ("words: {'|cased': StopLogging}", true),
        ("words: {'|neq': nothing}", true),
        ("words: {'|neq': alice}", false),
        ("words: {'|windash': '/trail'}", true),
        ("words: {'|all': [org-trail, alice], eventName: StopLogging}", true),
        ("words: {'|all': [org-trail, alice], eventName: Other}", false),
    ] {
        let detection = format!("  {detection}\n  condition: words");
        assert_eq!(matches(&detection, &record), expected, "{detection}");
    }
    let derived = "  words: [success]\n  condition: words";
    assert!(!matches(derived, &record), "derived fields are not in the record");
    refused(&[
        ("'|startswith': x", "needs a field"),
        ("'|cidr': 10.0.0.0/8", "needs a field"),
        ("'|gt': 5", "needs a field"),
        ("'|contains': null", "null is no keyword"),
    ]);
    assert!(refusal("  words: [null]\n  condition: words").contains("says nothing"));
}

#[test]
fn a_value_is_a_scalar_or_a_list_of_them() {
    refused(&[
        ("requestParameters: {name: x}", "write a path as one key"),
        ("eventName: [[x]]", "a value or a list of values"),
        ("eventName: [{x: y}]", "a value or a list of values"),
    ]);
}
