//! Settings of the notifier: two of the function's own.

use super::{ConfigFrom, PREFIX, SettingError, StateIn, config, given, state};

const CONFIG: &str = "TRAILHOUND_CONFIG";
const STATE: &str = "TRAILHOUND_STATE";

/// The notifier's settings, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifierSettings {
    /// The organisation's file, which names the channels.
    pub config: ConfigFrom,
    /// What is remembered.
    pub state: StateIn,
}

impl NotifierSettings {
    /// Reads the settings among `variables`.
    ///
    /// # Errors
    /// Everything that is wrong, at once. Another `TRAILHOUND_` variable is an error too: nothing would read it.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, Vec<SettingError>> {
        let mut errors = Vec::new();
        let mut error = |name: &str, why: String| errors.push(SettingError { name: name.to_owned(), why });
        let (mut place, mut memory) = (None, StateIn::Memory);
        let mut is_named = false;
        for (name, value) in given(variables) {
            match name.as_str() {
                CONFIG => {
                    is_named = true;
                    match config(value.trim()) {
                        Ok(value) => place = Some(value),
                        Err(why) => error(CONFIG, why),
                    }
                }
                STATE => match state(value.trim()) {
                    Ok(value) => memory = value,
                    Err(why) => error(STATE, why),
                },
                other if other.starts_with(PREFIX) => {
                    error(other, format!("the notifier has no such setting; it has {CONFIG} and {STATE}"));
                }
                _ => {}
            }
        }
        if !is_named {
            error(CONFIG, "is not set; the notifier needs the file that names its channels".to_owned());
        }
        match place {
            Some(config) if errors.is_empty() => Ok(Self { config, state: memory }),
            _ => Err(errors),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<NotifierSettings, Vec<String>> {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        NotifierSettings::from_variables(owned).map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_notifier_has_two_settings() {
        let settings = read(&[(CONFIG, "s3://b/k"), (STATE, "dynamodb:table"), ("AWS_REGION", "eu-west-1")]).unwrap();
        assert_eq!(settings.config, ConfigFrom::S3 { bucket: "b".into(), key: "k".into() });
        assert_eq!(settings.state, StateIn::DynamoDb("table".into()));
        assert_eq!(read(&[(CONFIG, "trailhound.yaml")]).unwrap().state, StateIn::Memory);
        assert_eq!(
            read(&[("TRAILHOUND_ALERTS", "stdout"), (STATE, "redis")]).unwrap_err(),
            [
                "TRAILHOUND_ALERTS: the notifier has no such setting; it has TRAILHOUND_CONFIG and TRAILHOUND_STATE",
                "TRAILHOUND_STATE: `redis` is no place for the memory; it takes `memory`, `file:PATH` or `dynamodb:TABLE`",
                "TRAILHOUND_CONFIG: is not set; the notifier needs the file that names its channels",
            ]
        );
        assert_eq!(
            read(&[(CONFIG, "s3://bucket")]).unwrap_err(),
            ["TRAILHOUND_CONFIG: `s3://bucket` names no object; it takes `s3://BUCKET/KEY`"]
        );
    }
}
