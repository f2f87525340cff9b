//! How a finding is printed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use trailhound::engine::RuleInfo;
use trailhound::finding::{Episode, Finding, FindingUid, FirstSeen};
use trailhound::notify;
use trailhound::pipeline::Told;
use trailhound::trail::Record;
use trailhound::yaml::Text;

use crate::args::Format;

/// Under the rule's title.
const INDENT: &str = "                     ";
const MAX_TEXT: usize = 300;
const MAX_PATH: usize = 4096;

/// Prints findings in one format.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Printer {
    json: bool,
}

/// A finding as `--format jsonl` prints it. Members are only ever added.
#[derive(Serialize)]
struct Row<'f> {
    finding_uid: FindingUid,
    rule_id: &'f str,
    rule_title: &'f str,
    level: &'static str,
    tags: &'f [Text],
    event_time: Timestamp,
    event_id: Cow<'f, str>,
    event_source: Cow<'f, str>,
    event_name: Cow<'f, str>,
    account: Cow<'f, str>,
    region: Cow<'f, str>,
    principal: Option<Cow<'f, str>>,
    source_ip: Option<Cow<'f, str>>,
    outcome: &'static str,
    resources: Vec<Cow<'f, str>>,
    file: &'f str,
    record_index: u64,
    /// What a first-seen rule found to be new.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen: Option<NewValue<'f>>,
    /// What a correlation found to add up.
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation: Option<Pattern<'f>>,
}

#[derive(Serialize)]
struct Pattern<'f> {
    group: BTreeMap<&'f str, &'f str>,
    measured: &'f str,
    count: usize,
    first_time: String,
    last_time: String,
    /// Some of the events, by `eventID`.
    events: Vec<&'f str>,
}

impl<'f> Pattern<'f> {
    fn of(episode: &'f Episode) -> Self {
        Self {
            group: episode.group.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            measured: &episode.measured,
            count: episode.count,
            first_time: episode.first.to_string(),
            last_time: episode.last.to_string(),
            events: episode.events.iter().map(|event| event.identity.event_id.as_str()).collect(),
        }
    }
}

#[derive(Serialize)]
struct NewValue<'f> {
    entity: &'f [String],
    value: &'f [String],
}

impl<'f> NewValue<'f> {
    fn of(first: &'f FirstSeen) -> Self {
        Self { entity: &first.sighted.entity, value: &first.sighted.value }
    }
}

impl Printer {
    pub(super) fn new(format: Format) -> Self {
        Self { json: format == Format::Jsonl }
    }

    /// A match, as it stands in the file.
    pub(super) fn told(self, out: &mut impl Write, told: &Told<'_, '_>, file: &str) -> io::Result<()> {
        let matched = &told.matched;
        self.row(out, &Row::of(told.uid, matched.info(), matched.record, told.time(), file), || matched.title())
    }

    /// What was decided when all files had been read.
    pub(super) fn finding(self, out: &mut impl Write, finding: &Finding) -> io::Result<()> {
        let Finding { uid, rule, event, origin, .. } = finding;
        let record = event.record.record();
        let row = Row {
            first_seen: finding.first_seen().map(NewValue::of),
            correlation: finding.episode().map(Pattern::of),
            ..Row::of(*uid, rule, &record, event.time, &origin.file)
        };
        self.row(out, &row, || finding.title.to_string())
    }

    fn row(self, out: &mut impl Write, row: &Row<'_>, title: impl FnOnce() -> String) -> io::Result<()> {
        if self.json {
            serde_json::to_writer(&mut *out, row)?;
            return writeln!(out);
        }
        let clean = |text: &str| notify::line(text, MAX_TEXT);
        let what = format!(
            "{} {} by {} from {} in {} {}",
            clean(&row.event_name),
            row.outcome,
            clean(row.principal.as_deref().unwrap_or("an unknown caller")),
            clean(row.source_ip.as_deref().unwrap_or("an unknown source")),
            clean(&row.account),
            clean(&row.region),
        );
        writeln!(out, "{} {:<13} {}", row.event_time, row.level, clean(&title()))?;
        writeln!(out, "{INDENT}{what}")?;
        if let Some(NewValue { entity, value }) = &row.first_seen {
            writeln!(out, "{INDENT}first seen: {} for {}", clean(&value.join(" + ")), clean(&entity.join(" + ")))?;
        }
        if let Some(pattern) = &row.correlation {
            let group: Vec<String> = pattern.group.iter().map(|(name, value)| format!("{name} {value}")).collect();
            let (first, last) = (&pattern.first_time, &pattern.last_time);
            let what = format!("{}, {} events from {first} to {last}", pattern.measured, pattern.count);
            writeln!(out, "{INDENT}adds up: {} {}", clean(&what), clean(&group.join(", ")))?;
        }
        writeln!(out, "{INDENT}{} record {}", notify::line(row.file, MAX_PATH), row.record_index)
    }
}

impl<'f> Row<'f> {
    /// Takes out of the record what the row shows, and no more: a scan may print a million rows.
    fn of(uid: FindingUid, rule: &'f RuleInfo, record: &'f Record<'_>, time: Timestamp, file: &'f str) -> Self {
        Self {
            finding_uid: uid,
            rule_id: &rule.id,
            rule_title: &rule.title,
            level: rule.level.as_str(),
            tags: &rule.tags,
            event_time: time,
            event_id: record.event_id(),
            event_source: record.event_source().unwrap_or_default(),
            event_name: record.event_name().unwrap_or_default(),
            account: record.account().unwrap_or_default(),
            region: record.region().unwrap_or_default(),
            principal: record.identity().principal(),
            source_ip: record.source_ip(),
            outcome: record.outcome().as_str(),
            resources: record.resources(),
            file,
            record_index: record.index(),
            first_seen: None,
            correlation: None,
        }
    }
}
