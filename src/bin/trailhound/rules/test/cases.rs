//! The cases of one rule file, held against its rules.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use trailhound::alerting::Correlator;
use trailhound::engine::{Organisation, RuleSet};
use trailhound::local::SystemClock;
use trailhound::pipeline::Screen;
use trailhound::ports::{BoxError, Clock as _};
use trailhound::rule_pack::Loaded;
use trailhound::sigma::{Collection, Filter, FilteredRules, Metadata};
use trailhound::trail::{Item, Record};
use trailhound::yaml::SourceFile;

use crate::rules::RuleTest;

/// The rules of a file, those that they need, and their cases.
pub(super) struct RuleFile {
    pub(super) name: String,
    pub(super) collection: Collection,
    organisation: Organisation,
    cases: Vec<Case>,
}

/// Records, and whether the rules of the file have to find them.
struct Case {
    name: String,
    fires: bool,
    records: Vec<String>,
}

impl RuleFile {
    /// `None` when there is no test beside the file.
    pub(super) fn of(name: &str, all: &Collection) -> Result<Option<Self>, BoxError> {
        let Some(test) = RuleTest::of(Path::new(name))? else { return Ok(None) };
        // JSON is YAML.
        let config = test.config.as_ref().map(Value::to_string).unwrap_or_default();
        let mut organisation = Organisation::parse(&SourceFile::new(format!("`config` of {name}"), config))
            .map_err(|error| error.to_string())?;
        let enrichment = test.enrichment()?;
        if !enrichment.is_empty() {
            organisation.knowledge = organisation.knowledge.enriched(enrichment);
        }
        let mut cases = Vec::new();
        for (of, fires) in [(&test.fires, true), (&test.near_misses, false)] {
            for (case, changes) in of {
                let records = test.records(changes).map_err(|error| format!("\"{case}\": {error}"))?;
                let records = records.iter().map(Value::to_string).collect();
                cases.push(Case { name: case.clone(), fires, records });
            }
        }
        Ok(Some(Self { name: name.to_owned(), collection: needed(name, all), organisation, cases }))
    }

    pub(super) fn cases(&self) -> usize {
        self.cases.len()
    }

    /// How many cases the rules of the file have to find, and how many they must not.
    pub(super) fn of_each_kind(&self) -> (usize, usize) {
        let fires = self.cases.iter().filter(|case| case.fires).count();
        (fires, self.cases.len() - fires)
    }

    /// What is wrong with the file's rules as they are.
    pub(super) fn problems(&self) -> Result<Vec<String>, BoxError> {
        let rules = self.compiled(&self.collection).map_err(BoxError::from)?;
        let wrong = self.cases.iter().filter(|case| self.finds(&rules, case) != case.fires);
        Ok(wrong
            .map(|case| {
                if case.fires {
                    format!("\"{}\" should fire, and doesn't", case.name)
                } else {
                    format!("\"{}\" should not fire, and does", case.name)
                }
            })
            .collect())
    }

    /// Whether some case comes out otherwise with these rules in place of the file's own.
    pub(super) fn notices(&self, changed: &Collection) -> bool {
        // A rule that doesn't load is noticed by whoever loads it.
        self.compiled(changed).is_ok_and(|rules| self.cases.iter().any(|case| self.finds(&rules, case) != case.fires))
    }

    /// Whether rules load that were changed.
    pub(super) fn loads(&self, changed: &Collection) -> bool {
        self.compiled(changed).is_ok()
    }

    fn compiled(&self, collection: &Collection) -> Result<Loaded, String> {
        let loaded = Loaded::compile(collection, &self.organisation, SystemClock.today());
        match loaded.rejected.iter().chain(&loaded.stray).next() {
            Some(problem) => Err(problem.to_string()),
            None => Ok(loaded),
        }
    }

    /// Whether a rule of the file that is told by itself finds something in the records of the case.
    fn finds(&self, loaded: &Loaded, case: &Case) -> bool {
        [&loaded.rules, &loaded.own].into_iter().any(|rules| self.finds_with(rules, case))
    }

    fn finds_with(&self, rules: &RuleSet, case: &Case) -> bool {
        let now = Timestamp::now();
        let mut screen = Screen::new(rules, "test".into(), now);
        let mut findings = Vec::new();
        for (index, text) in (0..).zip(&case.records) {
            match Record::parse(index, text.as_bytes()) {
                Ok(record) => screen.item(Item::Record(record), &mut |told| findings.push(told.finding())),
                Err(bad) => screen.item(Item::Bad(bad), &mut |_| {}),
            }
        }
        let screened = screen.finish();
        let correlated = Correlator::alone(rules, screened.contributions).findings;
        let mut all = findings.iter().chain(&screened.sightings).chain(correlated.iter().map(|found| &found.finding));
        // What only makes an entity known is nobody told.
        all.any(|finding| *finding.rule.file == self.name && finding.first_seen().is_none_or(|seen| !seen.is_known))
    }
}

/// The documents of a file, and what its correlations read; filters are for whom they are for.
fn needed(name: &str, all: &Collection) -> Collection {
    let metadata = || {
        let rules = all.rules.iter().chain(&all.own).map(|rule| &rule.metadata);
        rules.chain(all.correlations.iter().map(|rule| &rule.metadata))
    };
    let of_file = metadata().filter(|metadata| metadata.file.name == name);
    let mut wanted: Vec<&str> = of_file.map(|metadata| metadata.id.as_str()).collect();
    let mut next = 0;
    while let Some(id) = wanted.get(next).copied() {
        next += 1;
        let readers = all.correlations.iter().filter(|rule| rule.metadata.id == id);
        for named in readers.flat_map(|rule| &rule.correlation.rules) {
            let read = metadata().filter(|metadata| metadata.is_called(&named.text));
            wanted.extend(
                read.map(|metadata| metadata.id.as_str()).filter(|id| !wanted.contains(id)).collect::<Vec<_>>(),
            );
        }
    }
    let is_wanted = |metadata: &Metadata| wanted.contains(&metadata.id.as_str());
    let is_for_them = |filter: &&Filter| match &filter.rules {
        FilteredRules::These(rules) => {
            rules.iter().all(|named| metadata().any(|found| is_wanted(found) && found.is_called(&named.text)))
        }
        FilteredRules::Any | FilteredRules::Named => true,
    };
    Collection {
        rules: all.rules.iter().filter(|rule| is_wanted(&rule.metadata)).cloned().collect(),
        own: all.own.iter().filter(|rule| is_wanted(&rule.metadata)).cloned().collect(),
        correlations: all.correlations.iter().filter(|rule| is_wanted(&rule.metadata)).cloned().collect(),
        filters: all.filters.iter().filter(is_for_them).cloned().collect(),
        own_filters: all.own_filters.iter().filter(is_for_them).cloned().collect(),
        ..Collection::default()
    }
}
