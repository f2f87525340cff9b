//! Inflates a file, for whoever wants its bytes and not its records.

use super::ReadError;
use super::inflate::Inflate;
use super::window::Window;

/// Turns the chunks of a file as it is stored into the bytes that it holds, with memory of one chunk.
///
/// ```
/// use trailhound::trail::Unzip;
///
/// let mut bytes = Vec::new();
/// let mut unzip = Unzip::new(1 << 20);
/// unzip.push(b"not zipped: ", &mut |part| bytes.extend_from_slice(part))?;
/// unzip.push(b"as it is", &mut |part| bytes.extend_from_slice(part))?;
/// unzip.finish()?;
/// assert_eq!(bytes, b"not zipped: as it is");
/// # Ok::<(), trailhound::trail::ReadError>(())
/// ```
#[derive(Debug)]
pub struct Unzip {
    /// Bytes that the file may inflate to.
    limit: u64,
    inflate: Inflate,
    window: Window,
}

impl Unzip {
    /// Starts a file that may inflate to `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { limit, inflate: Inflate::default(), window: Window::default() }
    }

    /// Feeds a chunk of the object as it is stored and hands on what it holds.
    ///
    /// # Errors
    /// When the data is damaged, or inflates past the limit. What came before that has been handed on.
    pub fn push(&mut self, mut chunk: &[u8], each: &mut impl FnMut(&[u8])) -> Result<(), ReadError> {
        let mut more = !chunk.is_empty();
        while more {
            let stepped = self.inflate.step(&mut chunk, &mut self.window, self.limit);
            // What fills the window may not be all that the chunk holds.
            let full = self.window.is_full() && !self.window.bytes().is_empty();
            more = !chunk.is_empty() || full;
            let came = self.window.bytes();
            let bytes = came.len();
            each(came);
            self.window.done(bytes);
            stepped?;
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`ReadError::Truncated`] when it isn't whole, [`ReadError::Empty`] when there was nothing.
    pub fn finish(&self) -> Result<(), ReadError> {
        self.inflate.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn unzip(file: &[u8], chunk: usize, limit: u64) -> (Vec<u8>, Result<(), ReadError>) {
        let mut bytes = Vec::new();
        let mut unzip = Unzip::new(limit);
        let result =
            file.chunks(chunk).try_for_each(|part| unzip.push(part, &mut |part| bytes.extend_from_slice(part)));
        (bytes, result.and_then(|()| unzip.finish()))
    }

    #[test]
    fn bytes_come_out_as_they_went_in_whatever_the_chunks() {
        let content: Vec<u8> = (0..700_000_u32).flat_map(|number| (number / 7).to_le_bytes()).collect();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&content).unwrap();
        let file = encoder.finish().unwrap();
        for chunk in [1_000, 1 << 20, file.len()] {
            assert!(unzip(&file, chunk, 1 << 30) == (content.clone(), Ok(())), "chunks of {chunk}");
        }
        assert_eq!(unzip(&file, 1 << 20, 1_000).1, Err(ReadError::TooLarge { limit: 1_000 }));
        assert_eq!(unzip(&file[..file.len() - 1], 1 << 20, 1 << 30).1, Err(ReadError::Truncated));
        assert_eq!(unzip(&[], 1, 1 << 30).1, Err(ReadError::Empty));
    }
}
