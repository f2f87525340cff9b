//! What outlines led to, so that one that comes again is worked out once.

use std::hash::BuildHasher as _;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::engine::context::Context;
use crate::engine::expr::{Evaluation, Expr, Unobserved};
use crate::engine::index::RuleIndex;
use crate::engine::rule_set::CompiledRule;
use crate::trail::Record;

use super::rest::{Rest, rest};

/// Outlines, and open rules, that are kept. Beyond either everything is forgotten: a log can hold more outlines than memory.
const MAX_OUTLINES: usize = 4096;
const MAX_VERDICTS: usize = 16 * 1024;
/// Outlines of which it is known that they came before. One that comes only once isn't worth being worked out.
const SEEN: usize = 4096;

/// A rule that records of an outline may match.
#[derive(Debug)]
pub(in crate::engine) struct Verdict {
    pub(in crate::engine) rule: RuleIndex,
    /// What else has to hold; nothing if the outline decides.
    pub(in crate::engine) open: Option<Expr>,
}

/// Outlines of one worker, and what they led to.
#[derive(Debug, Default)]
pub(in crate::engine) struct Verdicts {
    hasher: DefaultHashBuilder,
    entries: HashTable<Entry>,
    worked_out: Vec<Verdict>,
    seen: Vec<u32>,
    outline: Vec<u8>,
    hash: u64,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    outline: Box<[u8]>,
    verdicts: Range<usize>,
}

/// How well an outline is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine) enum Sight {
    /// There is none, or it is new.
    New,
    /// It came before.
    Again,
    /// It is worked out; where its verdicts are.
    Known(Range<usize>),
}

impl Verdicts {
    /// Looks at the outline of a record.
    pub(in crate::engine) fn sight(&mut self, record: &Record<'_>) -> Sight {
        if !super::write(record, &mut self.outline) {
            return Sight::New;
        }
        self.hash = self.hasher.hash_one(&*self.outline);
        if let Some(entry) = self.entries.find(self.hash, |entry| *entry.outline == *self.outline) {
            return Sight::Known(entry.verdicts.clone());
        }
        self.seen.resize(SEEN, 0);
        #[expect(clippy::cast_possible_truncation, reason = "of a hash any part is as good")]
        let (place, mark) = (self.hash as usize % SEEN, (self.hash >> 32) as u32);
        // OK because the place is below the length.
        let before = std::mem::replace(&mut self.seen[place], mark);
        if before == mark { Sight::Again } else { Sight::New }
    }

    /// What is left of the rules for the outline that was looked at last, which the record at hand has.
    pub(in crate::engine) fn work_out(
        &mut self,
        candidates: &[RuleIndex],
        rules: &[CompiledRule],
        context: &Context<'_, '_>,
    ) -> Range<usize> {
        if self.entries.len() >= MAX_OUTLINES || self.worked_out.len() + candidates.len() > MAX_VERDICTS {
            self.entries.clear();
            self.worked_out.clear();
        }
        let from = self.worked_out.len();
        for &rule in candidates {
            // OK because the index was made of these rules.
            let CompiledRule { condition, identifiers, .. } = &rules[rule as usize];
            let open = match rest(condition, &mut Evaluation { identifiers, context, observer: Unobserved }) {
                Rest::Settled(false) => continue,
                Rest::Settled(true) => None,
                Rest::Open(mut open) => {
                    open.arrange(&[]);
                    Some(open)
                }
            };
            self.worked_out.push(Verdict { rule, open });
        }
        let verdicts = from..self.worked_out.len();
        // A broken value has to be come across again each time, to be counted.
        if context.record.broken().is_none() {
            let entry = Entry { hash: self.hash, outline: self.outline.as_slice().into(), verdicts: verdicts.clone() };
            self.entries.insert_unique(self.hash, entry, |entry| entry.hash);
        }
        verdicts
    }

    /// Those in these places.
    pub(in crate::engine) fn at(&self, places: Range<usize>) -> &[Verdict] {
        &self.worked_out[places]
    }
}

impl Verdict {
    pub(in crate::engine) fn holds(&self, context: &Context<'_, '_>) -> bool {
        let holds = |open| Evaluation { identifiers: &[], context, observer: Unobserved }.holds(open);
        self.open.as_ref().is_none_or(holds)
    }
}
