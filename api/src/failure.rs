//! The one place where failure becomes HTTP: what a handler may answer with instead of a result, its code, its status,
//! its words in the reader's language, and its form as `application/problem+json` (RFC 9457).

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::case::Status;
use domain::files::Scan;
use domain::scope::Scope;
use domain::vocabulary::Language;
use domain::{FieldError, Refusal};
use futures::FutureExt;
use infrastructure::files::FileError;
use infrastructure::read_log::Unrecorded;
use infrastructure::{CommandError, LogError};
use projections::ReadError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::app::NotShown;
use crate::app::callers::CallerError;
use crate::texts::{Text, accepted_language, error_text, field_error};

/// How many seconds a caller is asked to wait before trying again.
const RETRY_AFTER_SECONDS: u32 = 1;

/// How many things that are wrong with a request are told at most.
pub const MOST_TOLD: usize = 100;

/// Why a request has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody, or nobody whom we believe.
    Unauthorized,
    /// Somebody whose token we do not take.
    TokenRefused,
    /// Whose token it is cannot be told now; nothing was done.
    IssuerAway,
    /// A system whose token does not let it use this.
    ScopeMissing(Scope),
    /// Too many requests in a short time; after so many seconds there may be more.
    TooMany(u64),
    /// The body is not JSON, or not UTF-8.
    Syntax,
    /// A new case needs an `Idempotency-Key`.
    IdempotencyKeyMissing,
    /// The key was used for another request.
    IdempotencyKeyReused,
    /// A change of a case needs an `If-Match`.
    IfMatchMissing,
    /// Fields are wrong; all at once.
    Fields(Vec<FieldError>),
    /// It is not there, or its existence is not the caller's to know.
    NotFound,
    /// The caller may know of it but not do this.
    Forbidden,
    /// The caller decided on an older version.
    Stale {
        /// The version that the case has now.
        current: u64,
        /// The types of the events that have come since, oldest first.
        since: Vec<&'static str>,
    },
    /// It does not belong in the phase that the case is in.
    WrongPhase(Status),
    /// Another officer works on the case.
    TakenByAnother,
    /// A file that may not be opened, for what the virus scanner says of it, or has not said yet.
    FileClosed(Scan),
    /// Too much is waiting; nothing was done.
    Busy,
    /// The log is out of order; nothing was done.
    Unavailable,
    /// Files can neither be stored nor read now; nothing was done.
    FilesAway,
    /// It cannot be recorded that this is read, so it is not shown.
    ReadLogAway,
    /// It may have been done.
    OutcomeUnknown,
    /// The read models have not come so far in time.
    NotShown,
    /// The body is too large.
    TooLarge,
    /// The body is of a type that is not read here.
    UnsupportedMediaType,
    /// There is no such method here.
    MethodNotAllowed,
    /// The file, of so many bytes, has no such range.
    NoSuchRange(u64),
    /// The request took too long to come in.
    TimedOut,
    /// A fault of ours; the detail is logged, never shown.
    Internal,
}

impl Failure {
    /// The code under which the words are found and which the problem's type names.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized | Self::TokenRefused => "unauthorized",
            Self::IssuerAway => "issuer.unavailable",
            Self::ScopeMissing(_) => "scope.missing",
            Self::TooMany(_) => "quota-exceeded",
            Self::Syntax => "syntax",
            Self::IdempotencyKeyMissing => "idempotency-key.missing",
            Self::IdempotencyKeyReused => "idempotency-key.reused",
            Self::IfMatchMissing => "if-match.missing",
            Self::Fields(_) => "validation",
            Self::NotFound => "not-found",
            Self::Forbidden => "permission",
            Self::Stale { .. } => "case.changed",
            Self::WrongPhase(Status::Closed) => "case.closed",
            Self::WrongPhase(_) => "phase.wrong",
            Self::TakenByAnother => "taken-by-another",
            Self::FileClosed(Scan::Infected) => "file.infected",
            Self::FileClosed(Scan::Locked) => "file.locked",
            Self::FileClosed(Scan::TooComplex) => "file.too-complex",
            Self::FileClosed(Scan::Waiting | Scan::Clean) => "file.waiting",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
            Self::FilesAway => "files.unavailable",
            Self::ReadLogAway => "read-log.unavailable",
            Self::OutcomeUnknown => "outcome.unknown",
            Self::NotShown => "read-after.timeout",
            Self::TooLarge => "too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::NoSuchRange(_) => "range",
            Self::TimedOut => "timeout",
            Self::Internal => "internal",
        }
    }

    /// The HTTP status.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized | Self::TokenRefused => StatusCode::UNAUTHORIZED,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Syntax | Self::IdempotencyKeyMissing => StatusCode::BAD_REQUEST,
            Self::IfMatchMissing => StatusCode::PRECONDITION_REQUIRED,
            Self::Fields(_) | Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden | Self::ScopeMissing(_) => StatusCode::FORBIDDEN,
            Self::Stale { .. } => StatusCode::PRECONDITION_FAILED,
            Self::WrongPhase(_) | Self::TakenByAnother | Self::FileClosed(_) => StatusCode::CONFLICT,
            Self::Busy
            | Self::Unavailable
            | Self::IssuerAway
            | Self::FilesAway
            | Self::ReadLogAway
            | Self::OutcomeUnknown
            | Self::NotShown => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoSuchRange(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What to do about it, in words.
    pub fn detail(&self, language: Language) -> String {
        let text = error_text(language, self.code());
        match self {
            Self::Fields(errors) if errors.len() == 1 => field_error(language, &errors[0]),
            Self::WrongPhase(status) => {
                text.with("status", Text::new(language, format!("status-{status}"))).to_string()
            }
            Self::Busy => text.with("s", RETRY_AFTER_SECONDS).to_string(),
            Self::TooMany(seconds) => text.with("s", *seconds).to_string(),
            Self::ScopeMissing(scope) => text.with("scope", scope.code()).to_string(),
            _ => text.to_string(),
        }
    }

    /// The problem that the API answers with.
    pub fn problem(&self, language: Language, instance: &str) -> Problem {
        let field = |error: &FieldError| FieldProblem {
            pointer: error.pointer.clone(),
            detail: field_error(language, error),
            code: error.code.code().to_owned(),
        };
        let (current_version, since) = match self {
            Self::Stale { current, since } => {
                (Some(*current), since.iter().map(ToString::to_string).collect())
            }
            _ => (None, Vec::new()),
        };
        Problem {
            problem_type: format!("/problems/{}", self.code()),
            title: Text::new(language, format!("problem-title-{}", self.code().replace('.', "-")))
                .to_string(),
            status: self.status().as_u16(),
            detail: self.detail(language),
            instance: instance.to_owned(),
            errors: match self {
                Self::Fields(errors) => errors.iter().map(field).collect(),
                _ => Vec::new(),
            },
            current_version,
            since,
        }
    }

    /// The headers of an answer that tells it.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        match self {
            Self::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::TokenRefused => {
                let refused = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                headers.insert(header::WWW_AUTHENTICATE, refused);
            }
            Self::ScopeMissing(scope) => {
                let missing = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
                headers.extend(HeaderValue::try_from(missing).map(|value| (header::WWW_AUTHENTICATE, value)));
            }
            Self::TooMany(seconds) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            _ if self.status() == StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
            }
            Self::Stale { current, .. } => {
                headers
                    .extend(HeaderValue::from_str(&format!("\"{current}\"")).map(|tag| (header::ETAG, tag)));
            }
            Self::NoSuchRange(size) => {
                let range = HeaderValue::from_str(&format!("bytes */{size}"));
                headers.extend(range.map(|range| (header::CONTENT_RANGE, range)));
            }
            _ => {}
        }
        headers
    }

    /// The failure of a status that nothing of ours gave: the framework's own answers.
    pub(crate) const fn of_status(status: StatusCode) -> Option<Self> {
        Some(match status {
            StatusCode::BAD_REQUEST => Self::Syntax,
            StatusCode::UNAUTHORIZED => Self::Unauthorized,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::TimedOut,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::INTERNAL_SERVER_ERROR => Self::Internal,
            _ => return None,
        })
    }
}

/// A problem (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// What kind of problem: `/problems/<code>`.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// The kind in words, the same for every problem of it.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What to do about it.
    pub detail: String,
    /// The path of the request.
    pub instance: String,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// With 412: the version that the case has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_version: Option<u64>,
    /// With 412: the types of the events that have come since, oldest first, of those that the caller may see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub since: Vec<String>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// JSON pointer (RFC 6901) into the body, or the name of a query parameter after `?`.
    pub pointer: String,
    /// What to do about it.
    pub detail: String,
    /// The key of the text.
    pub code: String,
}

impl IntoResponse for Failure {
    /// Status and headers only: the words come from a layer that knows the reader ([`problems`], or the pages').
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.headers()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The layer under those that tell failures: a handler that panics or takes too long has failed like any other.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let longest = Duration::from_secs(app.config.web.request_seconds);
    match tokio::time::timeout(longest, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("a handler panicked");
            Failure::Internal.into_response()
        }
        Err(_) => Failure::TimedOut.into_response(),
    }
}

/// The layer that writes failures of the API as problems, in the language that the caller asks for.
pub async fn problems(request: Request, next: Next) -> Response {
    let language = accepted_language(request.headers());
    let path = match request.extensions().get::<OriginalUri>() {
        Some(OriginalUri(uri)) => uri.path().to_owned(),
        None => request.uri().path().to_owned(),
    };
    let mut response = next.run(request).await;
    let failure = response.extensions_mut().remove::<Failure>();
    let Some(failure) = failure.or_else(|| Failure::of_status(response.status())) else { return response };
    let problem = serde_json::to_vec(&failure.problem(language, &path)).unwrap_or_default();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.code()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    *response.body_mut() = problem.into();
    response
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Fields(errors) => Self::Fields(errors),
            Refusal::NotFound => Self::NotFound,
            Refusal::Forbidden => Self::Forbidden,
            Refusal::Stale { current, since } => Self::Stale { current, since },
            Refusal::WrongPhase(status) => Self::WrongPhase(status),
            Refusal::TakenByAnother => Self::TakenByAnother,
        }
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(refusal) => refusal.into(),
            CommandError::KeyReused => Self::IdempotencyKeyReused,
            CommandError::Busy => Self::Busy,
            CommandError::OutcomeUnknown => Self::OutcomeUnknown,
            CommandError::Unavailable(reason) => {
                tracing::error!(reason, "a command could not be done");
                Self::Unavailable
            }
            CommandError::Internal => Self::Internal,
        }
    }
}

impl From<Vec<FieldError>> for Failure {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::Fields(errors)
    }
}

impl From<NotShown> for Failure {
    fn from(_: NotShown) -> Self {
        Self::NotShown
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        tracing::error!(%error, "a query failed");
        Self::Internal
    }
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        tracing::error!(%error, "the log could not be read");
        match error {
            LogError::Unavailable(_) | LogError::Unknown(_) => Self::Unavailable,
            LogError::Data(_) | LogError::Damaged(_) | LogError::WentBack(_) => Self::Internal,
        }
    }
}

impl From<Unrecorded> for Failure {
    fn from(error: Unrecorded) -> Self {
        tracing::warn!(%error, "content is not shown");
        Self::ReadLogAway
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Refused(error) => Self::Fields(vec![error]),
            FileError::CutOff(_) => Self::Syntax,
            FileError::Store(_) | FileError::Denied(_) => {
                tracing::error!(%error, "files cannot be stored or read");
                Self::FilesAway
            }
            FileError::Damaged(_) => {
                tracing::error!(%error, "an attached file cannot be read");
                Self::Internal
            }
        }
    }
}

impl From<CallerError> for Failure {
    fn from(error: CallerError) -> Self {
        match error {
            CallerError::Command(error) => error.into(),
            CallerError::Read(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::refusal::Code;

    #[test]
    fn a_problem_in_both_languages_with_its_fields() {
        let failure = Failure::Fields(vec![
            FieldError::new("/subject", Code::SubjectMissing),
            FieldError::too_long("/message", Code::MessageLong, 10_000, 10_001),
        ]);
        let problem = serde_json::to_value(failure.problem(Language::Sv, "/api/v1/cases")).unwrap();
        assert_eq!(problem["type"], "/problems/validation");
        assert_eq!(
            (problem["status"].as_u64(), problem["instance"].as_str()),
            (Some(422), Some("/api/v1/cases"))
        );
        assert_eq!(problem["errors"][0]["detail"], "Skriv ett ämne.");
        let problem = serde_json::to_value(failure.problem(Language::En, "/api/v1/cases")).unwrap();
        assert_eq!(
            problem["errors"][1]["detail"],
            "The message can be at most 10000 characters. You have entered 10001."
        );
    }

    #[test]
    fn a_stale_write_tells_the_version_and_what_has_happened() {
        let failure = Failure::Stale { current: 3, since: vec!["MessageAdded"] };
        assert_eq!(failure.clone().into_response().headers()[header::ETAG], "\"3\"");
        let problem = serde_json::to_value(failure.problem(Language::En, "/x")).unwrap();
        assert_eq!((&problem["currentVersion"], &problem["since"][0]), (&3.into(), &"MessageAdded".into()));
    }
}
