//! The memory in a table: the real SDK, over HTTP, against an emulator.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use trailhound::aws::DynamoDbTable;
use trailhound::ports::{StateError, StateStore as _};

use super::conformance::holds_every_promise;
use super::emulator::Emulator;
use super::proxy::{Faults, Proxy};

#[tokio::test(flavor = "multi_thread")]
async fn the_table_holds_every_promise() {
    let emulator = Emulator::start();
    let table = table(&emulator, &emulator.endpoint, "promises").await;
    holds_every_promise(Arc::new(table)).await;
}

/// `DynamoDB` throttles, and does a part of a batch.
#[tokio::test(flavor = "multi_thread")]
async fn the_table_holds_every_promise_when_it_misbehaves() {
    let emulator = Emulator::start();
    let proxy = Proxy::start(&emulator.endpoint, Faults { throttled: 5, half_done: 2, lost: 0 }).await;
    let table = table(&emulator, &proxy.endpoint, "faults").await;
    holds_every_promise(Arc::new(table)).await;
    let [throttled, half_done, _] = proxy.went_wrong();
    assert!(throttled > 100 && half_done > 20, "{:?}", proxy.went_wrong());
}

#[tokio::test]
async fn a_table_that_cannot_be_used_says_why() {
    let emulator = Emulator::start();
    let key = trailhound::alerting::Key { partition: "S#1".to_owned(), sort: "-".to_owned() };
    let now = "2026-11-05T10:00:00Z".parse().unwrap();
    let missing = DynamoDbTable::new(&emulator.sdk_config(&emulator.endpoint), "not-there".to_owned());
    let error = missing.get(std::slice::from_ref(&key), now).await.unwrap_err();
    assert!(matches!(&error, StateError::Missing { table } if table == "not-there"), "{error}");
    let proxy = Proxy::start(&emulator.endpoint, Faults { throttled: 1, ..Faults::default() }).await;
    let throttled = table(&emulator, &proxy.endpoint, "throttled").await;
    let error = throttled.get(&[key], now).await.unwrap_err();
    assert!(matches!(error, StateError::Throttled { .. }), "{error}");
}

/// Makes a table as template.yaml does; gives what reaches it through `endpoint`.
pub(crate) async fn table(emulator: &Emulator, endpoint: &str, name: &str) -> DynamoDbTable {
    let client = Client::new(&emulator.sdk_config(&emulator.endpoint));
    let attribute = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let request = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk"))
        .attribute_definitions(attribute("sk"))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range));
    request.send().await.unwrap();
    // Of requests side by side one may be every fifth several times in a row: that is not what is tested.
    let quick = RetryConfig::standard()
        .with_initial_backoff(Duration::from_millis(1))
        .with_max_backoff(Duration::from_millis(10))
        .with_max_attempts(20);
    let config = emulator.sdk_config(endpoint).into_builder().retry_config(quick).build();
    DynamoDbTable::new(&config, name.to_owned()).with_pause(Duration::from_millis(1))
}
