//! Inflates a stream chunk by chunk: gzip with any number of members, or plain bytes passed through.

use flate2::{Decompress, DecompressError, FlushDecompress, Status};

use super::ReadError;
use super::window::Window;

const GZIP: u8 = 0x1f; // its first magic byte, which can't begin a JSON document
const WINDOW_BITS: u8 = 15;

/// Memory stays at zlib's window, whatever comes in.
#[derive(Debug, Default)]
pub(super) struct Inflate {
    state: State,
    inflated: u64,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Start,
    Plain,
    Member(Box<Decompress>),
    BetweenMembers,
}

impl Inflate {
    /// Begins another file.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Bytes inflated so far.
    pub(super) fn inflated(&self) -> u64 {
        self.inflated
    }

    /// Takes from the front of `chunk` what fits into the window's room, inflated.
    ///
    /// # Errors
    /// [`ReadError::Damaged`], and [`ReadError::TooLarge`] past `limit` bytes in all. What came before the damage is in the
    /// window. The size in the gzip trailer is the sender's claim and is not used.
    pub(super) fn step(&mut self, chunk: &mut &[u8], window: &mut Window, limit: u64) -> Result<(), ReadError> {
        let first = chunk.first();
        // One byte more tells that the limit is passed; where that is doesn't depend on how much comes at a time.
        let left = usize::try_from(limit.saturating_sub(self.inflated)).unwrap_or(usize::MAX).saturating_add(1);
        match (&mut self.state, first) {
            // Without further input it may still hold back what there was no room for.
            (State::Member(inflater), _) => {
                let (ended, came, damage) = inflate(inflater, chunk, within(window.room(), left));
                if ended {
                    self.state = State::BetweenMembers;
                }
                // Only then the damage: what was inflated before it holds records too.
                self.came(came, window, limit)?;
                damage?;
            }
            (_, None) => {}
            (State::Start, first) => self.state = if first == Some(&GZIP) { member() } else { State::Plain },
            (State::Plain, _) => {
                let room = within(window.room(), left);
                let (taken, rest) = chunk.split_at(room.len().min(chunk.len()));
                room[..taken.len()].copy_from_slice(taken);
                *chunk = rest;
                self.came(taken.len(), window, limit)?;
            }
            (State::BetweenMembers, Some(&GZIP)) => self.state = member(),
            (State::BetweenMembers, Some(0)) => *chunk = &chunk[1..], // padding that gzip allows
            (State::BetweenMembers, _) => {
                return Err(ReadError::Damaged("other bytes follow its end"));
            }
        }
        Ok(())
    }

    /// # Errors
    /// [`ReadError::Truncated`] when the last member hasn't ended, [`ReadError::Empty`] when there was nothing.
    pub(super) fn finish(&self) -> Result<(), ReadError> {
        match self.state {
            State::Start => Err(ReadError::Empty),
            State::Member(_) => Err(ReadError::Truncated),
            State::Plain | State::BetweenMembers => Ok(()),
        }
    }

    fn came(&mut self, bytes: usize, window: &mut Window, limit: u64) -> Result<(), ReadError> {
        window.came(bytes);
        self.inflated += bytes as u64;
        if self.inflated > limit { Err(ReadError::TooLarge { limit }) } else { Ok(()) }
    }
}

fn within(room: &mut [u8], most: usize) -> &mut [u8] {
    let length = room.len().min(most);
    &mut room[..length]
}

fn member() -> State {
    State::Member(Box::new(Decompress::new_gzip(WINDOW_BITS)))
}

/// Inflates until the input is used up, the room is full, or the member ends. Returns whether it ended, the bytes that came,
/// and what was wrong behind them.
fn inflate(inflater: &mut Decompress, chunk: &mut &[u8], room: &mut [u8]) -> (bool, usize, Result<(), ReadError>) {
    let given = chunk.len();
    let (in_before, out_before) = (inflater.total_in(), inflater.total_out());
    let status = inflater.decompress(chunk, room, FlushDecompress::None);
    // OK because neither can grow past the slices handed in.
    let taken = usize::try_from(inflater.total_in() - in_before).unwrap_or(usize::MAX);
    let came = usize::try_from(inflater.total_out() - out_before).unwrap_or(usize::MAX);
    *chunk = &chunk[taken..];
    let damage = match status {
        Err(error) => Err(ReadError::Damaged(damage_of(&error))),
        Ok(Status::StreamEnd) => return (true, came, Ok(())),
        Ok(_) if given > 0 && taken == 0 && came == 0 => Err(ReadError::Damaged("it makes no progress")),
        Ok(_) => Ok(()),
    };
    (false, came, damage)
}

/// What is wrong, in words that don't depend on the chunks: the library's own for one and the same damage do.
fn damage_of(error: &DecompressError) -> &'static str {
    match error.message() {
        Some("incorrect data check") => "its checksum is wrong",
        Some("incorrect length check") => "its length is wrong",
        Some(
            "incorrect header check"
            | "unknown compression method"
            | "unknown header flags set"
            | "header crc mismatch",
        ) => "its header is wrong",
        _ => "its codes are wrong",
    }
}
