//! Errors and warnings that point into a file and say what to try.

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

/// What a diagnostic means for the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is not loaded.
    Error,
    /// It is loaded, but may not do what its author wants.
    Warning,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    severity: Severity,
    code: Code,
    file: Arc<SourceFile>,
    span: Span,
    message: String,
    advice: Option<String>,
}

macro_rules! codes {
    ($($severity:ident { $($(#[doc = $doc:literal])+ $variant:ident = $name:literal),+ $(,)? })+) => {
        /// The stable name of a diagnostic; `docs/rules.md` explains each error, `docs/lints.md` each warning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code { $($($(#[doc = $doc])+ $variant),+),+ }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$($(Self::$variant),+),+];

            /// As it is printed.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($(Self::$variant => $name),+),+ }
            }

            /// What it stands for, in one sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $($(Self::$variant => concat!($($doc),+).trim_ascii()),+),+ }
            }

            /// Whether it names a mistake or only a doubt.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $($(Self::$variant)|+ => Severity::$severity),+ }
            }
        }
    };
}

codes! {
    Error {
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
        /// A rule asks for a filter that isn't there.
        UnknownFilter = "unknown-filter",
        /// A secret that stands in the configuration itself.
        PlainSecret = "plain-secret",
        /// Asks for data that isn't loaded, and so for what no event has.
        NoData = "no-data",
        /// Parts of a correlation that don't fit together, or a condition that can't be watched.
        Correlation = "correlation",
    }
    Warning {
        /// CloudTrail writes no such event source.
        UnknownEventSource = "unknown-event-source",
        /// CloudTrail writes no such event name, or not for this event source.
        UnknownEventName = "unknown-event-name",
        /// CloudTrail leaves `errorCode` out where a call succeeded.
        ErrorCodeSuccess = "error-code-success",
        /// A field that no CloudTrail record has.
        UnlikelyField = "unlikely-field",
        /// A value that its field never has.
        ImpossibleValue = "impossible-value",
        /// A search identifier that no condition reaches.
        UnusedIdentifier = "unused-identifier",
        /// Nothing but trying the rule on every record can find its matches.
        NoAccessPredicate = "no-access-predicate",
        /// A filter that keeps what it describes and drops every other match.
        FilterWithoutNot = "filter-without-not",
        /// A filter past its last day: it excepts nothing any more.
        FilterExpired = "filter-expired",
        /// A filter that expires within two weeks.
        FilterExpires = "filter-expires",
        /// A filter that nobody answers for, or that never expires.
        UnownedFilter = "unowned-filter",
        /// A regular expression that asks what a text comparison says better.
        RegexCouldBeText = "regex-could-be-text",
        /// Flags inside a regular expression, which not every Sigma tool reads.
        RegexFlavour = "regex-flavour",
        /// `all` with one value, which other tools refuse.
        SingleAll = "single-all",
        /// `null` among other values, which other tools refuse or ignore.
        NullInList = "null-in-list",
        /// A value that fits every text.
        WildcardOnly = "wildcard-only",
        /// A wildcard where the modifier already stands for it, or that changes what the modifier says.
        DoubleWildcard = "double-wildcard",
        /// A placeholder that is taken as text.
        PlaceholderWithoutExpand = "placeholder-without-expand",
        /// `expand` without a placeholder to fill.
        ExpandWithoutPlaceholder = "expand-without-placeholder",
        /// No id: findings are recognised by the title, and a new title makes them new.
        MissingId = "missing-id",
        /// An id that is not a UUID.
        BadId = "bad-id",
        /// No level: alerts are told as `medium`.
        MissingLevel = "missing-level",
        /// No description: the alert can't say why it matters.
        MissingDescription = "missing-description",
        /// A date that is not written as YYYY-MM-DD.
        BadDate = "bad-date",
        /// A title longer than the specification allows.
        TitleTooLong = "title-too-long",
        /// A tag that ATT&CK or Sigma doesn't have.
        UnknownTag = "unknown-tag",
        /// A relation to another rule that can't be read.
        BadRelated = "bad-related",
        /// A log source that is nearly CloudTrail's, so that the rule is not loaded.
        UnlikelyLogSource = "unlikely-log-source",
        /// A rule or filter that its author has retired, and that is not loaded.
        Retired = "retired",
        /// A name that another rule has, too.
        DuplicateName = "duplicate-name",
    }
}

impl Diagnostic {
    /// An error at a place.
    #[must_use]
    pub fn new(code: Code, file: &Arc<SourceFile>, span: Span, message: impl Into<String>) -> Self {
        let file = Arc::clone(file);
        Self(Box::new(Inner { severity: Severity::Error, code, file, span, message: message.into(), advice: None }))
    }

    /// A warning at a place.
    #[must_use]
    pub fn warning(code: Code, file: &Arc<SourceFile>, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, file, span, message).into_warning()
    }

    /// The same, but no reason not to load the rule.
    #[must_use]
    pub fn into_warning(mut self) -> Self {
        self.0.severity = Severity::Warning;
        self
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

    /// The same with an excerpt of another file: one as long, in which something is hidden.
    #[must_use]
    pub fn shown_in(mut self, file: &Arc<SourceFile>) -> Self {
        self.0.file = Arc::clone(file);
        self
    }

    /// Its stable name.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What it means for the rule.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.0.severity
    }

    /// What is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to try.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }

    /// The file that it points into.
    #[must_use]
    pub fn file(&self) -> &Arc<SourceFile> {
        &self.0.file
    }

    /// The bytes of the file that an excerpt marks: only the first line of a long span, because the excerpt points, it
    /// doesn't quote the rule.
    #[must_use]
    pub fn marked(&self) -> Span {
        let Inner { file, span, .. } = &*self.0;
        let start = file.text.floor_char_boundary(span.start);
        let end = file.text.floor_char_boundary(span.end.max(start));
        start..file.text[start..end].find('\n').map_or(end, |newline| start + newline)
    }

    /// Line and column of the first marked character, from 1.
    #[must_use]
    pub fn start(&self) -> (usize, usize) {
        self.0.file.line_column(self.marked().start)
    }

    /// Line and column behind the last marked character, from 1.
    #[must_use]
    pub fn end(&self) -> (usize, usize) {
        self.0.file.line_column(self.marked().end)
    }

    /// One line without the excerpt, for logs.
    #[must_use]
    pub fn summary(&self) -> String {
        let Inner { code, file, span, message, advice, .. } = &*self.0;
        let (line, column) = file.line_column(span.start);
        let advice = advice.as_ref().map(|advice| format!(" ({advice})")).unwrap_or_default();
        format!("{}:{line}:{column}: {}: {message}{advice}", file.name, code.as_str())
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { severity, code, file, message, advice, .. } = &*self.0;
        let mut mark = AnnotationKind::Primary.span(self.marked());
        if let Some(advice) = advice {
            mark = mark.label(advice);
        }
        let level = match severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(message).id(code.as_str());
        if file.text.is_empty() {
            return f.write_str(&Renderer::plain().render(&[annotate_snippets::Group::with_title(title)]));
        }
        let report = [title.element(Snippet::source(&*file.text).path(&*file.name).annotation(mark))];
        f.write_str(&Renderer::plain().render(&report))
    }
}

impl Severity {
    /// As it is printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
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
