//! Removes what is remembered for rules.

use jiff::Timestamp;
use trailhound::alerting::{Item, Key, is_put_by};
use trailhound::ports::{BoxError, StateStore};

use super::failed;
use super::tally::Tally;
use crate::note;

/// In place of a rule's id: whatever is there.
const ALL: &str = "all";

/// Looks at everything there is, and removes what belongs to these rules.
///
/// # Errors
/// When the memory fails. What was removed by then stays so.
pub(super) async fn forget(state: &impl StateStore, rules: &[String], now: Timestamp) -> Result<(), BoxError> {
    let mut forgotten: Vec<Tally> = rules.iter().map(|_| Tally::default()).collect();
    let (mut unclear, mut waiting) = (0_u64, 0_u64);
    let mut after = None;
    loop {
        let page = state.page(after.as_ref(), now).await.map_err(failed)?;
        let mut keys: Vec<Key> = Vec::new();
        for item in page.items {
            match place(&item, rules) {
                Some(place) if is_put_by(&item.key) && rules[place] != ALL => waiting += 1,
                Some(place) => {
                    forgotten[place].add(&item.key);
                    keys.push(item.key);
                }
                None => unclear += u64::from(item.rule().is_none()),
            }
        }
        if !keys.is_empty() {
            state.remove(&keys).await.map_err(failed)?;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    report(rules, &forgotten);
    if waiting > 0 {
        note(&format!("{waiting} alerts were put by and stay: the next summary tells them"));
    }
    if unclear > 0 {
        note(&format!("{unclear} items can't be understood and stay; `--forget all` removes them too"));
    }
    Ok(())
}

/// Which of the rules it belongs to.
fn place(item: &Item, rules: &[String]) -> Option<usize> {
    let id = item.rule();
    let is_wanted = |rule: &String| rule == ALL || id.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(rule));
    rules.iter().position(is_wanted)
}

fn report(rules: &[String], forgotten: &[Tally]) {
    for (rule, tally) in rules.iter().zip(forgotten) {
        note(&format!("forgotten for {rule}: {tally}"));
        if tally.is_empty() && rule != ALL {
            note("    is it the rule's id? `trailhound rules` lists them");
        }
    }
}
