//! Lints of what a document says about itself.

use jiff::civil::Date;

use crate::yaml::{Code, Diagnostic, Kind, Node, Span, suggest};

use super::attack::{self, Tag};
use super::subject::{Body, Subject};

/// Of the specification.
const MAX_TITLE: usize = 256;
const RELATIONS: &[&str] = &["derived", "obsolete", "merged", "renamed", "similar"];
const UUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// Findings and exceptions go by the id. Filters make no findings.
pub(super) fn missing_id(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if is_filter(subject) || written(subject, "id").is_some() {
        return Vec::new();
    }
    let message = format!("without an id the rule is known as `{}`, after its title", subject.metadata.id);
    vec![subject.warn(Code::MissingId, subject.title(), message).advise("add `id:` with a new UUID")]
}

/// Other tools refuse what is no UUID, and what is short is easily chosen twice.
pub(super) fn bad_id(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let id = written(subject, "id").and_then(|id| Some((id.text()?.trim(), &id.span)));
    let bad = id.filter(|(id, _)| !is_uuid(id));
    let warning = |(id, span): (&str, &Span)| {
        subject.warn(Code::BadId, span, format!("`{id}` is not a UUID")).advise("make one with `uuidgen`")
    };
    bad.map(warning).into_iter().collect()
}

/// Rules that only correlations read need no level.
pub(super) fn missing_level(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if is_filter(subject) || !subject.told || written(subject, "level").is_some() {
        return Vec::new();
    }
    let message = "without a level its alerts are `medium`";
    vec![subject.warn(Code::MissingLevel, subject.title(), message).advise("add `level:`, such as `high`")]
}

/// The description is what an alert says under "why it matters".
pub(super) fn missing_description(subject: &Subject<'_>) -> Vec<Diagnostic> {
    if is_filter(subject) || !subject.told || !subject.metadata.description.is_empty() {
        return Vec::new();
    }
    let message = "without a description its alerts can't say why they matter";
    vec![subject.warn(Code::MissingDescription, subject.title(), message).advise("add `description:`")]
}

/// What is excepted for good is forgotten, and what nobody answers for nobody takes away.
pub(super) fn unowned_filter(subject: &Subject<'_>) -> Vec<Diagnostic> {
    // What rules ask for by its name is a part of them: it excepts what is benign by nature, and for good.
    let named = subject.node.get("filter").and_then(|filter| filter.get("rules")?.text()) == Some("named");
    if !is_filter(subject) || named {
        return Vec::new();
    }
    let section = written(subject, "trailhound");
    let lacks = |name: &str| section.and_then(|section| section.get(name)).is_none_or(|node| node.kind == Kind::Null);
    let (message, advice) = match (lacks("owner"), lacks("expires")) {
        (false, false) => return Vec::new(),
        (true, false) => ("nobody answers for the filter", "add `owner:` to its `trailhound:`"),
        (false, true) => ("the filter never expires", "add `expires:` to its `trailhound:`, with its last day"),
        (true, true) => {
            ("nobody answers for the filter, and it never expires", "add `trailhound: {owner: …, expires: YYYY-MM-DD}`")
        }
    };
    vec![subject.warn(Code::UnownedFilter, subject.title(), message).advise(advice)]
}

/// `date` and `modified` are written as 2026-11-05.
pub(super) fn bad_dates(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let members = ["date", "modified"].into_iter().filter_map(|name| Some((name, written(subject, name)?)));
    members.filter_map(|(name, node)| bad_date(subject, name, node)).collect()
}

fn bad_date(subject: &Subject<'_>, name: &str, node: &Node) -> Option<Diagnostic> {
    let Some(text) = node.text().map(str::trim) else {
        let message = format!("`{name}` has to be a date, not {}", node.describe());
        return Some(subject.warn(Code::BadDate, &node.span, message).advise("write it as 2026-11-05"));
    };
    if is_date(text) {
        return None;
    }
    let new = text.replace('/', "-");
    Some(if is_date(&new) {
        let message = format!("`{text}` is the way Sigma wrote dates before version 2");
        subject.warn(Code::BadDate, &node.span, message).advise(format!("write `{new}`"))
    } else {
        subject.warn(Code::BadDate, &node.span, format!("`{text}` is no date")).advise("write it as 2026-11-05")
    })
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<Date>().is_ok()
}

/// The specification's limit.
pub(super) fn title_too_long(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let length = subject.metadata.title.chars().count();
    if length <= MAX_TITLE {
        return Vec::new();
    }
    let message = format!("the title has {length} characters; Sigma allows {MAX_TITLE}");
    vec![subject.warn(Code::TitleTooLong, subject.title(), message).advise("the description has room for more")]
}

/// Whoever counts coverage by tags doesn't find the rule under a misspelt one.
pub(super) fn unknown_tags(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let tags = subject.node.get("tags").map(listed).unwrap_or_default();
    tags.into_iter().filter_map(|(tag, span)| unknown_tag(subject, tag.trim(), span)).collect()
}

fn unknown_tag(subject: &Subject<'_>, tag: &str, span: &Span) -> Option<Diagnostic> {
    let (message, advice) = match attack::check(tag) {
        Tag::Known => return None,
        Tag::UnknownTactic { advice } => (format!("ATT&CK has no tactic `{tag}`"), advice),
        Tag::UnknownTechnique { advice } => {
            (format!("ATT&CK has no technique `{tag}`, up to the version that is built in"), advice)
        }
        Tag::Malformed { advice } => (format!("`{tag}` is no tag"), advice),
    };
    Some(subject.warn(Code::UnknownTag, span, message).advise_if(advice))
}

/// `related` is a list of `{id, type}`.
pub(super) fn bad_related(subject: &Subject<'_>) -> Vec<Diagnostic> {
    match written(subject, "related") {
        None => Vec::new(),
        Some(Node { kind: Kind::List(relations), .. }) => {
            relations.iter().filter_map(|relation| bad_relation(subject, relation)).collect()
        }
        Some(other) => vec![unread_relation(subject, other)],
    }
}

fn bad_relation(subject: &Subject<'_>, relation: &Node) -> Option<Diagnostic> {
    let member = |name: &str| relation.get(name).and_then(|node| Some((node.text()?, &node.span)));
    let (Some((id, id_span)), Some((kind, kind_span))) = (member("id"), member("type")) else {
        return Some(unread_relation(subject, relation));
    };
    if !RELATIONS.contains(&kind) {
        let advice =
            suggest(kind, RELATIONS.iter().copied()).unwrap_or_else(|| format!("one of {}", RELATIONS.join(", ")));
        let message = format!("`{kind}` is no relation between rules");
        return Some(subject.warn(Code::BadRelated, kind_span, message).advise(advice));
    }
    let message = format!("`{id}` is not the id of a rule");
    (!is_uuid(id.trim())).then(|| subject.warn(Code::BadRelated, id_span, message).advise("rules have UUIDs for ids"))
}

fn unread_relation(subject: &Subject<'_>, node: &Node) -> Diagnostic {
    let message = "a relation to another rule has an `id` and a `type`";
    subject.warn(Code::BadRelated, &node.span, message).advise("`related: [{id: …, type: derived}]`")
}

/// A correlation or a filter that goes by the name could mean either.
pub(super) fn duplicate_names(subjects: &[Subject<'_>]) -> Vec<Diagnostic> {
    let named: Vec<_> = subjects
        .iter()
        .filter(|subject| !is_filter(subject))
        .filter_map(|subject| Some((subject, subject.metadata.name.as_deref()?)))
        .collect();
    let again = named.iter().enumerate().filter_map(|(place, (subject, name))| {
        let (first, _) = named[..place].iter().find(|(_, earlier)| earlier == name)?;
        let span = written(subject, "name").map_or(subject.title(), |node| &node.span);
        let (line, _) = first.metadata.file.line_column(first.title().start);
        let message = format!("another rule is called `{name}`, too");
        let advice = format!("the other is \"{}\" in {}:{line}", first.metadata.title, first.metadata.file.name);
        Some(subject.warn(Code::DuplicateName, span, message).advise(advice))
    });
    again.collect()
}

/// A member that is there and not null.
fn written<'s>(subject: &'s Subject<'_>, name: &str) -> Option<&'s Node> {
    subject.node.get(name).filter(|node| node.kind != Kind::Null)
}

fn listed(node: &Node) -> Vec<(&str, &Span)> {
    let items = match &node.kind {
        Kind::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    items.iter().filter_map(|item| Some((item.text()?, &item.span))).collect()
}

fn is_filter(subject: &Subject<'_>) -> bool {
    matches!(subject.body, Body::Filter(_))
}

fn is_uuid(id: &str) -> bool {
    let groups = id.split('-').map(|group| (group.len(), group.chars().all(|c| c.is_ascii_hexdigit())));
    groups.eq(UUID_GROUPS.map(|length| (length, true)))
}
