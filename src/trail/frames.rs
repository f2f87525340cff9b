//! Finds the records in a file's bytes: `{"Records": [...]}`, a bare array, or one object after the other.
//!
//! An element that is no record costs itself and not the rest of the file: where it ends, its brackets tell.

use std::ops::Range;

use super::ReadError;
use super::bad::{NO_OBJECT, no_json};
use super::json::{Cursor, Member, Members, Stop};
use super::skip::Skipper;
use super::slots::{Pause, Slots, is_records};

/// A shorter unfinished element is looked at anew with whatever comes.
const SMALL_BYTES: usize = 64 * 1024;

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// An object in the array of records; its members are in [`Frames::slots`].
    Element(Range<usize>),
    /// A whole top-level object without an array of records: perhaps a record by itself. As with an element.
    Document(Range<usize>),
    /// Something that can't be read: its bytes in the file, and why.
    Unreadable(Range<u64>, String),
}

/// Where in the file's structure the next byte stands.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum At {
    /// Between top-level values.
    #[default]
    Top,
    /// Inside a top-level object, behind its array of records.
    Document,
    /// Inside the array of records. `wrapped`: a member of an object, not the top-level value.
    Records { wrapped: bool },
    /// Inside an element that can't be read, whose first byte stands at `from` in the file.
    Skipping { wrapped: bool, skipper: Skipper, from: u64, why: String },
}

/// Goes through a file from frame to frame.
#[derive(Debug)]
pub(super) struct Frames {
    at: At,
    slots: Slots,
    /// So many bytes have to be there before it is worth looking again.
    wanted: usize,
    seen_anything: bool,
    found_anything: bool,
    /// Where a document turned out to be no JSON before anything was found.
    broken: Option<u64>,
    max_record: usize,
}

/// What a look at the next bytes came to.
enum Step {
    /// Everything before this place is done with.
    To(usize),
    /// The same, and this stood there.
    Found(Frame, usize),
    /// What begins here goes on behind the last byte.
    Wait,
}

impl Frames {
    /// Begins a file.
    pub(super) fn new(max_record: usize) -> Self {
        let slots = Slots::new();
        Self { at: At::Top, slots, wanted: 0, seen_anything: false, found_anything: false, broken: None, max_record }
    }

    /// Looks at `bytes`, the first of which stands at `offset` in the file, and hands on what they complete, with where its members
    /// stand. Returns how many are done with. `last`: no more will come.
    pub(super) fn scan(
        &mut self,
        bytes: &[u8],
        offset: u64,
        last: bool,
        each: &mut impl FnMut(Frame, &Slots) -> Result<(), ReadError>,
    ) -> Result<usize, ReadError> {
        if bytes.len() < self.wanted && !last {
            return Ok(0);
        }
        let mut at = 0;
        let mut cursor = Cursor::new(bytes, 0);
        loop {
            match self.step(&mut cursor, at, offset)? {
                Step::To(place) => at = place,
                Step::Found(frame, place) => {
                    at = place;
                    self.found_anything |= !matches!(frame, Frame::Unreadable(..));
                    each(frame, &self.slots)?;
                }
                Step::Wait => break,
            }
        }
        if last && let At::Skipping { from, why, .. } = &mut self.at {
            // A quote too many makes one text of all that follows. That is told besides the missing end.
            each(Frame::Unreadable(*from..offset + bytes.len() as u64, std::mem::take(why)), &self.slots)?;
        }
        // Growing by half each time, a large element is looked at a few times, however small the pieces it comes in.
        let rest = bytes.len() - at;
        self.wanted = if rest > SMALL_BYTES { self.max_record.min(rest + rest / 2) } else { 0 };
        Ok(at)
    }

    /// Ends the file, with so many bytes left.
    ///
    /// # Errors
    /// [`ReadError::Truncated`] inside a value, [`ReadError::Empty`] when there was none, [`ReadError::Broken`] when nothing
    /// in it could be read.
    pub(super) fn finish(&self, rest: usize) -> Result<(), ReadError> {
        match (&self.at, self.broken) {
            (At::Top, Some(at)) if rest == 0 && !self.found_anything => Err(ReadError::Broken { at }),
            (At::Top, _) if rest == 0 && self.seen_anything => Ok(()),
            (At::Top, _) if rest == 0 => Err(ReadError::Empty),
            _ => Err(ReadError::Truncated),
        }
    }

    fn step(&mut self, cursor: &mut Cursor<'_>, at: usize, offset: u64) -> Result<Step, ReadError> {
        if let At::Skipping { .. } = self.at {
            return Ok(self.skip(cursor, at, offset));
        }
        let length = cursor.bytes().len();
        let Ok((at, byte)) = cursor.token(at) else {
            return Ok(if at < length { Step::To(length) } else { Step::Wait });
        };
        let mut limited = self.limited(cursor, at);
        let cursor = limited.as_mut().unwrap_or(cursor);
        match (&self.at, byte) {
            (At::Top, _) => self.top(cursor, at, byte, offset),
            (At::Document, _) => self.member(cursor, at, offset),
            (At::Records { .. }, b'{') => Ok(self.element(cursor, at, offset)),
            (At::Records { .. }, b',') => Ok(Step::To(at + 1)),
            (At::Records { wrapped }, b']') => {
                self.at = if *wrapped { At::Document } else { At::Top };
                Ok(Step::To(at + 1))
            }
            (At::Records { .. }, b'}') => Err(ReadError::Broken { at: offset + at as u64 }),
            _ => Ok(self.unreadable(at, offset, NO_OBJECT.to_owned())),
        }
    }

    /// Sees no more than one record may have: so what is found doesn't depend on how much has come.
    fn limited<'b>(&self, cursor: &Cursor<'b>, at: usize) -> Option<Cursor<'b>> {
        let rest = &cursor.bytes()[at..];
        (rest.len() > self.max_record).then(|| Cursor::new(&cursor.bytes()[..at + self.max_record], at))
    }

    /// Whether what begins at `at` and has no end among the bytes is too large.
    fn is_too_large(&self, cursor: &Cursor<'_>, at: usize) -> bool {
        cursor.bytes().len() - at >= self.max_record
    }

    fn top(&mut self, cursor: &mut Cursor<'_>, at: usize, byte: u8, offset: u64) -> Result<Step, ReadError> {
        match byte {
            0xef | 0xbb | 0xbf if !self.seen_anything => return Ok(Step::To(at + 1)), // a byte order mark
            b'[' | b'{' => self.seen_anything = true,
            _ if self.seen_anything => return Err(ReadError::Broken { at: offset + at as u64 }),
            _ => return Err(ReadError::NotJson),
        }
        if byte == b'[' {
            self.at = At::Records { wrapped: false };
            return Ok(Step::To(at + 1));
        }
        match self.slots.fill(cursor, at, true) {
            Ok(end) => Ok(Step::Found(Frame::Document(at..end), end)),
            Err(Pause::Records(array)) => {
                self.at = At::Records { wrapped: true };
                Ok(Step::To(array + 1))
            }
            Err(Pause::Stop(Stop::Incomplete)) => self.wait(cursor, at, offset),
            Err(Pause::Stop(Stop::Malformed(place))) => self.broken_document(cursor, at, place, offset),
        }
    }

    /// One line that is no JSON doesn't hide the others: where it ends, its brackets tell.
    fn broken_document(
        &mut self,
        cursor: &mut Cursor<'_>,
        at: usize,
        place: usize,
        offset: u64,
    ) -> Result<Step, ReadError> {
        *cursor = Cursor::new(cursor.bytes(), at);
        match cursor.value(at) {
            Ok(end) => {
                self.broken.get_or_insert(offset + place as u64);
                Ok(Step::Found(Frame::Unreadable(range(offset, at, end), no_json(place - at)), end))
            }
            Err(_) => self.wait(cursor, at, offset),
        }
    }

    /// A member behind the array of records, which may be an array of records again.
    fn member(&mut self, cursor: &mut Cursor<'_>, at: usize, offset: u64) -> Result<Step, ReadError> {
        let mut members = Members::behind(at);
        let found = members.next(cursor).and_then(|member| match member {
            None => Ok((At::Top, members.end())),
            Some(Member { name, value }) => {
                let bytes = cursor.bytes();
                let records = bytes[value] == b'[' && is_records(&bytes[name]);
                Ok(if records {
                    (At::Records { wrapped: true }, value + 1)
                } else {
                    (At::Document, cursor.value(value)?)
                })
            }
        });
        match found {
            Ok((next, end)) => {
                self.at = next;
                Ok(Step::To(end))
            }
            Err(Stop::Malformed(place)) => Err(ReadError::Broken { at: offset + place as u64 }),
            Err(Stop::Incomplete) => self.wait(cursor, at, offset),
        }
    }

    /// Outside of the array of records nothing is that large.
    fn wait(&self, cursor: &Cursor<'_>, at: usize, offset: u64) -> Result<Step, ReadError> {
        if self.is_too_large(cursor, at) {
            return Err(ReadError::Endless { at: offset + at as u64, limit: self.max_record });
        }
        Ok(Step::Wait)
    }

    fn element(&mut self, cursor: &mut Cursor<'_>, at: usize, offset: u64) -> Step {
        let why = match self.slots.fill(cursor, at, false) {
            Ok(end) => return Step::Found(Frame::Element(at..end), end),
            Err(Pause::Stop(Stop::Malformed(place))) => no_json(place - at),
            Err(_) if self.is_too_large(cursor, at) => too_large(self.max_record),
            Err(_) => return Step::Wait,
        };
        self.unreadable(at, offset, why)
    }

    fn unreadable(&mut self, at: usize, offset: u64, why: String) -> Step {
        let wrapped = self.at == At::Records { wrapped: true };
        self.at = At::Skipping { wrapped, skipper: Skipper::default(), from: offset + at as u64, why };
        Step::To(at)
    }

    /// Goes to the end of an element without keeping it.
    fn skip(&mut self, cursor: &mut Cursor<'_>, at: usize, offset: u64) -> Step {
        let bytes = cursor.bytes();
        let At::Skipping { wrapped, skipper, from, why } = &mut self.at else { return Step::Wait };
        match skipper.end(&bytes[at..]) {
            Some(length) => {
                let end = at + length;
                let frame = Frame::Unreadable(*from..offset + end as u64, std::mem::take(why));
                self.at = At::Records { wrapped: *wrapped };
                *cursor = Cursor::new(bytes, end);
                Step::Found(frame, end)
            }
            None if at < bytes.len() => Step::To(bytes.len()),
            None => Step::Wait,
        }
    }
}

fn too_large(limit: usize) -> String {
    format!(
        "it is larger than {limit} bytes, the limit for one record (raise TRAILHOUND_MAX_RECORD_BYTES if it is genuine)"
    )
}

fn range(offset: u64, from: usize, to: usize) -> Range<u64> {
    offset + from as u64..offset + to as u64
}
