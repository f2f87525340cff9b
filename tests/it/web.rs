//! Requests over real connections, to servers on this machine that do as receivers might.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use trailhound::aws::HttpsWeb;
use trailhound::outputs::Secret;
use trailhound::ports::{AwsCall, MAX_ANSWER_BYTES, Receiver, Web as _, WebAnswer, WebError, WebRequest, chain};

/// What a server does with a request that it has read.
#[derive(Clone, Copy)]
enum Does {
    Answers(&'static str),
    Hangs,
    /// Sends a body that doesn't end.
    Floods,
    Closes,
}

struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, does, Arc::clone(&seen)));
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    async fn ask(&self, path: &str) -> Result<WebAnswer, WebError> {
        self.ask_within(path, Duration::from_secs(20)).await
    }

    async fn ask_within(&self, path: &str, timeout: Duration) -> Result<WebAnswer, WebError> {
        let address = Secret::new(&format!("{}{path}", self.address));
        web(None).send(&request(Receiver::Address(address), timeout)).await
    }
}

async fn serve(mut stream: TcpStream, does: Does, seen: Arc<Mutex<Vec<String>>>) {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    while !is_whole(&request) {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => request.push_str(&String::from_utf8_lossy(&buffer[..count])),
        }
    }
    seen.lock().unwrap().push(request);
    match does {
        Does::Answers(answer) => drop(stream.write_all(answer.as_bytes()).await),
        Does::Hangs => std::future::pending().await,
        Does::Closes => {}
        Does::Floods => {
            let _ = stream.write_all(b"HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n").await;
            let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
            while stream.write_all(chunk.as_bytes()).await.is_ok() {}
        }
    }
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length =
        head.to_lowercase().split_once("content-length: ").map(|(_, rest)| rest.lines().next().unwrap().to_owned());
    body.len() >= length.map_or(0, |length| length.trim().parse().unwrap())
}

fn web(endpoint: Option<&str>) -> HttpsWeb {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "AKIATEST",
            "not-a-key",
            Some("not-a-token".into()),
            None,
            "test",
        )));
    let config = match endpoint {
        Some(endpoint) => config.endpoint_url(endpoint),
        None => config,
    };
    HttpsWeb::new(&config.build()).unwrap()
}

fn request(to: Receiver, timeout: Duration) -> WebRequest {
    let headers = vec![("authorization", Secret::new("Bearer xoxb-1"))];
    WebRequest { to, headers, body: r#"{"text":"hé"}"#.to_owned(), timeout }
}

#[tokio::test]
async fn a_request_is_json_and_its_answer_is_read() {
    let answer = "HTTP/1.1 429 Too Many\r\nretry-after: 7\r\nx-amzn-errortype: Slow\r\ncontent-length: 5\r\n\r\nslow!";
    let server = Server::start(Does::Answers(answer)).await;
    let answer = server.ask("/services/T0EXAMPLE?a=b").await.unwrap();
    let expected =
        WebAnswer { status: 429, retry_after: Some("7".into()), error_type: Some("Slow".into()), body: "slow!".into() };
    assert_eq!(answer, expected);
    let request = &server.requests()[0];
    assert!(request.starts_with("POST /services/T0EXAMPLE?a=b HTTP/1.1\r\n"), "{request}");
    for part in [
        "content-type: application/json\r\n",
        "authorization: Bearer xoxb-1\r\n",
        "user-agent: trailhound/",
        "\r\n\r\n{\"text\":\"hé\"}",
    ] {
        assert!(request.contains(part), "{part}: {request}");
    }
}

#[tokio::test]
async fn who_does_not_answer_is_not_waited_for() {
    let server = Server::start(Does::Hangs).await;
    let start = Instant::now();
    let error = server.ask_within("/", Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(error, WebError::TimedOut(_)) && start.elapsed() < Duration::from_secs(10), "{error}");
    assert_eq!(error.to_string(), "there was no answer within 0.2 s");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_leads_nowhere() {
    let elsewhere = Server::start(Does::Answers("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await;
    let answer = format!("HTTP/1.1 307 Away\r\nlocation: {}/\r\ncontent-length: 0\r\n\r\n", elsewhere.address);
    let server = Server::start(Does::Answers(answer.leak())).await;
    assert_eq!(server.ask("/").await.unwrap().status, 307);
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn of_an_answer_without_an_end_only_the_beginning_is_read() {
    let server = Server::start(Does::Floods).await;
    let answer = server.ask("/").await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (500, MAX_ANSWER_BYTES));
}

#[tokio::test]
async fn connections_that_break_are_errors_that_show_no_address() {
    let server = Server::start(Does::Closes).await;
    let closed = server.ask("/secret-path").await.unwrap_err();
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let address = Receiver::Address(Secret::new(&format!("http://{port}/secret-path")));
    let refused = web(None).send(&request(address, Duration::from_secs(20))).await.unwrap_err();
    for error in [closed, refused] {
        assert!(matches!(error, WebError::Broken(_)), "{error}");
        let text = chain(&error);
        assert!(!text.contains("secret-path") && text.len() > error.to_string().len(), "{text}");
        assert!(!format!("{error:?}").contains("secret-path"), "{error:?}");
    }
}

#[tokio::test]
async fn what_others_could_read_is_not_sent() {
    for address in ["http://siem.example.com/", "ftp://127.0.0.1/", "https://me:pass@siem.example.com/", "nonsense"] {
        let to = Receiver::Address(Secret::new(address));
        let error = web(None).send(&request(to, Duration::from_secs(20))).await.unwrap_err();
        assert!(matches!(error, WebError::Address(_)), "{address}: {error}");
    }
}

/// Whether the signature is right, the emulator says (`tests/aws`).
#[tokio::test]
async fn a_call_of_aws_is_signed() {
    let server =
        Server::start(Does::Answers("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}")).await;
    let web = web(Some(&server.address));
    for (call, region) in [
        (AwsCall::GetParameter, None),
        (AwsCall::GetSecretValue, Some("eu-central-1".to_owned())),
        (AwsCall::PutEvents, None),
        (AwsCall::BatchImportFindings, None),
    ] {
        web.send(&request(Receiver::Aws { call, region }, Duration::from_secs(20))).await.unwrap();
    }
    let requests = server.requests();
    for (request, (path, target, scope)) in requests.iter().zip([
        ("/", "x-amz-target: AmazonSSM.GetParameter\r\n", "/eu-west-1/ssm/aws4_request"),
        ("/", "x-amz-target: secretsmanager.GetSecretValue\r\n", "/eu-central-1/secretsmanager/aws4_request"),
        ("/", "x-amz-target: AWSEvents.PutEvents\r\n", "/eu-west-1/events/aws4_request"),
        ("/findings/import", "content-type: application/json\r\n", "/eu-west-1/securityhub/aws4_request"),
    ]) {
        assert!(request.starts_with(&format!("POST {path} HTTP/1.1\r\n")), "{request}");
        assert!(request.contains(target) && request.contains(scope), "{request}");
        assert!(request.contains("authorization: AWS4-HMAC-SHA256 Credential=AKIATEST/"), "{request}");
        assert!(
            request.contains("x-amz-security-token: not-a-token\r\n") && !request.contains("not-a-key"),
            "{request}"
        );
    }
    assert_eq!(requests.len(), 4);
}
