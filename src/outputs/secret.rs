//! Secrets: where they are kept, and how they are held without ever being shown.

use std::fmt;

use crate::sigma::Shape;
use crate::yaml::{Code, Diagnostic, Node};

use super::mask;

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SecretRef {
    /// A parameter of AWS Systems Manager, by its name or ARN.
    Parameter(String),
    /// A secret of AWS Secrets Manager.
    Secret {
        /// Its name or ARN.
        id: String,
        /// A member of its value, if that is a JSON object.
        member: Option<String>,
    },
}

impl SecretRef {
    /// Reads `ssm:NAME` or `secretsmanager:NAME#MEMBER`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        if let Some(name) = text.strip_prefix("ssm:") {
            return is_name(name).then(|| Self::Parameter(name.to_owned()));
        }
        let (id, member) = match text.strip_prefix("secretsmanager:")?.split_once('#') {
            Some((id, member)) => (id, Some(member)),
            None => (&text["secretsmanager:".len()..], None),
        };
        let is_whole = is_name(id) && member.is_none_or(|member| !member.is_empty());
        is_whole.then(|| Self::Secret { id: id.to_owned(), member: member.map(str::to_owned) })
    }
}

/// As it stands in the file.
impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(name) => write!(f, "ssm:{name}"),
            Self::Secret { id, member: None } => write!(f, "secretsmanager:{id}"),
            Self::Secret { id, member: Some(member) } => write!(f, "secretsmanager:{id}#{member}"),
        }
    }
}

/// A text that is shown to nobody: not printed, not logged, not compared by accident.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes a text, without the white space around it: many editors end a file with a new line.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// A text without the secret in it. Of an address that is one, every part of its path counts: who answers may repeat it.
    #[must_use]
    pub fn hide_in(&self, text: &str) -> String {
        let path = self.0.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path);
        let parts = path.into_iter().flat_map(|path| path.split(['/', '?', '&', '='])).filter(|part| part.len() >= 6);
        let whole = (!self.0.is_empty()).then_some(self.0.as_str());
        whole
            .into_iter()
            .chain(path.filter(|path| path.len() >= 6))
            .chain(parts)
            .fold(text.to_owned(), |text, part| text.replace(part, "…"))
    }

    /// The text, for whoever sends it to its owner.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Reads where a secret is kept. A secret that stands in the file itself is refused, and not repeated.
pub(super) fn reference(shape: Shape<'_>, node: &Node, what: &str) -> Result<SecretRef, Diagnostic> {
    let text = shape.text(node, what)?.trim();
    SecretRef::parse(text).ok_or_else(|| {
        let (code, message, advice) = if mask::is_reference(text) {
            (
                Code::WrongType,
                format!("{what} names no secret"),
                "`ssm:NAME`, `secretsmanager:NAME` or `secretsmanager:NAME#MEMBER`",
            )
        } else {
            (
                Code::PlainSecret,
                format!("{what} is a secret, and must not stand in this file"),
                "put it into Parameter Store or Secrets Manager and write `ssm:NAME` or `secretsmanager:NAME#MEMBER`",
            )
        };
        shape.error(code, &node.span, message).advise(advice)
    })
}
