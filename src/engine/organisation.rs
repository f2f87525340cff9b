//! The configuration file: what an organisation knows about itself.
//!
//! ```yaml
//! accounts: {"111122223333": {name: prod, owner: payments-team}, "444455556666": staging}
//! partners: {"123456789012": Example Billing}
//! networks: {office: [192.0.2.0/24]}
//! trusted_networks: [office, 198.51.100.7]
//! placeholders: {admin_roles: ["*role/Admin", "*role/Breakglass"]}
//! expected_principals:
//!   - resource: arn:aws:sqs:*:111122223333:orders*
//!     principals: [arn:aws:iam::111122223333:role/orders-*]
//! rules:
//!   8d0c0b2e-…: {off: true}
//!   1f2a3b4c-…: {level: low, exceptions: [{derived.principal|endswith: role/ci}]}
//!   2c3d4e5f-…: {quiet: {hours: '22:00-06:00'}, max_alerts: {count: 5, per: 1h}}
//! ```
//!
//! `channels` and `topics` are those of [`crate::outputs`].

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

use crate::outputs::{self, Outputs};
use crate::sigma::{Level, Mode, SearchIdentifier, Shape, exceptions, mode};
use crate::yaml::{Code, Diagnostic, Key, Kind, Node, SourceFile, Span, Text, suggest};

use super::source::is_aws;
use super::{Account, ExpectedPrincipals, Knowledge, Limits, Networks, compile};

/// What an organisation knows and wants.
#[derive(Debug, Clone, Default)]
pub struct Organisation {
    /// What rules may ask.
    pub knowledge: Knowledge,
    /// Changes to rules, by rule id.
    pub overrides: BTreeMap<String, Override>,
    /// What `%name%` stands for in a value with `expand`, and in the networks that a first-seen rule ignores.
    pub placeholders: BTreeMap<String, Vec<String>>,
    /// Where alerts go.
    pub outputs: Outputs,
    /// The mildest level that people are told of. Not in the file: whoever deploys decides.
    pub least_level: Level,
}

/// A change to a rule without touching its file.
#[derive(Debug, Clone)]
pub struct Override {
    /// The rule is not loaded.
    pub off: bool,
    /// Another level.
    pub level: Option<Level>,
    /// Whether people are told.
    pub mode: Option<Mode>,
    /// Events that the rule shall not match.
    pub exceptions: Vec<SearchIdentifier>,
    /// How much of it people are told at once.
    pub limits: Limits,
    /// The file that says so.
    pub file: Arc<SourceFile>,
    /// Where.
    pub span: Span,
}

const SECTIONS: &[&str] = &[
    "accounts",
    "partners",
    "networks",
    "trusted_networks",
    "expected_principals",
    "placeholders",
    "rules",
    "channels",
    "topics",
];

impl Organisation {
    /// Whether what it says of rules stands in this file.
    #[must_use]
    pub fn wrote(&self, file: &SourceFile) -> bool {
        let changed = self.overrides.values().map(|change| &change.file);
        changed.chain(self.outputs.rules().map(|rule| &rule.file)).any(|written| written.name == file.name)
    }

    /// Reads the configuration file. It is taken whole or not at all: half a list of exceptions would be a false alarm,
    /// half a list of trusted networks a missed one.
    ///
    /// # Errors
    /// The first thing that can't be understood, with its place.
    pub fn parse(file: &Arc<SourceFile>) -> Result<Self, Diagnostic> {
        let shape = Shape::new(file);
        let mut documents = file.documents();
        let root = match documents.len() {
            0 => return Ok(Self::default()),
            1 => documents.remove(0).map_err(outputs::masked_words)?,
            _ => return Err(Diagnostic::new(Code::WrongType, file, 0..0, "the configuration has to be one document")),
        };
        if root.kind == Kind::Null {
            return Ok(Self::default());
        }
        // A line may hold more than what is wrong with it.
        Self::read(shape, &root).map_err(|error| match root.get("channels") {
            Some(channels) => outputs::masked(error, channels),
            None if error.code() == Code::UnknownKey => outputs::masked_words(error),
            None => error,
        })
    }

    fn read(shape: Shape<'_>, root: &Node) -> Result<Self, Diagnostic> {
        shape.map(root, "the configuration")?;
        shape.only(root, SECTIONS)?;
        let named = section(root, "networks", |node| networks(shape, node))?;
        let trusted = section(root, "trusted_networks", |node| trusted_networks(shape, node, &named))?;
        Ok(Self {
            knowledge: Knowledge::new(
                accounts(shape, root)?,
                Networks::new(&named, trusted),
                section(root, "expected_principals", |node| expected_principals(shape, node))?,
            ),
            overrides: section(root, "rules", |node| overrides(shape, node))?,
            placeholders: section(root, "placeholders", |node| placeholders(shape, node))?,
            outputs: Outputs {
                channels: section(root, "channels", |node| outputs::channels(shape, node))?,
                topics: section(root, "topics", |node| outputs::topics(shape, node))?,
            },
            least_level: Level::default(),
        })
    }
}

fn section<T: Default>(
    root: &Node,
    name: &str,
    read: impl Fn(&Node) -> Result<T, Diagnostic>,
) -> Result<T, Diagnostic> {
    match root.get(name) {
        None | Some(Node { kind: Kind::Null, .. }) => Ok(T::default()),
        Some(node) => read(node),
    }
}

/// The organisation's own accounts, and those of partners.
fn accounts(shape: Shape<'_>, root: &Node) -> Result<BTreeMap<String, Account>, Diagnostic> {
    let mut accounts = section(root, "accounts", |node| accounts_of(shape, node, "accounts", &["name", "owner"]))?;
    let partners = section(root, "partners", |node| accounts_of(shape, node, "partners", &["name"]))?;
    for (id, (span, partner)) in partners {
        if accounts.contains_key(&id) {
            let message = format!("`{id}` stands in `accounts`, too");
            return Err(shape.error(Code::WrongType, &span, message).advise("an account is your own or a partner's"));
        }
        accounts.insert(id, (span, Account { is_partner: true, ..partner }));
    }
    Ok(accounts.into_iter().map(|(id, (_, account))| (id, account)).collect())
}

/// By id, with the place of each.
fn accounts_of(
    shape: Shape<'_>,
    node: &Node,
    section: &str,
    members: &[&str],
) -> Result<BTreeMap<String, (Span, Account)>, Diagnostic> {
    let account = |(id, value): &(Key, Node)| {
        if id.text.len() != 12 || !id.text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(shape
                .error(Code::WrongType, &id.span, format!("`{}` is no account id", id.text))
                .advise("12 digits"));
        }
        Ok((id.text.clone(), (id.span.clone(), account(shape, value, members)?)))
    };
    shape.map(node, section)?.iter().map(account).collect()
}

/// A name, or a map with one.
fn account(shape: Shape<'_>, node: &Node, members: &[&str]) -> Result<Account, Diagnostic> {
    let name = if let Kind::Map(_) = node.kind {
        shape.only(node, members)?;
        shape.required(node, "name", "what people call the account")?
    } else {
        node
    };
    let name = shape.text(name, "an account's name")?.to_owned();
    Ok(Account { name, owner: shape.optional_text(node, "owner")?.map(String::from), is_partner: false })
}

/// Networks by their names.
fn networks(shape: Shape<'_>, node: &Node) -> Result<BTreeMap<String, Vec<IpNet>>, Diagnostic> {
    let list = |(name, list): &(Key, Node)| {
        let is_name = compile::is_placeholder(&name.text) && name.text.starts_with(char::is_alphabetic);
        if !is_name || is_aws(&name.text) {
            let message = format!("`{}` is no name for a network", name.text);
            let advice = if is_name {
                "AWS's own networks have names that begin so"
            } else {
                "letters, digits, `_`, `-` and `.`, a letter first"
            };
            return Err(shape.error(Code::WrongType, &name.span, message).advise(advice));
        }
        let networks = shape.spanned_texts(list, "a network")?.into_iter().map(|(text, span)| {
            compile::network(&text).ok_or_else(|| {
                shape
                    .error(Code::Cidr, &span, format!("`{text}` is no network"))
                    .advise("an address and a prefix length, as in `192.0.2.0/24`")
            })
        });
        Ok((name.text.clone(), networks.collect::<Result<_, _>>()?))
    };
    shape.map(node, "networks")?.iter().map(list).collect()
}

/// Networks, and names of some.
fn trusted_networks(
    shape: Shape<'_>,
    node: &Node,
    named: &BTreeMap<String, Vec<IpNet>>,
) -> Result<Vec<IpNet>, Diagnostic> {
    let mut trusted = Vec::new();
    for (text, span) in shape.spanned_texts(node, "trusted_networks")? {
        match (named.get(text.trim()), compile::network(&text)) {
            (Some(networks), _) => trusted.extend(networks),
            (None, Some(network)) => trusted.push(network),
            (None, None) => {
                let advice = suggest(&text, named.keys().map(String::as_str));
                let advice = advice.unwrap_or_else(|| {
                    "an address and a prefix length, as in `192.0.2.0/24`, or a name that stands in `networks`"
                        .to_owned()
                });
                return Err(shape.error(Code::Cidr, &span, format!("`{text}` is no network")).advise(advice));
            }
        }
    }
    Ok(trusted)
}

fn expected_principals(shape: Shape<'_>, node: &Node) -> Result<Vec<ExpectedPrincipals>, Diagnostic> {
    let Kind::List(entries) = &node.kind else { return Err(shape.wrong(node, "expected_principals", "a list")) };
    entries
        .iter()
        .map(|entry| {
            shape.map(entry, "an entry of `expected_principals`")?;
            shape.only(entry, &["resource", "principals"])?;
            let resource =
                shape.text(shape.required(entry, "resource", "an ARN, with `*` where it may vary")?, "resource")?;
            shape.required(entry, "principals", "a list of ARNs; `[]` when nobody is expected")?;
            let principals = shape.texts(entry, "principals")?;
            Ok(ExpectedPrincipals::new(resource, principals.iter().map(Text::as_str)))
        })
        .collect()
}

fn overrides(shape: Shape<'_>, node: &Node) -> Result<BTreeMap<String, Override>, Diagnostic> {
    let changes = shape.map(node, "rules")?;
    changes.iter().map(|(id, node)| Ok((id.text.clone(), override_of(shape, node, id.span.clone())?))).collect()
}

fn override_of(shape: Shape<'_>, node: &Node, span: Span) -> Result<Override, Diagnostic> {
    shape.map(node, "a rule's changes")?;
    shape.only(node, &[&["off", "level", "mode", "exceptions"][..], &Limits::MEMBERS].concat())?;
    let off =
        node.get("off").map_or(Ok(false), |node| shape.word(node, "switch", &[("true", true), ("false", false)]))?;
    let level = node.get("level").map(|node| shape.word(node, "level", Level::WORDS)).transpose()?;
    let (mode, exceptions) = (mode(shape, node)?, exceptions(shape, node)?);
    let limits = Limits::parse(shape, node)?;
    Ok(Override { off, level, mode, exceptions, limits, file: Arc::clone(shape.file), span })
}

fn placeholders(shape: Shape<'_>, node: &Node) -> Result<BTreeMap<String, Vec<String>>, Diagnostic> {
    let lists = shape.map(node, "placeholders")?;
    lists
        .iter()
        .map(|(name, list)| {
            if !compile::is_placeholder(&name.text) {
                return Err(shape
                    .error(Code::WrongType, &name.span, format!("`{}` is no placeholder's name", name.text))
                    .advise("letters, digits, `_`, `-` and `.`, without percent signs"));
            }
            Ok((
                name.text.clone(),
                shape.spanned_texts(list, "a placeholder's list")?.into_iter().map(|(text, _)| text.into()).collect(),
            ))
        })
        .collect()
}
