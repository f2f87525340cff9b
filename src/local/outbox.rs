//! Where alerts go on one machine.

use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use crate::notify::Notification;
use crate::ports::{PublishError, Publisher};

/// Prints alerts as e-mail shows them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stdout;

impl Publisher for Stdout {
    async fn publish(&self, notification: &Notification) -> Result<(), PublishError> {
        // Without the record, which would fill the screen.
        let Notification { subject, text, .. } = notification;
        let rule = "─".repeat(78);
        let mut out = io::stdout().lock();
        writeln!(out, "{rule}\nSubject: {subject}\n\n{text}")
            .and_then(|()| out.flush())
            .map_err(|error| PublishError { to: "stdout".to_owned(), source: error.into() })
    }
}

/// Keeps alerts, for whoever wants to look at them.
#[derive(Debug, Default)]
pub struct Outbox(Mutex<Vec<Notification>>);

impl Outbox {
    /// Takes out what has been published since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<Notification> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Publisher for Outbox {
    async fn publish(&self, notification: &Notification) -> Result<(), PublishError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(notification.clone());
        Ok(())
    }
}
