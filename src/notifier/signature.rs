//! The signature of webhooks: who gets a request can tell that it comes from this notifier, and is not an old one.

use jiff::Timestamp;
use ring::hmac;

use crate::outputs::Secret;

/// `t=<unix seconds>,v1=<hex of the HMAC-SHA256 of "<t>.<body>">`.
pub(super) fn signature(secret: &Secret, body: &str, now: Timestamp) -> String {
    let time = now.as_second();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let tag = hmac::sign(&key, format!("{time}.{body}").as_bytes());
    let hex = tag.as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("t={time},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Python: `hmac.new(b"key-of-the-siem", b'1700000000.{"a":1}', "sha256").hexdigest()`.
    #[test]
    fn it_is_what_others_compute() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(
            signature(&Secret::new("key-of-the-siem\n"), r#"{"a":1}"#, now),
            "t=1700000000,v1=a3ec8d34c428333e146e13ebdd9da5c85e81906a937492c1a2d5f99411baec67"
        );
    }
}
