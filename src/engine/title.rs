//! Titles and commands of alerts with values of the record in them.

use crate::sigma::{FieldName, Template, TemplatePart};
use crate::trail::Record;
use crate::yaml::{Diagnostic, Text};

use super::Knowledge;
use super::context::{Context, Room};
use super::field::Field;

/// A title whose fields are resolved.
#[derive(Debug, Clone)]
pub(super) struct Title(Vec<Part>);

/// A command whose fields are resolved, for receivers of an alert to paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Text),
    Field(Field),
}

/// Stands for a field that the record doesn't have.
const ABSENT: &str = "(none)";
/// Of one value; a subject has room for a title and for who did it where.
const MAX_CHARS: usize = 60;

fn resolve(
    template: &Template,
    field: impl Fn(&FieldName) -> Result<Field, Diagnostic>,
) -> Result<Vec<Part>, Diagnostic> {
    let part = |part: &TemplatePart| match part {
        TemplatePart::Text(text) => Ok(Part::Text(text.clone())),
        TemplatePart::Field(name) => field(name).map(Part::Field),
    };
    template.0.iter().map(part).collect()
}

impl Command {
    pub(super) fn new(
        template: &Template,
        field: impl Fn(&FieldName) -> Result<Field, Diagnostic>,
    ) -> Result<Self, Diagnostic> {
        resolve(template, field).map(Self)
    }

    /// Fills the fields: `argument` is given each one's name and its values, and says what to write in its place. Of what only the
    /// organisation knows nothing is known here.
    pub fn fill(&self, record: &Record<'_>, argument: impl Fn(&str, &[String]) -> String) -> String {
        let (knowledge, mut room) = (Knowledge::default(), Room::default());
        let context = Context::new(record, &knowledge, &mut room);
        let part = |part: &Part| match part {
            Part::Text(text) => text.to_string(),
            Part::Field(field) => argument(field.name(), &field.texts(&context)),
        };
        self.0.iter().map(part).collect()
    }
}

impl Title {
    pub(super) fn new(
        template: &Template,
        field: impl Fn(&FieldName) -> Result<Field, Diagnostic>,
    ) -> Result<Self, Diagnostic> {
        resolve(template, field).map(Self)
    }

    /// What the record says may be hostile: channels clean it as any other text of a log.
    pub(super) fn of(&self, context: &Context<'_, '_>) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.to_string(),
            Part::Field(field) => match field.texts(context) {
                texts if texts.is_empty() => ABSENT.to_owned(),
                texts => short(&texts.join(", ")),
            },
        };
        self.0.iter().map(part).collect()
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}
