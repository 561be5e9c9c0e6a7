//! Which addresses a user may name, and by which door they are fetched: a pure judgement over one URL and the operator's
//! allow-list (`SM_FETCH_ALLOW`).
//!
//! Host names are not resolved here. A [`Door`] says which resolved addresses the connection may then use, and the client
//! for that door enforces it while connecting, so that a name cannot change its mind in between.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use url::{Host, Url};

use crate::error::FetchError;
use crate::guard::{Verdict, verdict};
use crate::redact::RedactedUrl;

/// What the operator opened although it is private: networks, and hosts by name or address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList {
    nets: Vec<IpNet>,
    hosts: Vec<OpenHost>,
    /// Nothing else is fetched from, public addresses neither.
    alone: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct OpenHost {
    /// Lower case, without brackets and without a final dot.
    host: String,
    /// Any, if absent.
    port: Option<u16>,
}

/// Which resolved addresses a connection may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Public ones, and those in opened networks.
    Public,
    /// Only those in opened networks: the port is not one of the web's.
    OpenedNets,
    /// Any: the operator opened this very host, or the address was checked already.
    Any,
}

impl AllowList {
    /// Reads a comma-separated list of networks (`127.0.0.0/8`, `fd00::/8`), addresses (`10.1.2.3`, `10.1.2.3:9000`,
    /// `[::1]:9000`) and host names (`media.lan`, `media.lan:8080`). What has no port is opened for every port.
    ///
    /// # Errors
    /// The first entry that is none of these.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut list = Self::default();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            list.add(entry).map_err(|reason| {
                format!(
                    "{entry:?} {reason}; use networks (10.0.0.0/8), addresses or hosts, with or without :port"
                )
            })?;
        }
        Ok(list)
    }

    fn add(&mut self, entry: &str) -> Result<(), &'static str> {
        if entry.contains('/') {
            let net = IpNet::from_str(entry).map_err(|_| "is not a network")?;
            self.nets.push(net.trunc());
            return Ok(());
        }
        if let Ok(ip) = IpAddr::from_str(entry.trim_start_matches('[').trim_end_matches(']')) {
            self.nets.push(IpNet::from(ip.to_canonical()));
            return Ok(());
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse::<u16>().map_err(|_| "has no valid port")?)),
            None => (entry, None),
        };
        let host = Host::parse(host).map_err(|_| "is not a host name")?;
        self.hosts.push(OpenHost { host: plain_host(&host), port });
        Ok(())
    }

    /// The same list, as all that is fetched from: public addresses are not.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { alone: true, ..self }
    }

    /// The opened networks.
    #[must_use]
    pub fn nets(&self) -> &[IpNet] {
        &self.nets
    }

    fn opens_host(&self, host: &str, port: u16) -> bool {
        self.hosts.iter().any(|open| open.host == host && open.port.is_none_or(|only| only == port))
    }
}

fn plain_host<S: AsRef<str>>(host: &Host<S>) -> String {
    match host {
        Host::Domain(name) => name.as_ref().trim_end_matches('.').to_ascii_lowercase(),
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => IpAddr::V6(*ip).to_canonical().to_string(),
    }
}

/// Reads an address that a user gave.
///
/// # Errors
/// [`FetchError::InvalidUrl`] unless it is `http` or `https`, with a host and without a user or password.
pub fn parse_url(text: &str) -> Result<Url, FetchError> {
    let invalid =
        |address: String, reason: &str| FetchError::InvalidUrl { address, reason: reason.to_owned() };
    let url = Url::parse(text.trim()).map_err(|error| {
        // Not shown in full: what cannot be read cannot be redacted either.
        invalid("the given text".to_owned(), &format!("{error}; give it in full, as https://host/path"))
    })?;
    let shown = || RedactedUrl::new(&url).to_string();
    if !matches!(url.scheme(), "http" | "https") {
        // An opaque address (data:, javascript:) could be any text, so only its scheme is named.
        return Err(invalid(format!("a {:?} address", url.scheme()), "only http and https addresses are"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(shown(), "it holds a user or a password; leave them out"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(invalid(shown(), "it names no host"));
    }
    Ok(url)
}

/// Judges an address that a user gave or a redirect named, before anything is resolved.
///
/// # Errors
/// [`FetchError::InvalidUrl`] as [`parse_url`]; [`FetchError::NotAllowed`] for a literal private address, and for a port that
/// is not the web's and that nothing in the allow-list can open.
pub fn judge(url: &Url, allow: &AllowList) -> Result<Door, FetchError> {
    let url = &parse_url(url.as_str())?;
    let refused = |reason: &str| FetchError::NotAllowed {
        address: RedactedUrl::new(url).to_string(),
        reason: reason.to_owned(),
    };
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return Err(refused("names no host"));
    };
    if allow.opens_host(&plain_host(&host), port) {
        return Ok(Door::Any);
    }
    // Where only the list counts no port is the web's: a name may resolve to opened networks only, and an address has to lie in one.
    let web_port = matches!(port, 80 | 443) && !allow.alone;
    let odd_port = |port| if allow.alone { NOT_OPENED.to_owned() } else { odd_port(port) };
    let ip = match host {
        Host::Ipv4(ip) => IpAddr::V4(ip),
        Host::Ipv6(ip) => IpAddr::V6(ip),
        Host::Domain(_) if web_port => return Ok(Door::Public),
        Host::Domain(_) if !allow.nets.is_empty() => return Ok(Door::OpenedNets),
        Host::Domain(_) => return Err(refused(&odd_port(port))),
    };
    // The resolver is never asked about a literal address, so it is judged here and nowhere else.
    match verdict(ip, &allow.nets) {
        Verdict::Opened => Ok(Door::Any),
        Verdict::Public if web_port => Ok(Door::Any),
        Verdict::Public => Err(refused(&odd_port(port))),
        Verdict::Refused(_) => Err(refused(
            "is a private address, which is not connected to. Ask the operator to open it with SM_FETCH_ALLOW",
        )),
    }
}

/// Judges whether a secret of the operator's may be sent to an address: over TLS, or to what the operator opened, by its name, as a
/// literal address in an opened network, or on a port that is connected to in those only.
///
/// # Errors
/// As [`judge`]; [`FetchError::NotAllowed`] for other addresses without TLS.
pub fn judge_secret(url: &Url, allow: &AllowList) -> Result<(), FetchError> {
    let door = judge(url, allow)?;
    let opened = match (url.host(), url.port_or_known_default()) {
        (Some(host), Some(port)) if allow.opens_host(&plain_host(&host), port) => true,
        (Some(Host::Ipv4(ip)), _) => verdict(IpAddr::V4(ip), &allow.nets) == Verdict::Opened,
        (Some(Host::Ipv6(ip)), _) => verdict(IpAddr::V6(ip), &allow.nets) == Verdict::Opened,
        _ => door == Door::OpenedNets,
    };
    if url.scheme() == "https" || opened {
        return Ok(());
    }
    Err(FetchError::NotAllowed {
        address: RedactedUrl::new(url).to_string(),
        reason: "is to be fetched with a token, which is not sent without TLS. Give an https address, or ask the operator to open the \
                 host with SM_FETCH_ALLOW"
            .to_owned(),
    })
}

const NOT_OPENED: &str = "is not among what is connected to from here (SM_FETCH_PUBLIC=false). Ask the operator to open the host with SM_FETCH_ALLOW";

fn odd_port(port: u16) -> String {
    format!(
        "uses port {port}: only 80 and 443 are connected to. Ask the operator to open the host with SM_FETCH_ALLOW"
    )
}

/// Keeps the resolved addresses that may be connected to.
#[must_use]
pub fn admitted(door: Door, allow: &AllowList, resolved: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    resolved
        .filter(|ip| match door {
            Door::Any => true,
            Door::Public => verdict(*ip, &allow.nets).is_allowed(),
            Door::OpenedNets => verdict(*ip, &allow.nets) == Verdict::Opened,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judge_text(text: &str, allow: &str) -> Result<Door, FetchError> {
        judge(&parse_url(text)?, &AllowList::parse(allow).unwrap())
    }

    #[test]
    fn odd_spellings_of_private_addresses_are_refused() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://0/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[0:0:0:0:0:ffff:7f00:1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://[fd00:ec2::254]/",
            "http://１２７.0.0.1/",
            "http://127.0.0.1./",
            "https://10.0.0.8/x.mp4",
            "http://127。0。0。1/",
        ] {
            assert_eq!(judge_text(url, "").unwrap_err().code(), "source_not_allowed", "{url}");
        }
    }

    #[test]
    fn only_plain_web_addresses_are_read() {
        for url in [
            "ftp://a.example/x",
            "file:///etc/passwd",
            "gopher://a/",
            "data:video/mp4;base64,AAAA",
            "a.example/x",
            "",
            "http://",
            "https://ann@a.example/",
            "https://ann:pw@a.example/",
            "concat:http://a/",
            "http://a b/",
        ] {
            assert_eq!(judge_text(url, "0.0.0.0/0").unwrap_err().code(), "source_invalid_url", "{url}");
        }
    }

    #[test]
    fn ports_are_the_webs_unless_opened() {
        assert_eq!(judge_text("https://a.example/x", ""), Ok(Door::Public));
        assert_eq!(judge_text("http://a.example:443/x", ""), Ok(Door::Public));
        assert_eq!(judge_text("http://8.8.8.8/x", ""), Ok(Door::Any));
        assert!(judge_text("http://a.example:22/x", "").is_err());
        assert!(judge_text("http://8.8.8.8:22/x", "127.0.0.0/8").is_err());
        assert_eq!(judge_text("http://a.example:8080/x", "127.0.0.0/8"), Ok(Door::OpenedNets));
        assert_eq!(judge_text("http://127.0.0.1:8080/x", "127.0.0.0/8"), Ok(Door::Any));
        assert_eq!(judge_text("http://127.0.0.1:8080/x", "127.0.0.1:8080"), Ok(Door::Any));
        assert!(judge_text("http://127.0.0.1:8081/x", "127.0.0.1:8080").is_err());
        assert_eq!(judge_text("http://[::1]:8080/x", "[::1]:8080"), Ok(Door::Any));
        assert_eq!(judge_text("http://MEDIA.lan.:9000/x", "media.lan:9000"), Ok(Door::Any));
        assert_eq!(judge_text("http://media.lan:9000/x", "media.lan"), Ok(Door::Any));
        assert_eq!(judge_text("http://media.lan/x", "media.lan:9000"), Ok(Door::Public));
        assert!(judge_text("http://x.media.lan:9000/x", "media.lan").is_err());
    }

    #[test]
    fn a_secret_goes_over_tls_or_to_what_is_opened() {
        let judge = |url: &str, allow: &str| {
            judge_secret(&parse_url(url).unwrap(), &AllowList::parse(allow).unwrap()).is_ok()
        };
        assert!(judge("https://a.example/x", "") && !judge("http://a.example/x", ""));
        assert!(judge("http://media.lan/x", "media.lan") && !judge("http://other.lan/x", "media.lan"));
        assert!(judge("http://10.1.2.3/x", "10.0.0.0/8") && !judge("http://8.8.8.8/x", "10.0.0.0/8"));
        // A name on the web's port may lead anywhere, on another one into opened networks only.
        assert!(!judge("http://a.example/x", "10.0.0.0/8") && judge("http://a.example:8080/x", "10.0.0.0/8"));
        assert!(!judge("https://10.1.2.3/x", ""), "what may not be fetched may not be fetched with a secret");
    }

    #[test]
    fn where_only_the_list_counts_nothing_else_is_asked() {
        let judge = |url: &str, allow: &str| {
            judge(&parse_url(url).unwrap(), &AllowList::parse(allow).unwrap().alone())
        };
        for url in ["https://a.example/x", "http://8.8.8.8/x", "http://127.0.0.1/", "http://media.lan/x"] {
            assert!(judge(url, "127.0.0.1:8080,media.lan:9000").is_err(), "{url}");
        }
        assert_eq!(judge("http://media.lan:9000/x", "media.lan:9000"), Ok(Door::Any));
        assert_eq!(judge("https://a.example/x", "10.0.0.0/8"), Ok(Door::OpenedNets));
        assert_eq!(judge("http://10.1.2.3/x", "10.0.0.0/8"), Ok(Door::Any));
    }

    #[test]
    fn the_allow_list_names_its_mistakes() {
        for list in ["10.0.0.0/33", "a b", "host:port", "127.0.0.0/8,???"] {
            assert!(AllowList::parse(list).is_err(), "{list}");
        }
        assert_eq!(AllowList::parse(" , ").unwrap(), AllowList::default());
        assert_eq!(AllowList::parse("10.1.2.3/8").unwrap().nets(), ["10.0.0.0/8".parse::<IpNet>().unwrap()]);
    }

    #[test]
    fn doors_admit_what_they_say() {
        let allow = AllowList::parse("10.0.0.0/8").unwrap();
        let ips: Vec<IpAddr> =
            ["8.8.8.8", "10.1.1.1", "127.0.0.1"].iter().map(|ip| ip.parse().unwrap()).collect();
        assert_eq!(admitted(Door::Public, &allow, ips.iter().copied()), ips[..2]);
        assert_eq!(admitted(Door::OpenedNets, &allow, ips.iter().copied()), ips[1..2]);
        assert_eq!(admitted(Door::Any, &allow, ips.iter().copied()), ips);
    }

    proptest! {
        #[test]
        fn no_literal_private_address_gets_in(bits: u32, port in proptest::option::of(1_u16..)) {
            let ip = std::net::Ipv4Addr::from(bits);
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            for host in [ip.to_string(), bits.to_string(), format!("0x{bits:x}"), format!("[::ffff:{ip}]")] {
                let judged = judge_text(&format!("http://{host}{port}/x"), "");
                prop_assert!(judged.is_err() || verdict(IpAddr::V4(ip), &[]) == Verdict::Public);
            }
        }

        #[test]
        fn any_text_is_judged_without_panic(text in ".{0,60}") {
            let _ = judge_text(&text, "10.0.0.0/8");
            let _ = AllowList::parse(&text);
        }
    }
}
