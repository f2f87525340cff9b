//! The ports on one machine: a folder, an embedded database file, the terminal. And the folders that people point at.

mod files;
mod keys;
mod outbox;
mod printer;
mod state_file;
mod state_memory;
mod walk;

use std::time::Duration;

use jiff::Timestamp;

use crate::ports::Clock;

pub use files::{Folder, FolderBody};
pub use keys::{KeyFile, KeyFileError, NoKeys};
pub use outbox::{Outbox, Stdout};
pub use printer::{Printer, SecretFileError, secret_file};
pub use state_file::{OpenError, StateFile};
pub use state_memory::StateMemory;
pub use walk::{Unlisted, walk};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn pause(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }
}
