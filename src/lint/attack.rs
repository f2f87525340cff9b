//! The tags of rules: MITRE ATT&CK's tactics and techniques, and the shape of all others.
//!
//! In: a tag as a rule writes it. Out: a [`Tag`]. Shapes:
//! <https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-appendix-tags.md>

use crate::sigma::attack::{Tactic, Technique};
use crate::yaml::suggest;

/// What is known of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// ATT&CK has it; or it is of another namespace, or a group or software, of which only the shape is known.
    Known,
    /// Neither a tactic's name nor the shape of anything else in ATT&CK: most likely misspelt.
    UnknownTactic {
        /// What may have been meant.
        advice: Option<String>,
    },
    /// Has the shape of a technique, but is not in the versions that are built in. It may be newer than they are.
    UnknownTechnique {
        /// What may have been meant.
        advice: Option<String>,
    },
    /// Not a tag in Sigma's sense.
    Malformed {
        /// How it would be one.
        advice: Option<String>,
    },
}

/// What a whole tag (`attack.t1098.001`, `attack.persistence`, `cve.2021-44228`) stands for.
///
/// ```
/// use trailhound::lint::attack::{Tag, check};
///
/// assert_eq!(check("attack.t1685.002"), Tag::Known);
/// let advice = Some("did you mean `attack.persistence`?".to_owned());
/// assert_eq!(check("attack.persistance"), Tag::UnknownTactic { advice });
/// ```
#[must_use]
pub fn check(tag: &str) -> Tag {
    match tag.split_once('.') {
        _ if tag.contains(|c: char| c.is_ascii_uppercase()) => {
            malformed(format!("write `{}`", tag.to_ascii_lowercase()))
        }
        None if is_known(tag) => malformed(format!("did you mean `attack.{tag}`?")),
        Some((technique, _)) if Technique::of(technique).is_some() => {
            malformed(format!("did you mean `attack.{tag}`?"))
        }
        Some((namespace, name)) if in_shape(namespace, "_-") && in_shape(name, "._-") => match namespace {
            "attack" => attack(name),
            _ => Tag::Known,
        },
        _ => malformed("a tag is a namespace and a name: `attack.persistence`".to_owned()),
    }
}

fn malformed(advice: String) -> Tag {
    Tag::Malformed { advice: Some(advice) }
}

fn in_shape(text: &str, marks: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || marks.contains(c))
}

/// What a name of the namespace `attack` stands for.
fn attack(name: &str) -> Tag {
    // `None` for words; `Some("")` for a technique, and so on.
    let number = |prefix: &str| name.strip_prefix(prefix).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if is_known(name) {
        Tag::Known
    } else if number("t").is_some() {
        technique(name)
    } else if let Some(number) = ["g", "s", "c", "m", "ds"].into_iter().find_map(number) {
        if digits(number, 4) { Tag::Known } else { malformed("groups are `g0016`, software `s0002`".to_owned()) }
    } else {
        Tag::UnknownTactic { advice: tactic_advice(name) }
    }
}

fn technique(name: &str) -> Tag {
    let (id, sub) = name.split_once('.').unwrap_or((name, "000"));
    if !digits(&id[1..], 4) || !digits(sub, 3) {
        return malformed("a technique is `t1078` or `t1078.004`".to_owned());
    }
    let advice = Technique::of(id).map(|technique| {
        let subs: Vec<&str> = technique.sub_techniques().collect();
        match (subs.first(), subs.last()) {
            (Some(first), Some(last)) => format!("`{id}` has the sub-techniques {first} to {last}"),
            _ => format!("`{id}` has no sub-techniques"),
        }
    });
    Tag::UnknownTechnique { advice }
}

fn digits(text: &str, count: usize) -> bool {
    text.len() == count && text.chars().all(|c| c.is_ascii_digit())
}

fn is_known(name: &str) -> bool {
    Technique::of(name).is_some() || Tactic::called(name).is_some()
}

fn tactic_advice(name: &str) -> Option<String> {
    let named = Tactic::all().iter().filter(|tactic| tactic.id == name).map(|tactic| format!("`{}`", tactic.tag()));
    match named.collect::<Vec<_>>().join(" or ") {
        named if named.is_empty() => {
            let known: Vec<String> = Tactic::all().iter().map(|tactic| format!("attack.{}", tactic.tag())).collect();
            suggest(&format!("attack.{name}"), known.iter().map(String::as_str))
        }
        named => Some(format!("tactics stand by name: {named}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(tag: &str) -> String {
        match check(tag) {
            Tag::Known => "known".to_owned(),
            Tag::UnknownTactic { advice } => format!("tactic: {}", advice.unwrap_or_default()),
            Tag::UnknownTechnique { advice } => format!("technique: {}", advice.unwrap_or_default()),
            Tag::Malformed { advice } => format!("malformed: {}", advice.unwrap_or_default()),
        }
    }

    #[test]
    fn tactics_and_techniques_of_both_generations_are_known() {
        let old = ["attack.defense-evasion", "attack.t1562.008", "attack.t1562.013", "attack.t1656"];
        let new =
            ["attack.stealth", "attack.defense-impairment", "attack.t1685", "attack.t1686.001", "attack.t1684.002"];
        assert!(old.into_iter().chain(new).all(|tag| check(tag) == Tag::Known));
    }

    #[test]
    fn groups_software_and_other_namespaces_are_taken_by_their_shape() {
        let tags = [
            "attack.g0016",
            "attack.s0002",
            "attack.ds0017",
            "cve.2021-44228",
            "tlp.red",
            "detection.threat-hunting",
            "stp.4u",
            "car.2016-04-005",
            "d3fend.d3-am",
        ];
        assert!(tags.into_iter().all(|tag| check(tag) == Tag::Known));
        assert_eq!(advice("attack.g16"), "malformed: groups are `g0016`, software `s0002`");
    }

    #[test]
    fn a_misspelt_tactic_comes_with_the_right_one() {
        assert_eq!(advice("attack.persistance"), "tactic: did you mean `attack.persistence`?");
        assert_eq!(advice("attack.privilege_escalation"), "tactic: did you mean `attack.privilege-escalation`?");
        assert_eq!(advice("attack.ta0005"), "tactic: tactics stand by name: `defense-evasion` or `stealth`");
        assert_eq!(advice("attack.zzzz"), "tactic: ");
    }

    #[test]
    fn an_unknown_technique_is_told_from_a_malformed_one() {
        assert_eq!(advice("attack.t1999"), "technique: ");
        assert_eq!(advice("attack.t1078.009"), "technique: `t1078` has the sub-techniques 001 to 004");
        assert_eq!(advice("attack.t1526.001"), "technique: `t1526` has no sub-techniques");
        assert_eq!(advice("attack.t107"), "malformed: a technique is `t1078` or `t1078.004`");
        assert_eq!(advice("attack.t1078.4"), "malformed: a technique is `t1078` or `t1078.004`");
    }

    #[test]
    fn what_is_no_tag_comes_with_one() {
        assert_eq!(advice("attack.T1078"), "malformed: write `attack.t1078`");
        assert_eq!(advice("t1078.004"), "malformed: did you mean `attack.t1078.004`?");
        assert_eq!(advice("persistence"), "malformed: did you mean `attack.persistence`?");
        let shape = "malformed: a tag is a namespace and a name: `attack.persistence`";
        assert_eq!(["attack.", "attack", ".t1078", "two words.x", "a.b c", ""].map(advice), [shape; 6]);
    }
}
