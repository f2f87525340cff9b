//! A deployed stack, through `scripts/aws_local.py`, and the AWS clients to use it with.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use serde::Deserialize;
use serde_json::{Value, json};

/// Long enough for two receives of a poisoned message; every wait ends as soon as it can.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Stack {
    script: Child,
    answers: BufReader<ChildStdout>,
    place: Place,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
    alerts_url: String,
}

/// The line that `aws_local.py --serve` prints.
#[derive(Deserialize)]
struct Place {
    endpoint: String,
    region: String,
    bucket: String,
    queue_url: String,
    dlq_url: String,
    topic_arn: String,
    table: String,
    log_file: PathBuf,
}

impl Stack {
    /// With variables for the function beside those of the template, and parameters of the template, as `NAME=VALUE`.
    pub(crate) async fn deploy(variables: &[&str], parameters: &[&str]) -> Self {
        Self::deploy_with(variables, parameters, &[]).await
    }

    /// The same, with further arguments for `aws_local.py`.
    pub(crate) async fn deploy_with(variables: &[&str], parameters: &[&str], arguments: &[&str]) -> Self {
        let python = env::var("TRAILHOUND_PYTHON")
            .expect("TRAILHOUND_PYTHON names a Python with scripts/requirements.txt; run `make aws-test`");
        let mut script = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/aws_local.py"))
            // Twice is enough to see what comes again, after longer than a process takes to start and to tell.
            .args(["--serve", "--visibility", "5", "--max-receive", "2", "--bootstrap"])
            .arg(env!("CARGO_BIN_EXE_function"))
            .args(variables.iter().flat_map(|variable| ["--env", variable]))
            .args(parameters.iter().flat_map(|parameter| ["--param", parameter]))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut answers = BufReader::new(script.stdout.take().unwrap());
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        let place: Place = serde_json::from_str(&line).expect("aws_local.py has said above what went wrong");
        let config = sdk_config(&place);
        let s3 =
            aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build());
        let sqs = aws_sdk_sqs::Client::new(&config);
        let alerts_url = subscribe(&config, &sqs, &place).await;
        Self { script, answers, place, s3, sqs, alerts_url }
    }

    /// Ends the function's processes; those that follow have these variables, too (`null`: they lack them).
    pub(crate) fn replace_function(&mut self, variables: &Value) {
        writeln!(self.script.stdin.as_mut().unwrap(), "{variables}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), variables.to_string(), "aws_local.py has said above what went wrong");
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.place.bucket
    }

    pub(crate) fn topic_arn(&self) -> &str {
        &self.place.topic_arn
    }

    pub(crate) fn table(&self) -> &str {
        &self.place.table
    }

    /// What the emulator and the function have written so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.place.log_file).unwrap()
    }

    pub(crate) async fn put(&self, key: &str, bytes: &[u8]) {
        self.s3.put_object().bucket(&self.place.bucket).key(key).body(bytes.to_vec().into()).send().await.unwrap();
    }

    /// Makes another bucket, and puts these into it.
    pub(crate) async fn put_elsewhere(&self, bucket: &str, objects: &[(&str, Vec<u8>)]) {
        let region =
            CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
        self.s3.create_bucket().bucket(bucket).create_bucket_configuration(region).send().await.unwrap();
        for (key, bytes) in objects {
            self.s3.put_object().bucket(bucket).key(*key).body(bytes.clone().into()).send().await.unwrap();
        }
    }

    pub(crate) async fn get(&self, key: &str) -> Vec<u8> {
        let object = self.s3.get_object().bucket(&self.place.bucket).key(key).send().await.unwrap();
        object.body.collect().await.unwrap().to_vec()
    }

    /// The keys that begin so.
    pub(crate) async fn objects(&self, prefix: &str) -> Vec<String> {
        let listed = self.s3.list_objects_v2().bucket(&self.place.bucket).prefix(prefix).send().await.unwrap();
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }

    /// Sends a message to the function's queue, as a redrive does.
    pub(crate) async fn send(&self, message: &Value) {
        self.sqs
            .send_message()
            .queue_url(&self.place.queue_url)
            .message_body(message.to_string())
            .send()
            .await
            .unwrap();
    }

    /// Waits for so many alerts; each is the finding that a queue gets, and its message attributes.
    pub(crate) async fn alerts(&self, count: usize) -> Vec<(Value, Value)> {
        let mut alerts = Vec::new();
        let start = Instant::now();
        while alerts.len() < count {
            assert!(
                start.elapsed() < PATIENCE,
                "{} of {count} alerts came; the emulator's log ends with\n{}",
                alerts.len(),
                super::tail(&self.place.log_file)
            );
            alerts.extend(self.receive(&self.alerts_url, 2).await.iter().map(alert));
        }
        alerts
    }

    /// The alerts that are there by now.
    pub(crate) async fn alerts_now(&self) -> Vec<(Value, Value)> {
        self.receive(&self.alerts_url, 0).await.iter().map(alert).collect()
    }

    /// The messages that the function has given up on by now.
    pub(crate) async fn dead_letters_now(&self) -> usize {
        self.receive(&self.place.dlq_url, 0).await.len()
    }

    /// Waits for a message that the function gave up on.
    pub(crate) async fn dead_letter(&self) -> Value {
        let start = Instant::now();
        loop {
            assert!(
                start.elapsed() < PATIENCE,
                "nothing came to the DLQ; the emulator's log ends with\n{}",
                super::tail(&self.place.log_file)
            );
            if let Some(message) = self.receive(&self.place.dlq_url, 2).await.first() {
                return serde_json::from_str(message.body().unwrap()).unwrap();
            }
        }
    }

    /// Waits until no message is in the source queue or in the function's hands.
    pub(crate) async fn wait_until_idle(&self) {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Waiting, ApproximateNumberOfMessagesNotVisible as InFlight,
        };
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < PATIENCE, "the queue doesn't run dry");
            let request = self
                .sqs
                .get_queue_attributes()
                .queue_url(&self.place.queue_url)
                .attribute_names(Waiting)
                .attribute_names(InFlight);
            let attributes = request.send().await.unwrap().attributes.unwrap_or_default();
            if [Waiting, InFlight].iter().all(|name| attributes.get(name).is_none_or(|count| count == "0")) {
                return;
            }
            // Blocks until something may have changed, in place of a sleep.
            self.receive(&self.place.dlq_url, 1).await;
        }
    }

    async fn receive(&self, queue_url: &str, seconds: i32) -> Vec<Message> {
        let received =
            self.sqs.receive_message().queue_url(queue_url).max_number_of_messages(10).wait_time_seconds(seconds);
        let messages = received.send().await.unwrap().messages.unwrap_or_default();
        for message in &messages {
            let receipt = message.receipt_handle().unwrap();
            self.sqs.delete_message().queue_url(queue_url).receipt_handle(receipt).send().await.unwrap();
        }
        messages
    }

    /// Stops what the script started; dropping does the same when a test fails.
    pub(crate) fn stop(mut self) {
        drop(self.script.stdin.take());
        assert!(self.script.wait().unwrap().success());
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // The end of its input tells the script to stop the emulator. Killing it would leave the emulator behind.
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}

fn alert(message: &Message) -> (Value, Value) {
    let envelope: Value = serde_json::from_str(message.body().unwrap()).unwrap();
    let finding = serde_json::from_str(envelope["Message"].as_str().unwrap()).unwrap();
    (finding, envelope["MessageAttributes"].clone())
}

fn sdk_config(place: &Place) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&place.endpoint)
        .region(Region::new(place.region.clone()))
        .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(aws_sdk_s3::config::Credentials::new(
            "test", "test", None, None, "test",
        )))
        .build()
}

/// A queue that gets the alerts, allowed to the topic and to nobody else.
async fn subscribe(config: &SdkConfig, sqs: &aws_sdk_sqs::Client, place: &Place) -> String {
    let url = sqs.create_queue().queue_name("alerts-under-test").send().await.unwrap().queue_url.unwrap();
    let attributes =
        sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::QueueArn).send().await.unwrap();
    let arn = attributes.attributes.unwrap()[&QueueAttributeName::QueueArn].clone();
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage", "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": place.topic_arn}}}]});
    let policy = HashMap::from([(QueueAttributeName::Policy, policy.to_string())]);
    sqs.set_queue_attributes().queue_url(&url).set_attributes(Some(policy)).send().await.unwrap();
    let sns = aws_sdk_sns::Client::new(config);
    sns.subscribe().topic_arn(&place.topic_arn).protocol("sqs").endpoint(arn).send().await.unwrap();
    url
}
