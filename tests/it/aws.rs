//! What AWS answers when it refuses, through the real SDK.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use trailhound::alerting::{Item, Key, Stretch};
use trailhound::aws::{CloudTrailKeys, DynamoDbTable, S3Objects, SnsTopic};
use trailhound::integrity::KeyWanted;
use trailhound::notify::Notification;
use trailhound::ports::{
    FetchError, KeysError, ObjectBody as _, ObjectStore as _, PublicKeys as _, Publisher as _, StateError,
    StateStore as _, chain,
};
use trailhound::trigger::ObjectRef;

use crate::support::{World, record, rule, rules, trail_file};

/// To reach an AWS at this address.
pub(crate) fn config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// A server that gives every request the same answer, and counts them.
struct Aws {
    config: SdkConfig,
    requests: Arc<AtomicUsize>,
}

impl Aws {
    async fn answering(status: &str, body: &str) -> Self {
        Self::sending(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()))
            .await
    }

    async fn sending(answer: String) -> Self {
        Self::serving(answer, false).await
    }

    /// One that begins an answer and goes no further.
    async fn standing_still(answer: &str) -> Self {
        Self::serving(answer.to_owned(), true).await
    }

    async fn serving(answer: String, stands_still: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                if answer.is_empty() {
                    silent.push(stream);
                    continue;
                }
                let mut request = vec![0; 64 * 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                if stands_still {
                    silent.push(stream);
                }
            }
        });
        Self { config: config(&endpoint), requests }
    }

    /// One that takes requests and never says anything.
    async fn silent() -> Self {
        Self::sending(String::new()).await
    }

    async fn get(&self) -> FetchError {
        let object = ObjectRef { bucket: "trail-logs".into(), key: "a b".into(), version_id: None };
        S3Objects::new(&self.config).get(&object).await.unwrap_err()
    }
}

fn s3_error(code: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>said so</Message></Error>")
}

#[tokio::test]
async fn s3_gone_denied_and_throttled_are_told_apart() {
    let gone = Aws::answering("404 Not Found", &s3_error("NoSuchKey")).await.get().await;
    assert!(matches!(gone, FetchError::Gone(_)), "{gone:?}");

    let denied = Aws::answering("403 Forbidden", &s3_error("AccessDenied")).await.get().await;
    assert!(matches!(denied, FetchError::Denied { .. }), "{denied:?}");
    assert!(
        chain(&denied).starts_with("reading s3://trail-logs/a b was denied (the function needs s3:GetObject on it"),
        "{}",
        chain(&denied)
    );

    let no_bucket = Aws::answering("404 Not Found", &s3_error("NoSuchBucket")).await.get().await;
    assert!(
        matches!(no_bucket, FetchError::Failed { .. }) && chain(&no_bucket).contains("NoSuchBucket"),
        "{}",
        chain(&no_bucket)
    );

    let throttling = Aws::answering("503 Slow Down", &s3_error("SlowDown")).await;
    let throttled = throttling.get().await;
    assert!(
        matches!(throttled, FetchError::Failed { .. }) && chain(&throttled).contains("SlowDown"),
        "{}",
        chain(&throttled)
    );
    assert!(throttling.requests.load(Ordering::Relaxed) > 1, "the SDK tries again before the message goes back");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_failure_not_an_end() {
    let aws = Aws::sending("HTTP/1.1 200 OK\r\ncontent-length: 500\r\nconnection: close\r\n\r\nshort".to_owned()).await;
    let object = ObjectRef { bucket: "trail-logs".into(), key: "k".into(), version_id: None };
    let mut body = S3Objects::new(&aws.config).get(&object).await.unwrap();
    let error = loop {
        match body.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a cut-off body was taken for a whole one"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, FetchError::Failed { .. }), "{error:?}");
}

#[tokio::test]
async fn the_signature_of_a_digest_is_the_metadata_of_its_object() {
    let head = "x-amz-meta-signature: 00ff\r\nx-amz-meta-signature-algorithm: SHA256withRSA";
    let aws =
        Aws::sending(format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{head}\r\nconnection: close\r\n\r\n")).await;
    let object = ObjectRef { bucket: "trail-logs".into(), key: "k".into(), version_id: None };
    let body = S3Objects::new(&aws.config).get(&object).await.unwrap();
    let signature = body.signature().unwrap();
    assert_eq!(signature.signature.as_deref(), Some("00ff"));
    assert_eq!(signature.algorithm.as_deref(), Some("SHA256withRSA"));
    assert_eq!(signature.backfill_generated, None);
}

fn wanted(fingerprint: &str, region: &str) -> KeyWanted {
    KeyWanted { region: region.to_owned(), fingerprint: fingerprint.to_owned(), from: now(), to: now() }
}

#[tokio::test]
async fn a_public_key_is_asked_for_once_in_each_region() {
    let key = |name: &str, from: i64| {
        format!(r#"{{"Fingerprint":"{name}","Value":"MIIB","ValidityStartTime":{from},"ValidityEndTime":1800000000}}"#)
    };
    let (used, future) = (key("used", 1_790_000_000), key("future", 1_799_999_999));
    let aws = Aws::answering("200 OK", &format!(r#"{{"PublicKeyList":[{used},{future}]}}"#)).await;
    let keys = CloudTrailKeys::new(&aws.config);
    let asked = || aws.requests.load(Ordering::Relaxed);
    for _ in 0..3 {
        let found = keys.find(&wanted("used", "eu-west-1")).await.unwrap().unwrap();
        assert_eq!((found.value, asked()), (b"\x30\x82\x01".to_vec(), 1));
    }
    assert!(keys.find(&wanted("used", "us-east-1")).await.unwrap().is_some());
    assert_eq!(asked(), 2);
    // What isn't known, or not of that time, is asked for anew: it may have come into use since.
    assert_eq!(keys.find(&wanted("other", "eu-west-1")).await.unwrap(), None);
    assert_eq!(keys.find(&wanted("future", "eu-west-1")).await.unwrap(), None);
    assert_eq!(asked(), 4);
}

#[tokio::test]
async fn public_keys_that_are_denied_say_what_is_missing() {
    let aws = Aws::answering("400 Bad Request", r#"{"__type": "AccessDeniedException", "Message": "said so"}"#).await;
    let error = CloudTrailKeys::new(&aws.config).find(&wanted("a", "eu-west-1")).await.unwrap_err();
    let text = chain(&error);
    assert!(matches!(error, KeysError::Denied { .. }) && text.contains("cloudtrail:ListPublicKeys"), "{text}");
}

async fn notification() -> Notification {
    let world = World::new(rules(&rule("  sel: {eventName: StopLogging}\n  condition: sel\n")));
    world.notify(&[&world.put("trail", &trail_file(&[record("StopLogging", "e-1")]))]).await;
    world.alerts().remove(0)
}

#[tokio::test]
async fn sns_says_why_it_refuses() {
    let refusal = "<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>not allowed to publish</Message></Error></ErrorResponse>";
    let aws = Aws::answering("403 Forbidden", refusal).await;
    let topic = SnsTopic::new(&aws.config, "arn:aws:sns:eu-west-1:111122223333:alerts".to_owned());
    let error = chain(&topic.publish(&notification().await).await.unwrap_err());
    assert!(
        error.contains("could not be published to arn:aws:sns:eu-west-1:111122223333:alerts")
            && error.contains("not allowed to publish"),
        "{error}"
    );
}

#[tokio::test]
async fn a_connection_that_cannot_be_opened_ahead_says_what_to_try() {
    for (status, said) in [
        ("403 Forbidden", "the function needs s3:ListBucket on it"),
        ("404 Not Found", "is the name right"),
        ("301 Moved Permanently", "it is in another Region"),
        ("400 Bad Request", "no answer that can be understood"),
    ] {
        // As S3 answers a HEAD request: without a body that could say why.
        let aws = Aws::answering(status, "").await;
        let error = chain(&S3Objects::new(&aws.config).warm("trail-logs").await.unwrap_err());
        assert!(error.contains(said), "{status}: {error}");
        assert_eq!(aws.requests.load(Ordering::Relaxed), 1, "{status}: asked more than once");
    }
}

fn now() -> Timestamp {
    "2026-11-05T10:00:00Z".parse().unwrap()
}

fn key(partition: &str) -> Key {
    Key { partition: partition.into(), sort: "-".into() }
}

fn item() -> Item {
    Item { key: key("S#1"), revision: 0, expires: now(), value: "{}".into() }
}

/// Each call of a table, by the permission that it needs.
async fn each_call(table: &DynamoDbTable) -> Vec<(&'static str, StateError)> {
    let (key, item, now) = (key("S#1"), item(), now());
    let stretch = Stretch { partition: "C#1".into(), from: "0".into(), to: "9".into() };
    vec![
        ("dynamodb:BatchGetItem", table.get(std::slice::from_ref(&key), now).await.unwrap_err()),
        ("dynamodb:Query", table.list(&[stretch], now).await.unwrap_err()),
        ("dynamodb:BatchWriteItem", table.put(std::slice::from_ref(&item)).await.unwrap_err()),
        ("dynamodb:PutItem", table.swap(&[item], now).await.unwrap_err()),
        ("dynamodb:Scan", table.page(None, now).await.unwrap_err()),
        ("dynamodb:BatchWriteItem", table.remove(&[key]).await.unwrap_err()),
    ]
}

#[tokio::test]
async fn a_table_that_refuses_says_which_permission_is_missing() {
    let denied = r#"{"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "is not authorized"}"#;
    let aws = Aws::answering("400 Bad Request", denied).await;
    for (permission, error) in each_call(&DynamoDbTable::new(&aws.config, "memory".to_owned())).await {
        let text = chain(&error);
        assert!(matches!(error, StateError::Denied { .. }) && text.contains(permission), "{text}");
    }
}

/// Matches can be told without it, but not after the function's time is over.
#[tokio::test(start_paused = true)]
async fn a_table_that_says_nothing_is_given_up_in_time() {
    let aws = Aws::silent().await;
    let start = tokio::time::Instant::now();
    let errors = each_call(&DynamoDbTable::new(&aws.config, "memory".to_owned())).await;
    assert!(errors.iter().all(|(_, error)| matches!(error, StateError::Failed { .. })), "{errors:?}");
    assert!(start.elapsed() <= Duration::from_secs(40), "{:?}", start.elapsed());

    // However much there is to write.
    let start = tokio::time::Instant::now();
    let many = (0..1000).map(|number| Item { key: key(&format!("S#{number}")), ..item() }).collect::<Vec<_>>();
    let table = DynamoDbTable::new(&aws.config, "memory".to_owned());
    assert!(table.swap(&many, now()).await.is_err());
    assert!((3..8).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

/// What the invocation has to do besides needs the rest of its minute.
#[tokio::test(start_paused = true)]
async fn a_topic_that_says_nothing_is_given_up_in_time() {
    let aws = Aws::silent().await;
    let topic = SnsTopic::new(&aws.config, "arn:aws:sns:eu-west-1:111122223333:alerts".to_owned());
    let start = tokio::time::Instant::now();
    assert!(topic.publish(&notification().await).await.is_err());
    assert!((5..16).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

/// A bucket that answers nothing, and one whose answer stands still in the middle.
#[tokio::test(start_paused = true)]
async fn an_object_that_does_not_come_is_given_up_in_time() {
    let start = tokio::time::Instant::now();
    let error = Aws::silent().await.get().await;
    assert!(matches!(error, FetchError::Failed { .. }), "{error:?}");
    assert!((5..13).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());

    let aws = Aws::standing_still("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nshort").await;
    let object = ObjectRef { bucket: "trail-logs".into(), key: "k".into(), version_id: None };
    let mut body = S3Objects::new(&aws.config).get(&object).await.unwrap();
    let start = tokio::time::Instant::now();
    let error = loop {
        match body.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a body that stands still was taken for a whole one"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, FetchError::Failed { .. }), "{error:?}");
    assert!(start.elapsed() <= Duration::from_secs(25), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_quarantine_that_refuses_says_which_permission_is_missing() {
    let aws = Aws::answering("403 Forbidden", &s3_error("AccessDenied")).await;
    let to = ObjectRef { bucket: "aside".into(), key: "damaged/k.raw".into(), version_id: None };
    let from = ObjectRef { bucket: "trail-logs".into(), key: "a b".into(), version_id: Some("v".into()) };
    let s3 = S3Objects::new(&aws.config);
    for error in [s3.put(&to, "{}".into()).await.unwrap_err(), s3.copy(&from, &to).await.unwrap_err()] {
        let text = chain(&error);
        assert!(
            text.starts_with("s3://aside/damaged/k.raw could not be written (the function needs s3:PutObject"),
            "{text}"
        );
        assert!(text.contains("AccessDenied"), "{text}");
    }
}

#[tokio::test]
async fn a_key_that_can_not_be_used_is_denied() {
    for code in ["KMS.DisabledException", "KMS.NotFoundException", "KMS.KMSInvalidStateException"] {
        let denied = Aws::answering("400 Bad Request", &s3_error(code)).await.get().await;
        assert!(matches!(denied, FetchError::Denied { .. }) && chain(&denied).contains(code), "{denied:?}");
    }
}
