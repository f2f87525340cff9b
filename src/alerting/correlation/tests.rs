use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::sigma::{Alternative, Bounds, Operator};

const TIMESPAN: i64 = 10;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn observation(second: i64, rule: usize, event: &str) -> Observation {
    Observation { event: event.to_owned(), rule, time: at(second), values: Vec::new(), number: None }
}

fn pattern(measure: Measure, condition: CorrelationCondition) -> Pattern {
    Pattern { measure, condition, timespan: SignedDuration::from_secs(TIMESPAN) }
}

fn bounds<const N: usize>(bounds: [(Operator, f64); N]) -> CorrelationCondition {
    CorrelationCondition::Bounds(Bounds(bounds.to_vec()))
}

fn at_least(count: f64) -> CorrelationCondition {
    bounds([(Operator::Gte, count)])
}

fn rules(present: &[usize], absent: &[usize]) -> CorrelationCondition {
    CorrelationCondition::Rules(vec![Alternative { present: present.to_vec(), absent: absent.to_vec() }])
}

/// `start-end measured/peak by event of observations`, times in seconds.
fn shown(pattern: &Pattern, observations: &[Observation]) -> Vec<String> {
    let timeline = Timeline::new(pattern, observations);
    let second = |time: Timestamp| time.as_second() - 1_700_000_000;
    timeline
        .episodes()
        .iter()
        .map(|episode| {
            let events = |all: &[&Observation]| {
                all.iter().map(|one| format!("{}{}", one.event, one.rule)).collect::<Vec<_>>().join(" ")
            };
            format!(
                "{}-{} {}/{} by {} of {}",
                second(episode.start),
                second(episode.end),
                episode.measured,
                episode.peak,
                events(&[timeline.completed_by(episode)]),
                events(timeline.observations(episode)),
            )
        })
        .collect()
}

/// Events of rule 0 at these seconds, named a, b, c and so on.
fn events(seconds: &[i64]) -> Vec<Observation> {
    let names = 'a'..='z';
    seconds.iter().zip(names).map(|(second, name)| observation(*second, 0, &name.to_string())).collect()
}

#[test]
fn a_burst_is_one_episode_and_a_second_burst_another() {
    let pattern = pattern(Measure::Events, at_least(3.0));
    let observations = events(&[0, 5, 10, 14, 40, 41, 42, 60]);
    assert_eq!(shown(&pattern, &observations), ["10-14 3/3 by c0 of a0 b0 c0 d0", "42-42 3/3 by g0 of e0 f0 g0"]);
}

#[test]
fn the_window_includes_both_of_its_ends_and_nothing_more() {
    let pattern = pattern(Measure::Events, at_least(2.0));
    assert_eq!(shown(&pattern, &events(&[0, 10])), ["10-10 2/2 by b0 of a0 b0"]);
    assert!(shown(&pattern, &events(&[0, 11])).is_empty());
}

#[test]
fn an_episode_ends_where_an_event_finds_the_condition_false() {
    let pattern = pattern(Measure::Events, at_least(3.0));
    assert_eq!(
        shown(&pattern, &events(&[0, 1, 2, 12, 13, 13])),
        ["2-2 3/3 by c0 of a0 b0 c0", "13-13 3/3 by f0 of d0 e0 f0"]
    );
}

#[test]
fn a_window_without_events_ends_an_episode() {
    let pattern = pattern(Measure::Events, at_least(1.0));
    assert_eq!(shown(&pattern, &events(&[0, 10, 21])), ["0-10 1/2 by a0 of a0 b0", "21-21 1/1 by c0 of c0"]);
}

#[test]
fn within_a_range_only() {
    let pattern = pattern(Measure::Events, bounds([(Operator::Gt, 1.0), (Operator::Lte, 2.0)]));
    assert_eq!(shown(&pattern, &events(&[0, 1, 2, 12])), ["1-1 2/2 by b0 of a0 b0", "12-12 2/2 by d0 of c0 d0"]);
    // Of simultaneous events none is earlier: the moment has all of them.
    assert!(shown(&pattern, &events(&[0, 0, 0])).is_empty());
}

#[test]
fn an_event_that_two_rules_match_is_one_event_but_two_rules() {
    let observations = [observation(0, 0, "x"), observation(0, 1, "x")];
    assert!(shown(&pattern(Measure::Events, at_least(2.0)), &observations).is_empty());
    for measure in [Measure::Rules, Measure::RulesInOrder] {
        assert_eq!(shown(&pattern(measure, rules(&[0, 1], &[])), &observations), ["0-0 2/2 by x1 of x0 x1"]);
    }
}

#[test]
fn values_count_once_and_events_without_any_not_at_all() {
    let with =
        |second, event: &str, value: &str| Observation { values: vec![value.into()], ..observation(second, 0, event) };
    let observations = [with(0, "a", "x"), with(1, "b", "x"), observation(2, 0, "c"), with(3, "d", "y")];
    assert_eq!(shown(&pattern(Measure::Values, at_least(2.0)), &observations), ["3-3 2/2 by d0 of a0 b0 d0"]);
}

#[test]
fn order_is_asked_for_only_where_the_type_says_so() {
    let backwards = [observation(0, 1, "b"), observation(1, 0, "a")];
    let all = || rules(&[0, 1], &[]);
    assert_eq!(shown(&pattern(Measure::Rules, all()), &backwards), ["1-1 2/2 by a0 of b1 a0"]);
    assert!(shown(&pattern(Measure::RulesInOrder, all()), &backwards).is_empty());
    // What was too early can come again; what came too long ago no longer counts.
    let again = [&backwards[..], &[observation(9, 1, "c"), observation(12, 1, "d")]].concat();
    assert_eq!(shown(&pattern(Measure::RulesInOrder, all()), &again), ["9-9 2/2 by c1 of b1 a0 c1"]);
}

#[test]
fn a_count_of_ordered_rules_may_leave_some_out() {
    let two = pattern(Measure::RulesInOrder, at_least(2.0));
    let observations = [observation(0, 2, "c"), observation(1, 1, "b"), observation(2, 2, "d")];
    assert_eq!(shown(&two, &observations), ["2-2 2/2 by d2 of c2 b1 d2"]);
}

#[test]
fn an_excluded_rule_keeps_quiet_for_a_timespan() {
    let observations = [
        observation(0, 1, "b"),
        observation(5, 0, "a"),
        observation(11, 0, "c"),
        observation(12, 1, "d"),
        observation(13, 0, "e"),
    ];
    for measure in [Measure::Rules, Measure::RulesInOrder] {
        assert_eq!(shown(&pattern(measure, rules(&[0], &[1])), &observations), ["11-11 1/1 by c0 of a0 c0"]);
    }
}

fn numbers(numbers: &[f64]) -> Vec<Observation> {
    let seconds: Vec<i64> = (0..).take(numbers.len()).collect();
    let with = |(one, number): (Observation, &f64)| Observation { number: Some(*number), ..one };
    events(&seconds).into_iter().zip(numbers).map(with).collect()
}

#[test]
fn numbers_are_added_averaged_and_ranked() {
    let observations = numbers(&[1.0, 2.0, 3.0, 10.0]);
    for (measure, bound, expected) in [
        (Measure::Sum, 16.0, "16/16"),
        (Measure::Average, 4.0, "4/4"),
        (Measure::Percentile(50.0), 2.5, "2.5/2.5"),
        (Measure::Percentile(0.0), 1.0, "1/1"),
        (Measure::Percentile(100.0), 10.0, "10/10"),
        (Measure::Percentile(75.0), 4.75, "4.75/4.75"),
    ] {
        let found = shown(&pattern(measure, bounds([(Operator::Gte, bound)])), &observations);
        assert!(found.last().unwrap().contains(expected), "{measure:?} {found:?}");
    }
    let broken = numbers(&[f64::NAN, f64::INFINITY]);
    assert!(shown(&pattern(Measure::Average, bounds([(Operator::Neq, 1.0)])), &broken).is_empty());
}

#[test]
fn a_huge_number_does_not_spoil_the_sums_after_it() {
    let mut observations = numbers(&[1e300, 1.0, 2.0]);
    observations[1].time = at(20);
    observations[2].time = at(21);
    let three = pattern(Measure::Sum, bounds([(Operator::Eq, 3.0)]));
    assert_eq!(shown(&three, &observations), ["21-21 3/3 by c0 of b0 c0"]);
}

#[test]
fn evidence_shows_what_differs_before_what_repeats() {
    let mut observations: Vec<Observation> = (0..50).map(|n| observation(1, 0, &format!("flood{n:02}"))).collect();
    observations.extend([observation(0, 1, "rare"), observation(2, 2, "last")]);
    let pattern = pattern(Measure::Rules, rules(&[0, 1, 2], &[]));
    let timeline = Timeline::new(&pattern, &observations);
    let episode = &timeline.episodes()[0];
    let events: Vec<&str> = timeline.evidence(episode, 4).iter().map(|one| one.event.as_str()).collect();
    assert_eq!(events, ["rare", "flood00", "flood01", "last"]);
    assert_eq!(timeline.observations(episode).len(), 52);
}

/// What happened: when, which of four rules matched, values and number.
type Event = (i64, BTreeSet<usize>, BTreeSet<u8>, Option<i8>);

fn any_events() -> impl Strategy<Value = Vec<Observation>> {
    let event = (
        0..60_i64,
        prop::collection::btree_set(0..4_usize, 1..3),
        prop::collection::btree_set(0..5_u8, 0..3),
        prop::option::weighted(0.9, any::<i8>()),
    );
    let observe = |(name, (second, rules, values, number)): (usize, Event)| {
        let values: Vec<Arc<str>> = values.iter().map(|value| value.to_string().into()).collect();
        let number = number.map(|number| f64::from(number) / 4.0);
        rules.into_iter().map(move |rule| Observation {
            values: values.clone(),
            number,
            ..observation(second, rule, &name.to_string())
        })
    };
    prop::collection::vec(event, 0..40)
        .prop_map(move |events| events.into_iter().enumerate().flat_map(observe).collect())
}

fn any_measure() -> impl Strategy<Value = Measure> {
    prop::sample::select(vec![
        Measure::Events,
        Measure::Values,
        Measure::Rules,
        Measure::RulesInOrder,
        Measure::Sum,
        Measure::Average,
        Measure::Percentile(50.0),
        Measure::Percentile(12.5),
    ])
}

fn any_bounds() -> impl Strategy<Value = CorrelationCondition> {
    use Operator::{Eq, Gt, Gte, Lt, Lte, Neq};
    let bound = (prop::sample::select(vec![Gt, Gte, Lt, Lte, Eq, Neq]), (0..6_i8).prop_map(f64::from));
    prop::collection::vec(bound, 1..3).prop_map(|all| CorrelationCondition::Bounds(Bounds(all)))
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    let alternative = prop::collection::vec(0..3_u8, 4).prop_map(|wanted| {
        let places = |word| wanted.iter().enumerate().filter(|(_, is)| **is == word).map(|(rule, _)| rule).collect();
        Alternative { present: places(1), absent: places(2) }
    });
    let some = alternative.prop_filter("asks for a rule", |one| !one.present.is_empty());
    let alternatives = prop::collection::vec(some, 1..3).prop_map(CorrelationCondition::Rules);
    let temporal = prop::sample::select(vec![Measure::Rules, Measure::RulesInOrder]);
    prop_oneof![
        (any_measure(), any_bounds()).prop_map(|(measure, condition)| pattern(measure, condition)),
        (temporal, alternatives).prop_map(|(measure, condition)| pattern(measure, condition)),
    ]
}

/// What a window measures, in the plainest way.
fn plain(pattern: &Pattern, window: &[&Observation]) -> f64 {
    let count = |count: usize| f64::from(u32::try_from(count).unwrap());
    let by_event: BTreeMap<&str, f64> =
        window.iter().filter_map(|one| Some((one.event.as_str(), one.number?))).collect();
    let mut numbers: Vec<f64> = by_event.into_values().collect();
    numbers.sort_by(f64::total_cmp);
    let sum: f64 = numbers.iter().sum();
    let there: BTreeSet<usize> = window.iter().map(|one| one.rule).collect();
    match (pattern.measure, &pattern.condition) {
        (Measure::Events, _) => count(window.iter().map(|one| &one.event).collect::<BTreeSet<_>>().len()),
        (Measure::Values, _) => count(window.iter().flat_map(|one| &one.values).collect::<BTreeSet<_>>().len()),
        (Measure::Sum, _) => sum,
        (Measure::Average, _) => sum / count(numbers.len()),
        (Measure::Percentile(percentile), _) => {
            let last = numbers.len() - 1;
            // In eighths, as the percentiles of these tests are.
            let eighths = if percentile > 12.5 { 4 * last } else { last };
            let (place, part) = (eighths / 8, count(eighths % 8) / 8.0);
            numbers[place] + (numbers[(place + 1).min(last)] - numbers[place]) * part
        }
        (Measure::Rules, CorrelationCondition::Bounds(_)) => count(there.len()),
        (Measure::RulesInOrder, CorrelationCondition::Bounds(_)) => {
            let subsets = (0..16_usize).map(|set| (0..4).filter(|rule| set >> rule & 1 == 1).collect::<Vec<usize>>());
            count(subsets.filter(|subset| in_order(window, subset)).map(|subset| subset.len()).max().unwrap())
        }
        (measure, CorrelationCondition::Rules(alternatives)) => {
            let fulfilled = alternatives.iter().filter(|one| {
                one.present.iter().all(|rule| there.contains(rule))
                    && !one.absent.iter().any(|rule| there.contains(rule))
                    && (measure == Measure::Rules || in_order(window, &one.present))
            });
            count(fulfilled.map(|one| one.present.len()).max().unwrap_or(0))
        }
    }
}

/// Takes the first event of each rule that is not before the one of the rule before it.
fn in_order(window: &[&Observation], rules: &[usize]) -> bool {
    let mut since = Timestamp::MIN;
    rules.iter().all(|rule| {
        let next = window.iter().filter(|one| one.rule == *rule && one.time >= since).map(|one| one.time).min();
        since = next.unwrap_or(since);
        next.is_some()
    })
}

fn holds(pattern: &Pattern, window: &[&Observation]) -> bool {
    !window.is_empty() && pattern.holds(plain(pattern, window))
}

/// Start, end, measure and peak of each episode, from every window looked at by itself.
fn by_brute_force(pattern: &Pattern, observations: &[Observation]) -> Vec<(Timestamp, Timestamp, f64, f64)> {
    let counted: Vec<&Observation> = observations.iter().filter(|one| pattern.measure.counts(one)).collect();
    let times: BTreeSet<Timestamp> = counted.iter().map(|one| one.time).collect();
    let mut found: Vec<(Timestamp, Timestamp, f64, f64)> = Vec::new();
    let mut before = None;
    for time in times {
        let window: Vec<&Observation> =
            counted.iter().copied().filter(|one| one.time <= time && time - pattern.timespan <= one.time).collect();
        let measured = plain(pattern, &window);
        let is_held = pattern.holds(measured);
        match found.last_mut() {
            Some(open) if is_held && before == Some(open.1) && time - pattern.timespan <= open.1 => {
                *open = (open.0, time, open.2, open.3.max(measured));
            }
            _ if is_held => found.push((time, time, measured, measured)),
            _ => {}
        }
        before = Some(time);
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn episodes_are_those_of_brute_force((pattern, observations) in (any_pattern(), any_events())) {
        let timeline = Timeline::new(&pattern, &observations);
        let episodes = timeline.episodes();
        let found: Vec<_> = episodes.iter().map(|one| (one.start, one.end, one.measured, one.peak)).collect();
        prop_assert_eq!(found, by_brute_force(&pattern, &observations));
        for episode in &episodes {
            let within: Vec<&&Observation> = timeline.observations(episode).iter().collect();
            prop_assert!(within.iter().all(|one| one.time <= episode.end && episode.start - pattern.timespan <= one.time));
            prop_assert_eq!(timeline.completed_by(episode).time, episode.start);
            prop_assert_eq!(timeline.evidence(episode, usize::MAX), timeline.observations(episode));
        }
    }

    #[test]
    fn arrival_changes_nothing(
        (pattern, once) in (any_pattern(), any_events()),
        twice in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let mut delivered = once.clone();
        if !once.is_empty() {
            delivered.extend_from_slice(&once[twice.index(once.len())..]);
        }
        // Any permutation will do; this one comes from the seed.
        delivered.sort_by_cached_key(|one| {
            use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
            BuildHasherDefault::<DefaultHasher>::default().hash_one((seed, &one.event, one.rule))
        });
        prop_assert_eq!(shown(&pattern, &delivered), shown(&pattern, &once));
    }

    /// Of conditions that more events can't make false it doesn't matter where the windows are looked at.
    #[test]
    fn any_window_of_the_timespan_is_found(
        measure in prop::sample::select(vec![Measure::Events, Measure::Values, Measure::Rules, Measure::RulesInOrder]),
        least in 1..6_i8,
        observations in any_events(),
    ) {
        let pattern = pattern(measure, at_least(f64::from(least)));
        let starting_at = |first: &Observation| -> Vec<&Observation> {
            observations.iter().filter(|one| first.time <= one.time && one.time <= first.time + pattern.timespan).collect()
        };
        let exists = observations.iter().any(|first| holds(&pattern, &starting_at(first)));
        prop_assert_eq!(!Timeline::new(&pattern, &observations).episodes().is_empty(), exists);
    }
}
