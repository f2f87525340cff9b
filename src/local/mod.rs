//! The ports on one machine: a folder, an embedded database file, the terminal.

mod files;
mod outbox;
mod state;

use jiff::Timestamp;

use crate::ports::Clock;

pub use files::{Folder, FolderBody};
pub use outbox::{Outbox, Stdout};
pub use state::{OpenError, State};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
