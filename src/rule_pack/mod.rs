//! Where rules come from: packs that are built in, and folders.

mod packs;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;

use crate::engine::{Organisation, RuleInfo, RuleSet};
use crate::local::walk;
use crate::outcome::RuleCounts;
use crate::outputs::Topic;
use crate::sigma::{self, Collection, Metadata};
use crate::telemetry::{self, Event};
use crate::yaml::{Code, Diagnostic, SourceFile};

pub use packs::{Pack, SharedList, shared_lists};

/// A place that rules come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleSource {
    /// Rules that are built in.
    Pack(Pack),
    /// The `.yml` and `.yaml` files of a folder and those below it, or one file.
    Path(PathBuf),
}

/// Rules that are ready, and what became of the rest. Every document ends in exactly one of the five.
#[derive(Debug)]
pub struct Loaded {
    /// The rules.
    pub rules: RuleSet,
    /// Those for what trailhound has to say of its own work.
    pub own: RuleSet,
    /// Documents that don't load, and exceptions that their rule has to do without; and why.
    pub rejected: Vec<Diagnostic>,
    /// Changes that the organisation's file makes to rules that are not there, and filters for such. No rule is lost by them.
    pub stray: Vec<Diagnostic>,
    /// Rules, filters and exceptions that ask for data that isn't loaded. They are loaded all the same.
    pub without_data: Vec<Diagnostic>,
    /// Filters that have expired, or soon will.
    pub ageing: Vec<Diagnostic>,
    /// Rules for other log sources.
    pub other_log_sources: usize,
    /// Rules with status `deprecated` or `unsupported`.
    pub retired: usize,
    /// Where the organisation's file sends their alerts, besides the usual topic.
    pub topics: Vec<Topic>,
    /// It also names channels, which get what goes to the usual topic.
    pub has_channels: bool,
}

impl RuleSource {
    /// What is used unless something is asked for.
    pub const CORE: Self = Self::Pack(Pack::Core);

    fn pack(&self) -> Option<Pack> {
        if let Self::Pack(pack) = self { Some(*pack) } else { None }
    }
}

/// Loads and compiles rules. A rule that doesn't load is reported and does not keep the others out.
#[must_use]
pub fn load(sources: &[RuleSource], organisation: &Organisation, today: Date) -> Loaded {
    Loaded::compile(&collect(sources), organisation, today)
}

/// Reads rules without compiling them.
#[must_use]
pub fn collect(sources: &[RuleSource]) -> Collection {
    let mut folders = Collection::default();
    for source in sources {
        if let RuleSource::Path(path) = source {
            read(path, &mut folders);
        }
    }
    let mut collection = Collection::default();
    packs::always(&folders, &mut collection);
    let packs: Vec<Pack> = sources.iter().filter_map(RuleSource::pack).collect();
    packs::rules(&packs, &mut collection);
    collection.extend(folders);
    collection
}

/// Whether a rule came with trailhound.
#[must_use]
pub fn is_built_in(rule: &RuleInfo) -> bool {
    packs::has(&rule.file)
}

impl Loaded {
    /// Compiles what was read, as the organisation wants it. `today` decides which filters have expired.
    #[must_use]
    pub fn compile(collection: &Collection, organisation: &Organisation, today: Date) -> Self {
        let organisation = &with_shared_lists(organisation.clone());
        let (rules, found) = RuleSet::compile(collection, organisation, today);
        let own = Collection {
            rules: collection.own.clone(),
            filters: collection.own_filters.clone(),
            ..Collection::default()
        };
        let (own, found_in_own) = RuleSet::compile(&own, organisation, today);
        let Collection { rejected, other_log_sources, retired, .. } = collection;
        let mut loaded = Self {
            rules,
            own,
            rejected: rejected.clone(),
            stray: Vec::new(),
            ageing: Vec::new(),
            without_data: Vec::new(),
            other_log_sources: *other_log_sources,
            retired: retired.len(),
            topics: organisation.outputs.topics.clone(),
            has_channels: !organisation.outputs.channels.is_empty(),
        };
        // What the organisation's file says of a rule that one of them doesn't know may be about one of the other's. What neither
        // knows is there for nothing.
        let is_unknown = |found: &Diagnostic| found.code() == Code::UnknownRule && organisation.wrote(found.file());
        let unknown = |found: &[Diagnostic]| -> HashSet<String> {
            found.iter().filter(|found| is_unknown(found)).map(ToString::to_string).collect()
        };
        let mut once = &unknown(&found) & &unknown(&found_in_own);
        for found in found.into_iter().chain(found_in_own) {
            match found.code() {
                Code::FilterExpired | Code::FilterExpires => loaded.ageing.push(found),
                Code::NoData => loaded.without_data.push(found),
                Code::UnknownRule if is_unknown(&found) && !once.remove(&found.to_string()) => {}
                Code::UnknownRule | Code::UnknownFilter => loaded.stray.push(found.into_warning()),
                _ => loaded.rejected.push(found),
            }
        }
        loaded
    }

    /// Writes the log lines that tell what was loaded.
    pub fn report(&self) {
        for error in &self.rejected {
            telemetry::emit(&Event::RuleRejected { error: &error.summary() });
        }
        for error in &self.stray {
            telemetry::emit(&Event::RuleUnknown { error: &error.summary() });
        }
        for topic in self.topics.iter().filter(|topic| topic.instead && self.has_channels) {
            telemetry::emit(&Event::ChannelsBypassed { topic: &topic.arn });
        }
        for warning in &self.without_data {
            telemetry::emit(&Event::RuleWithoutData { warning: &warning.summary() });
        }
        for warning in &self.ageing {
            telemetry::emit(&Event::FilterAgeing {
                is_expired: warning.code() == Code::FilterExpired,
                warning: &warning.summary(),
            });
        }
        telemetry::emit(&Event::RulesLoaded {
            loaded: self.rules.loaded(),
            filters: self.filters(),
            filters_expired: self.expired_filters(),
            rejected: self.rejected.len(),
            off: self.off().count(),
            retired: self.retired,
            other_log_sources: self.other_log_sources,
        });
    }

    /// What operators count of it.
    #[must_use]
    pub fn counts(&self) -> RuleCounts {
        RuleCounts {
            loaded: self.rules.loaded() as u64,
            rejected: self.rejected.len() as u64,
            expired_filters: self.expired_filters() as u64,
            without_data: self.rules.without_data().count() as u64,
            data_failed: 0,
        }
    }

    /// How many filters hold.
    #[must_use]
    pub fn filters(&self) -> usize {
        self.rules.filters() + self.own.filters()
    }

    /// How many filters have expired.
    #[must_use]
    pub fn expired_filters(&self) -> usize {
        self.rules.expired_filters() + self.own.expired_filters()
    }

    /// What the organisation has switched off.
    pub fn off(&self) -> impl Iterator<Item = &Metadata> {
        self.rules.off().iter().chain(self.own.off())
    }

    /// The counts in one line for people.
    #[must_use]
    pub fn summary(&self) -> String {
        let filters = match self.filters() {
            0 => String::new(),
            filters => format!(" and {filters} filters"),
        };
        let without_data = match self.rules.without_data().count() {
            0 => String::new(),
            rules => format!(" ({rules} without the data that they ask for)"),
        };
        let waiting = match self.rules.waiting().count() {
            0 => String::new(),
            1 => " (1 waits for a list)".to_owned(),
            rules => format!(" ({rules} wait for lists)"),
        };
        let expired = match self.expired_filters() {
            0 => String::new(),
            expired => format!(", {expired} filters expired"),
        };
        format!(
            "{} rules{filters} loaded{without_data}{waiting}{expired}, {} rejected, {} off, {} retired, {} for other log sources",
            self.rules.loaded(),
            self.rejected.len(),
            self.off().count(),
            self.retired,
            self.other_log_sources
        )
    }
}

/// Adds what is in the shared lists to those of the organisation: rules that ask for one load before anybody has filled it.
fn with_shared_lists(mut organisation: Organisation) -> Organisation {
    for list in shared_lists() {
        organisation.placeholders.entry(list.name).or_default().extend(list.values);
    }
    organisation
}

/// Tests stand beside rules and are none. A file that was named is taken whatever its name.
fn read(path: &Path, collection: &mut Collection) {
    let mut found = false;
    for entry in walk(path) {
        match entry {
            Ok(entry) if entry.depth() > 0 && !is_rule_file(entry.path()) => continue,
            Ok(entry) => read_file(entry.path(), collection),
            Err(error) => collection.rejected.push(unreadable(&error.path, &error.why)),
        }
        found = true;
    }
    if !found {
        collection.rejected.push(unreadable(path, "there is no .yml file in it"));
    }
}

fn read_file(path: &Path, collection: &mut Collection) {
    match fs::read_to_string(path) {
        Ok(text) => collection.extend(sigma::parse(&SourceFile::new(path.display().to_string(), text))),
        Err(error) => collection.rejected.push(unreadable(path, &error.to_string())),
    }
}

fn is_rule_file(path: &Path) -> bool {
    let ends_in =
        |path: &Path, ending: &str| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending));
    let is_test = path.file_stem().is_some_and(|stem| ends_in(Path::new(stem), "test"));
    !is_test && ["yml", "yaml"].iter().any(|ending| ends_in(path, ending))
}

fn unreadable(path: &Path, why: &str) -> Diagnostic {
    let file: Arc<SourceFile> = SourceFile::new(path.display().to_string(), "");
    Diagnostic::new(Code::Unreadable, &file, 0..0, format!("no rules from {}: {why}", path.display()))
}
