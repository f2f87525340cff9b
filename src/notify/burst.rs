//! Many alerts at once, counted and in order.

use crate::sigma::Level;

use super::story::Story;

/// `17 alerts: 3 critical, 14 high`.
pub(super) fn title(stories: &[&Story]) -> String {
    let levels = [Level::Critical, Level::High, Level::Medium, Level::Low, Level::Informational];
    let count = |level: &Level| stories.iter().filter(|story| story.level == *level).count();
    let counts: Vec<String> = levels
        .iter()
        .map(|level| (count(level), level.as_str()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, level)| format!("{count} {level}"))
        .collect();
    let alerts = if stories.len() == 1 { "alert" } else { "alerts" };
    format!("{} {alerts} at once: {}", stories.len(), counts.join(", "))
}

/// When it happened, for a line of a burst.
pub(super) fn time(story: &Story) -> String {
    story.first.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

pub(super) fn gravest_first<'s>(stories: &[&'s Story]) -> Vec<&'s Story> {
    let mut stories = stories.to_vec();
    stories.sort_by_key(|story| (std::cmp::Reverse(story.level), story.first));
    stories
}
