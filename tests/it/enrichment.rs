//! What organisation and public data say of accounts and addresses: in rules, and in findings.
//!
//! The databases are made by `scripts/make_test_databases.py`.

mod missing; // and when it is not there

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trailhound::engine::{KnownSource, Organisation, RuleSet};
use trailhound::enrichment::Enrichment;
use trailhound::finding::Event;
use trailhound::sigma;
use trailhound::trail::Record;
use trailhound::yaml::{Diagnostic, SourceFile};

use crate::support::{TODAY, World, fact, record, rule, story, trail_file, with};

const ORGANISATION: &str = "
accounts:
  '111122223333': {name: prod, owner: payments-team}
  '444455556666': staging
partners:
  '123456789012': {name: Example Billing}
networks:
  Office: [203.0.113.0/28, '2001:db8:1::/48']
  vpn: 203.0.113.3
  inside: 10.1.0.0/16
trusted_networks: [Office, 198.51.100.7]
";

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/enrichment/data")
}

fn enrichment(names: &[&str]) -> Enrichment {
    let mut enrichment = Enrichment::default();
    for name in names {
        enrichment.add(name, fs::read(data().join(name)).unwrap()).unwrap();
    }
    enrichment
}

pub(crate) const ALL: &[&str] = &["ip-ranges.json", "asn.mmdb", "city.mmdb", "ipinfo.mmdb"];

pub(crate) fn organisation(names: &[&str]) -> Organisation {
    let organisation = Organisation::parse(&SourceFile::new("trailhound.yaml", ORGANISATION)).unwrap();
    Organisation { knowledge: organisation.knowledge.enriched(enrichment(names)), ..organisation }
}

pub(crate) fn compile(yaml: &str, organisation: &Organisation) -> (RuleSet, Vec<Diagnostic>) {
    RuleSet::compile(&sigma::parse(&SourceFile::new("rules.yml", yaml)), organisation, TODAY)
}

fn selection(item: &str) -> String {
    rule(&format!("  sel:\n    {item}\n  condition: sel\n"))
}

fn matches(rules: &RuleSet, record: &Value) -> bool {
    let raw = record.to_string();
    rules.matches(&Record::parse(0, raw.as_bytes()).unwrap()).len() == 1
}

fn from(address: &str) -> Value {
    with(record("StopLogging", "e1"), &[("/sourceIPAddress", json!(address))])
}

fn by(account: &str) -> Value {
    let identity = json!({"type": "AWSAccount", "accountId": account, "principalId": "AROA:x"});
    with(record("StopLogging", "e1"), &[("/userIdentity", identity)])
}

#[test]
fn rules_ask_for_what_is_known_of_an_address() {
    let organisation = organisation(ALL);
    for (address, item, expected) in [
        ("203.0.113.7", "derived.source_asn: AS64496", true),
        ("203.0.113.7", "derived.source_asn: [as64497, as64496]", true),
        ("203.0.113.7", "derived.source_asn: AS64497", false),
        ("203.0.113.7", "derived.source_as_org|contains: hosting", true),
        ("203.0.113.7", "derived.source_country: [NL, BE]", true),
        ("203.0.113.7", "derived.source_country: US", false),
        // A country that a network is only registered in is not where it is.
        ("203.0.113.200", "derived.source_country|exists: false", true),
        ("203.0.113.200", "derived.source_asn: AS64511", true),
        ("2001:db8::7", "derived.source_country: DE", true),
        ("::ffff:203.0.113.7", "derived.source_country: NL", true),
        // The other shape of records, in a database of IPv4 alone.
        ("192.0.2.1", "derived.source_asn: AS64500", true),
        ("192.0.2.1", "derived.source_country: BE", true),
        ("192.0.2.1", "derived.source_as_org: Example Office", true),
        // The organisation's names, of all its networks around the address.
        ("203.0.113.3", "derived.source_network|all: [office, vpn]", true),
        ("203.0.113.4", "derived.source_network: vpn", false),
        ("203.0.113.4", "derived.trusted_network: 'true'", true),
        ("198.51.100.7", "derived.trusted_network: 'true'", true),
        ("198.51.100.8", "derived.trusted_network: 'false'", true),
        ("2001:db8:1::1", "derived.source_network: office", true),
        ("10.1.2.3", "derived.source_network: inside", true),
        // A customer's machine, and a service of AWS.
        ("203.0.113.90", "derived.source_network: 'aws:EC2'", true),
        ("203.0.113.90", "derived.source_network: 'aws:ec2:eu-west-1'", true),
        ("203.0.113.70", "derived.source_network: 'aws:EC2'", false),
        ("203.0.113.70", "derived.source_network|all: [aws, 'aws:S3', 'aws:S3:eu-west-1']", true),
        ("203.0.113.100", "derived.source_network: 'aws:AMAZON'", true),
        ("198.51.100.130", "derived.source_network|startswith: 'aws:cloudfront'", true),
        ("203.0.113.7", "derived.source_network: aws", false),
        // Nothing is known of what is no public address.
        ("10.2.2.3", "derived.source_network|exists: false", true),
        ("10.1.2.3", "derived.source_country|exists: false", true),
        ("10.1.2.3", "derived.source_asn|exists: false", true),
        ("sns.amazonaws.com", "derived.source_as_org|exists: false", true),
        ("sns.amazonaws.com", "derived.source_network|exists: false", true),
        ("192.0.3.1", "derived.source_country|exists: false", true),
    ] {
        let (rules, errors) = compile(&selection(item), &organisation);
        assert!(errors.is_empty(), "{}", errors[0]);
        assert_eq!(matches(&rules, &from(address)), expected, "{item} on {address}");
    }
}

#[test]
fn partners_are_neither_known_nor_foreign() {
    let granted = |account: &str| {
        let policy = json!({"Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*", "Principal": {"AWS": account}}});
        let request = json!({"attributes": {"Policy": policy.to_string()}});
        with(record("SetQueueAttributes", "e1"), &[("/requestParameters", request)])
    };
    for (record, item, expected) in [
        (by("444455556666"), "derived.account_relation: known", true),
        (by("123456789012"), "derived.account_relation: partner", true),
        (by("123456789012"), "derived.account_relation: [known, foreign]", false),
        (by("ANONYMOUS_PRINCIPAL"), "derived.account_relation: foreign", true),
        (by("111122223333"), "derived.account_relation: same", true),
        (granted("123456789012"), "derived.policy.foreign_accounts|exists: true", false),
        (granted("444455556666"), "derived.policy.foreign_accounts|exists: true", false),
        (granted("123456789012"), "derived.policy.accounts: '123456789012'", true),
    ] {
        let (rules, _) = compile(&selection(item), &organisation(&[]));
        assert_eq!(matches(&rules, &record), expected, "{item} on {record}");
    }
    for item in ["derived.policy.foreign_accounts: '123456789012'", "derived.policy.foreign_accounts|exists: true"] {
        let (rules, _) = compile(&selection(item), &Organisation::default());
        assert!(matches(&rules, &granted("123456789012")), "{item}");
    }
}

fn event(record: &Value, names: &[&str]) -> Event {
    let raw = record.to_string();
    let record = Record::parse(0, raw.as_bytes()).unwrap();
    Event::of(&record, &organisation(names).knowledge, "2026-11-05T12:00:00Z".parse().unwrap())
}

#[test]
fn an_event_carries_what_an_alert_says_of_accounts_and_addresses() {
    let names = |event: &Event| {
        let Event { account_name, account_owner, caller_account_name, .. } = event.clone();
        [account_name, account_owner, caller_account_name].map(Option::unwrap_or_default)
    };
    let own = event(&from("203.0.113.3"), ALL);
    assert_eq!(names(&own), ["prod", "payments-team", ""]);
    let known = KnownSource {
        asn: Some(64496),
        as_org: Some("Example Hosting".to_owned()),
        country: Some("NL".to_owned()),
        networks: vec!["Office".to_owned(), "vpn".to_owned()],
    };
    assert_eq!(own.known_source.as_deref(), Some(&known));
    assert_eq!(names(&event(&by("123456789012"), ALL)), ["prod", "payments-team", "Example Billing"]);
    assert_eq!(names(&event(&by("ANONYMOUS_PRINCIPAL"), ALL)), ["prod", "payments-team", ""]);
    let elsewhere = with(from("203.0.113.66"), &[("/recipientAccountId", json!("444455556666"))]);
    let elsewhere = event(&elsewhere, &["ip-ranges.json"]);
    assert_eq!(names(&elsewhere), ["staging", "", "prod"]);
    let networks = elsewhere.known_source.unwrap().networks;
    assert_eq!(networks, ["aws", "aws:S3", "aws:S3:eu-west-1"]);
    assert_eq!(event(&from("203.0.113.200"), &[]).known_source, None);
    assert_eq!(event(&from("sns.amazonaws.com"), ALL).known_source, None);
}

#[tokio::test]
async fn alerts_say_whose_account_and_whose_network_it_is() {
    let role = json!({"type": "AssumedRole", "principalId": "AROA:ci", "arn": "arn:aws:sts::444455556666:assumed-role/deploy/ci",
        "accountId": "444455556666", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::444455556666:role/deploy", "accountId": "444455556666", "userName": "deploy"}}});
    for (record, sentence, who, source) in [
        (
            from("203.0.113.7"),
            "from 203.0.113.7 (Office, NL). It succeeded.",
            "alice (IAM user)",
            "203.0.113.7 (Office, AS64496 Example Hosting, NL)",
        ),
        (
            from("203.0.113.90"),
            "from 203.0.113.90 (AWS EC2 eu-west-1, NL).",
            "",
            "203.0.113.90 (AWS EC2 eu-west-1, AS64496 Example Hosting, NL)",
        ),
        (from("203.0.113.200"), "from 203.0.113.200 (Example Telecom).", "", "203.0.113.200 (AS64511 Example Telecom)"),
        (from("192.0.3.1"), "from 192.0.3.1. It succeeded.", "", "192.0.3.1"),
        (from("10.1.2.3"), "from 10.1.2.3 (inside).", "", "10.1.2.3 (inside)"),
        (
            by("123456789012"),
            "Account Example Billing (123456789012) called StopLogging",
            "account Example Billing (123456789012), AROA:x",
            "",
        ),
        (by("ANONYMOUS_PRINCIPAL"), "Account ANONYMOUS_PRINCIPAL called", "account ANONYMOUS_PRINCIPAL, AROA:x", ""),
        (
            with(record("StopLogging", "e1"), &[("/userIdentity", role)]),
            "Role deploy (session ci) of account staging (444455556666) called StopLogging",
            "deploy (role), session ci of account staging (444455556666)",
            "",
        ),
    ] {
        let (rules, _) = compile(&selection("eventName: StopLogging"), &organisation(ALL));
        let world = World::new(rules);
        world.notify(&[&world.put("a", &trail_file(&[record]))]).await;
        let alert = world.alerts().remove(0);
        let story = story(&alert);
        assert!(story.sentence.contains(sentence), "{}", story.sentence);
        assert!(fact(&alert, "Who").contains(who), "{}", fact(&alert, "Who"));
        assert!(source.is_empty() || fact(&alert, "From") == source, "{}", fact(&alert, "From"));
        assert_eq!((fact(&alert, "Owner"), story.account.owner), ("payments-team".into(), "payments-team".into()));
    }
}

/// The newest file that knows something says it; the others fill in what it doesn't know.
#[test]
fn databases_complete_each_other() {
    let enrichment = enrichment(&["ipinfo.mmdb", "city.mmdb", "asn.mmdb", "ip-ranges.json"]);
    let files: Vec<String> = enrichment.files().map(ToString::to_string).collect();
    assert_eq!(
        files,
        [
            "ip-ranges.json of 2026-11-04 (10 networks of AWS)",
            "asn.mmdb of 2026-11-04 (GeoLite2-ASN: AS numbers, AS organisations)",
            "city.mmdb of 2026-11-04 (GeoLite2-City: countries)",
            "ipinfo.mmdb of 2026-11-04 (ipinfo lite_sample.mmdb: AS numbers, AS organisations, countries)",
        ]
    );
    let [known, filled] = ["203.0.113.7", "192.0.2.1"].map(|address| address.parse().unwrap());
    assert_eq!((enrichment.asn(known), enrichment.country(known)), (Some(64496), Some("NL")));
    assert_eq!((enrichment.asn(filled), enrichment.country(filled)), (Some(64500), Some("BE")));
}

/// Whatever lies in the place of a database: it is refused, or it answers. Nothing takes the function down.
#[test]
fn a_damaged_database_is_refused_or_answers() {
    let whole = fs::read(data().join("city.mmdb")).unwrap();
    let (mut state, mut refused, mut answered) = (1_u32, 0, 0);
    for round in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..=round % 4 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (state >> 8) as usize % bytes.len();
            bytes[at] = state.to_le_bytes()[3];
        }
        if round % 7 == 0 {
            bytes.truncate((state >> 8) as usize % bytes.len());
        }
        let mut enrichment = Enrichment::default();
        if enrichment.add("city.mmdb", bytes).is_err() {
            refused += 1;
            continue;
        }
        for address in ["203.0.113.7", "198.51.100.1", "2001:db8::1", "::", "255.255.255.255"] {
            answered += usize::from(enrichment.country(address.parse().unwrap()).is_some());
        }
    }
    assert!(refused > 1_000 && answered > 3_000, "{refused} {answered}");
}

fn organisation_error(yaml: &str) -> String {
    Organisation::parse(&SourceFile::new("trailhound.yaml", yaml)).unwrap_err().to_string()
}

#[test]
fn mistakes_about_accounts_and_networks_are_said_with_their_place() {
    for (yaml, parts) in [
        ("accounts: {'111122223333': {owner: me}}", &["`name` is missing"][..]),
        ("accounts: {'111122223333': {name: a, team: b}}", &["`team` is not known here", "known: name, owner"]),
        ("partners: {'111122223333': {name: a, owner: b}}", &["`owner` is not known here"]),
        ("partners: {prod: a}", &["`prod` is no account id"]),
        (
            "accounts: {'111122223333': a}\npartners: {'111122223333': b}",
            &["stands in `accounts`, too", "your own or a partner's", ":2:"],
        ),
        ("networks: {aws: 192.0.2.0/24}", &["`aws` is no name for a network", "AWS's own"]),
        ("networks: {'aws:x': 192.0.2.0/24}", &["is no name for a network", "a letter first"]),
        ("networks: {192.0.2.7: 192.0.2.0/24}", &["is no name for a network", "a letter first"]),
        ("networks: {office: 192.0.2.0/33}", &["`192.0.2.0/33` is no network"]),
        (
            "networks: {office: [192.0.2.0/24]}\ntrusted_networks: [offce]",
            &["`offce` is no network", "did you mean `office`?"],
        ),
        ("trusted_networks: [office]", &["`office` is no network", "a name that stands in `networks`"]),
    ] {
        let error = organisation_error(yaml);
        assert!(parts.iter().all(|part| error.contains(part)), "{yaml}\n{error}");
    }
}
