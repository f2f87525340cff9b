//! An AWS emulator with nothing deployed on it, through `scripts/aws_local.py`.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use serde::Deserialize;

pub(crate) struct Emulator {
    script: Child,
    pub(crate) endpoint: String,
    region: String,
}

#[derive(Deserialize)]
struct Place {
    endpoint: String,
    region: String,
}

impl Emulator {
    pub(crate) fn start() -> Self {
        let python = env::var("TRAILHOUND_PYTHON")
            .expect("TRAILHOUND_PYTHON names a Python with scripts/requirements.txt; run `make aws-test`");
        let mut script = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/aws_local.py"))
            .arg("--bare")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(script.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Place { endpoint, region } =
            serde_json::from_str(&line).expect("aws_local.py has said above what went wrong");
        Self { script, endpoint, region }
    }

    /// For clients that reach it through `endpoint`.
    pub(crate) fn sdk_config(&self, endpoint: &str) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(Region::new(self.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test")))
            .build()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // The end of its input tells the script to stop the emulator. Killing it would leave the emulator behind.
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
}
