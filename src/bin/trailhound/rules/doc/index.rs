//! The catalogue's first page: what there is, which of ATT&CK it covers, and what the trail has to log.

use std::fmt::{self, Write as _};

use trailhound::rule_pack::{Pack, SharedList};
use trailhound::sigma::Level;

use super::entry::Entry;
use super::page::escaped;
use super::{matrix, selectors};

const PACKS: &[Pack] =
    &[Pack::Core, Pack::Extended, Pack::Compliance, Pack::DataEvents, Pack::SelfProtection, Pack::Addresses];

pub(super) fn page(entries: &[Entry<'_>], shared: &[SharedList]) -> String {
    let mut page = String::new();
    // Writing to a string doesn't fail.
    let _ = write(&mut page, entries, shared);
    page
}

fn write(page: &mut String, entries: &[Entry<'_>], shared: &[SharedList]) -> fmt::Result {
    writeln!(page, "# The shipped rules\n")?;
    writeln!(
        page,
        "Made by `trailhound rules doc`; do not edit. Each rule has a page with what it matches, when it is harmless and"
    )?;
    writeln!(
        page,
        "what to do first. [Packs](../packs.md) says how to choose, [levels](../levels.md) what the levels mean, and"
    )?;
    writeln!(page, "[coverage](../coverage.md) which known detections the rules are for.\n")?;
    packs(page, entries)?;
    writeln!(page, "## ATT&CK\n")?;
    writeln!(page, "![{}](attack.svg)\n", matrix::summary(entries))?;
    writeln!(
        page,
        "The techniques that rules are tagged with, by tactic. The number says how many rules, the colour the highest of their levels.\n"
    )?;
    trail(page, entries)?;
    lists(page, shared)?;
    writeln!(page, "## Rules by service\n")?;
    let mut service = "";
    for entry in entries {
        if entry.service() != service {
            service = entry.service();
            writeln!(page, "\n### {}\n", service_name(service))?;
            writeln!(page, "| rule | level | pack | looks at | tactics |\n|---|---|---|---|---|")?;
        }
        let tactics: Vec<&str> = entry.tactics().iter().map(|tactic| tactic.name).collect();
        writeln!(
            page,
            "| [{}]({}.md) | {} | {} | {} | {} |",
            entry.metadata.title,
            entry.place,
            entry.level().as_str(),
            entry.packs(),
            entry.kind.word(),
            tactics.join(", ")
        )?;
    }
    Ok(())
}

fn packs(page: &mut String, entries: &[Entry<'_>]) -> fmt::Result {
    let levels: Vec<&str> = Level::WORDS.iter().rev().map(|(word, _)| *word).collect();
    writeln!(page, "| pack | rules | {} |", levels.join(" | "))?;
    writeln!(page, "|---|---|{}", "---|".repeat(levels.len()))?;
    let mut row = |name: &str, of: &dyn Fn(&Entry<'_>) -> bool| {
        let of: Vec<&Entry<'_>> = entries.iter().filter(|entry| of(entry)).collect();
        let counts: Vec<String> = Level::WORDS
            .iter()
            .rev()
            .map(|(_, level)| of.iter().filter(|entry| entry.level() == *level).count().to_string())
            .collect();
        writeln!(page, "| {name} | {} | {} |", of.len(), counts.join(" | "))
    };
    for pack in PACKS {
        row(&format!("`{}`", pack.name()), &|entry| entry.is_in(*pack))?;
    }
    row("always loaded, about trailhound itself", &|entry| entry.extension.packs.is_empty())?;
    row("together, each rule once", &|_| true)?;
    writeln!(page)
}

fn trail(page: &mut String, entries: &[Entry<'_>]) -> fmt::Result {
    writeln!(page, "## What the trail has to log\n")?;
    writeln!(page, "| pack | management events | data events |\n|---|---|---|")?;
    for pack in PACKS {
        let of: Vec<_> = entries.iter().filter(|entry| entry.is_in(*pack)).flat_map(selectors::of).collect();
        let mut types = of;
        types.sort();
        types.dedup();
        let data = if types.is_empty() { "none".to_owned() } else { types.join(", ") };
        writeln!(page, "| `{}` | read and write, all Regions | {data} |", pack.name())?;
    }
    let needed = selectors::needed(entries);
    writeln!(page, "\n| data events of | rules |\n|---|---|")?;
    needed.iter().try_for_each(|(resource, rules)| writeln!(page, "| {resource} | {rules} |"))?;
    writeln!(
        page,
        "\nData events cost by the event; log those whose rules you want. As advanced event selectors, for `aws cloudtrail"
    )?;
    writeln!(page, "put-event-selectors --advanced-event-selectors`:\n")?;
    let selectors: Vec<String> = selectors::advanced(needed.keys()).map(|selector| format!("  {selector}")).collect();
    writeln!(page, "```json\n[\n{}\n]\n```\n", selectors.join(",\n"))
}

/// What only the organisation knows.
fn lists(page: &mut String, shared: &[SharedList]) -> fmt::Result {
    writeln!(page, "## Lists\n")?;
    writeln!(
        page,
        "What only you know. [Packs](../packs.md#lists) says where they are filled; what stands there already holds, too.\n"
    )?;
    writeln!(page, "| list | what belongs in it | there already |\n|---|---|---|")?;
    for list in shared {
        let values = if list.values.is_empty() { "nothing".to_owned() } else { list.values.join(", ") };
        writeln!(page, "| `{}` | {} | {values} |", list.name, escaped(list.description.trim()))?;
    }
    writeln!(page)
}

/// Folders are named as event sources are.
fn service_name(folder: &str) -> &str {
    match folder {
        "any" => "Any service",
        "selfprotection" => "What trailhound lives on",
        "trailhound" => "trailhound itself",
        other => other,
    }
}
