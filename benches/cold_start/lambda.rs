//! A Lambda environment of one function: starts it, gives it events one after the other, and measures.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::environment::LAMBDA;

pub(crate) const BUCKET: &str = "example-trail-logs";
const NEXT: &str = "/2018-06-01/runtime/invocation/next";
/// Far more than it takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// What one process took.
pub(crate) struct Run {
    /// From before the program is executed until it asks for the first event.
    pub(crate) to_first_poll: Duration,
    /// When it asks for the first event.
    pub(crate) started: Usage,
    pub(crate) events: Vec<Event>,
}

pub(crate) struct Event {
    /// From the event's last byte to the answer's.
    pub(crate) took: Duration,
    /// When it asks for the next one.
    pub(crate) usage: Usage,
}

/// What the process has used until now, as `/proc/PID` says.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) peak_kib: usize,
    pub(crate) resident_kib: usize,
    /// Of all its threads.
    pub(crate) processor: Duration,
}

/// What the function does, seen by the server.
enum Seen {
    /// It asks for an event, which is to be sent here.
    Polled(Instant, Sender<Vec<u8>>),
    Answered(Instant, String),
}

/// A running function; it ends with this.
pub(crate) struct Lambda {
    function: Child,
    executed: Instant,
    seen: Receiver<Seen>,
}

impl Lambda {
    /// Executes the function, with nothing in its environment but what Lambda sets and `variables`.
    pub(crate) fn start(function: &Path, objects: &Path, variables: &[(&str, String)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (sender, seen) = mpsc::channel();
        let objects = objects.to_owned();
        thread::spawn(move || accept(&listener, &objects, &sender));
        let mut command = Command::new(function);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.envs(LAMBDA);
        command.env("AWS_ENDPOINT_URL", format!("http://{host}")).env("AWS_LAMBDA_RUNTIME_API", host);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let executed = Instant::now();
        Self { function: command.spawn().unwrap(), executed, seen }
    }

    /// Hands it one event for each key, the next when it asks for it, and ends it.
    pub(crate) fn events(self, keys: &[&str]) -> Run {
        let (polled, mut give) = self.polled();
        let to_first_poll = polled.duration_since(self.executed);
        let started = self.usage();
        let mut events = Vec::new();
        for key in keys {
            let sent = Instant::now();
            give.send(event(key)).unwrap();
            let Seen::Answered(answered, answer) = self.next() else { panic!("asked for the next event too early") };
            assert_eq!(answer, r#"{"batchItemFailures":[]}"#, "{key}");
            give = self.polled().1;
            events.push(Event { took: answered.duration_since(sent), usage: self.usage() });
        }
        Run { to_first_poll, started, events }
    }

    fn polled(&self) -> (Instant, Sender<Vec<u8>>) {
        let Seen::Polled(at, give) = self.next() else { panic!("answered without an event") };
        (at, give)
    }

    fn next(&self) -> Seen {
        self.seen.recv_timeout(PATIENCE).expect("the function is silent; does it start with these settings?")
    }

    fn usage(&self) -> Usage {
        let process = Path::new("/proc").join(self.function.id().to_string());
        let status = fs::read_to_string(process.join("status")).unwrap();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
        };
        let threads = fs::read_dir(process.join("task")).unwrap();
        let processor = threads.map(|thread| on_processor(&thread.unwrap().path())).sum();
        Usage { peak_kib: of("VmHWM:"), resident_kib: of("VmRSS:"), processor }
    }
}

/// The first number of `schedstat`, in nanoseconds. A thread that waits is up to date.
fn on_processor(thread: &Path) -> Duration {
    let text = fs::read_to_string(thread.join("schedstat")).unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

impl Drop for Lambda {
    fn drop(&mut self) {
        let _ = self.function.kill();
        let _ = self.function.wait();
    }
}

/// The sample batch of one message, about another object.
fn event(key: &str) -> Vec<u8> {
    let sample = include_str!("../../events/sqs-s3-put.json");
    let (_, rest) = sample.split_once(r#"\"key\":\""#).unwrap();
    let (its_key, _) = rest.split_once('\\').unwrap();
    sample.replace(its_key, key).into_bytes()
}

fn accept(listener: &TcpListener, objects: &Path, seen: &Sender<Seen>) {
    for stream in listener.incoming() {
        let (objects, seen) = (objects.to_owned(), seen.clone());
        thread::spawn(move || serve(stream.unwrap(), &objects, &seen));
    }
}

/// Answers the requests of one connection until it ends, or the one who measures has gone.
fn serve(stream: TcpStream, objects: &Path, seen: &Sender<Seen>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = BufReader::new(stream);
    loop {
        let (path, body) = request(&mut stream)?;
        let (head, content) = if path == NEXT {
            let (give, given) = mpsc::channel();
            seen.send(Seen::Polled(Instant::now(), give)).ok()?;
            let head = "200 OK\r\nlambda-runtime-aws-request-id: r-1\r\nlambda-runtime-deadline-ms: 4000000000000";
            (head, given.recv().ok()?)
        } else if path.ends_with("/response") {
            seen.send(Seen::Answered(Instant::now(), body)).ok()?;
            ("202 Accepted", Vec::new())
        } else {
            ("200 OK\r\ncontent-type: text/xml", aws(&path, &body, objects))
        };
        let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", content.len());
        stream.get_mut().write_all(&[head.as_bytes(), &content].concat()).ok()?;
    }
}

/// What S3 and SNS answer: a bucket's head is empty, SNS's answers are not looked into.
fn aws(path: &str, body: &str, objects: &Path) -> Vec<u8> {
    let key = path.split('?').next().unwrap().trim_matches('/');
    match body {
        "" if key == BUCKET => Vec::new(),
        "" => fs::read(objects.join(key)).unwrap(),
        _ if body.contains("Action=PublishBatch") => {
            let ids = body.split('&').filter_map(|part| Some(part.split_once(".Id=")?.1));
            let each = |id| format!("<member><Id>{id}</Id><MessageId>1</MessageId></member>");
            let successful: String = ids.map(each).collect::<Vec<_>>().concat();
            format!("<PublishBatchResponse><PublishBatchResult><Failed/><Successful>{successful}</Successful></PublishBatchResult></PublishBatchResponse>").into_bytes()
        }
        _ if body.contains("Action=Publish") => {
            b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>".to_vec()
        }
        _ => b"<GetTopicAttributesResponse/>".to_vec(),
    }
}

/// The next request's path and body; `None` at the end of the connection.
fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut lines = Vec::new();
    while lines.last().is_none_or(|line: &String| !line.is_empty()) {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        lines.push(line.trim_end().to_owned());
    }
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((lines[0].split(' ').nth(1)?.to_owned(), String::from_utf8(body).unwrap()))
}
