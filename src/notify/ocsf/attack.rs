//! MITRE ATT&CK, from the tags of a rule.

use crate::sigma::attack::{BEFORE, Tactic, Technique};
use crate::yaml::Text;

use super::object::objects;

objects! {
    Attack {
        version: &'static str,
        tactic: Option<Named>,
        technique: Option<Named>,
        sub_technique: Option<Named>,
    }

    /// A tactic or a technique. One that is newer than our table has no name.
    Named {
        uid: String,
        name: &'static str,
    }
}

/// What the tags of a rule say: `attack.persistence` and `attack.t1098.001` are one entry, because the technique serves the tactic.
pub(super) fn attacks(tags: &[Text]) -> Vec<Attack> {
    let named: Vec<&str> =
        tags.iter().filter_map(|tag| tag.strip_prefix("attack.")).filter(|name| is_technique(name)).collect();
    let serves = |name: &str, tactic: &Tactic| Technique::of(name).is_some_and(|technique| technique.serves(tactic));
    let by_itself = |tactic: &&'static Tactic| !named.iter().any(|name| serves(name, tactic));
    let unserved = tactics(tags).filter(by_itself).map(|tactic| of(Some(tactic), None));
    let others = named.iter().flat_map(|name| {
        let mut ends: Vec<_> = tactics(tags).filter(|tactic| serves(name, tactic)).map(Some).collect();
        if ends.is_empty() {
            ends.push(None);
        }
        ends.into_iter().map(|tactic| of(tactic, Some(name)))
    });
    unserved.chain(others).collect()
}

/// The tactics that tags name.
pub(super) fn tactics(tags: &[Text]) -> impl Iterator<Item = &'static Tactic> {
    tags.iter().filter_map(|tag| Tactic::called(tag.strip_prefix("attack.")?))
}

/// Whether a tag is an entry of [`attacks`].
pub(super) fn is_attack(tag: &str) -> bool {
    tag.strip_prefix("attack.").is_some_and(|name| is_technique(name) || Tactic::called(name).is_some())
}

fn is_technique(name: &str) -> bool {
    let number = |text: &str, digits| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    let (technique, sub) = name.split_once('.').map_or((name, None), |(technique, sub)| (technique, Some(sub)));
    technique.strip_prefix('t').is_some_and(|id| number(id, 4)) && sub.is_none_or(|sub| number(sub, 3))
}

fn of(tactic: Option<&'static Tactic>, technique: Option<&str>) -> Attack {
    let known = technique.and_then(Technique::of);
    let versions = [tactic.map(|tactic| tactic.version), known.map(|technique| technique.version)];
    let named = |id: &str| Named { uid: id.to_uppercase(), name: Technique::of(id).map_or("", |known| known.name) };
    Attack {
        // Of a technique that we don't know the version isn't known either.
        version: versions.into_iter().flatten().min_by_key(|version| *version != BEFORE).unwrap_or_default(),
        tactic: tactic.map(|tactic| Named { uid: tactic.id.to_uppercase(), name: tactic.name }),
        technique: technique.map(|id| named(id.split('.').next().unwrap_or_default())),
        sub_technique: technique.filter(|id| id.contains('.')).map(named),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of_tags(tags: &[&str]) -> serde_json::Value {
        let tags: Vec<Text> = tags.iter().map(|&tag| tag.into()).collect();
        serde_json::to_value(attacks(&tags)).unwrap()
    }

    #[test]
    fn a_technique_stands_with_the_tactics_of_the_rule_that_it_serves() {
        let key = json!({"uid": "T1098", "name": "Account Manipulation"});
        let sub = json!({"uid": "T1098.001", "name": "Additional Cloud Credentials"});
        let tactic = |uid: &str, name: &str| json!({"uid": uid, "name": name});
        assert_eq!(
            of_tags(&["attack.persistence", "attack.privilege-escalation", "attack.t1098.001", "cve.2021-44228"]),
            json!([
                {"version": "19", "tactic": tactic("TA0003", "Persistence"), "technique": key, "sub_technique": sub},
                {"version": "19", "tactic": tactic("TA0004", "Privilege Escalation"), "technique": key, "sub_technique": sub},
            ])
        );
        // One that serves none of them, and one that no technique serves.
        assert_eq!(
            of_tags(&["attack.impact", "attack.t1098"]),
            json!([
                {"version": "19", "tactic": tactic("TA0040", "Impact")},
                {"version": "19", "technique": key},
            ])
        );
    }

    #[test]
    fn what_a_version_has_given_up_is_of_the_one_before() {
        let old = of_tags(&["attack.defense-evasion", "attack.t1562.008"]);
        assert_eq!((old.as_array().unwrap().len(), &old[0]["version"]), (1, &json!("18.1")));
        // The technique is as current as ever, the tactic's name isn't.
        assert_eq!(of_tags(&["attack.defense-evasion", "attack.t1535"])[0]["version"], "18.1");
        assert_eq!(of_tags(&["attack.stealth", "attack.t1535"])[0]["version"], "19");
    }

    #[test]
    fn what_is_not_in_the_table_has_no_name() {
        assert_eq!(
            of_tags(&["attack.t9999.001"]),
            json!([{"technique": {"uid": "T9999"}, "sub_technique": {"uid": "T9999.001"}}])
        );
        assert_eq!(of_tags(&["attack.g0016", "attack.t1x", "attack.persistance", "t1098"]), json!([]));
    }
}
