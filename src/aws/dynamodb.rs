//! The memory in an Amazon `DynamoDB` table.
//!
//! | attribute | type | meaning |
//! |---|---|---|
//! | `pk` | S, partition key | [`Key::partition`] |
//! | `sk` | S, sort key | [`Key::sort`] |
//! | `rev` | N | [`Item::revision`] |
//! | `exp` | N | the second it is forgotten; the table's time to live goes by it |
//! | `v` | S | the JSON document |
//!
//! Limits: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>.

use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use crate::alerting::{Item, Items, Key, Listed, Stretch};
use crate::ports::{BoxError, MAX_LISTED_BYTES, Page, StateError, StateStore};

use super::warm::{WarmError, bounded};

const MAX_GET: usize = 100;
const MAX_WRITE: usize = 25;
/// Requests in flight.
const CONCURRENCY: usize = 16;
/// How often what a batch left undone is asked for again. The SDK tries whole requests again, not these.
const TRIES: u32 = 6;
/// For one request with its retries. A function has a minute, and asks some five things one after the other.
const PATIENCE: Duration = Duration::from_secs(6);

type Attributes = HashMap<String, AttributeValue>;

/// A `DynamoDB` table.
#[derive(Debug, Clone)]
pub struct DynamoDbTable {
    client: Client,
    name: String,
    pause: Duration,
}

/// Something that is asked of the table.
#[derive(Debug, Clone, Copy)]
struct Task {
    doing: &'static str,
    permission: &'static str,
}

const GET: Task = Task { doing: "reading items", permission: "dynamodb:BatchGetItem" };
const LIST: Task = Task { doing: "listing items", permission: "dynamodb:Query" };
const PUT: Task = Task { doing: "writing items", permission: "dynamodb:BatchWriteItem" };
const SWAP: Task = Task { doing: "writing an item", permission: "dynamodb:PutItem" };
const REMOVE: Task = Task { doing: "removing items", permission: "dynamodb:BatchWriteItem" };
const SCAN: Task = Task { doing: "reading all items", permission: "dynamodb:Scan" };

impl DynamoDbTable {
    /// Makes the client.
    #[must_use]
    pub fn new(config: &SdkConfig, name: String) -> Self {
        // A table that doesn't answer must not take the time in which matches can be told without it.
        let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).operation_attempt_timeout(PATIENCE / 3);
        let config = Builder::from(config).timeout_config(timeouts.build()).build();
        Self { client: Client::from_conf(config), name, pause: Duration::from_millis(50) }
    }

    /// The same with another pause before what a batch left undone is asked for again; it doubles each time.
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens a connection to the table's service, and leaves it for the next request.
    ///
    /// # Errors
    /// When the table can't be reached or asked. Asking needs `dynamodb:DescribeTable`.
    pub async fn warm(&self) -> Result<(), WarmError> {
        bounded("dynamodb:DescribeTable", self.client.describe_table().table_name(&self.name).send()).await
    }

    async fn get_batch(&self, keys: &[Key]) -> Result<Vec<Item>, StateError> {
        let asked = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(keys.iter().map(key).collect()));
        let mut asked = asked.build().ok();
        let mut items = Vec::new();
        for again in 0..TRIES {
            let Some(keys) = asked else { return Ok(items) };
            self.wait(again).await;
            let answer = self.client.batch_get_item().request_items(&self.name, keys).send().await;
            let answer = answer.map_err(|error| self.error(GET, error))?;
            for found in answer.responses.unwrap_or_default().into_values().flatten() {
                items.push(item(&found, GET)?);
            }
            asked = answer.unprocessed_keys.unwrap_or_default().remove(&self.name);
        }
        asked.map_or(Ok(items), |_| Err(StateError::Throttled { doing: GET.doing }))
    }

    async fn write_batch(&self, task: Task, requests: Vec<WriteRequest>) -> Result<(), StateError> {
        let mut asked = requests;
        for again in 0..TRIES {
            if asked.is_empty() {
                return Ok(());
            }
            self.wait(again).await;
            let answer = self.client.batch_write_item().request_items(&self.name, asked).send().await;
            let answer = answer.map_err(|error| self.error(task, error))?;
            asked = answer.unprocessed_items.unwrap_or_default().remove(&self.name).unwrap_or_default();
        }
        if asked.is_empty() { Ok(()) } else { Err(StateError::Throttled { doing: task.doing }) }
    }

    async fn write_all(&self, task: Task, requests: Vec<WriteRequest>) -> Result<(), StateError> {
        let asked: Vec<_> = requests.chunks(MAX_WRITE).map(|batch| self.write_batch(task, batch.to_vec())).collect();
        try_all(asked).await.map(|_: Vec<()>| ())
    }

    async fn swap_one(&self, item: &Item, now: Timestamp) -> Result<bool, StateError> {
        let request = self.client.put_item().table_name(&self.name).set_item(Some(attributes(item)));
        let request = request
            .expression_attribute_names("#exp", "exp")
            .expression_attribute_values(":now", number(&now.as_second()));
        // An item whose time is past may be there for days.
        let request = if item.revision == 0 {
            request.condition_expression("attribute_not_exists(pk) OR #exp <= :now")
        } else {
            request
                .condition_expression("#rev = :rev AND #exp > :now")
                .expression_attribute_names("#rev", "rev")
                .expression_attribute_values(":rev", number(&item.revision))
        };
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if is_beaten(&error) => Ok(false),
            Err(error) => Err(self.error(SWAP, error)),
        }
    }

    async fn list_one(&self, stretch: &Stretch, now: Timestamp) -> Result<Listed, StateError> {
        let mut listed = Listed::default();
        let mut bytes = 0;
        let mut start: Option<Attributes> = None;
        loop {
            let request = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .scan_index_forward(false)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", text(&stretch.partition))
                .expression_attribute_values(":from", text(&stretch.from))
                .expression_attribute_values(":to", text(&stretch.to))
                .set_exclusive_start_key(start.take());
            let answer = request.send().await.map_err(|error| self.error(LIST, error))?;
            for found in answer.items.unwrap_or_default() {
                let item = item(&found, LIST)?;
                bytes += item.bytes();
                listed.items.extend(Some(item).filter(|item| item.is_alive(now)));
            }
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            listed.is_cut = start.is_some() && bytes > MAX_LISTED_BYTES;
            if start.is_none() || listed.is_cut {
                listed.items.reverse();
                return Ok(listed);
            }
        }
    }

    async fn wait(&self, again: u32) {
        if let Some(doublings) = again.checked_sub(1) {
            tokio::time::sleep(self.pause.saturating_mul(1 << doublings)).await;
        }
    }

    fn error<E>(&self, task: Task, error: SdkError<E>) -> StateError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let doing = task.doing;
        let code = error.code().map(str::to_owned);
        let source: BoxError = error.into_source().unwrap_or_else(Into::into);
        match code.as_deref() {
            Some(
                "ProvisionedThroughputExceededException"
                | "ThrottlingException"
                | "RequestLimitExceeded"
                | "Throttling",
            ) => StateError::Throttled { doing },
            Some("ResourceNotFoundException") => StateError::Missing { table: self.name.clone() },
            Some("AccessDeniedException" | "UnrecognizedClientException") => {
                StateError::Denied { doing, permission: task.permission, source }
            }
            _ => StateError::Failed { doing, source },
        }
    }
}

impl StateStore for DynamoDbTable {
    async fn get(&self, keys: &[Key], now: Timestamp) -> Result<Items, StateError> {
        let asked: Vec<_> = keys.chunks(MAX_GET).map(|keys| self.get_batch(keys)).collect();
        let found: Vec<Vec<Item>> = stream::iter(asked).buffer_unordered(CONCURRENCY).try_collect().await?;
        let alive = found.into_iter().flatten().filter(|item| item.is_alive(now));
        Ok(alive.map(|item| (item.key.clone(), item)).collect())
    }

    async fn list(&self, stretches: &[Stretch], now: Timestamp) -> Result<Vec<Listed>, StateError> {
        let asked: Vec<_> = stretches.iter().map(|stretch| self.list_one(stretch, now)).collect();
        stream::iter(asked).buffered(CONCURRENCY).try_collect().await
    }

    async fn put(&self, items: &[Item]) -> Result<(), StateError> {
        StateError::check_size(items)?;
        let put = |item: &Item| PutRequest::builder().set_item(Some(attributes(item))).build();
        let puts = items.iter().filter_map(|item| put(item).ok());
        self.write_all(PUT, puts.map(|put| WriteRequest::builder().put_request(put).build()).collect()).await
    }

    async fn swap(&self, items: &[Item], now: Timestamp) -> Result<Vec<bool>, StateError> {
        StateError::check_size(items)?;
        try_all(items.iter().map(|item| self.swap_one(item, now)).collect()).await
    }

    async fn page(&self, after: Option<&Key>, now: Timestamp) -> Result<Page, StateError> {
        let request = self.client.scan().table_name(&self.name).consistent_read(true);
        let answer = request.set_exclusive_start_key(after.map(key)).send().await;
        let answer = answer.map_err(|error| self.error(SCAN, error))?;
        let items = answer.items.unwrap_or_default().into_iter().map(|found| item(&found, SCAN));
        let items = items.filter(|item| item.as_ref().map_or(true, |item| item.is_alive(now)));
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty());
        Ok(Page { items: items.collect::<Result<_, _>>()?, next: next.map(|found| key_of(&found, SCAN)).transpose()? })
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StateError> {
        let delete = |name: &Key| DeleteRequest::builder().set_key(Some(key(name))).build();
        let deletes = keys.iter().filter_map(|key| delete(key).ok());
        self.write_all(REMOVE, deletes.map(|delete| WriteRequest::builder().delete_request(delete).build()).collect())
            .await
    }
}

/// Has every write tried: what keeps one from being done is no reason to leave the others. But a table that answers none of those
/// in flight is not waited for again.
async fn try_all<T>(writes: Vec<impl Future<Output = Result<T, StateError>>>) -> Result<Vec<T>, StateError> {
    let mut done = Vec::with_capacity(writes.len());
    let mut failed = None;
    let mut failures = 0;
    let mut results = pin!(stream::iter(writes).buffered(CONCURRENCY));
    while let Some(result) = results.next().await {
        match result {
            Ok(one) => done.push(one),
            Err(error) => {
                failures += usize::from(matches!(error, StateError::Failed { .. }));
                failed = failed.or(Some(error));
            }
        }
        if failures >= CONCURRENCY {
            break;
        }
    }
    failed.map_or(Ok(done), Err)
}

fn is_beaten(error: &SdkError<PutItemError>) -> bool {
    error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception)
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: &impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn key(key: &Key) -> Attributes {
    HashMap::from([("pk".to_owned(), text(&key.partition)), ("sk".to_owned(), text(&key.sort))])
}

fn attributes(item: &Item) -> Attributes {
    let mut attributes = key(&item.key);
    attributes.insert("rev".to_owned(), number(&(item.revision + 1)));
    attributes.insert("exp".to_owned(), number(&item.expires.as_second()));
    attributes.insert("v".to_owned(), text(&item.value));
    attributes
}

fn key_of(found: &Attributes, task: Task) -> Result<Key, StateError> {
    let text = |name: &str| found.get(name).and_then(|value| value.as_s().ok()).cloned();
    text("pk").zip(text("sk")).map(|(partition, sort)| Key { partition, sort }).ok_or_else(|| foreign("pk or sk", task))
}

fn item(found: &Attributes, task: Task) -> Result<Item, StateError> {
    let key = key_of(found, task)?;
    let number = |name: &str| found.get(name)?.as_n().ok()?.parse::<i64>().ok();
    let revision = number("rev").and_then(|revision| u64::try_from(revision).ok());
    let expires = number("exp").and_then(|second| Timestamp::from_second(second).ok());
    let value = found.get("v").and_then(|value| value.as_s().ok()).cloned();
    match (revision, expires, value) {
        (Some(revision), Some(expires), Some(value)) => Ok(Item { key, revision, expires, value }),
        _ => Err(foreign(&format!("rev, exp or v of {key}"), task)),
    }
}

/// The table has to be trailhound's own.
fn foreign(what: &str, task: Task) -> StateError {
    let source = format!("an item lacks {what}: the table has to be one that only trailhound writes to").into();
    StateError::Failed { doing: task.doing, source }
}
