//! What is built in: packs of rules, and what all rules may use.

use std::path::Path;
use std::sync::Arc;

use crate::sigma::{self, Collection};
use crate::yaml::{Kind, Node, SourceFile, Text};

/// A file of rules that is built in, and the packs that it belongs to.
struct BuiltIn {
    name: &'static str,
    text: &'static str,
    /// Its documents, as [`Collection::from_bytes`] takes them.
    parsed: &'static [u8],
    packs: &'static [&'static str],
}

const RULES: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// Rules about trailhound's own work. They are there whatever else is loaded: a detector that fails must not do so in silence.
const OWN: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/own_rules.rs"));

/// Filters that any rule can ask for by their names. A rule that doesn't is none of their business.
const FILTERS: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/shared_filters.rs"));

const LISTS: &str = include_str!("lists.yml");

/// Rules that are built in and loaded together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pack {
    /// Few and sure: what it tells deserves a look.
    Core,
    /// More: what is worth a look where somebody has the time, and context for those who hunt.
    Extended,
    /// The controls of the CIS AWS Foundations Benchmark and of Security Hub about `CloudWatch`, one rule each.
    Compliance,
    /// What is done with data: needs data events in the trail.
    DataEvents,
    /// Whoever touches trailhound itself, or what it lives on.
    SelfProtection,
    /// Where calls come from: needs data about addresses.
    Addresses,
    /// All of them.
    All,
}

/// A list that shipped rules and filters ask for as `%name%`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedList {
    /// Its name.
    pub name: String,
    /// What belongs into it.
    pub description: String,
    /// What is in it without anybody's doing.
    pub values: Vec<String>,
}

impl Pack {
    /// Every pack with its name.
    pub const NAMES: &[(&str, Self)] = &[
        ("core", Self::Core),
        ("extended", Self::Extended),
        ("compliance", Self::Compliance),
        ("data-events", Self::DataEvents),
        ("self-protection", Self::SelfProtection),
        ("addresses", Self::Addresses),
        ("all", Self::All),
    ];

    /// A pack by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, pack)| *pack)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    fn holds(self, file: &BuiltIn) -> bool {
        self == Self::All || file.packs.contains(&self.name())
    }
}

/// Adds the rules of these packs, each once.
pub(super) fn rules(packs: &[Pack], collection: &mut Collection) {
    read(RULES.iter().filter(|file| packs.iter().any(|pack| pack.holds(file))), collection);
}

/// Adds what is there whatever is loaded. What is loaded from a folder with just these files in it, as our own `rules/`, is not there
/// twice.
pub(super) fn always(folders: &Collection, collection: &mut Collection) {
    let own = folders.own.iter().map(|rule| &rule.metadata);
    let read_from: Vec<&str> =
        own.chain(folders.filters.iter().map(|filter| &filter.metadata)).map(|metadata| &*metadata.file.name).collect();
    let is_there = |file: &&BuiltIn| read_from.iter().any(|name| Path::new(name).ends_with(file.name));
    read(OWN.iter().chain(FILTERS).filter(|file| !is_there(file)), collection);
}

fn read(files: impl IntoIterator<Item = &'static BuiltIn>, collection: &mut Collection) {
    for file in files {
        let source = SourceFile::new(Text::built_in(file.name), Text::built_in(file.text));
        // A test holds that none has to be parsed again.
        collection.extend(Collection::from_bytes(file.parsed, &source).unwrap_or_else(|| sigma::parse(&source)));
    }
}

/// Whether a file is built in.
pub(super) fn has(name: &str) -> bool {
    RULES.iter().chain(OWN).any(|file| file.name == name)
}

/// The lists that shipped rules ask for. An organisation adds to them in its file, under `placeholders`.
#[must_use]
pub fn shared_lists() -> Vec<SharedList> {
    lists_of(&SourceFile::new("lists.yml", LISTS))
}

/// OK to pass over what has another form: a test reads the file that is built in.
fn lists_of(file: &Arc<SourceFile>) -> Vec<SharedList> {
    let text = |node: &Node, name: &str| node.get(name).and_then(Node::text).unwrap_or_default().to_owned();
    let values = |node: &Node| match node.get("values").map(|node| &node.kind) {
        Some(Kind::List(items)) => items.iter().filter_map(Node::text).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let documents = file.documents().into_iter().flatten();
    let lists = documents.flat_map(|document| document.members().to_vec());
    lists
        .map(|(key, node)| SharedList {
            name: key.text.clone(),
            description: text(&node, "description"),
            values: values(&node),
        })
        .collect()
}
