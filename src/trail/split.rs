//! Finds the records in a stream of JSON bytes by tracking strings and brackets, without parsing what is inside.
//!
//! Takes `{"Records": [...]}`, a bare array, and one object after the other (one record a line). Because the structure
//! alone decides where a record ends, a record that doesn't parse costs itself and not the rest of the file.

use super::ReadError;

/// What was found.
#[derive(Clone, Copy)]
pub(super) enum Piece<'a> {
    /// An element of the array of records.
    Element(&'a [u8]),
    /// A whole top-level object without an array of records: perhaps a record by itself.
    Document(&'a [u8]),
    /// An element larger than the cap; its bytes were not kept.
    Oversized,
}

pub(super) struct Splitter {
    /// Bytes from the start of the unfinished piece on, or of the unfinished chunk.
    buffer: Vec<u8>,
    /// How far the buffer has been looked at.
    position: usize,
    /// Where the unfinished piece starts; `None` between pieces.
    start: Option<usize>,
    at: At,
    /// Open brackets inside the element or document.
    depth: usize,
    string: InString,
    /// The latest string at the top of a document, which a `:` makes a key.
    key: (usize, usize),
    records_key: bool,
    /// The unfinished element has outgrown the cap.
    oversized: bool,
    seen_anything: bool,
    max_record: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Between top-level values.
    Top,
    /// Inside a top-level object. `unwrapped`: it held an array of records, so its other members are of no interest.
    Document { unwrapped: bool },
    /// Inside the array of records. `wrapped`: a member of an object, not the top-level value.
    Records { wrapped: bool },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum InString {
    No,
    Yes { from: usize },
    Escape { from: usize },
}

impl Splitter {
    pub(super) fn new(max_record: usize) -> Self {
        Self {
            buffer: Vec::new(),
            position: 0,
            start: None,
            at: At::Top,
            depth: 0,
            string: InString::No,
            key: (0, 0),
            records_key: false,
            oversized: false,
            seen_anything: false,
            max_record,
        }
    }

    /// Looks at more bytes and hands on each piece that they complete.
    pub(super) fn push(&mut self, bytes: &[u8], each: &mut impl FnMut(Piece<'_>)) -> Result<(), ReadError> {
        self.buffer.extend_from_slice(bytes);
        while self.position < self.buffer.len() {
            if self.string != InString::No {
                self.string_bytes();
                continue;
            }
            let byte = self.buffer[self.position];
            match self.at {
                At::Top => self.top(byte)?,
                At::Document { unwrapped } => self.document(byte, unwrapped, each),
                At::Records { wrapped } => self.element(byte, wrapped, each)?,
            }
            self.position += 1;
        }
        self.forget()
    }

    /// # Errors
    /// [`ReadError::Truncated`] inside a value, [`ReadError::Empty`] when there was none.
    pub(super) fn finish(&self) -> Result<(), ReadError> {
        match self.at {
            At::Top if self.seen_anything => Ok(()),
            At::Top => Err(ReadError::Empty),
            At::Document { .. } | At::Records { .. } => Err(ReadError::Truncated),
        }
    }

    /// Runs to the end of the string or of the bytes at hand.
    fn string_bytes(&mut self) {
        let rest = &self.buffer[self.position..];
        match self.string {
            InString::Escape { from } => {
                self.string = InString::Yes { from };
                self.position += 1;
            }
            InString::Yes { from } => match memchr::memchr2(b'"', b'\\', rest) {
                None => self.position = self.buffer.len(),
                Some(offset) => {
                    let end = self.position + offset;
                    if self.buffer[end] == b'"' {
                        self.string = InString::No;
                        self.key = (from, end);
                    } else {
                        self.string = InString::Escape { from };
                    }
                    self.position = end + 1;
                }
            },
            InString::No => {}
        }
    }

    fn top(&mut self, byte: u8) -> Result<(), ReadError> {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return Ok(()),
            0xef | 0xbb | 0xbf if !self.seen_anything => return Ok(()), // a byte order mark
            b'{' => {
                self.at = At::Document { unwrapped: false };
                self.start = Some(self.position);
                self.depth = 1;
                self.records_key = false;
            }
            b'[' => {
                self.at = At::Records { wrapped: false };
                self.depth = 0;
            }
            _ => return Err(ReadError::NotJson),
        }
        self.seen_anything = true;
        Ok(())
    }

    fn document(&mut self, byte: u8, unwrapped: bool, each: &mut impl FnMut(Piece<'_>)) {
        match byte {
            b'"' => self.string = InString::Yes { from: self.position + 1 },
            b':' if self.depth == 1 => self.records_key = &self.buffer[self.key.0..self.key.1] == b"Records",
            b',' if self.depth == 1 => self.records_key = false,
            b'[' if self.depth == 1 && self.records_key => {
                self.at = At::Records { wrapped: true };
                self.start = None;
                self.depth = 0;
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    if let (Some(start), false) = (self.start.take(), unwrapped) {
                        each(Piece::Document(&self.buffer[start..=self.position]));
                    }
                    self.at = At::Top;
                }
            }
            _ => {}
        }
    }

    fn element(&mut self, byte: u8, wrapped: bool, each: &mut impl FnMut(Piece<'_>)) -> Result<(), ReadError> {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => return Ok(()),
            b',' if self.depth == 0 => {
                self.end_element(each);
                return Ok(());
            }
            b']' if self.depth == 0 => {
                self.end_element(each);
                (self.at, self.depth) = if wrapped { (At::Document { unwrapped: true }, 1) } else { (At::Top, 0) };
                return Ok(());
            }
            b'}' if self.depth == 0 => return Err(ReadError::NotJson),
            b'"' => self.string = InString::Yes { from: self.position + 1 },
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        if !self.oversized {
            self.start.get_or_insert(self.position);
        }
        Ok(())
    }

    fn end_element(&mut self, each: &mut impl FnMut(Piece<'_>)) {
        let start = self.start.take();
        if std::mem::take(&mut self.oversized) {
            each(Piece::Oversized);
        } else if let Some(start) = start {
            let bytes = &self.buffer[start..self.position];
            each(if bytes.len() > self.max_record { Piece::Oversized } else { Piece::Element(bytes) });
        }
    }

    /// Drops what is no longer needed, so that memory stays bounded by the cap and one chunk.
    fn forget(&mut self) -> Result<(), ReadError> {
        let unfinished = self.start.map_or(0, |start| self.buffer.len() - start);
        if unfinished > self.max_record {
            if matches!(self.at, At::Document { .. }) {
                return Err(ReadError::NoRecords);
            }
            self.oversized = true;
            self.start = None;
        }
        // An unfinished key of a document that has been unwrapped is kept too: a second `Records` would follow it.
        let string_start = match (self.at, self.string) {
            (At::Document { .. }, InString::Yes { from } | InString::Escape { from }) => Some(from),
            (At::Document { .. }, InString::No) => Some(self.key.0.min(self.buffer.len())),
            _ => None,
        };
        let keep = self.start.or(string_start).unwrap_or(self.buffer.len());
        if self.buffer.len() - keep > self.max_record {
            return Err(ReadError::NoRecords);
        }
        self.buffer.drain(..keep);
        self.shift(keep);
        Ok(())
    }

    fn shift(&mut self, by: usize) {
        self.position -= by;
        self.start = self.start.map(|start| start - by);
        self.key = (self.key.0.saturating_sub(by), self.key.1.saturating_sub(by));
        self.string = match self.string {
            InString::Yes { from } => InString::Yes { from: from.saturating_sub(by) },
            InString::Escape { from } => InString::Escape { from: from.saturating_sub(by) },
            InString::No => InString::No,
        };
    }
}
