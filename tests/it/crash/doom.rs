//! Parts of a pipeline that end the process at a point of its work.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use trailhound::alerting::{Item, Items, Key, Listed, Stretch};
use trailhound::local::{Folder, FolderBody, StateFile};
use trailhound::notify::Notification;
use trailhound::ports::{
    Clock, FetchError, KeepError, ListError, ObjectStore, Page, PublishError, Publisher, StateError, StateStore,
};
use trailhound::trigger::ObjectRef;

use crate::limits::events_of;

/// Ends the process at its point.
pub(super) struct Doom {
    pub(super) at: usize,
    pub(super) passed: AtomicUsize,
    pub(super) folder: PathBuf,
    /// Alerts that are out and not marked, by dedup key.
    pub(super) unmarked: Mutex<BTreeMap<String, String>>,
}

impl Doom {
    fn point(&self, doing: &str) {
        if self.passed.fetch_add(1, Ordering::SeqCst) == self.at {
            let unmarked = self.unmarked.lock().unwrap();
            let lines: Vec<&str> = std::iter::once(doing).chain(unmarked.values().map(String::as_str)).collect();
            fs::write(self.folder.join("trace"), lines.join("\n")).unwrap();
            std::process::abort();
        }
    }

    fn published(&self, notification: &Notification) {
        let chat: Value = serde_json::from_str(&notification.chat).unwrap();
        let key = chat["metadata"]["threadId"].as_str().unwrap();
        let kind = if notification.subject.contains(" held back: ") { "Q" } else { "A" };
        self.unmarked.lock().unwrap().insert(format!("{kind}#{key}"), notification.subject.clone());
    }

    /// What is written under the key of an alert that is out is its mark; the claim came before.
    fn written(&self, item: &Item) {
        self.unmarked.lock().unwrap().remove(&item.key.partition);
    }
}

/// Five minutes later than the first try, or not.
pub(super) struct Later(pub(super) SignedDuration);

impl Clock for Later {
    fn now(&self) -> Timestamp {
        "2026-11-05T10:06:00Z".parse::<Timestamp>().unwrap() + self.0
    }

    async fn pause(&self, _: Duration) {}
}

/// Dies around what is put aside.
pub(super) struct DoomedObjects {
    pub(super) folder: Folder,
    pub(super) doom: Arc<Doom>,
}

impl ObjectStore for DoomedObjects {
    type Body = FolderBody;

    async fn get(&self, object: &ObjectRef) -> Result<FolderBody, FetchError> {
        self.folder.get(object).await
    }

    async fn list(&self, bucket: &str, prefix: &str, after: Option<&str>) -> Result<Vec<ObjectRef>, ListError> {
        self.folder.list(bucket, prefix, after).await
    }

    async fn put(&self, to: &ObjectRef, bytes: Bytes) -> Result<(), KeepError> {
        self.doom.point("put aside");
        self.folder.put(to, bytes).await
    }

    async fn copy(&self, from: &ObjectRef, to: &ObjectRef) -> Result<(), KeepError> {
        self.doom.point("put aside");
        self.folder.copy(from, to).await?;
        self.doom.point("put aside");
        Ok(())
    }
}

/// Writes items one by one, as a table does: the process may die with a part of them written.
pub(super) struct DoomedState {
    pub(super) state: StateFile,
    pub(super) doom: Arc<Doom>,
}

impl StateStore for DoomedState {
    async fn get(&self, keys: &[Key], now: Timestamp) -> Result<Items, StateError> {
        self.doom.point("get");
        let items = self.state.get(keys, now).await;
        self.doom.point("get");
        items
    }

    async fn list(&self, stretches: &[Stretch], now: Timestamp) -> Result<Vec<Listed>, StateError> {
        self.doom.point("list");
        let listed = self.state.list(stretches, now).await;
        self.doom.point("list");
        listed
    }

    async fn put(&self, items: &[Item]) -> Result<(), StateError> {
        for item in items {
            self.doom.point("put");
            self.state.put(std::slice::from_ref(item)).await?;
            self.doom.point("put");
        }
        Ok(())
    }

    async fn swap(&self, items: &[Item], now: Timestamp) -> Result<Vec<bool>, StateError> {
        let mut written = Vec::new();
        for item in items {
            self.doom.point("swap");
            written.extend(self.state.swap(std::slice::from_ref(item), now).await?);
            self.doom.written(item);
            self.doom.point("swap");
        }
        Ok(written)
    }

    async fn page(&self, after: Option<&Key>, now: Timestamp) -> Result<Page, StateError> {
        self.state.page(after, now).await
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StateError> {
        for key in keys {
            self.doom.point("remove");
            self.state.remove(std::slice::from_ref(key)).await?;
        }
        Ok(())
    }
}

/// Adds a line to a file for each alert.
pub(super) struct DoomedPublisher {
    pub(super) folder: PathBuf,
    pub(super) doom: Arc<Doom>,
}

impl Publisher for DoomedPublisher {
    async fn publish(&self, notification: &Notification) -> Result<(), PublishError> {
        self.doom.point("publish");
        append(&self.folder.join("alerts"), &notification.subject);
        for event in events_of(notification) {
            append(&self.folder.join("events"), &event);
        }
        self.doom.published(notification);
        self.doom.point("publish");
        Ok(())
    }
}

fn append(path: &Path, line: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    writeln!(file, "{line}").unwrap();
}
