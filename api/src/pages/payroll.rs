//! `/redaktion/blanketter` and `/redaktion/tidplan`: publishing the payroll forms and the payroll schedule, for those who
//! write content; and how both are shown.

pub mod file;
mod form;
mod forms;
mod period;
mod periods;

use axum::Router;
use chrono::{DateTime, Utc};
use domain::files::Scan;
use domain::payroll_form::kind_of;
use domain::payroll_period::Period;
use domain::{Language, PersonId};
use projections::payroll_forms::PayrollForm;

use crate::app::Caller;
use crate::pages::officers::names::Names;
use crate::texts::Text;
use crate::{App, Failure, format};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .merge(forms::routes())
        .merge(form::routes())
        .merge(periods::routes())
        .merge(period::routes())
}

/// A payroll form in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormInWords {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Whether it is not in use any more.
    pub withdrawn: bool,
    /// Its file, if it has one.
    pub file: Option<FileInWords>,
}

/// The file of a payroll form in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInWords {
    /// Kind and size.
    pub what: String,
    /// When it was published.
    pub date: String,
    /// Why it cannot be fetched; none where it can.
    pub closed: Option<Scan>,
}

impl FormInWords {
    /// A form as it is shown.
    pub fn of(language: Language, form: &PayrollForm) -> Self {
        let name = match language {
            Language::Sv => &form.name_sv,
            Language::En => &form.name_en,
        };
        let file = form.file.as_ref().map(|file| FileInWords {
            what: format!(
                "{}, {}",
                kind_of(&file.card.media_type).unwrap_or_default(),
                format::size(language, file.card.size)
            ),
            date: format::date(language, format::day_of(file.at)),
            closed: file.scan.filter(|scan| !scan.may_open()),
        });
        Self { code: form.code.clone(), name: name.clone(), withdrawn: form.withdrawn, file }
    }
}

/// The days of a period in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the period")]
pub struct PeriodInWords {
    pub period: String,
    pub documents: String,
    pub approval: String,
    pub run: String,
    pub pay_day: String,
}

impl PeriodInWords {
    /// A period as it is shown.
    pub fn of(language: Language, days: &Period) -> Self {
        Self {
            period: days.period.clone(),
            documents: format::date_short(days.documents),
            approval: format::moment_short(language, days.approval),
            run: format::date_short(days.run),
            pay_day: format::date_short(days.pay_day),
        }
    }
}

/// When something was done, and by whom; none where it came with the program.
type By = Option<(DateTime<Utc>, PersonId)>;
/// The same in words; that it came with the program where nobody did it.
type Done = (String, String);

/// What was done, each with what tells when and by whom.
async fn told<T>(
    app: &App,
    (caller, language): (&Caller, Language),
    done: Vec<(By, T)>,
) -> Result<Vec<(Done, T)>, Failure> {
    let persons: Vec<PersonId> = done.iter().filter_map(|(by, _)| by.map(|(_, person)| person)).collect();
    let names = Names::load(app, language, &caller.actor, None, persons).await?;
    let in_words = |by: By| match by {
        Some((at, person)) => (format::moment(language, at), names.person(person)),
        None => (Text::new(language, "payroll-shipped").to_string(), String::new()),
    };
    Ok(done.into_iter().map(|(by, what)| (in_words(by), what)).collect())
}
