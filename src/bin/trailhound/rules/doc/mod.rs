//! `trailhound rules doc`: the catalogue of the shipped rules.

mod entry;
mod index;
mod matrix;
mod page;
mod selectors;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use trailhound::local::walk;
use trailhound::ports::BoxError;
use trailhound::rule_pack::{self, Pack, RuleSource};

use crate::args::DocArgs;
use crate::{Verdict, note};

pub(super) fn run(args: &DocArgs) -> Result<Verdict, BoxError> {
    let sources = args.rules.as_ref().map_or(RuleSource::Pack(Pack::All), |path| RuleSource::Path(path.clone()));
    let collection = rule_pack::collect(&[sources]);
    if let Some(error) = collection.rejected.first() {
        return Err(error.to_string().into());
    }
    let lists = rule_pack::shared_lists();
    let entries = entry::entries(&collection, &lists);
    let mut files: BTreeMap<PathBuf, String> =
        entries.iter().map(|entry| (PathBuf::from(format!("{}.md", entry.place)), page::page(entry))).collect();
    files.insert("README.md".into(), index::page(&entries, &lists));
    files.insert("attack.svg".into(), matrix::picture(&entries));
    let there = there(&args.out);
    if args.check {
        return Ok(check(&args.out, &files, &there));
    }
    for (name, text) in &files {
        let path = args.out.join(name);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    // The page of a rule that is no more.
    for name in there.iter().filter(|name| !files.contains_key(*name)) {
        fs::remove_file(args.out.join(name))?;
    }
    note(&format!("{} pages in {}", files.len() - 1, args.out.display()));
    Ok(Verdict::Clean)
}

/// The pages that are in the folder.
fn there(folder: &Path) -> BTreeSet<PathBuf> {
    let ours = |path: &Path| path.extension().is_some_and(|ending| ending == "md" || ending == "svg");
    let files = walk(folder).filter_map(Result::ok).map(|entry| entry.into_path());
    files.filter(|path| ours(path)).filter_map(|path| Some(path.strip_prefix(folder).ok()?.to_owned())).collect()
}

fn check(folder: &Path, files: &BTreeMap<PathBuf, String>, there: &BTreeSet<PathBuf>) -> Verdict {
    let is_stale =
        |(name, text): &(&PathBuf, &String)| fs::read_to_string(folder.join(name)).ok().as_ref() != Some(*text);
    let stale: Vec<&PathBuf> = files.iter().filter(is_stale).map(|(name, _)| name).collect();
    let gone: Vec<&PathBuf> = there.iter().filter(|name| !files.contains_key(*name)).collect();
    for name in &stale {
        note(&format!("stale: {}", folder.join(name).display()));
    }
    for name in &gone {
        note(&format!("of no rule: {}", folder.join(name).display()));
    }
    if stale.is_empty() && gone.is_empty() {
        return Verdict::Clean;
    }
    note("`trailhound rules doc` writes them anew");
    Verdict::Found
}
