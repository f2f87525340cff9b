//! docs/coverage.md: every detection of the list, with rules that are there or the reason why there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// How many detections the list has.
const DETECTIONS: usize = 350;

#[test]
fn every_detection_has_its_rules_or_a_reason() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let text = fs::read_to_string(docs.join("coverage.md")).unwrap();
    let mut lines: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    let mut wrong = BTreeSet::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, number, _, rules, remark, _] = cells[..] else { continue };
        let Ok(number) = number.parse() else { continue };
        lines.entry(number).or_default().push(rules);
        let pages: Vec<&str> = rules.split("](").skip(1).filter_map(|link| Some(link.split_once(')')?.0)).collect();
        if pages.is_empty() && (rules != "—" || remark.is_empty()) {
            wrong.insert(format!("{number}: neither a rule nor a reason"));
        }
        let missing = pages.iter().filter(|page| !docs.join(page).is_file());
        wrong.extend(missing.map(|page| format!("{number}: there is no {page}")));
    }
    wrong.extend(
        (1..=DETECTIONS).filter(|number| !lines.contains_key(number)).map(|number| format!("{number}: missing")),
    );
    wrong.extend(lines.iter().filter(|(_, rows)| rows.len() > 1).map(|(number, _)| format!("{number}: twice")));
    assert!(wrong.is_empty(), "{}", Vec::from_iter(wrong).join("\n"));
}
