//! What an organisation makes of rules, as `trailhound rules` shows it.

use serde_json::Value;

use super::{code, folder, right, run, stderr, stdout};

/// What somebody has who uses the built-in pack and wants a few exceptions.
#[test]
fn a_folder_of_filters_stands_beside_the_built_in_pack() {
    let filter = |rule: &str, expires: &str, product: &str| {
        format!(
            "title: Audits\nlogsource: {{product: {product}}}\nfilter:\n  rules: [{rule}]\n  audit: {{derived.principal|endswith: ':role/audit'}}\n  condition: not audit\ntrailhound: {{owner: audit-team, expires: {expires}}}\n"
        )
    };
    let queue = "04bb07a5-daa7-4a28-956b-3b5f9f9bc550";
    let own = "c51b4c0d-93f7-4c3a-8b1f-0f7f4a6f2e33";
    let filters = [
        filter(queue, "2999-12-31", "aws"),
        filter(queue, "2020-12-31", "aws"),
        filter("nobody", "2999-12-31", "aws"),
        filter(own, "2999-12-31", "trailhound"),
    ];
    let folder = folder(&[("filters/audit.yml", filters.join("---\n").as_bytes())]);
    let output = run(&folder, &["--pack", "data-events", "--rules", "filters"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for said in [
        "warning[unknown-rule]: no rule has the id or name `nobody`",
        "warning[filter-expired]: the filter \"Audits\" (audit-team) has expired: what it excepted alerts again",
        "rules and 7 filters loaded (3 wait for lists), 1 filters expired, 0 rejected",
    ] {
        assert!(stderr(&output).contains(said), "{said} is not in\n{}", stderr(&output));
    }
    let row = |id: &str| stdout(&output).lines().find(|line| line.contains(id)).unwrap().to_owned();
    assert!(row(queue).contains("(1 filter)"), "{}", row(queue));
    assert!(row(own).ends_with("(1 filter)"), "{}", row(own));

    let codes = |args: &[&str]| {
        let output = run(&folder, &[&["lint", "filters", "--format", "json"], args].concat());
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["summary"]["filters_expired"], 1);
        let found = document["diagnostics"].as_array().unwrap().iter();
        found.map(|found| found["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&["--pack", "data-events"]), ["unknown-rule", "filter-expired"]);
    // By themselves, filters of the pack's rules are for none that is there.
    assert_eq!(codes(&[]), ["unknown-rule", "unknown-rule", "filter-expired"]);
}

#[test]
fn the_list_shows_what_the_organisation_has_changed() {
    let rule = |id: &str| right().replace("5b1e6f7c-80d2-4a56-9f0c-2b8fe56d0c4e", id).replace("trail_stopped", id);
    let correlation =
        "title: Often\nid: often\ncorrelation: {type: event_count, rules: [e], timespan: 10m, condition: {gte: 3}}\n";
    let rules = ["a", "b", "c", "d", "e"].map(rule).join("---\n") + "---\n" + correlation;
    let config = "rules:
  a: {off: true}
  b: {level: low, exceptions: [{awsRegion: x}]}
  c: {mode: dry-run, level: high}
  d: {quiet: [{hours: '22:00-06:00', offset: '+01:00'}, {days: [sat, sun]}], max_alerts: {count: 5, per: 60m}}
  often: {level: critical, max_alerts: {count: 1, per: 1d}}
";
    let folder = folder(&[("rules.yml", rules.as_bytes()), ("config.yaml", config.as_bytes())]);
    let output = run(&folder, &["--rules", "rules.yml", "--config", "config.yaml"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let rows: Vec<String> =
        stdout(&output).lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        rows,
        [
            "low b Trail stopped (was high) (1 exception)",
            "high c Trail stopped (dry run)",
            "high d Trail stopped (quiet 22:00-06:00 +01:00, sat sun) (at most 5 per 1h)",
            "high e Trail stopped (told only as a part of a correlation)",
            "critical often Often (was medium) (at most 1 per 1d)",
            "high a Trail stopped (off)",
        ]
    );
}
