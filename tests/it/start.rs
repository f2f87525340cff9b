//! The compiled function from its start to its first answer, beside a server that plays S3, SNS and Lambda.

#[path = "../../benches/cold_start/environment.rs"]
mod environment;

use std::fs;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::sns::{entries, taken};
use crate::support::events;
use environment::LAMBDA;

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alerts";
const HEAD: &str = "HEAD /example-trail-logs";
const ASK: &str = "GetTopicAttributes";
const LIST: &str = "GET /example-config/?list-type=2";
/// What is known of addresses; the last is of no use.
const DATA: &[&str] = &["asn.mmdb", "city.mmdb", "ip-ranges.json", "old/asn.mmdb", "connection.mmdb"];
const NEXT: &str = "GET /2018-06-01/runtime/invocation/next";
/// Far more than it takes; a wait ends as soon as it can.
const PATIENCE: Duration = Duration::from_mins(1);

/// What becomes of the requests that the function makes for their connections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WarmUps {
    Answered,
    /// S3 never answers, SNS denies.
    Refused,
}

/// A request, and the number of the connection that it came by.
type Seen = (usize, String);

struct Server {
    warm_ups: WarmUps,
    seen: Mutex<Vec<Seen>>,
    answered: Mutex<Option<oneshot::Sender<String>>>,
}

impl Server {
    /// Starts the function, gives it one event, and returns the requests up to its answer, the answer, and the log.
    async fn run(warm_ups: WarmUps, more: &[(&str, &str)]) -> (Vec<Seen>, String, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (answered, answer) = oneshot::channel();
        let server = Arc::new(Self { warm_ups, seen: Mutex::default(), answered: Mutex::new(Some(answered)) });
        tokio::spawn(Arc::clone(&server).accept(listener));

        let function = Function(function(&host).envs(more.iter().copied()).spawn().unwrap());
        let answer = tokio::time::timeout(PATIENCE, answer).await.expect("no answer came").unwrap();
        let seen = server.seen.lock().unwrap().clone();
        (seen, answer, function.log())
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(Arc::clone(&self).serve(number, stream));
        }
    }

    async fn serve(self: Arc<Self>, number: usize, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some((line, body)) = request(&mut stream).await {
            self.seen.lock().unwrap().push((number, format!("{line} {body}")));
            let Some((status, headers, content)) = self.answer(&line, &body) else { std::future::pending().await };
            let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", content.len());
            stream.write_all(&[head.as_bytes(), &content].concat()).await.unwrap();
        }
    }

    /// Status, headers and body; `None` keeps the function waiting.
    fn answer(&self, line: &str, body: &str) -> Option<(&'static str, &'static str, Vec<u8>)> {
        let refused = self.warm_ups == WarmUps::Refused;
        let xml = |status, text: &str| Some((status, "content-type: text/xml\r\n", text.as_bytes().to_vec()));
        if line.starts_with(HEAD) {
            return if refused { None } else { Some(("200 OK", "", Vec::new())) };
        }
        if body.contains(ASK) && refused {
            return xml(
                "403 Forbidden",
                "<ErrorResponse><Error><Code>AuthorizationError</Code><Message>not for you</Message></Error></ErrorResponse>",
            );
        }
        if body.contains(ASK) {
            return xml(
                "200 OK",
                "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes/></GetTopicAttributesResult></GetTopicAttributesResponse>",
            );
        }
        if body.contains("Action=Publish") {
            return xml("200 OK", &taken(entries(body)).1);
        }
        if line.ends_with("/response") {
            self.answered.lock().unwrap().take()?.send(body.to_owned()).unwrap();
            return Some(("202 Accepted", "", Vec::new()));
        }
        if line == NEXT {
            return self.event();
        }
        if line.starts_with(LIST) && refused {
            return xml("403 Forbidden", "<Error><Code>AccessDenied</Code><Message>not for you</Message></Error>");
        }
        if line.starts_with(LIST) {
            let keys = if line.contains("start-after") { Vec::new() } else { DATA.to_vec() };
            let contents: Vec<_> =
                keys.iter().map(|name| format!("<Contents><Key>addresses/{name}</Key></Contents>")).collect();
            return xml("200 OK", &format!("<ListBucketResult>{}</ListBucketResult>", contents.concat()));
        }
        if let Some(name) = line.strip_prefix("GET /example-config/addresses/") {
            let name = name.split('?').next()?;
            return Some((
                "200 OK",
                "",
                fs::read(events().with_file_name("tests/it/enrichment/data").join(name)).unwrap(),
            ));
        }
        let key = line.strip_prefix("GET /")?.split('?').next()?;
        Some(("200 OK", "", fs::read(events().join("objects").join(key)).unwrap()))
    }

    /// The first time only.
    fn event(&self) -> Option<(&'static str, &'static str, Vec<u8>)> {
        let times = self.seen.lock().unwrap().iter().filter(|(_, line)| line.starts_with(NEXT)).count();
        let headers = "lambda-runtime-aws-request-id: r-1\r\nlambda-runtime-deadline-ms: 4000000000000\r\n";
        (times == 1).then(|| ("200 OK", headers, fs::read(events().join("sqs-s3-put.json")).unwrap()))
    }
}

/// Ends with the test, also with one that fails.
struct Function(Child);

impl Function {
    /// Ends it; everything that it wrote.
    fn log(mut self) -> String {
        self.0.kill().unwrap();
        let mut log = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn function(host: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_function"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped());
    command.envs(LAMBDA).env("AWS_LAMBDA_RUNTIME_API", host);
    command.env("TRAILHOUND_WARM", "s3://example-trail-logs,alerts");
    command.env("AWS_ENDPOINT_URL", format!("http://{host}")).env("TRAILHOUND_ALERTS", format!("sns:{TOPIC}"));
    command
}

/// The next request's method and path, and its body; `None` at the end of the connection.
pub(crate) async fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut lines = Vec::new();
    while lines.last().is_none_or(|line: &String| !line.is_empty()) {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        lines.push(line.trim_end().to_owned());
    }
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let line = lines[0].strip_suffix(" HTTP/1.1").unwrap().to_owned();
    Some((line, String::from_utf8(body).unwrap()))
}

fn position(seen: &[Seen], what: &str) -> usize {
    seen.iter().position(|(_, request)| request.contains(what)).unwrap_or_else(|| panic!("no {what} in {seen:#?}"))
}

#[tokio::test]
async fn connections_stand_before_the_first_event_and_carry_it() {
    let (seen, answer, log) = Server::run(WarmUps::Answered, &[]).await;
    assert_eq!(answer, r#"{"batchItemFailures":[]}"#, "{log}");
    let (asked, next) = (position(&seen, HEAD).max(position(&seen, ASK)), position(&seen, NEXT));
    assert!(asked < next, "{seen:#?}");
    for (opened, used) in [(HEAD, "GET /example-trail-logs/"), (ASK, "Action=Publish")] {
        let [opened, used] = [opened, used].map(|what| seen[position(&seen, what)].0);
        assert_eq!(opened, used, "another connection was opened: {seen:#?}");
    }
    assert_eq!(log.matches(r#""event":"warmed""#).count(), 2, "{log}");
}

const ENRICHED: &[(&str, &str)] = &[("TRAILHOUND_ENRICHMENT", "s3://example-config/addresses")];

#[tokio::test]
async fn what_is_known_of_addresses_comes_from_s3_and_is_named_in_the_log() {
    let (seen, answer, log) = Server::run(WarmUps::Answered, ENRICHED).await;
    assert_eq!(answer, r#"{"batchItemFailures":[]}"#, "{log}");
    assert!(position(&seen, "addresses/ip-ranges.json") < position(&seen, NEXT), "{seen:#?}");
    assert!(!seen.iter().any(|(_, line)| line.contains("/old/")), "{seen:#?}");
    let lines = |event: &str| log.lines().filter(|line| line.contains(event)).collect::<Vec<_>>();
    let [loaded] = lines(r#""event":"enrichment_loaded""#)[..] else { panic!("{log}") };
    for part in [
        r#""place":"s3://example-config/addresses/""#,
        "ip-ranges.json of 2026-11-04 (10 networks of AWS), asn.mmdb of 2026-11-04 (GeoLite2-ASN: AS numbers, ",
        "city.mmdb of 2026-11-04 (GeoLite2-City: countries)",
    ] {
        assert!(loaded.contains(part), "{part} is not in {loaded}");
    }
    let [failed] = lines(r#""event":"enrichment_failed""#)[..] else { panic!("{log}") };
    assert!(failed.contains("s3://example-config/addresses/connection.mmdb") && failed.contains("ERROR"), "{failed}");
    assert!(log.contains(r#""EnrichmentFailed":1"#) && !log.contains("RulesWithoutData"), "{log}");
}

/// Whoever mends a permission must not miss meanwhile what all other rules find.
#[tokio::test]
async fn a_function_that_may_not_read_the_data_starts_and_names_the_rules_that_ask_for_it() {
    let folder = tempfile::TempDir::new().unwrap();
    let rule = "title: Country\nid: c\nlogsource: {product: aws, service: cloudtrail}\ndetection: {s: {derived.source_country: NL}, condition: s}\n";
    fs::write(folder.path().join("a.yml"), rule).unwrap();
    let rules = format!("core,{}", folder.path().display());
    let more = [ENRICHED, &[("TRAILHOUND_RULES", rules.as_str())]].concat();
    let (_, answer, log) = Server::run(WarmUps::Refused, &more).await;
    assert_eq!(answer, r#"{"batchItemFailures":[]}"#, "{log}");
    for part in [
        r#""event":"enrichment_failed""#,
        "s3://example-config/addresses/ could not be listed",
        "not for you",
        r#""event":"rule_without_data""#,
        r#"\"Country\" asks for `derived.source_country`, and no database with countries is loaded"#,
        r#""EnrichmentFailed":1"#,
        r#""RulesWithoutData":1"#,
    ] {
        assert!(log.contains(part), "{part} is not in {log}");
    }
    assert!(!log.contains("enrichment_loaded"), "{log}");
}

/// The notifier reads the usual topic alone.
#[tokio::test]
async fn a_function_whose_channels_miss_alerts_says_so() {
    let folder = tempfile::TempDir::new().unwrap();
    let config = folder.path().join("trailhound.yaml");
    for (instead, said) in [("true", 1), ("false", 0)] {
        let topics = format!("[{{arn: '{TOPIC}2', when: {{level: critical}}, instead: {instead}}}]");
        fs::write(&config, format!("channels: {{hub: {{security_hub: {{}}}}}}\ntopics: {topics}\n")).unwrap();
        let (_, _, log) = Server::run(WarmUps::Refused, &[("TRAILHOUND_CONFIG", config.to_str().unwrap())]).await;
        let lines = log.lines().filter(|line| line.contains(r#""event":"channels_bypassed""#) && line.contains(TOPIC));
        assert_eq!(lines.count(), said, "{log}");
    }
}

#[tokio::test]
async fn a_function_without_its_connections_starts_and_says_what_is_wrong() {
    let (seen, answer, log) = Server::run(WarmUps::Refused, &[]).await;
    assert_eq!(answer, r#"{"batchItemFailures":[]}"#, "{log}");
    position(&seen, "Action=Publish");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(r#""event":"warm_up_failed""#)).collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(lines.iter().all(|line| line.contains(r#""level":"WARN""#)), "{log}");
    for part in [
        r#""place":"s3://example-trail-logs""#,
        "no answer within 3 s",
        TOPIC,
        "the function needs sns:GetTopicAttributes on it",
        "not for you",
    ] {
        assert!(lines.iter().any(|line| line.contains(part)), "{part} is not in {lines:#?}");
    }
}
