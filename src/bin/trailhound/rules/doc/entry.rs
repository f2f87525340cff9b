//! What the catalogue says of one file of rules.

use std::path::Path;

use trailhound::rule_pack::{Pack, SharedList};
use trailhound::sigma::attack::{Tactic, Technique};
use trailhound::sigma::{
    Collection, CorrelationRule, Extension, FilteredRules, Level, Metadata, Rule, Template, TemplatePart,
};
use trailhound::yaml::SourceFile;

/// A rule that people are told of, with its parts.
pub(super) struct Entry<'c> {
    /// `kms/key_disabled`: where its file stands, and its page.
    pub(super) place: String,
    pub(super) file: &'c SourceFile,
    pub(super) metadata: &'c Metadata,
    pub(super) extension: &'c Extension,
    pub(super) kind: Kind<'c>,
    /// Rules of other files that a correlation reads.
    pub(super) reads: Vec<&'c Metadata>,
    pub(super) filters: Vec<&'c Metadata>,
    pub(super) lists: Vec<&'c SharedList>,
}

/// How it finds what it finds.
#[derive(Clone, Copy)]
pub(super) enum Kind<'c> {
    Single,
    FirstSeen,
    Correlation(&'c CorrelationRule),
    /// About trailhound's own work.
    Own,
}

impl Kind<'_> {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Single => "one event",
            Self::FirstSeen => "first seen",
            Self::Correlation(rule) => match rule.correlation.kind.as_str() {
                "event_count" => "how many",
                "value_count" => "how many different",
                "temporal" => "together",
                "temporal_ordered" => "in order",
                other => other,
            },
            Self::Own => "trailhound itself",
        }
    }
}

/// Every rule of these that people are told of, in the order of their places.
pub(super) fn entries<'c>(collection: &'c Collection, lists: &'c [SharedList]) -> Vec<Entry<'c>> {
    let is_read = |metadata: &Metadata, rule: &CorrelationRule| {
        rule.correlation.rules.iter().any(|named| metadata.is_called(&named.text))
    };
    let quiet = |metadata: &Metadata| {
        let mut readers = collection.correlations.iter().filter(|rule| is_read(metadata, rule)).peekable();
        readers.peek().is_some() && !readers.any(|rule| rule.correlation.generate)
    };
    let of_rule = |rule: &'c Rule| {
        let kind = if rule.logsource.is_own() {
            Kind::Own
        } else if rule.extension.first_seen.is_some() {
            Kind::FirstSeen
        } else {
            Kind::Single
        };
        (&rule.metadata, &rule.extension, kind)
    };
    let rules = collection.rules.iter().chain(&collection.own).map(of_rule);
    let correlations =
        collection.correlations.iter().map(|rule| (&rule.metadata, &rule.extension, Kind::Correlation(rule)));
    let mut entries: Vec<Entry<'c>> = rules
        .chain(correlations)
        .filter(|(metadata, ..)| !quiet(metadata))
        .map(|(metadata, extension, kind)| Entry {
            place: place(&metadata.file.name),
            file: &metadata.file,
            metadata,
            extension,
            kind,
            reads: reads(collection, metadata, kind),
            filters: filters(collection, extension),
            lists: lists.iter().filter(|list| metadata.file.text.contains(&format!("%{}%", list.name))).collect(),
        })
        .collect();
    entries.sort_by(|a, b| a.place.cmp(&b.place));
    entries
}

fn place(file: &str) -> String {
    let path = Path::new(file).with_extension("");
    let path = path.strip_prefix("rules").unwrap_or(&path);
    path.display().to_string()
}

fn reads<'c>(collection: &'c Collection, metadata: &Metadata, kind: Kind<'c>) -> Vec<&'c Metadata> {
    let Kind::Correlation(rule) = kind else { return Vec::new() };
    let all = || {
        let rules = collection.rules.iter().map(|rule| &rule.metadata);
        rules.chain(collection.correlations.iter().map(|rule| &rule.metadata))
    };
    let named = rule.correlation.rules.iter().filter_map(|named| all().find(|found| found.is_called(&named.text)));
    named.filter(|found| found.file.name != metadata.file.name).collect()
}

fn filters<'c>(collection: &'c Collection, extension: &Extension) -> Vec<&'c Metadata> {
    let named = |name: &str| {
        let mut filters = collection.filters.iter().filter(|filter| filter.rules == FilteredRules::Named);
        filters.find(|filter| filter.metadata.name.as_deref() == Some(name)).map(|filter| &filter.metadata)
    };
    extension.filters.iter().filter_map(|asked| named(&asked.text)).collect()
}

impl<'c> Entry<'c> {
    /// `kms`.
    pub(super) fn service(&self) -> &str {
        self.place.split('/').next().unwrap_or_default()
    }

    pub(super) fn level(&self) -> Level {
        self.metadata.level
    }

    pub(super) fn is_in(&self, pack: Pack) -> bool {
        self.extension.packs.iter().any(|name| Pack::named(name) == Some(pack))
    }

    pub(super) fn packs(&self) -> String {
        if matches!(self.kind, Kind::Own) { "always loaded".to_owned() } else { self.extension.packs.join(", ") }
    }

    pub(super) fn tactics(&self) -> Vec<&'static Tactic> {
        self.attack().filter_map(Tactic::called).collect()
    }

    pub(super) fn techniques(&self) -> Vec<&'static Technique> {
        self.attack().filter_map(Technique::of).collect()
    }

    fn attack(&self) -> impl Iterator<Item = &'c str> {
        self.metadata.tags.iter().filter_map(|tag| tag.strip_prefix("attack."))
    }

    /// `detection` and `correlation` of each document of the file, as they stand there.
    pub(super) fn source(&self) -> String {
        let mut source = String::new();
        let mut is_inside = false;
        for line in self.file.text.lines() {
            if line.starts_with("---") && !source.is_empty() {
                source += "---\n";
            }
            if line.starts_with(|c: char| !c.is_whitespace() && c != '#') {
                is_inside = ["detection:", "correlation:", "generate:"].iter().any(|key| line.starts_with(key))
                    || (line.starts_with("name:") && self.file.text.contains("\n---"));
            }
            if is_inside {
                source += line;
                source.push('\n');
            }
        }
        source
    }

    pub(super) fn commands(&self) -> Vec<String> {
        self.extension.alert.commands.iter().map(template).collect()
    }

    pub(super) fn alert_title(&self) -> Option<String> {
        self.extension.alert.title.as_ref().map(template)
    }
}

fn template(template: &Template) -> String {
    let part = |part: &TemplatePart| match part {
        TemplatePart::Text(text) => text.to_string(),
        TemplatePart::Field(field) => format!("{{{}}}", field.text),
    };
    template.0.iter().map(part).collect()
}
