//! What `serde_json` finds in a file. It is asked for the extent of each value alone, so that numbers keep their form and halves
//! of surrogate pairs do not stop it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use trailhound::trail::{Limits, ReadError};

use super::Reading;

/// Holds a reading against what `serde_json` finds, if that takes the whole file.
pub(super) fn agrees(reading: &Reading, plain: &[u8], limits: Limits) {
    let Some(strict) = Strict::read(plain, limits) else { return };
    let found: Vec<_> = reading.items.iter().map(super::Seen::outline).collect();
    assert!(found == strict.found, "{reading:?}\nserde_json: {:?}", strict.found);
    assert_eq!(reading.end, strict.end);
}

pub(super) fn is_object(bytes: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(bytes).is_ok_and(|value| value.get().starts_with('{'))
}

struct Strict<'p> {
    plain: &'p [u8],
    limits: Limits,
    /// Index, first byte, and the text of those that are records.
    found: Vec<(u64, u64, Option<&'p str>)>,
    end: Result<(), ReadError>,
}

impl<'p> Strict<'p> {
    /// `None` when it is no JSON, or too large to be told so simply.
    fn read(plain: &'p [u8], limits: Limits) -> Option<Self> {
        let mut strict = Self { plain, limits, found: Vec::new(), end: Err(ReadError::Empty) };
        let documents = plain.strip_prefix("\u{feff}".as_bytes()).unwrap_or(plain);
        let documents = serde_json::Deserializer::from_slice(documents).into_iter::<&RawValue>();
        // Even behind a document without records the rest has to be JSON, or it is not for us to say what comes first.
        for document in documents.collect::<Result<Vec<_>, _>>().ok()? {
            strict.end = strict.document(document)?;
            if strict.end.is_err() {
                break;
            }
        }
        Some(strict)
    }

    fn document(&mut self, document: &'p RawValue) -> Option<Result<(), ReadError>> {
        if document.get().starts_with('[') {
            self.list(document)?;
            return Some(Ok(()));
        }
        let members = members(document)?;
        let lists = members.iter().filter(|(name, value)| name == "Records" && value.get().starts_with('['));
        let lists: Vec<_> = lists.map(|(_, list)| *list).collect();
        let around = document.get().len() - lists.iter().map(|list| list.get().len()).sum::<usize>();
        if around >= self.limits.max_record_bytes {
            return None;
        }
        if lists.is_empty() {
            let is_record = is_record(&members);
            if !is_record && self.found.is_empty() {
                return Some(Err(ReadError::NoRecords));
            }
            self.push(document, is_record);
        }
        lists.iter().try_for_each(|list| self.list(list))?;
        Some(Ok(()))
    }

    fn list(&mut self, list: &'p RawValue) -> Option<()> {
        let elements: Vec<&RawValue> = serde_json::from_str(list.get()).ok()?;
        for element in elements {
            let fits = element.get().len() <= self.limits.max_record_bytes;
            let is_record = members(element).is_some_and(|members| is_record(&members));
            self.push(element, is_record && fits);
        }
        Some(())
    }

    fn push(&mut self, value: &'p RawValue, is_record: bool) {
        let text = value.get();
        let from = text.as_ptr().addr() - self.plain.as_ptr().addr();
        self.found.push((self.found.len() as u64, from as u64, is_record.then_some(text)));
    }
}

/// The members of an object in their order, those of one name too.
pub(super) fn members(object: &RawValue) -> Option<Vec<(String, &RawValue)>> {
    let Members(members) = serde_json::from_str(object.get()).ok()?;
    Some(members)
}

fn is_record(members: &[(String, &RawValue)]) -> bool {
    let known = ["eventName", "eventSource", "eventVersion", "eventType"];
    members.iter().any(|(name, _)| known.contains(&&**name))
}

struct Members<'j>(Vec<(String, &'j RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Text(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(Members(members))
    }
}

/// What a string says; half a surrogate pair is a replacement character.
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As bytes, because serde_json then doesn't mind the halves.
        deserializer.deserialize_bytes(Characters)
    }
}

struct Characters;

impl Visitor<'_> for Characters {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Text, E> {
        let mut text = String::new();
        for part in bytes.utf8_chunks() {
            text.push_str(part.valid());
            // Half a pair is three bytes, of which the first is this one and each is reported by itself.
            if part.invalid() == [0xed] {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        Ok(Text(text))
    }
}
