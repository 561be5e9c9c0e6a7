//! When to try again: pure functions over a try's number, the server's wish and a random number.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// The longest pause between two tries. A server that asks for more is asked again at this pace.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// The pause before try number `tried + 1`: `base` doubled with each try, spread by `jitter` (0 to 1) over its upper half,
/// never shorter than what the server asked for and never longer than [`LONGEST_PAUSE`].
#[must_use]
pub fn pause(base: Duration, tried: u32, asked: Option<Duration>, jitter: f64) -> Duration {
    let doubled = base.saturating_mul(1_u32 << tried.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    let spread = doubled.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
    spread.max(asked.unwrap_or_default()).min(LONGEST_PAUSE)
}

/// Reads a `Retry-After` header: seconds, or a date (RFC 9110, section 10.2.3). A date in the past is zero.
#[must_use]
pub fn retry_after(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(value.trim()).ok()?;
    Some((at.with_timezone(&Utc) - now).to_std().unwrap_or_default())
}

/// Whether an HTTP status says "not now" rather than "no".
#[must_use]
pub fn is_transient_status(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502..=504 | 507 | 520..=530)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_pause_keeps_its_bounds(base in 0_u64..5_000, tried in 0_u32..100, asked in proptest::option::of(0_u64..100),
                                    jitter in 0.0_f64..1.0) {
            let asked = asked.map(Duration::from_secs);
            let got = pause(Duration::from_millis(base), tried, asked, jitter);
            prop_assert!(got <= LONGEST_PAUSE);
            prop_assert!(got >= asked.unwrap_or_default().min(LONGEST_PAUSE));
            prop_assert!(got >= Duration::from_millis(base / 2).min(LONGEST_PAUSE / 2));
        }
    }

    #[test]
    fn reads_both_forms_of_retry_after() {
        let now = DateTime::parse_from_rfc3339("1994-11-06T08:49:00Z").unwrap().with_timezone(&Utc);
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(Duration::from_secs(37)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
