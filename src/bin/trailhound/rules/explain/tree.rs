//! An explanation as an indented tree. What a record says is hostile: it is cleaned and cut.

use std::io::{self, Write};

use trailhound::engine::{Asked, Match, RuleInfo, RuleSet, Shown, Sighted, Step};
use trailhound::notify;
use trailhound::sigma::Mode;
use trailhound::trail::Record;

const MAX_TEXT: usize = 160;
const MAX_VALUE: usize = 80;
const MAX_VALUES: usize = 5;

/// Prints what a rule made of a record, and returns whether it matched.
pub(super) fn print(out: &mut impl Write, set: &RuleSet, rule: &RuleInfo, record: &Record<'_>) -> io::Result<bool> {
    let Some(explanation) = set.explain(&rule.id, record) else { return Ok(false) };
    let verdict = if explanation.matched { "MATCH" } else { "NO MATCH" };
    writeln!(out, "{verdict}  {} ({})", clean(&rule.title), clean(&rule.id))?;
    writeln!(out, "record {}: {}", record.index(), described(record))?;
    for step in &explanation.steps {
        write_step(out, step, 1)?;
    }
    let matches = set.matches(record);
    if let Some(matched) = matches.iter().find(|matched| matched.info().id == rule.id) {
        notes(matched).iter().try_for_each(|note| writeln!(out, "  note: {note}"))?;
    }
    if let Some(bad) = record.broken() {
        writeln!(out, "  note: {bad}")?;
    }
    writeln!(out)?;
    Ok(explanation.matched)
}

fn described(record: &Record<'_>) -> String {
    let facts = ["eventTime", "eventSource", "eventName", "eventID"].into_iter().filter_map(|name| record.text(name));
    facts.map(|fact| notify::line(&fact, MAX_VALUE)).collect::<Vec<_>>().join(" ")
}

/// What stands between a match and an alert.
fn notes(matched: &Match<'_, '_>) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(matched.sighted().map(|(_, shown)| about_memory(&shown)));
    if !matched.is_told() {
        notes.push("not told by itself: a correlation reads it".to_owned());
    }
    if matched.info().mode == Mode::DryRun {
        notes.push("counted and not told: its mode is dry-run".to_owned());
    }
    notes
}

fn about_memory(shown: &Shown) -> String {
    match shown.sighted.first() {
        Some(Sighted { entity, value }) => {
            let (value, entity) = (clean(&value.join(" + ")), clean(&entity.join(" + ")));
            format!("told only if {value} is new for {entity}; memory is not asked here")
        }
        None if shown.excluded > 0 => {
            "it never counts, by `ignore` of `first_seen`, so nothing is learned and nothing told".to_owned()
        }
        None => "a field of `first_seen` is absent, so nothing is learned and nothing told".to_owned(),
    }
}

fn write_step(out: &mut impl Write, step: &Step, depth: usize) -> io::Result<()> {
    let mark = if step.holds { '✓' } else { '✗' };
    let asked = match &step.asked {
        Asked::All => "all of".to_owned(),
        Asked::Any => "any of".to_owned(),
        Asked::Not => "not".to_owned(),
        Asked::Identifier(name) | Asked::Item(name) => clean(name),
    };
    writeln!(out, "{:indent$}{mark} {asked}{}", "", saw(step), indent = depth * 2)?;
    parts(step).iter().try_for_each(|part| write_step(out, part, depth + 1))
}

/// A map is read as "all of" by everybody: its items stand right below the search identifier.
fn parts(step: &Step) -> &[Step] {
    match (&step.asked, step.steps.as_slice()) {
        (Asked::Identifier(_), [Step { asked: Asked::All, steps, .. }]) => steps,
        (_, steps) => steps,
    }
}

/// The values of an item's field. A keyword has no field, and where the field is absent there is none.
fn saw(step: &Step) -> String {
    if step.saw.is_empty() {
        let absent = matches!(step.asked, Asked::Item(_)) && !step.holds;
        return if absent { "  (saw nothing)".to_owned() } else { String::new() };
    }
    let value =
        |value: &Option<String>| value.as_deref().map_or("null".to_owned(), |text| notify::line(text, MAX_VALUE));
    let shown: Vec<String> = step.saw.iter().take(MAX_VALUES).map(value).collect();
    let more = step.saw.len().saturating_sub(MAX_VALUES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("  (saw {}{more})", shown.join(", "))
}

fn clean(text: &str) -> String {
    notify::line(text, MAX_TEXT)
}
