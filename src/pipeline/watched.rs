//! The memory as one invocation uses it: calls are counted, and none begins when there is no time for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use crate::alerting::{Item, Items, Key, Listed, Stretch};
use crate::ports::{Clock, Page, StateError, StateStore};

pub(super) struct Watched<'w, S, C> {
    state: &'w S,
    clock: &'w C,
    until: Option<Timestamp>,
    calls: Arc<AtomicU64>,
}

impl<'w, S: StateStore, C: Clock> Watched<'w, S, C> {
    pub(super) fn new(state: &'w S, clock: &'w C, until: Option<Timestamp>, calls: &Arc<AtomicU64>) -> Self {
        Self { state, clock, until, calls: Arc::clone(calls) }
    }

    fn begin(&self, doing: &'static str) -> Result<(), StateError> {
        if self.until.is_some_and(|until| self.clock.now() >= until) {
            return Err(StateError::OutOfTime { doing });
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl<S: StateStore, C: Clock> StateStore for Watched<'_, S, C> {
    async fn get(&self, keys: &[Key], now: Timestamp) -> Result<Items, StateError> {
        self.begin("reading what is remembered")?;
        self.state.get(keys, now).await
    }

    async fn list(&self, stretches: &[Stretch], now: Timestamp) -> Result<Vec<Listed>, StateError> {
        self.begin("reading what is remembered")?;
        self.state.list(stretches, now).await
    }

    async fn put(&self, items: &[Item]) -> Result<(), StateError> {
        self.begin("remembering")?;
        self.state.put(items).await
    }

    async fn swap(&self, items: &[Item], now: Timestamp) -> Result<Vec<bool>, StateError> {
        self.begin("remembering")?;
        self.state.swap(items, now).await
    }

    async fn page(&self, after: Option<&Key>, now: Timestamp) -> Result<Page, StateError> {
        self.begin("reading what is remembered")?;
        self.state.page(after, now).await
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StateError> {
        self.begin("forgetting")?;
        self.state.remove(keys).await
    }
}
