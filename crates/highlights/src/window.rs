//! Which days an import asks for. Pure: the moment of the run is an argument.
//!
//! A window is whole days by the clock of a time zone, from the first moment of its first day up to the first moment after its last.
//! `last_days` counts back from the day before the run's, so that runs that follow one another neither share a day nor leave one out,
//! whatever the hour they come at, and that a run that is repeated or made up for asks for the same days.

use chrono::{DateTime, Days as Count, MappedLocalTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use contracts::import::{Days, WindowRule};

use crate::candidate::When;

/// Reads the name of an IANA time zone.
///
/// # Errors
/// A sentence that says what is accepted.
pub fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| format!("`{text}` is not an IANA time zone like `Europe/Berlin` or `UTC`"))
}

/// Days by the clock of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The days.
    pub days: Days,
    /// Whose clock tells when a day begins.
    pub zone: Tz,
}

impl Window {
    /// The window that a rule means for a run at a moment.
    #[must_use]
    pub fn of(rule: WindowRule, at: DateTime<Utc>, zone: Tz) -> Self {
        let days = match rule {
            WindowRule::Days(days) => days,
            WindowRule::LastDays { last_days } => {
                let today = at.with_timezone(&zone).date_naive();
                let back = |count: u64| today.checked_sub_days(Count::new(count)).unwrap_or(NaiveDate::MIN);
                Days { from: back(u64::from(last_days)), to: back(1) }
            }
        };
        Self { days, zone }
    }

    /// The first moment.
    #[must_use]
    pub fn start(&self) -> DateTime<Utc> {
        self.beginning(self.days.from)
    }

    /// The first moment after it.
    #[must_use]
    pub fn end(&self) -> DateTime<Utc> {
        self.beginning(self.days.to.succ_opt().unwrap_or(NaiveDate::MAX))
    }

    /// Whether something was within it.
    #[must_use]
    pub fn contains(&self, when: When) -> bool {
        match when {
            When::Day(day) => (self.days.from..=self.days.to).contains(&day),
            When::Moment(moment) => (self.start()..self.end()).contains(&moment),
        }
    }

    /// The first moment of a day: midnight, or where the clock skips that, the first moment after the gap.
    fn beginning(&self, day: NaiveDate) -> DateTime<Utc> {
        let mut wall = day.and_time(NaiveTime::MIN);
        // Clocks skip by quarters of an hour; a whole day was skipped once, by Samoa.
        for _ in 0..=100 {
            match self.zone.from_local_datetime(&wall) {
                MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => return at.to_utc(),
                MappedLocalTime::None => wall += TimeDelta::minutes(15),
            }
        }
        day.and_time(NaiveTime::MIN).and_utc()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn days(from: &str, to: &str) -> Days {
        Days { from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    #[test]
    fn the_last_days_end_before_the_day_of_the_run_by_its_own_clock() {
        let rule = WindowRule::LastDays { last_days: 7 };
        let berlin = zone("Europe/Berlin").unwrap();
        // 00:30 on the 23rd in Berlin, the 22nd in UTC.
        assert_eq!(
            Window::of(rule, at("2026-11-22T23:30:00Z"), berlin).days,
            days("2026-11-16", "2026-11-22")
        );
        assert_eq!(
            Window::of(rule, at("2026-11-22T23:30:00Z"), Tz::UTC).days,
            days("2026-11-15", "2026-11-21")
        );
    }

    #[test]
    fn a_day_is_as_long_as_its_clock_says() {
        let berlin = zone("Europe/Berlin").unwrap();
        let window = |day: &str| Window { days: days(day, day), zone: berlin };
        let hours = |day: &str| (window(day).end() - window(day).start()).num_hours();
        assert_eq!((hours("2026-03-29"), hours("2026-10-25"), hours("2026-11-01")), (23, 25, 24));
        // Beirut skips midnight.
        let beirut = Window { days: days("2026-03-29", "2026-03-29"), zone: zone("Asia/Beirut").unwrap() };
        assert_eq!(beirut.start(), at("2026-03-28T22:00:00Z"));
        // Samoa skipped the whole day.
        let samoa = Window { days: days("2011-12-30", "2011-12-30"), zone: zone("Pacific/Apia").unwrap() };
        assert_eq!(samoa.start(), samoa.end());
    }

    #[test]
    fn both_ends_are_within() {
        let window = Window { days: days("2026-11-16", "2026-11-22"), zone: zone("Asia/Tokyo").unwrap() };
        let day = |text: &str| window.contains(When::Day(text.parse().unwrap()));
        assert!(day("2026-11-16") && day("2026-11-22") && !day("2026-11-15") && !day("2026-11-23"));
        let moment = |text: &str| window.contains(When::Moment(at(text)));
        assert!(moment("2026-11-15T15:00:00Z") && !moment("2026-11-15T14:59:59Z"));
        assert!(moment("2026-11-22T14:59:59Z") && !moment("2026-11-22T15:00:00Z"));
    }
}
