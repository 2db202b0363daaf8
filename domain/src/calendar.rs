//! The Swedish calendar: days and years in Stockholm (LAW-01), holidays, and the centre's opening hours.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Europe::Stockholm;

/// The minute of the day at which the centre opens, Swedish time.
pub const OPENS_MINUTE: u32 = 8 * 60;
/// The minute of the day at which the centre closes, Swedish time.
pub const CLOSES_MINUTE: u32 = 16 * 60 + 30;

/// The Swedish calendar day of a moment.
pub fn day(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&Stockholm).date_naive()
}

/// The Swedish calendar year of a moment, which the series of case numbers follows.
pub fn year(at: DateTime<Utc>) -> u16 {
    u16::try_from(day(at).year()).unwrap_or_default()
}

/// The first moment of a Swedish calendar day.
pub fn day_start(day: NaiveDate) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    Stockholm.from_local_datetime(&midnight).earliest().map_or_else(|| midnight.and_utc(), |at| at.to_utc())
}

/// The moment of a Swedish day and time of day as people write them, `2026-12-01 08.00`, or as browsers send them,
/// `2026-12-01T08:00`; none for what is no moment, such as a time that is skipped when summer time begins.
pub fn parse_moment(text: &str) -> Option<DateTime<Utc>> {
    let (day, time) = text.trim().split_once(['T', ' '])?;
    let day: NaiveDate = day.parse().ok()?;
    let time = NaiveTime::parse_from_str(&time.trim().replace('.', ":"), "%H:%M").ok()?;
    Stockholm.from_local_datetime(&day.and_time(time)).earliest().map(|at| at.to_utc())
}

/// A moment as [`parse_moment`] reads it.
pub fn moment(at: DateTime<Utc>) -> String {
    at.with_timezone(&Stockholm).format("%Y-%m-%dT%H:%M").to_string()
}

/// Whether offices are closed on a day: weekend, public holiday, or Midsummer's, Christmas or New Year's Eve.
pub fn is_holiday(day: NaiveDate) -> bool {
    if matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
        return true;
    }
    let fixed = [(1, 1), (1, 6), (5, 1), (6, 6), (12, 24), (12, 25), (12, 26), (12, 31)];
    let midsummer_eve = day.month() == 6 && (19..=25).contains(&day.day()) && day.weekday() == Weekday::Fri;
    let from_easter = day.signed_duration_since(easter(day.year())).num_days();
    fixed.contains(&(day.month(), day.day())) || midsummer_eve || [-2, 1, 39].contains(&from_easter)
}

/// The day that lies so many working days after another.
pub fn after_working_days(from: NaiveDate, days: u16) -> NaiveDate {
    let working = from.iter_days().skip(1).filter(|day| !is_holiday(*day));
    working.take(usize::from(days)).last().unwrap_or(from)
}

/// Easter Sunday (the anonymous Gregorian computation, Nature 1876).
fn easter(year: i32) -> NaiveDate {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let (month, day) = ((h + l - 7 * m + 114) / 31, (h + l - 7 * m + 114) % 31 + 1);
    let number = |value: i32| u32::try_from(value).unwrap_or(1);
    NaiveDate::from_ymd_opt(year, number(month), number(day)).unwrap_or_default()
}

/// Whether the centre is open at a moment, and if not, the day on which it opens next.
pub fn opening(at: DateTime<Utc>) -> Opening {
    let local = at.with_timezone(&Stockholm);
    let minute = chrono::Timelike::hour(&local) * 60 + chrono::Timelike::minute(&local);
    let mut day = local.date_naive();
    if !is_holiday(day) && minute < CLOSES_MINUTE {
        return if minute >= OPENS_MINUTE { Opening::Open } else { Opening::OpensAt(day) };
    }
    loop {
        day = day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
        if !is_holiday(day) || day == NaiveDate::MAX {
            return Opening::OpensAt(day);
        }
    }
}

/// The answer of [`opening`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Open now, until [`CLOSES_MINUTE`].
    Open,
    /// Closed; opens at [`OPENS_MINUTE`] on this day.
    OpensAt(NaiveDate),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_received_day_is_swedish() {
        assert_eq!(day(at("2026-12-31T22:59:59Z")), date("2026-12-31"));
        assert_eq!(day(at("2026-12-31T23:00:00Z")), date("2027-01-01"));
        assert_eq!(year(at("2026-12-31T23:00:00Z")), 2027);
        assert_eq!(day(at("2026-06-30T22:00:00Z")), date("2026-07-01"));
        assert_eq!(day_start(date("2026-07-01")), at("2026-06-30T22:00:00Z"));
    }

    #[test]
    fn working_days_are_counted_from_the_day_after() {
        for (from, days, until) in [
            ("2026-11-26", 3, "2026-12-01"),
            ("2026-11-28", 1, "2026-11-30"),
            ("2026-11-25", 10, "2026-12-09"),
            // 24, 25 and 31 December and 1 and 6 January are days off.
            ("2026-12-18", 10, "2027-01-08"),
            ("2026-11-26", 0, "2026-11-26"),
        ] {
            assert_eq!(after_working_days(date(from), days), date(until), "{from} {days}");
        }
    }

    #[test]
    fn moments_are_written_in_swedish_time() {
        for (text, expected) in [
            ("2026-12-01T08:00", Some("2026-12-01T07:00:00Z")),
            (" 2026-07-01 08.30 ", Some("2026-07-01T06:30:00Z")),
            // Twice on the night when summer time ends, never on the one when it begins.
            ("2026-10-25T02:30", Some("2026-10-25T00:30:00Z")),
            ("2026-03-29T02:30", None),
            ("2026-12-01", None),
            ("2026-12-32T08:00", None),
            ("2026-12-01T25:00", None),
        ] {
            assert_eq!(parse_moment(text), expected.map(at), "{text}");
        }
        assert_eq!(moment(at("2026-12-01T07:00:00Z")), "2026-12-01T08:00");
    }

    #[test]
    fn holidays_of_2026_and_2027() {
        for text in [
            "2026-01-01",
            "2026-01-06",
            "2026-04-03",
            "2026-04-06",
            "2026-05-01",
            "2026-05-14",
            "2026-06-19",
            "2026-12-24",
            "2026-12-25",
            "2026-12-31",
            "2027-03-26",
            "2027-03-29",
            "2027-05-06",
            "2027-06-25",
        ] {
            assert!(is_holiday(date(text)), "{text}");
        }
        for text in ["2026-11-23", "2026-06-22", "2026-04-07", "2027-06-24"] {
            assert!(!is_holiday(date(text)), "{text}");
        }
    }

    #[test]
    fn opening_hours() {
        assert_eq!(opening(at("2026-11-23T07:00:00Z")), Opening::Open);
        assert_eq!(opening(at("2026-11-23T06:59:00Z")), Opening::OpensAt(date("2026-11-23")));
        assert_eq!(opening(at("2026-11-20T15:30:00Z")), Opening::OpensAt(date("2026-11-23")));
        assert_eq!(opening(at("2026-12-23T16:00:00Z")), Opening::OpensAt(date("2026-12-28")));
    }
}
