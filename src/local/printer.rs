//! Requests to receivers that are shown and never sent, and secrets in a file: for trials.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::outputs::{Secret, SecretRef};
use crate::ports::{BoxError, Receiver, Web, WebAnswer, WebError, WebRequest};
use crate::yaml::SourceFile;

/// Prints requests. Every one of them is taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct Printer;

impl Web for Printer {
    async fn send(&self, request: &WebRequest) -> Result<WebAnswer, WebError> {
        let to = match &request.to {
            Receiver::Address(address) => address.expose().to_owned(),
            Receiver::Aws { call, .. } => format!("AWS {call:?}"),
        };
        let headers: String =
            request.headers.iter().flat_map(|(name, value)| [name, ": ", value.expose(), "\n"]).collect();
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        let mut out = io::stdout().lock();
        writeln!(out, "POST {to}\n{headers}\n{body:#}\n")
            .and_then(|()| out.flush())
            .map_err(|error| WebError::Broken(error.into()))?;
        // As Slack's API answers; the others look at the status alone.
        Ok(WebAnswer { status: 200, body: r#"{"ok": true, "ts": "1.0"}"#.to_owned(), ..WebAnswer::default() })
    }
}

/// A file of secrets that can't be used. It shows nothing of the file.
#[derive(Debug, thiserror::Error)]
#[error("the secrets {path} can't be used: {why}")]
pub struct SecretFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: BoxError,
}

/// Reads secrets from a YAML file: by what the organisation file names each with.
///
/// # Errors
/// When it can't be read, or holds anything else.
pub fn secret_file(path: &Path) -> Result<BTreeMap<String, Secret>, SecretFileError> {
    let failed = |why: BoxError| SecretFileError { path: path.to_owned(), why };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.into()))?;
    let file = SourceFile::new(path.display().to_string(), text);
    let mut secrets = BTreeMap::new();
    for document in file.documents() {
        // Without its excerpt.
        let document = document.map_err(|error| failed(error.summary().into()))?;
        for (name, value) in document.members() {
            let (line, _) = file.line_column(name.span.start);
            if SecretRef::parse(&name.text).is_none() {
                return Err(failed(format!("line {line} has no name as in `ssm:/trailhound/slack-webhook`").into()));
            }
            let value = value.text().ok_or_else(|| failed(format!("on line {line} stands no text").into()))?;
            secrets.insert(name.text.clone(), Secret::new(value));
        }
    }
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BTreeMap<String, Secret>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        secret_file(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn secrets_are_read_by_their_names_and_never_shown() {
        let secrets = read("ssm:/a: hidden-1\n'secretsmanager:b#c': hidden-2\n").unwrap();
        assert_eq!(secrets["ssm:/a"].expose(), "hidden-1");
        assert_eq!(secrets["secretsmanager:b#c"].expose(), "hidden-2");
        assert!(!format!("{secrets:?}").contains("hidden"));
        for (text, why) in [
            ("/a: hidden-1\n", "line 1 has no name as in `ssm:/trailhound/slack-webhook`"),
            ("ssm:/b: x\nssm:/a: [hidden-1]\n", "on line 2 stands no text"),
            ("ssm:/a: 'hidden-1\n", "yaml"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why) && !error.contains("hidden"), "{error}");
        }
    }
}
