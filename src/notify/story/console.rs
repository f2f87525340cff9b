//! Links into the AWS console.

use crate::alerting::Alert;

/// The hosts of consoles, by what a partition's Regions begin with. Regions of isolated partitions have none that is public.
const HOSTS: &[(&str, &str)] = &[
    ("cn-", "console.amazonaws.cn"),
    ("us-gov-", "console.amazonaws-us-gov.com"),
    ("eusc-", "console.amazonaws-eusc.eu"),
];
const HOST: &str = "console.aws.amazon.com";
const ISOLATED: &[&str] = &["us-iso", "eu-isoe", "us-isof"];

/// Where CloudTrail's event history shows the event. `None` for what it doesn't hold: data events, those of other services'
/// making, and what trailhound says of itself.
pub(super) fn link(alert: &Alert) -> Option<String> {
    let event = &alert.finding.event;
    let record = event.record.record();
    let is_management = record.text("eventCategory").as_deref().is_none_or(|category| category == "Management");
    if alert.finding.is_own() || !is_management {
        return None;
    }
    url(&event.details().region, &event.identity.event_id)
}

/// Only of what looks like a Region and an event id: both come from a log.
fn url(region: &str, event_id: &str) -> Option<String> {
    let is_plain = |text: &str, max: usize| {
        !text.is_empty() && text.len() <= max && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_region = is_plain(region, 30) && region.contains('-') && !ISOLATED.iter().any(|iso| region.starts_with(iso));
    if !is_region || !is_plain(event_id, 64) {
        return None;
    }
    let host = HOSTS.iter().find(|(start, _)| region.starts_with(start)).map_or(HOST, |(_, host)| host);
    Some(format!("https://{region}.{host}/cloudtrailv2/home?region={region}#/events/{event_id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_console() {
        let id = "5c2e7d1a-0000-4000-8000-000000000001";
        for (region, host) in [
            ("eu-west-1", "https://eu-west-1.console.aws.amazon.com/cloudtrailv2/home?region=eu-west-1#/events/"),
            ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/cloudtrailv2/home?region=cn-north-1#/events/"),
            (
                "us-gov-west-1",
                "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudtrailv2/home?region=us-gov-west-1#/events/",
            ),
        ] {
            assert_eq!(url(region, id), Some(format!("{host}{id}")));
        }
        assert_eq!(url("us-iso-east-1", id), None);
    }

    #[test]
    fn a_log_writes_no_links() {
        assert_eq!(url("evil.example/", "x"), None);
        assert_eq!(url("eu-west-1", "x#/../@evil"), None);
        assert_eq!(url("", "x"), None);
    }
}
