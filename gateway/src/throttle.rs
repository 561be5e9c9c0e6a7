//! Slows down whoever tries keys: an address that showed too many wrong ones is answered 429 for a while, without a look
//! into the database. Keys have 256 random bits, so this is about load, not about luck.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Wrong keys of one address within [`WINDOW`] before it has to wait.
pub const MOST_FAILURES: u32 = 30;
/// How long failures are counted together.
pub const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered; when there are more, those whose window is over are forgotten first, then all.
const MOST_ADDRESSES: usize = 10_000;

/// Counts failures by address.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<IpAddr, (Instant, u32)>>);

impl Throttle {
    /// The seconds that an address has to wait; `None` if it may try.
    #[must_use]
    pub fn wait(&self, address: IpAddr, now: Instant) -> Option<u64> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, failures) = table.get(&network(address))?;
        let left = WINDOW.checked_sub(now.saturating_duration_since(*start))?;
        (*failures >= MOST_FAILURES).then(|| left.as_secs().max(1))
    }

    /// Notes a failure.
    pub fn failed(&self, address: IpAddr, now: Instant) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= MOST_ADDRESSES {
            table.retain(|_, (start, _)| now.saturating_duration_since(*start) < WINDOW);
            if table.len() >= MOST_ADDRESSES {
                table.clear();
            }
        }
        let entry = table.entry(network(address)).or_insert((now, 0));
        if now.saturating_duration_since(entry.0) >= WINDOW {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }
}

/// The address that counts: of IPv6, one customer has at least a /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_waits_for_the_rest_of_its_window() {
        let throttle = Throttle::default();
        let (start, address) = (Instant::now(), IpAddr::from([192, 0, 2, 1]));
        for _ in 0..MOST_FAILURES {
            assert_eq!(throttle.wait(address, start), None);
            throttle.failed(address, start);
        }
        assert_eq!(throttle.wait(address, start + Duration::from_secs(20)), Some(40));
        assert_eq!(throttle.wait(IpAddr::from([192, 0, 2, 2]), start), None);
        let later = start + WINDOW + Duration::from_secs(1);
        assert_eq!(throttle.wait(address, later), None);
        throttle.failed(address, later);
        assert_eq!(throttle.wait(address, later), None);
    }

    #[test]
    fn neighbours_in_a_small_v6_network_count_as_one() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for host in 0..MOST_FAILURES {
            throttle.failed(format!("2001:db8::{host:x}").parse().unwrap(), now);
        }
        assert!(throttle.wait("2001:db8::ffff".parse().unwrap(), now).is_some());
        assert!(throttle.wait("2001:db8:0:1::1".parse().unwrap(), now).is_none());
    }
}
