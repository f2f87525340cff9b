//! Where the finding comes from.

use crate::finding::{Finding, OWN_SOURCE};
use crate::trail::{ObjectKey, Slot};

use super::object::{Text, objects};

objects! {
    Metadata<'a> {
        version: &'static str,
        profiles: [&'static str; 1],
        product: Product,
        uid: String,
        correlation_uid: String,
        tenant_uid: &'a str,
        event_code: &'a str,
        original_event_uid: &'a str,
        original_time: Text<'a>,
        log_name: &'static str,
        log_provider: &'static str,
        log_source: &'a str,
        log_format: Option<&'static str>,
        log_version: Text<'a>,
        r#type: Text<'a>,
        logged_time: Option<i64>,
        is_truncated: Option<bool>,
    }

    Product {
        name: &'static str,
        uid: &'static str,
        vendor_name: &'static str,
        version: &'static str,
    }
}

pub(super) fn metadata(finding: &Finding, is_truncated: bool) -> Metadata<'_> {
    let event = &finding.event;
    let record = event.record.record();
    let is_own = finding.is_own();
    let logged = ObjectKey::parse(&finding.origin.file).delivered;
    Metadata {
        version: "1.8.0",
        profiles: ["cloud"],
        product: Product {
            name: OWN_SOURCE,
            uid: OWN_SOURCE,
            vendor_name: OWN_SOURCE,
            version: env!("CARGO_PKG_VERSION"),
        },
        uid: finding.uid.to_string(),
        correlation_uid: finding.dedup_key.to_string(),
        tenant_uid: &event.identity.account,
        event_code: &event.details().name,
        log_name: if is_own { OWN_SOURCE } else { "CloudTrail" },
        log_provider: if is_own { OWN_SOURCE } else { "AWS" },
        // What trailhound says of itself was in no log: the record behind it is its own.
        original_event_uid: if is_own { "" } else { &event.identity.event_id },
        original_time: record.said(Slot::EventTime).filter(|_| !is_own),
        log_source: if is_own { "" } else { &finding.origin.file },
        log_format: (!is_own).then_some("JSON"),
        log_version: record.said(Slot::EventVersion).filter(|_| !is_own),
        r#type: record.said(Slot::EventCategory).filter(|_| !is_own),
        logged_time: logged.map(jiff::Timestamp::as_millisecond),
        is_truncated: is_truncated.then_some(true),
    }
}
