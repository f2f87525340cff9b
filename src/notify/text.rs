//! Plain text, as e-mail and the terminal show it.

use super::plain;
use super::story::Story;

/// Limit of the SNS API: fewer than 100 characters, of which only printable ASCII is safe.
const MAX_SUBJECT: usize = 99;
/// What the actor, the account and the Region may take of a subject when the title wants more than is left.
const MAX_ACTOR: usize = 30;
const MAX_PLACE: usize = 24;
/// Mail clients and terminals show so many columns.
const WIDTH: usize = 72;
const LABEL: usize = 8;

/// Level, title, actor and account: the title is cut first, and what names the actor and the account stays.
pub(super) fn subject(story: &Story) -> String {
    let level = format!("[{}] ", story.level.as_str().to_uppercase());
    let actor = ascii(&story.actor);
    let account = ascii(story.account_name());
    let region = ascii(&story.region);
    let title = ascii(&story.title);
    let tail = |actor: &str, places: &[&str]| {
        let places: Vec<&str> = places.iter().copied().filter(|place| !place.is_empty()).collect();
        let place = if places.is_empty() { String::new() } else { format!(" in {}", places.join(" ")) };
        let actor = if actor.is_empty() { String::new() } else { format!(": {actor}") };
        format!("{actor}{place}")
    };
    let whole = format!("{level}{title}{}", tail(&actor, &[&account, &region]));
    if whole.len() <= MAX_SUBJECT {
        return whole;
    }
    let tail = tail(&shortened(&actor, MAX_ACTOR), &[&shortened(&account, MAX_PLACE)]);
    let room = MAX_SUBJECT - level.len() - tail.len();
    let title = if title.len() <= room { title } else { format!("{}...", begun(&title[..room - 3])) };
    format!("{level}{title}{tail}")
}

/// What stands before the mark of a cut: not what would become a link with it.
fn begun(text: &str) -> &str {
    let text = text.trim_end();
    if text.to_ascii_lowercase().ends_with("www") { text.trim_end_matches(['w', 'W']).trim_end() } else { text }
}

/// Printable ASCII; any other character is a question mark.
fn ascii(text: &str) -> String {
    text.trim().chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}

/// Of a name the end tells more than the beginning: `team/app/deploy-eu`.
fn shortened(text: &str, max: usize) -> String {
    if text.len() <= max { text.to_owned() } else { format!("...{}", &text[text.len() - (max - 3)..]) }
}

/// What happened, the facts, why it matters, what to do, how to silence it, and the evidence. The record stands behind it, if there
/// is room.
pub(super) fn body(story: &Story) -> String {
    let mut text = format!("{}: {}\n\n", story.level.as_str().to_uppercase(), story.title);
    // Indented: a line of it that a log has a say in must not begin as a fact does.
    text += &wrapped(&story.sentence, "  ", "  ");
    text += "\n";
    for fact in &story.facts {
        row(&mut text, &fact.name, &fact.value);
    }
    list(&mut text, story.more_is.heading(), &story.more);
    list(&mut text, "Note", &story.notes);
    if !story.why.is_empty() {
        text += &format!("\nWhy it matters\n{}", wrapped(&story.why, "  ", "  "));
    }
    list(&mut text, "What is known", &story.known);
    list(&mut text, "When it is harmless", &story.benign);
    steps(&mut text, &story.steps);
    commands(&mut text, story);
    if let Some(filter) = &story.silence {
        let lines = "If it is expected: narrow this filter, put your name in, and save it as a .yml file among your rules. It ends by itself.";
        text += &format!("\nHow to silence it\n{}", wrapped(lines, "  ", "  "));
        text += &format!("\n{}", indented(filter, "  "));
    }
    list(&mut text, "Read more", &story.references);
    evidence(&mut text, story);
    text
}

/// The record, to stand behind the body.
pub(super) fn record(record: &str) -> String {
    format!("\nThe record\n{}", indented(record, "  "))
}

fn evidence(text: &mut String, story: &Story) {
    *text += "\n";
    let rule = format!("{} {}", story.rule.id, story.rule.tags.join(" "));
    let rows =
        [("Rule", rule.trim()), ("Finding", &story.finding), ("Event", &story.event.id), ("File", &story.event.origin)];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        row(text, name, value);
    }
}

fn row(text: &mut String, name: &str, value: &str) {
    *text += &wrapped(value, &format!("{name:<LABEL$}"), &" ".repeat(LABEL));
}

fn list(text: &mut String, title: &str, items: &[String]) {
    if !items.is_empty() {
        *text += &format!("\n{title}\n");
    }
    for item in items {
        *text += &wrapped(item, "  - ", "    ");
    }
}

fn steps(text: &mut String, steps: &[String]) {
    if !steps.is_empty() {
        *text += "\nWhat to do next\n";
    }
    for (number, step) in (1..).zip(steps) {
        let first = format!("  {number}. ");
        *text += &wrapped(step, &first, &" ".repeat(first.len()));
    }
}

fn commands(text: &mut String, story: &Story) {
    if story.commands.is_empty() && story.console.is_none() {
        return;
    }
    *text += "\nReady to paste\n";
    for command in &story.commands {
        *text += &wrapped(&format!("# {}", command.purpose), "  ", "  # ");
        *text += &format!("  {}\n", over_lines(&command.line));
    }
    if let Some(url) = &story.console {
        *text += &format!("  # The event in the console (in its account)\n  {url}\n");
    }
}

/// A command too long for a line goes on behind a backslash, an option a line.
fn over_lines(command: &str) -> String {
    if command.len() + 2 <= WIDTH { command.to_owned() } else { command.replace(" --", " \\\n    --") }
}

fn indented(text: &str, indent: &str) -> String {
    text.lines().flat_map(|line| [indent, line, "\n"]).collect()
}

fn wrapped(text: &str, first: &str, next: &str) -> String {
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(first)
        .subsequent_indent(next)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(&plain::line(text, usize::MAX), options) + "\n"
}
