//! What holds for every operation: its name, the headers that it takes and gives, and its problems.

use domain::FieldError;
use domain::case::Status;
use domain::files::Scan;
use domain::refusal::Code;
use domain::scope::Scope;
use domain::vocabulary::Language;
use serde_json::{Value, json};
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    Content, Header, HeaderBuilder, Object, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};
use utoipa::{PartialSchema, ToSchema};

use super::{BEARER, OAUTH, close_value, examples};
use crate::Failure;
use crate::failure::{FieldProblem, Problem};
use crate::v1::scopes;

/// The media type of problems.
const PROBLEM: &str = "application/problem+json";
/// A trace, as an example.
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// How the quota is told, where there is one.
const QUOTA: [(&str, &str); 2] = [
    ("RateLimit-Policy", "The quota, and in how many seconds it may be used: `\"default\";q=1200;w=60`."),
    ("RateLimit", "What is left of it, and in how many seconds it is whole again: `\"default\";r=1199;t=1`."),
];

/// Every kind of problem by status.
fn problems() -> Vec<(u16, &'static str, Vec<Failure>)> {
    let field = FieldError::new("/subject", Code::SubjectMissing);
    let query = FieldError::new("?sida", Code::FieldUnknown).with("name", "sida");
    vec![
        (400, "The request cannot be read.", vec![Failure::Syntax, Failure::IdempotencyKeyMissing]),
        (401, "There is no token, or none that is accepted.", vec![Failure::Unauthorized]),
        (
            403,
            "The caller may know of it but not do this, or the token does not let a system use it.",
            vec![Failure::Forbidden, Failure::ScopeMissing(Scope::CaseWrite)],
        ),
        (404, "It is not there, or not the caller's to know.", vec![Failure::NotFound]),
        (408, "The request took too long to come in.", vec![Failure::TimedOut]),
        (
            409,
            "It does not belong in the phase that the case is in, another officer works on it, or a file is not open.",
            vec![
                Failure::WrongPhase(Status::Received),
                Failure::WrongPhase(Status::Closed),
                Failure::TakenByAnother,
                Failure::FileClosed(Scan::Waiting),
                Failure::FileClosed(Scan::Infected),
            ],
        ),
        (
            412,
            "The case has changed; with its version and the types of the events since.",
            vec![Failure::Stale { current: 3, since: vec!["MessageAdded"] }],
        ),
        (413, "The body is too large.", vec![Failure::TooLarge]),
        (415, "The body is of a type that is not read here.", vec![Failure::UnsupportedMediaType]),
        (416, "The file has no such range.", vec![Failure::NoSuchRange(1024)]),
        (
            422,
            "Fields or parameters are wrong, all at once; or the key was used for another request.",
            vec![Failure::Fields(vec![field]), Failure::Fields(vec![query]), Failure::IdempotencyKeyReused],
        ),
        (428, "A change needs the version that it was decided on.", vec![Failure::IfMatchMissing]),
        (429, "Too many requests in a short time.", vec![Failure::TooMany(7)]),
        (500, "A fault of ours.", vec![Failure::Internal]),
        (
            503,
            "Nothing was done and the caller may try again; or, with `outcome.unknown`, it may have been done and the \
             same request with the same key tells.",
            vec![
                Failure::Busy,
                Failure::Unavailable,
                Failure::OutcomeUnknown,
                Failure::NotShown,
                Failure::FilesAway,
                Failure::ReadLogAway,
                Failure::IssuerAway,
            ],
        ),
    ]
}

/// The responses that operations refer to, by name.
pub(super) fn problem_responses() -> impl Iterator<Item = (String, RefOr<Response>)> {
    problems().into_iter().map(|(status, description, failures)| {
        let content = Content::builder().schema(Some(Ref::from_schema_name("Problem")));
        let example = |(place, failure): (usize, &Failure)| {
            let language = if place % 2 == 0 { Language::Sv } else { Language::En };
            let problem = failure.problem(language, "/api/v1/cases");
            let value = serde_json::to_value(&problem).unwrap_or_default();
            let name = format!("{}-{}", failure.code().replace('.', "-"), place + 1);
            (name, ExampleBuilder::new().summary(problem.title).value(Some(value)).build())
        };
        let content = content.examples_from_iter(failures.iter().enumerate().map(example)).build();
        let mut response = ResponseBuilder::new().description(description).content(PROBLEM, content);
        response = response.header("traceparent", trace_header());
        if matches!(status, 429 | 503) {
            response = response.header("Retry-After", header(Type::Integer, "Seconds to wait."));
        }
        (name_of(status), response.build().into())
    })
}

/// The schemas of problems.
pub(super) fn problem_schemas() -> [(String, RefOr<Schema>); 2] {
    [
        (Problem::name().into_owned(), Problem::schema()),
        (FieldProblem::name().into_owned(), FieldProblem::schema()),
    ]
}

fn name_of(status: u16) -> String {
    format!("Problem{status}")
}

/// Completes an operation.
pub(super) fn complete(method: &str, path: &str, operation: &mut Operation) {
    operation.operation_id = Some(operation_id(method, path));
    let public = operation.security.is_some();
    if let Some(scope) = scopes::needed(&method.to_uppercase(), path) {
        operation.security = Some(vec![
            SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, []),
            SecurityRequirement::new(OAUTH, [scope.code()]),
        ]);
    }
    let parameters = operation.parameters.get_or_insert_default();
    for parameter in parameters.iter_mut() {
        if let RefOr::T(Parameter { name, schema: Some(schema), .. }) = parameter
            && name != "status"
        {
            close_value("", name, schema);
        }
    }
    parameters.extend(headers_taken(method, path, public).into_iter().map(RefOr::T));
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            response.headers.insert("traceparent".to_owned(), trace_header().into());
            for (name, description) in QUOTA {
                response.headers.insert(name.to_owned(), header(Type::String, description).into());
            }
            for content in response.content.values_mut() {
                with_example(content);
            }
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.content.values_mut().for_each(with_example);
    }
    for status in statuses(method, path, public) {
        let reference = Ref::from_response_name(name_of(status));
        operation.responses.responses.insert(status.to_string(), RefOr::Ref(reference));
    }
}

/// `post` and `/cases/{caseId}/start-processing` make `postCaseStartProcessing`.
fn operation_id(method: &str, path: &str) -> String {
    let mut id = method.to_owned();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        if part.starts_with('{') {
            continue;
        }
        let one = parts.peek().is_some_and(|next| next.starts_with('{'));
        let part = if one { part.trim_end_matches('s') } else { part };
        for word in part.split('-') {
            let (first, rest) = word.split_at(word.len().min(1));
            id.push_str(&first.to_uppercase());
            id.push_str(rest);
        }
    }
    id
}

/// The problems that an operation can have.
fn statuses(method: &str, path: &str, public: bool) -> Vec<u16> {
    let (posts, of_case) = (method == "post", path.contains("{caseId}"));
    let mut statuses = vec![422, 429, 500];
    if path != "/api-info" {
        statuses.extend([400, 503]);
    }
    if !public {
        statuses.extend([401, 403]);
    }
    if of_case {
        statuses.push(404);
    }
    if of_case || posts || path == "/cases" {
        statuses.push(403);
    }
    if posts {
        statuses.extend([408, 413, 415]);
    }
    if posts && of_case {
        statuses.extend([409, 412, 428]);
    }
    if path.contains("{attachmentId}") {
        statuses.extend([409, 416]);
    }
    statuses
}

fn headers_taken(method: &str, path: &str, public: bool) -> Vec<Parameter> {
    let mut headers = vec![
        text("traceparent", false, "The trace that the request belongs to (W3C Trace Context).", TRACE),
        text(
            "Accept-Language",
            false,
            "`sv` (when absent) or `en`: the language of words and problems.",
            "sv",
        ),
    ];
    if method == "post" && path != "/uploads" {
        let creates = path == "/cases";
        let key = "Known for thirty days: the same request with the same key has the same answer; another request is \
                   refused. Quoted or bare, at most 255 visible ASCII characters, for example a UUID.";
        headers.push(text("Idempotency-Key", creates, key, "\"0193a5d2-7c1e-7b4e-9f00-5a3f1c2d4e5f\""));
    }
    if method == "post" && path.contains("{caseId}") {
        let version = "The version that the change was decided on, from `ETag`. One tag, quoted or bare.";
        headers.push(text("If-Match", true, version, "\"1\""));
    }
    if method == "get" && path != "/api-info" {
        let after = if public {
            "The position that the answer must show."
        } else {
            "The position that the answer must show; when absent, the last that the caller was told of."
        };
        let schema = ObjectBuilder::new().schema_type(Type::Integer).build();
        headers.push(taken("Read-After", false, after, schema, json!(1)));
    }
    if path.contains("{attachmentId}") {
        headers.push(text("Range", false, "One range of bytes.", "bytes=0-1023"));
    }
    headers
}

fn text(name: &str, required: bool, description: &str, example: &str) -> Parameter {
    taken(name, required, description, Object::with_type(Type::String), json!(example))
}

fn taken(name: &str, required: bool, description: &str, schema: Object, example: Value) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(if required { Required::True } else { Required::False })
        .description(Some(description))
        .schema(Some(schema))
        .example(Some(example))
        .build()
}

fn trace_header() -> Header {
    header(Type::String, "The trace that the request belonged to or began.")
}

fn header(value: Type, description: &str) -> Header {
    HeaderBuilder::new().schema(Some(Object::with_type(value))).description(Some(description)).build()
}

/// Gives a body the example of its schema.
fn with_example(content: &mut RefOr<Content>) {
    let RefOr::T(content) = content else { return };
    let reference = match &content.schema {
        Some(RefOr::Ref(reference)) => &reference.ref_location,
        Some(RefOr::T(Schema::OneOf(one))) => match one.items.iter().find_map(|item| match item {
            RefOr::Ref(reference) => Some(&reference.ref_location),
            RefOr::T(_) => None,
        }) {
            Some(location) => location,
            None => return,
        },
        _ => return,
    };
    let name = reference.rsplit('/').next().unwrap_or_default();
    if let Some(mut value) = examples::of(name) {
        without_nulls(&mut value);
        let example = ExampleBuilder::new().value(Some(value)).build();
        content.examples.insert(name.to_owned(), example.into());
    }
}

/// The engine that checks the national rules cannot read null; an example without a value that is absent stays true.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(values) => values.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
