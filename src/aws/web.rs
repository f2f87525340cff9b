//! Requests to the receivers of alerts, and signed ones to AWS.
//!
//! Four calls of AWS are made by hand: the SDK's crates for them take five minutes to build, and the calls are one JSON document
//! each. Signing: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>; the first three speak AWS JSON 1.1.

use std::io;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::outputs::{AddressError, check_address};
use crate::ports::{AwsCall, BoxError, MAX_ANSWER_BYTES, Receiver, Web, WebAnswer, WebError, WebRequest};
use crate::trail::{DOMAINS, partition};

/// For a connection, TLS included in what the request itself may take.
const CONNECTING: Duration = Duration::from_secs(5);
/// Receivers close what is idle, a minute at the least.
const IDLE: Duration = Duration::from_secs(30);

/// HTTP/1.1 over TLS, with the certificates that the machine trusts. Keeps connections. Follows no redirect and asks no proxy.
#[derive(Debug)]
pub struct HttpsWeb {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    credentials: Option<SharedCredentialsProvider>,
    region: Option<String>,
    /// In place of AWS's own.
    endpoint: Option<String>,
}

/// A call of AWS as a request.
struct AwsForm {
    /// The service's name, in its endpoint and in signatures.
    service: &'static str,
    path: &'static str,
    /// `X-Amz-Target`, where the service wants one.
    target: Option<&'static str>,
    content_type: &'static str,
}

impl AwsForm {
    fn of(call: AwsCall) -> Self {
        const JSON_1_1: &str = "application/x-amz-json-1.1";
        let json = |service, target| Self { service, path: "/", target: Some(target), content_type: JSON_1_1 };
        match call {
            AwsCall::GetParameter => json("ssm", "AmazonSSM.GetParameter"),
            AwsCall::GetSecretValue => json("secretsmanager", "secretsmanager.GetSecretValue"),
            AwsCall::PutEvents => json("events", "AWSEvents.PutEvents"),
            AwsCall::BatchImportFindings => Self {
                service: "securityhub",
                path: "/findings/import",
                target: None,
                content_type: "application/json",
            },
        }
    }
}

impl HttpsWeb {
    /// Makes the client.
    ///
    /// # Errors
    /// When the machine has no certificates to trust.
    pub fn new(config: &SdkConfig) -> io::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECTING));
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::aws_lc_rs::default_provider())?
            // HTTP to this machine alone: `check_address`.
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Self {
            client,
            credentials: config.credentials_provider(),
            region: config.region().map(|region| region.as_ref().to_owned()),
            endpoint: config.endpoint_url().map(|url| url.trim_end_matches('/').to_owned()),
        })
    }

    /// The request for a receiver.
    fn to_receiver(request: &WebRequest, address: &str) -> Result<Request<Full<Bytes>>, WebError> {
        check_address(address).map_err(WebError::Address)?;
        let mut made = post(address, "application/json", &request.body)?;
        for (name, value) in &request.headers {
            let mut value =
                HeaderValue::from_str(value.expose()).map_err(|_| WebError::Address(AddressError::Malformed))?;
            value.set_sensitive(true);
            made.headers_mut().insert(HeaderName::from_static(name), value);
        }
        Ok(made)
    }

    /// The request for a service of AWS, signed.
    async fn to_aws(
        &self,
        request: &WebRequest,
        call: AwsCall,
        region: Option<&str>,
    ) -> Result<Request<Full<Bytes>>, WebError> {
        let AwsForm { service, path, target, content_type } = AwsForm::of(call);
        let region =
            region.or(self.region.as_deref()).ok_or_else(|| WebError::Credentials("no Region is set".into()))?;
        let url = match &self.endpoint {
            Some(endpoint) => format!("{endpoint}{path}"),
            None => format!("https://{service}.{region}.{}{path}", domain(region)),
        };
        let mut made = post(&url, content_type, &request.body)?;
        if let Some(target) = target {
            made.headers_mut().insert("x-amz-target", HeaderValue::from_static(target));
        }
        let headers =
            self.signature(&made, &url, &request.body, service, region).await.map_err(WebError::Credentials)?;
        made.headers_mut().extend(headers);
        Ok(made)
    }

    async fn signature(
        &self,
        made: &Request<Full<Bytes>>,
        url: &str,
        body: &str,
        service: &str,
        region: &str,
    ) -> Result<HeaderMap, BoxError> {
        let provider = self.credentials.as_ref().ok_or("no credentials are set")?;
        let identity = provider.provide_credentials().await?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let signed = [CONTENT_TYPE.as_str(), "x-amz-target"];
        let headers = signed.iter().filter_map(|name| Some((*name, made.headers().get(*name)?.to_str().ok()?)));
        let signable = SignableRequest::new("POST", url, headers, SignableBody::Bytes(body.as_bytes()))?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let headers = instructions.headers().map(|(name, value)| {
            let mut value = HeaderValue::from_str(value)?;
            value.set_sensitive(true);
            Ok((HeaderName::from_bytes(name.as_bytes())?, value))
        });
        headers.collect()
    }

    async fn exchange(&self, request: &WebRequest) -> Result<WebAnswer, WebError> {
        let made = match &request.to {
            Receiver::Address(address) => Self::to_receiver(request, address.expose())?,
            Receiver::Aws { call, region } => self.to_aws(request, *call, region.as_deref()).await?,
        };
        let response = self.client.request(made).await.map_err(|error| WebError::Broken(error.into()))?;
        answer(response).await
    }
}

impl Web for HttpsWeb {
    async fn send(&self, request: &WebRequest) -> Result<WebAnswer, WebError> {
        let exchange = tokio::time::timeout(request.timeout, self.exchange(request));
        exchange.await.unwrap_or(Err(WebError::TimedOut(request.timeout)))
    }
}

fn post(url: &str, content_type: &'static str, body: &str) -> Result<Request<Full<Bytes>>, WebError> {
    Request::post(url)
        .header(CONTENT_TYPE, HeaderValue::from_static(content_type))
        .header(USER_AGENT, HeaderValue::from_static(concat!("trailhound/", env!("CARGO_PKG_VERSION"))))
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .map_err(|_| WebError::Address(AddressError::Malformed))
}

/// What the names of a Region's endpoints end with.
fn domain(region: &str) -> &'static str {
    let [aws, china, europe] = DOMAINS;
    match partition(region) {
        "aws-cn" => china,
        "aws-eusc" => europe,
        _ => aws,
    }
}

/// Reads as much as is wanted. What is left of it ends with its connection.
async fn answer(response: Response<Incoming>) -> Result<WebAnswer, WebError> {
    let (head, mut body) = response.into_parts();
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut bytes: Vec<u8> = Vec::new();
    while bytes.len() < MAX_ANSWER_BYTES {
        let Some(frame) = body.frame().await else { break };
        let frame = frame.map_err(|error| WebError::Broken(error.into()))?;
        bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
    }
    bytes.truncate(MAX_ANSWER_BYTES);
    Ok(WebAnswer {
        status: head.status.as_u16(),
        retry_after: text(RETRY_AFTER.as_str()),
        error_type: text("x-amzn-errortype"),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    })
}
