//! Correlations with every rule and field resolved, and what a match means to them.
//!
//! When the matches of a rule belong together is not judged here: that takes memory.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::sigma::{Collection, Correlation, CorrelationRule, FieldName, Metadata, Mode, RuleRef};
use crate::trail::Record;
use crate::yaml::{Code, Diagnostic, suggest};

use super::called::Called;
use super::compile::{self, Common, Compiler};
use super::context::{Context, Room};
use super::field::Field;
use super::matching::combinations;
use super::rule_set::{CompiledRule, RuleInfo};
use super::title::Title;
use super::value_test::numeric;
use super::{Knowledge, Organisation};

/// The place of a correlation in its set. One that reads another comes behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CorrelationIndex(pub usize);

/// A correlation whose rules are there.
#[derive(Debug)]
pub struct CompiledCorrelation {
    /// What people are told about it.
    pub info: Arc<RuleInfo>,
    /// What it asks for.
    pub correlation: Correlation,
    /// Whether it is told by itself, and not only as a part of others.
    pub told: bool,
    /// Whether it asks for data that isn't loaded, and may never hold for want of it.
    pub(super) lacks_data: bool,
    /// Which of the rules that it names are correlations.
    pub(super) parts: Vec<Part>,
    pub(super) title: Option<Title>,
    /// Places in the group of the values that make findings one alert; `None`: all of them.
    pub(super) dedup: Option<Vec<usize>>,
}

/// A rule that a correlation names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A rule, by its place in the set.
    Rule(usize),
    /// Another correlation.
    Correlation(CorrelationIndex),
}

/// What a match of a rule means to a correlation.
#[derive(Debug)]
pub(super) struct Feed {
    correlation: CorrelationIndex,
    /// The place of the rule, or of the correlation in between, in the rules of that correlation.
    place: usize,
    direct: bool,
    group: Vec<Field>,
    values: Vec<Field>,
}

/// What a match shows a correlation.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The correlation.
    pub correlation: CorrelationIndex,
    /// The place of the rule in the correlation's rules.
    pub place: usize,
    /// Whether the rule itself is one of them, and not only part of a correlation that is.
    pub direct: bool,
    /// The values that name the group; `None` when the record lacks one.
    pub group: Option<Vec<String>>,
    /// The values that count.
    pub values: Vec<String>,
    /// The number that counts.
    pub number: Option<f64>,
}

/// The correlations of a set, and which rules feed them.
#[derive(Debug, Default)]
pub(super) struct Correlations {
    pub(super) all: Vec<CompiledCorrelation>,
    /// By rule.
    pub(super) feeds: Vec<Vec<Feed>>,
    pub(super) off: Vec<Metadata>,
}

impl Correlations {
    /// Compiles correlations over rules that are compiled. `rejected` gets those that can't be; `collection` tells why a rule
    /// that one of them names isn't there.
    pub(super) fn compile(
        correlations: Vec<&CorrelationRule>,
        collection: &Collection,
        rules: &[CompiledRule],
        organisation: &Organisation,
        common: &Common,
        rejected: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut set = Self { feeds: rules.iter().map(|_| Vec::new()).collect(), ..Self::default() };
        let mut waiting: Vec<&CorrelationRule> = Vec::new();
        for rule in correlations {
            let change = organisation.overrides.get(&*rule.metadata.id);
            if change.is_some_and(|change| change.off) {
                set.off.push(rule.metadata.clone());
                continue;
            }
            waiting.push(rule);
            // Reported and left out: a mistake of the organisation must not switch its rule off.
            rejected.extend(change.filter(|change| !change.exceptions.is_empty()).map(|change| {
                let message = "a correlation looks at no event itself, so it takes no exceptions";
                Diagnostic::new(Code::Correlation, &change.file, change.span.clone(), message)
                    .advise("except the events from the rules that it names")
            }));
        }
        let infos = rules.iter().map(|rule| &rule.info).enumerate();
        let places = Called::new(infos.map(|(place, info)| (info.id.as_str(), info.name.as_deref(), place)));
        let written = collection.rules.iter().map(|rule| &rule.metadata);
        let listed = written.chain(collection.correlations.iter().map(|rule| &rule.metadata));
        let listed = Called::new(listed.map(|metadata| (metadata.id.as_str(), metadata.name.as_deref(), metadata)));
        // Each round takes those whose rules are all there, so that what is read comes first.
        loop {
            let before = waiting.len();
            waiting.retain(|rule| match set.parts(rule, &places) {
                Ok(parts) => {
                    let added =
                        check(rule, &parts, &listed).and_then(|()| set.add(rule, parts, rules, organisation, common));
                    match added {
                        Ok(lacking) => rejected.extend(lacking),
                        Err(error) => rejected.push(error),
                    }
                    false
                }
                Err(_) => true,
            });
            if waiting.len() == before {
                break;
            }
        }
        for rule in &waiting {
            if let Err(missing) = set.parts(rule, &places) {
                rejected.push(unresolved(rule, missing, collection, &listed));
            }
        }
        set
    }

    fn parts<'c>(&self, rule: &'c CorrelationRule, rules: &Called<'_, usize>) -> Result<Vec<Part>, &'c RuleRef> {
        let part = |named: &'c RuleRef| {
            let called = |info: &RuleInfo| info.is_referred_to(&named.text);
            let correlation = || self.all.iter().position(|rule| called(&rule.info));
            let rule = rules.get(&named.text).min().map(Part::Rule);
            rule.or_else(|| correlation().map(|index| Part::Correlation(CorrelationIndex(index)))).ok_or(named)
        };
        rule.correlation.rules.iter().map(part).collect()
    }

    fn add(
        &mut self,
        rule: &CorrelationRule,
        parts: Vec<Part>,
        rules: &[CompiledRule],
        organisation: &Organisation,
        common: &Common,
    ) -> Result<Option<Diagnostic>, Diagnostic> {
        let CorrelationRule { metadata, correlation, extension } = rule;
        let index = CorrelationIndex(self.all.len());
        let compiler = Compiler::new(metadata, organisation, common);
        let mut feeds = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            let info = match part {
                Part::Rule(rule) => Arc::clone(&rules[*rule].info),
                Part::Correlation(index) => Arc::clone(&self.all[index.0].info),
            };
            for (rule, direct) in self.fed_by(*part, rules.len()) {
                if rules[rule].first_seen.is_some() {
                    let named = &correlation.rules[place];
                    let message = format!("`{}` is a first-seen rule, which can't be correlated", named.text);
                    return Err(Diagnostic::new(Code::Correlation, &metadata.file, named.span.clone(), message)
                        .advise("write a rule with the same detection and without `first_seen`"));
                }
                let fields = |names: &[FieldName]| {
                    names
                        .iter()
                        .map(|name| compiler.field(for_rule(correlation, name, &info)))
                        .collect::<Result<Vec<_>, _>>()
                };
                let (group, values) = (fields(&correlation.group_by)?, fields(&correlation.fields)?);
                feeds.push((rule, Feed { correlation: index, place, direct, group, values }));
            }
        }
        self.all.push(CompiledCorrelation {
            info: Arc::new(compile::info(metadata, extension, &compiler)?),
            correlation: correlation.clone(),
            told: true,
            lacks_data: compiler.lacks_data(),
            title: extension.alert.title.as_ref().map(|title| compiler.title(title)).transpose()?,
            dedup: extension.alert.dedup.as_ref().map(|fields| dedup(rule, fields)).transpose()?,
            parts,
        });
        feeds.into_iter().for_each(|(rule, feed)| self.feeds[rule].push(feed));
        Ok(compiler.lacking())
    }

    /// The rules whose matches reach a part, and whether without a correlation in between.
    fn fed_by(&self, part: Part, rules: usize) -> Vec<(usize, bool)> {
        match part {
            Part::Rule(rule) => vec![(rule, true)],
            Part::Correlation(index) => (0..rules)
                .filter(|&rule| self.feeds[rule].iter().any(|feed| feed.correlation == index))
                .map(|rule| (rule, false))
                .collect(),
        }
    }

    /// What is part of a correlation is not told by itself, unless one of them says `generate`.
    pub(super) fn quiet(&mut self, rules: &mut [CompiledRule]) {
        let mut generated: HashMap<(bool, usize), bool> = HashMap::new();
        for correlation in &self.all {
            // Trying a correlation out must not switch its rules off.
            let told = correlation.correlation.generate || correlation.info.mode == Mode::DryRun;
            for part in &correlation.parts {
                let key = match part {
                    Part::Rule(rule) => (false, *rule),
                    Part::Correlation(index) => (true, index.0),
                };
                *generated.entry(key).or_default() |= told;
            }
        }
        for ((is_correlation, index), told) in generated {
            // OK because parts were resolved to places in these lists.
            if is_correlation {
                self.all[index].told = told;
            } else {
                rules[index].told = told;
            }
        }
    }
}

impl Feed {
    pub(super) fn observe(&self, context: &Context<'_, '_>) -> Observed {
        let texts = |fields: &[Field]| fields.iter().map(|field| field.texts(context)).collect::<Vec<_>>();
        let group = texts(&self.group);
        let group =
            group.iter().all(|texts| !texts.is_empty()).then(|| group.iter().map(|texts| texts.join(",")).collect());
        let values = if self.values.is_empty() {
            Vec::new()
        } else {
            let rows = combinations(texts(&self.values).into_iter());
            rows.iter().map(|row| row.join("\u{1f}")).collect()
        };
        let number = self.values.first().and_then(|field| number(field, context));
        Observed { correlation: self.correlation, place: self.place, direct: self.direct, group, values, number }
    }
}

impl CompiledCorrelation {
    /// The rules that it names, in their order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The correlations among them.
    pub fn inner(&self) -> impl Iterator<Item = CorrelationIndex> {
        self.parts.iter().filter_map(|part| match part {
            Part::Correlation(index) => Some(*index),
            Part::Rule(_) => None,
        })
    }

    /// The title of an alert about an episode, with what this record of it says.
    #[must_use]
    pub fn title(&self, record: &Record<'_>, knowledge: &Knowledge) -> String {
        match &self.title {
            None => self.info.title.clone(),
            Some(title) => title.of(&Context::new(record, knowledge, &mut Room::default())),
        }
    }

    /// The values that make episodes of the rule one alert.
    #[must_use]
    pub fn dedup_values(&self, group: &[String]) -> Vec<String> {
        match &self.dedup {
            None => group.to_vec(),
            // OK because a group has a value for each of the fields that it is named by.
            Some(places) => places.iter().map(|&place| group[place].clone()).collect(),
        }
    }
}

/// Which values of the group make findings one alert. Other fields differ from event to event: one episode would be told under
/// several keys.
fn dedup(rule: &CorrelationRule, fields: &[FieldName]) -> Result<Vec<usize>, Diagnostic> {
    let group = &rule.correlation.group_by;
    let place = |field: &FieldName| {
        group.iter().position(|name| name.text == field.text).ok_or_else(|| {
            let message = format!("`{}` is not among `group-by`", field.text);
            Diagnostic::new(Code::Correlation, &rule.metadata.file, field.span.clone(), message)
                .advise("the alerts of a correlation go by its group: name fields of `group-by`, or leave `dedup` out")
        })
    };
    fields.iter().map(place).collect()
}

fn number(field: &Field, context: &Context<'_, '_>) -> Option<f64> {
    let mut buffer = String::new();
    let found = field.visit(context, &mut |value| {
        let number = value.text(&mut buffer).and_then(|text| numeric(value, text));
        number.map_or(ControlFlow::Continue(()), ControlFlow::Break)
    });
    found.break_value()
}

/// The field that an alias stands for in the events of a rule.
fn for_rule<'c>(correlation: &'c Correlation, name: &'c FieldName, rule: &RuleInfo) -> &'c FieldName {
    let alias = correlation.aliases.iter().find(|alias| alias.name.text == name.text);
    let field = alias.and_then(|alias| alias.fields.iter().find(|(named, _)| rule.is_referred_to(&named.text)));
    field.map_or(name, |(_, field)| field)
}

/// What the rules that a correlation names have to be: each another one, called by what no other is called, and those of its
/// aliases among them.
fn check(rule: &CorrelationRule, parts: &[Part], all: &Called<'_, &Metadata>) -> Result<(), Diagnostic> {
    let CorrelationRule { metadata, correlation, .. } = rule;
    let error = |named: &RuleRef, message: String| {
        Diagnostic::new(Code::Correlation, &metadata.file, named.span.clone(), message)
    };
    for (place, (part, named)) in parts.iter().zip(&correlation.rules).enumerate() {
        if parts[..place].contains(part) {
            return Err(error(named, format!("`{}` is a rule that is named already", named.text))
                .advise("name each rule once, by its id or its name"));
        }
        if all.get(&named.text).count() > 1 {
            return Err(error(named, format!("more than one rule is called `{}`", named.text))
                .advise("name the one that is meant by its id, or rename the other"));
        }
    }
    let listed: Vec<&Metadata> = correlation.rules.iter().filter_map(|named| all.get(&named.text).next()).collect();
    let known = |named: &&RuleRef| !listed.iter().any(|metadata| metadata.is_called(&named.text));
    match correlation.aliases.iter().flat_map(|alias| &alias.fields).map(|(named, _)| named).find(known) {
        None => Ok(()),
        Some(stray) => {
            let names = correlation.rules.iter().map(|named| named.text.as_str());
            Err(error(stray, format!("`{}` is not among `rules`", stray.text)).advise(
                suggest(&stray.text, names).unwrap_or_else(|| "an alias names rules of the correlation".to_owned()),
            ))
        }
    }
}

fn unresolved(
    rule: &CorrelationRule,
    missing: &RuleRef,
    collection: &Collection,
    all: &Called<'_, &Metadata>,
) -> Diagnostic {
    let known = all.get(&missing.text).next();
    let aside = collection.aside.iter().find(|(metadata, _)| metadata.is_called(&missing.text));
    let titled = collection.rules.iter().any(|rule| rule.metadata.title == missing.text);
    let names = || {
        collection
            .rules
            .iter()
            .map(|rule| &rule.metadata)
            .flat_map(|metadata| metadata.name.as_deref().into_iter().chain(std::iter::once(metadata.id.as_str())))
    };
    let (message, advice) = match (known, aside) {
        (Some(found), _) => (
            format!("the rule `{}` is not loaded", missing.text),
            format!("\"{}\" was rejected, is switched off, or refers back to this one", found.title),
        ),
        (None, Some((found, why))) => {
            (format!("the rule `{}` is not loaded", missing.text), format!("\"{}\" is {why}", found.title))
        }
        (None, None) if titled => {
            (format!("`{}` is the title of a rule", missing.text), "call the rule by its id or its name".to_owned())
        }
        (None, None) => (
            format!("no rule has the id or name `{}`", missing.text),
            suggest(&missing.text, names())
                .unwrap_or_else(|| "give the rule a `name`, and load it together with this correlation".to_owned()),
        ),
    };
    Diagnostic::new(Code::Correlation, &rule.metadata.file, missing.span.clone(), message).advise(advice)
}
