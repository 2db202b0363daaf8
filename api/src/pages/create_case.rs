//! `/skapa-arende`: one form on one page (K6, K13). Whatever happens to it (a field is wrong, the session is over, the
//! service cannot save), what was typed and attached is shown again; sending it twice makes one case.

mod command;
mod upload;

use askama::Template;
use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::access::{Duty, Role};
use domain::text::BODY_MAX;
use domain::{Area, CaseNumber, Language, SubArea, System};
use projections::services::Employer;
use serde::Deserialize;

use crate::app::drafts::KEPT_DAYS;
use crate::pages::components::Choice;
use crate::pages::form::{Action, files_hint, not_sent};
use crate::pages::service_status::{NoticeInWords, Status};
use crate::pages::{Form, Frame, Visitor, case, cookies, employer, render_with};
use crate::texts::Text;
use crate::{App, Failure, format};

/// Where it is.
pub const ADDRESS: &str = "/skapa-arende";
/// What tells there that a draft was thrown away.
const DISCARDED: &str = "done=discarded";

pub(super) use command::{create, filled, named};

pub(super) fn routes() -> Router<App> {
    Router::new().route(ADDRESS, get(show).post(send)).route("/skapa-arende/filer", post(upload::upload))
}

#[derive(Template)]
#[template(path = "pages/create_case.html")]
struct CreatePage {
    frame: Frame,
    form: Form,
    /// Whether a draft was just thrown away.
    discarded: bool,
    /// What has happened to the form, besides errors.
    notice: Option<String>,
    mismatch: Option<String>,
    /// The employers to choose from; with one it is shown, not asked for.
    employers: Vec<Choice>,
    employer: Option<String>,
    areas: Vec<Choice>,
    sub_areas: Vec<Choice>,
    systems: Vec<Choice>,
    files_hint: String,
    body_max: u64,
    /// Whether the visitor may send decisions and documents for others.
    for_others: bool,
    /// What does not work just now.
    troubles: Vec<NoticeInWords>,
}

#[derive(Deserialize)]
struct Following {
    /// The number of the case that the new one goes on from.
    #[serde(default)]
    foljer: String,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(following): Query<Following>,
) -> Result<Response, Failure> {
    let person = visitor.caller_for(Duty::OwnCases)?.actor.person;
    // A draft that cannot be read now must not keep anybody from writing.
    let left = Form::left(&app, person, "create", ADDRESS).await.unwrap_or_default();
    let Following { foljer } = following;
    let form = match left.filter(|left| foljer.is_empty() || left.value("followsUp") == foljer) {
        Some(left) => left,
        None if foljer.is_empty() => Form::new("create"),
        None => following_on(&app, &visitor, foljer).await,
    };
    page(&app, &visitor, form, StatusCode::OK).await
}

/// The form of a question that goes on from an earlier case, with what is likely the same in both.
async fn following_on(app: &App, visitor: &Visitor, number: String) -> Form {
    let mut form = Form::new("create");
    let found = async {
        let case = app.case_of_number(CaseNumber::parse(&number).ok()?).await.ok()??;
        case::own(app, visitor, &case.to_string()).await.ok()
    };
    if let Some((earlier, _)) = found.await {
        form.set("employer", earlier.employer.as_str());
        form.set("area", earlier.area.code());
        form.set("subArea", earlier.sub_area.map_or("", SubArea::code));
        form.set("system", earlier.system.map_or("", System::code));
    }
    form.with("followsUp", number)
}

async fn send(State(app): State<App>, visitor: Visitor, request: Request) -> Result<Response, Failure> {
    // The browser itself, not the script (Fetch Metadata).
    let goes_there = request.headers().get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
    let mut form = Form::read(&app, &visitor, "create", request).await?;
    let caller = match form.sender(&visitor).and_then(|_| visitor.caller_for(Duty::OwnCases)) {
        Ok(caller) => caller,
        Err(failure @ (Failure::Unauthorized | Failure::Forbidden)) => {
            return not_sent(&app, &visitor, &mut form, ADDRESS, failure).await;
        }
        Err(failure) => return refused(&app, &visitor, form, failure).await,
    };
    // Begun as a requester, in another window: it is not to be sent as one's own.
    let for_requester = caller.actor.role != Role::Requester && command::for_another(&form);
    if form.action() == Action::Send && for_requester {
        if form.was_sent(&app, caller).await? {
            let failure = command::already_sent(&app, &visitor, caller, (&mut form, ADDRESS)).await?;
            return refused(&app, &visitor, form, failure).await;
        }
        return not_sent(&app, &visitor, &mut form, ADDRESS, Failure::Forbidden).await;
    }
    match form.action() {
        Action::Send => {
            let request = (ADDRESS, command::request(&visitor, caller, &form));
            match create(&app, &visitor, caller, &mut form, request).await {
                Ok(outcome) => {
                    form.forget(&app, caller.actor.person).await;
                    let onward = format!("/arenden/{}/mottaget", outcome.id);
                    Ok(cookies::done(&app, &visitor, outcome.position, &onward))
                }
                Err(failure) => refused(&app, &visitor, form, failure).await,
            }
        }
        Action::ShowAgain => {
            let status =
                if form.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            page(&app, &visitor, form, status).await
        }
        Action::SaveDraft => match form.keep(&app, caller, (ADDRESS, ADDRESS)).await {
            // Whoever goes on from there and comes back is asked for nothing.
            Ok(()) if goes_there && form.is_whole() => Ok(Redirect::to(ADDRESS).into_response()),
            Ok(()) => page(&app, &visitor, form, StatusCode::OK).await,
            Err(failure) => refused(&app, &visitor, form, failure).await,
        },
        Action::Discard => {
            form.forget(&app, caller.actor.person).await;
            Ok(Redirect::to(&format!("{ADDRESS}?{DISCARDED}")).into_response())
        }
    }
}

/// The form with everything in it and what is wrong.
async fn refused(
    app: &App,
    visitor: &Visitor,
    mut form: Form,
    failure: Failure,
) -> Result<Response, Failure> {
    let status = form.refuse_files(app, visitor.language, failure).await?;
    page(app, visitor, form, status).await
}

async fn page(app: &App, visitor: &Visitor, mut form: Form, status: StatusCode) -> Result<Response, Failure> {
    let language = visitor.language;
    let own = own_employers(app, visitor).await?;
    let frame = Frame::new(app, visitor, Text::new(language, "create-title")).await?;
    let mismatch = employer::mismatch(visitor, frame.employer.as_deref(), &own);
    let chosen = chosen_employer(&form, visitor, &own);
    if let Some(chosen) = chosen {
        form.set("employer", chosen.number.as_str());
    }
    let areas = if own.len() == 1 { chosen } else { None };
    let choice =
        |employer: &Employer| Choice::new(employer.number.as_str(), employer::name_of(employer, language));
    let page = CreatePage {
        discarded: visitor.address.ends_with(DISCARDED),
        notice: form.saved_at.map(|saved| saved_words(language, &form, (saved, app.clock.now()))),
        mismatch,
        employers: if own.len() > 1 { own.iter().map(choice).collect() } else { Vec::new() },
        employer: chosen.map(|employer| employer::name_of(employer, language)),
        areas: area_choices(language, areas.map_or(Area::ALL, |employer| &employer.areas)),
        sub_areas: sub_area_choices(language),
        systems: system_choices(language),
        files_hint: files_hint(language, app),
        body_max: BODY_MAX as u64,
        for_others: visitor.role() == Some(Role::Requester) || command::names_another(&form),
        // Nor must news keep anybody from writing.
        troubles: Status::read(app, language).await.unwrap_or_default().now,
        frame: frame.with_error(!form.errors.is_empty()),
        form,
    };
    render_with(status, &page)
}

/// The caller's employers; none where that cannot be told, for the form must be shown all the same.
async fn own_employers(app: &App, visitor: &Visitor) -> Result<Vec<Employer>, Failure> {
    match employer::of_caller(app, visitor).await {
        Err(Failure::Unauthorized | Failure::Busy | Failure::Unavailable | Failure::OutcomeUnknown) => {
            Ok(Vec::new())
        }
        employers => employers,
    }
}

/// The employer that the form names, or the one chosen in this browser, or the only one.
fn chosen_employer<'a>(form: &Form, visitor: &Visitor, own: &'a [Employer]) -> Option<&'a Employer> {
    let numbered = |number: &str| own.iter().find(|employer| employer.number.as_str() == number);
    numbered(form.value("employer"))
        .or_else(|| numbered(visitor.employer.as_ref().map_or("", |employer| employer.as_str())))
        .or_else(|| own.first().filter(|_| own.len() == 1))
}

/// When it was kept and for how long it still is.
fn saved_words(
    language: Language,
    form: &Form,
    (saved, now): (chrono::DateTime<chrono::Utc>, chrono::DateTime<chrono::Utc>),
) -> String {
    let words = if format::day_of(saved) == format::day_of(now) {
        Text::new(language, "draft-saved").with("time", format::time(language, saved))
    } else {
        Text::new(language, "draft-saved-earlier").with("moment", format::moment(language, saved))
    };
    let passed = u64::try_from((now - saved).num_days()).unwrap_or_default();
    form.kept_words(language, &words.number("n", KEPT_DAYS.saturating_sub(passed)))
}

fn area_choices(language: Language, areas: &[Area]) -> Vec<Choice> {
    let choice = |area: &Area| {
        Choice::new(area, Text::new(language, format!("area-{area}")))
            .with_hint(Text::new(language, format!("area-hint-{area}")))
    };
    areas.iter().map(choice).collect()
}

fn sub_area_choices(language: Language) -> Vec<Choice> {
    vec![
        Choice::new(SubArea::Supportarende, Text::new(language, "create-sub-support"))
            .with_hint(Text::new(language, "create-sub-support-hint")),
        Choice::new(SubArea::BeslutUnderlag, Text::new(language, "create-sub-document"))
            .with_hint(Text::new(language, "create-sub-document-hint")),
    ]
}

fn system_choices(language: Language) -> Vec<Choice> {
    let choice = |system: &System| Choice::new(system, Text::new(language, format!("system-{system}")));
    System::ALL.iter().map(choice).collect()
}

impl CreatePage {
    /// Whether a field for the earlier case is shown: only where one is named.
    fn follows(&self) -> bool {
        !self.form.value("followsUp").is_empty() || self.form.is_wrong("followsUp")
    }

    /// Where the form is sent: to another address than the page has. Where the line breaks meanwhile, browsers then lead
    /// back to the form as it was filled in, and not past it.
    fn onward(&self) -> &'static str {
        if self.frame.address.contains('?') { ADDRESS } else { "/skapa-arende?skicka" }
    }
}
