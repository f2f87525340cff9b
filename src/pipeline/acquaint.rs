//! What is known about the callers that alerts are about. It is worth a look into the memory, and no alert waits for it if that
//! fails.

use std::collections::HashMap;
use std::sync::Arc;

use crate::alerting::{Acquaintance, Alert, Decision, Repetition, Teller, since_keys};
use crate::engine::RuleInfo;
use crate::finding::{Event, Finding};
use crate::ports::{Clock, ObjectStore, Publisher, StateStore};
use crate::sigma::Mode;

use super::Pipeline;
use super::run::Run;

/// Findings that are kept in mind for what alerts say of each other. With more, alerts say less.
const MAX_COMPANY: usize = 10_000;

/// The findings of a wave, for what alerts say of each other.
#[derive(Default)]
pub(super) struct Company(Vec<(Arc<RuleInfo>, Arc<Event>)>);

impl Company {
    pub(super) fn add<'f>(&mut self, findings: impl IntoIterator<Item = &'f Finding>) {
        let room = MAX_COMPANY.saturating_sub(self.0.len());
        let counts = |finding: &&Finding| finding.rule.mode == Mode::Live && !finding.is_own();
        let of = |finding: &Finding| (Arc::clone(&finding.rule), Arc::clone(&finding.event));
        self.0.extend(findings.into_iter().filter(counts).take(room).map(of));
    }
}

impl<O: ObjectStore, S: StateStore, P: Publisher, C: Clock> Pipeline<O, S, P, C> {
    /// Has alerts say what is known about their callers.
    pub(super) async fn acquaint(&self, run: &mut Run, decisions: &mut [Decision], teller: &Teller) {
        let mut alerts: Vec<(String, &mut Alert)> = Vec::new();
        for alert in decisions.iter_mut().filter_map(Decision::alert_mut) {
            if let Some(principal) = principal(&alert.finding) {
                alerts.push((principal, alert));
            }
        }
        // A memory that could not be asked a moment ago isn't asked for so little.
        let asked = alerts.iter().filter(|(_, alert)| alert.repetition != Repetition::Unchecked);
        let mut keys: Vec<_> = asked.flat_map(|(principal, _)| since_keys(&self.rules, principal)).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut items = HashMap::new();
        if !keys.is_empty() {
            match self.watched(run).get(&keys, teller.now).await {
                Ok(found) => items = found,
                Err(error) => _ = run.state_error(&error),
            }
        }
        for (principal, alert) in alerts {
            let all = run.company.0.iter().map(|(rule, event)| (&**rule, &**event));
            alert.acquaintance = Acquaintance {
                since: Acquaintance::since(&since_keys(&self.rules, &principal), &items),
                others: Acquaintance::others(&alert.finding, &principal, all),
            };
        }
    }
}

/// Whose doing it is; of what trailhound says of itself it is nobody's.
fn principal(finding: &Finding) -> Option<String> {
    if finding.is_own() {
        return None;
    }
    finding.event.details().actor.principal.clone()
}
