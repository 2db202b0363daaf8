//! `/docs`: the description of the API as a page, made from the same document; no script, nothing from elsewhere.

use std::fmt::Write;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde_json::Value;

use super::{BEARER, described};
use crate::pages::{Frame, Visitor, cookies, render};
use crate::texts::{Text, accepted_language};
use crate::{App, Failure};

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    frame: Frame,
    /// The address of the API.
    server: String,
    /// The description, a paragraph each, with its language.
    description: Vec<(&'static str, String)>,
    groups: Vec<Group>,
    problems: Vec<(String, String)>,
}

/// The operations of a tag.
struct Group {
    name: String,
    description: String,
    operations: Vec<Operation>,
}

/// An operation as the page shows it. What is marked up is HTML.
struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    description: String,
    parameters: Vec<Parameter>,
    request: Option<String>,
    answers: Vec<(String, String)>,
    example: Option<String>,
    problems: String,
    curl: String,
}

struct Parameter {
    name: String,
    place: String,
    required: bool,
    description: String,
}

/// The page.
///
/// # Errors
/// When the frame or the page cannot be made.
pub async fn page(
    State(app): State<App>,
    headers: HeaderMap,
    mut visitor: Visitor,
) -> Result<Response, Failure> {
    // Who comes from the API asks by header, who comes from the pages has chosen.
    if visitor.jar.get(cookies::LANGUAGE).is_none() {
        visitor.language = accepted_language(&headers);
    }
    let title = Text::new(visitor.language, "docs-title");
    let frame = Frame::new(&app, &visitor, title).await?;
    let document = described(&app.config.public_url());
    let server = text(&document["servers"][0]["url"]);
    let languages = ["sv", "en", "en"];
    let whole = text(&document["info"]["description"]);
    let description = languages.into_iter().zip(whole.split("\n\n").map(marked)).collect();
    let groups = groups(&document, &server);
    let mut response =
        render(&DocsPage { frame, server, description, groups, problems: problems(&document) })?;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn groups(document: &Value, server: &str) -> Vec<Group> {
    let tags = document["tags"].as_array().into_iter().flatten();
    tags.map(|tag| {
        let name = text(&tag["name"]);
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if operation["tags"][0] == tag["name"] {
                    operations.push(read(server, path, method, operation));
                }
            }
        }
        Group { description: marked(&text(&tag["description"])), name, operations }
    })
    .collect()
}

fn read(server: &str, path: &str, method: &str, operation: &Value) -> Operation {
    let parameters = operation["parameters"].as_array().into_iter().flatten().map(parameter).collect();
    let responses = operation["responses"].as_object().into_iter().flatten();
    let (answers, problems): (Vec<_>, Vec<_>) =
        responses.partition(|(_, answer)| answer.get("$ref").is_none());
    let first = answers.first().map(|(_, answer)| *answer);
    Operation {
        id: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: marked(&text(&operation["summary"])),
        description: marked(&text(&operation["description"])),
        parameters,
        request: example(&operation["requestBody"]).map(|example| pretty(&example)),
        example: first.and_then(example).map(|example| pretty(&example)),
        answers: answers
            .iter()
            .map(|(status, answer)| ((*status).clone(), marked(&text(&answer["description"]))))
            .collect(),
        problems: problems.iter().map(|(status, _)| status.as_str()).collect::<Vec<_>>().join(", "),
        curl: curl(server, path, method, operation),
    }
}

fn parameter(parameter: &Value) -> Parameter {
    Parameter {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        required: parameter["required"] == true,
        description: marked(&text(&parameter["description"])),
    }
}

/// The first example of a JSON body.
fn example(body: &Value) -> Option<Value> {
    let examples = body["content"]["application/json"]["examples"].as_object()?;
    Some(examples.values().next()?["value"].clone())
}

fn problems(document: &Value) -> Vec<(String, String)> {
    let responses = document["components"]["responses"].as_object().into_iter().flatten();
    responses
        .map(|(name, response)| {
            let examples = response["content"]["application/problem+json"]["examples"].as_object();
            let mut codes: Vec<String> =
                examples.into_iter().flatten().map(|(_, example)| text(&example["value"]["type"])).collect();
            codes.dedup();
            let codes: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
            let words = format!("{} {}", text(&response["description"]), codes.join(", "));
            (name.trim_start_matches("Problem").to_owned(), marked(&words))
        })
        .collect()
}

/// The request as a command.
fn curl(server: &str, path: &str, method: &str, operation: &Value) -> String {
    let mut command = format!("curl '{server}{path}'");
    // Unless it is said that nobody needs to say who they are.
    if operation["security"][0].get(BEARER).is_some() {
        command.push_str(" \\\n  -H \"Authorization: Bearer $TOKEN\"");
    }
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        if parameter["required"] == true && parameter["in"] == "header" {
            let _ =
                write!(command, " \\\n  -H '{}: {}'", text(&parameter["name"]), text(&parameter["example"]));
        }
    }
    match (method, example(&operation["requestBody"])) {
        ("post", Some(body)) => {
            let _ = write!(command, " \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'");
        }
        ("post", None) => command.push_str(" \\\n  -F file=@beslut.pdf"),
        _ => {}
    }
    command
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A description as HTML: what stands between back-quotes is code; what stands between asterisks is Swedish.
fn marked(description: &str) -> String {
    let mut html = String::new();
    let (mut code, mut swedish) = (false, false);
    for character in description.chars() {
        match character {
            '`' => {
                html.push_str(if code { "</code>" } else { "<code>" });
                code = !code;
            }
            '*' if !code => {
                html.push_str(if swedish { "</i>" } else { "<i lang=\"sv\">" });
                swedish = !swedish;
            }
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            other => html.push(other),
        }
    }
    if code {
        html.push_str("</code>");
    }
    if swedish {
        html.push_str("</i>");
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_marked_up() {
        assert_eq!(
            marked("*Inkommit* with `If-Match: *` & <b>"),
            "<i lang=\"sv\">Inkommit</i> with <code>If-Match: *</code> &amp; &lt;b&gt;"
        );
    }

    #[test]
    fn every_operation_has_its_command_and_its_place() {
        let document = described("https://kundwebb.example");
        let groups = groups(&document, "https://kundwebb.example/api/v1");
        let operations: Vec<&Operation> = groups.iter().flat_map(|group| &group.operations).collect();
        assert!(operations.len() >= 20);
        let close = operations.iter().find(|operation| operation.path == "/cases/{caseId}/close").unwrap();
        assert!(close.curl.contains("-H 'If-Match: \"1\"'") && close.curl.contains("-d '{\"answer\""));
        let ids: std::collections::BTreeSet<&str> =
            operations.iter().map(|operation| operation.id.as_str()).collect();
        assert_eq!(ids.len(), operations.len());
    }
}
