//! MITRE ATT&CK for Enterprise, as far as the tags of rules name it: tactics and techniques.
//!
//! Both generations are known: version 19 split `defense-evasion` into `stealth` and `defense-impairment`, and rules of either age
//! are about. The table is compiled in, and read when first asked.

use std::collections::BTreeMap;
use std::sync::LazyLock;

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::parse(include_str!("data/attack.txt")));

/// The newest version of ATT&CK in the table.
pub const NEWEST: &str = "19";
/// The last version that had what the newest has not.
pub const BEFORE: &str = "18.1";

/// What an adversary wants.
#[derive(Debug, PartialEq, Eq)]
pub struct Tactic {
    /// In lower case, as tags are: `ta0003`.
    pub id: &'static str,
    /// `Privilege Escalation`; tags write it as [`Self::tag`].
    pub name: &'static str,
    /// The newest version that has it by this name.
    pub version: &'static str,
}

/// How an adversary gets it.
#[derive(Debug, PartialEq, Eq)]
pub struct Technique {
    /// In lower case, as tags are: `t1098`, `t1098.001`.
    pub id: &'static str,
    /// What it is called; a sub-technique without its technique's name.
    pub name: &'static str,
    /// The newest version that has it.
    pub version: &'static str,
    /// Ids of the tactics that it serves, with commas between.
    tactics: &'static str,
}

impl Tactic {
    /// The tactic that a tag names: `privilege-escalation`.
    #[must_use]
    pub fn called(tag: &str) -> Option<&'static Self> {
        Self::all().iter().find(|tactic| tactic.tag() == tag)
    }

    /// Every tactic of each version.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &TABLE.tactics
    }

    /// Its name as tags write it.
    #[must_use]
    pub fn tag(&self) -> String {
        self.name.to_lowercase().replace(' ', "-")
    }
}

impl Technique {
    /// The technique or sub-technique of an id.
    #[must_use]
    pub fn of(id: &str) -> Option<&'static Self> {
        TABLE.techniques.get(id)
    }

    /// Whether it serves a tactic, in a version that has both.
    #[must_use]
    pub fn serves(&self, tactic: &Tactic) -> bool {
        // All techniques that the newest has given up were those of a tactic that it renamed.
        (self.version == NEWEST || self.version == tactic.version) && self.tactics.split(',').any(|id| id == tactic.id)
    }

    /// The numbers of its sub-techniques: `001`.
    pub fn sub_techniques(&self) -> impl Iterator<Item = &'static str> {
        let number = |(id, _): (&&'static str, _)| id.strip_prefix(self.id)?.strip_prefix('.');
        TABLE
            .techniques
            .range(self.id..)
            .map_while(move |entry| entry.0.starts_with(self.id).then(|| number(entry)))
            .flatten()
    }
}

#[derive(Default)]
struct Table {
    tactics: Vec<Tactic>,
    techniques: BTreeMap<&'static str, Technique>,
}

impl Table {
    fn parse(text: &'static str) -> Self {
        let mut table = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (id, rest) = line.split_once(' ').unwrap_or((line, ""));
            let (id, version) = id.strip_suffix('*').map_or((id, NEWEST), |id| (id, BEFORE));
            if id.starts_with("ta") {
                table.tactics.push(Tactic { id, name: rest, version });
            } else {
                let (tactics, name) = rest.split_once(' ').unwrap_or((rest, ""));
                table.techniques.insert(id, Technique { id, name, version, tactics });
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_whole() {
        assert_eq!((TABLE.tactics.len(), TABLE.techniques.len()), (16, 714));
        for tactic in Tactic::all() {
            assert!(tactic.id.len() == 6 && !tactic.name.is_empty(), "{tactic:?}");
        }
        for technique in TABLE.techniques.values() {
            let known = |id: &str| Tactic::all().iter().any(|tactic| tactic.id == id);
            assert!(technique.tactics.split(',').all(known) && !technique.name.is_empty(), "{technique:?}");
            assert!(technique.version == NEWEST || technique.tactics == "ta0005", "{technique:?}");
            let parent = technique.id.split('.').next().unwrap();
            assert!(Technique::of(parent).is_some(), "{technique:?}");
        }
    }

    #[test]
    fn the_newest_version_has_as_many_as_mitre_says() {
        let newest = |technique: &&Technique| technique.version == NEWEST;
        let (subs, techniques): (Vec<_>, Vec<_>) =
            TABLE.techniques.values().filter(newest).partition(|technique| technique.id.contains('.'));
        assert_eq!((techniques.len(), subs.len()), (222, 475));
        assert_eq!(Tactic::all().iter().filter(|tactic| tactic.version == NEWEST).count(), 15);
    }

    #[test]
    fn a_tag_leads_to_its_name_and_tactics() {
        let stopped = Technique::of("t1685.002").unwrap();
        assert_eq!((stopped.name, stopped.version), ("Disable or Modify Cloud Log", NEWEST));
        let [impairment, evasion] = ["defense-impairment", "defense-evasion"].map(|tag| Tactic::called(tag).unwrap());
        assert_eq!((impairment.id, impairment.name), ("ta0112", "Defense Impairment"));
        assert!(stopped.serves(impairment) && !stopped.serves(evasion));
        let retired = Technique::of("t1562.008").unwrap();
        assert_eq!((evasion.version, retired.version), (BEFORE, BEFORE));
        assert!(retired.serves(evasion) && !retired.serves(Tactic::called("stealth").unwrap()));
        assert_eq!(Tactic::called("command-and-control").unwrap().name, "Command and Control");
        assert!(Tactic::called("Persistence").is_none() && Technique::of("t9999").is_none());
    }

    #[test]
    fn sub_techniques_are_those_of_the_technique_alone() {
        let subs = |id: &str| Technique::of(id).unwrap().sub_techniques().collect::<Vec<_>>();
        assert_eq!(subs("t1078"), ["001", "002", "003", "004"]);
        assert_eq!(subs("t1526"), [""; 0]);
        assert_eq!(subs("t1078.001"), [""; 0]);
    }
}
