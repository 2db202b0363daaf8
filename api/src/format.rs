//! How dates, times, sizes and numbers are written: Swedish time, and the form of each language.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use chrono_tz::Europe::Stockholm;
use domain::vocabulary::Language;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const MONTHS_SV: [&str; 12] = [
    "januari",
    "februari",
    "mars",
    "april",
    "maj",
    "juni",
    "juli",
    "augusti",
    "september",
    "oktober",
    "november",
    "december",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// What may stand as it is in the query of an address and in a header (RFC 3986 2.3, and the slash).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
const NO_BREAK_SPACE: char = '\u{a0}';

/// A text as a value in the query of an address, or in a header (RFC 8187).
pub fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// The Swedish calendar day of a moment.
pub fn day_of(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&Stockholm).date_naive()
}

/// A date in running text: `23 november 2026`.
pub fn date(language: Language, day: NaiveDate) -> String {
    let months = match language {
        Language::Sv => MONTHS_SV,
        Language::En => MONTHS_EN,
    };
    let month = months.get(day.month0() as usize).copied().unwrap_or_default();
    format!("{}{NO_BREAK_SPACE}{month} {}", day.day(), day.year())
}

/// A date in tables: `2026-11-23`.
pub fn date_short(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}

/// The time of day alone: `08.36`, in English `08:36`.
pub fn time(language: Language, at: DateTime<Utc>) -> String {
    let local = at.with_timezone(&Stockholm);
    let mark = match language {
        Language::Sv => '.',
        Language::En => ':',
    };
    format!("{:02}{mark}{:02}", local.hour(), local.minute())
}

/// A moment in running text: `23 november 2026 kl. 08.36`.
pub fn moment(language: Language, at: DateTime<Utc>) -> String {
    let day = date(language, day_of(at));
    let clock = time(language, at);
    match language {
        Language::Sv => format!("{day} kl.{NO_BREAK_SPACE}{clock}"),
        Language::En => format!("{day} at {clock}"),
    }
}

/// A moment in tables: `2026-11-23 08.36`.
pub fn moment_short(language: Language, at: DateTime<Utc>) -> String {
    format!("{} {}", date_short(day_of(at)), time(language, at))
}

/// A number with its thousands apart: `1 234`.
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut written = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            written.push(NO_BREAK_SPACE);
        }
        written.push(digit);
    }
    written
}

/// A size for people: `340 kB`, `1,2 MB`; in English `1.2 MB`. Rounded up, so that what is over a limit never
/// reads as the limit.
pub fn size(language: Language, bytes: u64) -> String {
    if bytes < 1_000 {
        let plural = if language == Language::En && bytes != 1 { "s" } else { "" };
        return format!("{bytes}{NO_BREAK_SPACE}byte{plural}");
    }
    if bytes < 1_000_000 {
        return format!("{}{NO_BREAK_SPACE}kB", bytes.div_ceil(1_000));
    }
    let megabytes = domain::files::megabytes(bytes);
    let written = match language {
        Language::Sv => megabytes,
        Language::En => megabytes.replace(',', "."),
    };
    format!("{written}{NO_BREAK_SPACE}MB")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn at(year: i32, month: u32, day: u32, hour: u32, minute: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(year, month, day, hour, minute, 0).unwrap()
    }

    #[test]
    fn moments_are_swedish_time_in_both_languages() {
        let winter = at(2026, 11, 23, 7, 36);
        assert_eq!(moment(Language::Sv, winter), "23\u{a0}november 2026 kl.\u{a0}08.36");
        assert_eq!(moment(Language::En, winter), "23\u{a0}November 2026 at 08:36");
        assert_eq!(moment_short(Language::Sv, at(2026, 7, 1, 22, 30)), "2026-07-02 00.30");
    }

    #[test]
    fn the_day_is_the_swedish_one_at_new_year() {
        assert_eq!(date_short(day_of(at(2026, 12, 31, 23, 30))), "2027-01-01");
        assert_eq!(date(Language::Sv, day_of(at(2026, 12, 31, 22, 59))), "31\u{a0}december 2026");
    }

    #[test]
    fn sizes_and_numbers_do_not_break() {
        assert_eq!(size(Language::Sv, 1_150_000), "1,2\u{a0}MB");
        assert_eq!(size(Language::En, 25_000_001), "25.1\u{a0}MB");
        assert_eq!(size(Language::Sv, 999), "999\u{a0}byte");
        assert_eq!(size(Language::Sv, 340_100), "341\u{a0}kB");
        assert_eq!(number(1_234_567), "1\u{a0}234\u{a0}567");
        assert_eq!(number(12), "12");
    }
}
