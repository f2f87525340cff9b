//! One CloudTrail record: a view over its bytes.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::ops::{ControlFlow, Range};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::bad::{BadRecord, NO_OBJECT, Place, no_json};
use super::field::{self, FieldPath, FieldValue, Halt};
use super::identity::UserIdentity;
use super::json::{Broken, Cursor, Json, Stop};
use super::slots::{Pause, Slot, Slots};

/// A record as it stands in the file. Unknown fields, identity types and event versions are never an error.
///
/// Only its outermost members have been told apart; what they hold is looked into when somebody asks.
#[derive(Debug)]
pub struct Record<'a> {
    raw: &'a str,
    index: u64,
    offset: u64,
    slots: Slots,
    /// Whether texts may hold escapes.
    escapes: bool,
    /// Whether something inside turned out to be no JSON.
    broken: Cell<bool>,
}

/// A record without its file.
#[derive(Debug, Clone, Default)]
pub struct KeptRecord {
    raw: Box<str>,
    index: u64,
    offset: u64,
    slots: Slots,
    escapes: bool,
}

impl KeptRecord {
    /// The record's bytes.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The record; nothing is read anew.
    #[must_use]
    pub fn record(&self) -> Record<'_> {
        let Self { raw, index, offset, slots, escapes } = self;
        Record {
            raw,
            index: *index,
            offset: *offset,
            slots: slots.clone(),
            escapes: *escapes,
            broken: Cell::new(false),
        }
    }
}

/// Which event a record tells of, whatever file it stands in: overlapping trails and redelivery bring it again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventIdentity {
    /// Account whose trail got this copy.
    pub account: String,
    /// `eventID`; a digest of the record where it has none.
    pub event_id: String,
}

impl fmt::Display for EventIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.event_id)
    }
}

impl<'a> Record<'a> {
    /// Reads one record; `index` is its place in the file.
    ///
    /// # Errors
    /// When the bytes are not one JSON object. Only its outermost members are looked at: see [`Self::broken`].
    pub fn parse(index: u64, bytes: &'a [u8]) -> Result<Self, BadRecord> {
        let place = Place { index, offset: 0 };
        let trimmed = bytes.trim_ascii();
        if !trimmed.starts_with(b"{") {
            return Err(place.bad(0..bytes.len(), NO_OBJECT.to_owned()));
        }
        let mut slots = Slots::new();
        match slots.fill(&mut Cursor::new(trimmed, 0), 0, false) {
            Ok(end) if end == trimmed.len() => Self::new(place, trimmed, slots),
            Ok(at) | Err(Pause::Stop(Stop::Malformed(at)) | Pause::Records(at)) => {
                Err(place.bad(0..bytes.len(), no_json(at)))
            }
            Err(Pause::Stop(Stop::Incomplete)) => Err(place.bad(0..bytes.len(), "its JSON has no end".to_owned())),
        }
    }

    /// Copies the record, to be looked at when its file is gone.
    #[must_use]
    pub fn keep(&self) -> KeptRecord {
        let Self { raw, index, offset, slots, escapes, .. } = self;
        KeptRecord { raw: (*raw).into(), index: *index, offset: *offset, slots: slots.clone(), escapes: *escapes }
    }

    /// Takes the bytes of an object whose members have been found.
    pub(super) fn new(place: Place, bytes: &'a [u8], slots: Slots) -> Result<Self, BadRecord> {
        match std::str::from_utf8(bytes) {
            Ok(raw) => {
                let escapes = memchr::memchr(b'\\', bytes).is_some();
                Ok(Self { raw, index: place.index, offset: place.offset, slots, escapes, broken: Cell::new(false) })
            }
            Err(error) => {
                Err(place.bad(0..bytes.len(), format!("it is not UTF-8 at its byte {}", error.valid_up_to())))
            }
        }
    }

    /// The record's bytes.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Its place in the file, counted from 0.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Which bytes of the file it is, after inflating.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.offset..self.offset + self.raw.len() as u64
    }

    /// Whether something that was looked into turned out to be no JSON, so that what stands behind it was not seen.
    #[must_use]
    pub fn broken(&self) -> Option<BadRecord> {
        let place = Place { index: self.index, offset: self.offset };
        let why = || {
            let depth = field::MAX_LISTS;
            format!(
                "its JSON is broken inside, or nested in more than {depth} lists, and what stands behind that place was not seen"
            )
        };
        self.broken.get().then(|| place.bad(0..self.raw.len(), why()))
    }

    /// The text at a dotted path of literal member names; `None` when it isn't there, isn't text, or is empty.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<Cow<'a, str>> {
        self.get(path)?.text().filter(|text| !text.is_empty())
    }

    /// The same for a member with a place of its own.
    pub(crate) fn said(&self, slot: Slot) -> Option<Cow<'a, str>> {
        self.slot(slot)?.text().filter(|text| !text.is_empty())
    }

    /// Whether a member says that something is so; some say it in a text.
    pub(crate) fn is_true(&self, slot: Slot) -> bool {
        self.slot(slot).is_some_and(|value| value.0 == "true")
            || self.said(slot).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// Whether a member says that something isn't so.
    pub(super) fn is_false(&self, slot: Slot) -> bool {
        self.slot(slot).is_some_and(|value| value.0 == "false")
    }

    /// Hands each value at `path` to `visit`, going through lists, until it breaks.
    pub fn visit<B>(
        &self,
        path: &FieldPath,
        visit: &mut impl FnMut(FieldValue<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        match self.root(path) {
            Some((value, rest)) => self.noting(field::visit(value, rest, self.escapes, visit)),
            None => ControlFlow::Continue(()),
        }
    }

    /// Whether the path leads anywhere, be it to null or an empty list.
    #[must_use]
    pub fn has(&self, path: &FieldPath) -> bool {
        self.root(path).is_some_and(|(value, rest)| self.noting(field::exists(value, rest)).is_break())
    }

    /// Hands every member name and every value of the record to `visit`, until it breaks.
    pub fn visit_all<B>(&self, visit: &mut impl FnMut(FieldValue<'_>) -> ControlFlow<B>) -> ControlFlow<B> {
        self.noting(field::visit_all(self.raw, visit))
    }

    /// The value of a field as it stands in the record.
    pub(crate) fn written(&self, path: &FieldPath) -> Written<'a> {
        match path.slot() {
            Some((slot, "")) if !self.slots.irregular => {
                self.slots.get(slot).map_or(Written::Absent, |place| Written::Here(&self.raw[place]))
            }
            _ => Written::Elsewhere,
        }
    }

    /// Whether it is built so that members are not where they usually are.
    pub(crate) fn is_irregular(&self) -> bool {
        self.slots.irregular
    }

    /// The value of a member with a place of its own, as it stands in a regular record.
    pub(crate) fn slot_text(&self, slot: Slot) -> Option<&'a str> {
        self.slot(slot).map(|value| value.0)
    }

    /// Where to begin looking for `path`, and what is left of it.
    pub(super) fn root<'p>(&self, path: &'p FieldPath) -> Option<(Json<'a>, &'p str)> {
        match path.slot() {
            Some((slot, rest)) if !self.slots.irregular => Some((self.slot(slot)?, rest)),
            _ => Some((Json(self.raw), path.as_str())),
        }
    }

    fn slot(&self, slot: Slot) -> Option<Json<'a>> {
        // OK because the places were found between quotes and brackets of this text.
        self.slots.get(slot).map(|place| Json(&self.raw[place]))
    }

    pub(super) fn noting<B>(&self, flow: ControlFlow<Halt<B>>) -> ControlFlow<B> {
        match flow {
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
            ControlFlow::Break(Halt::Asked(result)) => ControlFlow::Break(result),
            ControlFlow::Break(Halt::Broken) => {
                self.broken.set(true);
                ControlFlow::Continue(())
            }
        }
    }

    /// The service that was called: `sts.amazonaws.com`.
    #[must_use]
    pub fn event_source(&self) -> Option<Cow<'a, str>> {
        self.said(Slot::EventSource)
    }

    /// The call; of records without one, such as those of Insights, what kind of event it is.
    #[must_use]
    pub fn event_name(&self) -> Option<Cow<'a, str>> {
        self.said(Slot::EventName).or_else(|| self.said(Slot::EventType))
    }

    /// The Region that was called.
    #[must_use]
    pub fn region(&self) -> Option<Cow<'a, str>> {
        self.said(Slot::AwsRegion)
    }

    /// The address or the service that the call came from.
    #[must_use]
    pub fn source_ip(&self) -> Option<Cow<'a, str>> {
        self.said(Slot::SourceIpAddress)
    }

    /// Who made the call.
    #[must_use]
    pub fn identity(&self) -> UserIdentity<'_> {
        UserIdentity::new(self)
    }

    /// Account whose trail got this copy.
    #[must_use]
    pub fn account(&self) -> Option<Cow<'a, str>> {
        // Aggregated events carry `accountId`; records before version 1.02 only have the caller's.
        [Slot::RecipientAccountId, Slot::AccountId, Slot::IdentityAccountId].iter().find_map(|slot| self.said(*slot))
    }

    /// When the request was completed; `None` where the record doesn't say.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        let end = || self.text("timeWindow.windowEnd")?.parse().ok();
        self.said(Slot::EventTime).and_then(|time| time.parse().ok()).or_else(end)
    }

    /// `eventID`; a digest of the record where it has none.
    #[must_use]
    pub fn event_id(&self) -> Cow<'a, str> {
        let id = self.said(Slot::EventId).or_else(|| self.said(Slot::EventIdOfAggregate));
        id.unwrap_or_else(|| digest(self.raw).into())
    }

    /// Which event this is a copy of.
    #[must_use]
    pub fn event_identity(&self) -> EventIdentity {
        let account = self.account().unwrap_or_default().into_owned();
        EventIdentity { account, event_id: self.event_id().into_owned() }
    }

    /// Tells a record that stands alone from any other JSON object.
    #[must_use]
    pub fn looks_like_a_record(&self) -> bool {
        [Slot::EventName, Slot::EventSource, Slot::EventVersion, Slot::EventType]
            .iter()
            .any(|slot| self.slots.get(*slot).is_some())
    }

    /// The value at a dotted path inside another.
    pub(super) fn below(&self, value: Json<'a>, path: &str) -> Option<Json<'a>> {
        path.split('.').try_fold(value, |value, name| self.member(value, name))
    }

    /// A member of an object by its name.
    pub(super) fn member(&self, object: Json<'a>, name: &str) -> Option<Json<'a>> {
        self.noted(object.get(name))?
    }

    /// `None` instead of what is no JSON, which is remembered.
    pub(super) fn noted<T>(&self, result: Result<T, Broken>) -> Option<T> {
        result.inspect_err(|_| self.broken.set(true)).ok()
    }

    /// The value at a dotted path of literal member names.
    pub(super) fn get(&self, path: &str) -> Option<Json<'a>> {
        match field::slot(path) {
            Some((slot, rest)) if rest == path.len() && !path.ends_with('.') => self.slot(slot),
            Some((slot, rest)) => self.below(self.slot(slot)?, &path[rest..]),
            None => self.below(Json(self.raw), path),
        }
    }
}

/// Where the value of a field stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written<'a> {
    /// Here, as JSON: the field is a member with a place of its own.
    Here(&'a str),
    /// The record has no such member.
    Absent,
    /// Inside another member, if anywhere.
    Elsewhere,
}

fn digest(text: &str) -> String {
    let mut first = [0; 16];
    first.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
    format!("{:032x}", u128::from_be_bytes(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_does_not_hide_a_record() {
        let raw = r#"{"a":"x\ud83d"}"#;
        let record = Record::parse(0, raw.as_bytes()).unwrap();
        assert_eq!((record.text("a").as_deref(), record.raw()), (Some("x\u{fffd}"), raw));
        assert!(Record::parse(0, br#"{"a":"\ud83d"#).is_err());
    }

    #[test]
    fn a_record_is_one_object() {
        for (text, reason) in [
            ("", "it is not a JSON object"),
            ("[]", "it is not a JSON object"),
            (r#"{"a":1"#, "its JSON has no end"),
            (r#"{"a":1} {}"#, "its JSON is broken at its byte 7"),
            (r#"{"a":oops}"#, "its JSON is broken at its byte 5"),
            (r#"{"a" 1}"#, "its JSON is broken at its byte 5"),
        ] {
            assert_eq!(Record::parse(3, text.as_bytes()).unwrap_err().reason, reason, "{text}");
        }
        let bad = Record::parse(3, b"{\"a\":\"\xff\"}").unwrap_err();
        assert_eq!(
            bad.to_string(),
            "record 3 (bytes 0 to 9 of the file, inflated) can't be read: it is not UTF-8 at its byte 6"
        );
    }

    #[test]
    fn what_is_broken_inside_is_told_once_it_is_come_across() {
        let record = Record::parse(0, br#"{"eventName":"a","requestParameters":{"a":1,"b":oops,"c":2}}"#).unwrap();
        assert!(record.has(&FieldPath::new("eventName")) && record.broken().is_none());
        assert!(!record.has(&FieldPath::new("requestParameters.c")) && record.broken().is_some());
    }
}
