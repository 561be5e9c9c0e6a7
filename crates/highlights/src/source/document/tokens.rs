//! Which lists are fetched with which of the operator's tokens. Pure.

use secrecy::SecretString;
use url::{Host, Url};

/// Bearer tokens by the hosts that they are for.
#[derive(Clone, Default)]
pub struct Tokens(Vec<Token>);

#[derive(Clone)]
struct Token {
    host: Host,
    /// The one that an address without a port has, if absent.
    port: Option<u16>,
    token: SecretString,
}

impl Tokens {
    /// Reads `lists.example=abc,10.1.2.3:8080=def`.
    ///
    /// # Errors
    /// A sentence that says what is accepted, without any token.
    pub fn parse(text: &str) -> Result<Self, String> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let read = entries.enumerate().map(|(index, entry)| {
            read(entry).ok_or_else(|| {
                format!("entry {} is not of the form host=token or host:port=token", index + 1)
            })
        });
        read.collect::<Result<_, _>>().map(Self)
    }

    /// The token for an address.
    #[must_use]
    pub fn for_address(&self, url: &Url) -> Option<&SecretString> {
        let host = url.host()?;
        let fits = |known: &&Token| {
            known.host == host
                && match known.port {
                    Some(port) => url.port_or_known_default() == Some(port),
                    None => url.port().is_none(),
                }
        };
        self.0.iter().find(fits).map(|known| &known.token)
    }
}

fn read(entry: &str) -> Option<Token> {
    let (place, token) = entry.split_once('=')?;
    let (place, token) = (place.trim(), token.trim());
    // RFC 6750, section 2.1, and what else is found in headers.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
        _ => (place, None),
    };
    Some(Token { host: Host::parse(host).ok()?, port, token: token.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_token_is_for_one_host_and_port() {
        let tokens =
            Tokens::parse("Lists.example=abc=, lists.example:8443=def ,[::1]:9000=ghi,[::2]=jkl,").unwrap();
        let of = |url: &str| {
            tokens.for_address(&Url::parse(url).unwrap()).map(|token| token.expose_secret().to_owned())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of("https://lists.example/a?b"), some("abc="));
        assert_eq!(of("http://LISTS.example:80/a"), some("abc="));
        assert_eq!(of("https://lists.example:8443/"), some("def"));
        assert_eq!(of("http://[::1]:9000/"), some("ghi"));
        assert_eq!(of("http://[0::2]/"), some("jkl"));
        for other in ["https://lists.example:81/", "https://a.lists.example/", "https://lists.example.org/"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn mistakes_are_told_without_the_token() {
        for bad in
            ["hush", "=hush", "a b=hush", "host:x=hush", "host=", "host=hu sh", "good=x,host:99999=hush"]
        {
            let reason = Tokens::parse(bad).map(drop).unwrap_err();
            assert!(!reason.contains("hu"), "{reason}");
        }
    }
}
