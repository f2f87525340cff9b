//! Errors that point into a file and say what to try.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::{SourceFile, Span};

/// What is wrong with a rule or the configuration: where, and what to try.
///
/// Displays as compilers do:
/// ```text
/// error[unknown-modifier]: `startwith` is not a modifier
///   --> rules/iam/new_admin.yml:14:21
///    |
/// 14 |     eventName|startwith: Attach
///    |               ^^^^^^^^^ did you mean `startswith`?
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    code: Code,
    file: Arc<SourceFile>,
    span: Span,
    message: String,
    advice: Option<String>,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal),+ $(,)?) => {
        /// The stable name of an error; `docs/rules.md` explains each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Code { $($(#[doc = $doc])+ $variant),+ }

        impl Code {
            /// As it is printed.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

codes! {
    /// Not YAML, or YAML of a form that would lose something.
    Yaml = "yaml",
    /// A file or folder that can't be read, or holds nothing of use.
    Unreadable = "unreadable",
    /// A required member is missing.
    Missing = "missing",
    /// A value has the wrong form.
    WrongType = "wrong-type",
    /// A member that nothing reads.
    UnknownKey = "unknown-key",
    /// No such modifier.
    UnknownModifier = "unknown-modifier",
    /// Part of Sigma, but not of trailhound yet.
    Unsupported = "unsupported",
    /// Modifiers that don't go together, or a value that the modifier can't take.
    ModifierUse = "modifier-use",
    /// A condition that does not parse.
    Condition = "condition",
    /// A condition names a search identifier that isn't there.
    UnknownIdentifier = "unknown-identifier",
    /// A `derived.` field that doesn't exist.
    UnknownField = "unknown-field",
    /// Not a regular expression.
    Regex = "regex",
    /// Not a network.
    Cidr = "cidr",
    /// A placeholder that no list fills.
    Placeholder = "placeholder",
    /// Two rules with one id: a finding could not be told apart.
    DuplicateId = "duplicate-id",
    /// The configuration names a rule that isn't loaded.
    UnknownRule = "unknown-rule",
    /// Parts of a correlation that don't fit together, or a condition that can't be watched.
    Correlation = "correlation",
}

impl Diagnostic {
    /// An error at a place.
    #[must_use]
    pub fn new(code: Code, file: &Arc<SourceFile>, span: Span, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { code, file: Arc::clone(file), span, message: message.into(), advice: None }))
    }

    /// Adds what to try.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// Adds what to try, if there is an idea.
    #[must_use]
    pub fn advise_if(self, advice: Option<String>) -> Self {
        match advice {
            Some(advice) => self.advise(advice),
            None => self,
        }
    }

    /// Its stable name.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// One line without the excerpt, for logs.
    #[must_use]
    pub fn summary(&self) -> String {
        let Inner { code, file, span, message, advice } = &*self.0;
        let (line, column) = file.line_column(span.start);
        let advice = advice.as_ref().map(|advice| format!(" ({advice})")).unwrap_or_default();
        format!("{}:{line}:{column}: {}: {message}{advice}", file.name, code.as_str())
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { code, file, span, message, advice } = &*self.0;
        // Only the first line of a long span: the excerpt points, it doesn't quote the rule.
        let start = file.text.floor_char_boundary(span.start);
        let end = file.text.floor_char_boundary(span.end.max(start));
        let end = file.text[start..end].find('\n').map_or(end, |newline| start + newline);
        let mut mark = AnnotationKind::Primary.span(start..end);
        if let Some(advice) = advice {
            mark = mark.label(advice);
        }
        let title = Level::ERROR.primary_title(message).id(code.as_str());
        if file.text.is_empty() {
            return f.write_str(&Renderer::plain().render(&[annotate_snippets::Group::with_title(title)]));
        }
        let report = [title.element(Snippet::source(&file.text).path(&file.name).annotation(mark))];
        f.write_str(&Renderer::plain().render(&report))
    }
}

impl std::error::Error for Diagnostic {}

/// The known word that was probably meant, as advice.
#[must_use]
pub fn suggest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<String> {
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&word.to_lowercase(), &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min()
        .map(|(_, known)| format!("did you mean `{known}`?"))
}
