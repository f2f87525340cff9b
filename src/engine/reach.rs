//! How far back each correlation may have to look.

use jiff::SignedDuration;

use super::correlation::{CompiledCorrelation, CorrelationIndex};

/// By correlation. What another one reads is looked at for as long as that one looks back: its episodes are found anew from its
/// events.
pub(super) fn reaches(all: &[CompiledCorrelation]) -> Vec<SignedDuration> {
    let mut reaches: Vec<SignedDuration> = all.iter().map(|one| one.correlation.timespan).collect();
    // Who reads comes behind what it reads.
    for (index, correlation) in all.iter().enumerate().rev() {
        for CorrelationIndex(inner) in correlation.inner() {
            let reach = all[inner].correlation.timespan.saturating_add(reaches[index]);
            reaches[inner] = reaches[inner].max(reach);
        }
    }
    reaches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Organisation, RuleSet};
    use crate::{sigma, yaml::SourceFile};

    /// What is forgotten too early can't be found anew, and is missing where it is read.
    #[test]
    fn what_is_read_is_kept_for_as_long_as_its_readers_look_back() {
        let rule = "title: a\nlogsource: {product: aws, service: cloudtrail}\ndetection: {s: {eventName: x}, condition: s}\n---\n";
        let over = |id: &str, of: &str, timespan: &str| {
            format!(
                "title: {id}\nid: {id}\ncorrelation: {{type: event_count, rules: [{of}], timespan: {timespan}, condition: {{gte: 2}}}}\n---\n"
            )
        };
        let yaml = [rule.to_owned(), over("last", "b", "7d"), over("b", "c", "1h"), over("c", "a", "5m")].concat();
        let collection = sigma::parse(&SourceFile::new("rules.yml", yaml));
        let (rules, errors) = RuleSet::compile(&collection, &Organisation::default(), jiff::civil::date(2026, 11, 5));
        assert!(errors.is_empty(), "{}", errors[0]);
        let minutes: Vec<i64> = reaches(rules.correlations()).iter().map(|reach| reach.as_mins()).collect();
        let week = 7 * 24 * 60;
        assert_eq!(minutes, [5 + 60 + week, 60 + week, week]);
    }
}
