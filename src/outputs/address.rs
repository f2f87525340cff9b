//! Which addresses the notifier sends to.

/// An address that nothing is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not HTTPS, and not on this machine.
    #[error("it has to begin with `https://`: what is sent must not be read on its way")]
    Scheme,
    /// A name or a password in it.
    #[error("a name and a password must not stand in it")]
    Credentials,
    /// Something else.
    #[error("it is no address: a host is missing, or a character in it has to be written as %XX")]
    Malformed,
}

/// Checks an address: HTTPS, or HTTP to this machine, which is for trials. The error doesn't repeat it, because many addresses are
/// secrets.
///
/// ```
/// use trailhound::outputs::{AddressError, check_address};
///
/// assert_eq!(check_address("https://siem.example.com/hook?x=1"), Ok(()));
/// assert_eq!(check_address("http://127.0.0.1:8080/hook"), Ok(()));
/// assert_eq!(check_address("http://siem.example.com/hook"), Err(AddressError::Scheme));
/// ```
///
/// # Errors
/// What is wrong with it.
pub fn check_address(address: &str) -> Result<(), AddressError> {
    let (is_safe, rest) = match (strip(address, "https://"), strip(address, "http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err(AddressError::Scheme),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(AddressError::Credentials);
    }
    let host = host(authority);
    if host.is_empty() || !address.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
        return Err(AddressError::Malformed);
    }
    if is_safe || ["127.0.0.1", "localhost", "[::1]"].contains(&host) { Ok(()) } else { Err(AddressError::Scheme) }
}

/// What stands behind a scheme, which may be written in any case.
fn strip<'a>(address: &'a str, scheme: &str) -> Option<&'a str> {
    let (start, rest) = address.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Without the port.
fn host(authority: &str) -> &str {
    let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    authority[end..].find(':').map_or(authority, |colon| &authority[..end + colon])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_can_read_on_its_way_is_sent_to() {
        for address in ["https://a.example", "HTTPS://a.example:8443/x", "http://localhost/x", "http://[::1]:80?x"] {
            assert_eq!(check_address(address), Ok(()), "{address}");
        }
        for (address, error) in [
            ("http://a.example/", AddressError::Scheme),
            ("http://127.0.0.1.a.example/", AddressError::Scheme),
            ("http://localhost.a.example/", AddressError::Scheme),
            ("http://127.0.0.1:80@a.example/", AddressError::Credentials),
            ("https://me:secret@a.example/", AddressError::Credentials),
            ("ftp://a.example/", AddressError::Scheme),
            ("a.example", AddressError::Scheme),
            ("", AddressError::Scheme),
            ("https://", AddressError::Malformed),
            ("https://:80/", AddressError::Malformed),
            ("https://a.example/a b", AddressError::Malformed),
            ("https://a.example/\r\nHost:b", AddressError::Malformed),
        ] {
            assert_eq!(check_address(address), Err(error), "{address}");
        }
    }
}
