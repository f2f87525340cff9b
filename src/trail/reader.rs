//! Reads one log file as a stream: chunks in, records out, bounded memory.

use super::bad::{BadRecord, NO_RECORD, Place};
use super::frames::{Frame, Frames};
use super::inflate::Inflate;
use super::record::Record;
use super::slots::Slots;
use super::window::Window;

/// What a file may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that one file may inflate to. `CloudTrail` writes at most 50 MB; gzip can turn 1 MB into 1 GB.
    pub max_file_bytes: u64,
    /// Bytes of one record. `CloudTrail` writes 256 KB, and 1 MB where extended event size is on.
    pub max_record_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_file_bytes: 1 << 30, max_record_bytes: 4 << 20 }
    }
}

/// What the reader hands on, in file order.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "almost every item is a record, and is looked at where it is made")]
pub enum Item<'a> {
    /// A record.
    Record(Record<'a>),
    /// Something in a record's place that is none; the rest of the file goes on.
    Bad(BadRecord),
}

/// A file that could not be read to its end. Records before the damage have been handed on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No bytes, or only white space.
    #[error("the file is empty")]
    Empty,
    /// The gzip stream is broken: a wrong header, codes, checksum or length, bytes behind its end.
    #[error("the gzip data is damaged: {0}")]
    Damaged(&'static str),
    /// The data ends in the middle, as after an interrupted upload.
    #[error("the file ends in the middle of its data")]
    Truncated,
    /// Inflated past the limit; cutting it off would hide events.
    #[error("the file inflates to more than {limit} bytes (raise TRAILHOUND_MAX_FILE_BYTES if it is genuine)")]
    TooLarge {
        /// The configured limit.
        limit: u64,
    },
    /// Neither gzip nor JSON.
    #[error("the file is neither gzip nor JSON that begins with `{{` or `[`")]
    NotJson,
    /// No JSON from here on, or nothing but a document that is broken here.
    #[error("the file's JSON is broken at its byte {at} (inflated)")]
    Broken {
        /// Counted from the file's first byte, after inflating.
        at: u64,
    },
    /// Something outside the array of records is larger than a record may be.
    #[error(
        "what begins at byte {at} of the file (inflated) has neither an end nor an array of records within {limit} bytes \
         (raise TRAILHOUND_MAX_RECORD_BYTES if it is genuine)"
    )]
    Endless {
        /// Counted from the file's first byte, after inflating.
        at: u64,
        /// The configured limit for one record.
        limit: usize,
    },
    /// JSON that begins with a document that is neither `{"Records": [...]}` nor an array nor a record. Behind records it counts as a
    /// bad one.
    #[error(
        "the file is JSON without CloudTrail records (expected `{{\"Records\": [...]}}`, an array, or one record a line)"
    )]
    NoRecords,
}

/// Turns the chunks of a file into [`Item`]s, and then those of the next file with the same memory.
///
/// ```
/// use trailhound::trail::{Item, Limits, Reader};
///
/// let mut names = Vec::new();
/// let mut each = |item: Item<'_>| if let Item::Record(record) = item {
///     names.push(record.text("eventName").unwrap_or_default().into_owned());
/// };
/// let mut reader = Reader::new(Limits::default());
/// reader.push(br#"{"Records":[{"eventName":"StopLog"#, &mut each)?;
/// reader.push(br#"ging"},{"eventName":"GetUser"}]}"#, &mut each)?;
/// reader.finish(&mut each)?;
/// assert_eq!(names, ["StopLogging", "GetUser"]);
/// # Ok::<(), trailhound::trail::ReadError>(())
/// ```
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    inflate: Inflate,
    window: Window,
    frames: Frames,
    /// The place of the next record in the file, bad ones counted.
    index: u64,
}

impl Reader {
    /// Starts a file.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let frames = Frames::new(limits.max_record_bytes);
        Self { limits, inflate: Inflate::default(), window: Window::default(), frames, index: 0 }
    }

    /// Starts another file, whatever became of the one before.
    pub fn restart(&mut self) {
        self.inflate.clear();
        self.window.clear();
        self.frames = Frames::new(self.limits.max_record_bytes);
        self.index = 0;
    }

    /// Feeds a chunk of the object as it is stored and hands on the records that it completes.
    ///
    /// # Errors
    /// When the file can't be read further. The reader is of no use after that until it is restarted.
    pub fn push(&mut self, mut chunk: &[u8], each: &mut impl FnMut(Item<'_>)) -> Result<(), ReadError> {
        let mut more = !chunk.is_empty();
        while more {
            let before = self.inflate.inflated();
            let stepped = self.inflate.step(&mut chunk, &mut self.window, self.limits.max_file_bytes);
            let came = self.inflate.inflated() > before;
            let full = self.window.is_full();
            // A full window may hold back more, even when the chunk is used up.
            more = !chunk.is_empty() || (full && came);
            // Damage stands behind what was inflated, and nothing comes behind it.
            if stepped.is_err() || full || !more {
                self.scan(stepped.is_err(), each)?;
            }
            stepped?;
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`ReadError::Truncated`] when it isn't whole, [`ReadError::Empty`] when there was nothing.
    pub fn finish(&mut self, each: &mut impl FnMut(Item<'_>)) -> Result<(), ReadError> {
        self.scan(true, each)?;
        self.inflate.finish()?;
        self.frames.finish(self.window.bytes().len())
    }

    fn scan(&mut self, last: bool, each: &mut impl FnMut(Item<'_>)) -> Result<(), ReadError> {
        let Self { window, frames, index, .. } = self;
        let (bytes, offset) = (window.bytes(), window.offset());
        let done = frames.scan(bytes, offset, last, &mut |frame, slots| {
            each(item(frame, slots, bytes, offset, *index)?);
            *index += 1;
            Ok(())
        })?;
        window.done(done);
        Ok(())
    }
}

fn item<'a>(frame: Frame, slots: &Slots, bytes: &'a [u8], offset: u64, index: u64) -> Result<Item<'a>, ReadError> {
    let (range, alone) = match frame {
        Frame::Element(range) => (range, false),
        Frame::Document(range) => (range, true),
        Frame::Unreadable(range, reason) => return Ok(Item::Bad(BadRecord { index, range, reason })),
    };
    let place = Place { index, offset: offset + range.start as u64 };
    let bytes = &bytes[range];
    Ok(match Record::new(place, bytes, slots.clone()) {
        Ok(record) if record.looks_like_a_record() => Item::Record(record),
        Ok(_) if alone && index == 0 => return Err(ReadError::NoRecords),
        // Other JSON, such as an array of whole trail files, would otherwise read as a quiet day.
        Ok(_) => Item::Bad(place.bad(0..bytes.len(), NO_RECORD.to_owned())),
        Err(bad) => Item::Bad(bad),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn read(bytes: &[u8], chunk: usize, limits: Limits) -> (Vec<String>, Result<(), ReadError>) {
        let mut seen = Vec::new();
        let mut each = |item: Item<'_>| {
            seen.push(match item {
                Item::Record(record) => record.text("eventName").unwrap_or("-".into()).into_owned(),
                Item::Bad(bad) => format!("bad #{}", bad.index),
            });
        };
        let mut reader = Reader::new(limits);
        let result = bytes.chunks(chunk).try_for_each(|chunk| reader.push(chunk, &mut each));
        let result = result.and_then(|()| reader.finish(&mut each));
        (seen, result)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    const FILE: &[u8] = br#"{"Records":[{"eventName":"A","x":"]}\"{"},{"eventName":"B"}]}"#;

    #[test]
    fn any_chunking_gives_the_same_records() {
        for bytes in [FILE.to_vec(), gzip(FILE)] {
            for chunk in 1..=bytes.len() {
                let (seen, result) = read(&bytes, chunk, Limits::default());
                assert_eq!((seen.join(" "), result), ("A B".to_owned(), Ok(())), "chunks of {chunk}");
            }
        }
    }

    #[test]
    fn concatenated_gzip_members_are_one_file() {
        let mut bytes = gzip(&FILE[..20]);
        bytes.extend(gzip(&FILE[20..]));
        bytes.extend([0; 16]);
        for chunk in [1, 7, bytes.len()] {
            assert_eq!(read(&bytes, chunk, Limits::default()), (vec!["A".into(), "B".into()], Ok(())));
        }
    }

    #[test]
    fn the_shapes_that_people_feed_it() {
        for (text, expected) in [
            ("\u{feff} {\"Records\": [ ] }\n", ""),
            (r#"{"Records":[{"eventName":"A"}],"more":{"a":[1]}}"#, "A"),
            (r#"{"more":{"Records":[{"eventName":"no"}]},"Records":[{"eventName":"A"}]}"#, "A"),
            (r#"{"Records":[{"eventName":"A"}],"Records":[{"eventName":"B"}]}"#, "A B"),
            (r#"[{"eventName":"A"},{"eventName":"B"}]"#, "A B"),
            ("{\"eventName\":\"A\"}\n{\"eventName\":\"B\"}\n", "A B"),
            (r#"{"eventName":"A","Records":3}"#, "A"),
            (r#"{"\u0052ecords":[{"eventName":"A"}],"Record\u0073":[{"eventName":"B"}]}"#, "A B"),
            ("{\"eventName\":\"A\"}\n{}\n{\"eventName\":\"B\"}", "A bad #1 B"),
        ] {
            for chunk in [1, 5, text.len()] {
                let (seen, result) = read(text.as_bytes(), chunk, Limits::default());
                assert_eq!((seen.join(" "), result), (expected.to_owned(), Ok(())), "{text}");
            }
        }
    }

    #[test]
    fn one_broken_record_does_not_hide_the_others() {
        let text = br#"{"Records":[{"eventName":"A"},"text",{"eventName":oops},{"eventName":"B"},7,{"Records":[]}]}"#;
        let (seen, result) = read(text, 9, Limits::default());
        assert_eq!((seen.join(" "), result), ("A bad #1 bad #2 B bad #4 bad #5".to_owned(), Ok(())));
    }

    #[test]
    fn an_oversized_record_costs_itself_and_no_memory() {
        let huge =
            format!(r#"{{"Records":[{{"eventName":"A"}},{{"x":"{}"}},{{"eventName":"B"}}]}}"#, "y".repeat(10_000));
        let limits = Limits { max_record_bytes: 1000, ..Limits::default() };
        for chunk in [64, 100_000] {
            assert_eq!(read(huge.as_bytes(), chunk, limits).0.join(" "), "A bad #1 B");
        }
    }

    #[test]
    fn limits_lie_at_the_same_byte_however_the_file_comes() {
        let oops = r#"{"eventName":oops,"#;
        for (limits, text, expected) in [
            // The damage stands within what one record may have, and its end doesn't.
            ((60, 1000), format!(r#"[{{"eventName":"A"}},{oops}"x":"{}"}}]"#, "y".repeat(60)), "A bad #1"),
            ((60, 1000), format!(r#"{{"eventName":"A"}}{{"eventName":{}}}"#, "1".repeat(60)), "A"),
            ((60, 1000), format!(r#"{{"eventName":"A"}}{oops}"x":"{}"}}"#, "y".repeat(60)), "A"),
            ((60, 1000), format!(r#"{{"{}":1,"Records":[{{"eventName":"A"}}]}}"#, "y".repeat(60)), ""),
            ((60, 1000), format!(r#"{{"Records":[{{"eventName":"A"}}],"x":"{}"}}"#, "y".repeat(60)), "A"),
            ((1000, 40), "{\"eventName\":\"A\"}".repeat(10), "A A"),
        ] {
            let limits = Limits { max_record_bytes: limits.0, max_file_bytes: limits.1 };
            for bytes in [gzip(text.as_bytes()), text.into_bytes()] {
                let whole = read(&bytes, 1000, limits);
                assert_eq!(whole.0.join(" "), expected);
                for chunk in 1..70 {
                    assert_eq!(read(&bytes, chunk, limits), whole, "chunks of {chunk}");
                }
            }
        }
    }

    #[test]
    fn a_record_before_the_damage_is_read_even_if_more_was_wanted_before_looking_again() {
        let file = format!(r#"[{{"eventName":"A","x":"{}"}},{{"eventName":"B"}}]"#, "y".repeat(70_000));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        encoder.write_all(file.as_bytes()).unwrap();
        let mut bytes = encoder.finish().unwrap();
        let checksum = bytes.len() - 8;
        bytes[checksum] ^= 1;
        for chunk in [500, 100_000] {
            let (seen, result) = read(&bytes, chunk, Limits::default());
            assert_eq!((seen.join(" "), result), ("A B".to_owned(), Err(ReadError::Damaged("its checksum is wrong"))));
        }
    }

    #[test]
    fn damage_is_named_and_what_came_before_it_is_read() {
        let mut corrupt = gzip(FILE);
        let end = corrupt.len();
        corrupt[end - 6] ^= 1; // in the checksum
        let fail = |bytes: &[u8]| {
            let (seen, result) = read(bytes, 1 << 20, Limits::default());
            (seen.join(" "), result.unwrap_err())
        };
        let (seen, error) = fail(&corrupt);
        assert!(seen == "A B" && matches!(error, ReadError::Damaged(_)), "{seen} {error}");
        assert_eq!(fail(&FILE[..50]), ("A".into(), ReadError::Truncated));
        assert_eq!(fail(&gzip(FILE)[..40]).1, ReadError::Truncated);
        assert_eq!(fail(b""), (String::new(), ReadError::Empty));
        assert_eq!(fail(b"\n "), (String::new(), ReadError::Empty));
        assert_eq!(fail(b"PK\x03\x04"), (String::new(), ReadError::NotJson));
        assert_eq!(fail(b"{}"), (String::new(), ReadError::NoRecords));
        assert_eq!(fail(br#"{"Records":null}"#), (String::new(), ReadError::NoRecords));
        assert_eq!(fail(br#"{"Records":nul}"#), ("bad #0".into(), ReadError::Broken { at: 11 }));
        assert_eq!(fail(br#"{"Records":[{"eventName":"A"}],"x":oops}"#), ("A".into(), ReadError::Broken { at: 35 }));
        // A quote is missing.
        assert_eq!(fail(br#"[{"eventName":"A},{"eventName":"B"}]"#), ("bad #0".into(), ReadError::Truncated));
        assert_eq!(fail(b"{\"Records\":[}"), (String::new(), ReadError::Broken { at: 12 }));
        let mut trailing = gzip(FILE);
        trailing.extend(b"junk");
        assert!(matches!(fail(&trailing).1, ReadError::Damaged(_)));
    }

    #[test]
    fn a_gzip_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![b' '; 5_000_000]);
        let limits = Limits { max_file_bytes: 1_000_000, ..Limits::default() };
        assert_eq!(read(&bomb, 1 << 20, limits).1, Err(ReadError::TooLarge { limit: 1_000_000 }));
    }
}
