//! What reading has to hold, whatever the bytes. The fuzz targets and the tests in `tests/it` both ask here.

mod record;
mod strict;
mod tree;

use std::fmt;
use std::io::{Read as _, Write as _};
use std::ops::Range;

use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use trailhound::trail::{BadRecord, FieldPath, Item, Limits, ReadError, Reader, Record};

/// A larger record is not held against `serde_json`, which would take too long for so many records.
const COMPARED_BYTES: usize = 16 * 1024;

/// What came of a file.
#[derive(PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) items: Vec<Seen>,
    pub(crate) end: Result<(), ReadError>,
}

/// What the reader handed on.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Record { index: u64, range: Range<u64>, raw: String },
    Bad(BadRecord),
}

impl Seen {
    fn range(&self) -> &Range<u64> {
        match self {
            Self::Record { range, .. } => range,
            Self::Bad(bad) => &bad.range,
        }
    }

    /// Its index, where it begins, and its text if it is a record.
    fn outline(&self) -> (u64, u64, Option<&str>) {
        match self {
            Self::Record { index, range, raw } => (*index, range.start, Some(raw)),
            Self::Bad(bad) => (bad.index, bad.range.start, None),
        }
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left_out = self.items.len().saturating_sub(20);
        f.debug_list().entries(self.items.iter().take(20)).finish()?;
        write!(f, " and {left_out} more; {:?}", self.end)
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record { index, range, raw } => write!(f, "#{index} {range:?} {raw:.200}"),
            Self::Bad(bad) => write!(f, "{bad}"),
        }
    }
}

/// Reads a file that comes in these chunks; `look` gets each record.
pub(crate) fn read<'c>(
    reader: &mut Reader,
    chunks: impl IntoIterator<Item = &'c [u8]>,
    look: &mut impl FnMut(&Record<'_>),
) -> Reading {
    let mut items = Vec::new();
    let mut each = |item: Item<'_>| {
        items.push(match item {
            Item::Record(record) => {
                look(&record);
                Seen::Record { index: record.index(), range: record.range(), raw: record.raw().to_owned() }
            }
            Item::Bad(bad) => Seen::Bad(bad),
        });
    };
    reader.restart();
    let pushed = chunks.into_iter().try_for_each(|chunk| reader.push(chunk, &mut each));
    let end = pushed.and_then(|()| reader.finish(&mut each));
    Reading { items, end }
}

/// Reads a file in one piece and in chunks of these sizes. What comes of it must not depend on them, has to stand where it says,
/// and be what `serde_json` finds if that takes the whole file. Returns it, and how many members of records were compared.
pub(crate) fn file(bytes: &[u8], limits: Limits, sizes: &[usize]) -> (Reading, usize) {
    let mut reader = Reader::new(limits);
    let mut compared = 0;
    let whole = read(&mut reader, [bytes], &mut |record| compared += looked_into(record));
    for &size in sizes {
        let again = read(&mut reader, bytes.chunks(size), &mut |_| {});
        assert!(again == whole, "in chunks of {size}: {again:?}\nin one piece: {whole:?}");
    }
    let (plain, sound) = inflated(bytes);
    stands_where_it_says(&whole, &plain, sound);
    if sound && plain.len() as u64 <= limits.max_file_bytes {
        strict::agrees(&whole, &plain, limits);
    }
    (whole, compared)
}

fn looked_into(record: &Record<'_>) -> usize {
    if record.raw().len() <= COMPARED_BYTES { record::agrees(record, &[]) } else { 0 }
}

/// The places are counted through, follow one another, and hold what was handed on.
fn stands_where_it_says(reading: &Reading, plain: &[u8], sound: bool) {
    let mut end = 0;
    for (place, seen) in reading.items.iter().enumerate() {
        let range = seen.range();
        assert_eq!(seen.outline().0, place as u64, "{reading:?}");
        assert!(end <= range.start && range.start <= range.end, "{seen:?} behind {end}");
        end = range.end;
        let there = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        match (there.and_then(|(from, to)| plain.get(from..to)), seen) {
            (Some(there), Seen::Record { raw, .. }) => assert_eq!(there, raw.as_bytes()),
            (Some(_), Seen::Bad(_)) => {}
            (None, _) => assert!(!sound, "{seen:?} ends behind the file's {} bytes", plain.len()),
        }
    }
}

/// The bytes of a file, as far as another reader inflates them, and whether that is all of it.
fn inflated(bytes: &[u8]) -> (Vec<u8>, bool) {
    if bytes.first() != Some(&0x1f) {
        return (bytes.to_vec(), true);
    }
    let mut plain = Vec::new();
    let sound = MultiGzDecoder::new(bytes).read_to_end(&mut plain).is_ok();
    (plain, sound)
}

pub(crate) fn gzip(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    // OK because writing to memory can't fail.
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

/// A file as the fuzzer makes it: how it is packed and limited, a size of chunks, and its bytes.
pub(crate) fn fuzzed_file(input: &[u8]) {
    let [how, size, bytes @ ..] = input else { return };
    let default = Limits::default();
    let limits = Limits {
        max_record_bytes: if how & 1 == 0 { default.max_record_bytes } else { 64 },
        max_file_bytes: if how & 2 == 0 { default.max_file_bytes } else { 256 },
    };
    let (first, second) = bytes.split_at(usize::from(*size).min(bytes.len()));
    let packed = match how >> 2 & 3 {
        0 | 1 => bytes.to_vec(),
        2 => gzip(bytes, Compression::fast()),
        _ => [gzip(first, Compression::none()), second.to_vec()].concat(),
    };
    file(&packed, limits, &[1, usize::from(*size) + 1]);
}

/// A record as the fuzzer makes it: the length of a path, the path, and its bytes.
pub(crate) fn fuzzed_record(input: &[u8]) {
    let [length, rest @ ..] = input else { return };
    let (path, bytes) = rest.split_at(usize::from(*length).min(rest.len()));
    let path = String::from_utf8_lossy(path);
    match Record::parse(0, bytes) {
        Ok(record) => {
            record::agrees(&record, &[FieldPath::new(&path)]);
        }
        Err(bad) => assert!(!strict::is_object(bytes), "{bad}"),
    }
}
