//! Stands between the SDK and a `DynamoDB` API, and misbehaves as the service may: it throttles, it does a part of a batch, it
//! loses answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HOST;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How often something goes wrong: each so many-th time; 0 is never.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// Requests that are refused.
    pub(crate) throttled: u64,
    /// Batches of which a half is left undone.
    pub(crate) half_done: u64,
    /// Requests that are done, and answered with a broken connection.
    pub(crate) lost: u64,
}

/// A misbehaving `DynamoDB`; ends with the test's runtime.
pub(crate) struct Proxy {
    pub(crate) endpoint: String,
    inner: Arc<Inner>,
}

struct Inner {
    upstream: String,
    client: Client<HttpConnector, Full<Bytes>>,
    faults: Faults,
    requests: AtomicU64,
    batches: AtomicU64,
    went_wrong: [AtomicU64; 3],
}

impl Proxy {
    pub(crate) async fn start(upstream: &str, faults: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner {
            upstream: upstream.to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            faults,
            requests: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            went_wrong: Default::default(),
        });
        let serving = Arc::clone(&inner);
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let inner = Arc::clone(&serving);
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&inner), request));
                    // An error here is a connection that one side has given up.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { endpoint, inner }
    }

    /// How often requests were throttled, batches half done, answers lost.
    pub(crate) fn went_wrong(&self) -> [u64; 3] {
        [0, 1, 2].map(|kind: usize| self.inner.went_wrong[kind].load(Ordering::Relaxed))
    }
}

/// An answer that could not be given: the connection breaks.
#[derive(Debug, thiserror::Error)]
#[error("lost")]
struct Lost;

async fn answer(inner: Arc<Inner>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Lost> {
    let count = inner.requests.fetch_add(1, Ordering::Relaxed) + 1;
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Lost)?.to_bytes();
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    if inner.is_due(0, inner.faults.throttled, count) {
        return Ok(throttled());
    }
    let batch = target.rsplit('.').next().and_then(Batch::of);
    let batches = inner.batches.fetch_add(u64::from(batch.is_some()), Ordering::Relaxed) + 1;
    let halved = batch.filter(|_| inner.is_due(1, inner.faults.half_done, batches)).map(|batch| batch.halve(&body));
    let (body, undone) = halved.unwrap_or((body, None));
    let uri = format!("{}{}", inner.upstream, parts.uri.path());
    let mut forwarded = Request::builder().method(parts.method).uri(uri);
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != HOST && *name != "content-length") {
        forwarded = forwarded.header(name, value);
    }
    let answered = inner.client.request(forwarded.body(Full::new(body)).map_err(|_| Lost)?).await.map_err(|_| Lost)?;
    let (status, content) = (answered.status(), answered.into_body().collect().await.map_err(|_| Lost)?.to_bytes());
    if inner.is_due(2, inner.faults.lost, count) {
        return Err(Lost);
    }
    let content = undone.map_or(content.clone(), |(name, undone)| with(&content, name, undone));
    Ok(json_answer(status, content))
}

impl Inner {
    fn is_due(&self, kind: usize, every: u64, count: u64) -> bool {
        let is_due = every > 0 && count.is_multiple_of(every);
        self.went_wrong[kind].fetch_add(u64::from(is_due), Ordering::Relaxed);
        is_due
    }
}

#[derive(Debug, Clone, Copy)]
enum Batch {
    Get,
    Write,
}

impl Batch {
    fn of(operation: &str) -> Option<Self> {
        match operation {
            "BatchGetItem" => Some(Self::Get),
            "BatchWriteItem" => Some(Self::Write),
            _ => None,
        }
    }

    /// The request with half of what it asks, and what the answer says of the other half.
    fn halve(self, body: &Bytes) -> (Bytes, Option<(&'static str, Value)>) {
        let mut request: Value = serde_json::from_slice(body).unwrap();
        let tables = request["RequestItems"].as_object_mut().unwrap();
        let (table, asked) = tables.iter_mut().next().unwrap();
        let table = table.clone();
        let list = match self {
            Self::Get => &mut asked["Keys"],
            Self::Write => asked,
        };
        let undone = list.as_array_mut().unwrap();
        let undone: Vec<Value> = undone.split_off(undone.len().div_ceil(2));
        if undone.is_empty() {
            return (body.clone(), None);
        }
        let undone = match self {
            Self::Get => ("UnprocessedKeys", json!({table: {"Keys": undone, "ConsistentRead": true}})),
            Self::Write => ("UnprocessedItems", json!({table: undone})),
        };
        (request.to_string().into(), Some(undone))
    }
}

fn with(content: &Bytes, name: &str, value: Value) -> Bytes {
    let mut answer: Value = serde_json::from_slice(content).unwrap();
    answer[name] = value;
    answer.to_string().into()
}

fn throttled() -> Response<Full<Bytes>> {
    let error = json!({"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "slower"});
    json_answer(StatusCode::BAD_REQUEST, error.to_string().into())
}

fn json_answer(status: StatusCode, content: Bytes) -> Response<Full<Bytes>> {
    let answer = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    answer.body(Full::new(content)).unwrap()
}
