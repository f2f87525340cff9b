//! A bucket behind a server of two answers: its keys in pages of three, and its objects.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;

const PAGE: usize = 3;

struct Bucket {
    host: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Bucket {
    /// Serves until the test's process ends.
    fn serve(files: Vec<(String, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let files = Arc::new(files);
        let requests = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (files, requests) = (Arc::clone(&files), Arc::clone(&requests));
                std::thread::spawn(move || answer(stream.unwrap(), &files, &requests));
            }
        });
        Self { host, seen }
    }

    fn requests(&self, what: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|line| line.contains(what)).count()
    }
}

fn answer(stream: TcpStream, files: &[(String, Vec<u8>)], seen: &Mutex<Vec<String>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let line = head.lines().next().unwrap().to_owned();
        let (status, body) = respond(&line, files);
        seen.lock().unwrap().push(line);
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.get_mut().write_all(&[head.as_bytes(), &body].concat()).unwrap();
    }
}

fn respond(line: &str, files: &[(String, Vec<u8>)]) -> (&'static str, Vec<u8>) {
    let error = |code: &str| format!("<Error><Code>{code}</Code><Message>said so</Message></Error>").into_bytes();
    if !line.starts_with("GET /trail-logs") {
        return ("403 Forbidden", error("AccessDenied"));
    }
    if line.contains("list-type=2") {
        let after =
            line.split("start-after=").nth(1).and_then(|rest| rest.split(['&', ' ']).next()).unwrap_or_default();
        let after = after.replace("%2F", "/");
        let mut keys: Vec<&str> = files.iter().map(|(key, _)| key.as_str()).filter(|key| **key > *after).collect();
        keys.sort_unstable();
        keys.truncate(PAGE);
        let keys: Vec<String> = keys.iter().map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
        let listing = format!("<ListBucketResult><IsTruncated>false</IsTruncated>{}</ListBucketResult>", keys.concat());
        return ("200 OK", listing.into_bytes());
    }
    let file = files.iter().find(|(key, bytes)| line.contains(&format!("/{key}?")) && !bytes.is_empty());
    file.map_or(("404 Not Found", error("NoSuchKey")), |(_, bytes)| ("200 OK", bytes.clone()))
}

fn learn(place: &Place, bucket: &Bucket, from: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailhound"));
    command.args(["baseline", "--state", "file:memory.redb", "--rules", "rules", from]).current_dir(place.0.path());
    command.env_clear().env("AWS_ENDPOINT_URL", format!("http://{}", bucket.host)).env("AWS_REGION", "eu-west-1");
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").output().unwrap().into()
}

#[test]
fn the_log_files_of_a_bucket_are_learned_page_by_page() {
    let place = Place::new();
    let key = |name: &str| format!("{FOLDER}/{name}.json.gz");
    let digest = key("d").replace("/CloudTrail/", "/CloudTrail-Digest/");
    let [first, second, third] = history().map(|record| trail_file(&[record]));
    let bucket = Bucket::serve(vec![
        (key("a"), first),
        (digest, trail_file(&[call("d", "05T10:00:00", THIEF)])),
        (key("expired"), Vec::new()),
        (key("b"), second),
        (key("c"), third),
        (key("broken"), b"{\"Records\":[".to_vec()),
    ]);
    let ran = learn(&place, &bucket, "s3://trail-logs/AWSLogs/");
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains(&format!("s3://trail-logs/{}: the file ends", key("broken"))), "{}", ran.err);
    assert!(
        ran.err.contains(
            "5 files = 3 read + 1 gone + 1 failed; 1 other files skipped, 0 paths could not be listed; 3 records"
        ),
        "{}",
        ran.err
    );
    assert!(
        ran.out.contains("2 pairs of entity and value, from 2026-11-01T10:00:00Z to 2026-11-05T09:00:00Z"),
        "{}",
        ran.out
    );
    assert_eq!((bucket.requests("prefix=AWSLogs"), bucket.requests("/CloudTrail-Digest/")), (3, 0));

    let ran = learn(&place, &bucket, "s3://somebody-elses");
    assert!(ran.code == 2 && ran.err.contains("s3://somebody-elses/ could not be listed"), "{}", ran.err);
    assert!(ran.err.contains("AccessDenied") && ran.err.contains("s3:ListBucket"), "{}", ran.err);
}
