//! Records and rules for measurements: the same on every machine and in every run.
//!
//! In: a seed and how many. Out: trail files of a busy account, and Sigma rules in the shapes that public CloudTrail rules have.
//! Nothing comes from a real account; the proportions are described at [`records`] and [`rules`].

mod random;
mod records;
mod rules;

pub(crate) use records::records;
pub(crate) use rules::rules;

use random::{Random, Zipf};

/// The lines of a data file that are neither empty nor a comment.
fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}
