//! The notifier in the deployed stack: a trail file in, a message of Slack out.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::stack::Stack;
use super::{by, count, key, line, stop_logging, trail_file};

const PATIENCE: Duration = Duration::from_mins(1);
const OK: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
const GONE: &str = "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 10\r\n\r\nno_service";

/// An incoming webhook of Slack.
struct Slack {
    address: String,
    messages: Arc<Mutex<Vec<Value>>>,
    answer: Arc<Mutex<&'static str>>,
}

impl Slack {
    async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/services/hook", listener.local_addr().unwrap());
        let (messages, answer) = (Arc::<Mutex<Vec<Value>>>::default(), Arc::new(Mutex::new(OK)));
        let (seen, says) = (Arc::clone(&messages), Arc::clone(&answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen), Arc::clone(&says)));
            }
        });
        Self { address, messages, answer }
    }

    fn says(&self, answer: &'static str) {
        *self.answer.lock().unwrap() = answer;
    }

    /// Waits for so many requests, since the last time.
    async fn messages(&self, count: usize, stack: &Stack) -> Vec<Value> {
        let start = Instant::now();
        while self.messages.lock().unwrap().len() < count {
            assert!(start.elapsed() < PATIENCE, "Slack was told nothing; the log ends with\n{}", end_of(&stack.log()));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        std::mem::take(&mut *self.messages.lock().unwrap())
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<Value>>>, says: Arc<Mutex<&'static str>>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => request.extend_from_slice(&buffer[..count]),
        }
        let text = String::from_utf8_lossy(&request);
        // A body that is JSON is whole.
        if let Some(message) = text.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok()) {
            seen.lock().unwrap().push(message);
            let answer = *says.lock().unwrap();
            let _ = stream.write_all(answer.as_bytes()).await;
            return;
        }
    }
}

fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

#[tokio::test]
async fn a_trail_file_arrives_and_slack_is_told_of_it_once() {
    let receiver = Slack::listen().await;
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("trailhound.yaml");
    fs::write(&config, "channels: {security: {slack: {webhook: ssm:/trailhound/slack-webhook}}}\n").unwrap();
    let secret = format!("ssm:/trailhound/slack-webhook={}", receiver.address);
    let notifier = env!("CARGO_BIN_EXE_notifier");
    let arguments = ["--notifier", notifier, "--config", config.to_str().unwrap(), "--secret", &secret];
    let stack = Stack::deploy_with(&[], &[], &arguments).await;

    stack.put(&key("told"), &trail_file(&[by("alice", stop_logging("org-trail", "e-1"))])).await;
    let messages = receiver.messages(1, &stack).await;
    assert!(messages[0]["text"].as_str().unwrap().contains("stopped"), "{}", messages[0]);
    assert!(messages[0]["blocks"].as_array().unwrap().len() > 2, "{}", messages[0]);
    stack.alerts(1).await;

    // A receiver that takes nothing: the message goes back, comes again, and is told once it is taken.
    receiver.says(GONE);
    stack.put(&key("again"), &trail_file(&[by("bob", stop_logging("org-trail", "e-2"))])).await;
    receiver.messages(1, &stack).await;
    receiver.says(OK);
    let messages = receiver.messages(1, &stack).await;
    assert!(messages[0].to_string().contains("bob"), "{}", messages[0]);

    // Its own message was gone from the queue, or this one would not be alone.
    stack.put(&key("third"), &trail_file(&[by("carol", stop_logging("org-trail", "e-3"))])).await;
    let messages = receiver.messages(1, &stack).await;
    assert!(messages[0].to_string().contains("carol"), "{}", messages[0]);

    let log = stack.log();
    let failed = line(&log, r#""event":"notify_failed""#);
    assert!(failed.contains("security") && failed.contains("denied") && failed.contains("404"), "{failed}");
    assert!(!log.contains("/services/hook"), "the address is a secret");
    assert_eq!(count(&log, r#""event":"state_failed""#), 0, "{log}");
    let metrics = line(&log, r#""Notified":1"#);
    assert!(metrics.contains(r#""Channel":"security""#), "{metrics}");
    stack.stop();
}
