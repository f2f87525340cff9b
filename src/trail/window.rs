//! The stretch of a file that is in memory: one buffer, filled behind and emptied in front.

/// Bytes that are inflated at a time: as large as pays, and small enough to stay in a processor's cache.
const CHUNK_BYTES: usize = 256 * 1024;
/// A buffer that an outsized record has made larger than this is not kept for the next file.
const KEPT_BYTES: usize = 4 * CHUNK_BYTES;

/// Bytes that have come and are not done with.
#[derive(Debug, Default)]
pub(super) struct Window {
    buffer: Vec<u8>,
    /// Bytes of the buffer that have come; room is behind them.
    filled: usize,
    /// Where the buffer's first byte stands in the file, after inflating.
    offset: u64,
}

impl Window {
    /// Begins another file.
    pub(super) fn clear(&mut self) {
        (self.filled, self.offset) = (0, 0);
        if self.buffer.len() > KEPT_BYTES {
            self.buffer = Vec::new();
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Room for more bytes; never empty.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.is_full() {
            // Exactly: doubled, a record at the limit would take twice as much.
            self.buffer.reserve_exact(CHUNK_BYTES);
            self.buffer.resize(self.filled + CHUNK_BYTES, 0);
        }
        &mut self.buffer[self.filled..]
    }

    /// So many bytes have come into the room.
    pub(super) fn came(&mut self, bytes: usize) {
        self.filled += bytes;
    }

    /// Whether it is time to look at what has come.
    pub(super) fn is_full(&self) -> bool {
        self.filled == self.buffer.len()
    }

    /// The first so many bytes are done with.
    pub(super) fn done(&mut self, bytes: usize) {
        self.buffer.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
        self.offset += bytes as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_done_with_stays_and_room_is_made_for_more() {
        let mut window = Window::default();
        for part in [&b"abc"[..], b"def"] {
            window.room()[..3].copy_from_slice(part);
            window.came(3);
        }
        window.done(4);
        assert_eq!((window.bytes(), window.offset()), (&b"ef"[..], 4));
        let room = window.room().len();
        window.came(room);
        assert!(window.is_full() && window.bytes().len() == CHUNK_BYTES);
        assert_eq!(window.room().len(), CHUNK_BYTES);
        window.clear();
        assert!(window.bytes().is_empty() && window.offset() == 0 && window.buffer.len() == 2 * CHUNK_BYTES);
    }
}
