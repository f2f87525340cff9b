//! Which filters are for which rules, and for how long.

use std::sync::Arc;

use jiff::civil::Date;

use crate::sigma::{Collection, Filter, FilteredRules, Rule};
use crate::yaml::{Code, Diagnostic, Text, suggest};

use super::Organisation;
use super::compile::{self, Common};
use super::expr::JoinedFilter;

/// How many days before a filter expires people hear of it.
const SOON: i32 = 14;

/// The filters that hold.
pub(super) struct Filters<'f> {
    all: &'f [Filter],
    holding: Vec<(&'f Filter, Arc<JoinedFilter>)>,
    expired: usize,
}

impl<'f> Filters<'f> {
    /// Leaves out filters with a mistake in them: it may bring alerts too many, but must not reject the rules that they are for. And
    /// those that have expired: what nobody has renewed must not silence rules for ever.
    pub(super) fn new(
        filters: &'f [Filter],
        organisation: &Organisation,
        common: &Common,
        today: Date,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut holding = Self { all: filters, holding: Vec::new(), expired: 0 };
        for filter in filters {
            let (joined, lacking) = match compile::filter(filter, organisation, common) {
                Ok(compiled) => compiled,
                Err(error) => {
                    problems.push(error);
                    continue;
                }
            };
            problems.extend(ageing(filter, today));
            if filter.upkeep.expires.as_ref().is_some_and(|(last, _)| *last < today) {
                holding.expired += 1;
            } else {
                problems.extend(lacking);
                holding.holding.push((filter, joined));
            }
        }
        holding
    }

    pub(super) fn of(&self, rule: &Rule) -> Vec<Arc<JoinedFilter>> {
        let is_for = |filter: &Filter| match &filter.rules {
            FilteredRules::Any => true,
            FilteredRules::Named => rule.extension.filters.iter().any(|named| is_named(filter, &named.text)),
            FilteredRules::These(rules) => rules.iter().any(|named| rule.metadata.is_called(&named.text)),
        };
        let these = self.holding.iter().filter(|(filter, _)| is_for(filter));
        these.map(|(_, joined)| Arc::clone(joined)).collect()
    }

    /// Rules that a filter names and that are not there.
    pub(super) fn stray(&self, collection: &Collection) -> Vec<Diagnostic> {
        let known = |named: &str| collection.rules.iter().any(|rule| rule.metadata.is_called(named));
        let stray = |filter: &&'f Filter| match &filter.rules {
            FilteredRules::Any | FilteredRules::Named => Vec::new(),
            FilteredRules::These(named) => named
                .iter()
                .filter(|named| !known(&named.text))
                .map(|named| {
                    let (message, advice) = why_not(collection, &named.text);
                    Diagnostic::new(Code::UnknownRule, &filter.metadata.file, named.span.clone(), message)
                        .advise(advice)
                })
                .collect(),
        };
        self.holding.iter().map(|(filter, _)| filter).flat_map(stray).collect()
    }

    /// Filters that a rule asks for and that are not there. The rule stands without them. One that has expired, or has a mistake in it, is
    /// said to by itself.
    pub(super) fn missing(&self, rule: &Rule) -> Vec<Diagnostic> {
        let names = || self.all.iter().filter(|filter| filter.rules == FilteredRules::Named);
        let missing =
            rule.extension.filters.iter().filter(|asked| !names().any(|filter| is_named(filter, &asked.text)));
        missing
            .map(|asked| {
                let advice = suggest(&asked.text, names().filter_map(|filter| filter.metadata.name.as_deref()));
                let message = format!("no filter with `rules: named` has the name `{}`", asked.text);
                let file = &rule.metadata.file;
                Diagnostic::new(Code::UnknownFilter, file, asked.span.clone(), message)
                    .advise(advice.unwrap_or_else(|| "write one, or leave the name out".to_owned()))
            })
            .collect()
    }

    /// Those that are for some rule, or that name one.
    pub(super) fn count(&self, rules: &[Rule]) -> usize {
        let is_asked_for = |filter: &Filter| {
            rules.iter().flat_map(|rule| &rule.extension.filters).any(|asked| is_named(filter, &asked.text))
        };
        self.holding.iter().filter(|(filter, _)| filter.rules != FilteredRules::Named || is_asked_for(filter)).count()
    }

    pub(super) fn expired(&self) -> usize {
        self.expired
    }
}

fn is_named(filter: &Filter, name: &str) -> bool {
    filter.metadata.name.as_deref() == Some(name)
}

/// Says that a filter has expired, or soon will.
fn ageing(filter: &Filter, today: Date) -> Option<Diagnostic> {
    let upkeep = &filter.upkeep;
    let (last, span) = upkeep.expires.as_ref()?;
    let left = today.until(*last).map_or(0, |left| left.get_days());
    let about: Vec<&str> = [&upkeep.owner, &upkeep.reason].into_iter().flatten().map(Text::as_str).collect();
    let about = if about.is_empty() { String::new() } else { format!(" ({})", about.join(": ")) };
    let title = &filter.metadata.title;
    let (code, message) = if *last < today {
        let message = format!("the filter \"{title}\"{about} has expired: what it excepted alerts again");
        (Code::FilterExpired, message)
    } else if left <= SOON {
        let days = match left {
            0 => "today is its last day".to_owned(),
            1 => "tomorrow is its last day".to_owned(),
            left => format!("{left} days are left"),
        };
        (Code::FilterExpires, format!("the filter \"{title}\"{about} expires: {days}"))
    } else {
        return None;
    };
    let warning = Diagnostic::warning(code, &filter.metadata.file, span.clone(), message);
    Some(warning.advise("write a later day if it is still needed, or delete the filter"))
}

/// Why a filter can't be for what it names, and what to try.
fn why_not(collection: &Collection, named: &str) -> (String, String) {
    if collection.correlations.iter().any(|rule| rule.metadata.is_called(named)) {
        let message = format!("`{named}` is a correlation, which looks at no event itself");
        return (message, "filter the rules that it names".to_owned());
    }
    if let Some((found, why)) = collection.aside.iter().find(|(metadata, _)| metadata.is_called(named)) {
        return (format!("the rule `{named}` is not loaded"), format!("\"{}\" is {why}", found.title));
    }
    let known = collection.rules.iter().filter_map(|rule| rule.metadata.name.as_deref());
    let advice =
        suggest(named, known).unwrap_or_else(|| "`trailhound rules` lists the rules that are loaded".to_owned());
    (format!("no rule has the id or name `{named}`"), advice)
}
