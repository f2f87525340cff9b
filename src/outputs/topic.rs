//! Further topics that the detecting function publishes to.

use crate::sigma::Shape;
use crate::yaml::{Code, Diagnostic, Kind, Node};

use super::{Facets, When};

/// A further topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its ARN.
    pub arn: String,
    /// Which alerts go there.
    pub when: When,
    /// Such alerts don't go to the usual topic.
    pub instead: bool,
}

/// Where an alert goes: to further topics by their ARNs, and to the usual one, which is `None`.
pub fn destinations<'t>(topics: &'t [Topic], alert: &Facets) -> impl Iterator<Item = Option<&'t str>> {
    let meant: Vec<&Topic> = topics.iter().filter(|topic| topic.when.holds(alert)).collect();
    // What one of them is not told in full, the usual one is.
    let usual = (!meant.iter().any(|topic| topic.instead && topic.when.holds_for_all(alert))).then_some(None);
    usual.into_iter().chain(meant.into_iter().map(|topic| Some(topic.arn.as_str())))
}

/// Reads the section `topics`.
pub(crate) fn topics(shape: Shape<'_>, node: &Node) -> Result<Vec<Topic>, Diagnostic> {
    let Kind::List(entries) = &node.kind else { return Err(shape.wrong(node, "topics", "a list")) };
    let mut topics: Vec<Topic> = Vec::new();
    for entry in entries {
        let topic = topic(shape, entry)?;
        if topics.iter().any(|other| other.arn == topic.arn) {
            let span = entry.get("arn").map_or(&entry.span, |arn| &arn.span);
            let error = shape.error(Code::WrongType, span, "this topic stands here twice");
            return Err(error.advise("an alert could come twice; write one entry"));
        }
        topics.push(topic);
    }
    Ok(topics)
}

fn topic(shape: Shape<'_>, entry: &Node) -> Result<Topic, Diagnostic> {
    shape.map(entry, "an entry of `topics`")?;
    shape.only(entry, &["arn", "when", "instead"])?;
    let node = shape.required(entry, "arn", "the topic's ARN")?;
    let arn = shape.text(node, "arn")?.trim();
    if !is_topic(arn) {
        let error = shape.error(Code::WrongType, &node.span, format!("`{arn}` is no ARN of a standard topic"));
        return Err(error.advise("one looks like `arn:aws:sns:eu-west-1:111122223333:critical`"));
    }
    let instead = entry
        .get("instead")
        .map_or(Ok(false), |node| shape.word(node, "switch", &[("true", true), ("false", false)]))?;
    let when = When::parse(shape, entry.get("when"))?;
    if instead && when == When::default() {
        let error =
            shape.error(Code::Missing, &entry.span, "without `when`, no alert at all would go to the usual topic");
        return Err(error.advise("say which alerts are meant, or name this topic in TRAILHOUND_ALERTS"));
    }
    Ok(Topic { arn: arn.to_owned(), when, instead })
}

/// Without a point in its name, which FIFO topics have: these reach neither e-mail nor chat.
fn is_topic(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    let is_arn = matches!(parts[..], ["arn", partition, "sns", region, account, name]
        if partition.starts_with("aws") && !region.is_empty() && account.len() == 12 && !name.is_empty());
    is_arn && arn.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_-".contains(&byte))
}
