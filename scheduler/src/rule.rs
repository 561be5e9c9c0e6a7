//! When a schedule's ticks are: a cron expression read in a time zone. Pure: the moment to look from is an argument.
//!
//! The rule is that **every moment of the wall clock counts once**. The expression is matched against wall clock times without
//! a zone; each match then becomes a moment:
//! - where the clock is set forward and skips the time, the tick is the first moment after the gap (an expression that
//!   matches several skipped times still has one tick there);
//! - where the clock is set back and the time comes twice, the tick is its first coming, and there is none on the second.
//!
//! So a daily schedule runs exactly once every day, whatever the clock does, and ticks never go back in time.

use chrono::{DateTime, Duration, FixedOffset, MappedLocalTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

/// Most matches that are looked at for one tick. A day of a schedule that ticks every minute has 1440, and no clock change
/// since 1970 moved a clock by more than a day.
const MOST_MATCHES: usize = 3000;

/// By which croner's components tell a value that is simply meant from one that is meant in another way, like the last day.
const MEANT: u8 = 1;

fn parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build()
}

/// A cron expression in a time zone.
#[derive(Debug, Clone)]
pub struct Rule {
    cron: Cron,
    zone: Tz,
}

impl Rule {
    /// Reads a cron expression of five fields.
    ///
    /// # Errors
    /// A sentence that says what is accepted.
    pub fn cron(text: &str) -> Result<Cron, String> {
        let accepted =
            "expected five fields (minute, hour, day of month, month, day of week), like `30 18 * * SUN`";
        if text.split_whitespace().count() != 5 || text.len() > 200 {
            return Err(accepted.to_owned());
        }
        parser().parse(text).map_err(|error| format!("{accepted}: {error}"))
    }

    /// The rule of an expression in a zone.
    #[must_use]
    pub fn new(cron: Cron, zone: Tz) -> Self {
        Self { cron, zone }
    }

    /// Reads both from text.
    ///
    /// # Errors
    /// A sentence that says what is accepted.
    pub fn parse(cron: &str, zone: &str) -> Result<Self, String> {
        Ok(Self::new(Self::cron(cron)?, highlights::window::zone(zone)?))
    }

    /// The first tick after a moment; `None` if there is none any more, as for the 30th of February.
    #[must_use]
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut wall = self.wall(after).and_utc();
        for _ in 0..MOST_MATCHES {
            wall = self.cron.find_next_occurrence(&wall, false).ok()?;
            // Within the second half of a repeated hour, the matches of that hour had their ticks in the first half.
            if let Some(tick) = self.moment(wall.naive_utc()).filter(|tick| *tick > after) {
                return Some(tick);
            }
        }
        None
    }

    /// The ticks after a moment, in their order.
    pub fn ticks(&self, after: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
        std::iter::successors(self.next(after), |tick| self.next(*tick))
    }

    /// The last tick that is not after a moment; `None` if there was none.
    #[must_use]
    pub fn latest(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let here = self.wall(now);
        let ahead = match self.zone.from_local_datetime(&here) {
            // Within the second half, matches that lie ahead on the wall clock had their ticks in the first half already.
            MappedLocalTime::Ambiguous(first, second) if now >= second => second - first,
            _ => Duration::zero(),
        };
        let mut wall = here.checked_add_signed(ahead)?.and_utc();
        let mut inclusive = true;
        for _ in 0..MOST_MATCHES {
            wall = self.cron.find_previous_occurrence(&wall, inclusive).ok()?;
            inclusive = false;
            if let Some(tick) = self.moment(wall.naive_utc()).filter(|tick| *tick <= now) {
                return Some(tick);
            }
        }
        None
    }

    /// A moment with the offset that the rule's zone has then.
    #[must_use]
    pub fn local(&self, at: DateTime<Utc>) -> DateTime<FixedOffset> {
        at.with_timezone(&self.zone).fixed_offset()
    }

    /// The expression in English words, by the wall clock of its zone.
    #[must_use]
    pub fn describe(&self) -> String {
        let pattern = &self.cron.pattern;
        let mut fields: Vec<String> = self.cron.as_str().split_whitespace().map(str::to_owned).collect();
        // croner tells a step within a range (`0-30/10`) as if it were one over all (`*/10`): its values are told one by one.
        for (index, component) in [(0, &pattern.minutes), (1, &pattern.hours), (3, &pattern.months)] {
            if let Some(field) = fields.get_mut(index)
                && field.contains('/')
                && (field.contains(',') || !field.starts_with("*/"))
            {
                let values = component.get_set_values(MEANT);
                *field = values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
            }
        }
        let told = parser().parse(&fields.join(" ")).unwrap_or_else(|_| self.cron.clone()).describe();
        let told = told.trim_end_matches('.').replace("past of every", "of every");
        told.strip_prefix("At every").map_or(told.clone(), |rest| format!("Every{rest}"))
    }

    fn wall(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.zone).naive_local()
    }

    /// The moment of a wall clock time: never falls when the wall clock time grows.
    fn moment(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        match self.zone.from_local_datetime(&wall) {
            MappedLocalTime::Single(at) => Some(at.to_utc()),
            MappedLocalTime::Ambiguous(first, _) => Some(first.to_utc()),
            MappedLocalTime::None => self.after_gap(wall),
        }
    }

    /// The first moment after the gap that a wall clock time lies in, found by halving: before it, the wall clock shows less
    /// than the skipped time, from it on more. No offset from UTC and no gap reaches 36 hours.
    fn after_gap(&self, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        let far = Duration::hours(36);
        let (mut before, mut after) =
            (wall.checked_sub_signed(far)?.and_utc(), wall.checked_add_signed(far)?.and_utc());
        // Moments whose wall clock is before the gap, and after it; they differ by whole seconds in the end.
        while after - before > Duration::seconds(1) {
            let middle = before + Duration::seconds((after - before).num_seconds() / 2);
            if self.wall(middle) < wall { before = middle } else { after = middle }
        }
        Some(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The ticks after a moment, as UTC times.
    fn ticks(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let rule = Rule::parse(cron, zone).unwrap();
        let mut now = at(after);
        let mut ticks = Vec::new();
        for _ in 0..count {
            now = rule.next(now).unwrap();
            ticks.push(now.format("%Y-%m-%dT%H:%MZ").to_string());
        }
        ticks
    }

    #[test]
    fn a_skipped_time_ticks_at_the_first_moment_after_the_gap() {
        // Berlin, 2026-03-29: 02:00 CET becomes 03:00 CEST, which is 01:00 UTC.
        assert_eq!(
            ticks("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3),
            ["2026-03-28T01:30Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z"]
        );
        // New York, 2026-03-08: 02:00 EST becomes 03:00 EDT, which is 07:00 UTC.
        assert_eq!(
            ticks("15 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2),
            ["2026-03-08T07:00Z", "2026-03-09T06:15Z"]
        );
        // Lord Howe, 2026-10-04: 02:00 becomes 02:30, half an hour only; 15:30 UTC of the day before.
        assert_eq!(
            ticks("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2),
            ["2026-10-03T15:30Z", "2026-10-04T15:15Z"]
        );
        // Beirut sets its clock forward at midnight: the day begins at 01:00.
        assert_eq!(
            ticks("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00:00Z", 2),
            ["2026-03-28T22:00Z", "2026-03-29T21:00Z"]
        );
        // Samoa skipped the whole of 2011-12-30 (10:00 UTC was the change).
        assert_eq!(
            ticks("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", 2),
            ["2011-12-30T10:00Z", "2012-12-29T22:00Z"]
        );
    }

    #[test]
    fn several_skipped_times_tick_once() {
        assert_eq!(
            ticks("*/20 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", 4),
            ["2026-03-29T00:40Z", "2026-03-29T01:00Z", "2026-03-29T01:20Z", "2026-03-29T01:40Z"]
        );
        assert_eq!(
            ticks("10,50 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
            ["2026-03-29T01:00Z", "2026-03-29T01:10Z", "2026-03-29T01:50Z"]
        );
    }

    #[test]
    fn a_repeated_time_ticks_at_its_first_coming_only() {
        // Berlin, 2026-10-25: 03:00 CEST becomes 02:00 CET, at 01:00 UTC.
        assert_eq!(
            ticks("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]
        );
        // Asked within the second coming: the next is on the day after.
        assert_eq!(ticks("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1), ["2026-10-26T01:30Z"]);
        assert_eq!(
            ticks("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", 4),
            ["2026-10-25T00:00Z", "2026-10-25T00:30Z", "2026-10-25T02:00Z", "2026-10-25T02:30Z"]
        );
    }

    #[test]
    fn the_latest_tick_is_found_within_a_repeated_hour() {
        let rule = Rule::parse("45 2 * * *", "Europe/Berlin").unwrap();
        // 02:10 for the second time: 02:45 has been, although the wall clock says that it is to come.
        assert_eq!(rule.latest(at("2026-10-25T01:10:00Z")), Some(at("2026-10-25T00:45:00Z")));
        assert_eq!(rule.latest(at("2026-10-25T00:10:00Z")), Some(at("2026-10-24T00:45:00Z")));
        assert_eq!(rule.latest(at("2026-10-25T00:45:00Z")), Some(at("2026-10-25T00:45:00Z")));
    }

    #[test]
    fn nonsense_is_refused_and_what_never_comes_is_known() {
        for cron in [
            "",
            "* * * *",
            "* * * * * *",
            "@daily",
            "61 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "x * * * *",
            "* * * 13 *",
        ] {
            assert!(Rule::cron(cron).is_err(), "{cron}");
        }
        for zone in ["", "Mars/Olympus", "CEST", "+02:00"] {
            assert!(highlights::window::zone(zone).is_err(), "{zone}");
        }
        assert_eq!(Rule::parse("0 0 30 2 *", "UTC").unwrap().next(at("2026-01-01T00:00:00Z")), None);
    }

    #[test]
    fn an_expression_is_told_in_words() {
        for (cron, words) in [
            ("* * * * *", "Every minute"),
            ("*/15 * * * *", "Every 15 minutes"),
            ("5,35 * * * *", "At minute 5 and 35 past every hour"),
            ("*/7 9-17 * * *", "Every 7 minutes, of hour 9-17"),
            ("* */2 * * *", "Every minute of every 2 hours"),
            ("30 7 * * *", "At 07:30"),
            ("0 18 * * SUN", "At 18:00, on Sunday"),
            ("0 18 * * 5,6", "At 18:00, on Friday and Saturday"),
            ("0 9 L * *", "At 09:00, on the last day of the month"),
            ("0 9 * * FRI#2", "At 09:00, on the 2nd Friday of the month"),
            ("0 9 13 * FRI", "At 09:00, on day 13 or Friday"),
            ("0 0 1 */3 *", "At 00:00, on day 1, in every 3 months"),
            // Steps within a range are not steps over all.
            ("0-30/10 * * * *", "At minute 0, 10, 20, and 30 past every hour"),
            ("*/30,50 * * * *", "At minute 0, 30, and 50 past every hour"),
            ("0 0-6/2 * * *", "At minute 0, of hour 0, 2, 4, and 6"),
            ("0 0 1 1-7/3 *", "At 00:00, on day 1, in January, April, and July"),
            ("0 0 1 jan-jul/3 *", "At 00:00, on day 1, in January, April, and July"),
        ] {
            assert_eq!(Rule::parse(cron, "UTC").unwrap().describe(), words, "{cron}");
        }
    }

    #[test]
    fn ticks_come_one_after_the_other_with_their_zones_offset() {
        let rule = Rule::parse("30 2 * * *", "Europe/Berlin").unwrap();
        let ticks = rule.ticks(at("2026-10-23T12:00:00Z")).take(3).map(|tick| rule.local(tick).to_rfc3339());
        assert_eq!(
            ticks.collect::<Vec<_>>(),
            ["2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]
        );
        assert_eq!(Rule::parse("0 0 30 2 *", "UTC").unwrap().ticks(at("2026-01-01T00:00:00Z")).count(), 0);
    }

    const CRONS: &[&str] = &[
        "* * * * *",
        "*/7 * * * *",
        "30 2 * * *",
        "0 0 * * *",
        "15,45 1-3 * * *",
        "0 18 * * SUN",
        "59 23 L * *",
    ];
    const ZONES: &[&str] = &[
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Beirut",
        "America/Sao_Paulo",
        "Asia/Kathmandu",
    ];

    proptest! {
        #[test]
        fn ticks_match_their_expression_once_and_in_order(
            cron in proptest::sample::select(CRONS),
            zone in proptest::sample::select(ZONES),
            // Any second of 1990 to 2039; half of them near a clock change of Berlin's.
            seconds in prop_oneof![631_152_000_i64..2_208_988_800, 1_792_880_000_i64..1_792_900_000, 1_774_740_000_i64..1_774_750_000],
        ) {
            let rule = Rule::parse(cron, zone).unwrap();
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            let next = rule.next(now).unwrap();
            prop_assert!(next > now);
            let latest = rule.latest(now).unwrap();
            prop_assert!(latest <= now);
            // Nothing lies between them, seen from either side.
            prop_assert_eq!(rule.next(latest), Some(next));
            prop_assert_eq!(rule.latest(next), Some(next));
            prop_assert_eq!(rule.latest(next - Duration::seconds(1)), Some(latest));
            // A tick's wall clock time matches the expression unless it follows a gap.
            let wall = rule.wall(next);
            let follows_gap = rule.wall(next - Duration::seconds(1)) != wall - Duration::seconds(1);
            prop_assert!(follows_gap || rule.cron.is_time_matching(&wall.and_utc()).unwrap());
        }
    }
}
