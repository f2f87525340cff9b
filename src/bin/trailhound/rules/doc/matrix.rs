//! The part of ATT&CK that rules cover, as a picture.

use std::collections::BTreeMap;

use trailhound::sigma::Level;
use trailhound::sigma::attack::{NEWEST, Tactic, Technique};

use super::entry::Entry;

const WIDTH: usize = 178;
const GAP: usize = 6;
const ROW: usize = 34;
const TOP: usize = 62;
const LEGEND: usize = 110;
const STYLE: &str = "text{font:12px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#24292f}.t{font-weight:600;font-size:15px}\
.h{font-weight:600}.i{font-size:11px;fill:#57606a}.n{text-anchor:end;font-weight:600}rect{stroke:#d0d7de}.critical{fill:#ffc9c4}.high{fill:#ffdcc2}.medium{fill:#fff3bf}\
.low{fill:#ddf4ff}.informational{fill:#f6f8fa}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.i{fill:#adbac7}rect{stroke:#444c56}.critical{fill:#7d2220}\
.high{fill:#763c10}.medium{fill:#594711}.low{fill:#123d61}.informational{fill:#22272e}}";

/// Rules by technique, by tactic: how many, and the highest level.
type Cells = BTreeMap<&'static str, (&'static str, usize, Level)>;

/// The tactics of the newest ATT&CK in their order there, with the techniques that rules are tagged with.
fn columns(entries: &[Entry<'_>]) -> Vec<(&'static Tactic, Cells)> {
    let tactics = Tactic::all().iter().filter(|tactic| tactic.version == NEWEST);
    let column = |tactic: &'static Tactic| {
        let mut cells = Cells::new();
        for entry in entries {
            let named = entry.tactics();
            // A tag of an older version counts where its technique serves the tactic.
            let serves =
                |technique: &&Technique| technique.serves(tactic) && named.iter().any(|named| is_meant(named, tactic));
            for technique in entry.techniques().into_iter().filter(serves) {
                let cell = cells.entry(technique.id).or_insert((technique.name, 0, Level::Informational));
                *cell = (cell.0, cell.1 + 1, cell.2.max(entry.level()));
            }
        }
        (tactic, cells)
    };
    tactics.map(column).filter(|(_, cells)| !cells.is_empty()).collect()
}

/// Whether a tag's tactic is this one, under its name of now or of then.
fn is_meant(named: &Tactic, tactic: &Tactic) -> bool {
    named.id == tactic.id || (named.version != NEWEST && matches!(tactic.name, "Stealth" | "Defense Impairment"))
}

/// One sentence, for those who don't see the picture.
pub(super) fn summary(entries: &[Entry<'_>]) -> String {
    let columns = columns(entries);
    let mut techniques: Vec<&str> = columns.iter().flat_map(|(_, cells)| cells.keys().copied()).collect();
    techniques.sort_unstable();
    techniques.dedup();
    format!("{} techniques and sub-techniques of {} tactics", techniques.len(), columns.len())
}

pub(super) fn picture(entries: &[Entry<'_>]) -> String {
    let columns = columns(entries);
    let rows = columns.iter().map(|(_, cells)| cells.len()).max().unwrap_or_default();
    let (width, height) = (columns.len() * (WIDTH + GAP) + GAP, TOP + rows * ROW + GAP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n",
        summary(entries)
    );
    let mut line = |text: String| {
        svg += &text;
        svg.push('\n');
    };
    line(format!("<text x=\"{GAP}\" y=\"20\" class=\"t\">ATT&amp;CK v{NEWEST}: {}</text>", summary(entries)));
    for (place, (level, _)) in Level::WORDS.iter().rev().enumerate() {
        let x = width - (Level::WORDS.len() - place) * LEGEND;
        line(format!("<rect x=\"{x}\" y=\"8\" width=\"14\" height=\"14\" rx=\"3\" class=\"{level}\"/>"));
        line(format!("<text x=\"{}\" y=\"20\">{level}</text>", x + 20));
    }
    for (place, (tactic, cells)) in columns.iter().enumerate() {
        let x = GAP + place * (WIDTH + GAP);
        line(format!("<text x=\"{x}\" y=\"{}\" class=\"h\">{}</text>", TOP - 12, tactic.name));
        for (row, (id, (name, count, level))) in cells.iter().enumerate() {
            let y = TOP + row * ROW;
            let class = level.as_str();
            line(format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{}\" rx=\"3\" class=\"{class}\"/>",
                ROW - 4
            ));
            line(format!("<text x=\"{}\" y=\"{}\">{}</text>", x + 6, y + 13, short(name)));
            line(format!("<text x=\"{}\" y=\"{}\" class=\"i\">{}</text>", x + 6, y + 26, id.to_uppercase()));
            line(format!("<text x=\"{}\" y=\"{}\" class=\"n\">{count}</text>", x + WIDTH - 6, y + 26));
        }
    }
    svg += "</svg>\n";
    svg
}

/// As much of a name as fits a cell.
fn short(name: &str) -> String {
    const MAX: usize = 24;
    let text = match name.char_indices().nth(MAX) {
        Some((cut, _)) => format!("{}…", &name[..cut]),
        None => name.to_owned(),
    };
    text.replace('&', "&amp;").replace('<', "&lt;")
}
