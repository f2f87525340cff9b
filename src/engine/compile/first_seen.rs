//! The `first_seen` section.

use std::sync::Arc;

use ipnet::IpNet;

use crate::engine::first_seen::FirstSeenPlan;
use crate::sigma::{FieldName, FirstSeen, NetworkName, NetworkPrefixes};
use crate::yaml::{Code, Diagnostic, suggest};

use super::{Compiler, network, placeholder};

impl Compiler<'_> {
    pub(super) fn first_seen(&self, plan: &FirstSeen) -> Result<FirstSeenPlan, Diagnostic> {
        let ignored = plan.ignore.networks.iter().map(|name| self.networks(name)).collect::<Result<Vec<_>, _>>()?;
        Ok(FirstSeenPlan {
            subject: subject(plan),
            entity: self.fields(&plan.entity)?,
            value: self.fields(&plan.value)?,
            history: plan.history,
            learning: plan.learning,
            network: plan.network,
            ignores_service_calls: plan.ignore.service_calls,
            ignored: ignored.concat(),
        })
    }

    /// The networks that a name stands for.
    fn networks(&self, name: &NetworkName) -> Result<Vec<IpNet>, Diagnostic> {
        let text = name.text.trim();
        if text == NetworkName::TRUSTED {
            return Ok(self.organisation.knowledge.trusted_networks().to_vec());
        }
        let error = |code, why| Diagnostic::new(code, self.file, name.span.clone(), why);
        let texts = placeholder::expand(text, &self.organisation.placeholders, str::to_owned)
            .map_err(|problem| error(Code::Placeholder, problem.why).advise(problem.advice))?;
        let no_network = |filled: &str| {
            let (why, advice) = no_network(text, filled);
            error(Code::Cidr, why).advise(advice)
        };
        texts.iter().map(|filled| network(filled).ok_or_else(|| no_network(filled))).collect()
    }
}

/// `entity fields; value fields; network`.
fn subject(plan: &FirstSeen) -> Arc<str> {
    let names = |fields: &[FieldName]| fields.iter().map(|field| field.text.as_str()).collect::<Vec<_>>().join(",");
    let NetworkPrefixes { ipv4, ipv6 } = plan.network;
    format!("{}; {}; /{ipv4} /{ipv6}", names(&plan.entity), names(&plan.value)).into()
}

/// Why a text is refused, and what to try. `filled` is `written`, or what its placeholders make of it.
fn no_network(written: &str, filled: &str) -> (String, String) {
    if filled != written {
        let advice = "correct the list in the configuration, under `placeholders`";
        return (format!("`{written}` stands for `{filled}`, which is no network"), advice.to_owned());
    }
    let advice = suggest(written, [NetworkName::TRUSTED]);
    let advice =
        advice.unwrap_or_else(|| "a network as in `192.0.2.0/24`, `%name%` for a list, or `trusted`".to_owned());
    (format!("`{written}` is no network"), advice)
}
