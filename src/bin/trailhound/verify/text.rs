//! The verdict for people.

use std::io::{self, Write};

use trailhound::integrity::Period;
use trailhound::notify;

use crate::Verdict;

use super::verdict::{Inspection, Tally};

/// What couldn't be checked is named up to here: a permission that is missing is missing everywhere.
const MAX_UNCHECKED: usize = 20;
const MAX_HOLES: usize = 20;
/// Keys have at most 1,024 bytes, and a sentence may name two.
const MAX_TEXT: usize = 3_000;

pub(super) fn print(inspection: &Inspection, out: &mut impl Write) -> io::Result<()> {
    let Inspection { place, from, to, now, chains, damage, unnamed, unchecked } = inspection;
    let range = match (from, to) {
        (None, None) => "all digest files".to_owned(),
        (Some(from), None) => format!("digest files from {from} on"),
        (None, Some(to)) => format!("digest files up to {to}"),
        (Some(from), Some(to)) => format!("digest files from {from} to {to}"),
    };
    writeln!(out, "Integrity of CloudTrail log files")?;
    writeln!(out, "  place       {}: {range}", clean(place))?;
    writeln!(out, "  checked     {now:.0} by trailhound {}", env!("CARGO_PKG_VERSION"))?;
    chains.iter().try_for_each(|tally| chain(tally, out))?;
    if !damage.is_empty() {
        writeln!(out, "\nDamage: {}", damage.len() as u64 + unnamed)?;
    }
    for damage in damage {
        writeln!(out, "  {}\n    {}", damage.what.title(), clean(&damage.to_string()))?;
    }
    if *unnamed > 0 {
        writeln!(out, "  and {} more, missing or altered", many(*unnamed, "log file"))?;
    }
    if !unchecked.is_empty() {
        writeln!(out, "\nNot checked: {}", unchecked.len())?;
    }
    for unchecked in unchecked.iter().take(MAX_UNCHECKED) {
        writeln!(out, "  {}", clean(unchecked))?;
    }
    if unchecked.len() > MAX_UNCHECKED {
        writeln!(out, "  and {} more; --format json names all", unchecked.len() - MAX_UNCHECKED)?;
    }
    writeln!(out, "\nVerdict: {}", verdict(inspection))
}

fn chain(tally: &Tally, out: &mut impl Write) -> io::Result<()> {
    let Tally { bucket, chain, digests, signed, quoted, covered, holes, .. } = tally;
    writeln!(out, "\n{} (s3://{}/{})", clean(&chain.to_string()), clean(bucket), clean(&chain.root))?;
    let covers = covered.map(|Period { start, end }| format!(", from {start} to {end}")).unwrap_or_default();
    writeln!(out, "  digests     {digests}{covers}")?;
    for Period { start, end } in holes.iter().take(MAX_HOLES) {
        writeln!(out, "              none covers {start:.0} to {end:.0}")?;
    }
    if holes.len() > MAX_HOLES {
        writeln!(out, "              and {} more times without; --format json names all", holes.len() - MAX_HOLES)?;
    }
    let parts = [
        (*signed, "verified"),
        (*quoted, "verified as the next digest quotes them"),
        (digests - signed - quoted, "not verified"),
    ];
    writeln!(out, "  signatures  {}", counts(&parts))?;
    let Tally { listed, proven, unproven, damaged, unchecked, pending, .. } = tally;
    let parts = [
        (*proven, "proven to be as delivered"),
        (*unproven, "as listed by digests that aren't proven"),
        (*damaged, "damaged"),
        (*unchecked, "not checked"),
    ];
    writeln!(out, "  log files   {listed}{}{}", if *listed > 0 { ": " } else { "" }, counts(&parts))?;
    if *pending > 0 {
        writeln!(out, "              {pending} more that the next digest of another trail may list")?;
    }
    Ok(())
}

/// Those that aren't zero; nothing if all are.
fn counts(parts: &[(u64, &str)]) -> String {
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    parts.join(", ")
}

fn verdict(inspection: &Inspection) -> String {
    let files = many(inspection.sum(|tally| tally.proven), "log file");
    let digests = many(inspection.sum(|tally| tally.signed + tally.quoted), "digest file");
    let proven = format!("Proven to be as CloudTrail wrote them: {files}, {digests}");
    let holes = match inspection.sum(|tally| tally.holes.len() as u64) {
        0 => "",
        _ => " Nothing is known of the times that no digest covers.",
    };
    match inspection.verdict() {
        Verdict::Clean => format!("INTACT. {proven}.{holes}"),
        Verdict::Found => format!("DAMAGED, as said above. {proven}.{holes}"),
        Verdict::Broken => {
            format!("NOT PROVEN. No damage was found, but not everything could be checked. {proven}.{holes}")
        }
    }
}

fn many(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Keys may hold anything.
fn clean(text: &str) -> String {
    notify::line(text, MAX_TEXT)
}
