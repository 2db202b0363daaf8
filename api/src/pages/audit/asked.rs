//! What the log is asked for: a case, a time, a kind of event, and where the page begins.

use chrono::{DateTime, Duration, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Europe::Stockholm;
use domain::case_number::CaseNumberError;
use domain::refusal::Code;
use domain::{CaseId, CaseNumber, FieldError, Language};
use serde::Deserialize;

use crate::format::percent_encoded;
use crate::pages::Form;
use crate::pages::components::Choice;
use crate::texts::Text;
use crate::{App, Failure};

/// How many events a page may have; the first when nothing else is asked for.
const LIMITS: [usize; 2] = [20, 50];

/// The kinds of event, as people meet them.
const KINDS: [&str; 29] = [
    "CaseReceived",
    "AttachmentAdded",
    "ProcessingStarted",
    "InformationRequested",
    "MessageAdded",
    "NoteAdded",
    "CaseAssigned",
    "CaseReclassified",
    "CaseClosed",
    "CaseSeen",
    "SatisfactionGiven",
    "NotificationSent",
    "NotificationFailed",
    "FileScanned",
    "PersonSeen",
    "PersonLinked",
    "ProtectionChanged",
    "SettingsChosen",
    "EmployerRegistered",
    "NoticePublished",
    "NoticeResolved",
    "ContentPublished",
    "CataloguePublished",
    "PayrollFormPublished",
    "PayrollFormWithdrawn",
    "PayrollPeriodPublished",
    "PayrollPeriodWithdrawn",
    "ReadLogSealed",
    "ReadLogKeyDestroyed",
];

/// The query of the address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    case: String,
    from: String,
    to: String,
    kind: String,
    limit: String,
    before: String,
}

impl Asked {
    /// The case, by number or id; an error when it is neither, or there is no such case.
    pub(super) async fn case(&self, app: &App) -> Result<Result<Option<CaseId>, FieldError>, Failure> {
        case(app, &self.case).await
    }

    /// The positions between which the events lie, both not among them.
    pub(super) async fn positions(&self, app: &App, head: u64) -> Result<(u64, u64), Failure> {
        let after = match moment(&self.from) {
            Some(from) => {
                let before = from.checked_sub_signed(Duration::microseconds(1));
                app.log.position_at(before.unwrap_or(from)).await?
            }
            None => 0,
        };
        let until = match moment(&self.to) {
            // The whole minute that is named.
            Some(to) => {
                let minute = Duration::seconds(60) - Duration::microseconds(1);
                app.log.position_at(to.checked_add_signed(minute).unwrap_or(to)).await?
            }
            None => head,
        };
        let before = self.before.parse().unwrap_or(u64::MAX).min(until + 1);
        Ok((after, before))
    }

    /// The kind of event.
    pub(super) fn kind(&self) -> Option<&str> {
        KINDS.into_iter().find(|kind| *kind == self.kind)
    }

    /// How many events the page has room for.
    pub(super) fn limit(&self) -> usize {
        self.limit.parse().ok().filter(|limit| LIMITS.contains(limit)).unwrap_or(LIMITS[0])
    }

    /// Whether the page is not the first.
    pub(super) fn is_older(&self) -> bool {
        !self.before.is_empty()
    }

    fn fields(&self) -> [(&'static str, &str); 5] {
        [
            ("case", &self.case),
            ("from", &self.from),
            ("to", &self.to),
            ("kind", &self.kind),
            ("limit", &self.limit),
        ]
    }

    /// The address of the same question for the events before a position.
    pub(super) fn address(&self, before: Option<u64>) -> String {
        let fields = self.fields().into_iter().filter(|(_, value)| !value.is_empty());
        let mut query: Vec<String> =
            fields.map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
        query.extend(before.map(|before| format!("before={before}")));
        if query.is_empty() { "/revision".to_owned() } else { format!("/revision?{}", query.join("&")) }
    }

    /// The form as it was filled in.
    pub(super) fn form(&self) -> Form {
        self.fields().into_iter().fold(Form::new("audit"), |form, (name, value)| form.with(name, value))
    }
}

/// The case of a number or an id; none where nothing is filled in, an error when it is neither, or there is no such case.
pub(super) async fn case(app: &App, typed: &str) -> Result<Result<Option<CaseId>, FieldError>, Failure> {
    let case = typed.trim();
    if case.is_empty() {
        return Ok(Ok(None));
    }
    if let Some(id) = CaseId::parse(case) {
        return Ok(Ok(Some(id)));
    }
    let wrong = |code| Ok(Err(FieldError::new("/case", code)));
    match CaseNumber::parse(case) {
        Ok(number) => match app.case_of_number(number).await? {
            Some(case) => Ok(Ok(Some(case))),
            None => wrong(Code::NumberUnknown),
        },
        Err(CaseNumberError::CheckDigit) => wrong(Code::NumberCheck),
        Err(CaseNumberError::Form) => wrong(Code::NumberUnknown),
    }
}

/// The moment of a field for date and time, which people fill in in Swedish time; also a whole one.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<DateTime<Utc>>() {
        return Some(whole);
    }
    let local = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .into_iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    Stockholm.from_local_datetime(&local).earliest().map(|at| at.to_utc())
}

/// The kinds of event that can be chosen, in words.
pub(super) fn kinds(language: Language) -> Vec<Choice> {
    let words = |kind: &str| Text::new(language, format!("event-{kind}"));
    KINDS.into_iter().map(|kind| Choice::new(kind, words(kind))).collect()
}

/// The lengths of a page that can be chosen.
pub(super) fn limits(language: Language) -> Vec<Choice> {
    let words = |limit: usize| Text::new(language, "audit-limit-events").with("n", limit);
    LIMITS[1..].iter().map(|limit| Choice::new(limit, words(*limit))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_swedish() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().ok();
        assert_eq!(moment("2026-11-23T08:36"), at("2026-11-23T07:36:00Z"));
        assert_eq!(moment("2026-07-01T08:36:10"), at("2026-07-01T06:36:10Z"));
        assert_eq!(moment("2026-11-23T08:36:00.5Z"), at("2026-11-23T08:36:00.5Z"));
        // The hour that summer time skips has no beginning of its own.
        assert_eq!(moment("2026-03-29T02:30"), None);
        assert_eq!(moment("i går"), None);
    }

    #[test]
    fn every_kind_has_its_words() {
        for kind in kinds(Language::Sv) {
            assert!(!kind.label.starts_with("event-"), "{}", kind.value);
        }
    }

    #[test]
    fn the_question_stays_in_the_address() {
        let asked =
            Asked { case: "2026-000001-1".to_owned(), kind: "CaseClosed".to_owned(), ..Asked::default() };
        assert_eq!(asked.address(Some(7)), "/revision?case=2026-000001-1&kind=CaseClosed&before=7");
        assert_eq!(Asked::default().address(None), "/revision");
    }
}
