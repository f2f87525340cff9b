//! The cheapest condition that a rule can't match without.
//!
//! Of parts that all have to hold the best one is enough; of parts of which any may hold, all are needed together; what stands
//! behind a `not` gives none. Everything is compared folded here, so that a key may find too many rules, and never too few.

use memchr::memmem::Finder;

use crate::engine::expr::{Expr, Identifier, Item};
use crate::engine::field::{Derived, Field};
use crate::engine::fold::folded;
use crate::engine::matcher::{Kind, TextMatcher};
use crate::engine::value_test::Test;
use crate::sigma::Token;
use crate::trail::{Distance, FieldPath};

use super::Anchor;
use super::literals;

/// What has to be there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::engine) enum Key {
    /// A value, folded.
    Exact(Box<str>),
    /// A part of a value, folded; never empty.
    Part(Anchor, Box<str>),
    /// A JSON number, by the bits of its value.
    Number(u64),
    /// Any value but null.
    Present,
}

impl Key {
    /// Zero has two forms.
    pub(super) fn number(number: f64) -> Self {
        Self::Number((number + 0.0).to_bits())
    }
}

/// Where it has to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::engine) enum Place {
    Field(Field),
    /// In any name or value: keywords.
    Anywhere,
}

/// A necessary condition: one of the keys has to be there.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Access {
    pub(in crate::engine) keys: Vec<(Place, Key)>,
    cost: u32,
}

/// Rules per record that a key is expected to find in vain, and the work of looking, as a rank only: lower is better.
const NAME: u32 = 10;
/// A call that was denied has an error code, and few calls have one.
const DENIED: u32 = 65;
/// Whatever names the call tells more, even a verb: candidates of another source are dropped anyway.
const SOURCE: u32 = 120;
const IDENTITY: u32 = 200;
const OTHER: u32 = 300;
const DERIVED: u32 = 400;
const BELOW: u32 = 450;
const PARAMETERS: u32 = 500;
const ANYWHERE: u32 = 900;
/// A part is found in more values than a whole one; a short part in many.
const PART: u32 = 60;
const SHORT_PART: u32 = 40;
const PRESENT: u32 = 700;

/// Finds a condition that `expr` can't hold without; `None` when there is none.
pub(in crate::engine) fn access(expr: &Expr, identifiers: &[Identifier]) -> Option<Access> {
    match expr {
        Expr::All(terms) => cheapest(terms.iter().filter_map(|term| access(term, identifiers))),
        Expr::Any(terms) => union(terms.iter().map(|term| access(term, identifiers))),
        // OK because compiling resolved every name to its place in the list.
        Expr::Identifier(index) => access(&identifiers[*index].expr, identifiers),
        Expr::Filter(filter) => access(&filter.condition, &filter.identifiers),
        // A field that is null exists, too, so `exists` asks for less than a value.
        Expr::Not(_) | Expr::Exists { .. } => None,
        Expr::Item(item) => of_item(item),
    }
}

/// The first of the cheapest. Nothing is cheaper than a whole name, so that what stands behind one isn't looked at.
fn cheapest(parts: impl Iterator<Item = Access>) -> Option<Access> {
    let mut best: Option<Access> = None;
    for part in parts {
        if best.as_ref().is_none_or(|best| part.cost < best.cost) {
            best = Some(part);
        }
        if best.as_ref().is_some_and(|best| best.cost <= NAME) {
            break;
        }
    }
    best
}

fn union(parts: impl Iterator<Item = Option<Access>>) -> Option<Access> {
    let mut all = Access { keys: Vec::new(), cost: 0 };
    for part in parts {
        let part = part?;
        all.cost = all.cost.max(part.cost);
        all.keys.extend(part.keys);
    }
    Some(all)
}

/// The condition of one field and its values.
pub(super) fn of_item(item: &Item) -> Option<Access> {
    if item.negated {
        return None;
    }
    if let (Some(Field::Derived(Derived::Outcome)), [Test::Text(matcher)]) = (&item.field, item.tests.as_slice())
        && let Some(access) = denied(matcher)
    {
        return Some(access);
    }
    let place = item.field.clone().map_or(Place::Anywhere, Place::Field);
    let of = |tests: &[Test]| {
        let mut keys = Vec::with_capacity(tests.len());
        of_tests(&place, tests, &mut keys).map(|cost| Access { keys, cost })
    };
    if item.every {
        item.tests.iter().filter_map(|test| of(std::slice::from_ref(test))).min_by_key(|access| access.cost)
    } else {
        of(&item.tests)
    }
}

/// Keys that a condition needs one of, as they are gathered.
type Keys = Vec<(Place, Key)>;

/// What any of the tests needs goes to `keys`. Returns its cost; `None` when one of them needs nothing.
fn of_tests(place: &Place, tests: &[Test], keys: &mut Keys) -> Option<u32> {
    highest(tests.iter().map(|test| of_test(place, test, keys)))
}

fn highest(costs: impl IntoIterator<Item = Option<u32>>) -> Option<u32> {
    costs.into_iter().try_fold(0, |highest, cost| Some(highest.max(cost?)))
}

fn of_test(place: &Place, test: &Test, keys: &mut Keys) -> Option<u32> {
    match test {
        Test::Number(matcher, number) => {
            highest([of_text(place, matcher, keys), one(place, Key::number(*number), keys)])
        }
        Test::Compare(..) | Test::Time(..) | Test::Network(_) | Test::Field(_) => one(place, Key::Present, keys),
        Test::Null => None,
        Test::Any(forms) => of_tests(place, forms, keys),
        Test::Text(matcher) => of_text(place, matcher, keys),
    }
}

/// What `derived.outcome: denied` needs. Other outcomes are too common to find anything by them.
fn denied(matcher: &TextMatcher) -> Option<Access> {
    let code = Place::Field(Field::Raw(FieldPath::new("errorCode")));
    matches!(&matcher.kind, Kind::Exact(text) if &**text == "denied")
        .then(|| Access { cost: DENIED, keys: vec![(code, Key::Present)] })
}

fn of_text(place: &Place, matcher: &TextMatcher, keys: &mut Keys) -> Option<u32> {
    let mut part = |anchor, text: &str| {
        let key = if text.is_empty() { Key::Present } else { Key::Part(anchor, folded(text).into()) };
        one(place, key, keys)
    };
    match &matcher.kind {
        Kind::Anything => one(place, Key::Present, keys),
        Kind::Exact(text) => one(place, Key::Exact(folded(text).into()), keys),
        Kind::StartsWith(text) => part(Anchor::Start, text),
        Kind::EndsWith(text) => part(Anchor::End, text),
        Kind::Contains(finder) => part(Anchor::Anywhere, needle(finder)),
        Kind::Wildcards(tokens) => {
            let (anchor, text) = longest(tokens);
            part(anchor, text)
        }
        Kind::Regex(regex) => match literals::required(regex.as_str()) {
            None => one(place, Key::Present, keys),
            Some(texts) => highest(texts.iter().map(|text| part(Anchor::Anywhere, text))),
        },
    }
}

/// OK because it was made of text.
fn needle<'f>(finder: &'f Finder<'static>) -> &'f str {
    std::str::from_utf8(finder.needle()).unwrap_or_default()
}

/// The longest literal of a value with wildcards.
fn longest(tokens: &[Token]) -> (Anchor, &str) {
    let mut longest = (Anchor::Anywhere, "");
    for (index, token) in tokens.iter().enumerate() {
        if let Token::Literal(text) = token
            && text.len() > longest.1.len()
        {
            let last = index + 1 == tokens.len();
            let anchor = if index == 0 {
                Anchor::Start
            } else if last {
                Anchor::End
            } else {
                Anchor::Anywhere
            };
            longest = (anchor, text);
        }
    }
    longest
}

fn one(place: &Place, key: Key, keys: &mut Keys) -> Option<u32> {
    // A keyword that fits anything asks for nothing.
    if *place == Place::Anywhere && key == Key::Present {
        return None;
    }
    let form = match &key {
        Key::Exact(_) | Key::Number(_) => 0,
        Key::Part(_, text) => PART + SHORT_PART.saturating_sub(u32::try_from(text.len()).unwrap_or(SHORT_PART)),
        Key::Present => PRESENT,
    };
    keys.push((place.clone(), key));
    Some(rank(place) + form)
}

/// How telling a place's values are, and how cheap it is to look at them.
fn rank(place: &Place) -> u32 {
    match place {
        Place::Anywhere => ANYWHERE,
        Place::Field(Field::Derived(Derived::Principal | Derived::Resource)) => OTHER,
        Place::Field(Field::Derived(_)) => DERIVED,
        // It would be searched for in every record.
        Place::Field(Field::Raw(path)) if path.distance() == Distance::Below => BELOW,
        Place::Field(Field::Raw(path)) => match path.as_str() {
            "eventName" | "errorCode" | "userAgent" => NAME,
            "eventSource" => SOURCE,
            "requestParameters" | "responseElements" | "additionalEventData" | "serviceEventDetails" => PARAMETERS,
            "userIdentity.type" | "eventType" | "eventCategory" | "awsRegion" | "readOnly" | "managementEvent" => OTHER,
            path if path.starts_with("userIdentity.") => IDENTITY,
            _ => OTHER,
        },
    }
}
