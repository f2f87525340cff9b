//! One value of a rule, held against one value of a record.

use std::net::IpAddr;
use std::ops::ControlFlow;

use ipnet::IpNet;
use jiff::civil::Date;
use jiff::fmt::temporal::Pieces;
use jiff::{Timestamp, tz::TimeZone};

use crate::sigma::{Comparison, NumberOperator, TimePart, number};
use crate::trail::FieldValue;

use super::context::Context;
use super::field::Field;
use super::fold::fold;
use super::matcher::TextMatcher;

/// What a value is asked.
#[derive(Debug, Clone)]
pub(super) enum Test {
    Text(TextMatcher),
    /// A number in the rule: the record's number may be written differently (`5.0`, `5e0`).
    Number(TextMatcher, f64),
    Compare(NumberOperator, f64),
    Time(TimePart, Option<NumberOperator>, f64),
    Network(IpNet),
    /// `fieldref`: another field of the same record.
    Field(Box<FieldTest>),
    /// The field is missing or null.
    Null,
    /// The forms of one of the values that all have to be met.
    Any(Box<[Test]>),
}

/// A comparison with another field.
#[derive(Debug, Clone)]
pub(super) struct FieldTest {
    pub(super) field: Field,
    pub(super) comparison: Comparison,
    pub(super) cased: bool,
}

/// A smaller number is no time: in seconds it would lie before March 1973.
const FIRST_SECONDS: f64 = 1e8;
/// Numbers from here on are milliseconds since 1970, not seconds: the year 5138 in the one, 1973 in the other.
const FIRST_MILLISECONDS: f64 = 1e11;
/// Up to here each whole number has a form of its own.
const LAST_WHOLE: f64 = 9_007_199_254_740_992.0;

impl Test {
    /// Whether another field of the record decides.
    pub(super) fn asks_another_field(&self) -> bool {
        match self {
            Self::Field(_) => true,
            Self::Any(forms) => forms.iter().any(Self::asks_another_field),
            _ => false,
        }
    }

    /// Whether it accepts anything: an empty list of forms doesn't.
    pub(super) fn can_accept(&self) -> bool {
        !matches!(self, Self::Any(forms) if !forms.iter().any(Self::can_accept))
    }

    /// Whether one of the tests accepts the value. Its text is made once, and folded once.
    pub(super) fn any_accepts(tests: &[Self], value: FieldValue<'_>, context: &Context<'_, '_>) -> bool {
        match value {
            FieldValue::Null => return tests.iter().any(Self::accepts_null),
            FieldValue::Text(text) => {
                if let Some(accepted) = Self::at_once(tests, text) {
                    return accepted;
                }
            }
            FieldValue::Escaped(_) | FieldValue::Json(_) => {}
        }
        context.room.text.with(|buffer| {
            // OK because null was dealt with.
            let text = value.text(buffer).unwrap_or_default();
            context.room.folded.with(|buffer| {
                let mut folded = Folded { text, buffer, done: None };
                tests.iter().any(|test| test.accepts(value, text, &mut folded, context))
            })
        })
    }

    /// Whether one of the tests accepts the text, when that can be told without a copy of it: most values of most rules are whole
    /// and ASCII, as is what they are held against.
    fn at_once(tests: &[Self], text: &str) -> Option<bool> {
        let mut ascii = None;
        for test in tests {
            let Self::Text(matcher) = test else { return None };
            if matcher.matches_at_once(text)? {
                return Some(true);
            }
            // A character that isn't ASCII may be equal to one that is.
            if !matcher.cased && !*ascii.get_or_insert_with(|| text.is_ascii()) {
                return None;
            }
        }
        Some(false)
    }

    pub(super) fn accepts_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Any(forms) => forms.iter().any(Self::accepts_null),
            _ => false,
        }
    }

    fn accepts<'v>(
        &self,
        value: FieldValue<'_>,
        text: &'v str,
        folded: &mut Folded<'v>,
        context: &Context<'_, '_>,
    ) -> bool {
        match self {
            Self::Text(matcher) => folded.matches(matcher),
            Self::Number(matcher, number) => {
                folded.matches(matcher) || value.number().is_some_and(|value| equal(value, *number))
            }
            Self::Compare(operator, number) => numeric(value, text).is_some_and(|value| operator.holds(value, *number)),
            Self::Time(part, operator, number) => {
                let value = date_and_time(value, text).and_then(|moment| part.of(moment));
                value.is_some_and(|value| match operator {
                    None => equal(value, *number),
                    Some(operator) => operator.holds(value, *number),
                })
            }
            // What is no address, such as a service's name, lies in no network.
            Self::Network(network) => {
                text.parse::<IpAddr>().is_ok_and(|address| network.contains(&address.to_canonical()))
            }
            Self::Field(other) => other.accepts(value, text, folded, context),
            Self::Null => false,
            Self::Any(forms) => forms.iter().any(|form| form.accepts(value, text, folded, context)),
        }
    }
}

/// A value's text, and its folded text once somebody asks for it.
struct Folded<'v> {
    text: &'v str,
    buffer: &'v mut String,
    done: Option<bool>,
}

impl Folded<'_> {
    fn matches(&mut self, matcher: &TextMatcher) -> bool {
        if matcher.cased { matcher.matches(self.text) } else { matcher.matches(self.folded()) }
    }

    fn folded(&mut self) -> &str {
        let in_buffer = *self.done.get_or_insert_with(|| fold(self.text, self.buffer));
        if in_buffer { self.buffer } else { self.text }
    }
}

impl FieldTest {
    /// Holds the value against each value of the other field. A field that isn't there is equal to nothing.
    fn accepts(&self, own: FieldValue<'_>, text: &str, folded: &mut Folded<'_>, context: &Context<'_, '_>) -> bool {
        let value = if self.cased { text } else { folded.folded() };
        context.room.other_text.with(|text_buffer| {
            context.room.other_folded.with(|fold_buffer| {
                let number = own.number().filter(|_| self.comparison == Comparison::Equals);
                let mut visit = |other: FieldValue<'_>| match other.text(text_buffer) {
                    Some(_) if number.zip(other.number()).is_some_and(|(own, other)| equal(own, other)) => {
                        ControlFlow::Break(())
                    }
                    Some(other) => {
                        let in_buffer = !self.cased && fold(other, fold_buffer);
                        let other = if in_buffer { fold_buffer.as_str() } else { other };
                        if self.compare(value, other) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                    }
                    None => ControlFlow::Continue(()),
                };
                self.field.visit(context, &mut visit).is_break()
            })
        })
    }

    fn compare(&self, value: &str, other: &str) -> bool {
        match self.comparison {
            Comparison::Contains => value.contains(other),
            Comparison::StartsWith => value.starts_with(other),
            Comparison::EndsWith => value.ends_with(other),
            _ => value == other,
        }
    }
}

impl NumberOperator {
    fn holds(self, value: f64, number: f64) -> bool {
        match self {
            Self::Lt => value < number,
            Self::Lte => value <= number,
            Self::Gt => value > number,
            Self::Gte => value >= number,
        }
    }
}

impl TimePart {
    fn of(self, (date, time): Moment) -> Option<f64> {
        Some(f64::from(match self {
            Self::Minute => i16::from(time?.1),
            Self::Hour => i16::from(time?.0),
            Self::Day => i16::from(date.day()),
            Self::Week => i16::from(date.iso_week_date().week()),
            Self::Month => i16::from(date.month()),
            Self::Year => date.year(),
        }))
    }
}

/// A date, and hour and minute where they are told.
type Moment = (Date, Option<(i8, i8)>);

/// Date, hour and minute as written: the specification wants no conversion of time zones.
fn date_and_time(value: FieldValue<'_>, text: &str) -> Option<Moment> {
    if let Some(number) = value.number() {
        let milliseconds = if number < FIRST_MILLISECONDS { number * 1000.0 } else { number };
        if number < FIRST_SECONDS {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "what is too large saturates, and is no time")]
        let time = Timestamp::from_millisecond(milliseconds as i64).ok()?.to_zoned(TimeZone::UTC);
        return Some((time.date(), Some((time.hour(), time.minute()))));
    }
    let pieces = Pieces::parse(text).ok()?;
    Some((pieces.date(), pieces.time().map(|time| (time.hour(), time.minute()))))
}

/// A number, or a text that is one: CloudTrail quotes many.
pub(super) fn numeric(value: FieldValue<'_>, text: &str) -> Option<f64> {
    value.number().or_else(|| number(text))
}

/// Of numbers too large to be told apart only the same text is equal.
#[expect(clippy::float_cmp, reason = "both were read from text: equal numbers read as equal")]
fn equal(a: f64, b: f64) -> bool {
    a == b && a.abs() < LAST_WHOLE
}
