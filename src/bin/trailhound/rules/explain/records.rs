//! The records of a file or of standard input, as a scan reads them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use trailhound::ports::BoxError;
use trailhound::trail::{Item, Reader};

const CHUNK_BYTES: usize = 256 * 1024;
const STANDARD_INPUT: &str = "-";

/// Records that were asked for.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) chosen: Vec<Raw>,
    /// Further ones, past the limit.
    pub(crate) left_out: usize,
    /// Parts that could not be read, for the person at the terminal.
    pub(crate) problems: Vec<String>,
}

/// One record's text and its place in the file.
pub(crate) struct Raw {
    pub(crate) index: u64,
    pub(crate) text: String,
}

impl Records {
    /// Reads the first `max` records, or of all those with the event id.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn read(path: &Path, event: Option<&str>, max: usize) -> Result<Self, BoxError> {
        let mut records = Self::default();
        let mut read = 0_u64;
        let streamed = source(path).map_err(BoxError::from).and_then(|source| {
            stream(source, &mut |item| {
                read += 1;
                records.take(item, event, max);
            })
        });
        if let Err(error) = streamed {
            records.problems.push(format!("{}: {error}", path.display()));
        }
        match (records.chosen.is_empty(), records.problems.first(), event) {
            (false, ..) => Ok(records),
            (true, Some(problem), _) => Err(problem.as_str().into()),
            (true, None, None) => Err(format!("{}: there is no record in it", path.display()).into()),
            (true, None, Some(event)) => {
                Err(format!("{}: none of its {read} records has the eventID `{event}`", path.display()).into())
            }
        }
    }

    fn take(&mut self, item: Item<'_>, event: Option<&str>, max: usize) {
        match item {
            Item::Bad(bad) => self.problems.push(bad.to_string()),
            Item::Record(record) if event.is_some_and(|event| record.text("eventID").as_deref() != Some(event)) => {}
            Item::Record(_) if self.chosen.len() == max => self.left_out += 1,
            Item::Record(record) => self.chosen.push(Raw { index: record.index(), text: record.raw().to_owned() }),
        }
    }
}

fn source(path: &Path) -> io::Result<Box<dyn Read>> {
    Ok(if path == Path::new(STANDARD_INPUT) { Box::new(io::stdin()) } else { Box::new(File::open(path)?) })
}

fn stream(mut source: Box<dyn Read>, each: &mut impl FnMut(Item<'_>)) -> Result<(), BoxError> {
    let mut reader = Reader::new(crate::limits()?);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match source.read(&mut chunk)? {
            0 => return Ok(reader.finish(each)?),
            read => reader.push(&chunk[..read], each)?,
        }
    }
}
