//! `trailhound alert preview`: every form of an alert.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Mutex;

use jiff::Timestamp;
use serde_json::{Value, json};
use trailhound::alerting::{Acquaintance, Alert, Repetition, in_order};
use trailhound::engine::{RuleInfo, RuleSet};
use trailhound::finding::Finding;
use trailhound::local::{Folder, Outbox, StateMemory, SystemClock};
use trailhound::notify::{self, Notification};
use trailhound::pipeline::{Handling, Holding, Pipeline, Screen};
use trailhound::ports::BoxError;
use trailhound::trail::{Item, Readers, Record};

use super::sample;
use crate::args::{Form, PreviewArgs};
use crate::rules::{self, Records, named};
use crate::{Verdict, note};

/// Records of a file that are looked at.
const MAX_RECORDS: usize = 1000;

pub(super) async fn run(args: &PreviewArgs) -> Result<Verdict, BoxError> {
    let (rule, from) = rules::rule_file(&args.rule, &args.rules);
    let loaded = rules::load(&from)?;
    let set = &loaded.rules;
    let correlation = set.correlations().iter().find(|correlation| correlation.info.is_called(rule));
    let info = match correlation {
        Some(correlation) => (*correlation.info).clone(),
        None if rule.is_empty() => only(set)?.clone(),
        None => named(set, rule)?.clone(),
    };
    let is_correlation = correlation.is_some();
    let records = match &args.record {
        Some(path) => read(path)?,
        None => sample::records(&info)?,
    };
    let notification = if is_correlation {
        through_the_pipeline(loaded.rules, &info, &records).await?
    } else {
        alert(set, &info, &records).map(|alert| notify::render(&alert, Timestamp::now()))
    };
    let Some(notification) = notification else {
        let title = notify::line(&info.title, 100);
        return Err(format!("\"{title}\" matches none of these records; `trailhound rules explain` shows why").into());
    };
    print(&notification, args.form)?;
    Ok(Verdict::Clean)
}

fn read(path: &Path) -> Result<Vec<String>, BoxError> {
    let records = Records::read(path, None, MAX_RECORDS)?;
    records.problems.iter().for_each(|problem| note(problem));
    Ok(records.chosen.into_iter().map(|raw| raw.text).collect())
}

fn only(set: &RuleSet) -> Result<&RuleInfo, BoxError> {
    let mut rules = set.rules();
    match (rules.next(), rules.next()) {
        (Some(rule), None) => Ok(rule),
        (None, _) => Err("no rule of the file is loaded".into()),
        (Some(_), Some(_)) => Err("the file holds several rules; name one, and give the file as --rules".into()),
    }
}

/// The alert that these records would be: first sightings are taken as new.
fn alert(set: &RuleSet, rule: &RuleInfo, records: &[String]) -> Option<Alert> {
    let mut screen = Screen::new(set, "RECORD".into(), Timestamp::now());
    let mut findings: Vec<Finding> = Vec::new();
    for (index, text) in (0..).zip(records) {
        // OK to pass over what does not parse: it was a record a moment ago.
        let Ok(record) = Record::parse(index, text.as_bytes()) else { continue };
        screen.item(Item::Record(record), &mut |told| findings.push(told.finding()));
    }
    findings.extend(screen.finish().sightings);
    findings.retain(|finding| finding.rule.id == rule.id);
    in_order(&mut findings);
    let mut findings = findings.into_iter();
    let finding = findings.next()?;
    let more = findings.filter(|other| other.dedup_key == finding.dedup_key).collect();
    Some(Alert { finding, more, repetition: Repetition::HeldSince(0), acquaintance: Acquaintance::default() })
}

/// What a correlation makes of the records, as the function would.
async fn through_the_pipeline(
    set: RuleSet,
    rule: &RuleInfo,
    records: &[String],
) -> Result<Option<Notification>, BoxError> {
    let pipeline = Pipeline {
        objects: Folder::new(".")?,
        state: StateMemory::default(),
        publisher: Outbox::default(),
        clock: SystemClock,
        rules: set,
        readers: Readers::new(crate::limits()?),
        known: Mutex::default(),
        published: Mutex::default(),
        // What is asked for is shown, whatever the hour.
        holding: Holding::nothing(),
        concurrency: 1,
        handling: Handling::default(),
    };
    for text in records {
        let record: Value = serde_json::from_str(text)?;
        let event = json!({"id": "preview", "source": "aws.preview", "detail-type": "AWS API Call via CloudTrail", "detail": record});
        pipeline.handle(&event.to_string()).await;
    }
    let told = pipeline.publisher.take();
    Ok(told.into_iter().rev().find(|notification| notification.story.rule.id == rule.id))
}

fn print(notification: &Notification, form: Option<Form>) -> Result<(), BoxError> {
    let mut out = io::stdout().lock();
    let forms = notification.forms();
    let pretty = |name: &str| serde_json::to_string_pretty(&forms[name]);
    let show = |form: Form| -> Result<String, BoxError> {
        Ok(match form {
            Form::Email => format!("Subject: {}\n\n{}", notification.subject, notification.email()),
            Form::Sms => notification.subject.clone(),
            Form::Chat => pretty("chat")?,
            Form::Slack => pretty("slack")?,
            Form::Teams => pretty("teams")?,
            Form::Pagerduty => pretty("pagerduty")?,
            Form::Asff => pretty("asff")?,
            Form::Ocsf => pretty("ocsf")?,
        })
    };
    match form {
        Some(form) => writeln!(out, "{}", show(form)?.trim_end())?,
        None => {
            for (form, title) in Form::TITLES {
                writeln!(out, "{}\n{title}\n\n{}\n", "─".repeat(72), show(*form)?.trim_end())?;
            }
        }
    }
    Ok(())
}
