//! Changes to rules that a good test notices: a line left out, a filter turned round, a threshold that is one off.

use trailhound::sigma::{Bounds, Collection, Condition, CorrelationCondition, CorrelationRule, Rule, SearchIdentifier};

/// A change, for people, and the rules with it.
pub(super) struct Mutant {
    pub(super) what: String,
    pub(super) rules: Collection,
}

/// Every change to the rules of a file, one at a time. `rules` may hold others, which stay as they are.
pub(super) fn of(file: &str, rules: &Collection) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for own in [false, true] {
        let list = |collection: &Collection| if own { collection.own.clone() } else { collection.rules.clone() };
        for (place, rule) in list(rules).iter().enumerate().filter(|(_, rule)| rule.metadata.file.name == file) {
            for (what, changed) in of_rule(rule) {
                let mut collection = copy(rules);
                let list = if own { &mut collection.own } else { &mut collection.rules };
                list[place] = changed;
                mutants.push(Mutant { what: format!("\"{}\": {what}", rule.metadata.title), rules: collection });
            }
        }
    }
    for (place, rule) in rules.correlations.iter().enumerate().filter(|(_, rule)| rule.metadata.file.name == file) {
        for (what, changed) in of_correlation(rule) {
            let mut collection = copy(rules);
            collection.correlations[place] = changed;
            mutants.push(Mutant { what: format!("\"{}\": {what}", rule.metadata.title), rules: collection });
        }
    }
    mutants
}

fn copy(rules: &Collection) -> Collection {
    Collection {
        rules: rules.rules.clone(),
        own: rules.own.clone(),
        correlations: rules.correlations.clone(),
        filters: rules.filters.clone(),
        own_filters: rules.own_filters.clone(),
        ..Collection::default()
    }
}

fn of_rule(rule: &Rule) -> Vec<(String, Rule)> {
    let mut mutants = Vec::new();
    for (place, (name, identifier)) in rule.detection.identifiers.iter().enumerate() {
        for (what, changed) in without_a_line(identifier) {
            let mut rule = rule.clone();
            rule.detection.identifiers[place].1 = changed;
            mutants.push((format!("`{name}` without {what}"), rule));
        }
    }
    let names: Vec<&str> = rule.detection.identifiers.iter().map(|(name, _)| name.as_str()).collect();
    for (what, condition) in conditions(&rule.detection.condition, &names) {
        let mut rule = rule.clone();
        rule.detection.condition = condition;
        mutants.push((what, rule));
    }
    for place in 0..rule.extension.exceptions.len() {
        let mut rule = rule.clone();
        rule.extension.exceptions.remove(place);
        mutants.push((format!("without exception {}", place + 1), rule));
    }
    for (place, filter) in rule.extension.filters.iter().enumerate() {
        let mut rule = rule.clone();
        rule.extension.filters.remove(place);
        mutants.push((format!("without the filter `{}`", filter.text), rule));
    }
    mutants
}

/// A map without one of its lines, a list without one of its elements.
fn without_a_line(identifier: &SearchIdentifier) -> Vec<(String, SearchIdentifier)> {
    match identifier {
        SearchIdentifier::AllOf(items) if items.len() < 2 => Vec::new(),
        SearchIdentifier::AllOf(items) => (0..items.len())
            .map(|place| {
                let mut left = items.clone();
                let item = left.remove(place);
                let line = if item.label.is_empty() { "a keyword".to_owned() } else { format!("`{}`", item.label) };
                (line, SearchIdentifier::AllOf(left))
            })
            .collect(),
        SearchIdentifier::AnyOf(elements) => {
            let mut mutants = Vec::new();
            for (place, element) in elements.iter().enumerate() {
                if elements.len() > 1 {
                    let mut left = elements.clone();
                    left.remove(place);
                    mutants.push((format!("element {}", place + 1), SearchIdentifier::AnyOf(left)));
                }
                mutants.extend(without_a_line(element).into_iter().map(|(what, changed)| {
                    let mut elements = elements.clone();
                    elements[place] = changed;
                    (format!("{what} of element {}", place + 1), SearchIdentifier::AnyOf(elements))
                }));
            }
            mutants
        }
    }
}

/// A condition without one of its terms, or with a `not` left out.
fn conditions(condition: &Condition, names: &[&str]) -> Vec<(String, Condition)> {
    match condition {
        Condition::Identifier(_) => Vec::new(),
        Condition::Not(term) => {
            let mut mutants = vec![(format!("`{}` without its `not`", text(term, names)), (**term).clone())];
            let inside = conditions(term, names).into_iter();
            mutants.extend(inside.map(|(what, changed)| (what, Condition::Not(Box::new(changed)))));
            mutants
        }
        Condition::And(terms) => of_terms(terms, names, Condition::And),
        Condition::Or(terms) => of_terms(terms, names, Condition::Or),
    }
}

fn of_terms(terms: &[Condition], names: &[&str], joined: fn(Vec<Condition>) -> Condition) -> Vec<(String, Condition)> {
    let mut mutants = Vec::new();
    for (place, term) in terms.iter().enumerate() {
        if terms.len() > 1 {
            let mut left = terms.to_vec();
            left.remove(place);
            mutants.push((format!("without `{}`", text(term, names)), joined(left)));
        }
        mutants.extend(conditions(term, names).into_iter().map(|(what, changed)| {
            let mut terms = terms.to_vec();
            terms[place] = changed;
            (what, joined(terms))
        }));
    }
    mutants
}

fn text(condition: &Condition, names: &[&str]) -> String {
    let all = |terms: &[Condition], word: &str| {
        let texts: Vec<String> = terms.iter().map(|term| text(term, names)).collect();
        format!("({})", texts.join(word))
    };
    match condition {
        Condition::Identifier(place) => names.get(*place).copied().unwrap_or_default().to_owned(),
        Condition::Not(term) => format!("not {}", text(term, names)),
        Condition::And(terms) => all(terms, " and "),
        Condition::Or(terms) => all(terms, " or "),
    }
}

fn of_correlation(rule: &CorrelationRule) -> Vec<(String, CorrelationRule)> {
    let mut mutants = Vec::new();
    let mut with = |what: String, change: &dyn Fn(&mut CorrelationRule)| {
        let mut rule = rule.clone();
        change(&mut rule);
        mutants.push((what, rule));
    };
    match &rule.correlation.condition {
        CorrelationCondition::Bounds(Bounds(bounds)) => {
            for (place, (_, bound)) in bounds.iter().enumerate() {
                for changed in [bound - 1.0, bound + 1.0] {
                    with(format!("{changed} in place of {bound}"), &|rule| {
                        if let CorrelationCondition::Bounds(Bounds(bounds)) = &mut rule.correlation.condition {
                            bounds[place].1 = changed;
                        }
                    });
                }
            }
        }
        CorrelationCondition::Rules(alternatives) => {
            for (which, alternative) in alternatives.iter().enumerate() {
                for (place, part) in alternative.present.iter().enumerate().filter(|_| alternative.present.len() > 1) {
                    let name = rule.correlation.rules.get(*part).map_or("", |named| named.text.as_str());
                    with(format!("without `{name}`"), &|rule| {
                        if let CorrelationCondition::Rules(alternatives) = &mut rule.correlation.condition {
                            alternatives[which].present.remove(place);
                        }
                    });
                }
                for (place, part) in alternative.absent.iter().enumerate() {
                    let name = rule.correlation.rules.get(*part).map_or("", |named| named.text.as_str());
                    with(format!("without `not {name}`"), &|rule| {
                        if let CorrelationCondition::Rules(alternatives) = &mut rule.correlation.condition {
                            alternatives[which].absent.remove(place);
                        }
                    });
                }
            }
        }
    }
    for (place, field) in rule.correlation.group_by.iter().enumerate() {
        with(format!("without `{}` in `group-by`", field.text), &|rule| {
            rule.correlation.group_by.remove(place);
            // The default names the group's fields, and so may a rule.
            rule.extension.alert.dedup = None;
        });
    }
    mutants
}
