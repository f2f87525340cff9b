//! Draws cost against the number of rules, for light and for dark pages.

use std::fmt::Write as _;

use super::input::grouped;

/// What so many rules cost, as a multiple of reading without any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) rules: usize,
    /// From file to finding.
    pub(super) whole: f64,
    /// When each rule is tried; nothing when that was not measured.
    pub(super) tried: Option<f64>,
}

/// The area that is drawn into, in the picture's own units, beside its labels.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 696.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 330.0;
/// Where the line of 0 rules stands: a logarithm has no place for it.
const NO_RULES: f64 = LEFT + 40.0;
const TEN_RULES: f64 = LEFT + 140.0;

const STYLE: &str = "\
text{font:13px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;fill:#24292f}\
.t{font-weight:600;font-size:15px}.s{fill:#57606a}.g{stroke:#d0d7de}.a{stroke:#57606a}\
.w{stroke:#0969da;fill:none;stroke-width:2.5}.d{fill:#0969da}.b{fill:#0969da;font-weight:600;stroke:#fff;stroke-width:4px;paint-order:stroke}\
.n{stroke:#bc4c00;fill:none;stroke-width:2;stroke-dasharray:6 4}.o{fill:#bc4c00}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.s{fill:#9198a1}.g{stroke:#3d444d}.a{stroke:#9198a1}\
.w{stroke:#4493f8}.d,.b{fill:#4493f8}.b{stroke:#0d1117}.n{stroke:#f0883e}.o{fill:#f0883e}}";

/// An SVG with the cost from file to finding, and with what trying each rule would cost.
pub(super) fn draw(points: &[Point]) -> String {
    let most = points.iter().map(|point| point.whole).fold(1.0, f64::max);
    let step = if most <= 2.0 { 0.5 } else { (most / 4.0).ceil() };
    let highest = (most / step).ceil().max(3.0) * step;
    let y = &|ratio: f64| BOTTOM - ratio / highest * (BOTTOM - TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 400\" role=\"img\" \
         aria-label=\"CPU time a record against the number of rules\">\n<style>{STYLE}</style>\n"
    );
    put(&mut svg, LEFT, 24.0, "t", "start", "What more rules cost");
    let what = "CPU time a record, from gzip file to finding; 1 is reading the same files without rules";
    put(&mut svg, LEFT, 43.0, "s", "start", what);
    axes(&mut svg, points, step, y);
    naive(&mut svg, points, y);
    whole(&mut svg, points, y);
    svg + "</svg>\n"
}

fn axes(svg: &mut String, points: &[Point], step: f64, y: &dyn Fn(f64) -> f64) {
    let ratios = (0..).map(|number| f64::from(number) * step).take_while(|ratio| y(*ratio) >= TOP - 1.0);
    for ratio in ratios {
        let y = y(ratio);
        line(svg, if ratio == 0.0 { "a" } else { "g" }, (LEFT, y), (RIGHT, y));
        put(svg, LEFT - 10.0, y + 4.0, "s", "end", &ratio.to_string());
    }
    for point in points {
        let x = x(point.rules);
        line(svg, "a", (x, BOTTOM), (x, BOTTOM + 5.0));
        put(svg, x, BOTTOM + 21.0, "s", anchor(point.rules), &grouped(point.rules));
    }
    put(svg, f64::midpoint(LEFT, RIGHT), BOTTOM + 46.0, "s", "middle", "rules (logarithmic)");
}

/// 57 and 100 stand too close for labels in their middle.
fn anchor(rules: usize) -> &'static str {
    match rules {
        57 => "end",
        100 => "start",
        _ => "middle",
    }
}

fn whole(svg: &mut String, points: &[Point], y: &dyn Fn(f64) -> f64) {
    let at: Vec<(f64, f64)> = points.iter().map(|point| (x(point.rules), y(point.whole))).collect();
    polyline(svg, "w", &at);
    for (point, (x, y)) in points.iter().zip(at) {
        let _ = writeln!(svg, "<circle class=\"d\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
        put(svg, x, y + 22.0, "b", anchor(point.rules), &format!("{:.2}", point.whole));
    }
}

/// The line leaves the picture on its way to the first point that is too high for it.
fn naive(svg: &mut String, points: &[Point], y: &dyn Fn(f64) -> f64) {
    let mut at: Vec<(f64, f64)> = Vec::new();
    for point in points {
        let Some(tried) = point.tried else { break };
        let next = (x(point.rules), y(tried));
        if next.1 < TOP {
            let (x, y) = at.last().copied().unwrap_or((NO_RULES, y(1.0)));
            let out = (x + (next.0 - x) * (y - TOP) / (y - next.1), TOP);
            at.push(out);
            let label = format!("each rule tried: {tried:.0} at {} rules", grouped(point.rules));
            put(svg, out.0 + 10.0, TOP + 14.0, "o", "start", &label);
            break;
        }
        at.push(next);
    }
    polyline(svg, "n", &at);
}

fn x(rules: usize) -> f64 {
    if rules == 0 {
        return NO_RULES;
    }
    // OK because no set is larger than what f64 holds exactly.
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    let tens = (rules as f64).log10();
    TEN_RULES + (tens - 1.0) * (RIGHT - 30.0 - TEN_RULES) / 3.0
}

fn put(svg: &mut String, x: f64, y: f64, class: &str, anchor: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\" text-anchor=\"{anchor}\">{text}</text>");
}

fn line(svg: &mut String, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = writeln!(svg, "<path class=\"{class}\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>");
}

fn polyline(svg: &mut String, class: &str, at: &[(f64, f64)]) {
    let points: Vec<String> = at.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(svg, "<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "));
}
