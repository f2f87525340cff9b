//! One index over all rules: which of them a record could match at all.
//!
//! Each rule stands under a condition that it can't match without ([`access`]): values of a field, exact or in part. A record's
//! values are looked up once for all rules, and only the rules found are evaluated. So the cost of a record grows with the rules
//! that concern it, not with the rules there are.

mod access;
mod literals;
mod memo;

use std::ops::ControlFlow;

use aho_corasick::{AhoCorasick, MatchKind};
use hashbrown::HashMap;

use crate::trail::FieldValue;

use crate::engine::context::Context;
use crate::engine::expr::{Expr, Identifier};
use crate::engine::field::Field;
use crate::engine::fold::fold;
use memo::Memo;

pub(super) use access::{Key, Place, access};

/// The place of a rule in its set.
pub(super) type RuleIndex = u32;

/// Which rules a record could match.
#[derive(Debug, Default)]
pub(super) struct Index {
    places: Vec<PlaceIndex>,
    /// Rules without a necessary condition, in order.
    always: Vec<RuleIndex>,
}

/// What is looked for in one place of a record.
#[derive(Debug)]
struct PlaceIndex {
    place: Place,
    exact: HashMap<Box<str>, Vec<RuleIndex>>,
    numbers: HashMap<Key, Vec<RuleIndex>>,
    parts: Option<Parts>,
    /// Rules that ask for any value at all.
    present: Vec<RuleIndex>,
    /// Whether its values come again and again, so that remembering what they lead to pays.
    memoised: bool,
}

/// Literals that stand somewhere in a value.
#[derive(Debug)]
struct Parts {
    automaton: AhoCorasick,
    patterns: Vec<(Anchor, Vec<RuleIndex>)>,
}

/// Where in a value a literal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Anchor {
    Anywhere,
    Start,
    End,
}

/// What one worker needs to look records up, kept from record to record.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    memos: Vec<Memo>,
    found: Vec<RuleIndex>,
    candidates: Vec<RuleIndex>,
}

impl Index {
    /// Builds the index over the rules in their order.
    pub(super) fn new<'e>(rules: impl IntoIterator<Item = (&'e Expr, &'e [Identifier])>) -> Self {
        let mut always = Vec::new();
        let mut keys: HashMap<Place, Vec<(Key, RuleIndex)>> = HashMap::new();
        for (rule, (condition, identifiers)) in (0..).zip(rules) {
            match access(condition, identifiers) {
                None => always.push(rule),
                Some(needed) => {
                    for (place, key) in needed.keys {
                        keys.entry(place).or_default().push((key, rule));
                    }
                }
            }
        }
        let mut places: Vec<PlaceIndex> = keys.into_iter().map(|(place, keys)| PlaceIndex::new(place, keys)).collect();
        places.sort_by(|a, b| a.place.name().cmp(b.place.name()));
        Self { places, always }
    }

    /// The rules that the record could match, each once, in their order.
    pub(super) fn candidates<'l>(&self, context: &Context<'_, '_>, lookup: &'l mut Lookup) -> &'l [RuleIndex] {
        lookup.memos.resize_with(self.places.len(), Memo::default);
        lookup.candidates.clear();
        lookup.candidates.extend_from_slice(&self.always);
        for (place, memo) in self.places.iter().zip(&mut lookup.memos) {
            let (found, candidates) = (&mut lookup.found, &mut lookup.candidates);
            place.place.visit(context, &mut |value| {
                context.room.text.with(|buffer| {
                    if let Some(text) = value.text(buffer) {
                        place.look_up(text, memo, context, found, candidates);
                    }
                });
                place.look_up_number(value, candidates);
            });
        }
        lookup.candidates.sort_unstable();
        lookup.candidates.dedup();
        &lookup.candidates
    }

    /// How many rules are evaluated for every record.
    pub(super) fn always(&self) -> &[RuleIndex] {
        &self.always
    }
}

impl Lookup {
    /// How many rules the latest record could match.
    pub(super) fn found(&self) -> usize {
        self.candidates.len()
    }
}

impl PlaceIndex {
    fn new(place: Place, keys: Vec<(Key, RuleIndex)>) -> Self {
        let mut exact: HashMap<Box<str>, Vec<RuleIndex>> = HashMap::new();
        let mut parts: HashMap<(Anchor, Box<str>), Vec<RuleIndex>> = HashMap::new();
        let mut numbers: HashMap<Key, Vec<RuleIndex>> = HashMap::new();
        let mut present = Vec::new();
        for (key, rule) in keys {
            let rules = match key {
                Key::Number(_) => numbers.entry(key).or_default(),
                Key::Exact(text) => exact.entry(text).or_default(),
                Key::Part(anchor, text) => parts.entry((anchor, text)).or_default(),
                Key::Present => &mut present,
            };
            if rules.last() != Some(&rule) {
                rules.push(rule);
            }
        }
        let memoised = place.repeats();
        Self { place, exact, numbers, parts: Parts::new(parts), present, memoised }
    }

    fn look_up(
        &self,
        text: &str,
        memo: &mut Memo,
        context: &Context<'_, '_>,
        found: &mut Vec<RuleIndex>,
        candidates: &mut Vec<RuleIndex>,
    ) {
        if !self.memoised {
            return self.find(text, context, candidates);
        }
        if let Some(known) = memo.get(text) {
            return candidates.extend_from_slice(known);
        }
        found.clear();
        self.find(text, context, found);
        candidates.extend_from_slice(found);
        memo.insert(text, found);
    }

    fn look_up_number(&self, value: FieldValue<'_>, candidates: &mut Vec<RuleIndex>) {
        if self.numbers.is_empty() {
            return;
        }
        if let Some(rules) = value.number().and_then(|number| self.numbers.get(&Key::number(number))) {
            candidates.extend_from_slice(rules);
        }
    }

    fn find(&self, text: &str, context: &Context<'_, '_>, found: &mut Vec<RuleIndex>) {
        found.extend_from_slice(&self.present);
        context.room.folded.with(|buffer| {
            let text = if fold(text, buffer) { buffer.as_str() } else { text };
            if let Some(rules) = self.exact.get(text) {
                found.extend_from_slice(rules);
            }
            if let Some(parts) = &self.parts {
                parts.find(text, found);
            }
        });
    }
}

impl Parts {
    fn new(parts: HashMap<(Anchor, Box<str>), Vec<RuleIndex>>) -> Option<Self> {
        if parts.is_empty() {
            return None;
        }
        let mut parts: Vec<_> = parts.into_iter().collect();
        parts.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(parts.iter().map(|((_, text), _)| &**text))
            // OK because only billions of bytes of literals could pass its limits.
            .ok()?;
        Some(Self { automaton, patterns: parts.into_iter().map(|((anchor, _), rules)| (anchor, rules)).collect() })
    }

    fn find(&self, text: &str, found: &mut Vec<RuleIndex>) {
        for part in self.automaton.find_overlapping_iter(text) {
            let (anchor, rules) = &self.patterns[part.pattern().as_usize()];
            let stands = match anchor {
                Anchor::Anywhere => true,
                Anchor::Start => part.start() == 0,
                Anchor::End => part.end() == text.len(),
            };
            if stands {
                found.extend_from_slice(rules);
            }
        }
    }
}

impl Place {
    fn visit(&self, context: &Context<'_, '_>, each: &mut impl FnMut(FieldValue<'_>)) {
        let mut visit = |value: FieldValue<'_>| {
            each(value);
            ControlFlow::<()>::Continue(())
        };
        let _ = match self {
            Self::Field(field) => field.visit(context, &mut visit),
            Self::Anywhere => context.record.visit_all(&mut visit),
        };
    }

    fn name(&self) -> &str {
        match self {
            Self::Field(field) => field.name(),
            Self::Anywhere => "",
        }
    }

    /// Names, kinds, ARNs and user agents repeat from record to record; ids, times and parameters don't.
    fn repeats(&self) -> bool {
        const REPEATING: &[&str] = &[
            "eventName",
            "eventSource",
            "errorCode",
            "userAgent",
            "awsRegion",
            "eventType",
            "eventCategory",
            "sourceIPAddress",
            "recipientAccountId",
            "vpcEndpointId",
        ];
        match self {
            Self::Field(Field::Raw(path)) => {
                REPEATING.contains(&path.as_str()) || path.as_str().starts_with("userIdentity.")
            }
            _ => false,
        }
    }
}
