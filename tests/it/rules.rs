//! The shipped rules: each against the records beside it, and what all of them have to be.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde::Deserialize;
use serde_json::Value;
use trailhound::engine::Organisation;
use trailhound::local::walk;
use trailhound::rule_pack::{self, Loaded, Pack, RuleSource};
use trailhound::sigma::{self, Collection, CorrelationRule, Extension, Level, Metadata};
use trailhound::yaml::Text;

use crate::support::TODAY;

/// Changes to the rules that the tests have to notice, in percent.
const NOTICED: usize = 90;

fn trailhound(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailhound"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

#[test]
fn every_rule_fires_on_its_records_and_on_no_near_miss_and_its_test_holds_its_lines() {
    let output = trailhound(&["rules", "test", "--quiet", "--require-tests", "--mutate", "rules"]);
    let (out, notes) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{notes}");
    let percent = notes.rsplit_once('(').and_then(|(_, rest)| rest.split_once(" %")).unwrap().0;
    assert!(percent.parse::<usize>().unwrap() >= NOTICED, "{out}{notes}");
}

/// The cases of a `.test.yml`.
#[derive(Deserialize)]
struct Cases {
    fires: BTreeMap<String, Value>,
    near_misses: BTreeMap<String, Value>,
}

#[test]
fn every_test_has_two_records_that_fire_and_two_that_do_not() {
    let few = |path: &Path| {
        let cases: Cases = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        cases.fires.len().min(cases.near_misses.len()) < 2
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let files = walk(&folder).map(|entry| entry.unwrap().path().to_owned());
    let tests: Vec<_> = files.filter(|file| file.to_string_lossy().ends_with(".test.yml")).collect();
    let poor: Vec<_> = tests.iter().filter(|test| few(test)).collect();
    assert!(!tests.is_empty() && poor.is_empty(), "{poor:#?}");
}

/// What is told of a rule or a correlation, and where it belongs.
type Shipped<'c> = (&'c Metadata, &'c Extension);

/// Rules that people are told of.
fn told(all: &Collection) -> Vec<Shipped<'_>> {
    let is_part = |metadata: &Metadata| {
        let reads =
            |rule: &&CorrelationRule| rule.correlation.rules.iter().any(|named| metadata.is_called(&named.text));
        let mut readers = all.correlations.iter().filter(reads).peekable();
        readers.peek().is_some() && !readers.any(|rule| rule.correlation.generate)
    };
    let rules = all.rules.iter().map(|rule| (&rule.metadata, &rule.extension));
    let correlations = all.correlations.iter().map(|rule| (&rule.metadata, &rule.extension));
    rules.chain(correlations).filter(|(metadata, _)| !is_part(metadata)).collect()
}

fn shipped() -> Collection {
    let all = rule_pack::collect(&[RuleSource::Pack(Pack::All)]);
    assert!(all.rejected.is_empty(), "{}", all.rejected[0]);
    all
}

#[test]
fn every_rule_says_what_its_receiver_needs() {
    let all = shipped();
    let own = all.own.iter().map(|rule| (&rule.metadata, &rule.extension));
    let mut wrong = Vec::new();
    let mut ids = HashSet::new();
    let mut names = HashSet::new();
    for (metadata, extension) in told(&all).into_iter().chain(own) {
        let file = metadata.file.name.as_str();
        let mut check = |holds: bool, what: &str| {
            if !holds {
                wrong.push(format!("{file}: {what}"));
            }
        };
        let Metadata { title, id, description, references, falsepositives, tags, .. } = metadata;
        check(ids.insert(id) && id.len() == 36, "its id has to be a UUID of its own");
        check(title.len() <= 60 && title.is_ascii(), "the title has to fit a subject");
        check(description.len() > 100, "say why it matters");
        check(!references.is_empty(), "no reference");
        check(references.iter().all(|address| address.starts_with("https://")), "references are addresses");
        check(!falsepositives.is_empty(), "say when it is harmless");
        check(tags.iter().any(|tag| tag.starts_with("attack.t")), "no technique of ATT&CK");
        let steps = &extension.alert.runbook;
        check((2..=5).contains(&steps.len()) && steps.iter().all(|step| step.len() <= 200), "two to five steps of 200");
        if file.starts_with("rules/trailhound/") {
            continue;
        }
        let stem = file.rsplit('/').next().unwrap().trim_end_matches(".yml");
        check(names.insert(stem), "another file is called so");
        check(metadata.name.as_deref() == Some(stem), "its name has to be that of its file");
        check(extension.alert.title.is_some(), "no title for its alerts");
        let has_dedup = extension.alert.dedup.is_some() || extension.first_seen.is_some();
        let is_correlation = all.correlations.iter().any(|rule| rule.metadata.id == *id);
        check(has_dedup || is_correlation, "no dedup fields");
        check(!extension.packs.is_empty(), "it is in no pack");
        let known = |name: &Text| Pack::named(name).is_some_and(|pack| pack != Pack::All);
        check(extension.packs.iter().all(known), "a pack that there isn't");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ids.len() >= 200, "{} rules", ids.len());
}

/// Only what is worth a look goes into the pack that is on by default.
#[test]
fn the_core_pack_has_no_context() {
    let all = shipped();
    let mild: Vec<&str> = told(&all)
        .into_iter()
        .filter(|(metadata, extension)| extension.packs.contains(&"core".into()) && metadata.level < Level::Medium)
        .map(|(metadata, _)| metadata.file.name.as_str())
        .collect();
    assert!(mild.is_empty(), "{mild:?}");
}

#[test]
fn every_pack_loads_by_itself_and_the_index_finds_each_of_its_rules() {
    let mut rules = BTreeMap::new();
    for (name, pack) in Pack::NAMES {
        let loaded = rule_pack::load(&[RuleSource::Pack(*pack)], &Organisation::default(), TODAY);
        let Loaded { rejected, stray, ageing, .. } = &loaded;
        let problems: Vec<String> = rejected.iter().chain(stray).chain(ageing).map(ToString::to_string).collect();
        assert!(problems.is_empty(), "{name}: {}", problems.join("\n"));
        let without: Vec<&str> = loaded.rules.without_access().map(|rule| rule.file.as_str()).collect();
        assert!(without.is_empty(), "{name}: these would be tried on every record: {without:?}");
        rules.insert(*name, loaded.rules.loaded());
    }
    assert!(rules.values().all(|count| *count > 0), "{rules:?}");
    assert!(rules["all"] >= *rules.values().max().unwrap(), "{rules:?}");
}

#[test]
fn packs_can_be_mixed_and_each_rule_is_loaded_once() {
    let mixed = [Pack::Core, Pack::All, Pack::Compliance].map(RuleSource::Pack);
    let all = rule_pack::load(&[RuleSource::Pack(Pack::All)], &Organisation::default(), TODAY).rules.loaded();
    assert_eq!(rule_pack::load(&mixed, &Organisation::default(), TODAY).rules.loaded(), all);
}

/// What the build has parsed is what stands in the files.
#[test]
fn rules_that_are_built_in_are_those_of_their_files() {
    let built_in = shipped();
    let from_folder = rule_pack::collect(&[RuleSource::Path("rules".into())]);
    let text = |collection: &Collection| {
        let mut documents: Vec<String> = collection.rules.iter().map(|rule| format!("{rule:?}")).collect();
        documents.extend(collection.correlations.iter().map(|rule| format!("{rule:?}")));
        documents.extend(collection.filters.iter().map(|filter| format!("{filter:?}")));
        documents.extend(collection.own.iter().map(|rule| format!("{rule:?}")));
        documents.sort();
        documents
    };
    assert_eq!(text(&built_in), text(&from_folder));
    let file = &built_in.rules[0].metadata.file;
    let (parsed, bytes) = (sigma::parse(file), sigma::parse(file).to_bytes().unwrap().leak());
    assert_eq!(text(&Collection::from_bytes(bytes, file).unwrap()), text(&parsed));
    assert!(Collection::from_bytes(&bytes[..bytes.len() / 2], file).is_none());
}

#[test]
fn the_catalogue_is_up_to_date() {
    let output = trailhound(&["rules", "doc", "--check"]);
    let notes = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "run `make rules-doc`:\n{notes}");
}
