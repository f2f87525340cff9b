//! `trailhound notify`: messages through the notifier's own handler.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use trailhound::local::{Printer, SystemClock, secret_file};
use trailhound::notifier::{Notifier, SecretSource};
use trailhound::notify::asff::Product;
use trailhound::outcome::NoticeOutcome;
use trailhound::outputs::Channel;
use trailhound::ports::{BoxError, Clock, StateStore, Web};
use trailhound::start;

use crate::args::NotifyArgs;
use crate::{Verdict, note};

/// Nobody is waited for who isn't there.
struct Impatient;

impl Clock for Impatient {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn pause(&self, _: Duration) {}
}

pub(crate) async fn run(args: &NotifyArgs) -> Result<Verdict, BoxError> {
    let mut channels = start::organisation_file(&args.config)?.outputs.channels;
    if channels.is_empty() {
        return Err(format!("{} names no channel: write `channels` into it", args.config.display()).into());
    }
    select(&mut channels, &args.channel)?;
    let state = start::memory(&args.state).await?;
    if args.print {
        let notifier = Notifier::new(Printer, state, Impatient, channels, SecretSource::MadeUp);
        return tell(args, &notifier).await;
    }
    let secrets = match &args.secrets {
        Some(path) => SecretSource::Given(secret_file(path)?),
        None => SecretSource::Aws,
    };
    let notifier = Notifier::new(start::sender().await?, state, SystemClock, channels, secrets);
    tell(args, &notifier).await
}

fn select(channels: &mut Vec<Channel>, names: &[String]) -> Result<(), BoxError> {
    if let Some(name) = names.iter().find(|name| !channels.iter().any(|channel| channel.name == **name)) {
        let known: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
        return Err(format!("there is no channel `{name}`; there are: {}", known.join(", ")).into());
    }
    if !names.is_empty() {
        channels.retain(|channel| names.contains(&channel.name));
    }
    Ok(())
}

async fn tell<W: Web, S: StateStore, C: Clock>(
    args: &NotifyArgs,
    notifier: &Notifier<W, S, C>,
) -> Result<Verdict, BoxError> {
    // Where the command line runs, nobody knows. Security Hub takes findings of a function only.
    let product =
        Product { partition: "aws".to_owned(), account: "111122223333".to_owned(), region: "eu-west-1".to_owned() };
    let (mut failed, mut broken) = (false, false);
    for path in &args.events {
        let outcome = match read(path) {
            Ok(payload) => notifier.handle(&payload, &product, None).await.map_err(BoxError::from),
            Err(error) => Err(error),
        };
        match outcome {
            Ok(outcome) => failed |= report(path, &outcome),
            Err(error) => {
                broken = true;
                note(&format!("{}: {error}", path.display()));
            }
        }
    }
    Ok(match (broken, failed) {
        (true, _) => Verdict::Broken,
        (false, true) => Verdict::Found,
        (false, false) => Verdict::Clean,
    })
}

/// An event payload, or alerts as `invoke --alerts stdout:json` prints them, one a line: as one batch.
fn read(path: &Path) -> Result<String, BoxError> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        text = std::fs::read_to_string(path)?;
    }
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let alerts: Vec<&Value> = lines.iter().map(|line| &line["ocsf"]).filter(|alert| alert.is_object()).collect();
    if alerts.is_empty() || alerts.len() < lines.len() {
        return Ok(text);
    }
    let message = |(number, alert): (usize, &&Value)| json!({"messageId": format!("line {}", number + 1), "eventSource": "aws:sqs", "body": alert.to_string()});
    Ok(json!({"Records": alerts.iter().enumerate().map(message).collect::<Vec<_>>()}).to_string())
}

fn report(path: &Path, outcome: &NoticeOutcome) -> bool {
    for (id, why) in &outcome.failures {
        let id = id.as_ref().map(|id| format!(" {}", id.0)).unwrap_or_default();
        note(&format!("{}{id}: {why}", path.display()));
    }
    note(&format!("{}: {}", path.display(), outcome.counts.summary()));
    !outcome.failures.is_empty()
}
