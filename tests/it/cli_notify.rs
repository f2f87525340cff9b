//! `trailhound notify`, as a user runs it.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const CHANNELS: &str = "events/notifier/channels.yaml";

fn trailhound(args: &[&str], input: &[u8]) -> (String, String, i32) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trailhound"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who reads nothing has closed it.
    let _ = child.stdin.take().unwrap().write_all(input);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap(), status.code().unwrap())
}

#[test]
fn alerts_of_an_invocation_are_shown_as_each_receiver_gets_them() {
    let (alerts, _, _) = trailhound(&["invoke", "events/s3-put.json", "--alerts", "stdout:json"], b"");
    let (out, err, code) = trailhound(&["notify", "-", "--config", CHANNELS, "--print"], alerts.as_bytes());
    assert_eq!(code, 0, "{err}");
    for part in [
        "POST https://secret.invalid/ssm--trailhound-slack-webhook",
        "POST https://secret.invalid/ssm--trailhound-teams",
        "POST https://events.eu.pagerduty.com/v2/enqueue",
        "POST https://siem.example.com/hook",
        "x-trailhound-signature: t=",
        "\"class_uid\": 2004",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let count = alerts.lines().count();
    assert!(err.contains(&format!("{count} messages = {count} alerts + 0 alarms + 0 others")), "{err}");
}

#[test]
fn alarms_and_words_of_others_are_shown_too() {
    let (out, err, code) = trailhound(
        &["notify", "events/notifier/sqs.json", "--config", CHANNELS, "--print", "--channel", "security"],
        b"",
    );
    assert_eq!((code, out.matches("POST ").count()), (0, 3), "{err}");
    assert!(out.contains("trailhound has got no log file for 3 hours"), "{out}");
    assert!(
        err.contains("3 messages = 0 alerts + 2 alarms + 1 others") && err.contains("security: 3 = 3 told"),
        "{err}"
    );
    let (_, err, code) = trailhound(&["notify", "events/notifier/sns.json", "--config", CHANNELS, "--print"], b"");
    assert!(code == 0 && err.contains("oncall: 1 = 1 told"), "{err}");
}

#[test]
fn what_is_wrong_is_said() {
    let told = |args: &[&str]| {
        let (_, err, code) = trailhound(&[&["notify", "events/notifier/sqs.json"], args].concat(), b"");
        assert_eq!(code, 2, "{err}");
        err
    };
    let err = told(&["--config", CHANNELS, "--print", "--channel", "securty"]);
    assert!(err.contains("there is no channel `securty`; there are: security, payments, oncall, siem"), "{err}");
    for more in [&["--print"][..], &["--print", "--channel", "security"]] {
        let err = told(&[&["--config", "events/trailhound.yaml"], more].concat());
        assert!(err.contains("events/trailhound.yaml names no channel"), "{err}");
    }
    let folder = TempDir::new().unwrap();
    let secrets = folder.path().join("secrets.yaml");
    fs::write(&secrets, "ssm:/a: [not-a-secret]\n").unwrap();
    let err = told(&["--config", CHANNELS, "--secrets", secrets.to_str().unwrap()]);
    assert!(err.contains("on line 1 stands no text") && !err.contains("not-a-secret"), "{err}");
}

/// A receiver that takes what comes, once.
#[cfg(feature = "aws")]
#[test]
fn with_secrets_in_a_file_it_is_sent() {
    use std::io::Read as _;
    use std::net::TcpListener;

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook-of-slack", listener.local_addr().unwrap());
    let receiver = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = String::new();
        let mut buffer = [0; 4096];
        while !request.contains("no log file for 3 hours") {
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "{request}");
            request.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok").unwrap();
        request
    });
    let folder = TempDir::new().unwrap();
    let secrets = folder.path().join("secrets.yaml");
    fs::write(&secrets, format!("ssm:/trailhound/slack-webhook: {address}\n")).unwrap();
    let (_, err, code) = trailhound(
        &[
            "notify",
            "events/notifier/sns.json",
            "--config",
            CHANNELS,
            "--channel",
            "security",
            "--secrets",
            secrets.to_str().unwrap(),
        ],
        b"",
    );
    assert_eq!(code, 0, "{err}");
    assert!(receiver.join().unwrap().starts_with("POST /hook-of-slack HTTP/1.1\r\n"));
}
