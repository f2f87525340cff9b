//! Records and rules for measurements: the same on every machine and in every run.
//!
//! In: a kind, a seed and how many. Out: `CloudTrail` records, and Sigma rules in the shapes that public rules for it have.
//! Nothing comes from a real account; the proportions are described at [`Kind`] and [`rules`].

mod identities;
mod ordinary;
pub(crate) mod random;
mod records;
pub(crate) mod rules;
mod templates;

pub(crate) use records::{Kind, records};
pub(crate) use rules::rules;

use random::{Random, Zipf};

/// What `CloudTrail` writes, in the linter's words: lines of sources and names, more than 20,000 pairs.
const KNOWN: &str = include_str!("../../src/lint/data/events.txt");
/// What a busy account calls.
const CALLS: &str = include_str!("calls.txt");

/// The lines of a data file that are neither empty nor a comment.
fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Every source in [`KNOWN`] with its names.
fn known() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    lines(KNOWN)
        .filter_map(|line| line.split_once(' '))
        .flat_map(|(sources, names)| sources.split(',').map(|source| (source, names.split(' ').collect())))
}
