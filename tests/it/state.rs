//! The memory on one machine.

use std::sync::Arc;

use jiff::Timestamp;
use tempfile::TempDir;
use trailhound::alerting::{Item, Key};
use trailhound::local::{OpenError, StateFile, StateMemory};
use trailhound::ports::StateStore as _;

use crate::conformance::holds_every_promise;

fn now() -> Timestamp {
    "2026-11-05T10:00:00Z".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_of_a_process_holds_every_promise() {
    holds_every_promise(Arc::new(StateMemory::default())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_file_holds_every_promise() {
    let folder = TempDir::new().unwrap();
    holds_every_promise(Arc::new(StateFile::open(&folder.path().join("state"), now()).unwrap())).await;
}

#[tokio::test]
async fn a_state_file_outlives_its_process_and_lets_go_of_what_is_past_its_time() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state");
    let item = |name: &str, expires: &str| Item {
        key: Key { partition: name.to_owned(), sort: "-".to_owned() },
        revision: 0,
        expires: expires.parse().unwrap(),
        value: name.to_owned(),
    };
    let (short, long) = (item("short", "2026-11-05T11:00:00Z"), item("long", "2026-12-05T11:00:00Z"));
    {
        let state = StateFile::open(&path, now()).unwrap();
        state.put(&[short.clone(), long.clone()]).await.unwrap();
        assert!(matches!(StateFile::open(&path, now()), Err(OpenError::InUse)), "two would overwrite each other's");
    }
    let state = StateFile::open(&path, "2026-11-06T00:00:00Z".parse().unwrap()).unwrap();
    // Asked as of before its time was past, it is gone all the same: opening let it go.
    let left = state.get(&[short.key, long.key.clone()], now()).await.unwrap();
    assert_eq!(left.keys().collect::<Vec<_>>(), [&long.key]);
}

#[test]
fn a_file_that_is_no_memory_is_not_touched() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "not a database").unwrap();
    let error = StateFile::open(&path, now()).unwrap_err();
    assert!(error.to_string().contains("has to be one that trailhound made"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "not a database");
}
