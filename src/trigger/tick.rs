//! `{"trailhound": "tick"}`: asks for nothing but what every invocation does besides, such as telling what was held back. A schedule
//! sends it, so that this is done when no file comes.

use serde::Deserialize;

use super::{TriggerError, Work, read};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tick {
    #[serde(rename = "trailhound")]
    _asked: Asked,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asked {
    Tick,
}

pub(super) fn work(text: &str) -> Result<Work, TriggerError> {
    read::<Tick>("a schedule's payload", text).map(|_| Work::default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Trigger, Work, tests::direct};

    #[test]
    fn a_tick_asks_for_nothing() {
        assert_eq!(direct(&json!({"trailhound": "tick"})), Work::default());
        for payload in [json!({"trailhound": "tock"}), json!({"trailhound": "tick", "objects": []})] {
            let error = Trigger::parse(&payload.to_string()).unwrap_err().to_string();
            assert!(error.starts_with("a schedule's payload that can't be read"), "{error}");
        }
    }
}
