//! What lints look at: documents with their nodes, and the detection items in them.

use std::collections::HashSet;
use std::sync::Arc;

use crate::engine::RuleSet;
use crate::sigma::{
    Collection, Comparison, Correlation, Detection, DetectionItem, Extension, FieldName, Metadata, Pattern, RuleRef,
    SearchIdentifier, TemplatePart, Token,
};
use crate::yaml::{Code, Diagnostic, Node, SourceFile, Span};

/// A document and what it became.
pub(super) struct Subject<'c> {
    pub(super) metadata: &'c Metadata,
    /// The document itself, for members that the parsed rule keeps no place of.
    pub(super) node: Node,
    pub(super) body: Body<'c>,
    /// Events that the rule shall not match.
    pub(super) exceptions: &'c [SearchIdentifier],
    /// Fields that are named outside of detections.
    pub(super) fields: Vec<&'c FieldName>,
    /// Whether people are told of it, and not only correlations.
    pub(super) told: bool,
    /// Whether the rule has to be tried on every record.
    pub(super) tried_always: bool,
}

/// What kind of document it is.
pub(super) enum Body<'c> {
    Rule(&'c Detection),
    Filter(&'c Detection),
    Correlation,
}

/// Every document of a collection that is read.
pub(super) fn subjects<'c>(collection: &'c Collection, rules: &RuleSet) -> Vec<Subject<'c>> {
    let mut nodes = Nodes::default();
    let quiet = quiet(collection);
    let tried: HashSet<&str> = rules.without_access().map(|rule| rule.id.as_str()).collect();
    let told = |metadata: &Metadata| !quiet.iter().any(|reference| metadata.is_called(&reference.text));
    let mut subjects: Vec<Subject<'c>> = Vec::new();
    subjects.extend(collection.rules.iter().map(|rule| Subject {
        body: Body::Rule(&rule.detection),
        exceptions: &rule.extension.exceptions,
        fields: fields_of(&rule.extension),
        told: told(&rule.metadata),
        tried_always: tried.contains(rule.metadata.id.as_str()),
        ..Subject::new(&rule.metadata, &mut nodes)
    }));
    subjects.extend(collection.correlations.iter().map(|rule| Subject {
        fields: fields_of(&rule.extension).into_iter().chain(fields_of_correlation(&rule.correlation)).collect(),
        told: told(&rule.metadata),
        ..Subject::new(&rule.metadata, &mut nodes)
    }));
    subjects.extend(
        collection.filters.iter().map(|filter| Subject {
            body: Body::Filter(&filter.detection),
            ..Subject::new(&filter.metadata, &mut nodes)
        }),
    );
    subjects
}

/// The rules that correlations read and that do not alert by themselves.
fn quiet(collection: &Collection) -> Vec<&RuleRef> {
    let correlations = collection.correlations.iter().map(|rule| &rule.correlation);
    correlations.filter(|correlation| !correlation.generate).flat_map(|correlation| &correlation.rules).collect()
}

fn fields_of(extension: &Extension) -> Vec<&FieldName> {
    let first_seen = extension.first_seen.iter().flat_map(|plan| plan.entity.iter().chain(&plan.value));
    let templates = extension.alert.title.iter().chain(&extension.alert.commands).flat_map(|template| &template.0);
    let told = templates.filter_map(|part| if let TemplatePart::Field(name) = part { Some(name) } else { None });
    first_seen.chain(extension.alert.dedup.iter().flatten()).chain(told).collect()
}

fn fields_of_correlation(correlation: &Correlation) -> Vec<&FieldName> {
    let is_alias = |field: &&FieldName| correlation.aliases.iter().any(|alias| alias.name.text == field.text);
    let named = correlation.group_by.iter().chain(&correlation.fields).filter(|field| !is_alias(field));
    let behind = correlation.aliases.iter().flat_map(|alias| alias.fields.iter().map(|(_, field)| field));
    named.chain(behind).collect()
}

impl<'c> Subject<'c> {
    fn new(metadata: &'c Metadata, nodes: &mut Nodes<'c>) -> Self {
        Self {
            metadata,
            node: nodes.of(metadata),
            body: Body::Correlation,
            exceptions: &[],
            fields: Vec::new(),
            told: true,
            tried_always: false,
        }
    }

    pub(super) fn detection(&self) -> Option<&'c Detection> {
        match self.body {
            Body::Rule(detection) | Body::Filter(detection) => Some(detection),
            Body::Correlation => None,
        }
    }

    /// The section with search identifiers and condition.
    pub(super) fn section(&self) -> Option<&Node> {
        self.node.get(if matches!(self.body, Body::Filter(_)) { "filter" } else { "detection" })
    }

    /// Every field, with what it is held against.
    pub(super) fn items(&self) -> Vec<&'c DetectionItem> {
        let detection = self.detection().into_iter().flat_map(|detection| &detection.identifiers);
        let identifiers = detection.map(|(_, identifier)| identifier).chain(self.exceptions);
        identifiers.flat_map(maps).flatten().collect()
    }

    /// Where a warning about the document as a whole points: its title.
    pub(super) fn title(&self) -> &Span {
        self.node.get("title").map_or(&self.metadata.span, |title| &title.span)
    }

    pub(super) fn warn(&self, code: Code, span: &Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(code, &self.metadata.file, span.clone(), message)
    }
}

/// The maps of a search identifier: one, or those of a list.
pub(super) fn maps(identifier: &SearchIdentifier) -> Vec<&[DetectionItem]> {
    match identifier {
        SearchIdentifier::AllOf(items) => vec![items],
        SearchIdentifier::AnyOf(identifiers) => identifiers.iter().flat_map(maps).collect(),
    }
}

/// Whether the item compares texts as they are written.
pub(super) fn compares_text(item: &DetectionItem) -> bool {
    let modifiers = &item.modifiers;
    let text = matches!(
        modifiers.comparison,
        Comparison::Equals | Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith
    );
    text && modifiers.transforms.is_empty() && !modifiers.fieldref && !modifiers.expand
}

/// The values of an item that compares texts, each as a pattern of letters, `*` and `?` for the whole field, with its place.
/// Values with a star or question mark of their own are left out.
pub(super) fn patterns(item: &DetectionItem) -> Vec<(String, &Span)> {
    let values = item.values.iter().filter(|_| compares_text(item));
    let pattern = |text: &str| Pattern::new(text).widened(item.modifiers.comparison);
    values.filter_map(|value| Some((shown(&pattern(value.text.as_deref()?))?, &value.span))).collect()
}

fn shown(pattern: &Pattern) -> Option<String> {
    let token = |token: &Token| match token {
        Token::Literal(text) if text.contains(['*', '?']) => None,
        Token::Literal(text) => Some(text.clone()),
        Token::Any => Some("*".to_owned()),
        Token::One => Some("?".to_owned()),
    };
    pattern.tokens().iter().map(token).collect()
}

/// Where a modifier of an item stands.
pub(super) fn modifier(item: &DetectionItem, name: &str) -> Span {
    let first = || item.values.first().map_or(0..0, |value| value.span.clone());
    let Some(field) = &item.field else { return first() };
    let at = item.label.split('|').scan(0, |at, word| {
        let start = *at;
        *at += word.len() + 1;
        Some((start, word))
    });
    let found = at.skip(1).find(|(_, word)| *word == name);
    match found {
        // The key may be written with escapes; then the field's place is all that is known.
        Some((at, word)) if field.span.len() == field.text.len() => {
            field.span.start + at..field.span.start + at + word.len()
        }
        _ => field.span.clone(),
    }
}

/// The documents of the file that was asked for last: rules come file by file.
#[derive(Default)]
struct Nodes<'c> {
    file: Option<&'c Arc<SourceFile>>,
    documents: Vec<Node>,
}

impl<'c> Nodes<'c> {
    fn of(&mut self, metadata: &'c Metadata) -> Node {
        if !self.file.is_some_and(|file| Arc::ptr_eq(file, &metadata.file)) {
            self.file = Some(&metadata.file);
            self.documents = metadata.file.documents().into_iter().flatten().collect();
        }
        let document = self.documents.iter().find(|document| document.span == metadata.span);
        // OK to go on with nothing: the document was read from this very place, and lints of members find none.
        document.cloned().unwrap_or_else(|| Node { span: metadata.span.clone(), kind: crate::yaml::Kind::Null })
    }
}
