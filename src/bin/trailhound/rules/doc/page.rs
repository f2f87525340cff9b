//! The page of one rule.

use std::fmt::{self, Write as _};

use trailhound::yaml::Text;

use super::entry::{Entry, Kind};
use super::selectors;

/// Markdown, in `docs/rules/<service>/`.
pub(super) fn page(entry: &Entry<'_>) -> String {
    let mut page = String::new();
    // Writing to a string doesn't fail.
    let _ = write(&mut page, entry);
    page
}

fn write(page: &mut String, entry: &Entry<'_>) -> fmt::Result {
    let metadata = entry.metadata;
    writeln!(page, "# {}\n", metadata.title)?;
    writeln!(page, "{}\n", metadata.description.trim())?;
    facts(page, entry)?;
    what_it_matches(page, entry)?;
    section(page, "When it is harmless")?;
    list(page, "-", &metadata.falsepositives)?;
    section(page, "What to do first")?;
    list(page, "1.", &entry.extension.alert.runbook)?;
    let commands = entry.commands();
    if !commands.is_empty() {
        writeln!(page, "```\n{}\n```\n", commands.join("\n"))?;
    }
    section(page, "Read more")?;
    metadata.references.iter().try_for_each(|address| writeln!(page, "- <{address}>"))?;
    // One line break ends the page.
    page.truncate(page.trim_end().len());
    page.push('\n');
    Ok(())
}

/// The table.
fn facts(page: &mut String, entry: &Entry<'_>) -> fmt::Result {
    writeln!(page, "| | |\n|---|---|")?;
    writeln!(page, "| level | [{}](../../levels.md) |", entry.level().as_str())?;
    writeln!(page, "| pack | [{}](../../packs.md) |", entry.packs())?;
    writeln!(page, "| looks at | {} |", entry.kind.word())?;
    if let Some(title) = entry.alert_title() {
        writeln!(page, "| alert | {} |", escaped(&title))?;
    }
    let attack: Vec<String> = entry.tactics().iter().map(|tactic| tactic.name.to_owned()).collect();
    let techniques = entry.techniques();
    let techniques = techniques.iter().map(|technique| {
        let id = technique.id.to_uppercase();
        format!("[{id}](https://attack.mitre.org/techniques/{}/) {}", id.replace('.', "/"), technique.name)
    });
    writeln!(page, "| ATT&CK | {} |", attack.into_iter().chain(techniques).collect::<Vec<_>>().join(", "))?;
    let data = selectors::of(entry);
    if !data.is_empty() {
        writeln!(page, "| needs [data events](../README.md#what-the-trail-has-to-log) of | {} |", data.join(", "))?;
    }
    writeln!(page, "| id | `{}` |", entry.metadata.id)?;
    writeln!(page, "| file | [rules/{place}.yml](../../../rules/{place}.yml) |\n", place = entry.place)
}

/// The rule, and what isn't written in it.
fn what_it_matches(page: &mut String, entry: &Entry<'_>) -> fmt::Result {
    section(page, "What it matches")?;
    writeln!(page, "```yaml\n{}```\n", entry.source())?;
    if let Kind::FirstSeen = entry.kind
        && let Some(plan) = &entry.extension.first_seen
    {
        let names = |fields: &[trailhound::sigma::FieldName]| {
            fields.iter().map(|field| format!("`{}`", field.text)).collect::<Vec<_>>().join(" and ")
        };
        writeln!(
            page,
            "Of these it tells only what {} has not shown for {}: {}{}.\n",
            names(&plan.entity),
            days(plan.history),
            names(&plan.value),
            if plan.learning.is_zero() {
                String::new()
            } else {
                format!(", once {} has been known for {}", names(&plan.entity), days(plan.learning))
            }
        )?;
    }
    if !entry.reads.is_empty() {
        writeln!(page, "It reads the matches of these rules, which it names in its alert:\n")?;
        for read in &entry.reads {
            writeln!(page, "- {}", read.title)?;
        }
        writeln!(page)?;
    }
    for filter in &entry.filters {
        let name = filter.name.as_deref().unwrap_or_default();
        writeln!(
            page,
            "Left out by the filter [`{name}`](../../../rules/shared/{name}.yml): {}.\n",
            lower_first(&filter.title)
        )?;
    }
    for list in &entry.lists {
        writeln!(page, "It asks for [your list](../../packs.md#lists) `{}`: {}\n", list.name, list.description.trim())?;
    }
    Ok(())
}

fn section(page: &mut String, title: &str) -> fmt::Result {
    writeln!(page, "## {title}\n")
}

fn list(page: &mut String, mark: &str, items: &[Text]) -> fmt::Result {
    items.iter().try_for_each(|item| writeln!(page, "{mark} {}", escaped(item.trim())))?;
    writeln!(page)
}

/// What Markdown would take for markup, outside of code.
pub(super) fn escaped(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(place, part)| match place % 2 {
        0 => part.replace('|', "\\|").replace('<', "&lt;").replace('*', "\\*"),
        _ => part.replace('|', "\\|"),
    });
    parts.collect::<Vec<_>>().join("`")
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let is_word = text.chars().nth(1).is_some_and(char::is_lowercase);
    match chars.next() {
        Some(first) if is_word => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

fn days(duration: jiff::SignedDuration) -> String {
    match duration.as_hours() {
        hours if hours % 24 == 0 => format!("{} days", hours / 24),
        hours => format!("{hours} hours"),
    }
}
