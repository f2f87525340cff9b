//! SHA-256 of what a file holds: of its bytes after inflating, as digests list them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use crate::trail::{ReadError, Unzip};

/// Bytes that a log file may inflate to; `CloudTrail` writes 50 MB at most. It is read as a stream, so this costs time alone.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// A SHA-256 hash, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Of bytes that are in memory.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads it as it is written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(from_hex(text)?.try_into().ok()?))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not 64 hexadecimal digits"))
    }
}

/// Hashes a log file as it arrives.
///
/// ```
/// use trailhound::integrity::{Hash, Hasher};
///
/// let mut hasher = Hasher::default();
/// hasher.push(br#"{"Records""#)?;
/// hasher.push(b":[]}")?;
/// assert_eq!(hasher.finish()?, Hash::of(br#"{"Records":[]}"#));
/// # Ok::<(), trailhound::trail::ReadError>(())
/// ```
#[derive(Debug)]
pub struct Hasher {
    unzip: Unzip,
    hash: Sha256,
}

impl Default for Hasher {
    fn default() -> Self {
        Self { unzip: Unzip::new(MAX_FILE_BYTES), hash: Sha256::new() }
    }
}

impl Hasher {
    /// Feeds a chunk of the object as it is stored.
    ///
    /// # Errors
    /// When it can't be inflated. Then it isn't what `CloudTrail` wrote.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), ReadError> {
        let Self { unzip, hash } = self;
        unzip.push(chunk, &mut |bytes| hash.update(bytes))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When it isn't whole, or empty.
    pub fn finish(self) -> Result<Hash, ReadError> {
        self.unzip.finish()?;
        Ok(Hash(self.hash.finalize().into()))
    }
}

/// The bytes that pairs of hexadecimal digits stand for.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = Hash::of(b"");
        assert_eq!(hash.to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(Hash::parse(&hash.to_string().to_uppercase()), Some(hash));
        for text in ["", "e3", "e3b", "zz", &hash.to_string()[1..], &format!("{hash}00")] {
            assert_eq!(Hash::parse(text), None, "{text}");
        }
    }
}
