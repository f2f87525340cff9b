//! Where alerts go on one machine.

use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use crate::notify::Notification;
use crate::ports::{PublishError, Publisher};

/// Prints alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdout {
    /// As e-mail shows them.
    Text,
    /// Each with all its forms, as JSON in a line.
    Json,
}

impl Publisher for Stdout {
    async fn publish(&self, notification: &Notification) -> Result<(), PublishError> {
        let Notification { subject, text, topic, .. } = notification;
        let topic = topic.as_ref().map(|topic| format!("Topic: {topic}\n")).unwrap_or_default();
        let printed = match self {
            // Without the record, which would fill the screen.
            Self::Text => format!("{}\n{topic}Subject: {subject}\n\n{text}", "─".repeat(72)),
            Self::Json => notification.forms().to_string(),
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{printed}")
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
