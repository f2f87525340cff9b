//! Readers that are used again, because a new one's memory costs more than a small file.

use std::sync::{Mutex, PoisonError};

use super::{Limits, Reader};

/// As many readers as have been needed at a time.
#[derive(Debug, Default)]
pub struct Readers {
    limits: Limits,
    spare: Mutex<Vec<Reader>>,
}

impl Readers {
    /// Readers that keep to these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, spare: Mutex::default() }
    }

    /// One for the next file.
    #[must_use]
    pub fn take(&self) -> Reader {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Reader::new(self.limits))
    }

    /// Gives one back, whatever became of its file.
    pub fn give(&self, mut reader: Reader) {
        reader.restart();
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::Item;

    #[test]
    fn a_reader_that_failed_reads_the_next_file() {
        let readers = Readers::default();
        let mut names = Vec::new();
        let mut each = |item: Item<'_>| match item {
            Item::Record(record) => names.push(record.text("eventName").unwrap_or_default().into_owned()),
            Item::Bad(bad) => names.push(bad.to_string()),
        };
        for file in [
            &br#"{"Records":[{"eventName":"a"},{"eventN"#[..],
            b"\x1f\x8bdamaged",
            br#"{"Records":[{"eventName":"b"}]}"#,
        ] {
            let mut reader = readers.take();
            let _ = reader.push(file, &mut each).and_then(|()| reader.finish(&mut each));
            readers.give(reader);
        }
        assert_eq!((names, readers.spare.lock().unwrap().len()), (vec!["a".to_owned(), "b".to_owned()], 1));
    }
}
