//! Rules that ask for data that is not loaded, and what the command line makes of it.

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;
use trailhound::engine::{Organisation, RuleSet};
use trailhound::yaml::{Code, Diagnostic, Severity, SourceFile};
use trailhound::{lint, sigma};

use super::{ALL, compile, data, from, organisation, selection};
use crate::support::{TODAY, trail_file};

/// The warnings about a rule that loads, and whether it counts as one that may never match.
fn lacking(yaml: &str, names: &[&str]) -> (Vec<String>, usize) {
    let (rules, warnings) = compile(yaml, &organisation(names));
    assert!(warnings.iter().all(|it| (it.code(), it.severity()) == (Code::NoData, Severity::Warning)), "{warnings:?}");
    (warnings.iter().map(Diagnostic::summary).collect(), rules.without_data().count())
}

#[test]
fn a_rule_that_asks_for_what_is_not_loaded_is_named_and_loaded() {
    let with_section = |section: &str| selection("eventName: StopLogging") + section;
    for (yaml, names, warning) in [
        (selection("derived.source_country: NL"), &["asn.mmdb", "ip-ranges.json"][..], "no database with countries"),
        (selection("derived.source_asn: AS64496"), &["city.mmdb"], "no database with AS numbers is"),
        (selection("derived.source_as_org|contains: x"), &["city.mmdb"], "no database with the organisations of"),
        (selection("derived.source_network: [vpn, 'aws:EC2']"), &["city.mmdb"], "no ip-ranges.json"),
        (
            selection("derived.source_network: offce"),
            ALL,
            "no network of the organisation is called `offce` (did you mean `Office`?)",
        ),
        (selection("requestParameters.x|fieldref: derived.source_country"), &[], "no database with countries"),
        (
            with_section("trailhound: {first_seen: {entity: derived.principal, value: derived.source_country}}"),
            &["asn.mmdb"],
            "no database with countries",
        ),
        (
            selection("eventName: StopLogging").replace("id: test", "id: other\nname: part")
                + "---\ntitle: Many\nid: test\ncorrelation: {type: event_count, rules: [part], group-by: [derived.source_asn], timespan: 1h, condition: {gte: 2}}\n",
            &[],
            "no database with AS numbers is",
        ),
    ] {
        let (warnings, rules) = lacking(&yaml, names);
        assert_eq!((warnings.len(), rules), (1, 1), "{yaml}\n{warnings:?}");
        assert!(warnings[0].contains(warning) && warnings[0].contains("\" asks for "), "{}", warnings[0]);
        assert!(warnings[0].starts_with("rules.yml:"), "{}", warnings[0]);
    }
    for yaml in [
        selection("derived.source_network: office"),
        selection("derived.source_network: VPN"),
        selection("derived.source_network|contains: off"),
        selection("derived.source_network: 'off*'"),
        selection("derived.trusted_network: 'true'"),
    ] {
        assert_eq!(lacking(&yaml, &[]), (Vec::new(), 0), "{yaml}");
    }
    assert_eq!(lacking(&selection("derived.source_network: 'aws:S3'"), ALL), (Vec::new(), 0));
}

/// They bring alerts too many, which nobody overlooks: the rule itself works.
#[test]
fn what_only_excepts_events_is_named_and_counts_as_no_rule_without_data() {
    let plain = selection("eventName: StopLogging");
    let excepted = plain.clone() + "trailhound: {exceptions: [{derived.source_country: NL}]}";
    let filter = "---\ntitle: Home\nlogsource: {product: aws, service: cloudtrail}\nfilter: {rules: any, sel: {derived.source_country: NL}, condition: not sel}\n";
    for yaml in [excepted, plain.clone() + "---\n" + &plain.replace("id: test", "id: other") + filter] {
        let (warnings, rules) = lacking(&yaml, &[]);
        assert_eq!((warnings.len(), rules), (1, 0), "{warnings:?}");
    }
}

#[test]
fn lints_say_nothing_of_data_and_know_its_forms() {
    let warnings = |item: &str| {
        let yaml = selection(item).replace("id: test", "id: 5b1e6f7c-80d2-4a56-9f0c-2b8fe56d0c4e\ndescription: x");
        let collection = sigma::parse(&SourceFile::new("rules.yml", yaml));
        let (rules, _) = RuleSet::compile(&collection, &Organisation::default(), TODAY);
        lint::lint(&collection, &rules).iter().map(Diagnostic::summary).collect::<Vec<_>>()
    };
    for item in ["derived.source_country: [NL, be]", "derived.source_asn: AS64496", "derived.source_network: office"] {
        assert_eq!(warnings(&format!("{{eventName: StopLogging, {item}}}")), Vec::<String>::new(), "{item}");
    }
    let wrong = warnings("{eventName: StopLogging, derived.source_country: Netherlands}");
    assert!(wrong[0].contains("impossible-value") && wrong[0].contains("two letters"), "{wrong:?}");
    let wrong = warnings("{eventName: StopLogging, derived.source_asn: 64496}");
    assert!(wrong[0].contains("did you mean `AS64496`?"), "{wrong:?}");
}

struct Place(TempDir);

impl Place {
    fn new(yaml: &str) -> Self {
        let place = TempDir::new().unwrap();
        fs::create_dir(place.path().join("rules")).unwrap();
        fs::write(place.path().join("rules/a.yml"), yaml).unwrap();
        fs::write(place.path().join("trail.json.gz"), trail_file(&[from("203.0.113.7"), from("192.0.2.1")])).unwrap();
        Self(place)
    }

    fn run(&self, args: &[&str]) -> Output {
        let data = data();
        let args = args.iter().map(|arg| if *arg == "DATA" { data.to_str().unwrap() } else { arg });
        Command::new(env!("CARGO_BIN_EXE_trailhound"))
            .args(args)
            .current_dir(self.0.path())
            .env_clear()
            .output()
            .unwrap()
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_command_line_names_rules_without_data_and_takes_a_folder_of_it() {
    let place = Place::new(&selection("derived.source_country: NL"));
    let without = place.run(&["rules", "--rules", "rules"]);
    assert_eq!(without.status.code(), Some(0));
    assert!(text(&without.stdout).contains("Test  (without its data)"), "{}", text(&without.stdout));
    let said = text(&without.stderr);
    for part in [
        "warning[no-data]: \"Test\" asks for `derived.source_country`, and no database with countries is loaded",
        "rules/a.yml:7:5",
        "--enrichment",
        "1 rules loaded (1 without the data that they ask for), 0 rejected",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let scan = place.run(&["scan", "--rules", "rules", "--summary", "trail.json.gz"]);
    assert_eq!(scan.status.code(), Some(0), "{}", text(&scan.stderr));
    assert!(text(&scan.stderr).contains("RulesWithoutData               1  "), "{}", text(&scan.stderr));

    // The folder holds a database that says nothing of countries: a terminal wants to know.
    let wrong = place.run(&["rules", "--rules", "rules", "--enrichment", "DATA"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("neither AS numbers nor countries"), "{}", text(&wrong.stderr));

    fs::create_dir(place.0.path().join("data")).unwrap();
    fs::copy(data().join("city.mmdb"), place.0.path().join("data/city.mmdb")).unwrap();
    let with = place.run(&["rules", "--verbose", "--rules", "rules", "--enrichment", "data"]);
    assert!(
        !text(&with.stderr).contains("no-data") && !text(&with.stdout).contains("without"),
        "{}",
        text(&with.stderr)
    );
    assert!(
        text(&with.stderr).contains("city.mmdb of 2026-11-04 (GeoLite2-City: countries)"),
        "{}",
        text(&with.stderr)
    );
    let scan = place.run(&["scan", "--rules", "rules", "--enrichment", "data", "trail.json.gz"]);
    assert_eq!(scan.status.code(), Some(1), "{}", text(&scan.stderr));
    assert!(text(&scan.stderr).contains("1 matches"), "{}", text(&scan.stderr));
    let explained = place.run(&["rules", "explain", "rules/a.yml", "trail.json.gz", "--enrichment", "data"]);
    assert!(text(&explained.stdout).contains("NL"), "{}", text(&explained.stdout));
}

#[test]
fn lint_knows_nothing_of_what_is_loaded_elsewhere() {
    let place = Place::new(&selection("derived.source_country: NL"));
    let lint = place.run(&["rules", "lint", "rules"]);
    assert!(
        !text(&lint.stdout).contains("no-data") && text(&lint.stderr).contains("0 rejected"),
        "{}",
        text(&lint.stdout)
    );
}
