//! Operational status (*driftstatus*): notices of disruptions and planned maintenance, visible to all.

use chrono::{DateTime, Utc};

use crate::calendar;
use crate::event::Event;
use crate::refusal::{Code, FieldError, FieldErrors};
use crate::text::published;
use crate::vocabulary::{System, vocabulary};

/// Longest title of a notice, in characters.
pub const TITLE_MAX: usize = 120;
/// Longest text of a notice, in characters.
pub const TEXT_MAX: usize = 2_000;

vocabulary! {
    /// What a notice tells of.
    NoticeKind {
        /// Something does not work (*driftstörning*).
        Disruption = "disruption",
        /// Something will be closed (*planerat underhåll*).
        Maintenance = "maintenance",
    }
}

vocabulary! {
    /// How far what a notice tells of has come.
    Progress {
        /// It will be.
        Planned = "planned",
        /// It goes on.
        Ongoing = "ongoing",
        /// It is over.
        Resolved = "resolved",
    }
}

impl Progress {
    /// Of a notice at a moment. Maintenance is over when it was said to be; a disruption only when somebody says so.
    pub fn at(
        now: DateTime<Utc>,
        kind: NoticeKind,
        (starts, ends, resolved): (DateTime<Utc>, Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    ) -> Self {
        let over = resolved.or(ends.filter(|_| kind == NoticeKind::Maintenance));
        match over {
            Some(over) if over <= now => Self::Resolved,
            _ if starts > now => Self::Planned,
            _ => Self::Ongoing,
        }
    }
}

/// What stands in the form of a notice, as it was typed. Moments are Swedish days and times of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the event")]
pub struct WrittenNotice<'a> {
    pub kind: &'a str,
    /// The code of a system, or [`OURSELVES`].
    pub system: &'a str,
    pub title_sv: &'a str,
    pub title_en: &'a str,
    pub body_sv: &'a str,
    pub body_en: &'a str,
    pub advice_sv: &'a str,
    pub advice_en: &'a str,
    pub starts: &'a str,
    pub ends: &'a str,
    pub next_update: &'a str,
}

/// What stands for Kundwebb itself where a system is named.
pub const OURSELVES: &str = "kundwebben";

impl WrittenNotice<'_> {
    /// The event that publishes it, anew or in place of what it said before.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn publish(&self) -> Result<Event, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let value = |pointer| FieldError::new(pointer, Code::FieldValue);
        let kind = errors.take(NoticeKind::parse(self.kind).ok_or_else(|| value("/kind")));
        let system = match self.system {
            OURSELVES => Some(None),
            code => {
                let system = System::parse(code).filter(|system| *system != System::Annat);
                errors.take(system.map(Some).ok_or_else(|| FieldError::new("/system", Code::SystemMissing)))
            }
        };
        let mut text = |text, pointer, max, missing| {
            errors.take(published(text, pointer, max, missing)).unwrap_or_default()
        };
        let (no_title, no_text) = (Some(Code::TitleMissing), Some(Code::TextMissing));
        let title_sv = text(self.title_sv, "/titleSv", TITLE_MAX, no_title);
        let body_sv = text(self.body_sv, "/bodySv", TEXT_MAX, no_text);
        let advice_sv = text(self.advice_sv, "/adviceSv", TEXT_MAX, None);
        let title_en = text(self.title_en, "/titleEn", TITLE_MAX, no_title);
        let body_en = text(self.body_en, "/bodyEn", TEXT_MAX, no_text);
        let advice_en = text(self.advice_en, "/adviceEn", TEXT_MAX, None);
        let starts = errors.take(moment(self.starts, "/starts")).flatten();
        if starts.is_none() && self.starts.trim().is_empty() {
            errors.push(FieldError::new("/starts", Code::Moment));
        }
        let ends = errors.take(moment(self.ends, "/ends")).flatten();
        if starts.zip(ends).is_some_and(|(starts, ends)| ends <= starts) {
            errors.push(FieldError::new("/ends", Code::EndBeforeStart));
        }
        let next_update = errors.take(moment(self.next_update, "/nextUpdate")).flatten();
        match (kind, system, starts) {
            (Some(kind), Some(system), Some(starts)) if errors.is_empty() => Ok(Event::NoticePublished {
                kind,
                system,
                title_sv,
                title_en,
                body_sv,
                body_en,
                advice_sv,
                advice_en,
                starts,
                ends,
                next_update,
            }),
            _ => Err(errors.into_inner()),
        }
    }
}

/// A moment in microseconds since 1970 UTC, if one is written.
fn moment(text: &str, pointer: &'static str) -> Result<Option<i64>, FieldError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let at = calendar::parse_moment(text).ok_or_else(|| FieldError::new(pointer, Code::Moment))?;
    Ok(Some(at.timestamp_micros()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> WrittenNotice<'static> {
        WrittenNotice {
            kind: "disruption",
            system: "primula",
            title_sv: "Primula går inte att nå",
            title_en: "Primula cannot be reached",
            body_sv: "Inloggning i egenrapporteringen.",
            body_en: "Logging in to self-reporting.",
            advice_sv: "Vänta med din rapport.",
            starts: "2026-11-23T08:00",
            next_update: "2026-11-23 12.00",
            ..WrittenNotice::default()
        }
    }

    fn wrong(notice: &WrittenNotice<'_>) -> Vec<(String, &'static str)> {
        let errors = notice.publish().unwrap_err();
        errors.into_iter().map(|error| (error.pointer, error.code.code())).collect()
    }

    #[test]
    fn what_is_written_is_published() {
        let published = written().publish().unwrap();
        let Event::NoticePublished { kind, system, starts, ends, next_update, advice_sv, .. } = published
        else {
            panic!("{published:?}")
        };
        assert_eq!((kind, system), (NoticeKind::Disruption, Some(System::Primula)));
        assert_eq!((next_update.unwrap() - starts, ends), (4 * 3_600_000_000, None));
        assert_eq!(advice_sv, "Vänta med din rapport.");
        let ours = WrittenNotice { system: OURSELVES, ..written() }.publish().unwrap();
        assert!(matches!(ours, Event::NoticePublished { system: None, .. }));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let nothing = [
            ("/kind", "field.value"),
            ("/system", "system.missing"),
            ("/titleSv", "title.missing"),
            ("/bodySv", "text.missing"),
            ("/titleEn", "title.missing"),
            ("/bodyEn", "text.missing"),
            ("/starts", "moment"),
        ];
        let nothing = nothing.map(|(pointer, code)| (pointer.to_owned(), code));
        assert_eq!(wrong(&WrittenNotice::default()), nothing);
        let long = "å".repeat(TITLE_MAX + 1);
        for (notice, pointer, code) in [
            (WrittenNotice { title_en: &long, ..written() }, "/titleEn", "text.long"),
            (WrittenNotice { starts: "i morgon", ..written() }, "/starts", "moment"),
            (WrittenNotice { ends: "2026-11-23 08.00", ..written() }, "/ends", "end.before_start"),
            (WrittenNotice { next_update: "12.00", ..written() }, "/nextUpdate", "moment"),
            (WrittenNotice { system: "annat", ..written() }, "/system", "system.missing"),
        ] {
            assert_eq!(wrong(&notice), [(pointer.to_owned(), code)]);
        }
    }

    #[test]
    fn planned_then_ongoing_then_over() {
        let at = |hour: i64| DateTime::from_timestamp(hour * 3600, 0).unwrap();
        let times = (at(10), Some(at(12)), None);
        for (hour, maintenance, disruption) in [
            (9, Progress::Planned, Progress::Planned),
            (10, Progress::Ongoing, Progress::Ongoing),
            (12, Progress::Resolved, Progress::Ongoing),
        ] {
            assert_eq!(Progress::at(at(hour), NoticeKind::Maintenance, times), maintenance, "{hour}");
            assert_eq!(Progress::at(at(hour), NoticeKind::Disruption, times), disruption, "{hour}");
        }
        let resolved = (at(10), None, Some(at(11)));
        assert_eq!(Progress::at(at(11), NoticeKind::Disruption, resolved), Progress::Resolved);
    }
}
