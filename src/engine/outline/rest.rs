//! What is left of a rule when the outline of a record is known.

use crate::engine::expr::{Evaluation, Expr, Terms, Unobserved};

/// What an expression comes to.
pub(super) enum Rest {
    /// The outline decides.
    Settled(bool),
    /// This decides, without search identifiers.
    Open(Expr),
}

/// What is left of `expr` for records of the outline that the record at hand has.
pub(super) fn rest<'e>(expr: &'e Expr, evaluation: &mut Evaluation<'e, '_, '_, Unobserved>) -> Rest {
    match expr {
        Expr::All(terms) => joined(terms, false, evaluation, Expr::All),
        Expr::Any(terms) => joined(terms, true, evaluation, Expr::Any),
        Expr::Not(term) => match rest(term, evaluation) {
            Rest::Settled(holds) => Rest::Settled(!holds),
            Rest::Open(term) => Rest::Open(Expr::Not(Box::new(term))),
        },
        Expr::Identifier(index) => {
            let identifiers = evaluation.identifiers;
            // OK because compiling resolved every name to its place in the list.
            rest(&identifiers[*index].expr, evaluation)
        }
        Expr::Filter(filter) => match evaluation.within(filter, |within, condition| rest(condition, within)) {
            // As a whole: its answer is remembered for other rules.
            Rest::Open(_) => Rest::Open(expr.clone()),
            settled @ Rest::Settled(_) => settled,
        },
        Expr::Exists { field, .. } if super::is_there_settled(field) => Rest::Settled(evaluation.holds(expr)),
        Expr::Item(item) if item.is_settled => Rest::Settled(evaluation.holds(expr)),
        Expr::Exists { .. } | Expr::Item(_) => Rest::Open(expr.clone()),
    }
}

/// Of joined terms those that are open. One that comes out as `decisive` decides for all.
fn joined<'e>(
    terms: &'e [Expr],
    decisive: bool,
    evaluation: &mut Evaluation<'e, '_, '_, Unobserved>,
    join: impl FnOnce(Terms) -> Expr,
) -> Rest {
    let mut open = Vec::new();
    for term in terms {
        match rest(term, evaluation) {
            Rest::Settled(holds) if holds == decisive => return Rest::Settled(decisive),
            Rest::Settled(_) => {}
            Rest::Open(term) => open.push(term),
        }
    }
    match open.len() {
        0 => Rest::Settled(!decisive),
        1 => Rest::Open(open.remove(0)),
        _ => Rest::Open(join(open.into_iter().collect())),
    }
}
