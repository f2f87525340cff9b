//! Titles of alerts with values of the record in them.

use crate::sigma::{FieldName, TitlePart, TitleTemplate};
use crate::yaml::Diagnostic;

use super::context::Context;
use super::field::Field;

/// A title whose fields are resolved.
#[derive(Debug, Clone)]
pub(super) struct Title(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Text(Box<str>),
    Field(Field),
}

/// Stands for a field that the record doesn't have.
const ABSENT: &str = "(none)";
/// Of one value; a subject has room for a title and for who did it where.
const MAX_CHARS: usize = 60;

impl Title {
    pub(super) fn new(
        template: &TitleTemplate,
        field: impl Fn(&FieldName) -> Result<Field, Diagnostic>,
    ) -> Result<Self, Diagnostic> {
        let part = |part: &TitlePart| match part {
            TitlePart::Text(text) => Ok(Part::Text(text.as_str().into())),
            TitlePart::Field(name) => field(name).map(Part::Field),
        };
        template.0.iter().map(part).collect::<Result<_, _>>().map(Self)
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
