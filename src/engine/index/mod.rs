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

use crate::engine::context::Context;
use crate::engine::expr::{Expr, Identifier};
use crate::engine::field::{Derived, Field};
use crate::engine::fold::fold;
use crate::engine::outline;
use crate::trail::{FieldPath, FieldValue, Written};

use memo::Memo;

pub(super) use access::{Key, Place, access};

/// The place of a rule in its set.
pub(super) type RuleIndex = u32;

/// Which rules a record could match.
#[derive(Debug, Default)]
pub(super) struct Index {
    places: Vec<PlaceIndex>,
    /// How many rules there are.
    rules: usize,
    /// Rules without a necessary condition, in order.
    always: Vec<RuleIndex>,
}

/// Which places of a record are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    Everywhere,
    /// Those of which the [outline](super::outline) says everything.
    Outline,
    /// All others.
    Beyond,
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
    /// Whether the outline says everything about it.
    is_outlined: bool,
    /// The field on which all depends here, if its values come again and again, so that remembering what they lead to pays.
    memoised: Option<FieldPath>,
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
    work: Work,
}

#[derive(Debug, Default)]
struct Work {
    /// What one value leads to.
    found: Once,
    /// Which literals of a place stand in a value.
    parts: Once,
    /// What the whole record leads to.
    candidates: Once,
}

/// Numbers, each once: a value may hold a literal a million times, and a record a million values.
#[derive(Debug, Default)]
struct Once {
    numbers: Vec<u32>,
    /// The round in which each number was added last.
    rounds: Vec<u32>,
    round: u32,
}

impl Once {
    /// Starts anew, for numbers below `bound`, or below that of the time before.
    fn clear(&mut self, bound: usize) {
        self.numbers.clear();
        self.round = self.round.wrapping_add(1);
        // Once in four billion rounds an old mark could be taken for a new one.
        if self.round == 0 {
            self.rounds.fill(0);
            self.round = 1;
        }
        if self.rounds.len() < bound {
            self.rounds.resize(bound, 0);
        }
    }

    /// Whether the number is new in this round.
    fn add(&mut self, number: u32) -> bool {
        // OK because callers told the bound of what they add.
        let round = &mut self.rounds[number as usize];
        let new = *round != self.round;
        if new {
            *round = self.round;
            self.numbers.push(number);
        }
        new
    }

    fn add_all(&mut self, numbers: &[u32]) {
        for number in numbers {
            self.add(*number);
        }
    }
}

impl Index {
    /// Builds the index over the rules in their order.
    pub(super) fn new<'e>(rules: impl IntoIterator<Item = (&'e Expr, &'e [Identifier])>) -> Self {
        let mut always = Vec::new();
        // By the place, and whether the outline is enough to find them.
        let mut keys: HashMap<(Place, bool), Vec<(Key, RuleIndex)>> = HashMap::new();
        let mut count = 0;
        for (rule, (condition, identifiers)) in (0..).zip(rules) {
            count += 1;
            match access(condition, identifiers) {
                None => always.push(rule),
                Some(needed) => {
                    for (place, key) in needed.keys {
                        let is_outlined = outline::finds(&place, &key);
                        keys.entry((place, is_outlined)).or_default().push((key, rule));
                    }
                }
            }
        }
        let mut places: Vec<PlaceIndex> = keys.into_iter().map(|(place, keys)| PlaceIndex::new(place, keys)).collect();
        places.sort_by(|a, b| (a.place.name(), a.is_outlined).cmp(&(b.place.name(), b.is_outlined)));
        Self { places, rules: count, always }
    }

    /// The rules that the record could match by what stands there, each once, in their order. Rules without a necessary condition count as
    /// found in the outline.
    pub(super) fn candidates<'l>(
        &self,
        context: &Context<'_, '_>,
        place: Where,
        lookup: &'l mut Lookup,
    ) -> &'l [RuleIndex] {
        let Lookup { memos, work } = lookup;
        memos.resize_with(self.places.len(), Memo::default);
        work.found.clear(self.rules);
        work.candidates.clear(self.rules);
        if place != Where::Beyond {
            work.candidates.add_all(&self.always);
        }
        for (index, memo) in self.places.iter().zip(memos) {
            let meant = match place {
                Where::Everywhere => true,
                Where::Outline => index.is_outlined,
                Where::Beyond => !index.is_outlined,
            };
            if meant {
                index.look_up(context, memo, work);
            }
        }
        work.candidates.numbers.sort_unstable();
        &work.candidates.numbers
    }

    /// How many rules are evaluated for every record.
    pub(super) fn always(&self) -> &[RuleIndex] {
        &self.always
    }
}

impl PlaceIndex {
    fn new((place, is_outlined): (Place, bool), keys: Vec<(Key, RuleIndex)>) -> Self {
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
        let memoised = place.repeating();
        let parts = if parts.is_empty() { None } else { Some(Parts::new(parts)) };
        let parts = parts.and_then(|parts| parts.map_err(|rules| present.extend(rules)).ok());
        Self { place, exact, numbers, parts, present, is_outlined, memoised }
    }

    /// Adds the rules that the place's values lead to.
    fn look_up(&self, context: &Context<'_, '_>, memo: &mut Memo, work: &mut Work) {
        let Work { found, parts, candidates } = work;
        let written = match &self.memoised {
            Some(path) => context.record.written(path),
            None => Written::Elsewhere,
        };
        match written {
            Written::Here(json) => {
                if let Some(known) = memo.get(json) {
                    return candidates.add_all(known);
                }
                found.clear(0);
                self.find_all(context, parts, found);
                candidates.add_all(&found.numbers);
                // A broken value has to be come across again each time, to be counted.
                if context.record.broken().is_none() {
                    memo.insert(json, &found.numbers);
                }
            }
            Written::Absent | Written::Elsewhere => self.find_all(context, parts, candidates),
        }
    }

    fn find_all(&self, context: &Context<'_, '_>, parts: &mut Once, found: &mut Once) {
        self.place.visit(context, &mut |value| {
            context.room.text.with(|buffer| {
                if let Some(text) = value.text(buffer) {
                    self.find(text, context, parts, found);
                }
            });
            self.find_number(value, found);
        });
    }

    fn find_number(&self, value: FieldValue<'_>, found: &mut Once) {
        if self.numbers.is_empty() {
            return;
        }
        if let Some(rules) = value.number().and_then(|number| self.numbers.get(&Key::number(number))) {
            found.add_all(rules);
        }
    }

    fn find(&self, text: &str, context: &Context<'_, '_>, parts: &mut Once, found: &mut Once) {
        found.add_all(&self.present);
        context.room.folded.with(|buffer| {
            let text = if fold(text, buffer) { buffer.as_str() } else { text };
            if let Some(rules) = self.exact.get(text) {
                found.add_all(rules);
            }
            if let Some(literals) = &self.parts {
                literals.find(text, parts, found);
            }
        });
    }
}

impl Parts {
    /// `Err`: the rules, when their literals are too many for one automaton.
    fn new(parts: HashMap<(Anchor, Box<str>), Vec<RuleIndex>>) -> Result<Self, Vec<RuleIndex>> {
        let mut parts: Vec<_> = parts.into_iter().collect();
        parts.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let literals = parts.iter().map(|((_, text), _)| &**text);
        match AhoCorasick::builder().match_kind(MatchKind::Standard).build(literals) {
            Ok(automaton) => {
                let patterns = parts.into_iter().map(|((anchor, _), rules)| (anchor, rules)).collect();
                Ok(Self { automaton, patterns })
            }
            Err(_) => Err(parts.into_iter().flat_map(|(_, rules)| rules).collect()),
        }
    }

    fn find(&self, text: &str, parts: &mut Once, found: &mut Once) {
        parts.clear(self.patterns.len());
        for part in self.automaton.find_overlapping_iter(text) {
            let pattern = part.pattern();
            let (anchor, rules) = &self.patterns[pattern.as_usize()];
            let stands = match anchor {
                Anchor::Anywhere => true,
                Anchor::Start => part.start() == 0,
                Anchor::End => part.end() == text.len(),
            };
            if stands && parts.add(pattern.as_u32()) {
                found.add_all(rules);
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

    /// The field on which everything here depends, if its values repeat from record to record, as names, kinds, ARNs and user
    /// agents do; ids, times and parameters don't.
    fn repeating(&self) -> Option<FieldPath> {
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
            "readOnly",
            "managementEvent",
        ];
        match self {
            Self::Field(Field::Raw(path)) => {
                let name = path.as_str();
                (REPEATING.contains(&name) || name.starts_with("userIdentity.")).then(|| path.clone())
            }
            Self::Field(Field::Derived(Derived::SourceKind | Derived::TrustedNetwork)) => {
                Some(FieldPath::new("sourceIPAddress"))
            }
            _ => None,
        }
    }
}
