//! Which addresses may be connected to: a pure judgement over one IP address.
//!
//! Promise: only global unicast addresses pass, unless the operator opened a network. Special-purpose ranges follow the
//! IANA registries (RFC 6890 and its updates); an IPv4 address that hides inside an IPv6 one is judged as what it is.
//! It cannot fail; whoever asks must ask about the very address that is then connected to (see `client`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The judgement over an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A global unicast address.
    Public,
    /// A special address in a network that the operator opened.
    Opened,
    /// Not to be connected to; the name of the range it lies in.
    Refused(&'static str),
}

impl Verdict {
    /// Whether a connection may be made.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        !matches!(self, Self::Refused(_))
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// IPv4 ranges that are no place for media, with their names.
const SPECIAL_V4: &[(Ipv4Net, &str)] = &[
    (v4(0, 0, 0, 0, 8), "this network"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "carrier-grade NAT"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "protocol assignments"),
    (v4(192, 0, 2, 0, 24), "documentation"),
    (v4(192, 88, 99, 0, 24), "6to4 relay"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "benchmarking"),
    (v4(198, 51, 100, 0, 24), "documentation"),
    (v4(203, 0, 113, 0, 24), "documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
    // Azure's platform service answers virtual machines on this address, although it is public by its number.
    (v4(168, 63, 129, 16, 32), "cloud platform"),
];

/// Special ranges within and outside 2000::/3. What is outside is refused anyway; the names serve the operator's log.
const SPECIAL_V6: &[(Ipv6Net, &str)] = &[
    (v6(0x64, 0xff9b, 1, 48), "local NAT64"),
    (v6(0x100, 0, 0, 64), "discard"),
    (v6(0x2001, 0, 0, 23), "protocol assignments"),
    (v6(0x2001, 0xdb8, 0, 32), "documentation"),
    (v6(0x3fff, 0, 0, 20), "documentation"),
    (v6(0x5f00, 0, 0, 16), "segment routing"),
    (v6(0xfc00, 0, 0, 7), "unique local"),
    (v6(0xfe80, 0, 0, 10), "link-local"),
    (v6(0xfec0, 0, 0, 10), "site-local"),
    (v6(0xff00, 0, 0, 8), "multicast"),
];

/// All of the unicast space that is handed out (RFC 4291, IANA).
const GLOBAL_UNICAST_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);
const TEREDO: Ipv6Net = v6(0x2001, 0, 0, 32);
const COMPATIBLE: Ipv6Net = v6(0, 0, 0, 96);

/// Judges `ip` by the special-purpose ranges and the networks that the operator opened.
///
/// An IPv4-mapped address is its IPv4 address. The other ways to embed one (NAT64, 6to4, Teredo, IPv4-compatible) are
/// refused; where the operator opened such a network, the address inside is judged in its turn, so that opening NAT64 does
/// not open the private IPv4 addresses behind it.
#[must_use]
pub fn verdict(ip: IpAddr, allow: &[IpNet]) -> Verdict {
    let ip = ip.to_canonical();
    let opened = allow.iter().any(|net| net.contains(&ip));
    match ip {
        IpAddr::V4(_) if opened => Verdict::Opened,
        IpAddr::V4(ip) => SPECIAL_V4
            .iter()
            .find(|(net, _)| net.contains(&ip))
            .map_or(Verdict::Public, |(_, name)| Verdict::Refused(name)),
        IpAddr::V6(ip) => match (opened, embedded(ip)) {
            (true, Some(inner)) => match verdict(IpAddr::V4(inner), allow) {
                Verdict::Refused(name) => Verdict::Refused(name),
                Verdict::Public | Verdict::Opened => Verdict::Opened,
            },
            (true, None) => Verdict::Opened,
            (false, Some(_)) => Verdict::Refused("IPv4 within IPv6"),
            (false, None) => judge_v6(ip),
        },
    }
}

fn judge_v6(ip: Ipv6Addr) -> Verdict {
    match SPECIAL_V6.iter().find(|(net, _)| net.contains(&ip)) {
        Some((_, name)) => Verdict::Refused(name),
        None if ip.is_loopback() => Verdict::Refused("loopback"),
        None if ip.is_unspecified() => Verdict::Refused("unspecified"),
        None if GLOBAL_UNICAST_V6.contains(&ip) => Verdict::Public,
        None => Verdict::Refused("not global unicast"),
    }
}

/// The IPv4 address that packets to `ip` would reach in the end, for the transition mechanisms that embed one.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let o = ip.octets();
    if NAT64.contains(&ip) || (COMPATIBLE.contains(&ip) && !ip.is_loopback() && !ip.is_unspecified()) {
        Some(Ipv4Addr::new(o[12], o[13], o[14], o[15]))
    } else if SIX_TO_FOUR.contains(&ip) {
        Some(Ipv4Addr::new(o[2], o[3], o[4], o[5]))
    } else if TEREDO.contains(&ip) {
        // Teredo stores the client's address inverted (RFC 4380, section 4).
        Some(Ipv4Addr::new(!o[12], !o[13], !o[14], !o[15]))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judge(ip: &str) -> Verdict {
        verdict(ip.parse().unwrap(), &[])
    }

    #[test]
    fn public_addresses_pass() {
        for ip in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:8.8.8.8",
        ] {
            assert_eq!(judge(ip), Verdict::Public, "{ip}");
        }
    }

    #[test]
    fn special_addresses_do_not() {
        for ip in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
            "1000::1",
            "e000::1",
        ] {
            assert!(!judge(ip).is_allowed(), "{ip}");
        }
    }

    #[test]
    fn an_opened_network_opens_itself_only() {
        let allow = ["127.0.0.0/8".parse().unwrap(), "fd12::/16".parse().unwrap()];
        assert_eq!(verdict("127.0.0.1".parse().unwrap(), &allow), Verdict::Opened);
        assert_eq!(verdict("::ffff:127.9.9.9".parse().unwrap(), &allow), Verdict::Opened);
        assert_eq!(verdict("fd12::5".parse().unwrap(), &allow), Verdict::Opened);
        for ip in ["10.0.0.1", "::1", "fd13::5", "2002:7f00:1::", "64:ff9b::7f00:1"] {
            assert!(!verdict(ip.parse().unwrap(), &allow).is_allowed(), "{ip}");
        }
    }

    #[test]
    fn opening_a_transition_network_does_not_open_what_is_behind_it() {
        let allow =
            ["64:ff9b::/96".parse().unwrap(), "2002::/16".parse().unwrap(), "2001::/32".parse().unwrap()];
        assert!(verdict("64:ff9b::808:808".parse().unwrap(), &allow).is_allowed());
        assert!(verdict("2002:808:808::1".parse().unwrap(), &allow).is_allowed());
        assert!(!verdict("64:ff9b::a9fe:a9fe".parse().unwrap(), &allow).is_allowed());
        assert!(!verdict("2002:a00:1::1".parse().unwrap(), &allow).is_allowed());
        // 0x80fffffe is 127.0.0.1 inverted.
        assert!(!verdict("2001:0:1:2:3:4:80ff:fffe".parse().unwrap(), &allow).is_allowed());
    }

    proptest! {
        #[test]
        fn whatever_the_standard_library_calls_special_is_refused(bits: u32) {
            let ip = Ipv4Addr::from(bits);
            let special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_broadcast()
                || ip.is_documentation() || ip.is_multicast() || ip.is_unspecified();
            prop_assert!(!special || !verdict(IpAddr::V4(ip), &[]).is_allowed());
        }

        #[test]
        fn a_mapped_address_is_judged_like_the_address_itself(bits: u32) {
            let ip = Ipv4Addr::from(bits);
            prop_assert_eq!(verdict(IpAddr::V4(ip), &[]), verdict(IpAddr::V6(ip.to_ipv6_mapped()), &[]));
        }

        #[test]
        fn only_global_unicast_v6_is_public(bits: u128) {
            let ip = Ipv6Addr::from(bits);
            if ip.to_ipv4_mapped().is_none() && verdict(IpAddr::V6(ip), &[]) == Verdict::Public {
                prop_assert_eq!(bits >> 125, 1);
            }
        }

        #[test]
        fn opening_networks_never_closes_anything(bits: u128, four: u32, net: u32, prefix in 0_u8..=32) {
            let allow = [IpNet::V4(Ipv4Net::new(Ipv4Addr::from(net), prefix).unwrap())];
            for ip in [IpAddr::V6(Ipv6Addr::from(bits)), IpAddr::V4(Ipv4Addr::from(four))] {
                prop_assert!(!verdict(ip, &[]).is_allowed() || verdict(ip, &allow).is_allowed());
            }
        }

        #[test]
        fn every_address_of_every_special_range_is_refused(index in 0..SPECIAL_V4.len(), bits: u32) {
            let net = SPECIAL_V4[index].0;
            let ip = Ipv4Addr::from(u32::from(net.network()) | (bits & u32::from(net.hostmask())));
            prop_assert!(!verdict(IpAddr::V4(ip), &[]).is_allowed());
        }

        #[test]
        fn every_address_of_every_special_v6_range_is_refused(index in 0..SPECIAL_V6.len(), bits: u128) {
            let net = SPECIAL_V6[index].0;
            let ip = Ipv6Addr::from(u128::from(net.network()) | (bits & u128::from(net.hostmask())));
            prop_assert!(!verdict(IpAddr::V6(ip), &[]).is_allowed());
        }
    }
}
