//! Inflates a stream chunk by chunk: gzip with any number of members, or plain bytes passed through.

use flate2::{Decompress, FlushDecompress, Status};

use super::ReadError;

const GZIP: u8 = 0x1f; // its first magic byte, which can't begin a JSON document
const WINDOW_BITS: u8 = 15;
const OUTPUT_BYTES: usize = 64 * 1024;

/// Memory stays at one output buffer and zlib's window, whatever comes in.
pub(super) struct Inflate {
    state: State,
    output: Vec<u8>,
    inflated: u64,
    limit: u64,
}

enum State {
    Start,
    Plain,
    Member(Box<Decompress>),
    BetweenMembers,
}

impl Inflate {
    /// Inflates at most `limit` bytes in all. The size in the gzip trailer is the sender's claim and is not used.
    pub(super) fn new(limit: u64) -> Self {
        Self { state: State::Start, output: vec![0; OUTPUT_BYTES], inflated: 0, limit }
    }

    /// Feeds a chunk and hands on what it inflates to, a piece at a time.
    pub(super) fn push(
        &mut self,
        mut chunk: &[u8],
        sink: &mut impl FnMut(&[u8]) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        while let Some(&first) = chunk.first() {
            match &mut self.state {
                State::Start => self.state = if first == GZIP { member() } else { State::Plain },
                State::Plain => {
                    count(&mut self.inflated, chunk.len(), self.limit)?;
                    return sink(chunk);
                }
                State::Member(inflater) => {
                    let (used, ended) = inflate(inflater, chunk, &mut self.output, |piece| {
                        count(&mut self.inflated, piece.len(), self.limit)?;
                        sink(piece)
                    })?;
                    chunk = &chunk[used..];
                    if ended {
                        self.state = State::BetweenMembers;
                    }
                }
                State::BetweenMembers => match first {
                    GZIP => self.state = member(),
                    0 => chunk = &chunk[1..], // padding that gzip allows
                    _ => return Err(ReadError::Damaged("bytes follow the end of the gzip data".to_owned())),
                },
            }
        }
        Ok(())
    }

    /// # Errors
    /// [`ReadError::Truncated`] when the last member hasn't ended.
    pub(super) fn finish(&self) -> Result<(), ReadError> {
        match self.state {
            State::Start => Err(ReadError::Empty),
            State::Member(_) => Err(ReadError::Truncated),
            State::Plain | State::BetweenMembers => Ok(()),
        }
    }
}

fn member() -> State {
    State::Member(Box::new(Decompress::new_gzip(WINDOW_BITS)))
}

/// Inflates until the input is used up or the member ends. Returns the bytes used and whether it ended.
fn inflate(
    inflater: &mut Decompress,
    input: &[u8],
    output: &mut [u8],
    mut sink: impl FnMut(&[u8]) -> Result<(), ReadError>,
) -> Result<(usize, bool), ReadError> {
    let mut used = 0;
    loop {
        let (in_before, out_before) = (inflater.total_in(), inflater.total_out());
        let status = inflater.decompress(&input[used..], output, FlushDecompress::None);
        // OK because neither can grow past the slices handed in.
        let taken = usize::try_from(inflater.total_in() - in_before).unwrap_or(usize::MAX);
        let given = usize::try_from(inflater.total_out() - out_before).unwrap_or(usize::MAX);
        used += taken;
        sink(&output[..given])?;
        // Only now: what was inflated before the damage holds records too.
        let status = status.map_err(|error| ReadError::Damaged(error.to_string()))?;
        if status == Status::StreamEnd {
            return Ok((used, true));
        }
        // A full output buffer may hide more; otherwise all that this input gives has been given.
        if given < output.len() && used == input.len() {
            return Ok((used, false));
        }
        if taken == 0 && given == 0 {
            return Err(ReadError::Damaged("the gzip data makes no progress".to_owned()));
        }
    }
}

fn count(inflated: &mut u64, bytes: usize, limit: u64) -> Result<(), ReadError> {
    *inflated += bytes as u64;
    if *inflated > limit { Err(ReadError::TooLarge { limit }) } else { Ok(()) }
}
