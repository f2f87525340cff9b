//! Ordinary weeks in which nobody attacks: what people are told of them all the same.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use serde_json::Value;
use trailhound::engine::Organisation;
use trailhound::notify::Notification;
use trailhound::rule_pack::{self, Pack, RuleSource};
use trailhound::sigma::Level;

use crate::costs::corpus::{self, Kind};
use crate::support::{TODAY, World, failed, gzip};

/// Alerts in 10,000 records that an organisation puts up with that has told us nothing of itself.
const BEARABLE: usize = 5;
/// The Monday after the first two weeks.
const END: &str = "2026-11-16";

/// Records by the hour that they are of, as a trail delivers them.
type Hours = BTreeMap<String, Vec<String>>;

/// Two weeks.
static FORTNIGHT: LazyLock<Hours> = LazyLock::new(|| {
    let mut hours = Hours::new();
    for record in corpus::records(Kind::Ordinary, 1) {
        let time = record.split_once(r#""eventTime":""#).unwrap().1;
        if &time[..END.len()] >= END {
            break;
        }
        let hour = time[.."2026-11-02T00".len()].to_owned();
        hours.entry(hour).or_default().push(record);
    }
    hours
});

/// What people are told by a pack, from an empty memory on. Rules that learn first do so.
async fn told(pack: Pack, hours: &Hours) -> Vec<Notification> {
    let nothing_known = Organisation { least_level: Level::Medium, ..Organisation::default() };
    let loaded = rule_pack::load(&[RuleSource::Pack(pack)], &nothing_known, TODAY);
    assert!(loaded.rejected.is_empty(), "{}", loaded.rejected[0]);
    let world = World::new(loaded.rules);
    for (hour, records) in hours {
        world.pipeline.clock.set(&format!("{hour}:59:59Z"));
        world.pipeline.clock.pass_minutes(5);
        let key = world.put(hour, &gzip(format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes()));
        let outcome = world.notify(&[&key]).await;
        assert_eq!((failed(&outcome).len(), outcome.counts.bad_records), (0, 0), "{hour}: {:?}", outcome.failures);
        assert_eq!(outcome.counts.records, records.len() as u64, "{hour}");
    }
    world.alerts()
}

/// Alerts by their rules, with the first of each.
fn by_rule(alerts: &[Notification]) -> String {
    let mut rules: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for alert in alerts {
        rules.entry(&alert.story.rule.title).or_insert((0, &alert.subject)).0 += 1;
    }
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let lines: Vec<String> = rules.iter().map(|(rule, (count, first))| format!("{count:4} {rule}: {first}")).collect();
    lines.join("\n")
}

#[tokio::test]
async fn two_ordinary_weeks_hold_few_alerts_of_the_core_pack() {
    let hours = &*FORTNIGHT;
    let records: usize = hours.values().map(Vec::len).sum();
    let alerts = told(Pack::Core, hours).await;
    assert!(
        alerts.len() * 10_000 <= BEARABLE * records,
        "{} alerts of {records} records, with nobody attacking:\n{}",
        alerts.len(),
        by_rule(&alerts)
    );
    // Some of what happens there has to be asked about: silence would say that nothing was held against the rules.
    assert!(!alerts.is_empty());
}

#[test]
fn the_weeks_are_those_of_a_healthy_company() {
    let hours = &*FORTNIGHT;
    let records: Vec<Value> = hours.values().flatten().map(|record| serde_json::from_str(record).unwrap()).collect();
    let text = |record: &Value, pointer: &str| record.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let count =
        |pointer: &str, value: &str| records.iter().filter(|r| text(r, pointer).as_deref() == Some(value)).count();
    assert!((40_000..60_000).contains(&records.len()), "{} records", records.len());
    let ids: HashSet<_> = records.iter().map(|record| text(record, "/eventID")).collect();
    assert_eq!(ids.len(), records.len(), "events that are the same");
    let failures = records.iter().filter(|record| record.get("errorCode").is_some()).count() * 100 / records.len();
    assert!((2..6).contains(&failures), "{failures} % fail");
    assert_eq!(count("/userIdentity/type", "Root"), 0);
    let kinds =
        ["AWSAccount", "AWSService", "AssumedRole", "IAMUser", "IdentityCenterUser", "SAMLUser", "WebIdentityUser"];
    for kind in kinds {
        assert!(count("/userIdentity/type", kind) > 0, "no {kind}");
    }
    // Acts that look like an attack's, and are none.
    #[rustfmt::skip]
    let acts = [
        "AttachRolePolicy", "AuthorizeSecurityGroupIngress", "CreateAccessKey", "CreateFleet", "CreateGrant", "CreateUser",
        "DeactivateMFADevice", "DeleteDBInstance", "DeleteSnapshot", "DeleteVpc", "ExecuteChangeSet", "ExecuteCommand",
        "GetAccountAuthorizationDetails", "GetPasswordData", "ModifyDBSnapshotAttribute", "ModifySnapshotAttribute",
        "PutUserPolicy", "RestoreDBInstanceFromDBSnapshot", "RotateKey", "ScheduleKeyDeletion", "SendCommand", "StartSession",
        "TerminateInstances", "UpdateAccessKey",
    ];
    for act in acts {
        assert!(count("/eventName", act) > 0, "nobody calls {act}");
    }
}
