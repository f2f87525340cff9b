//! Measures a window that slides over observations.

use std::collections::HashMap;
use std::ops::Range;

use jiff::Timestamp;

use crate::sigma::{Alternative, CorrelationCondition};

use super::{Measure, Observation, Pattern};

/// A window and what it measures. Grows at its end, shrinks at its start.
pub(super) struct Gauge<'t> {
    observations: &'t [&'t Observation],
    window: Range<usize>,
    state: State<'t>,
}

/// What is kept up while the window slides.
enum State<'t> {
    Events,
    Values(HashMap<&'t str, usize>),
    Rules(RuleCounts),
    Alternatives { alternatives: &'t [Alternative], rules: RuleCounts },
    Row(Row),
    Chains { chains: Vec<Chain<'t>>, rules: RuleCounts },
    Sum(Sums),
    Average(Sums),
    Percentile(Ranks, f64),
}

impl<'t> Gauge<'t> {
    pub(super) fn new(pattern: &'t Pattern, observations: &'t [&'t Observation]) -> Self {
        let number = |observation: &&Observation| observation.number.unwrap_or_default();
        let numbers = || observations.iter().map(number).collect::<Vec<f64>>();
        let rules = || RuleCounts::new(observations);
        let state = match (pattern.measure, &pattern.condition) {
            (Measure::Events, _) => State::Events,
            (Measure::Values, _) => State::Values(HashMap::new()),
            (Measure::Rules, CorrelationCondition::Bounds(_)) => State::Rules(rules()),
            (Measure::Rules, CorrelationCondition::Rules(alternatives)) => {
                State::Alternatives { alternatives, rules: rules() }
            }
            (Measure::RulesInOrder, CorrelationCondition::Bounds(_)) => State::Row(Row::default()),
            (Measure::RulesInOrder, CorrelationCondition::Rules(alternatives)) => {
                State::Chains { chains: alternatives.iter().map(Chain::new).collect(), rules: rules() }
            }
            (Measure::Sum, _) => State::Sum(Sums::new(&numbers())),
            (Measure::Average, _) => State::Average(Sums::new(&numbers())),
            (Measure::Percentile(percentile), _) => State::Percentile(Ranks::new(&numbers()), percentile),
        };
        Self { observations, window: 0..0, state }
    }

    /// The observations within the window, by place.
    pub(super) fn window(&self) -> Range<usize> {
        self.window.clone()
    }

    /// Takes the next observation in and gives its place. There has to be one.
    pub(super) fn add(&mut self) -> usize {
        let place = self.window.end;
        let observation = self.observations[place];
        self.window.end += 1;
        match &mut self.state {
            State::Events | State::Sum(_) | State::Average(_) => {}
            State::Values(counts) => {
                observation.values.iter().for_each(|value| *counts.entry(value).or_default() += 1);
            }
            State::Rules(rules) | State::Alternatives { rules, .. } => rules.add(observation.rule),
            State::Row(row) => row.add(observation),
            State::Chains { chains, rules } => {
                rules.add(observation.rule);
                chains.iter_mut().for_each(|chain| chain.add(observation));
            }
            State::Percentile(ranks, _) => ranks.add(place),
        }
        place
    }

    /// Lets go of observations at the start of the window whose time is past.
    pub(super) fn forget(&mut self, is_past: impl Fn(Timestamp) -> bool) {
        while !self.window.is_empty() && is_past(self.observations[self.window.start].time) {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        let place = self.window.start;
        let observation = self.observations[place];
        self.window.start += 1;
        match &mut self.state {
            // Rows and chains remember when they started, which is held against the window.
            State::Events | State::Sum(_) | State::Average(_) | State::Row(_) => {}
            State::Values(counts) => observation.values.iter().for_each(|value| forget_value(counts, value)),
            State::Rules(rules) | State::Alternatives { rules, .. } | State::Chains { rules, .. } => {
                rules.drop(observation.rule);
            }
            State::Percentile(ranks, _) => ranks.drop(place),
        }
    }

    /// What the window measures. It must not be empty.
    pub(super) fn reading(&self) -> f64 {
        let since = self.observations[self.window.start].time;
        match &self.state {
            State::Events => float(self.window.len()),
            State::Values(counts) => float(counts.len()),
            State::Rules(rules) => float(rules.different),
            State::Alternatives { alternatives, rules } => {
                largest(alternatives.iter().filter(|alternative| rules.fulfil(alternative)))
            }
            State::Row(row) => float(row.longest(since)),
            State::Chains { chains, rules } => largest(
                chains
                    .iter()
                    .filter(|chain| chain.is_complete(since) && rules.fulfil(chain.alternative))
                    .map(|chain| chain.alternative),
            ),
            State::Sum(sums) => sums.of(&self.window),
            State::Average(sums) => sums.of(&self.window) / float(self.window.len()),
            State::Percentile(ranks, percentile) => ranks.percentile(*percentile, self.window.len()),
        }
    }
}

/// Exact: there are never more observations than fit in memory, let alone 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2⁵³")]
fn float(count: usize) -> f64 {
    count as f64
}

fn largest<'a>(alternatives: impl Iterator<Item = &'a Alternative>) -> f64 {
    float(alternatives.map(|alternative| alternative.present.len()).max().unwrap_or(0))
}

fn forget_value<'t>(counts: &mut HashMap<&'t str, usize>, value: &'t str) {
    if let Some(count) = counts.get_mut(value) {
        *count -= 1;
        if *count == 0 {
            counts.remove(value);
        }
    }
}

/// How often each rule stands in the window.
struct RuleCounts {
    counts: Vec<usize>,
    different: usize,
}

impl RuleCounts {
    fn new(observations: &[&Observation]) -> Self {
        let rules = observations.iter().map(|observation| observation.rule + 1).max().unwrap_or(0);
        Self { counts: vec![0; rules], different: 0 }
    }

    fn add(&mut self, rule: usize) {
        self.counts[rule] += 1;
        self.different += usize::from(self.counts[rule] == 1);
    }

    fn drop(&mut self, rule: usize) {
        self.counts[rule] -= 1;
        self.different -= usize::from(self.counts[rule] == 0);
    }

    fn fulfil(&self, alternative: &Alternative) -> bool {
        let is_there = |rule: &usize| self.counts.get(*rule).is_some_and(|count| *count > 0);
        alternative.present.iter().all(is_there) && !alternative.absent.iter().any(is_there)
    }
}

/// Rows of rules in ascending order: by length less one and by their last rule, the latest time at which one started.
///
/// A row that started later lies in every window that one with an earlier start lies in, so the latest is enough.
#[derive(Default)]
struct Row {
    starts: Vec<Vec<Option<Timestamp>>>,
}

impl Row {
    fn add(&mut self, observation: &Observation) {
        let rule = observation.rule;
        let rules = self.starts.len().max(rule + 1);
        self.starts.resize_with(rules, Vec::new);
        self.starts.iter_mut().for_each(|by_last| by_last.resize(rules, None));
        for length in (1..=rule).rev() {
            let longest = self.starts[length - 1][..rule].iter().copied().max().flatten();
            let start = &mut self.starts[length][rule];
            *start = longest.max(*start);
        }
        self.starts[0][rule] = Some(observation.time);
    }

    /// The length of the longest row that started at a time or later.
    fn longest(&self, since: Timestamp) -> usize {
        let reaches = |by_last: &Vec<Option<Timestamp>>| by_last.iter().any(|start| *start >= Some(since));
        self.starts.iter().rposition(reaches).map_or(0, |length| length + 1)
    }
}

/// The rules of an alternative in their order: up to each of them, the latest time at which a chain started.
struct Chain<'t> {
    alternative: &'t Alternative,
    starts: Vec<Option<Timestamp>>,
}

impl<'t> Chain<'t> {
    fn new(alternative: &'t Alternative) -> Self {
        Self { alternative, starts: vec![None; alternative.present.len()] }
    }

    fn add(&mut self, observation: &Observation) {
        let Ok(place) = self.alternative.present.binary_search(&observation.rule) else { return };
        let start = match place.checked_sub(1) {
            None => Some(observation.time),
            Some(before) => self.starts[before],
        };
        self.starts[place] = start.max(self.starts[place]);
    }

    fn is_complete(&self, since: Timestamp) -> bool {
        self.starts.last().is_some_and(|start| *start >= Some(since))
    }
}

/// Sums over any range in O(log n).
///
/// Numbers are only ever added up: were they taken away again when they leave the window, one huge number would swallow
/// the digits of all others for good, and whoever makes the events could choose it.
struct Sums {
    /// A binary tree: the numbers are its second half, and each node before is the sum of its two children.
    tree: Vec<f64>,
}

impl Sums {
    fn new(numbers: &[f64]) -> Self {
        let mut tree = [vec![0.0; numbers.len()], numbers.to_vec()].concat();
        for node in (1..numbers.len()).rev() {
            tree[node] = tree[2 * node] + tree[2 * node + 1];
        }
        Self { tree }
    }

    fn of(&self, range: &Range<usize>) -> f64 {
        let leaves = self.tree.len() / 2;
        let (mut from, mut to) = (range.start + leaves, range.end + leaves);
        let mut sum = 0.0;
        while from < to {
            if from % 2 == 1 {
                sum += self.tree[from];
                from += 1;
            }
            if to % 2 == 1 {
                to -= 1;
                sum += self.tree[to];
            }
            from /= 2;
            to /= 2;
        }
        sum
    }
}

/// Finds the n-th smallest number of a window in O(log n).
struct Ranks {
    /// All numbers, ascending.
    sorted: Vec<f64>,
    /// The rank of each observation, from 1.
    by_place: Vec<usize>,
    /// A Fenwick tree over the ranks within the window: each node counts as many ranks as its lowest set bit says.
    counts: Vec<usize>,
}

impl Ranks {
    fn new(numbers: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..numbers.len()).collect();
        order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
        let mut ranks = vec![0; numbers.len()];
        for (rank, &place) in order.iter().enumerate() {
            ranks[place] = rank + 1;
        }
        let sorted = order.into_iter().map(|place| numbers[place]).collect();
        Self { sorted, by_place: ranks, counts: vec![0; numbers.len() + 1] }
    }

    fn add(&mut self, place: usize) {
        self.each_node(place, |count| *count += 1);
    }

    fn drop(&mut self, place: usize) {
        self.each_node(place, |count| *count -= 1);
    }

    fn each_node(&mut self, place: usize, change: impl Fn(&mut usize)) {
        let mut node = self.by_place[place];
        while let Some(count) = self.counts.get_mut(node) {
            change(count);
            node += lowest_bit(node);
        }
    }

    /// The number with so many smaller ones in the window. There have to be more than that.
    fn nth(&self, smaller: usize) -> f64 {
        let (mut node, mut left) = (0, smaller);
        let mut step = self.counts.len().next_power_of_two();
        while step > 0 {
            if let Some(count) = self.counts.get(node + step).filter(|count| **count <= left) {
                node += step;
                left -= count;
            }
            step /= 2;
        }
        // OK because `node` is the rank before the one looked for, and ranks count from 1.
        self.sorted[node]
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the count less one")]
    fn percentile(&self, percentile: f64, count: usize) -> f64 {
        let position = percentile * float(count - 1) / 100.0;
        let (lower, part) = (self.nth(position as usize), position.fract());
        if part == 0.0 {
            return lower;
        }
        let upper = self.nth(position as usize + 1);
        // By halves of the difference, which itself overflows between numbers far apart.
        lower + (upper / 2.0 - lower / 2.0) * part * 2.0
    }
}

fn lowest_bit(number: usize) -> usize {
    number & number.wrapping_neg()
}
