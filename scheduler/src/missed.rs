//! What becomes of the ticks of a schedule that is due, and how much later its runs begin. Pure.

use chrono::{DateTime, Utc};
use contracts::schedule::CatchUp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::rule::Rule;

/// Most missed ticks that are made up for one by one.
pub const MOST_MISSED: usize = 100;
/// A tick that is older when a scheduler sees it was missed.
pub const MISSED_AFTER: chrono::Duration = chrono::Duration::minutes(5);

/// What is to be done about the ticks of a schedule that is due.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    /// Ticks that have a run.
    pub runs: Vec<DateTime<Utc>>,
    /// A tick that stands for those that are left out, and why they are.
    pub left_out: Option<(DateTime<Utc>, String)>,
}

/// Judges the ticks from `first`, which is due, up to `now`.
#[must_use]
pub fn judge(rule: &Rule, first: DateTime<Utc>, now: DateTime<Utc>, policy: CatchUp) -> Due {
    let latest = rule.latest(now).filter(|latest| *latest > first).unwrap_or(first);
    let before = |tick: DateTime<Utc>| {
        rule.latest(tick - chrono::Duration::nanoseconds(1)).filter(|earlier| *earlier >= first)
    };
    let left_out = |last: Option<DateTime<Utc>>| {
        last.map(|last| {
            let (from, to) = (rule.local(first).to_rfc3339(), rule.local(last).to_rfc3339());
            (last, format!("ticks from {from} to {to} passed while no scheduler was there"))
        })
    };
    match policy {
        CatchUp::Once => Due { runs: vec![latest], left_out: None },
        CatchUp::Skip if now - latest > MISSED_AFTER => {
            Due { runs: Vec::new(), left_out: left_out(Some(latest)) }
        }
        CatchUp::Skip => {
            let missed = std::iter::successors(before(latest), |tick| before(*tick))
                .take(MOST_MISSED)
                .find(|tick| now - *tick > MISSED_AFTER);
            let mut runs: Vec<_> = std::iter::successors(Some(latest), |tick| before(*tick))
                .take(MOST_MISSED)
                .take_while(|tick| now - *tick <= MISSED_AFTER)
                .collect();
            runs.reverse();
            Due { runs, left_out: left_out(missed) }
        }
        CatchUp::Each => {
            let mut runs: Vec<_> =
                std::iter::successors(Some(latest), |tick| before(*tick)).take(MOST_MISSED).collect();
            runs.reverse();
            Due { left_out: left_out(runs.first().and_then(|earliest| before(*earliest))), runs }
        }
    }
}

/// How much later than its ticks a schedule's runs begin: its own, so that they keep their distance.
#[must_use]
pub fn delay(schedule: Uuid, jitter_seconds: i32) -> chrono::Duration {
    let hash = Sha256::digest(schedule.as_bytes());
    let drawn = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    chrono::Duration::seconds(i64::from(drawn) % (i64::from(jitter_seconds) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn judged(policy: CatchUp, cron: &str, first: &str, now: &str) -> (Vec<String>, Option<String>) {
        let rule = Rule::parse(cron, "Europe/Berlin").unwrap();
        let due = judge(&rule, at(first), at(now), policy);
        let told = |tick: DateTime<Utc>| tick.format("%dT%H:%M").to_string();
        (due.runs.into_iter().map(told).collect(), due.left_out.map(|(tick, _)| told(tick)))
    }

    #[test]
    fn a_tick_that_is_due_now_has_its_run_whatever_the_policy() {
        for policy in [CatchUp::Skip, CatchUp::Once, CatchUp::Each] {
            let due = judged(policy, "0 18 * * *", "2026-11-22T17:00:00Z", "2026-11-22T17:00:01Z");
            assert_eq!(due, (vec!["22T17:00".to_owned()], None), "{policy:?}");
        }
    }

    #[test]
    fn missed_ticks_are_left_out_made_up_for_once_or_one_by_one() {
        let days = |policy| judged(policy, "0 18 * * *", "2026-11-22T17:00:00Z", "2026-11-24T19:00:00Z");
        assert_eq!(days(CatchUp::Once), (vec!["24T17:00".to_owned()], None));
        assert_eq!(days(CatchUp::Skip), (vec![], Some("24T17:00".to_owned())));
        let each = ["22T17:00", "23T17:00", "24T17:00"].map(str::to_owned).to_vec();
        assert_eq!(days(CatchUp::Each), (each, None));
        // By the minute: what is fresh has its run, what is not is left out.
        let minutes = judged(CatchUp::Skip, "*/2 * * * *", "2026-11-22T17:00:00Z", "2026-11-22T17:10:30Z");
        let fresh = ["22T17:06", "22T17:08", "22T17:10"].map(str::to_owned).to_vec();
        assert_eq!(minutes, (fresh, Some("22T17:04".to_owned())));
    }

    #[test]
    fn what_is_made_up_for_one_by_one_is_bounded_and_the_rest_is_told() {
        let rule = Rule::parse("* * * * *", "UTC").unwrap();
        let due = judge(&rule, at("2026-11-22T00:00:00Z"), at("2026-11-22T05:00:00Z"), CatchUp::Each);
        assert_eq!(due.runs.len(), MOST_MISSED);
        assert_eq!(due.runs[0], at("2026-11-22T03:21:00Z"));
        let (tick, reason) = due.left_out.unwrap();
        assert_eq!(tick, at("2026-11-22T03:20:00Z"));
        assert!(reason.contains("from 2026-11-22T00:00:00+00:00 to 2026-11-22T03:20:00+00:00"), "{reason}");
    }

    #[test]
    fn each_of_the_repeated_hour_is_made_up_for_once() {
        // Berlin, 2026-10-25: 03:00 CEST becomes 02:00 CET, at 01:00 UTC.
        let due = judged(CatchUp::Each, "*/30 * * * *", "2026-10-24T23:30:00Z", "2026-10-25T02:30:00Z");
        let ticks = ["24T23:30", "25T00:00", "25T00:30", "25T02:00", "25T02:30"].map(str::to_owned).to_vec();
        assert_eq!(due, (ticks, None));
    }

    #[test]
    fn a_delay_is_the_schedules_own_and_within_its_bound() {
        let ids: Vec<Uuid> = (0..200).map(Uuid::from_u128).collect();
        let of = |id: &Uuid| delay(*id, 30).num_seconds();
        assert!(ids.iter().all(|id| (0..=30).contains(&of(id)) && of(id) == of(id)));
        let mut seen: Vec<i64> = ids.iter().map(of).collect();
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.len() > 20, "they are spread: {seen:?}");
        assert_eq!(delay(ids[7], 0).num_seconds(), 0);
    }
}
