//! The description of the API (OpenAPI 3.1): made from the operations, completed here with what holds for all of them,
//! served as JSON and as a page.

pub mod docs;
pub mod examples;
mod operation;

use std::sync::LazyLock;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use domain::files::Scan;
use domain::scope::Scope;
use domain::service_status::NoticeKind;
use domain::vocabulary::{Language, Party};
use domain::{Area, Channel, NoteKind, Status, SubArea, System};
use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::external_docs::ExternalDocs;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayItems, Object, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::security::{
    ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Contact, Info, License, OpenApi, RefOr, Server};

use crate::App;
use crate::v1::api_info::API_VERSION;
use crate::v1::{operations, unkept};

/// Where the API is in the golden file.
const GOLDEN_URL: &str = "https://kundwebb.example";
/// The name of the way to say who one is.
const BEARER: &str = "bearer";
/// The name of the way of systems, by client credentials at an authorization server.
const OAUTH: &str = "oauth";

/// The description; made once.
pub static DESCRIBED: LazyLock<OpenApi> = LazyLock::new(|| complete(operations().into_openapi()));

const DESCRIPTION: &str = "\
Ärenden till ett myndighetsgemensamt servicecenter: skapa, följ och handlägg dem, och följ händelserna i ordning. \
Ett ärende är alltid Inkommit, Under bearbetning och Avslutat. Kommandon är kända på sin Idempotency-Key och fattas på \
den version som If-Match anger; svaret säger från vilken position det syns (Read-After). Begränsningar: en fil får vara \
högst 25 MB, ett kommando ha högst 10 filer och ett ärende högst 50 MB; listor läses till 10 000 poster; ett svar ur \
flödet har högst 1 000 händelser.\n\n\
Cases to a shared-service centre of the government: create, follow and process them, and follow the events in order. \
A case is always received (Inkommit), in process (Under bearbetning) and closed (Avslutat). Commands are known by their \
Idempotency-Key and decided on the version that If-Match names; the answer tells from which position it shows \
(Read-After). Limits: a file is at most 25 MB, a command has at most 10 files and a case at most 50 MB; lists can be \
read to 10 000 records; an answer of the feed has at most 1 000 events.\n\n\
A request is checked in this order: who (401), what a system may use (403), how often (429), syntax (400, 413, 415), If-Match (428), fields, all at once (422), the \
outcome of the same request before, whether one may know of the case (404) and do this (403), the version (412), the \
phase (409).";

/// The routes.
pub fn routes() -> Router<App> {
    Router::new().route("/openapi.json", get(served)).route("/docs", get(docs::page))
}

/// The description with the address under which the installation is reached.
async fn served(State(app): State<App>) -> Response {
    (unkept(), Json(described(&app.config.public_url()))).into_response()
}

/// The description, as JSON, of an API that is reached under an address.
pub fn described(public_url: &str) -> Value {
    let mut document = serde_json::to_value(&*DESCRIBED).unwrap_or_default();
    document["servers"] = json!([{ "url": format!("{public_url}/api/v1") }]);
    document["externalDocs"]["url"] = json!(format!("{public_url}/api/v1/docs"));
    document
}

/// Completes what the operations say of themselves.
fn complete(mut document: OpenApi) -> OpenApi {
    document.info = info();
    document.servers = Some(vec![Server::new(format!("{GOLDEN_URL}/api/v1"))]);
    let mut external = ExternalDocs::new(format!("{GOLDEN_URL}/api/v1/docs"));
    external.description = Some("The same as a page, with curl examples.".to_owned());
    document.external_docs = Some(external);
    document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, [])]);
    document.tags = Some(tags());
    let components = document.components.get_or_insert_default();
    components.security_schemes.insert(BEARER.to_owned(), bearer().into());
    components.security_schemes.insert(OAUTH.to_owned(), oauth().into());
    components.responses.extend(operation::problem_responses());
    for (name, schema) in operation::problem_schemas() {
        components.schemas.insert(name, schema);
    }
    for (name, schema) in &mut components.schemas {
        close_values(name, schema);
    }
    for (path, item) in &mut document.paths.paths {
        for (method, found) in [("get", item.get.as_mut()), ("post", item.post.as_mut())] {
            if let Some(found) = found {
                operation::complete(method, path, found);
            }
        }
    }
    document
}

fn info() -> Info {
    let mut info = Info::new("Kundwebben", API_VERSION);
    info.description = Some(DESCRIPTION.to_owned());
    let mut contact = Contact::new();
    contact.name = Some("Kundwebben".to_owned());
    contact.url = Some(format!("{GOLDEN_URL}/support"));
    contact.email = Some("kundwebb@kundwebb.example".to_owned());
    info.contact = Some(contact);
    let mut license = License::new("EUPL-1.2");
    license.url = Some("https://joinup.ec.europa.eu/collection/eupl".to_owned());
    info.license = Some(license);
    let service_level = json!({
        "availability": "99,5 %",
        "responseTime": "95 % < 300 ms",
        "support": "vardagar 08.00–16.30 / weekdays 08:00–16:30",
    });
    info.extensions = Some(Extensions::from_iter([("x-sla", service_level)]));
    info
}

fn tags() -> Vec<utoipa::openapi::Tag> {
    [
        ("cases", "Cases: lists, one case, its timeline, a new one."),
        ("commands", "What changes a case."),
        ("files", "Files: staging, listing, downloading."),
        ("events", "The feed of events."),
        ("statistics", "Counts."),
        ("information", "Service status, services, employers, the API itself."),
    ]
    .into_iter()
    .map(|(name, description)| TagBuilder::new().name(name).description(Some(description)).build())
    .collect()
}

fn bearer() -> SecurityScheme {
    let description = "An access token in the style of RFC 9068. It says who and in which role, and may narrow an \
                       employee or a system to employers and an officer to areas.";
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    SecurityScheme::Http(scheme.description(Some(description)).build())
}

/// How systems come by a token of an authorization server. Where that is, the installation says.
fn oauth() -> SecurityScheme {
    let words = |scope: &Scope| match scope {
        Scope::CaseRead => "Reading cases, files and counts.",
        Scope::CaseWrite => "Creating and changing cases.",
        Scope::EventRead => "Following what happens.",
        Scope::WebhookManage => "Being told of what happens.",
    };
    let scopes = Scope::ALL.iter().map(|scope| (scope.code(), words(scope)));
    let flow = ClientCredentials::new("https://authorization.example/token", Scopes::from_iter(scopes));
    let description = "Client credentials at an authorization server that the installation trusts; its tokens are those of RFC \
                       9068, for the address of this API. An operation needs the one scope that it names.";
    SecurityScheme::OAuth2(OAuth2::with_description([Flow::ClientCredentials(flow)], description))
}

/// Says which values the texts of closed lists can have, and that requests have no other fields.
fn close_values(name: &str, schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            if name.ends_with("Request") {
                object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            }
            for (property, schema) in &mut object.properties {
                close_value(name, property, schema);
            }
        }
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(|item| close_values(name, item)),
        _ => {}
    }
}

fn close_value(schema_name: &str, property: &str, schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Array(list)) = schema
        && let (ArrayItems::RefOrSchema(items), "areas") = (&mut list.items, property)
    {
        return close_value(schema_name, "area", items);
    }
    let RefOr::T(Schema::Object(object)) = schema else { return };
    let Some(values) = values_of(schema_name, property).filter(|_| takes_text(object)) else { return };
    object.enum_values = Some(values.into_iter().map(Value::from).collect());
    if matches!(&object.schema_type, SchemaType::Array(types) if types.contains(&Type::Null)) {
        object.schema_type = Type::String.into();
        let description = object.description.take();
        let nothing = Object::with_type(Type::Null);
        let either = OneOfBuilder::new().description(description).item(object.clone()).item(nothing);
        *schema = RefOr::T(Schema::OneOf(either.build()));
    }
}

fn takes_text(object: &Object) -> bool {
    match &object.schema_type {
        SchemaType::Type(Type::String) => true,
        SchemaType::Array(types) => types.contains(&Type::String),
        _ => false,
    }
}

/// The values of a property or parameter of a closed list.
fn values_of(schema_name: &str, property: &str) -> Option<Vec<&'static str>> {
    Some(match property {
        "area" => Area::ALL.iter().map(|value| value.code()).collect(),
        "subArea" => SubArea::ALL.iter().map(|value| value.code()).collect(),
        "system" => System::ALL.iter().map(|value| value.code()).collect(),
        "channel" => Channel::ALL.iter().map(|value| value.code()).collect(),
        "language" => Language::ALL.iter().map(|value| value.code()).collect(),
        "status" => Status::ALL.iter().map(|value| value.code()).collect(),
        "from" if schema_name == "Message" => Party::ALL.iter().map(|value| value.code()).collect(),
        "kind" if schema_name == "Notice" => NoticeKind::ALL.iter().map(|value| value.code()).collect(),
        "kind" => NoteKind::ALL.iter().map(|value| value.code()).collect(),
        "scan" => Scan::ALL.iter().map(|value| value.code()).collect(),
        "state" => vec!["normal", "disruption", "maintenance"],
        "scope" => vec!["mine", "employer", "queue"],
        "sort" => vec!["newest", "oldest", "last-changed", "number"],
        "apiStatus" => vec!["active", "beta", "deprecated"],
        _ => return None,
    })
}
