//! Plain text, as e-mail and the terminal show it.

use super::facts::Facts;
use super::plain;

/// Limit of the SNS API: fewer than 100 characters, of which only printable ASCII is safe.
const MAX_SUBJECT: usize = 99;
const WIDTH: usize = 78;
const MAX_PARAGRAPH: usize = 4000;
const MAX_PARAGRAPHS: usize = 10;

pub(super) fn subject(facts: &Facts<'_>) -> String {
    let level = facts.rule.level.as_str().to_uppercase();
    let region = plain::logged(&facts.finding.event.details().region, 40);
    let caller = if facts.caller.is_empty() { String::new() } else { format!(": {}", facts.caller) };
    let account = if facts.account.is_empty() { String::new() } else { format!(" in {} {region}", facts.account) };
    let subject = format!("[{level}] {}{caller}{account}", facts.title);
    let ascii: String = subject.trim().chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect();
    if ascii.len() <= MAX_SUBJECT { ascii } else { format!("{}...", ascii[..MAX_SUBJECT - 3].trim_end()) }
}

/// The first lines say who did what to which resource, from where, when and in which account; then why it matters and
/// what to do; then where to look further.
pub(super) fn body(facts: &Facts<'_>) -> String {
    let rule = facts.rule;
    let mut text = format!("{}: {}\n\n", rule.level.as_str().to_uppercase(), facts.title);
    for (name, value) in &facts.rows {
        text += &format!("{name:<7}{value}\n");
    }
    let more = if facts.finding.episode().is_some() { "What adds up" } else { "More of the same" };
    section(&mut text, more, facts.more.iter().map(String::as_str), false);
    section(&mut text, "Note", facts.notes.iter().map(String::as_str), false);
    section(&mut text, "Why it matters", [rule.description.as_str()], false);
    section(&mut text, "What to do next", rule.runbook.iter().map(String::as_str), true);
    section(&mut text, "When it is harmless", rule.falsepositives.iter().map(String::as_str), false);
    section(&mut text, "Read more", rule.references.iter().map(String::as_str), false);
    text += "\n";
    let finding = facts.finding;
    let rows = [
        ("Rule", format!("{} {}", plain::line(&rule.id, 80), rule.tags.join(" "))),
        ("Finding", finding.uid.to_string()),
        ("Event", plain::logged(&finding.event.identity.event_id, 100)),
        ("File", facts.origin.clone()),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.trim().is_empty()) {
        text += &format!("{name:<9}{}\n", value.trim());
    }
    text
}

fn section<'t>(text: &mut String, title: &str, paragraphs: impl IntoIterator<Item = &'t str>, numbered: bool) {
    let paragraphs: Vec<&str> = paragraphs.into_iter().filter(|paragraph| !paragraph.trim().is_empty()).collect();
    if paragraphs.is_empty() {
        return;
    }
    *text += &format!("\n{title}\n");
    for (number, paragraph) in (1..).zip(paragraphs.iter().take(MAX_PARAGRAPHS)) {
        let bullet = if numbered { format!("{number}. ") } else { String::new() };
        let indent = " ".repeat(2 + bullet.len());
        let first = format!("  {bullet}");
        let options = textwrap::Options::new(WIDTH)
            .initial_indent(&first)
            .subsequent_indent(&indent)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        *text += &textwrap::fill(&plain::line(paragraph, MAX_PARAGRAPH), options);
        *text += "\n";
    }
}
