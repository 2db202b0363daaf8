//! Reading a request for a command in the order of the contract: 401, then syntax (400, 413, 415), then 428, then the
//! fields all at once (422). What is left (the stored outcome of the same request, 422 for the key used for another, 404,
//! 403, 412, 409) is decided by the committer on the newest state.

use axum::extract::{FromRequest, FromRequestParts, OriginalUri, RawPathParams, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::files::UploadedFile;
use domain::person::SeePerson;
use domain::{CaseCommand, CaseId, FieldError};
use infrastructure::{CommandError, Outcome};
use serde_json::Value;

use crate::app::{Caller, Command};
use crate::fields::{Fields, first_of_each};
use crate::requests::ChangeRequest;
use crate::trace::Trace;
use crate::v1::bearer::Bearer;
use crate::v1::body;
use crate::v1::headers::{IfMatch, idempotency_key, tag};
use crate::v1::outcome::OutcomeBody;
use crate::{App, Failure};

/// Why a request goes no further: it failed, or it was done before.
#[derive(Debug)]
pub enum Stop {
    /// It failed.
    Failed(Failure),
    /// The same request was accepted before; this is how it was answered.
    Done(Response),
}

impl<F: Into<Failure>> From<F> for Stop {
    fn from(failure: F) -> Self {
        Self::Failed(failure.into())
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        match self {
            Self::Failed(failure) => failure.into_response(),
            Self::Done(response) => response,
        }
    }
}

/// Whether any version of the case will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// The caller must name the version.
    Version,
    /// The command commutes with everything but Close: `*` will do, with an `Idempotency-Key`.
    VersionOrAny,
}

/// All of a request but its body.
pub struct Head {
    /// Who.
    pub caller: Caller,
    trace: Trace,
    path: String,
    /// The case that the path names; `None` when it names none.
    case: Option<CaseId>,
    key: Option<String>,
    if_match: IfMatch,
}

/// A request with a JSON body.
pub struct Incoming {
    /// All but the body.
    pub head: Head,
    body: Option<Value>,
}

/// A request whose fields are to be settled.
pub struct Pending {
    head: Head,
    request: Vec<u8>,
    expected_version: Option<u64>,
    created: bool,
}

impl Head {
    /// Reads it. A malformed key is told after the body was read; it is syntax like the body.
    ///
    /// # Errors
    /// [`Failure::Unauthorized`].
    pub async fn read(
        parts: &mut axum::http::request::Parts,
        app: &App,
    ) -> Result<(Self, Result<(), Failure>), Failure> {
        let Bearer(caller) = Bearer::from_request_parts(parts, app).await?;
        let Ok(trace) = Trace::from_request_parts(parts, app).await;
        let case = case_in_path(parts, app).await;
        let Ok(OriginalUri(address)) = OriginalUri::from_request_parts(parts, app).await;
        let (key, malformed) = match idempotency_key(&parts.headers) {
            Ok(key) => (key, Ok(())),
            Err(failure) => (None, Err(failure)),
        };
        let if_match = IfMatch::read(&parts.headers);
        Ok((Self { caller, trace, path: address.path().to_owned(), case, key, if_match }, malformed))
    }

    /// A new case: the key is mandatory.
    ///
    /// # Errors
    /// [`Failure::IdempotencyKeyMissing`].
    pub fn creates(self, body: &str) -> Result<Pending, Failure> {
        if self.key.is_none() {
            return Err(Failure::IdempotencyKeyMissing);
        }
        Ok(self.pending(body, None, true))
    }

    /// A change of a case: the version is mandatory.
    ///
    /// # Errors
    /// [`Failure::IdempotencyKeyMissing`] or [`Failure::IfMatchMissing`].
    pub fn changes(self, body: &str, tag: Tag) -> Result<Pending, Failure> {
        let expected = self.expected_version(tag)?;
        Ok(self.pending(body, expected, false))
    }

    /// The version that the caller decided on; none where any will do.
    ///
    /// # Errors
    /// As [`Head::changes`].
    pub fn expected_version(&self, tag: Tag) -> Result<Option<u64>, Failure> {
        match (self.if_match, tag) {
            (IfMatch::Version(version), _) => Ok(Some(version)),
            (IfMatch::Any, Tag::VersionOrAny) if self.key.is_none() => Err(Failure::IdempotencyKeyMissing),
            (IfMatch::Any, Tag::VersionOrAny) => Ok(None),
            (IfMatch::Any, Tag::Version) | (IfMatch::Absent, _) => Err(Failure::IfMatchMissing),
        }
    }

    fn pending(self, body: &str, expected_version: Option<u64>, created: bool) -> Pending {
        let request = format!("{}\n{body}", self.path).into_bytes();
        Pending { head: self, request, expected_version, created }
    }
}

impl Incoming {
    /// Does a change whose body is read and parsed by `R`.
    ///
    /// # Errors
    /// [`Stop`].
    pub async fn change<R: ChangeRequest>(self, app: &App, tag: Tag) -> Result<Response, Stop> {
        let (pending, mut fields) = self.begin(tag)?;
        let request = R::read(&mut fields);
        let staged = pending.staged(app, request.uploads()).await?;
        let command = settle(fields, staged, |files| request.parse(files))?;
        pending.run(app, command).await
    }

    /// The fields of a change.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn begin(self, tag: Tag) -> Result<(Pending, Fields), Failure> {
        let body = self.body.ok_or(Failure::Syntax)?;
        let pending = self.head.changes(&body.to_string(), tag)?;
        Ok((pending, Fields::new(body)?))
    }

    /// The fields of a new case.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn begin_case(self) -> Result<(Pending, Fields), Failure> {
        let body = self.body.ok_or(Failure::Syntax)?;
        let pending = self.head.creates(&body.to_string())?;
        Ok((pending, Fields::new(body)?))
    }

    /// The same request with an empty object where it has no body, or null.
    #[must_use]
    pub fn with_body(mut self) -> Self {
        let body = self.body.take().filter(|body| !body.is_null());
        self.body = Some(body.unwrap_or_else(|| Value::Object(serde_json::Map::new())));
        self
    }
}

impl Pending {
    /// Who.
    pub const fn caller(&self) -> &Caller {
        &self.head.caller
    }

    /// Stops when the same request was accepted before. The committer finds that too; it must be asked before only
    /// where files are named, which are staged no more then.
    ///
    /// # Errors
    /// [`Stop`].
    pub async fn unless_done(&self, app: &App) -> Result<(), Stop> {
        match self.repeated(app).await {
            Ok(Some(outcome)) => Err(Stop::Done(answer(outcome, self.created))),
            // Wrong fields are told before a key that was used for another request.
            Ok(None) | Err(CommandError::KeyReused) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The staged files that the request names; those that are not the caller's are unknown.
    ///
    /// # Errors
    /// [`Stop`]; field errors come beside, all at once.
    pub async fn staged(
        &self,
        app: &App,
        uploads: &[String],
    ) -> Result<Result<Vec<UploadedFile>, Vec<FieldError>>, Stop> {
        if uploads.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        self.unless_done(app).await?;
        let staged = app.staged(self.caller(), uploads).await?;
        if staged.is_err() {
            // The same request, sent twice at once, may have attached them since.
            self.unless_done(app).await?;
        }
        Ok(staged)
    }

    async fn repeated(&self, app: &App) -> Result<Option<Outcome>, CommandError> {
        app.repeated(self.caller().actor.person, self.head.key.as_deref(), &self.request).await
    }

    /// Has the command decided and answers with its outcome.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn run(self, app: &App, command: CaseCommand) -> Result<Response, Stop> {
        self.run_with(app, command, Vec::new(), None).await
    }

    /// As [`Pending::run`], with persons met by the command and a case that a new one follows.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn run_with(
        self,
        app: &App,
        command: CaseCommand,
        see: Vec<SeePerson>,
        followed: Option<CaseId>,
    ) -> Result<Response, Stop> {
        if !self.created && self.head.case.is_none() {
            self.repeated(app).await?;
            return Err(Failure::NotFound.into());
        }
        let command = Command {
            key: self.head.key,
            request: self.request,
            correlation: self.head.trace.correlation(),
            case: self.head.case,
            expected_version: self.expected_version,
            command,
            see,
            followed,
        };
        let outcome = app.run(&self.head.caller, command).await?;
        Ok(answer(outcome, self.created))
    }
}

impl FromRequest<App> for Incoming {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let (mut parts, content) = request.into_parts();
        let (head, malformed) = Head::read(&mut parts, app).await?;
        let body = body::json(&app.room, &parts.headers, content).await?;
        malformed?;
        Ok(Self { head, body })
    }
}

/// What the fields come to; everything that is wrong with them at once, the first error only for each.
///
/// # Errors
/// [`Failure::Fields`].
pub fn settle<T>(
    fields: Fields,
    staged: Result<Vec<UploadedFile>, Vec<FieldError>>,
    parse: impl FnOnce(Vec<UploadedFile>) -> Result<T, Vec<FieldError>>,
) -> Result<T, Failure> {
    let mut errors = fields.finish();
    let files = staged.unwrap_or_else(|unknown| {
        errors.extend(unknown);
        Vec::new()
    });
    match parse(files) {
        Ok(parsed) if errors.is_empty() => Ok(parsed),
        Ok(_) => Err(Failure::Fields(first_of_each(errors))),
        Err(wrong) => {
            errors.extend(wrong);
            Err(Failure::Fields(first_of_each(errors)))
        }
    }
}

/// The case that the path of a request names; `None` when it names none.
pub async fn case_in_path(parts: &mut axum::http::request::Parts, app: &App) -> Option<CaseId> {
    let names = RawPathParams::from_request_parts(parts, app).await.ok()?;
    names.iter().find(|(name, _)| *name == "caseId").and_then(|(_, id)| CaseId::parse(id))
}

/// The answer to an accepted command.
fn answer(outcome: Outcome, created: bool) -> Response {
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let mut headers = HeaderMap::new();
    headers.insert(header::ETAG, tag(outcome.version));
    headers.insert(header::CACHE_CONTROL, super::NO_STORE);
    if created && let Ok(place) = format!("/api/v1/cases/{}", outcome.id).try_into() {
        headers.insert(header::LOCATION, place);
    }
    (status, headers, axum::Json(OutcomeBody::from(outcome))).into_response()
}
