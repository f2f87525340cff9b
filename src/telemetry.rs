//! Everything worth an operator's line, named in one place.
//!
//! Ids, counts, buckets and keys only; never what a record says.

use crate::engine::RuleInfo;
use crate::outcome::{Cause, Failure, Miss, NoticeOutcome, Outcome};
use crate::trigger::{ObjectRef, TriggerError};

/// Something that happened.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is explained by the line that it writes")]
pub enum Event<'e> {
    PayloadUnknown {
        error: &'e TriggerError,
    },
    ObjectEnded {
        object: &'e ObjectRef,
        cause: Cause,
        why: &'e str,
    },
    RecordsBad {
        from: &'e str,
        count: u64,
        first: &'e str,
    },
    QuarantineFailed {
        from: &'e str,
        error: &'e str,
    },
    OutOfTime {
        why: &'e str,
    },
    ListingFailed {
        error: &'e str,
    },
    RulesLoaded {
        loaded: usize,
        filters: usize,
        filters_expired: usize,
        rejected: usize,
        off: usize,
        retired: usize,
        other_log_sources: usize,
    },
    MemoryLimited,
    CorrelationsCut {
        groups: u64,
    },
    AlertClaimed {
        rule: &'e RuleInfo,
    },
    RuleRejected {
        error: &'e str,
    },
    RuleUnknown {
        error: &'e str,
    },
    /// The notifier reads the usual topic, and some alerts don't go there.
    ChannelsBypassed {
        topic: &'e str,
    },
    FilterAgeing {
        is_expired: bool,
        warning: &'e str,
    },
    RuleWithoutData {
        warning: &'e str,
    },
    EnrichmentLoaded {
        place: &'e str,
        files: &'e str,
        milliseconds: u64,
    },
    EnrichmentFailed {
        place: &'e str,
        error: &'e str,
    },
    Warmed {
        place: &'e str,
        milliseconds: u64,
    },
    WarmUpFailed {
        place: &'e str,
        error: &'e str,
    },
    StateFailed {
        error: &'e str,
    },
    PublishFailed {
        rule: &'e RuleInfo,
        error: &'e str,
    },
    Invocation {
        outcome: &'e Outcome,
    },
    ChannelsLoaded {
        channels: &'e str,
    },
    Unrouted {
        message: Option<&'e str>,
        alert: &'e str,
        rule: &'e str,
    },
    NotifyFailed {
        channel: &'e str,
        cause: Miss,
        error: &'e str,
    },
    NotifyReduced {
        channel: &'e str,
        error: &'e str,
    },
    Notified {
        outcome: &'e NoticeOutcome,
    },
}

/// Writes the line.
pub fn emit(event: &Event<'_>) {
    match event {
        Event::PayloadUnknown { error } => tracing::error!(event = "payload_unknown", error = error.to_string()),
        Event::ObjectEnded { object, cause, why } => object_ended(object, *cause, why),
        Event::RecordsBad { from, count, first } => tracing::error!(event = "records_bad", from, count, first),
        Event::QuarantineFailed { from, error } => tracing::error!(event = "quarantine_failed", from, error),
        Event::OutOfTime { why } => tracing::warn!(event = "out_of_time", why),
        Event::ListingFailed { error } => tracing::error!(event = "listing_failed", error),
        Event::RulesLoaded { loaded, filters, filters_expired, rejected, off, retired, other_log_sources } => {
            tracing::info!(
                event = "rules_loaded",
                loaded,
                filters,
                filters_expired,
                rejected,
                off,
                retired,
                other_log_sources
            );
        }
        Event::MemoryLimited => {
            tracing::warn!(
                event = "memory_limited",
                "what is remembered lasts as long as this process: first-seen rules learn anew, patterns that reach two processes are missed, alerts may repeat"
            );
        }
        Event::CorrelationsCut { groups } => {
            tracing::warn!(
                event = "correlations_cut",
                groups,
                "more is remembered of a group than is read, so it is judged by its latest events; group by more, or except what is harmless"
            );
        }
        Event::AlertClaimed { rule } => {
            tracing::info!(
                event = "alert_claimed",
                rule_id = rule.id,
                "another process is telling; the delivery comes again"
            );
        }
        Event::RuleRejected { error } => tracing::error!(event = "rule_rejected", error),
        Event::RuleUnknown { error } => tracing::warn!(event = "rule_unknown", error),
        Event::ChannelsBypassed { topic } => tracing::warn!(
            event = "channels_bypassed",
            topic,
            "alerts that go there instead of the usual topic reach no channel, unless the notifier's queue is subscribed there too"
        ),
        Event::RuleWithoutData { warning } => tracing::warn!(event = "rule_without_data", warning),
        Event::EnrichmentLoaded { place, files, milliseconds } => {
            tracing::info!(event = "enrichment_loaded", place, files, milliseconds);
        }
        Event::EnrichmentFailed { place, error } => {
            tracing::error!(
                event = "enrichment_failed",
                place,
                error,
                "the start goes on without it: alerts say less of addresses, and rules that ask for it may never match"
            );
        }
        Event::FilterAgeing { is_expired: true, warning } => tracing::warn!(event = "filter_expired", warning),
        Event::FilterAgeing { is_expired: false, warning } => tracing::warn!(event = "filter_expires", warning),
        Event::Warmed { place, milliseconds } => tracing::info!(event = "warmed", place, milliseconds),
        Event::WarmUpFailed { place, error } => {
            tracing::warn!(
                event = "warm_up_failed",
                place,
                error,
                "the start goes on, and whoever needs the place first connects to it"
            );
        }
        Event::StateFailed { error } => tracing::error!(event = "state_failed", error),
        Event::PublishFailed { rule, error } => tracing::error!(event = "publish_failed", rule_id = rule.id, error),
        Event::Invocation { outcome } => invocation(outcome),
        Event::ChannelsLoaded { channels } => tracing::info!(event = "channels_loaded", channels),
        Event::Unrouted { message, alert, rule } => {
            tracing::warn!(
                event = "unrouted",
                message_id = message,
                alert,
                rule_id = rule,
                "no channel is meant to get it"
            );
        }
        Event::NotifyFailed { channel, cause, error } => {
            tracing::error!(event = "notify_failed", channel, cause = cause.as_str(), error);
        }
        Event::NotifyReduced { channel, error } => {
            tracing::warn!(event = "notify_reduced", channel, error, "it goes out in its plainest form");
        }
        Event::Notified { outcome } => notified(outcome),
    }
}

fn object_ended(object: &ObjectRef, cause: Cause, why: &str) {
    let Some(event) = cause.fate().line else { return };
    let object = object.to_string();
    match cause {
        Cause::NotOurs => tracing::info!(event, object, "not a CloudTrail log file; skipped"),
        Cause::Gone => tracing::warn!(event, object, "deleted before it was read"),
        _ => tracing::error!(event, object, cause = cause.as_str(), error = why),
    }
}

fn invocation(outcome: &Outcome) {
    for (message_id, Failure { cause, why }) in &outcome.failures {
        let message_id = message_id.as_ref().map(|id| id.0.as_str());
        tracing::warn!(event = "delivery_failed", message_id, cause = cause.as_str(), error = why);
    }
    let counts = &outcome.counts;
    tracing::info!(
        event = "invocation",
        deliveries = counts.deliveries,
        deliveries_failed = counts.deliveries_failed,
        files = counts.files,
        records = counts.records,
        bad_records = counts.bad_records,
        findings = counts.findings,
        alerts = counts.alerts,
        summaries = counts.summaries,
        held = counts.held_back(),
        findings_failed = counts.findings_failed,
        put_aside = counts.put_aside,
        summary = counts.summary(),
    );
}

fn notified(outcome: &NoticeOutcome) {
    for (message_id, why) in &outcome.failures {
        let message_id = message_id.as_ref().map(|id| id.0.as_str());
        tracing::warn!(event = "message_failed", message_id, error = why);
    }
    let counts = &outcome.counts;
    tracing::info!(
        event = "notified",
        messages = counts.messages,
        messages_failed = counts.messages_failed,
        unrouted = counts.unrouted,
        summary = counts.summary(),
    );
}
