//! Several alerts for an SNS topic, through the real SDK, to a topic on this machine that takes what it is told to take.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use trailhound::aws::SnsTopic;
use trailhound::notify::Notification;
use trailhound::ports::{PublishError, Publisher as _, chain};

use crate::aws::config;
use crate::start::request;
use crate::support::{World, record, rule, rules, trail_file};

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:alerts";
const OTHER: &str = "arn:aws:sns:eu-west-1:111122223333:critical";

/// What a topic answers to a request of that many alerts (0: one that is no batch).
type Answers = fn(usize) -> (u16, String);

struct Topic {
    topic: SnsTopic,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Topic {
    async fn new(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(BufReader::new(stream), answers, Arc::clone(&seen)));
            }
        });
        Self { topic: SnsTopic::new(&config(&endpoint), TOPIC.to_owned()), requests }
    }

    /// How many alerts stood in each request, the largest first; 0 is `Publish`.
    fn sizes(&self) -> Vec<usize> {
        let mut sizes: Vec<usize> = self.requests.lock().unwrap().iter().map(|request| entries(request)).collect();
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        sizes
    }

    async fn publish(&self, alerts: &[Notification]) -> Vec<Option<String>> {
        let why = |answer: Result<(), PublishError>| answer.err().map(|error| chain(&error));
        self.topic.publish_all(alerts).await.into_iter().map(why).collect()
    }
}

/// How many alerts a request of `PublishBatch` has.
pub(crate) fn entries(request: &str) -> usize {
    (1..=11).filter(|entry| request.contains(&format!("PublishBatchRequestEntries.member.{entry}.Id="))).count()
}

async fn serve(mut stream: BufReader<TcpStream>, answers: Answers, seen: Arc<Mutex<Vec<String>>>) {
    while let Some((_, request)) = request(&mut stream).await {
        let (status, body) = answers(entries(&request));
        seen.lock().unwrap().push(request);
        let answer = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The status and the body of a topic that takes all of them.
pub(crate) fn taken(entries: usize) -> (u16, String) {
    batch(entries, &[])
}

fn batch(entries: usize, refused: &[usize]) -> (u16, String) {
    let member = |id: usize| {
        let answer = if refused.contains(&id) {
            "<Code>InternalError</Code><SenderFault>false</SenderFault>"
        } else {
            "<MessageId>m</MessageId>"
        };
        format!("<member><Id>{id}</Id>{answer}</member>")
    };
    let list = |is_refused: bool| -> String {
        let members = (0..entries).filter(|id| refused.contains(id) == is_refused).map(member);
        members.collect::<Vec<_>>().concat()
    };
    let result = match entries {
        0 => "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>".to_owned(),
        _ => format!(
            "<PublishBatchResponse><PublishBatchResult><Failed>{}</Failed><Successful>{}</Successful></PublishBatchResult></PublishBatchResponse>",
            list(true),
            list(false)
        ),
    };
    (200, result)
}

fn error(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>said so</Message></Error></ErrorResponse>"
    )
}

async fn alerts(count: usize) -> Vec<Notification> {
    let detection = "  sel: {eventName: StopLogging}\n  condition: sel\ntags: [attack.impact, attack.t1489]\n";
    let world = World::new(rules(&rule(detection)));
    world.notify(&[&world.put("trail", &trail_file(&[record("StopLogging", "e-1")]))]).await;
    vec![world.alerts().remove(0); count]
}

#[tokio::test]
async fn ten_alerts_of_a_topic_go_in_one_request() {
    let topic = Topic::new(taken).await;
    let mut alerts = alerts(13).await;
    alerts[4].topic = Some(OTHER.to_owned());
    assert_eq!(topic.publish(&alerts).await, vec![None; 13]);
    assert_eq!(topic.sizes(), [10, 2, 0]);
    for request in topic.requests.lock().unwrap().iter() {
        assert!(request.contains(if entries(request) == 0 { "critical&" } else { "alerts&" }), "{}", &request[..200]);
        assert!(request.contains("String.Array") && request.contains("attack.t1489"));
    }
}

#[tokio::test]
async fn large_alerts_are_no_batch() {
    let topic = Topic::new(taken).await;
    let mut alerts = alerts(3).await;
    alerts[1].record = "x".repeat(240_000);
    assert_eq!(topic.publish(&alerts).await, vec![None; 3]);
    assert_eq!(topic.sizes(), [2, 0]);
}

#[tokio::test]
async fn what_is_refused_in_a_batch_is_published_alone() {
    let topic = Topic::new(|entries| batch(entries, &[1, 3])).await;
    assert_eq!(topic.publish(&alerts(4).await).await, vec![None; 4]);
    assert_eq!(topic.sizes(), [4, 0, 0]);
    // And says why, if that fails, too.
    let denied = |entries| if entries == 0 { (403, error("AuthorizationError")) } else { batch(entries, &[2]) };
    let answers = Topic::new(denied).await.publish(&alerts(3).await).await;
    assert!(answers[0].is_none() && answers[1].is_none());
    let why = answers[2].as_ref().unwrap();
    assert!(why.contains(TOPIC) && why.contains("said so"), "{why}");
}

#[tokio::test]
async fn what_is_wrong_with_one_keeps_no_other() {
    let topic = Topic::new(|entries| if entries == 0 { taken(0) } else { (400, error("InvalidParameter")) }).await;
    assert_eq!(topic.publish(&alerts(3).await).await, vec![None; 3]);
    assert_eq!(topic.sizes(), [3, 0, 0, 0]);
}

#[tokio::test]
async fn a_topic_that_takes_nothing_is_asked_once_and_says_why_for_each() {
    let topic = Topic::new(|_| (403, error("AuthorizationError"))).await;
    let answers = topic.publish(&alerts(3).await).await;
    assert!(answers.iter().flatten().filter(|why| why.contains("said so")).count() == 3, "{answers:?}");
    assert_eq!(topic.sizes(), [3]);
}
