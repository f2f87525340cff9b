//! Secrets: asked of AWS when they are needed, kept for some minutes, and asked anew when a receiver doesn't know them any more.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::outputs::{Secret, SecretRef};
use crate::ports::{AwsCall, Clock, Receiver, Web, WebAnswer, WebRequest, chain};

use super::answers::aws_error;
use super::waits::{OUT_OF_TIME, backoff, left};

/// How long a secret is used before it is asked for again.
const KEPT: SignedDuration = SignedDuration::from_mins(5);
/// How long an old one is used before anybody is asked again.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// For one answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Tries of one request, the first included.
const TRIES: u32 = 3;

/// Where secrets come from.
#[derive(Debug)]
pub enum SecretSource {
    /// AWS, as the organisation file names them.
    Aws,
    /// For trials: by what the organisation file names them with.
    Given(BTreeMap<String, Secret>),
    /// To look at requests that are never sent: made-up addresses and tokens.
    MadeUp,
}

/// A secret that can't be had. It is named, not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// No permission.
    #[error("{name} was denied (the notifier's role needs {permission} on it, and kms:Decrypt on its key): {said}")]
    Denied {
        /// Where it is kept.
        name: SecretRef,
        /// The action that has to be allowed.
        permission: &'static str,
        /// What was answered.
        said: String,
    },
    /// It isn't there.
    #[error("there is no {name} (is the name right, and is it in the notifier's account and Region?)")]
    Missing {
        /// Where it should be kept.
        name: SecretRef,
    },
    /// It is there, and holds nothing that can be used.
    #[error("{name} {why}")]
    Unusable {
        /// Where it is kept.
        name: SecretRef,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The invocation ends.
    #[error("{name} could not be had: {OUT_OF_TIME}")]
    OutOfTime {
        /// Where it is kept.
        name: SecretRef,
    },
    /// Anything else: throttled, not reached.
    #[error("{name} could not be had: {why}")]
    Unavailable {
        /// Where it is kept.
        name: SecretRef,
        /// What was answered.
        why: String,
    },
}

/// The secrets of a process.
#[derive(Debug)]
pub(super) struct Secrets {
    source: SecretSource,
    known: Mutex<HashMap<SecretRef, (Secret, Timestamp)>>,
}

impl Secrets {
    pub(super) fn new(source: SecretSource) -> Self {
        Self { source, known: Mutex::default() }
    }

    /// A secret that was asked for a short time ago, or is asked for now, until then. When that fails, an older one is better than
    /// none.
    pub(super) async fn get(
        &self,
        web: &impl Web,
        clock: &impl Clock,
        name: &SecretRef,
        until: Timestamp,
    ) -> Result<Secret, SecretError> {
        let known = self.known().get(name).cloned();
        match known {
            Some((secret, since)) if clock.now() < since + KEPT => Ok(secret),
            Some((secret, _)) => Ok(self.renew(web, clock, name, until).await.unwrap_or_else(|_| {
                // Not with every message again, which would take the time for them.
                self.known().insert(name.clone(), (secret.clone(), clock.now() - KEPT + PAUSE));
                secret
            })),
            None => self.renew(web, clock, name, until).await,
        }
    }

    /// Asks for a secret, however well it is known.
    pub(super) async fn renew(
        &self,
        web: &impl Web,
        clock: &impl Clock,
        name: &SecretRef,
        until: Timestamp,
    ) -> Result<Secret, SecretError> {
        let secret = match &self.source {
            SecretSource::Aws => ask(web, clock, name, until).await?,
            SecretSource::Given(given) => {
                given.get(&name.to_string()).cloned().ok_or_else(|| SecretError::Missing { name: name.clone() })?
            }
            SecretSource::MadeUp => {
                let word: String =
                    name.to_string().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
                Secret::new(&format!("https://secret.invalid/{word}"))
            }
        };
        self.known().insert(name.clone(), (secret.clone(), clock.now()));
        Ok(secret)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<SecretRef, (Secret, Timestamp)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(web: &impl Web, clock: &impl Clock, name: &SecretRef, until: Timestamp) -> Result<Secret, SecretError> {
    let mut request = request(name);
    let mut tries = 0;
    loop {
        let Some(left) = left(clock.now(), until) else {
            return Err(SecretError::OutOfTime { name: name.clone() });
        };
        request.timeout = PATIENCE.min(left);
        tries += 1;
        let error = match web.send(&request).await {
            Ok(answer) if answer.status == 200 => return read(name, &answer),
            Ok(answer) => refused(name, &answer),
            Err(error) => SecretError::Unavailable { name: name.clone(), why: chain(&error) },
        };
        if tries == TRIES || !matches!(error, SecretError::Unavailable { .. }) {
            return Err(error);
        }
        clock.pause(backoff(tries)).await;
    }
}

fn request(name: &SecretRef) -> WebRequest {
    let (call, id, body) = match name {
        SecretRef::Parameter(id) => (AwsCall::GetParameter, id, json!({"Name": id, "WithDecryption": true})),
        SecretRef::Secret { id, .. } => (AwsCall::GetSecretValue, id, json!({"SecretId": id})),
    };
    let to = Receiver::Aws { call, region: region_of(id).map(str::to_owned) };
    WebRequest { to, headers: Vec::new(), body: body.to_string(), timeout: PATIENCE }
}

/// An ARN says its Region; a name is meant in the notifier's own.
pub(super) fn region_of(id: &str) -> Option<&str> {
    id.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
}

fn read(name: &SecretRef, answer: &WebAnswer) -> Result<Secret, SecretError> {
    let unusable = |why| SecretError::Unusable { name: name.clone(), why };
    let body: Value = serde_json::from_str(&answer.body).map_err(|_| unusable("came in an answer that is no JSON"))?;
    let text = match name {
        SecretRef::Parameter(_) => body["Parameter"]["Value"].as_str(),
        SecretRef::Secret { .. } => body["SecretString"].as_str(),
    };
    let text = text.ok_or_else(|| unusable("holds no text"))?;
    let secret = match name {
        SecretRef::Secret { member: Some(member), .. } => {
            let value: Value =
                serde_json::from_str(text).map_err(|_| unusable("is no JSON object, so it has no member"))?;
            Secret::new(value[member].as_str().ok_or_else(|| unusable("has no such member that is a text"))?)
        }
        _ => Secret::new(text),
    };
    if secret.expose().is_empty() { Err(unusable("is empty")) } else { Ok(secret) }
}

fn refused(name: &SecretRef, answer: &WebAnswer) -> SecretError {
    let error = aws_error(answer).unwrap_or_default();
    let name = name.clone();
    if error.contains("NotFound") {
        return SecretError::Missing { name };
    }
    let is_denied = ["AccessDenied", "UnrecognizedClient", "ExpiredToken", "Signature", "Decryption"];
    if is_denied.iter().any(|denied| error.contains(denied)) {
        let permission = match &name {
            SecretRef::Parameter(_) => "ssm:GetParameter",
            SecretRef::Secret { .. } => "secretsmanager:GetSecretValue",
        };
        return SecretError::Denied { name, permission, said: error };
    }
    SecretError::Unavailable { name, why: format!("it answered {} {error}", answer.status).trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(member: Option<&str>) -> SecretRef {
        SecretRef::Secret { id: "trailhound/slack".into(), member: member.map(str::to_owned) }
    }

    fn answer(status: u16, body: &Value) -> WebAnswer {
        WebAnswer { status, body: body.to_string(), ..WebAnswer::default() }
    }

    #[test]
    fn a_secret_is_asked_where_its_arn_says() {
        let arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:slack-AbCdEf";
        for (name, region) in [
            (SecretRef::parse(&format!("secretsmanager:{arn}")).unwrap(), Some("eu-central-1")),
            (SecretRef::parse("ssm:/trailhound/slack").unwrap(), None),
        ] {
            let Receiver::Aws { region: asked, .. } = request(&name).to else { panic!() };
            assert_eq!(asked.as_deref(), region);
        }
        let SecretRef::Parameter(id) = SecretRef::parse("ssm:/a").unwrap() else { panic!() };
        assert_eq!(request(&SecretRef::Parameter(id)).body, r#"{"Name":"/a","WithDecryption":true}"#);
    }

    #[test]
    fn a_member_is_taken_out_of_its_secret() {
        let value = json!({"SecretString": r#"{"bot_token":" xoxb-1 ","n":1}"#});
        assert_eq!(read(&secret(Some("bot_token")), &answer(200, &value)).unwrap().expose(), "xoxb-1");
        assert!(read(&secret(None), &answer(200, &value)).unwrap().expose().starts_with('{'));
        for (member, value, why) in [
            (Some("token"), value.clone(), "has no such member"),
            (Some("n"), value, "has no such member that is a text"),
            (Some("a"), json!({"SecretString": "plain"}), "is no JSON object"),
            (None, json!({"SecretBinary": "AAAA"}), "holds no text"),
            (None, json!({"SecretString": " "}), "is empty"),
        ] {
            let error = read(&secret(member), &answer(200, &value)).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("xoxb") && !error.contains("plain"), "{error}");
        }
    }

    #[test]
    fn why_a_secret_can_not_be_had_is_said_with_what_to_do() {
        let name = SecretRef::parse("ssm:/trailhound/slack").unwrap();
        let told = |status, kind: &str| refused(&name, &answer(status, &json!({"__type": kind}))).to_string();
        assert!(
            told(400, "AccessDeniedException")
                .starts_with("ssm:/trailhound/slack was denied (the notifier's role needs ssm:GetParameter on it")
        );
        assert!(told(400, "ParameterNotFound").starts_with("there is no ssm:/trailhound/slack (is the name right"));
        assert_eq!(
            told(400, "ThrottlingException"),
            "ssm:/trailhound/slack could not be had: it answered 400 ThrottlingException"
        );
        assert_eq!(
            refused(&name, &answer(500, &json!(null))).to_string(),
            "ssm:/trailhound/slack could not be had: it answered 500"
        );
    }
}
